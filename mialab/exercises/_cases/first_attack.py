"""The data on which the answers of notebook 06 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab.metrics import balanced_accuracy, choose_threshold


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


def two_sets_of_scores(rng):
    """Own records with one best threshold only, and records to judge of which one scores exactly that threshold."""
    # First, eight records that can be counted on paper: at 0.7 the member is missed, one of three strangers accused.
    own_is_member, is_member = np.array([True, False, False, True]), np.array([True, False, False, False])
    yield np.array([0.7, 0.6, 0.3, 0.1]), own_is_member, np.array([0.6, 0.1, 0.3, 0.7]), is_member
    yield np.array([0.8, 0.3]), np.array([True, False]), np.array([0.8, 0.3]), np.array([False, True])
    yield np.array([-5.0, 3e6]), np.array([False, True]), np.array([2e6, 4e6, 7.0]), np.array([True, True, False])
    own_is_member = np.array([True, False, True, False])  # two equal scores among its own
    yield np.array([0.9, 0.9, 0.5, 0.1]), own_is_member, np.array([0.6, 0.4, 0.5]), np.array([True, True, False])
    few = np.array([True, False, False, True, False, False, False, False])  # where accuracy would choose 0.9
    own_scores, scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]), np.array([0.95, 0.7, 0.65, 0.1, 0.2])
    yield own_scores, few, scores, np.array([True, True, False, False, False])
    cut = 0.7123456
    for near in (1e-3, 1e-9):  # just below the threshold, at it and just above
        scores, is_member = cut + near * np.array([-1, 0, 0, 1, 1]), np.array([True, False, True, False, False])
        yield np.array([cut, cut - near, 0.2]), np.array([True, False, False]), scores, is_member
        yield np.array([0.2, cut - near, cut]), np.array([False, False, True]), scores[::-1].copy(), is_member
    for n, m, sign in ((9, 8, 1), (21, 31, -1), (42, 25, 1), (12, 40, -1)):
        own_is_member, is_member = np.arange(n) < n // 3, np.arange(m) < m // 3
        rng.shuffle(own_is_member), rng.shuffle(is_member)
        best, second = 0.0, 0.0
        while best - second < 1e-6:
            own_scores = rng.normal(size=n) + 1.5 * own_is_member
            *_, second, best = sorted(balanced_accuracy(own_scores, own_is_member, float(t)) for t in own_scores)
        scores = rng.normal(size=m) + sign * 0.7 * is_member + 0.3
        scores[np.flatnonzero(~is_member)[0]] = choose_threshold(own_scores, own_is_member)
        yield own_scores, own_is_member, scores, is_member


def scores_of_two_crowds():
    rng, is_member = np.random.default_rng(0), np.arange(150) < 75
    return rng.normal(size=150) + is_member, is_member, rng.normal(size=150) + is_member, is_member


def honest_by_hand(own_scores, own_is_member, scores, is_member):
    def balanced(s, t, cut):
        return (np.mean(s[t] >= cut) + np.mean(s[~t] < cut)) / 2

    cuts = sorted(set(own_scores), reverse=True)
    best = max(cuts, key=lambda cut: round(balanced(own_scores, own_is_member, cut), 12))
    return balanced(scores, is_member, best)


def rates(rng):
    """Never 0 for the strangers' rate nor 1 for the base rate: there some right ways of counting divide by 0."""
    yield 0.8, 0.2, 0.01
    yield 1.0, 0.5, 0.5
    yield 0.5, 0.01, 1e-5  # less than one in 10,000
    yield 1.0, 1.0, 0.3
    yield 0.0, 0.2, 0.4
    yield 0.6, 0.1, 0.0
    yield 1 / 3, 1 / 7, 1 / 9
    yield 0.7, 0.001, 3.7e-6
    yield 0.7, 0.9, 1 - 1e-3
    for _ in range(6):
        tpr, fpr = rng.uniform(0.02, 0.98, 2).tolist()
        yield tpr, fpr, float(10 ** rng.uniform(-4, -0.1))


def rates_of_a_crowd():
    return 0.87, 0.013, 0.0021


def count_ten_million_people(tpr, fpr, base_rate):
    people = 10_000_000
    members = people * base_rate
    accused_members, accused_strangers = tpr * members, fpr * (people - members)
    return accused_members / (accused_members + accused_strangers)
