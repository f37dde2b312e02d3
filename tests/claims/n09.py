"""The claims of notebook 09, shadow models."""

from __future__ import annotations

import numpy as np
import pandas as pd

from claims import claim
from mialab import targets
from mialab.data import load_iris, split
from mialab.metrics import mean_interval
from mialab.shadows import marginal_records, noisy_records, synthetic_records, train_shadows

FLOWERS = load_iris()
LOW, HIGH = np.array([4.0, 2.0, 1.0, 0.1]), np.array([8.0, 4.5, 7.0, 2.6])


def roles(seed):
    """One draw of fifty, fifty and fifty, and the attacker's rows."""
    p = split(FLOWERS.X, FLOWERS.y, n_members=50, random_state=seed, n_strangers=50)
    return p, np.setdiff1d(np.arange(150), p.index)


# --- what a shadow shows -------------------------------------------------------------------------------------------


def shadows_again(seed, name="knn-lookup"):
    _, rest = roles(seed)
    X, y = FLOWERS.X[rest], FLOWERS.y[rest]
    shadows = train_shadows(targets.make(name), X, y, n_shadows=32, random_state=seed)
    sure, is_in = shadows.proba[:, np.arange(50), y], shadows.in_mask
    with_it, without = sure.mean(axis=0, where=is_in), sure.mean(axis=0, where=~is_in)
    return {"with_it": with_it, "without": without, "pool_y": y}


@claim(
    cell="with_it = np.array(",
    says="Shadows are surer of all three when in; the setosas",
    again=shadows_again,
)
def in_is_surer_and_least_so_for_setosas(with_it, without, pool_y):
    gap = [(with_it - without)[pool_y == species].mean() for species in range(3)]
    assert min(gap) > 0.05 and np.argmin(gap) == 0


@claim(
    cell='shadow = targets.make("knn-lookup").fit(pool_X[inside]',
    says="It shows what membership looks like",
)
def a_shadow_is_surer_of_its_members(sure_in, sure_out):
    assert sure_in.mean() - sure_out.mean() > 0.05


# --- fidelity -------------------------------------------------------------------------------------------------------


def four_pools(target, X, y, seed):
    drawn = marginal_records(X, 50, seed)
    found = synthetic_records(target, 50, LOW, HIGH, threshold=0.5, max_questions=60, random_state=seed)
    return {"real": (X, y), "noisy": (noisy_records(X, 0.2, seed), y),
            "marginals": (drawn, target.predict(drawn)), "synthetic": found[:2]}  # fmt: skip


def tables_again(seed, name="logistic"):
    rows = []
    for i in range(20):
        p, rest = roles(1000 * seed + i)
        target = targets.make(name, i).fit(p.X_in, p.y_in)
        asked = target.predict(p.X_out)
        wrong = asked != p.y_out
        rows.append(("no shadow", 1 - wrong.mean(), 0, wrong.sum()))
        for source, (X, y) in four_pools(target, FLOWERS.X[rest], FLOWERS.y[rest], i).items():
            same = targets.make(name, i + 1).fit(X, y).predict(p.X_out) == asked
            rows.append((source, same.mean(), same[wrong].sum(), wrong.sum()))
    return {"table": pd.DataFrame(rows, columns=["pool", "fidelity", "repeated", "mistakes"])}


FAMILIES = ({}, {"name": "knn-lookup"}, {"name": "tree"})


@claim(
    cell="table = pd.DataFrame(rows",
    says="Replicas agree with the target on most strangers, and so do the botanist's labels",
    again=tables_again,
    settings=FAMILIES,
)
def replicas_agree_and_so_does_the_botanist(table):
    agrees = table.groupby("pool")["fidelity"].mean()
    assert min(agrees["real"], agrees["synthetic"], agrees["no shadow"]) > 0.8
    assert abs(agrees["real"] - agrees["no shadow"]) < 0.06


@claim(
    cell="table = pd.DataFrame(rows",
    says="Shadows on real flowers repeat fewer than those on synthetic ones",
    again=tables_again,
    settings=FAMILIES,
)
def synthetic_shadows_repeat_more_mistakes(table):
    repeated = table.groupby("pool")["repeated"].sum()
    assert repeated["synthetic"] > repeated["real"]


@claim(
    cell="table = pd.DataFrame(rows",
    says="(marginals agree least: they err besides)",
    again=tables_again,
    settings=FAMILIES[:2],
)
def marginals_repeat_more_too_and_agree_least(table):
    repeated = table.groupby("pool")["repeated"].sum()
    assert repeated["marginals"] > repeated["real"]
    assert table.groupby("pool")["fidelity"].mean().idxmin() == "marginals"


def sure_pools_again(seed, name="logistic"):
    faithful = []
    for sure in (0.5, 0.95, 0.99):
        shares = []
        for i in range(8):
            p, _ = roles(1000 * seed + i)
            target = targets.make(name).fit(p.X_in, p.y_in)
            X, y, _ = synthetic_records(target, 50, LOW, HIGH, threshold=sure, max_questions=60, random_state=i)
            shares.append(np.mean(targets.make(name).fit(X, y).predict(p.X_out) == target.predict(p.X_out)))
        faithful.append(mean_interval(shares))
    return {"faithful": faithful}


@claim(
    cell="# Draws fidelity along the confidence",
    says="A pool of flowers of which the target is *very* sure makes a poorer replica",
    again=sure_pools_again,
)
def very_sure_flowers_make_a_poorer_replica(faithful):
    half, *_, surer, surest = faithful[-5:]  # of the dial's settings from 0.5 on
    assert surest.mean < half.mean - 0.05 and surer.mean < half.mean
