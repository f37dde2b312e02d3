"""The data on which the answers of notebook 16 are tried, and the oracles that they are compared with."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from mialab.attacks import RMIA, LiRA
from mialab.data import few_of_each
from mialab.nets import NetClassifier
from mialab.shadows import train_shadows
from mialab.trials import attack_each, with_strongest


def answers(rng):
    """Probabilities in eighths and tenths, so that there are ties within and across rows."""
    yield np.array([[0.5, 0.25, 0.25], [0.2, 0.3, 0.5], [0.4, 0.4, 0.2]]), 2
    yield np.array([[0.25, 0.25, 0.25, 0.25]]), 1
    yield np.array([[0.1, 0.2, 0.2, 0.2, 0.3], [0.125, 0.125, 0.125, 0.25, 0.375]]), 3  # where np.argpartition errs
    yield np.array([[0.125, 0.125, 0.375, 0.375]]), 1
    yield np.array([[0.333333, 0.333334, 0.333333], [0.33, 0.33 + 1e-9, 0.34 - 1e-9], [0, 1, 0]]), 1
    yield np.array([[0.12345, 0.87655]]), 2
    for n, n_classes, k in ((4, 3, 1), (3, 4, 2), (2, 5, 3), (4, 3, 2)):  # small enough to be shown
        parts = rng.integers(1, 5, (n, n_classes))
        yield parts / parts.sum(axis=1, keepdims=True), k


def top_k_by_loops(proba, k):
    out = np.zeros(proba.shape)
    for i, row in enumerate(proba.tolist()):
        for _ in range(k):
            j = max((p, -j) for j, p in enumerate(row) if p is not None)[1] * -1
            out[i, j], row[j] = row[j], None
    return out


def rights(rng):
    """Unequal numbers of members and strangers, models right about all, none, some, or about more strangers."""
    yield np.array([True, True, True, False]), np.array([True, False])
    yield np.array([True, False, False]), np.array([True, True, True, False, True])
    for m, n, a, b in ((5, 9, 0.9, 0.5), (12, 4, 0.8, 0.8), (7, 6, 0.4, 0.7), (10, 20, 0.95, 0.6)):
        yield rng.random(m) < a, rng.random(n) < b
    yield np.ones(4, dtype=bool), np.zeros(6, dtype=bool)


def trades(rng):
    """Models on a coarse grid: ties in one measure, ties in both, one between the best, a single model."""
    yield np.array([0.9, 0.9, 0.8, 0.7]), np.array([0.6, 0.55, 0.5, 0.65])
    yield np.array([0.8, 0.8, 0.7]), np.array([0.6, 0.6, 0.6])
    yield np.array([0.9, 0.8, 0.7, 0.9]), np.array([0.6, 0.55, 0.5, 0.65])
    yield np.array([0.5]), np.array([0.5])
    yield np.array([0.9, 0.9 - 1e-9, 0.87, 0.8695]), np.array([0.55, 0.55, 0.5495, 0.549])  # beaten by a hair, or not
    yield np.array([0.9, 0.9 - 1e-9, 0.9]), np.array([0.5, 0.5 - 1e-9, 0.5 + 1e-9])
    for n in (5, 8, 12):
        yield rng.integers(5, 10, n) / 10, rng.integers(50, 56, n) / 100


def frontier_by_loops(accuracy, leakage):
    points = list(zip(accuracy.tolist(), leakage.tolist(), strict=True))
    return np.array(
        [not any(a >= mine and leak <= own and (a, leak) != (mine, own) for a, leak in points) for mine, own in points]
    )


class Taken(float):
    """What an L2 penalty takes from the AUC of the strongest attack, with the accuracy that it leaves."""

    accuracy: float
    before: float  # the accuracy without the penalty


@cache
def with_l2(l2):
    """The accuracy, and the AUC of the strongest of two attacks, on nets of the notebook's digits: 3 draws."""
    digits, found = load_digits(), []
    for seed in range(3):
        X, y = few_of_each(digits.data, digits.target, 20, seed)
        nets = train_shadows(NetClassifier(hidden=16, l2=l2), X, y, n_shadows=16, random_state=seed)
        found.append(attack_each(nets, {"LiRA": LiRA(), "RMIA": RMIA()}, n_targets=4).mean())
    table = with_strongest(pd.DataFrame(found))
    return float(table["test_accuracy"].mean()), float(table["auc_strongest"].mean())


def what_l2_takes(l2):
    (accuracy, auc), (before, auc_before) = with_l2(l2), with_l2(NetClassifier().l2)
    taken = Taken(auc_before - auc)
    taken.accuracy, taken.before = accuracy, before
    return taken
