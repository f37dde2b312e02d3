"""The data on which the answers of notebook 18 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import math

import numpy as np


def counts(rng):
    """Hits and alarms from none to all, few trainings and many, delta at 0 and above the rate."""
    yield 95, 3, 100, 0.0
    yield from ((10, 0, 10, 0.0), (0, 0, 10, 0.0), (2, 9, 10, 0.01), (40, 38, 50, 0.001), (3, 0, 20, 0.25))
    yield from ((1000, 0, 1000, 0.001), (517, 12, 1000, 0.1), (1, 0, 1, 0.0), (30, 0, 30, 4e-4))
    for n in (20, 100, 400):
        yield int(rng.integers(n // 2, n + 1)), int(rng.integers(0, n // 4)), n, round(float(rng.uniform(0, 0.2)), 3)


def epsilon_by_exact_intervals(hits, alarms, n, delta):
    """By SciPy's exact two-sided intervals of a proportion, which leave 2.5% on either side."""
    from scipy.stats import binomtest

    tpr = binomtest(hits, n).proportion_ci(0.95, method="exact").low
    fpr = binomtest(alarms, n).proportion_ci(0.95, method="exact").high
    return max(0.0, math.log((tpr - delta) / fpr)) if tpr > delta else 0.0


def many_trainings():
    return 700, 12, 1000, 1e-3


def guesses(rng):
    """Scores without ties, and who was planted: all or few guessed about, all right, all wrong, uneven halves."""
    yield np.array([0.9, 0.2, 0.7, 0.4, 0.1, 0.6]), np.array([True, False, False, True, False, True]), 4
    yield np.array([0.3, 0.8]), np.array([False, True]), 2
    yield np.array([0.8, 0.3, 0.5]), np.array([False, True, True]), 2
    yield np.array([-1.5, 2.25, -0.125, 4.0]), np.array([True, True, True, True]), 4
    yield np.array([0.5004, 0.5001, 0.5003, 0.5002]), np.array([True, False, False, True]), 2
    for m, n in ((6, 2), (7, 6), (12, 12), (31, 10), (40, 20)):
        yield rng.permutation(m) / 8 - 1.0, rng.random(m) < 0.5, n


def right_by_ranks(scores, planted, n_guesses):
    ranked = sorted(zip(scores.tolist(), planted.tolist(), strict=True))
    half = n_guesses // 2
    return sum(was for _, was in ranked[len(ranked) - half :]) + sum(not was for _, was in ranked[:half])


def as_many_canaries():
    rng = np.random.default_rng(0)
    return rng.permutation(150) / 150, rng.random(150) < 0.5, 100
