"""The claims of notebook 12, who is exposed?"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from claims import claim
from mialab.data import load_iris, wrong_labels
from mialab.exposure import exposure, rank_correlation, surroundings
from mialab.metrics import auc, mean_interval
from mialab.nets import NetClassifier
from mialab.shadows import train_shadows

FLOWERS = load_iris()
AROUND = surroundings(FLOWERS.X, FLOWERS.y)
EVERYONE = np.arange(150)


def trained(seed, rows=EVERYONE, y=FLOWERS.y, n=40, **net):
    model = NetClassifier(**({"hidden": 16} | net))
    return train_shadows(model, FLOWERS.X[rows], y[rows], n_shadows=n, random_state=seed)


def exposures(*args, **settings):
    return exposure(trained(*args, **settings)).auc


# --- one flower ----------------------------------------------------------------------------------------------------


def garden_again(seed, n=300, **net):
    nets = trained(seed, n=n, **net)
    pair = nets.confidence_in_label[:, 83], nets.in_mask[:, 83]
    return {
        "sure": nets.confidence_in_label, "in_mask": nets.in_mask, "garden": exposure(nets),
        "exposed": exposure(nets).auc, "inside": pair[0][pair[1]], "outside": pair[0][~pair[1]],
    }  # fmt: skip


WIDTHS = ({}, {"hidden": 8}, {"hidden": 32})


@claim(cell="nets = train_shadows(net", says="Close to a coin", again=garden_again, settings=(*WIDTHS, {"epochs": 300}))
def the_average_is_close_to_a_coin(sure, in_mask):
    found = mean_interval([auc(s, m) for s, m in zip(sure[::2], in_mask[::2], strict=True)])
    assert 0.48 < found.low and found.high < 0.53


@claim(cell="for i in (0, 83):", says="Flower 0 leaves no trace", again=garden_again, settings=WIDTHS)
def flower_0_leaves_no_trace(sure, in_mask):
    assert abs(sure[in_mask[:, 0], 0].mean() - sure[~in_mask[:, 0], 0].mean()) < 0.01


@claim(
    cell="for i in (0, 83):",
    says="Flower 83 does: without it, hardly a net takes it for a versicolor",
    again=garden_again,
    settings=WIDTHS,
)
def flower_83_does(inside, outside):
    assert np.mean(outside > 0.5) < 0.1 and inside.mean() > outside.mean() + 0.3


@claim(cell="exposed = exposures(nets)", says="a handful who are told apart almost always", again=garden_again)
def a_handful_is_exposed(exposed):
    assert 3 <= (exposed > 0.9).sum() <= 8


@claim(cell="exposed = exposures(nets)", says="On average next to nothing", again=garden_again, settings=WIDTHS)
def most_are_not(exposed):
    assert np.mean(exposed < 0.6) > 0.75


@claim(cell="garden = exposure(nets)", says="On this map four of the five stand where two species meet")
def four_stand_at_the_border(order):
    border = surroundings(FLOWERS.X[:, 2:], FLOWERS.y)["others_near"].to_numpy()[order[:5]] > 0
    assert border.sum() == 4 and order[:5][~border].tolist() == [41]


@claim(cell="garden = exposure(nets)", says="has by far the narrowest sepal of all setosas")
def flower_41_has_the_narrowest_sepal(flowers):
    setosas = flowers.X[flowers.y == 0, 1]
    assert flowers.X[41, 1] == setosas.min() and np.sort(setosas)[1] - setosas.min() >= 0.5


# --- the border and the distance ------------------------------------------------------------------------------------


def without(a, less):
    a, b = rankdata(a), rankdata(less)
    return a - np.polyval(np.polyfit(b, a, 1), b)


def batches_again(seed, **net):
    found = np.array([exposures(10 * seed + i, **net) for i in range(5)])
    near, far = AROUND["others_near"], AROUND["rarity"]
    return {"batches": found, "mean_exposure": found.mean(axis=0), "near": near, "far": far, "without": without}


@claim(
    cell="batches = np.array(",
    says="The 20 flowers at this wider border carry most of what lies above 0.5",
    again=batches_again,
    settings=WIDTHS,
)
def the_border_carries_most(batches, near):
    assert (near >= 0.3).sum() == 20
    border, others = batches[:, near >= 0.3], batches[:, near < 0.3]
    assert mean_interval((border - 0.5).sum(axis=1) / (batches - 0.5).sum(axis=1)).low > 0.5
    assert mean_interval(border.mean(axis=1) - others.mean(axis=1)).low > 0.15


def alone(near, far, exposed, without):
    """The relation of the border and of the distance, and of each without the other."""
    border, distance = rank_correlation(near, exposed).rho, rank_correlation(far, exposed).rho
    border_alone = rank_correlation(without(near, less=far), without(exposed, less=far)).rho
    distance_alone = rank_correlation(without(far, less=near), without(exposed, less=near)).rho
    return border, border_alone, distance, distance_alone


@claim(cell="mean_exposure = batches", says="Alone, each loses a part: they overlap", again=batches_again)
def each_loses_a_part(near, far, mean_exposure, without):
    border, border_alone, distance, distance_alone = alone(near, far, mean_exposure, without)
    assert 0 < border_alone < border and distance_alone < distance


@claim(cell="mean_exposure = batches", says="Here the border keeps more of it")
def the_border_keeps_more(near, far, mean_exposure, without):
    border, border_alone, distance, distance_alone = alone(near, far, mean_exposure, without)
    assert border_alone / border > distance_alone / distance


@claim(cell="mean_exposure = batches", says="flowers at the border may also lie further apart")
def the_border_lies_further_apart(near, far):
    assert rank_correlation(near, far).low > 0


# --- rare, and wrong -----------------------------------------------------------------------------------------------


def rare_again(seed, n_rare=8, species=2, **net):
    """Mean exposure of a few flowers of a species: the only ones of their kind, and among all fifty."""
    rows = []
    for i in range(5):
        rng = np.random.default_rng(10 * seed + i)
        own, rest = EVERYONE[species == FLOWERS.y], EVERYONE[species != FLOWERS.y]
        few = rng.choice(own, n_rare, replace=False)
        pools = np.concatenate([rest, few]), np.concatenate([rng.choice(rest, 50 + n_rare, replace=False), own])
        rows.append([exposures(10 * seed + i, pool, **net)[np.isin(pool, few)].mean() for pool in pools])
    return dict(zip(("rare", "common"), np.array(rows).T, strict=True))


@claim(
    cell="rare, common = np.array(",
    says="who is rare is more exposed",
    again=rare_again,
    settings=({}, {"hidden": 32}, {"n_rare": 12}, {"species": 1}),
)
def the_rare_are_more_exposed(rare, common):
    assert mean_interval(rare - common).low > 0 and rare.mean() - common.mean() > 0.05


def wrong_again(seed, fraction=0.1, **net):
    recorded = wrong_labels(FLOWERS.y, fraction, random_state=seed)
    return {"recorded": recorded, "found": exposures(seed, y=recorded, **net)}


@claim(
    cell="recorded = wrong_labels(",
    says="Most of the wrongly recorded are told apart almost always",
    again=wrong_again,
    settings=WIDTHS,
)
def the_wrongly_recorded_are_told_apart(recorded, found):
    wrong = recorded != FLOWERS.y
    assert np.mean(found[wrong] > 0.9) > 0.5 and found[wrong].mean() > found[~wrong].mean() + 0.25


# --- the onion -----------------------------------------------------------------------------------------------------


def onion_again(seed, n_out=5, **net):
    order = np.argsort(-exposures(1000 + seed, n=300, **net))
    rng = np.random.default_rng(seed)

    def left(out, i):
        stay, found = np.delete(EVERYONE, out), np.full(150, np.nan)
        found[stay] = exposures(10 * seed + i, stay, **net)
        return found

    lots = [rng.choice(order[n_out + 10 :], n_out, replace=False) for _ in range(5)]
    found = {
        "all stay": [exposures(10 * seed + i, **net) for i in range(5)],
        "five by lot leave": [left(out, i) for i, out in enumerate(lots)],
        "the most exposed leave": [left(order[:n_out], i) for i in range(5)],
    }
    ten, found = order[n_out : n_out + 10], {name: np.array(each) for name, each in found.items()}
    means = {name: mean_interval(each[:, ten].mean(axis=1)) for name, each in found.items()}
    return {"means": means, "batches": found["all stay"], "after": found["the most exposed leave"]}


ONIONS = ({}, {"n_out": 10}, {"hidden": 8}, {"epochs": 300})


@claim(
    cell="means = {name: mean_interval(found",
    says="Most of the next ten moved up",
    again=onion_again,
    settings=ONIONS,
)
def the_next_ten_moved_up(means):
    assert means["the most exposed leave"].mean - means["all stay"].mean > 0.03


@claim(cell="means = {name: mean_interval(found", says="Most of the next ten moved up")
def most_of_the_next_ten_moved_up(after, mean_exposure, ten):
    assert (after.mean(axis=0)[ten] > mean_exposure[ten]).mean() > 0.5


@claim(
    cell="means = {name: mean_interval(found",
    says="Fewer are told apart almost always than before, but others moved up",
    again=onion_again,
    settings=ONIONS,
)
def fewer_and_others_are_told_apart(batches, after):
    before, now = (batches > 0.9).sum(axis=1).mean(), (after > 0.9).sum(axis=1).mean()
    assert 1 < now < before


@claim(
    cell="means = {name: mean_interval(found",
    says="When five by lot leave, they stay about where they were",
    again=onion_again,
    settings=ONIONS,
)
def five_by_lot_change_little(means):
    changed = means["five by lot leave"].mean - means["all stay"].mean
    assert changed < 0.03 and changed < means["the most exposed leave"].mean - means["all stay"].mean
