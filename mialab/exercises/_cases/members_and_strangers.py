"""The data on which the answers of notebook 04 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab.exercises._engine._scripted import ScriptedModel


def models(rng):
    answers = np.array([[0.4, 0.3, 0.3], [0.5, 0.3, 0.2], [0.9, 0.1, 0.0]])
    yield ScriptedModel(answers), np.array([[0.0], [1.0]]), np.array([[2.0]])  # surer of strangers
    yield ScriptedModel(answers), np.array([[0.0]]), np.array([[0.0]])  # equally sure
    yield ScriptedModel(answers), np.array([[2.0, 1.0], [2.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 1.0]])  # twins
    answers = np.array([[0.3, 0.1, 0.6], [0.25, 0.601, 0.149], [0.599, 0.2, 0.201]])  # a thousandth surer
    yield ScriptedModel(answers), np.array([[1.9999, 7.0]]), np.array([[0.9999, 7.0], [0.9999, 8.0], [2.9999, 7.0]])
    for n_in, n_out, k in ((2, 3, 4), (1, 1, 4), (1, 3, 2), (3, 1, 6), (20, 31, 4), (33, 8, 5), (25, 25, 4)):
        yield _some_model(rng, n_in, n_out, k)


def _some_model(rng, n_in, n_out, k):
    answers = rng.dirichlet([0.6, 0.6, 0.6], size=n_in + n_out)
    rows = np.column_stack([np.arange(n_in + n_out), rng.normal(size=(n_in + n_out, k - 1))])
    return ScriptedModel(answers), rows[:n_in], rows[n_in:]


def a_model_and_both_halves():
    return _some_model(np.random.default_rng(0), 75, 75, 4)


def gap_by_loops(model, X_in, X_out):
    def average_confidence(X):
        return sum(max(row) for row in model.predict_proba(X).tolist()) / len(X)

    return average_confidence(X_in) - average_confidence(X_out)


def answers_and_labels(rng):
    yield np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]), np.array([0, 1])
    yield np.array([[0.2, 0.3, 0.5]]), np.array([0])
    table = np.array([[0.5, 0.499, 0.001], [1 / 3, 2 / 7, 8 / 21], [0.0, 1.0, 0.0]])  # as many records as labels
    yield table, np.array([2, 0, 1])
    yield table, np.array([1, 1, 1])
    yield table[:2], np.array([2, 2])
    yield table[:1], np.array([1])
    yield table[[0, 0, 0, 1]], np.array([0, 1, 2, 2])
    for n in (3, 4, 12, 29):
        yield rng.dirichlet([1, 1, 1], size=n), rng.integers(0, 3, n)


def answers_and_labels_of_all():
    rng = np.random.default_rng(0)
    return rng.dirichlet([1, 1, 1], size=150), rng.integers(0, 3, 150)


def recorded_by_rows(probabilities, labels):
    return np.array([row[k] for row, k in zip(probabilities.tolist(), labels, strict=True)])
