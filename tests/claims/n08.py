"""The claims of notebook 08, probing the black box."""

from __future__ import annotations

import numpy as np

from claims import claim
from mialab import targets
from mialab.attacks import NeighbourhoodAttack, ThresholdAttack
from mialab.blackbox import RemoteModel, serve
from mialab.data import load_iris, split
from mialab.metrics import auc, mean_interval
from mialab.search import climb
from mialab.trials import run_trials, verdict

FLOWERS = load_iris()
LOW, HIGH = np.array([4.0, 2.0, 1.0, 0.1]), np.array([8.0, 4.5, 7.0, 2.6])


def gathered(name, seed, manner="large", most=150, n_members=75):
    """One draw, its target, and what 90 climbers found."""
    p = split(FLOWERS.X, FLOWERS.y, n_members=n_members, random_state=seed)
    target = targets.make(name, random_state=seed).fit(p.X_in, p.y_in)
    found = climb(target, [0, 1, 2] * 30, LOW, HIGH, manner=manner, max_questions=most, random_state=seed)
    return p, target, found


# --- the service ----------------------------------------------------------------------------------------------------


@claim(cell="remote.queries_left", says="The network changes no answer")
def the_network_changes_no_answer(model, flowers):
    with serve(model, name="iris") as url:
        assert np.array_equal(RemoteModel(url, name="iris").predict_proba(flowers.X), model.predict_proba(flowers.X))


@claim(cell="told = {", says="there is no kind. But both platforms")
def the_service_publishes_no_kind(model):
    import httpx

    with serve(model, name="iris") as url:
        said = str(httpx.get(f"{url}/v1/models/iris").json()).lower()
    assert not any(kind in said for kind in ("neighbo", "sklearn", "pipeline", "forest", "net"))


# --- the climb ------------------------------------------------------------------------------------------------------


@claim(cell="low = np.array([4.0", says="a field guide tells how large an iris can get")
def the_guide_is_right(low, high, flowers):
    assert (flowers.X >= low).all() and (flowers.X <= high).all()


@claim(cell="steps = np.array(", says="Your climber")
def by_hand_and_by_the_package_cost_the_same(steps, model):
    asked = climb(model, [0, 1, 2] * 100, LOW, HIGH, max_questions=100, random_state=1).n_asked
    hand, package = mean_interval(steps[np.isfinite(steps)]), mean_interval(asked)
    assert hand.low < package.high and package.low < hand.high


def prices_again(seed):
    price = {}
    for name in ("knn-lookup", "logistic", "net"):
        for manner in ("large", "subtle"):
            climbs = [gathered(name, 100 * seed + i, manner)[2] for i in range(3)]
            price[f"{name}, {manner}"] = [c.n_queries / c.arrived.sum() for c in climbs]
    return {"price": {name: (np.mean(p), *mean_interval(p)[1:3]) for name, p in price.items()}}


@claim(
    cell="# Draws the price of a flower",
    says="Large changes are cheaper, less clearly on the logistic",
    again=prices_again,
)
def large_changes_are_cheaper(price):
    means = {name: value[0] for name, value in price.items()}
    assert all(means[f"{name}, large"] < means[f"{name}, subtle"] for name in ("knn-lookup", "logistic", "net"))
    assert min(means, key=means.get) == "net, large" and means["knn-lookup, large"] > 2 * means["net, large"]


@claim(cell="# Draws the price of a flower", says="On the net a few questions will do")
def a_net_is_sure_nearly_everywhere(parts):
    net = targets.make("net").fit(parts.X_in, parts.y_in)
    asked = np.random.default_rng(0).uniform(LOW, HIGH, (1000, 4))
    assert (net.predict_proba(asked).max(axis=1) > 0.95).mean() > 0.75


def distances_again(seed, most=30):
    near = []
    for i in range(6):
        p, _, found = gathered("knn-lookup", 100 * seed + i, most=most)
        away = np.linalg.norm(p.X[:, None] - found.X[found.arrived], axis=2).min(axis=1)
        near.append(auc(-away, p.is_member))
    return {"near": near}


@claim(
    cell="near.append(auc(",
    says="Little better than a coin, and most have arrived by 30",
    again=distances_again,
    settings=({}, {"most": 300}),
)
def near_a_flower_found_is_no_member(near):
    assert 0.46 < np.mean(near) < 0.58


# --- around a candidate ---------------------------------------------------------------------------------------------


def gains_again(seed, step=0.2):
    noise = step * FLOWERS.X.std(axis=0)
    both = {"plain": ThresholdAttack("true_class"), "fall": NeighbourhoodAttack(noise, n_questions=21)}
    gain = {}
    for name in ("knn-lookup", "net", "logistic", "tree"):
        t = run_trials(targets.make(name), FLOWERS.X, FLOWERS.y, both, n_trials=20, random_state=seed)
        gain[name] = mean_interval(t["auc_fall"] - t["auc_plain"])
    return {"gain": gain}


@claim(
    cell="from mialab.trials import run_trials, verdict",
    says="On the net, watching around a candidate is worth a little",
    again=gains_again,
    settings=({}, {"step": 0.5}),
)
def the_fall_helps_on_the_net_and_hurts_on_the_look_up(gain):
    assert gain["net"].low > 0 and gain["net"].mean < 0.12 and gain["knn-lookup"].high < 0
    assert verdict(gain.values()) == "partly"


@claim(cell="net = targets.make(", says="Will it fall where the model has learnt this flower?")
def it_falls_at_77(own, around):
    assert own - around > 0.3
