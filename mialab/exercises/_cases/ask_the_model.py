"""The data on which the answers of notebook 03 are tried, and the oracles that they are compared with."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import numpy as np

from mialab import targets
from mialab.data import load_iris, split


def scores(rng):
    yield (np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]]),)
    yield (np.array([[5.0, -3.0, 1.0]]),)
    # Far from the border exp is infinite, or zero for the whole row beside it.
    yield (np.array([[1000.0, 999.0, -1000.0], [0.0, 1.0, 2.0], [-1000.0, -999.0, -1001.0]]),)
    for row in ([1000, 0, -1000], [1000, 999, -1000], [-1000, -1001, -3000], [1000, -1000, -1000], [1e5, 99_999, 0]):
        yield (np.array(list(permutations(row)), dtype=float),)  # whichever comes first
    yield (np.array([[-1000.0, 1000.0, 0.0]]),)
    yield (np.array([[0.0, 1e-3, 2e-3], [1 / 3, 1 / 7, -2 / 9]]),)
    for n in (1, 2, 3, 17):
        yield (rng.normal(scale=3, size=(n, 3)),)


def scores_of_all_flowers():
    return (np.random.default_rng(0).normal(scale=3, size=(150, 3)),)


def softmax_by_scipy(scores):
    from scipy.special import softmax

    return softmax(scores, axis=1)


def tables(rng):
    yield (np.array([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]]),)
    yield (np.array([[1.0, 0.0, 0.0]]),)
    yield (np.eye(3)[::-1].copy(),)
    yield (np.full((2, 3), 1 / 3),)
    yield (np.array([[0.1, 0.2, 0.7]]),)
    yield (np.array([[0.5, 0.499, 0.001], [0.499, 0.5, 0.001], [0.001, 0.499, 0.5]]),)
    yield (np.array([[1 / 3, 1 / 3 - 1e-5, 1 / 3 + 1e-5]]),)
    for n in (2, 3, 5, 28):
        yield (rng.dirichlet([1, 1, 1], size=n),)


def answers_to_all_flowers():
    return (np.random.default_rng(0).dirichlet([1, 1, 1], size=150),)


@cache
def surer_than_right(C):
    """Confidence minus share of right answers, on the strangers of 20 draws, of logistic regression with this C."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from mialab.trials import run_trials

    flowers = load_iris()
    model = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=5000))
    trials = run_trials(model, flowers.X, flowers.y, n_trials=20)
    return float((trials["confidence_out"] - trials["test_accuracy"]).mean())


def tipping_point(first="versicolor", second="virginica"):
    """Petal length at which the logistic regression comes to prefer `second` to `first`, all else average."""
    flowers = load_iris()
    parts = split(flowers.X, flowers.y, n_members=75, random_state=0)
    model = targets.make("logistic").fit(parts.X_in, parts.y_in)
    lengths = np.linspace(1, 7, 601)
    rows = np.tile(flowers.X[flowers.y > 0].mean(axis=0), (len(lengths), 1))
    rows[:, 2] = lengths
    answers = model.predict_proba(rows)
    ahead = answers[:, flowers.class_names.index(second)] - answers[:, flowers.class_names.index(first)]
    return float(lengths[np.flatnonzero(ahead > 0)[0]])
