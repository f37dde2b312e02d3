"""The data on which the answers of notebook 01 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab.data import load_iris


def measurement(species, feature, pick):
    """The smallest or largest value (`pick`) of one measurement within one species."""
    flowers = load_iris()
    values = flowers.X[flowers.y == flowers.class_names.index(species), flowers.feature_names.index(feature)]
    return float(pick(values))


def gardens(rng):
    yield np.array([[1.0, 1.0], [5.0, 5.0], [1.5, 1.0]]), 0
    yield np.array([[2.0, 2.0], [2.0, 2.0], [3.0, 1.0]]), 1  # identical twins
    yield np.array([[0.0, 0.0], [3.0, 0.0], [2.0, 2.0]]), 0  # nearer by the sum of differences is not nearer
    yield np.array([[0.0, 0.0], [2.0, 2.0], [2.5, 0.0]]), 0  # nor by the largest difference
    for _ in range(6):
        n = int(rng.integers(3, 30))
        yield rng.normal(size=(n, 4)), int(rng.integers(n))


def nearest_by_loop(X, i):
    def distance(j):
        return sum((a - b) ** 2 for a, b in zip(X[i], X[j], strict=True)) ** 0.5

    return min((j for j in range(len(X)) if j != i), key=distance)


def member_rows(rng):
    yield np.array([0, 2]), 4
    yield np.array([3, 0]), 4
    for _ in range(5):
        n = int(rng.integers(4, 40))
        yield rng.choice(n, size=int(rng.integers(1, n)), replace=False), n
