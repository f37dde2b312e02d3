"""The data on which the answers of notebook 04 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab.data import load_iris, split
from mialab.exercises._engine._scripted import Parrot, ScriptedModel

NAMES = ["setosa", "versicolor", "virginica"]


def fitted_models(rng):
    X_in, X_out = np.arange(12.0).reshape(3, 4), np.arange(100.0, 112.0).reshape(3, 4)
    yield Parrot(X_in[:0], []), X_in, np.array([1, 2, 0]), X_out, np.array([0, 0, 1])  # better on strangers
    answers = np.array([[0.5, 0.3, 0.2], [0.3, 0.4, 0.3], [0.1, 0.3, 0.6]])  # the labels are names, and never certain
    rows = np.array([[0.9999, 9.0], [1.9999, 9.0], [2.9999, 9.0], [2.9999, 8.0], [0.9999, 8.0]])
    yield ScriptedModel(answers, NAMES), rows[:3], np.array(NAMES)[[0, 1, 1]], rows[3:], np.array(NAMES)[[0, 0]]
    yield Parrot(X_in[:1], [2]), X_in[:1], np.array([2]), X_out[:1], np.array([2])
    yield Parrot(X_in[:2], [1, 1]), X_in, np.array([1, 2, 0]), X_out, np.array([0, 1, 0])  # no gap
    for n, m, k, learnt in ((1, 1, 4, 1), (1, 3, 2, 1), (3, 1, 6, 2), (2, 2, 4, 0), (6, 8, 4, 6), (20, 31, 4, 15),
                            (33, 21, 5, 33), (12, 40, 3, 3), (25, 25, 4, 20)):  # fmt: skip
        X_in, X_out = rng.normal(size=(n, k)), rng.normal(size=(m, k))
        y_in, y_out = rng.integers(0, 3, n), rng.integers(0, 3, m)
        yield Parrot(X_in[:learnt], y_in[:learnt]), X_in, y_in, X_out, y_out


def both_halves():
    flowers = load_iris()
    parts = split(flowers.X, flowers.y, n_members=75, random_state=0)
    return Parrot(parts.X_in, parts.y_in), parts.X_in, parts.y_in, parts.X_out, parts.y_out


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
