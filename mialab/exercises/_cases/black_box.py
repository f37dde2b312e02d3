"""The data on which the answers of notebook 08 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import math

import numpy as np

from mialab.exercises._engine._scripted import ScriptedModel

# Classes, the column of the wanted one, the answers for x and for the changed record.
_SCRIPTS = (
    ((0, 1, 2), 1, (0.5, 0.3, 0.2), (0.2, 0.7, 0.1)),  # surer
    ((0, 1, 2), 0, (0.6, 0.3, 0.1), (0.3, 0.5, 0.2)),  # less sure
    ((0, 1, 2), 2, (0.1, 0.5, 0.4), (0.6, 0.0, 0.4)),  # equally sure
    ((0, 1, 2), 0, (0.1, 0.8, 0.1), (0.3, 0.6, 0.1)),  # surer, though another class is still the answer
    ((0, 1, 2), 0, (0.6, 0.2, 0.2), (0.1, 0.9, 0.0)),  # surer, but of another class
    ((0, 1, 2), 2, (0.0, 0.1, 0.9), (0.2, 0.1, 0.7)),  # less sure, though still the answer
    ((1, 2, 3), 0, (0.2, 0.7, 0.1), (0.4, 0.1, 0.5)),  # labels that are no column numbers
)


def two_records(rng):
    for classes, column, *answers in _SCRIPTS:
        yield _a_question(rng, classes, column, answers)
    # A tie, and answers apart by 1e-9 and 1e-3; measurements off any grid.
    records = np.array([0, 5.12345, 3.00049, 1.4]), np.array([1, 2.71828, 3.00051, 0.00049])
    for after in (0.4, 0.4 + 1e-9, 0.4 - 1e-9, 0.401, 0.399):
        model = ScriptedModel([[0.2, 0.4, 0.4], [0.6 - after, after, 0.4]], ("a", "b", "c"))
        yield model, *records, "b"
    yield ScriptedModel([[0.75, 0.25], [0.5, 0.5]], (4, 7)), *records[::-1], 4
    yield ScriptedModel([[1.0], [1.0]], (3,)), *records, 3
    for classes in ((3, 5, 9), ("setosa", "versicolor", "virginica"), ("no", "yes")):
        for _ in range(2):
            answers = rng.dirichlet(np.ones(len(classes)), size=2)
            yield _a_question(rng, classes, int(rng.integers(len(classes))), answers)


def _a_question(rng, classes, column, answers):
    """A model, two records, and a class: which row of the script answers which record is left to chance."""
    rows = rng.permutation(2)
    x, changed = np.column_stack([rows, rng.uniform(1, 7, (2, 3)).round(1)])
    return ScriptedModel(np.asarray(answers)[np.argsort(rows)], classes), x, changed, classes[column]


def kept_by_hand(model, x, changed, wanted):
    def sure(record):
        return dict(zip(model.classes_.tolist(), model.predict_proba([record])[0].tolist(), strict=True))[wanted]

    return x if sure(x) > sure(changed) else changed


def records_to_redraw(rng):
    yield np.array([5.0, 3.0, 4.0, 1.0]), np.arange(4), *_ranges(rng, 4)
    yield np.array([5.0, 3.0, 4.0, 1.0]), np.array([2, 1]), *_ranges(rng, 4)
    x, low = np.array([5.12345, 3.00049, 4.2, 1.31415]), np.array([1.06049, 2.1, 1.34007, 1.7])
    yield x, np.array([2, 0]), low, np.array([4.45678, 2.3, 7.00049, 1.9]), np.array([0.12345, 0.5, 0.98765, 0.00049])
    yield x, np.array([3]), low, low, np.array([0.0, 1.0, 0.0, 1.0])  # a range of one value
    yield np.array([2.5]), np.array([0]), np.array([1.0]), np.array([4.0]), np.array([0.25])
    for n_features, k in ((4, 1), (4, 2), (4, 3), (7, 3), (5, 4), (1, 1)):
        x = rng.uniform(0, 8, n_features).round(2)
        yield x, rng.permutation(n_features)[:k], *_ranges(rng, n_features)


def _ranges(rng, n_features):
    """Lows well above zero, highs above them, and the numbers already drawn."""
    low = rng.uniform(1, 3, n_features).round(1)
    return low, low + rng.uniform(1, 5, n_features).round(1), rng.uniform(0.05, 0.95, n_features).round(3)


def redrawn_by_hand(x, which, low, high, u):
    fresh = x.tolist()
    for j in which.tolist():
        fresh[j] = (1 - u[j]) * low[j] + u[j] * high[j]
    return np.array(fresh)


def rejections(rng):
    yield from ((4, 3, 3), (4, 2, 3), (4, 4, 3), (1, 5, 5))
    yield from ((1, 0, 1), (3, 1, 1), (5, 7, 2), (7, 9, 4))
    for _ in range(8):
        yield tuple(rng.integers((2, 0, 1), (40, 9, 6)).tolist())


def halved_by_hand(k, rejected, patience):
    return k if rejected < patience else max(1, math.ceil(k / 2))
