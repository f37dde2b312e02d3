"""The data on which the answers of notebook 02 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab.exercises._engine._scripted import Parrot


def labels(rng):
    yield np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])
    yield np.array([1]), np.array([1])
    yield np.array([2, 0, 1]), np.array([0, 1, 2])
    for _ in range(6):
        n = int(rng.integers(5, 40))
        yield rng.integers(0, 3, n), rng.integers(0, 3, n)


def two_halves(rng):
    yield np.array([0, 1, 1]), np.array([0, 0, 1, 0])
    yield np.array([1, 2, 2]), np.array([1, 2, 2, 0])  # labels need not start at 0
    yield np.array([0, 0, 1, 1, 2, 2, 2]), np.array([2, 1, 1, 0, 0])
    for _ in range(7):
        shares = rng.dirichlet([2, 2, 2])
        y_in = rng.choice(3, size=25, p=shares)
        counts = np.bincount(y_in, minlength=3)
        if (counts == counts.max()).sum() > 1:  # two species equally common: either answer would be right
            y_in = np.append(y_in, [counts.argmax()] * 2)
        yield y_in, rng.choice(3, size=int(rng.integers(10, 30)), p=shares[::-1])


def commonest_by_sklearn(y_in, y_out):
    from sklearn.dummy import DummyClassifier

    nothing_in, nothing_out = np.zeros((len(y_in), 1)), np.zeros((len(y_out), 1))
    return DummyClassifier(strategy="most_frequent").fit(nothing_in, y_in).score(nothing_out, y_out)


def fitted_models(rng):
    X_in, X_out = np.arange(12.0).reshape(3, 4), np.arange(100.0, 112.0).reshape(3, 4)
    yield Parrot(X_in[:0], []), X_in, np.array([1, 2, 0]), X_out, np.array([0, 0, 1])  # better on strangers
    for n, m, learnt in ((6, 8, 6), (20, 31, 15), (33, 21, 33), (12, 40, 3), (25, 25, 20)):
        X_in, X_out = rng.normal(size=(n, 4)), rng.normal(size=(m, 4))
        y_in, y_out = rng.integers(0, 3, n), rng.integers(0, 3, m)
        yield Parrot(X_in[:learnt], y_in[:learnt]), X_in, y_in, X_out, y_out
