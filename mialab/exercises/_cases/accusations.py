"""The data on which the answers of notebook 07 are tried, and the oracles that they are compared with."""

from __future__ import annotations

from functools import cache

import numpy as np

from mialab import targets
from mialab.data import load_iris, split
from mialab.metrics import balanced_accuracy, choose_threshold


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


@cache
def shares_accused():
    """TPR and FPR of the rule "certain, so a member" on the look-up model: 20 draws, (20, 2)."""
    flowers, found = load_iris(), []
    for seed in range(20):
        parts = split(flowers.X, flowers.y, n_members=75, random_state=seed)
        model = targets.make("knn-lookup").fit(parts.X_in, parts.y_in)
        found.append([(model.predict_proba(X).max(axis=1) == 1).mean() for X in (parts.X_in, parts.X_out)])
    return np.array(found)


def share_of_accusations_wrong(base_rate):
    """The share of accusations by that rule that are wrong, mean of 20 draws, in a crowd with this base rate."""
    tpr, fpr = shares_accused().T
    return float((fpr * (1 - base_rate) / (tpr * base_rate + fpr * (1 - base_rate))).mean())
