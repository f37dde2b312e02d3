"""The data on which the answers of notebook 15 are tried, and the oracles that they are compared with."""

from __future__ import annotations

from functools import cache

import numpy as np

from mialab.attacks import ThresholdAttack
from mialab.data import few_of_each
from mialab.nets import NetClassifier
from mialab.shadows import train_shadows
from mialab.trials import attack_each


@cache
def auc_of_digits(n_classes, n_each):
    """The AUC of the recorded label on a net of so many classes of digits, with so many of each: mean of 4 draws."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    found = []
    for seed in range(4):
        pool = few_of_each(X, y, n_each, seed, n_classes)
        shadows = train_shadows(NetClassifier(hidden=16), *pool, n_shadows=8, random_state=seed)
        found.append(attack_each(shadows, {"label": ThresholdAttack()}, n_targets=4)["auc_label"].mean())
    return float(np.mean(found))


def what_two_classes_leak_more(n_each):
    """By how much two classes of 12 digits each leak more than ten classes of `n_each`."""
    return auc_of_digits(2, 12) - auc_of_digits(10, n_each)


def pools(rng):
    """Labels of classes of unequal size, numbers or texts, in mixed order, and a random order of their positions."""
    yield np.array([4, 0, 5, 1, 3, 2]), np.array([5, 5, 7, 7, 7, 5]), 1
    # the last of the order is wanted; labels apart by a letter; one record of each, one record in all
    yield np.array([3, 2, 0, 1]), np.array(["b", "bb", "b", "bb"]), 2
    yield np.array([2, 0, 1, 3]), np.array([1, 1, 3, 2]), 1
    yield np.array([0]), np.array([7]), 1
    for classes, sizes, n_per_class in (
        (np.array([0, 1, 2]), (9, 6, 7), 3),
        (np.array(["oak", "elm"]), (12, 5), 4),
        (np.array([3, 8, 9, 4]), (4, 8, 6, 5), 2),
        (np.array([1, 2, 3]), (10, 4, 9), 4),
        (np.array(["b", "a", "c"]), (3, 7, 5), 1),
    ):
        y = rng.permutation(np.repeat(classes, sizes))
        yield rng.permutation(len(y)), y, n_per_class


def positions_by_hand(order, y, n_per_class):
    taken, counts = [], {}
    for position in order.tolist():
        label = y.tolist()[position]
        if counts.get(label, 0) < n_per_class:
            taken.append(position)
            counts[label] = counts.get(label, 0) + 1
    return np.sort(taken)


def effects(rng):
    """Experiments that are for a claim, against it, unsure of it, or sure of an effect too small to count."""
    yield np.array([[0.10, 0.05, 0.15], [-0.10, -0.15, -0.05], [0.10, -0.05, 0.25], [0.004, 0.002, 0.006]]), 0.01
    # each limit met exactly: the least mean that counts, and an interval that ends at zero
    yield np.array([[0.5, 0.25, 0.75], [-0.5, -0.75, -0.25], [1, 0, 2], [-1, -2, 0], [0.5, 0, 1], [-0.5, -1, 0]]), 0.5
    # every limit missed, and met, by 1e-9; numbers off any grid
    least, hair = 0.0104, 1e-9
    means = np.array([least, least + hair, least - hair, 0.0102, 0.0096, least, least])
    lows = np.array([0.001, 0.001, 0.001, 0.001, 0.001, hair, -hair])
    table = np.column_stack([means, lows, 2 * means])
    yield np.concatenate([table, -table[:, [0, 2, 1]]]), least
    yield table[4:5], 0.01
    for smallest in (0.01, 0.02, 0.05, 0.01):
        mean = rng.choice([-1, 1], 12) * rng.choice([0.3, 1.5, 8], 12) * smallest
        half = np.abs(mean) * rng.choice([0.4, 0.9, 1.6], 12)  # 0.9: the interval begins below `smallest`
        yield np.column_stack([mean, mean - half, mean + half]).round(5), smallest


def sides_by_loops(effects, smallest):
    sides = []
    for mean, low, high in effects.tolist():
        if low > 0 and mean >= smallest:
            sides.append(1)
        elif high < 0 and mean <= -smallest:
            sides.append(-1)
        else:
            sides.append(0)
    return np.array(sides)
