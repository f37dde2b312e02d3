"""The claims of notebook 03, ask the model."""

from __future__ import annotations

import numpy as np

from claims import claim
from mialab import targets
from mialab.data import load_iris, split
from mialab.exercises._cases.ask_the_model import surer_than_right
from mialab.metrics import mean_interval
from mialab.trials import run_trials

FLOWERS = load_iris()
SUNFLOWER = [[4.0, 3.0, 15.0, 5.0]]


@claim(cell="question = [[6.0", says="This flower might be a versicolor, and might be a virginica.")
def the_question_is_open(model, question):
    assert sorted(model.predict_proba(question)[0])[1] > 0.4


@claim(cell="asked = np.array(", says="The model calls it a virginica (2), with some confidence, and is wrong.")
def confident_and_wrong(model, flowers):
    assert model.predict(flowers.X[[70]]) == 2 != flowers.y[70] and model.predict_proba(flowers.X[[70]]).max() > 0.7


@claim(cell="sunflower = [[4.0", says="No iris in the data comes near.")
def no_iris_is_near(flowers, sunflower):
    assert flowers.X[:, 2].max() < sunflower[0][2] / 2


def sunflower_again(seed, n_members=75):
    def sure_of(name, i):
        p = split(FLOWERS.X, FLOWERS.y, n_members, random_state=1000 * seed + i)
        return targets.make(name, random_state=i).fit(p.X_in, p.y_in).predict_proba(SUNFLOWER).max()

    names = {"logistic": "logistic", "tree": "tree", "look-up": "knn-lookup", "forest": "forest"}
    return {"sure": {shown: mean_interval([sure_of(name, i) for i in range(20)]) for shown, name in names.items()}}


@claim(
    cell="sure = {shown: mean_interval(",
    says="On average, all four are confident that a sunflower is an iris",
    again=sunflower_again,
    settings=({}, {"n_members": 100}),
)
def all_four_are_confident(sure):
    assert all(sure[name].low > 0.95 for name in ("logistic", "tree", "look-up")) and sure["forest"].low > 0.7


def modest_again(seed, n_members=75):
    table = run_trials(targets.make("logistic"), FLOWERS.X, FLOWERS.y, n_members=n_members, random_state=seed)
    surer = mean_interval(table["confidence_out"] - table["test_accuracy"])
    return {"surer_than_right": lambda _: surer, "model": None}


@claim(
    cell="def surer_than_right(model)",
    says="Below zero: it is right more often than it dares to say.",
    again=modest_again,
    settings=({}, {"n_members": 50}, {"n_members": 100}),
)
def the_logistic_regression_is_modest(surer_than_right, model):
    assert surer_than_right(model).high < -0.05


@claim(cell="dial = [0.01", says='So "logistic regression is modest" is a sentence about `C`.')
def the_dial_turns_it(along):
    means = [each.mean for each in along["logistic"]]
    assert means == sorted(means) and along["logistic"][0].high < 0 < along["logistic"][-1].low


@claim(cell="dial = [0.01", says="It says that, among the labels that it knows, the model's own scores favour this one")
def the_exercise_measures_what_the_notebook_shows(along, dial):
    near = [abs(surer_than_right(C) - shown.mean) < 0.02 for C, shown in zip(dial, along["logistic"], strict=True)]
    assert all(near) and np.all(np.diff([each.mean for each in along["logistic"]]) > 0)
