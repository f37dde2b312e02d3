"""The claims of notebook 02, train a classifier."""

from __future__ import annotations

from claims import claim
from mialab import targets
from mialab.data import load_iris
from mialab.metrics import mean_interval
from mialab.trials import run_trials

FLOWERS = load_iris()
MODELS = {"logistic regression": "logistic", "tree": "tree"}


def trials_again(seed, **setting):
    return {
        "trials": {
            name: run_trials(targets.make(made), FLOWERS.X, FLOWERS.y, n_trials=40, random_state=seed, **setting)
            for name, made in MODELS.items()
        }
    }


LAW = {"again": trials_again, "settings": ({}, {"n_members": 60}, {"n_members": 90})}


@claim(
    cell="predicted = model.predict(", says="Of the last 15 members one gets another label than the botanist gave it."
)
def one_of_the_last_is_wrong(predicted, parts):
    assert (predicted[60:] != parts.y_in[60:]).sum() == 1


@claim(cell="baseline = baseline_accuracy(", says="the lazy rule is right about a third of the strangers")
def the_model_beats_the_baseline(baseline, on_strangers):
    assert abs(baseline - 1 / 3) < 0.01 and on_strangers > 0.8


@claim(cell="tree = DecisionTreeClassifier(random_state=0)", says="The tree's perfection says nothing about flowers")
def the_tree_is_perfect_on_its_members(tree, parts):
    assert tree.score(parts.X_in, parts.y_in) == 1


@claim(cell="leaf_sizes = ", says="A leaf with one or two flowers tells little about a species")
def there_are_small_leaves(leaf_sizes):
    assert (leaf_sizes <= 2).sum() >= 2


@claim(cell="found = np.array([tree_on_strangers(", says="That is a wide range")
def the_draws_differ_widely(found):
    assert found.max() - found.min() > 0.05


@claim(cell='print(f"{found.mean() - half:.3f}', says="it changes little.")
def the_rule_of_thumb_is_near(found, half):
    by_package = mean_interval(found)
    assert 0 < (by_package.high - by_package.mean) - half < 0.001


@claim(cell="heights, seen = [], {}", says="Many dots lie outside the bar")
def many_dots_lie_outside(found, mean):
    assert ((found < mean.low) | (found > mean.high)).mean() > 1 / 4


@claim(cell="trials = {name: run_trials(", says="On strangers the two are about equally good.", **LAW)
def about_equally_good(trials):
    difference = mean_interval(trials["logistic regression"]["test_accuracy"] - trials["tree"]["test_accuracy"])
    assert -0.02 < difference.low and difference.high < 0.03


@claim(cell="trials = {name: run_trials(", says="On members the tree is always right", **LAW)
def the_tree_is_always_right_on_members(trials):
    assert (trials["tree"]["train_accuracy"] == 1).all()


@claim(cell="trials = {name: run_trials(", says="it is only a little better on its members than on strangers", **LAW)
def the_logistic_regression_has_hardly_a_gap(trials):
    table = trials["logistic regression"]
    assert abs((table["train_accuracy"] - table["test_accuracy"]).mean()) < 0.025


@claim(cell="trials = {name: run_trials(", says="(Draw 8, with which we began, would have misled us about that.)")
def draw_8_was_unusual(trials, model, parts):
    table = trials["logistic regression"]
    here = model.score(parts.X_in, parts.y_in) - model.score(parts.X_out, parts.y_out)
    assert here > mean_interval(table["train_accuracy"] - table["test_accuracy"]).high


@claim(cell="halves(members, strangers", says="Only the tree is perfect on its members")
def only_the_tree(members):
    assert members["tree"].mean == 1 and members["logistic regression"].high < 1
