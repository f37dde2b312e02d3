"""The data on which the answers of notebook 02 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab.data import load_iris, split

NAMES = ["setosa", "versicolor", "virginica"]


def _named(numbers):
    return np.array([NAMES[number] for number in numbers])


def labels(rng):
    yield np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])
    yield np.array([1]), np.array([1])
    yield np.array([2, 0, 1]), np.array([0, 1, 2])
    yield _named([0, 2, 0]), _named([0, 1, 2])  # labels are names, also where they are written as numbers
    yield np.array([0]), np.array([2])
    yield np.array([2, 1]), np.array([1, 1])
    yield np.array([1, 1, 0]), np.array([1, 1, 0])
    actual = np.arange(997) % 3
    yield np.where(np.arange(997) == 996, 2, actual), actual  # all but the last
    for n in (7, 23, 38):
        yield rng.integers(0, 3, n), rng.integers(0, 3, n)


def two_halves(rng):
    """Labels 0 to 2; never two that are equally common among the members, where either answer would be right."""
    yield np.array([0, 1, 1]), np.array([0, 0, 1, 0])
    yield np.array([1, 2, 2]), np.array([1, 2, 2, 0])  # labels need not start at 0
    yield np.array([0, 0, 1, 1, 2, 2, 2]), np.array([2, 1, 1, 0, 0])
    yield np.array([2, 2, 0]), np.array([0, 1, 0])  # the commonest is none of the strangers'
    yield np.array([1]), np.array([0])
    yield np.array([0]), np.array([0])
    yield np.array([2]), np.array([2, 1, 2])
    yield np.array([2, 0, 0]), np.array([2])
    for commonest, other in ((1, 0), (0, 1), (2, 1)):  # by one record in a thousand
        yield np.repeat([other, commonest], [500, 501]), np.array([0, 1, 1, 2, 2, 2, 2])
    for _ in range(5):
        shares = rng.dirichlet([2, 2, 2])
        y_in = rng.choice(3, size=25, p=shares)
        counts = np.bincount(y_in, minlength=3)
        if (counts == counts.max()).sum() > 1:
            y_in = np.append(y_in, [counts.argmax()] * 2)
        yield y_in, rng.choice(3, size=int(rng.integers(10, 30)), p=shares[::-1])


def commonest_by_sklearn(y_in, y_out):
    from sklearn.dummy import DummyClassifier

    nothing_in, nothing_out = np.zeros((len(y_in), 1)), np.zeros((len(y_out), 1))
    return DummyClassifier(strategy="most_frequent").fit(nothing_in, y_in).score(nothing_out, y_out)


def labels_of_both_halves():
    flowers = load_iris()
    parts = split(flowers.X, flowers.y, n_members=75, random_state=0)
    return parts.y_in, parts.y_out
