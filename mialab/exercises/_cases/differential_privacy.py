"""The data on which the answers of notebook 17 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import math

import numpy as np


def truths(rng):
    """How often the truth is told."""
    for truth in (0.5, 0.75, 0.1, 0.00049, 0.99951, 1 / 3, *rng.uniform(0.05, 0.95, 5).round(3).tolist()):
        yield (truth,)


def epsilon_by_table(truth):
    """From the four probabilities of an answer, given the truth."""
    said = {(real, answer): truth * (real == answer) + (1 - truth) / 2 for real in (0, 1) for answer in (0, 1)}
    return math.log(max(said[a, answer] / said[1 - a, answer] for a in (0, 1) for answer in (0, 1)))


def gradients(rng):
    """Rows longer and shorter than the clip, rows of zeros, a single row, and rows none of which is too long."""
    yield np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]]), 1.0
    yield np.array([[0.5, -0.2, 0.1]]), 2.0
    yield np.array([[0.3, 0.4], [0.30049, 0.4], [0.29951, -0.4], [7.12345, 1e-9], [1e6, -1e6]]), 0.5
    yield np.array([[0.0, -3.0]]), 2.71828
    for n, d, clip in ((4, 3, 1.0), (6, 2, 0.5), (5, 8, 2.0), (3, 5, 4.0)):
        rows = rng.normal(size=(n, d)) * rng.uniform(0.1, 3, (n, 1)) * clip
        rows[0] /= 10 * np.linalg.norm(rows[0]) / clip
        yield rows.round(3), clip


def clipped_by_loops(gradients, clip):
    rows = []
    for row in gradients.tolist():
        length = math.sqrt(math.fsum(x * x for x in row))
        rows.append([x * min(1.0, clip / length) if length else x for x in row])
    return np.array(rows)


def a_crowd():
    """As many requests as a notebook's net gets, of as many weights."""
    return np.random.default_rng(0).normal(size=(150, 15)), 1.0


def rates(rng):
    """False-positive rates with both ends, budgets small and large, delta at and above 0."""
    ends = np.array([0.0, 0.05, 0.5, 0.95, 1.0])
    for epsilon, delta in ((1.0, 0.0), (0.5, 0.1), (2.0, 0.01234), (0.31415, 0.0)):
        yield np.array([0.0, 0.00049, 0.12345, 0.5, 0.87655, 1.0]), epsilon, delta
    yield np.array([0.25]), 5.0, 0.5
    for epsilon, delta in ((1.0, 0.0), (0.5, 0.1), (2.0, 0.01), (4.0, 0.2), (0.1, 0.001)):
        yield np.concatenate([ends, rng.uniform(0, 1, 4).round(3)]), epsilon, delta


def bound_by_loops(fpr, epsilon, delta):
    out = []
    for rate in fpr.tolist():
        with_record = rate * math.exp(epsilon) + delta
        missed = (1 - rate - delta) / math.exp(epsilon)
        out.append(min(max(0.0, min(with_record, 1 - missed)), 1.0))
    return np.array(out)
