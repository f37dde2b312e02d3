"""The claims of notebook 04, members and strangers."""

from __future__ import annotations

import numpy as np

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


@claim(cell="difference = mean_interval(", says="The interval of the difference holds zero")
def test_accuracies_cannot_be_told_apart(difference):
    assert difference.low < 0 < difference.high


@claim(cell="difference = mean_interval(", says="all of it lies within two hundredths of zero")
def test_accuracies_are_as_good_as_equal(difference):
    assert -0.02 < difference.low and difference.high < 0.02


@claim(cell="gaps = {name: mean_interval(", says="The look-up model answers every member with exactly 1.00")
def each_member_gets_one(lookup, parts):
    assert (lookup.predict_proba(parts.X_in).max(axis=1) == 1).all()


@claim(cell="gaps = {name: mean_interval(", says="more than half of the strangers with less")
def many_strangers_get_less(lookup, parts):
    assert (lookup.predict_proba(parts.X_out).max(axis=1) < 1).mean() > 1 / 2


def gaps_again(seed, **setting):
    found = {name: trials_of(name, seed, **setting) for name in PAIR}
    return {"gaps": {name: mean_interval(t["confidence_in"] - t["confidence_out"]) for name, t in found.items()}}


@claim(
    cell="gaps = {name: mean_interval(",
    says="About the same accuracy, and a world between them",
    again=gaps_again,
    settings=({}, {"n_members": 50}, {"n_members": 100}),
)
def one_of_two_leaks(gaps):
    assert gaps["look-up"].low > 0.08 and gaps["net"].high < 0.02


@claim(cell="votes = np.bincount(", says="Its fifteen neighbours are of two species")
def the_neighbours_disagree(parts, nearest):
    assert len(nearest) == 15 and len(set(parts.y_in[nearest])) == 2


# --- more models ---------------------------------------------------------------------------------------------------


@claim(cell="sns.stripplot(table", says="Gap in accuracy: four of five alike")
def accuracy_is_alike_for_four(names, accuracy_gaps):
    alike = [n for n in names if accuracy_gaps[n].low > 0.04]
    assert len(alike) == 4 and max(accuracy_gaps[n].high for n in alike) < 0.07
    assert [n for n in names if accuracy_gaps[n].high < 0.04] == ["logistic"]


@claim(cell="sns.stripplot(table", says="Gap in confidence: clear for two only")
def confidence_is_clear_for_two(names, confidence_gaps):
    clear = [n for n in names if confidence_gaps[n].low > 0.04]
    assert clear == ["look-up", "forest-random"]
    assert all(confidence_gaps[n].high < 0.02 for n in names if n not in clear)


@claim(cell="sns.stripplot(table", says="A tick is one split; the dot is the mean of all")
def ticks_stand_in_their_own_rows(names, accuracy, confidence):
    assert list(accuracy) == list(confidence) == names


def pair_again(seed, **setting):
    found = {name: trials_of(name, seed, **setting) for name in ("look-up", "tree")}
    means = {n: mean_interval(t["confidence_in"] - t["confidence_out"]) for n, t in found.items()}
    return {
        "accuracy": {name: t["train_accuracy"] - t["test_accuracy"] for name, t in found.items()},
        "confidence_gaps": means,
    }


@claim(
    cell='for name in ["look-up", "tree"]:',
    says="the tree has about the look-up model's gap, and its confidence is silent",
    again=pair_again,
    settings=({}, {"n_members": 50}, {"n_members": 100}),
)
def the_gap_in_accuracy_does_not_decide(accuracy, confidence_gaps):
    paired = mean_interval(accuracy["look-up"] - accuracy["tree"])
    assert -0.05 < paired.low and paired.high < 0.05  # beside a gap in confidence twice as wide
    assert confidence_gaps["look-up"].low > 0.08 and abs(confidence_gaps["tree"].mean) < 0.005


@claim(cell="net_gap = confidence_gaps", says="There is a gap, and it is tiny")
def the_net_has_a_tiny_gap(net_gap):
    assert 0 < net_gap.low and net_gap.high < 0.01


# --- too few records -----------------------------------------------------------------------------------------------


def sizes_again(seed, sizes=(30, 100)):
    found = {name: [trials_of(name, seed, n_members=n) for n in sizes] for name in PAIR}
    gap = lambda t: mean_interval(t["confidence_in"] - t["confidence_out"])  # noqa: E731
    return {"gap_by_size": {name: [gap(t) for t in tables] for name, tables in found.items()}}


@claim(
    cell="trend(ax, sizes, gap_by_size",
    says="Fewer members, a wider gap, for both",
    again=sizes_again,
    settings=({}, {"sizes": (30, 110)}),
)
def fewer_members_widen_the_gap(gap_by_size):
    assert all(gaps[0].low > gaps[-1].high for gaps in gap_by_size.values())


@claim(cell="trend(ax, sizes, gap_by_size", says="For the net it stays small even with 30", again=sizes_again)
def the_nets_gap_stays_small(gap_by_size):
    assert gap_by_size["net"][0].high < 0.05 < gap_by_size["look-up"][-1].low


# --- whose label ---------------------------------------------------------------------------------------------------


def ahead_again(seed, wrong=0.2):
    clean, noisy = trials_of("net", seed), trials_of("net", seed, fraction_wrong=wrong)
    return {
        "ahead": {
            "clean, recorded label": mean_interval(clean["auc_true_class"]),
            "20% wrong, own answer": mean_interval(noisy["auc_confidence"]),
            "20% wrong, recorded label": mean_interval(noisy["auc_true_class"]),
        }
    }


@claim(
    cell='ahead = {\n    "clean, own answer"',
    says="Ask how sure the net is of the *recorded* label, and members stand out",
    again=ahead_again,
    settings=({}, {"wrong": 0.1}, {"wrong": 0.3}),
)
def wrong_labels_betray_members(ahead):
    assert ahead["20% wrong, recorded label"].low > 0.54 > ahead["clean, recorded label"].high


@claim(
    cell='ahead = {\n    "clean, own answer"',
    says="Ask how sure it is of its *own* answer, and members are slightly behind",
    again=ahead_again,
)
def members_are_behind_in_its_own_answer(ahead):
    assert ahead["20% wrong, own answer"].high < 0.5


@claim(cell="behind, level = mean_interval(", says="The members with a wrong label are behind")
def members_with_a_wrong_label_are_behind(behind):
    assert behind.high < 0.4


@claim(cell="behind, level = mean_interval(", says="the others are about level with strangers")
def the_others_are_level(level):
    assert 0.45 < level.low and level.high < 0.55


@claim(cell="behind, level = mean_interval(", says="The members' *mean* confidence is even a little higher")
def the_mean_is_a_little_higher(gap):
    assert 0 < gap.low and gap.high < 0.03


# --- too long training ---------------------------------------------------------------------------------------------


@claim(cell="member_ahead = [", says="From ten rounds on, strangers are named rightly less and less often")
def longer_training_names_fewer_rightly(right_species):
    means = np.array([(m.low, m.high) for m in right_species[1:]])
    assert (means[:-1, 0] > means[1:, 1]).all()


@claim(cell="member_ahead = [", says="Long training on wrong labels makes the net repeat what it was taught")
def longer_training_lets_members_stand_out(member_ahead):
    assert member_ahead[0].high < member_ahead[-1].low


@claim(cell="member_ahead = [", says="With clean labels the same nets give away hardly anything")
def with_clean_labels_no_trend(ahead_clean):
    assert all(0.47 < m.low and m.high < 0.54 for m in ahead_clean)
