"""The data on which the answers of notebook 12 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases.shadow_models import with_and_without


def sure_shadows(rng):
    """Tables with ties, areas on both sides of a half, and never as many nets with the record as without it."""
    yield np.array([[0.9, 0.5], [0.8, 0.4], [0.3, 0.7]]), np.array([[True, False], [True, True], [False, False]]), 0
    # ties, and values apart by 1e-9 and 1e-3, whole certainty; the last flower; two nets
    sure = np.array([[0.5, 1.0], [0.5 + 1e-9, 0.5], [0.501, 0.5], [0.5 - 1e-9, 0.0], [0.5, 1.0], [0.3, 0.12345]])
    mask = np.array([[True, False], [True, True], [False, True], [False, True], [False, False], [True, True]])
    yield from ((sure, mask, 0), (sure, mask, 1), (sure, ~mask, 0), (np.array([[0.7], [0.7]]), mask[:2, 1:], 0))
    for n_nets, n, n_in, shift in (
        (7, 5, 3, 2),
        (9, 6, 6, -2),
        (10, 8, 3, 1),
        (12, 9, 7, 1),
        (8, 8, 5, 0),
        (11, 7, 2, -1),
    ):
        in_mask = np.stack([rng.permutation(n_nets) < n_in for _ in range(n)], axis=1)
        tenths = np.clip(rng.integers(2, 8, (n_nets, n)) + shift * in_mask, 0, 10)
        yield tenths / 10, in_mask, int(rng.integers(min(n, n_nets)))


def area_by_pairs(inside, outside):
    won = 0.0
    for mine in inside:
        for other in outside:
            won += 1.0 if mine > other else 0.5 if mine == other else 0.0
    return won / (len(inside) * len(outside))


def area_by_loops(sure, in_mask, i):
    return area_by_pairs(*with_and_without(sure, in_mask, i))


def sure_of_the_garden():
    """As many flowers as the notebook's own, and half of its nets."""
    rng = np.random.default_rng(0)
    in_mask = np.stack([rng.permutation(150) < 75 for _ in range(150)], axis=1)
    return rng.random((150, 150)), in_mask, 149
