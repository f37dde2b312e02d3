"""The data on which the answers of notebook 20 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np


def judged_groups(rng):
    """Groups of unequal size, of which one may have no error and one only errors; groups are not the labels."""
    y = np.array([0, 1, 1, 0, 2, 2])
    yield y, np.array([0, 1, 0, 1, 2, 2]), np.array([3, 3, 1, 1, 1, 7])
    yield np.array([1, 0, 2, 2]), np.array([0, 0, 2, 1]), np.array([4, 4, 9, 9])  # the first and the last are wrong
    yield np.array([2]), np.array([0]), np.array([5])
    for n, n_groups in ((12, 2), (20, 3), (30, 4)):
        group = np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, n - n_groups) ** 2 % n_groups])
        y = rng.integers(0, 3, n)
        answer = np.where(rng.random(n) < 0.15 + 0.2 * group, (y + 1) % 3, y)
        order = rng.permutation(n)
        yield y[order], answer[order], group[order] * 2 + 1


def errors_by_loops(y, answer, group):
    shares = []
    for g in sorted(set(group.tolist())):
        wrong = [a != b for a, b, own in zip(y.tolist(), answer.tolist(), group.tolist(), strict=True) if own == g]
        shares.append(sum(wrong) / len(wrong))
    return np.array(shares)


def reviews(rng):
    """Confidences in tenths, some at the threshold; with no errors, and with errors only among the sure ones."""
    yield np.array([0.9, 0.6, 0.5, 0.8]), np.array([True, True, True, False]), 0.6
    yield np.array([0.7, 0.9]), np.array([False, False]), 0.8
    yield np.array([0.9, 0.4, 0.8]), np.array([True, False, True]), 0.7
    near = np.array([0.7, 0.7 - 1e-9, 0.7 + 1e-9, 0.699, 0.4, 0.96])
    yield near, np.array([True, True, True, True, False, True]), 0.7
    yield near[::-1], np.array([False, True, True, True, False, True]), 0.70004
    yield np.array([0.5]), np.array([True]), 0.5
    for n in (8, 15, 25):
        confidence = rng.integers(3, 11, n) / 10
        wrong = rng.random(n) < 0.4
        wrong[0] = True
        yield confidence, wrong, float(rng.choice(confidence))


def passed_by_loops(confidence, wrong, threshold):
    errors = passed = 0
    for sure, is_wrong in zip(confidence.tolist(), wrong.tolist(), strict=True):
        errors += is_wrong
        passed += is_wrong and sure >= threshold
    return passed / errors if errors else 0.0
