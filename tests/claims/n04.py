"""The claims of notebook 04, members and strangers."""

from __future__ import annotations

from itertools import pairwise

from claims import claim
from mialab import targets
from mialab.data import load_iris
from mialab.metrics import mean_interval
from mialab.trials import run_trials

FLOWERS = load_iris()
PAIR = {"look-up": "knn-lookup", "net": "net"}


def trials_of(name: str, seed: int, signals=("confidence", "true_class"), n_trials=25, **setting):
    """The trials of one of the course's models on flowers."""
    made = targets.make(PAIR.get(name, name))
    return run_trials(made, FLOWERS.X, FLOWERS.y, signals, n_trials=n_trials, random_state=seed, **setting)


# --- two models, equally good --------------------------------------------------------------------------------------


def pair_again(seed, **setting):
    return {"trials": {name: trials_of(name, seed, n_trials=40, **setting) for name in PAIR}}


SIZES = {"again": pair_again, "settings": ({}, {"n_members": 50}, {"n_members": 100})}


@claim(
    cell="trials = {ours: run_trials(",
    says="By test accuracy alone you could not say which of them is the better one",
    again=pair_again,
)
def accuracies_are_as_good_as_equal(trials):
    difference = mean_interval(trials["look-up"]["test_accuracy"] - trials["net"]["test_accuracy"])
    assert -0.025 < difference.low and difference.high < 0.025


GAPS = 'print(f"{name:8}", mean_interval(table["confidence_in"]'


@claim(cell=GAPS, says="The look-up model answers every member with exactly 1.00")
def each_member_gets_one(lookup, parts):
    assert (lookup.predict_proba(parts.X_in).max(axis=1) == 1).all()


@claim(cell=GAPS, says="more than half of the strangers with less")
def many_strangers_get_less(lookup, parts):
    assert (lookup.predict_proba(parts.X_out).max(axis=1) < 1).mean() > 1 / 2


@claim(cell=GAPS, says="About the same accuracy, and a world between them", **SIZES)
def one_of_two_leaks(trials):
    gaps = {name: mean_interval(t["confidence_in"] - t["confidence_out"]) for name, t in trials.items()}
    assert gaps["look-up"].low > 0.08 and gaps["net"].high < 0.02


@claim(cell=GAPS, says="There is a gap, and it is tiny")
def the_net_has_a_tiny_gap(trials):
    gap = mean_interval(trials["net"]["confidence_in"] - trials["net"]["confidence_out"])
    assert 0 < gap.low and gap.high < 0.01


@claim(cell="votes = np.bincount(", says="Its fifteen neighbours are of two species")
def the_neighbours_disagree(parts, nearest):
    assert len(nearest) == 15 and len(set(parts.y_in[nearest])) == 2


# --- more models ---------------------------------------------------------------------------------------------------


@claim(cell="in_accuracy = {", says="Four of five are alike")
def accuracy_is_alike_for_four(in_accuracy):
    alike = [n for n in in_accuracy if in_accuracy[n].low > 0.03]
    assert len(alike) == 4 and max(in_accuracy[n].high for n in alike) < 0.08
    assert [n for n in in_accuracy if in_accuracy[n].high < 0.04] == ["logistic"]


@claim(cell="in_confidence = {", says="Two of five stand out")
def confidence_is_clear_for_two(in_confidence):
    clear = [n for n in in_confidence if in_confidence[n].low > 0.04]
    assert clear == ["look-up", "forest-random"]
    assert all(in_confidence[n].high < 0.02 for n in in_confidence if n not in clear)


def tree_again(seed, **setting):
    return {"tables": {name: trials_of(name, seed, **setting) for name in ("look-up", "tree")}}


@claim(
    cell="in_confidence = {",
    says="the tree has about the look-up model's gap, and its confidence is silent",
    again=tree_again,
    settings=({}, {"n_members": 50}, {"n_members": 100}),
)
def the_gap_in_accuracy_does_not_decide(tables):
    both = {name: tables[name].iloc[:20] for name in ("look-up", "tree")}  # the same draws
    gaps = {name: table["train_accuracy"] - table["test_accuracy"] for name, table in both.items()}
    paired = mean_interval(gaps["look-up"] - gaps["tree"])
    assert -0.05 < paired.low and paired.high < 0.05  # beside a gap in confidence twice as wide
    sure = {n: (tables[n]["confidence_in"] - tables[n]["confidence_out"]).mean() for n in ("look-up", "tree")}
    assert sure["look-up"] > 0.08 and abs(sure["tree"]) < 0.005


@claim(cell="in_confidence = {", says="it answers everyone with 1.00, and its confidence tells nobody apart")
def the_tree_is_certain_of_everyone(tables):
    assert (tables["tree"][["confidence_in", "confidence_out"]] == 1).all(axis=None)


# --- too few records -----------------------------------------------------------------------------------------------


def sizes_again(seed, sizes=(30, 100)):
    found = {name: [trials_of(name, seed, n_members=n) for n in sizes] for name in PAIR}
    gap = lambda t: mean_interval(t["confidence_in"] - t["confidence_out"])  # noqa: E731
    return {"along": {name: [gap(t) for t in tables] for name, tables in found.items()}}


@claim(
    cell="along = {ours: [gap(",
    says="Fewer members, a wider gap: plainly for the look-up model.",
    again=sizes_again,
    settings=({"sizes": (30, 50, 75, 100)}, {"sizes": (30, 110)}),
)
def fewer_members_widen_the_look_ups_gap(along):
    assert all(fewer.low > more.high for fewer, more in pairwise(along["look-up"]))


@claim(cell="along = {ours: [gap(", says="The net's stays small:", again=sizes_again)
def the_nets_gap_stays_small(along):
    assert along["net"][0].high < 0.05 < along["look-up"][-1].low


@claim(cell="along = {ours: [gap(", says="about as large with 30 as with 50 (ten draws do not tell the two apart)")
def the_net_with_30_and_with_50(along):
    with_30, with_50 = along["net"][:2]
    assert with_30.low < with_50.mean < with_30.high and with_50.low < with_30.mean < with_50.high


@claim(cell="along = {ours: [gap(", says="next to nothing with 75 and 100")
def the_net_with_more(along):
    assert all(gap.high < 0.01 for gap in along["net"][2:])
