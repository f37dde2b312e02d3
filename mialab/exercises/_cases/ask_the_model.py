"""The data on which the answers of notebook 03 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab import targets
from mialab.data import load_iris, split


def scores(rng):
    yield (np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]]),)
    yield (np.array([[5.0, -3.0, 1.0]]),)
    for _ in range(5):
        yield (rng.normal(scale=3, size=(int(rng.integers(2, 20)), 3)),)
    # Far from the border exp is infinite, or zero for the whole row beside it.
    yield (np.array([[1000.0, 999.0, -1000.0], [0.0, 1.0, 2.0], [-1000.0, -999.0, -1001.0]]),)


def softmax_by_scipy(scores):
    from scipy.special import softmax

    return softmax(scores, axis=1)


def tables(rng):
    yield (np.array([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]]),)
    yield (np.array([[1.0, 0.0, 0.0]]),)
    for _ in range(6):
        yield (rng.dirichlet([1, 1, 1], size=int(rng.integers(2, 30))),)


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
