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
    """Flowers of four measurements, as all are here; never two that are equally near."""
    yield np.array([[1.0, 1.0, 1.0, 1.0], [5.0, 5.0, 5.0, 5.0], [1.5, 1.0, 1.0, 1.0]]), 0
    twins = np.array([[2.0, 2.0, 2.0, 2.0], [2.0, 2.0, 2.0, 2.0], [3.0, 1.0, 2.0, 2.0]])
    yield twins, 1
    yield twins, 0
    # Nearer by the sum of differences is not nearer, nor by the largest difference.
    yield np.array([[0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0]]), 0
    yield np.array([[0.0, 0.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0], [2.5, 0.0, 0.0, 0.0]]), 0
    yield twins[[2, 0, 1]], 2
    yield twins[[0, 2, 1]], 2
    yield twins[1:], 0  # two flowers
    yield twins[1:], 1
    yield np.array([[3.0, 3.0, 3.0, 3.0], [0.0, 0.0, 0.0, 0.0], [4.0, 4.0, 4.0, 4.0]]), 0  # the larger one is nearer
    yield 20 * np.array([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.0, 2.0]]), 0  # far, in cm
    for column, more in enumerate((1e-3, 1e-9, 1e-3, 1e-9)):  # nearly as near, and it hangs on one measurement
        X = np.tile([0.1234567, 0.7654321, 1 / 3, 2 / 7], (3, 1))
        X[1:, column] += 1 + more, 1
        yield X, 0
        yield X[::-1].copy(), 2
    for n in (2, 3, 12, 30):
        yield rng.normal(size=(n, 4)), int(rng.integers(n))
    yield rng.normal(size=(9, 4)), 8


def all_flowers():
    return load_iris().X, 149


def nearest_by_loop(X, i):
    def distance(j):
        return sum((a - b) ** 2 for a, b in zip(X[i], X[j], strict=True)) ** 0.5

    return min((j for j in range(len(X)) if j != i), key=distance)


def member_rows(rng):
    yield np.array([0, 2]), 4
    yield np.array([3, 0]), 4
    yield np.array([0]), 1
    yield np.array([1]), 2
    yield np.array([2, 0, 1]), 3  # everyone
    yield np.array([], dtype=int), 2  # nobody
    yield np.array([0]), 3
    yield np.array([2, 1]), 3
    for n in (4, 11, 23, 40):
        yield rng.choice(n, size=int(rng.integers(1, n)), replace=False), n


def half_of_the_flowers():
    return np.random.default_rng(0).permutation(150)[:75], 150
