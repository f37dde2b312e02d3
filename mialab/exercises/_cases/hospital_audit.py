"""The data on which the answers of notebook 19 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import itertools
import math

import numpy as np


def numbers_of_records(rng):
    """Numbers so small that every order can be written out."""
    yield np.array([1, 2, 3]), np.array([1, 3, 2])
    for _ in range(3):
        yield rng.integers(1, 5, 3), rng.integers(1, 5, 3)


def spread_by_enumeration(n_members, n_strangers):
    """From all ways in which the members can be placed among the ranks, each equally likely."""
    spreads = []
    for m, n in zip(n_members.tolist(), n_strangers.tolist(), strict=True):
        areas = []
        for ranks in itertools.combinations(range(m + n), m):
            won = sum(rank - place for place, rank in enumerate(ranks))  # strangers below each member
            areas.append(won / (m * n))
        mean = math.fsum(areas) / len(areas)
        spreads.append(math.sqrt(math.fsum((area - mean) ** 2 for area in areas) / len(areas)))
    return np.array(spreads)


def scores_with_ties(rng):
    """Scores in tenths, with ties between members and strangers; no, few and many false alarms allowed."""
    yield np.array([0.9, 0.8, 0.8, 0.5, 0.4]), np.array([True, True, False, True, False]), 0
    yield np.array([0.9, 0.8, 0.8, 0.5, 0.4]), np.array([True, True, False, True, False]), 1
    # nobody can be accused; everybody may be; scores apart by 1e-9; a member last
    yield np.array([0.9, 0.8, 0.8]), np.array([False, True, True]), 0
    yield np.array([0.1, 0.3, 0.2]), np.array([True, False, False]), 2
    yield np.array([0.5, 0.5 + 1e-9, 0.501, 0.4, 0.6]), np.array([False, True, True, False, True]), 0
    yield np.array([0.5, 0.5]), np.array([True, False]), 0
    # a tie that is split one way or the other by whoever walks down a list
    for tie in ([False, True, False, True], [True, False, True, False]):
        yield np.array([0.9, 0.7, 0.7, 0.7, 0.7, 0.4]), np.array([True, *tie, True]), 1
    for n, n_false in ((8, 0), (12, 1), (15, 2), (20, 3), (9, 9)):
        is_member = rng.permutation(n) < n // 2
        yield np.clip(rng.integers(1, 8, n) + 2 * is_member, 1, 9) / 10, is_member, n_false


def caught_by_loops(scores, is_member, n_false):
    best = 0
    for threshold in scores.tolist():
        caught = sum(1 for s, m in zip(scores.tolist(), is_member.tolist(), strict=True) if m and s >= threshold)
        wrong = sum(1 for s, m in zip(scores.tolist(), is_member.tolist(), strict=True) if not m and s >= threshold)
        if wrong <= n_false:
            best = max(best, caught)
    return best
