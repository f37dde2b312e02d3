"""The data on which the answers of notebook 06 are tried, and the oracles that they are compared with."""

from __future__ import annotations

from functools import cache

import numpy as np

from mialab import targets
from mialab.data import load_iris, split
from mialab.metrics import auc


def confidences(rng):
    yield np.array([0.2, 0.5, 0.9]), 0.5
    yield np.array([0.7]), 0.6
    yield np.full(4, 0.5), 0.5
    yield np.array([0.999, 1.0]), 1.0
    yield np.array([1 / 3 - 1e-3, 1 / 3, 1 / 3 + 1e-3]), 1 / 3
    for near in (1e-3, 1e-6, 1e-9):
        yield np.array([0.5 + near, 0.5, 0.5 - near]), 0.5
        yield np.array([0.7123456 - near, 0.7123456 + near]), 0.7123456
    yield np.array([0.0, 0.1]), 0.0
    yield np.array([0.4]), 0.6
    for n in (3, 12, 30):
        confidence = rng.random(n)
        yield confidence, float(rng.choice(confidence))


def confidence_in_all():
    return np.random.default_rng(0).random(150), 0.5


def two_groups(rng):
    yield np.array([0.9, 0.4]), np.array([0.4, 0.1])
    yield np.array([0.3]), np.array([0.8])
    yield np.ones(3), np.ones(5)
    yield np.array([0.2, 0.7, 0.4]), np.array([0.3])
    for near in (1e-3, 1e-9):
        yield np.array([0.5, 0.5 + near]), np.array([0.5, 0.5 - near, 0.5 + near / 2])
        yield np.array([0.7123456]), np.array([0.7123456 + near, 0.2, 0.7123456 + near])
    yield np.array([-40.0, 1e6, 3.0]), np.array([-41.0, 2.0, 1e9, -1e6])  # no scores between 0 and 1
    for _ in range(2):
        pool = rng.random(12)  # with ties, and on no grid
        members, strangers = (rng.choice(pool, size=int(rng.integers(5, 20))) for _ in range(2))
        yield members, strangers
        yield strangers, members  # the other way round: 1 - AUC


def scores_of_both_halves():
    rng = np.random.default_rng(0)
    return rng.random(75), rng.random(75)


def sklearn_auc(members, strangers):
    from sklearn.metrics import roc_auc_score

    return roc_auc_score([1] * len(members) + [0] * len(strangers), np.concatenate([members, strangers]))


@cache
def attack_on_a_look_up(k):
    """AUC of the confidence attack and accuracy on strangers, means of 20 draws, of a look-up of k neighbours."""
    flowers, found = load_iris(), []
    model = targets.make("knn-lookup").set_params(kneighborsclassifier__n_neighbors=k)
    for seed in range(20):
        parts = split(flowers.X, flowers.y, n_members=75, random_state=seed)
        answers = model.fit(parts.X_in, parts.y_in).predict_proba(parts.X)
        found.append((auc(answers.max(axis=1), parts.is_member), model.score(parts.X_out, parts.y_out)))
    return tuple(np.mean(found, axis=0).tolist())
