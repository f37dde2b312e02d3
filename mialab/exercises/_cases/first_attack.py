"""The data on which the answers of notebook 05 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab.metrics import balanced_accuracy, choose_threshold


def confidences(rng):
    yield np.array([0.2, 0.5, 0.9]), 0.5
    yield np.array([0.7]), 0.6
    yield np.full(4, 0.5), 0.5
    yield np.array([0.5 - 1e-6, 0.5, 0.5 + 1e-6]), 0.5
    for _ in range(6):
        confidence = rng.random(30).round(1)
        yield confidence, float(rng.choice(confidence))


def two_groups(rng):
    yield np.array([0.9, 0.4]), np.array([0.4, 0.1])
    yield np.array([0.3]), np.array([0.8])
    yield np.ones(3), np.ones(5)
    for _ in range(6):
        members, strangers = (
            rng.random(rng.integers(5, 20)).round(1),
            rng.random(rng.integers(5, 20)).round(1),
        )
        yield members, strangers
        yield strangers, members  # the other way round: 1 - AUC


def sklearn_auc(members, strangers):
    from sklearn.metrics import roc_auc_score

    return roc_auc_score([1] * len(members) + [0] * len(strangers), np.concatenate([members, strangers]))


def two_sets_of_scores(rng):
    """Own records with one best threshold only, and records to judge of which one scores exactly that threshold."""
    # First, eight records that can be counted on paper: at 0.7 the member is missed, one of three strangers accused.
    own_is_member, is_member = np.array([True, False, False, True]), np.array([True, False, False, False])
    yield np.array([0.7, 0.6, 0.3, 0.1]), own_is_member, np.array([0.6, 0.1, 0.3, 0.7]), is_member
    for n, m, sign in ((9, 8, 1), (21, 31, -1), (42, 25, 1), (12, 40, -1), (33, 21, 1), (42, 40, -1)):
        own_is_member, is_member = np.arange(n) < n // 3, np.arange(m) < m // 3
        rng.shuffle(own_is_member), rng.shuffle(is_member)
        best, second = 0.0, 0.0
        while best - second < 1e-6:
            own_scores = rng.normal(size=n) + 1.5 * own_is_member
            *_, second, best = sorted(balanced_accuracy(own_scores, own_is_member, float(t)) for t in own_scores)
        scores = rng.normal(size=m) + sign * 0.7 * is_member + 0.3
        scores[np.flatnonzero(~is_member)[0]] = choose_threshold(own_scores, own_is_member)
        yield own_scores, own_is_member, scores, is_member


def honest_by_hand(own_scores, own_is_member, scores, is_member):
    def balanced(s, t, cut):
        return (np.mean(s[t] >= cut) + np.mean(s[~t] < cut)) / 2

    cuts = sorted(set(own_scores), reverse=True)
    best = max(cuts, key=lambda cut: round(balanced(own_scores, own_is_member, cut), 12))
    return balanced(scores, is_member, best)


def rates(rng):
    yield 0.8, 0.2, 0.01
    yield 1.0, 0.5, 0.5
    for _ in range(8):
        tpr, fpr, base_rate = rng.uniform(0.02, 0.98, 3).round(3).tolist()
        yield tpr, fpr, base_rate


def count_ten_million_people(tpr, fpr, base_rate):
    people = 10_000_000
    members = people * base_rate
    accused_members, accused_strangers = tpr * members, fpr * (people - members)
    return accused_members / (accused_members + accused_strangers)
