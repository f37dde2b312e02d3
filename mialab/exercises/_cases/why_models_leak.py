"""The data on which the answers of notebook 14 are tried, and the oracles that they are compared with."""

from __future__ import annotations

from functools import cache

import numpy as np

from mialab.attacks import ThresholdAttack
from mialab.data import load_iris, wrong_labels
from mialab.nets import NetClassifier
from mialab.shadows import train_shadows
from mialab.trials import attack_each


def two_settings(rng):
    """The AUC of the same draws at two settings: draws that move together, or apart, up, down or not at all."""
    # First, three draws that can be subtracted on paper: each gains 0.1, 0.2 or 0.3.
    yield np.array([0.75, 0.7, 0.95]), np.array([0.65, 0.5, 0.65])
    yield np.array([0.5, 0.75]), np.array([0.75, 0.5])  # the mean does not move; both draws do
    yield np.array([0.625, 0.75, 0.875, 0.5]), np.array([0.5, 0.625, 0.75, 0.375])  # all alike: no width at all
    yield np.array([0.52, 0.61, 0.57]), np.array([0.61, 0.68, 0.59])
    # Off any grid, and differences so alike that a rounding of either side shows in the interval.
    yield np.array([0.61249, 0.70351, 0.58849]), np.array([0.51251, 0.60349, 0.48851])
    for n in (4, 6, 11):
        less = rng.uniform(0.5, 0.8, n)
        for rise in (0.1, -0.1, 0.004):
            yield less + rise + rng.normal(0, 0.02, n), less


def effect_by_hand(more, less):
    from statistics import fmean, stdev

    from scipy.stats import t

    each = [a - b for a, b in zip(more.tolist(), less.tolist(), strict=True)]
    half = t.isf(0.025, len(each) - 1) * stdev(each) / len(each) ** 0.5
    return np.array([fmean(each), fmean(each) - half, fmean(each) + half])


def many_draws_at_two_settings():
    rng = np.random.default_rng(0)
    return rng.uniform(0.5, 0.9, 80), rng.uniform(0.5, 0.9, 80)


@cache
def what_long_training_adds(share):
    """By how much 500 rounds lift the AUC on the recorded label above 5 rounds': four measurements, 6 draws."""
    flowers, found = load_iris(), []
    for seed in range(6):
        labels = wrong_labels(flowers.y, share, random_state=seed)
        for epochs, sign in ((500, 1), (5, -1)):
            net = NetClassifier(hidden=16, epochs=epochs)
            shadows = train_shadows(net, flowers.X, labels, n_shadows=12, random_state=seed)
            table = attack_each(shadows, {"label": ThresholdAttack()}, n_targets=6)
            found.append(sign * table["auc_label"].mean())
    return float(sum(found) / 6)
