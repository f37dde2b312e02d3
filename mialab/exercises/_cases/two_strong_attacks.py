"""The data on which the answers of notebook 13 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import math

import numpy as np

from mialab.exercises._cases.who_is_exposed import area_by_pairs

FAR = 20  # standard deviations: exp(-FAR**2 / 2) is far above the smallest float


def two_groups(rng):
    """The target's log-odds, and those of shadows with and without the record: wide and narrow, few and many.

    No answer lies so far out that the height of a bell would underflow: the formula as the notebook gives it is right.
    """
    yield 1.0, np.array([0.0, 2.0]), np.array([-4.0, -2.0, 0.0])
    wide, narrow = np.array([2.12345, -1.56789, 0.4321, 4.00049]), np.array([0.73205, 0.69049, 0.61803])
    yield from ((0.73456, wide, narrow), (0.70004, narrow, wide), (-0.5, np.array([-1.0, 0.0]), wide))
    for mean_in, sd_in, mean_out, sd_out in (
        (3, 1, -2, 2), (0, 0.4, -5, 2.5), (2, 2, 1, 0.5), (-1, 3, 2, 0.7), (6, 0.3, 5, 1.5), (1, 0.2, 1, 0.2),
    ):  # fmt: skip
        inside = rng.normal(mean_in, sd_in, rng.integers(5, 20))
        outside = rng.normal(mean_out, sd_out, rng.integers(5, 20))
        inside, outside = inside.round(2), outside.round(2)
        reach = [(group.mean() - FAR * group.std(), group.mean() + FAR * group.std()) for group in (inside, outside)]
        low, high = max(-4, *(each[0] for each in reach)), min(7, *(each[1] for each in reach))
        yield round(float(rng.uniform(low, high)), 2), inside, outside


def ratio_by_density(own, inside, outside):
    def density(values):
        mean = math.fsum(values) / len(values)
        variance = math.fsum((value - mean) ** 2 for value in values) / len(values)
        return -0.5 * math.log(2 * math.pi * variance) - (own - mean) ** 2 / (2 * variance)

    return density(inside.tolist()) - density(outside.tolist())


def confidences(rng):
    """Candidates and a population, in halves, quarters and eighths, so that equal ratios are equal to the last bit."""
    yield np.array([0.5, 1.0, 0.25]), np.array([0.5, 0.5, 0.5]), np.array([0.25, 1.0, 0.5]), np.array([0.25, 1.0, 1.0])
    # ratios that are equal, or apart by 1e-9 and 1e-3; usual answers off any grid; one candidate, one other
    near, tiny = np.array([0.5, 0.5 + 1e-9, 0.5 - 1e-9, 0.501]), 2.0**-10
    yield near, np.ones(4), np.array([0.5, 0.5004, 0.5 + 1e-9]), np.ones(3)
    yield np.array([0.375, tiny / 2, 1.0]), np.array([0.375, tiny, tiny]), np.array([1.0, 0.375]), np.array([1.0, 0.75])
    yield np.array([0.25]), np.array([0.5]), np.array([tiny / 2]), np.array([tiny])
    for n, m in ((4, 6), (7, 5), (5, 12), (9, 9), (3, 7)):
        own, others = rng.integers(1, 9, n) / 8, rng.integers(1, 9, m) / 8
        yield own, 2.0 ** -rng.integers(0, 4, n), others, 2.0 ** -rng.integers(0, 4, m)


def rank_by_loops(own, usual, own_others, usual_others):
    relative = [a / b for a, b in zip(own.tolist(), usual.tolist(), strict=True)]
    others = [a / b for a, b in zip(own_others.tolist(), usual_others.tolist(), strict=True)]
    return np.array([area_by_pairs([mine], others) for mine in relative])


def bells_of_the_net():
    """As large as the notebook's own: the shadows with a flower, and those without it."""
    rng = np.random.default_rng(0)
    return 1.5, rng.normal(2, 1, 126), rng.normal(-3, 2, 126)


def confidences_of_the_garden():
    rng = np.random.default_rng(0)
    return tuple(rng.uniform(0.1, 1, 150) for _ in range(4))
