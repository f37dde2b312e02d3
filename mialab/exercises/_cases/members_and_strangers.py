"""The data on which the answers of notebook 04 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab.exercises._engine._scripted import ScriptedModel


def models(rng):
    answers = np.array([[0.4, 0.3, 0.3], [0.5, 0.3, 0.2], [0.9, 0.1, 0.0]])
    yield ScriptedModel(answers), np.array([[0.0], [1.0]]), np.array([[2.0]])  # surer of strangers
    for n_in, n_out in ((2, 3), (1, 1), (20, 31), (33, 8), (25, 25), (10, 40)):
        answers = rng.dirichlet([0.6, 0.6, 0.6], size=n_in + n_out)
        rows = np.column_stack([np.arange(n_in + n_out), rng.normal(size=(n_in + n_out, 3))])
        yield ScriptedModel(answers), rows[:n_in], rows[n_in:]


def gap_by_loops(model, X_in, X_out):
    def average_confidence(X):
        return sum(max(row) for row in model.predict_proba(X).tolist()) / len(X)

    return average_confidence(X_in) - average_confidence(X_out)


def answers_and_labels(rng):
    yield np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]), np.array([0, 1])
    yield np.array([[0.2, 0.3, 0.5]]), np.array([0])
    for _ in range(6):
        n = int(rng.integers(4, 30))
        yield rng.dirichlet([1, 1, 1], size=n), rng.integers(0, 3, n)


def recorded_by_rows(probabilities, labels):
    return np.array([row[k] for row, k in zip(probabilities.tolist(), labels, strict=True)])
