"""The data on which the answers of notebook 09 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab.exercises._engine._scripted import ScriptedModel


def orders(rng):
    yield np.array([3, 0, 4, 1, 2]), 2
    yield from ((np.array([1, 0]), 1), (np.array([0]), 1), (np.array([2, 0, 1]), 1), (np.array([2, 1, 0, 3]), 2))
    for n, n_members in ((9, 3), (10, 5), (11, 8), (13, 6), (12, 6), (8, 1)):
        yield rng.permutation(n), n_members


def pair_by_hand(order, n_members):
    queue = order.tolist()
    ends = [queue.pop(0) for _ in range(n_members)], order.tolist()[len(order) - n_members :]
    return np.array([[record in end for record in range(len(order))] for end in ends])


def sure_shadows(rng):
    """Tables in which the record has shadows of both kinds, more of one than of the other, and gaps of both signs."""
    yield np.array([[0.9, 0.5], [0.8, 0.4], [0.3, 0.7]]), np.array([[True, False], [True, True], [False, False]]), 0
    # off any grid, the last record; two shadows, one record; a gap of 1e-3
    sure = np.array([[0.12345, 0.9, 0.70049], [0.5, 0.40651, 0.98765], [0.3, 0.7, 0.12345], [0.8, 0.2, 0.11111]])
    yield sure, np.array([[True, False, True], [False, True, True], [True, True, False], [False, True, True]]), 2
    yield np.array([[1.0], [0.0]]), np.array([[False], [True]]), 0
    yield np.array([[0.501, 0.1], [0.5, 0.9], [0.5, 0.9]]), np.array([[True, False], [False, True], [False, True]]), 0
    for n_shadows, n, n_in, sign in ((7, 5, 3, 1), (9, 6, 6, -1), (8, 8, 3, -1), (12, 4, 7, 1), (6, 9, 2, 1)):
        in_mask = np.stack([rng.permutation(n_shadows) < n_in for _ in range(n)], axis=1)
        sure = rng.uniform(0.3, 0.7, (n_shadows, n)) + sign * rng.uniform(0.1, 0.3) * in_mask
        yield sure.round(4), in_mask, int(rng.integers(n))


def with_and_without(sure, in_mask, i):
    with_it, without = [], []
    for row, members in zip(sure.tolist(), in_mask.tolist(), strict=True):
        (with_it if members[i] else without).append(row[i])
    return with_it, without


def gap_by_loops(sure, in_mask, i):
    with_it, without = with_and_without(sure, in_mask, i)
    return sum(with_it) / len(with_it) - sum(without) / len(without)


def target_and_shadow(rng):
    """Some records are answered alike, some with the same confidence in another class, the rest as it comes."""
    species, numbers = np.array(["setosa", "versicolor", "virginica"]), np.arange(3)
    first = ((0.7, 0.2, 0.1), (0.6, 0.3, 0.1), (0.1, 0.1, 0.8)), ((0.7, 0.2, 0.1), (0.5, 0.4, 0.1), (0.8, 0.1, 0.1))
    yield ScriptedModel(first[0]), ScriptedModel(first[1]), np.array([[0.0, 1.5], [1.0, 4.4], [2.0, 5.1]])
    # One record; labels whose names order otherwise, a shadow without the first class, and answers apart by 1e-9.
    yield ScriptedModel([[0.2, 0.8]], (3, 7)), ScriptedModel([[0.4, 0.6]], (3, 7)), np.array([[0.0, 4.2]])
    rows = [[0.1, 0.9, 0.0], [0.6, 0.3, 0.1], [0.0, 0.2, 0.8], [0.4 + 1e-9, 0.4 - 1e-9, 0.2], [0.1, 0.2, 0.7]]
    copy = [[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.5 - 1e-9, 0.5 + 1e-9], [0.7, 0.3]]
    X = np.array([[2.0, 5.1], [0.0, 1.5], [3.0, 1.0], [1.0, 4.4], [4.0, 0.2]])
    yield ScriptedModel(rows, species), ScriptedModel(copy, species[1:]), X
    yield ScriptedModel(copy, species[1:]), ScriptedModel(rows, species), X[:4]
    for classes, order in (
        (numbers, [0, 1, 2]),
        (species, [0, 1, 2]),
        (numbers, [2, 0, 1]),
        (species, [1, 0, 2]),
        (numbers, [1, 2]),  # a shadow that never saw the first class
        (species, [0, 2]),
    ):
        n = int(rng.integers(10, 30))
        original, copy = rng.dirichlet([0.7] * 3, n), rng.dirichlet([0.7] * 3, n)
        copy[: n // 3] = original[: n // 3]
        copy[n // 3 : n // 2] = np.roll(original[n // 3 : n // 2], 1, axis=1)
        copy = copy[:, order]
        if len(order) < 3:  # else the very same numbers: equal confidences are equal to the last digit
            copy /= copy.sum(axis=1, keepdims=True)
        X = np.column_stack([rng.permutation(n), rng.uniform(1, 7, (n, 3)).round(1)])
        yield ScriptedModel(original, classes), ScriptedModel(copy, classes[order]), X


def fidelity_by_loops(target, shadow, X):
    def label(model, record):
        answer = dict(zip(model.classes_.tolist(), model.predict_proba([record])[0].tolist(), strict=True))
        return max(answer, key=answer.get)

    return sum(label(target, record) == label(shadow, record) for record in X) / len(X)
