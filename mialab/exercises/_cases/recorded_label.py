"""The data on which the answers of notebook 05 are tried, and the oracles that they are compared with."""

from __future__ import annotations

from functools import cache

import numpy as np


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


@cache
def ahead_after(epochs):
    """How often a member is ahead by the recorded label after so many rounds: 20 draws, a fifth of the labels wrong."""
    from mialab.data import load_iris
    from mialab.nets import NetClassifier
    from mialab.trials import run_trials

    flowers, net = load_iris(), NetClassifier(hidden=64, epochs=epochs)
    trials = run_trials(net, flowers.X, flowers.y, ["true_class"], n_trials=20, fraction_wrong=0.2)
    return float(trials["auc_true_class"].mean())
