"""The claims of notebook 06, the first attack."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from claims import claim
from mialab import targets
from mialab.data import load_iris, split
from mialab.metrics import auc, mean_interval

FLOWERS = load_iris()


def look_up(k):
    return targets.make("knn-lookup").set_params(kneighborsclassifier__n_neighbors=k)


def asked(model, seed, n_members=75):
    """One draw: the truth, the answers about everyone, and the recorded labels."""
    p = split(FLOWERS.X, FLOWERS.y, n_members=n_members, random_state=seed)
    return p.is_member, model.fit(p.X_in, p.y_in).predict_proba(p.X), p.y


# --- a rule with one number ----------------------------------------------------------------------------------------


def one_draw_again(seed, k=15):
    is_member, answers, _ = asked(look_up(k), seed)
    return {"score": answers.max(axis=1), "is_member": is_member}


@claim(
    cell="two_groups(score[is_member]",
    says="Every member gets certainty; so do some strangers",
    again=one_draw_again,
    settings=({}, {"k": 3}, {"k": 5}, {"k": 10}),
)
def each_member_is_certain_and_some_strangers(score, is_member):
    assert (score[is_member] == 1).all() and 0 < (score[~is_member] == 1).sum() < (~is_member).sum()


@claim(
    cell="says_member = guess_members(score, 1.0)",
    says="Every member is caught, and more than a third of the strangers are accused with them",
)
def all_are_caught_and_a_third_accused(tpr, fpr):
    assert tpr == 1 and fpr > 1 / 3


@claim(cell="roc_curve({", says="all members are caught already, and whatever is looser only adds strangers")
def the_corner_has_every_member(caught, accused):
    assert caught[1] == 1 and (np.diff(accused) > 0).all()


@claim(cell="roc_curve({", says="Above the dashed line of chance")
def the_curve_lies_above_chance(caught, accused):
    assert all(up > right for up, right in zip(caught[1:-1], accused[1:-1], strict=True))


@claim(cell="auc_by_pairs = ex.auc_by_pairs.yours()", says="each pair that was won is lost: 1 minus the AUC")
def upside_down_is_one_minus(auc_by_pairs, score, is_member, auc):
    assert np.isclose(auc_by_pairs(-score[is_member], -score[~is_member]), 1 - auc)


# --- along k -------------------------------------------------------------------------------------------------------


def dial_again(seed, n_members=75, dial=(1, 3, 5, 10, 15, 30), n_draws=40):
    found = []
    for k in dial:
        draws = [asked(look_up(k), 1000 * seed + i, n_members) for i in range(n_draws)]
        areas = [auc(answers.max(axis=1), member) for member, answers, _ in draws]
        right = [(answers.argmax(axis=1) == y)[~member].mean() for member, answers, y in draws]
        found.append((mean_interval(areas), mean_interval(right)))
    areas, right = zip(*found, strict=True)
    return {"lines": {"AUC of the attack": areas, "accuracy on strangers": right}}


@claim(
    cell="dial = [1, 3, 5",
    says="From 3 neighbours to 15 the accuracy moves by less than two hundredths",
    again=dial_again,
)
def the_accuracy_hardly_moves(lines):
    means = [each.mean for each in lines["accuracy on strangers"][1:5]]
    assert max(means) - min(means) < 0.02


@claim(cell="dial = [1, 3, 5", says="the AUC climbs from below 0.6 to above 0.8", again=dial_again)
def the_attack_climbs(lines):
    areas = lines["AUC of the attack"]
    assert areas[1].high < 0.6 and areas[4].low > 0.78 and areas[4].mean > 0.8


@claim(
    cell="dial = [1, 3, 5",
    says="and the more are asked, the rarer that is",
    again=dial_again,
    settings=({}, {"n_members": 50}, {"n_members": 100}),
)
def certain_strangers_are_rarer_along_the_dial(lines):
    areas = lines["AUC of the attack"]  # as each member gets a 1, this is 1 less half the share of certain strangers
    assert all(a.high < b.low for a, b in pairwise(areas))


# --- other models --------------------------------------------------------------------------------------------------


def others_again(seed):
    found = {}
    for name in ("knn-lookup", "knn-vote", "net", "tree"):
        draws = [asked(targets.make(name, random_state=i), 1000 * seed + i) for i in range(40)]
        found[name] = mean_interval([auc(answers.max(axis=1), member) for member, answers, _ in draws])
    return {"means": found}


@claim(cell="means = {name: mean_interval(", says="One vote each, and the attack is all but gone", again=others_again)
def one_vote_each_takes_the_attack_away(means):
    assert means["knn-vote"].high < 0.55 and means["knn-lookup"].low > 0.75


@claim(cell="means = {name: mean_interval(", says="On the net it is no better than a coin", again=others_again)
def the_net_is_a_coin(means):
    assert 0.47 < means["net"].low and means["net"].high < 0.53 and means["net"].low < 0.51


@claim(cell="means = {name: mean_interval(", says="and on the tree it is a coin exactly", again=others_again)
def the_tree_is_a_coin_exactly(means):
    assert means["tree"].low == means["tree"].high == 0.5


# --- flower 83 -----------------------------------------------------------------------------------------------------


def nets_again(seed, n_members=75):
    rows = []
    for i in range(40):
        p = split(FLOWERS.X, FLOWERS.y, n_members=n_members, random_state=1000 * seed + i)
        net = targets.make("net", random_state=i).fit(p.X_in, p.y_in)
        answer = net.predict_proba(FLOWERS.X[[83]])[0]
        rows.append((83 in p.index_in, answer.max(), answer[FLOWERS.y[83]]))
    had_it, own, recorded = np.array(rows).T
    return {"had_it": had_it, "own": own, "recorded": recorded}


@claim(
    cell='for what, sure in (("its own answer"',
    says="The probability of the recorded species tells which nets had the flower",
    again=nets_again,
    settings=({}, {"n_members": 100}),
)
def the_recorded_species_tells(had_it, recorded):
    assert np.mean((recorded > 0.5) == (had_it == 1)) > 0.9


@claim(
    cell='for what, sure in (("its own answer"',
    says="a net that never saw it is mostly surer, and wrong",
    again=nets_again,
    settings=({}, {"n_members": 100}),
)
def the_confidence_points_the_wrong_way(had_it, own, recorded):
    assert auc(own, had_it == 1) < 0.45 and recorded[had_it == 0].mean() < 0.2
