"""The claims of notebook 19, audit a hospital's model."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from claims import claim
from mialab.attacks import RMIA
from mialab.data import load_clinic, split
from mialab.metrics import auc, evaluate
from mialab.nets import NetClassifier
from mialab.privacy import noise_for
from mialab.shadows import train_shadows

CLINIC = load_clinic()


def caught(score, is_member, n_false):
    strangers = np.sort(score[~is_member])[::-1]
    return (score[is_member] > strangers[n_false]).sum()


def hospital(seed, trees=50, n=2000):
    """The three attacks on a forest of other patients, as the notebook makes them."""
    drawn = np.random.default_rng(seed).permutation(len(CLINIC.y))
    ours, others = drawn[:n], drawn[n : 2 * n]
    parts = split(CLINIC.X[ours], CLINIC.y[ours], n_members=n // 2, random_state=seed)
    forest = RandomForestClassifier(trees, random_state=seed).fit(parts.X_in, parts.y_in)
    own = forest.predict_proba(parts.X)[range(n), parts.y]
    made = RandomForestClassifier(trees)
    shadows = train_shadows(made, CLINIC.X[others], CLINIC.y[others], n_shadows=6, random_state=seed)
    usual = np.mean([model.predict_proba(parts.X)[range(n), parts.y] for model in shadows.models], axis=0)
    inside = train_shadows(made, parts.X, parts.y, n_shadows=8, random_state=seed)
    auditor = RMIA(online=False).fit(forest, inside).score_samples(parts.X, parts.y, range(n))
    return {"own": own, "outsider": own / (1 + usual), "auditor": auditor, "parts": parts, "forest": forest}


SETTINGS = ({}, {"trees": 30, "n": 1000})


@claim(cell="forest.score(parts.X_in", says="Right about nearly every member, and about fewer of the strangers",
       again=hospital, settings=SETTINGS)  # fmt: skip
def the_forest_knows_its_members(forest, parts):
    assert forest.score(parts.X_in, parts.y_in) > 0.98 > 0.9 > forest.score(parts.X_out, parts.y_out)


@claim(cell="(50 * first)", says="Every answer is a whole number of fiftieths")
def answers_are_votes(first):
    assert np.allclose(50 * first, np.round(50 * first))


@claim(cell="evaluate(own", says="Clearly above one half.", again=hospital, settings=SETTINGS)
def the_plain_attack_works(own, parts):
    assert evaluate(own, parts.is_member).interval[0] > 0.6


@claim(cell="caught_with(own", says="More than ten strangers are answered with full confidence, in one tie",
       again=hospital, settings=SETTINGS)  # fmt: skip
def a_tie_hides_the_members(own, parts):
    assert (own[~parts.is_member] == 1).sum() > 10 and caught(own, parts.is_member, 10) == 0


@claim(cell="evaluate(outsider", says="yours is a far better attack", again=hospital, settings=SETTINGS)
def the_outsider_beats_the_plain_question(own, outsider, parts):
    assert auc(outsider, parts.is_member) > auc(own, parts.is_member) + 0.08


@claim(cell="pd.DataFrame(counts", says="In this draw the outsider catches, at ten strangers, more than half")
def more_than_half_of_what_the_auditor_catches(outsider, auditor, parts):
    assert caught(outsider, parts.is_member, 10) > 0.5 * caught(auditor, parts.is_member, 10)


@claim(cell="pd.DataFrame(counts", says="in others four to nine tenths", again=hospital, settings=SETTINGS)
def four_to_nine_tenths(outsider, auditor, parts):
    assert auc(auditor, parts.is_member) > auc(outsider, parts.is_member) + 0.02
    assert 0.4 < caught(outsider, parts.is_member, 10) / caught(auditor, parts.is_member, 10) < 0.92


@claim(cell="pd.DataFrame(counts", says="hangs on a single record and changes from draw to draw", again=hospital)
def without_that_stranger_more_are_caught(outsider, auditor, parts):
    for score in (outsider, auditor):
        assert caught(score, parts.is_member, 1) > caught(score, parts.is_member, 0)


def trapped(seed, epsilon=1.0, noisy=12):
    who = np.random.default_rng(seed).permutation(len(CLINIC.y))[:2000]
    age, rows, y = CLINIC.X[who, 0], CLINIC.scaled[who], CLINIC.y[who]
    order = age + np.random.default_rng(seed).normal(0, noisy, size=2000)
    early = order < sorted(order)[1000]
    private = NetClassifier(hidden=0, epochs=100, learning_rate=0.1, l2=0, standardise=False, clip=1.0,
                            noise=noise_for(epsilon, 100, 1e-5), random_state=seed)  # fmt: skip
    return {"private": private.fit(rows[early], y[early]), "rows": rows, "age": age, "early": early}


@claim(cell='print("age alone', says="age alone does better, without one question",
       again=trapped, settings=({}, {"epsilon": 4.0}, {"noisy": 24}))  # fmt: skip
def age_alone_does_better(private, rows, age, early):
    asked, blind = private.predict_proba(rows).max(axis=1), auc(-age, early)
    assert blind > auc(asked, early) and evaluate(asked, early).interval[0] > 0.5


@claim(cell="# Draws both attacks along", says="As age decides more, both rise, and age stays ahead.")
def age_stays_ahead(lines):
    asked, blind = lines["confidence"], lines["age alone"]
    for line in (asked, blind):
        assert abs(line[0].mean - 0.5) < 0.02 and all(np.diff([each.mean for each in line]) > 0)
    assert all(b.low > a.mean for a, b in zip(asked[1:], blind[1:], strict=True))


@claim(cell="found = audit(private", says="It judged the model by pairs of early and late patients who look alike")
def the_audit_is_not_trapped(found):
    assert found.outcome == "no leak found" and found.blind.interval[0] > 0.7


@claim(
    cell="trade_off(right, leak",
    says="in three draws not to be told apart in accuracy, and a gulf between the full forest",
)
def equally_right_and_far_apart(right, leak):
    means = [each.mean for each in right.values()]
    assert max(means) - min(means) < 0.04
    assert max(each.low for each in right.values()) < min(each.high for each in right.values())
    assert all(leak["full forest"].low > each.high + 0.15 for name, each in leak.items() if name != "full forest")
    assert abs(leak["logistic regression"].mean - 0.5) < 0.05
    assert 0 < right["logistic regression"].mean - right["private"].mean < 0.015  # "a point", say the example memos
