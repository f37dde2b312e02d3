"""The claims of notebook 07, what an accusation is worth."""

from __future__ import annotations

import numpy as np

from claims import claim
from mialab import targets
from mialab.data import load_iris, split
from mialab.metrics import balanced_accuracy, choose_threshold, evaluate, mean_interval, precision

FLOWERS = load_iris()


def attacked(name, seed, n_members=75):
    p = split(FLOWERS.X, FLOWERS.y, n_members=n_members, random_state=seed)
    target = targets.make(name, random_state=seed).fit(p.X_in, p.y_in)
    return p, target.predict_proba(p.X).max(axis=1)


# --- false alarms with names ---------------------------------------------------------------------------------------


@claim(cell="accused = guess_members(score, 1.0)", says="Most are setosa:")
def most_of_the_accused_are_setosa(parts, accused):
    assert (parts.y[accused] == 0).mean() > 1 / 2


@claim(cell="accused = guess_members(score, 1.0)", says="Here 101 is a member, 142 a stranger")
def the_twins_are_parted_and_one_is_accused(parts, accused, flowers):
    assert (flowers.X[101] == flowers.X[142]).all() and 101 in parts.index_in and 142 in parts.index[accused]


def draws_again(seed, n_members=75):
    shares, by_species, twins = [], [], []
    for i in range(40):
        p, s = attacked("knn-lookup", 1000 * seed + i, n_members)
        says, stranger = s == 1, ~p.is_member
        shares.append([says[p.is_member].mean(), says[stranger].mean()])
        by_species.append([says[stranger & (p.y == species)].mean() for species in range(3)])
        pair = np.isin(p.index, [101, 142])
        if p.is_member[pair].sum() == 1:
            twins.append(says[pair].all())
    return {"shares": shares, "by_species": by_species, "twins": twins, "precision_when_rare": precision,
            "worth": [mean_interval([precision(*share, 1 / 10_000) for share in shares])]}  # fmt: skip


SIZES = ({}, {"n_members": 50}, {"n_members": 100})


@claim(cell="part the twins; the", says="A member's twin is accused every time", again=draws_again, settings=SIZES)
def the_twin_is_accused_every_time(twins):
    assert len(twins) > 9 and all(twins)


@claim(
    cell="part the twins; the",
    says="A setosa is accused for being typical; few others are",
    again=draws_again,
    settings=({}, {"n_members": 50}),  # with 100 members one in four versicolors is accused
)
def setosas_are_accused_and_few_others(by_species):
    setosa, *others = np.mean(by_species, axis=0)
    assert setosa > 0.8 and max(others) < 0.2


# --- luck ----------------------------------------------------------------------------------------------------------


def lots_again(seed):
    p, score = attacked("knn-lookup", seed)
    rng = np.random.default_rng(seed)
    lots = [rng.permutation(p.is_member) for _ in range(200)]
    return {"result": evaluate(score, p.is_member), "luck": np.array([evaluate(score, lot).auc for lot in lots])}


@claim(cell="lots = [rng.permutation", says="The attack lies far beyond luck", again=lots_again)
def the_attack_is_no_luck(result, luck):
    assert result.auc > luck.max() and result.z > 5


@claim(cell="lots = [rng.permutation", says="luck by the formula: standard deviation", again=lots_again)
def the_lots_spread_as_the_formula_says(result, luck):
    assert 0.6 < luck.std() / result.null_sd < 1.4 and abs(luck.mean() - 0.5) < 0.03


@claim(cell="lots = [rng.permutation", says="Luck alone strays by up to nearly a tenth", again=lots_again)
def luck_strays_by_hundredths(luck):
    assert 0.02 < luck.std() < 0.08


@claim(cell="lots = [rng.permutation", says="a few hundredths from 0.5, in one draw, says nothing", again=lots_again)
def a_few_hundredths_are_within_luck(result):
    assert 2 * result.null_sd > 0.05


# --- an honest threshold -------------------------------------------------------------------------------------------


def tuned_and_honest(attack, name, seed):
    """Mean intervals of the balanced accuracy: threshold from the attacker's own model, threshold from the accused."""
    honest, tuned = [], []
    for i in range(40):
        (own, own_score), (p, s) = attack(name, 1000 * seed + i + 500), attack(name, 1000 * seed + i)
        honest.append(balanced_accuracy(s, p.is_member, choose_threshold(own_score, own.is_member)))
        tuned.append(balanced_accuracy(s, p.is_member, choose_threshold(s, p.is_member)))
    return honest, tuned


def net_again(seed):
    honest, tuned = tuned_and_honest(attacked, "net", seed)
    return {"honest": honest, "tuned": tuned}


@claim(cell='for name in ("knn-lookup", "net"):', says="On the look-up model both come out alike")
def on_the_look_up_both_are_alike(attacked):
    honest, tuned = (mean_interval(each).mean for each in tuned_and_honest(attacked, "knn-lookup", 0))
    assert abs(honest - tuned) < 0.005 and honest > 0.75


@claim(
    cell='for name in ("knn-lookup", "net"):',
    says="On the net the honest choice is no better than a coin, and the tuned one seems to beat it",
    again=net_again,
)
def tuning_finds_what_is_not_there(honest, tuned):
    honest, tuned = mean_interval(honest), mean_interval(tuned)
    assert 0.47 < honest.low < 0.505 and honest.high < 0.53
    assert tuned.low > 0.51 and tuned.low > honest.mean


# --- when members are rare -----------------------------------------------------------------------------------------


@claim(
    cell="precision_when_rare = ex.precision_when_rare.yours()",
    says="More than two in three.",
    again=draws_again,
)
def half_and_half_sounds_convincing(shares, precision_when_rare):
    assert mean_interval([precision_when_rare(tpr, fpr, 1 / 2) for tpr, fpr in shares]).low > 2 / 3


@claim(
    cell="rates = [1 / 10_000, 1 / 1000",
    says="In a city of a million with 100 members, not one in a thousand accused is one",
    again=draws_again,
    settings=SIZES,
)
def in_a_city_not_one_in_a_thousand(worth):
    assert worth[0].high < 1 / 1000


def result_again(seed, n_members=75):
    p, score = attacked("knn-lookup", seed, n_members)
    return {"result": evaluate(score, p.is_member)}


@claim(
    cell="result.tpr_at(1 / 100)",
    says="members and strangers share its surest guesses",
    again=result_again,
    settings=SIZES,
)
def nobody_is_caught_at_one_in_a_hundred(result):
    assert result.tpr_at(1 / 100) == 0
