"""The claims of notebook 05, the recorded label."""

from __future__ import annotations

from itertools import pairwise

from claims import claim
from mialab import targets
from mialab.data import load_iris
from mialab.exercises._cases.recorded_label import ahead_after
from mialab.metrics import mean_interval
from mialab.trials import run_trials

FLOWERS = load_iris()


def noisy(seed, wrong=0.2, n_trials=20, **setting):
    """The trials of the course's net, with this share of the labels wrong."""
    made, signals = targets.make("net"), ["confidence", "true_class"]
    setting |= {"n_trials": n_trials, "random_state": seed, "fraction_wrong": wrong}
    return run_trials(made, FLOWERS.X, FLOWERS.y, signals, **setting)


@claim(cell="pair = [np.flatnonzero(", says="The stranger's was not, and the net contradicts it.")
def the_net_repeats_one_and_contradicts_the_other(answers, recorded, pair):
    member, stranger = answers[[0, 1], recorded[pair]]
    assert member > 0.9 and stranger < 0.1


def found_again(seed, **setting):
    trials = noisy(seed, **setting)
    means = {"own answer": "confidence", "recorded label": "true_class"}
    return {"found": {name: mean_interval(trials[f"auc_{signal}"]) for name, signal in means.items()}}


@claim(
    cell="own, label, if_wrong = zip(",
    says="Ask how sure the net is of the *recorded* label, and members stand out.",
    again=found_again,
    settings=({}, {"wrong": 0.1}, {"wrong": 0.3}, {"n_members": 100}),
)
def members_stand_out_by_the_recorded_label(found):
    assert found["recorded label"].low > 0.54


@claim(
    cell="own, label, if_wrong = zip(",
    says="members are a little behind, and the interval does not reach 0.5",
    again=found_again,
    settings=({}, {"wrong": 0.3}),
)
def members_are_a_little_behind_by_its_own_answer(found):
    assert 0.4 < found["own answer"].mean and found["own answer"].high < 0.5


@claim(cell="behind = mean_interval(", says="Far below one half.")
def members_with_a_wrong_label_are_far_behind(behind):
    assert behind.high < 0.4


@claim(cell="behind = mean_interval(", says="Over all members (the second line) it is far less")
def over_all_members_it_is_far_less(behind, found):
    assert behind.high < found["own answer"].low - 0.1


@claim(
    cell="shares, signals = [0, 0.1", says="With no wrong label there is nothing to repeat, and members are not ahead."
)
def without_wrong_labels_nobody_is_ahead(along):
    assert 0.47 < along["recorded label"][0].low and along["recorded label"][0].high < 0.54


@claim(
    cell="shares, signals = [0, 0.1",
    says="With each further share of wrong labels, members are further ahead by the recorded label.",
)
def each_share_adds(along):
    assert all(more.mean > less.mean + 0.02 for less, more in pairwise(along["recorded label"]))


LINES = 'lines = {"member ahead"'


@claim(cell=LINES, says="a member is ahead in about 65 of 100 pairs")
def ahead_after_500_rounds(lines):
    assert abs(lines["member ahead"][-1].mean - 0.65) < 0.02


@claim(cell=LINES, says="From fifty rounds on, strangers are named rightly less and less often")
def longer_training_names_fewer_rightly(lines):
    assert all(later.mean < sooner.mean - 0.01 for sooner, later in pairwise(lines["named rightly"][1:]))


@claim(cell=LINES, says="at twenty, strangers are named rightly no more often")
def twenty_rounds_name_fewer_rightly_than_fifty(lines):
    twenty, fifty = lines["named rightly"][:2]
    assert fifty.mean - 0.05 < twenty.mean < fifty.mean - 0.01


@claim(cell=LINES, says="and members stand out more and more")
def longer_training_lets_members_stand_out(lines):
    assert all(later.mean > sooner.mean + 0.01 for sooner, later in pairwise(lines["member ahead"][1:]))


@claim(cell=LINES, says="a member is ahead in fewer than 56 of 100 pairs")
def the_exercise_measures_what_the_notebook_shows(lines, rounds):
    shown = zip(rounds, lines["member ahead"], strict=True)
    assert all(abs(ahead_after(n) - mean.mean) < 0.01 for n, mean in shown)
