"""The claims of notebook 01, the flowers."""

from __future__ import annotations

import numpy as np

from claims import claim
from mialab.data import load_iris, split

FLOWERS = load_iris()


def draws_of(seed, n_members=75, n=200):
    return [split(FLOWERS.X, FLOWERS.y, n_members, random_state=1000 * seed + i) for i in range(n)]


@claim(cell="flowers.X.shape, flowers.class_names", says="Setosa is easy: small petals.")
def setosa_stands_apart(flowers):
    assert flowers.X[flowers.y == 0, 2].max() < flowers.X[flowers.y > 0, 2].min()


@claim(cell="shared = sum(", says="Versicolor and virginica touch, and a few flowers stand in the other's cloud")
def two_species_touch_by_petals_and_mix_by_sepals(shared):
    assert shared[:2].min() > 80 and 10 < shared[2:].max() < 50


@claim(cell="border = np.flatnonzero(", says="a handful of flowers live on the border")
def a_handful_on_the_border(border):
    assert 4 <= len(border) <= 8


@claim(cell="border = np.flatnonzero(", says="(70 covers two virginica)")
def flower_70_covers_two(flowers):
    same = (flowers.X[:, 2:] == flowers.X[70, 2:]).all(axis=1)
    assert sorted(flowers.y[same]) == [1, 2, 2]


@claim(cell="how_far = np.linalg.norm(", says="Rows 101 and 142 are identical: same four numbers, same species.")
def the_twins_are_the_only_ones(how_far, flowers):
    assert np.flatnonzero(how_far == 0).tolist() == [101, 142] and flowers.y[101] == flowers.y[142]


def averages_again(seed, n_members=75):
    draws = draws_of(seed, n_members)
    return {"longer": [d.X_in[:, 2].mean() > d.X_out[:, 2].mean() for d in draws]}


@claim(
    cell="longer = [",
    says="Sometimes the members, sometimes the strangers: nothing to go by.",
    again=averages_again,
    settings=({}, {"n_members": 30}, {"n_members": 120}),
)
def neither_has_the_longer_petals(longer):
    assert abs(np.mean(longer) - 0.5) < 4 * 0.5 / len(longer) ** 0.5


def twins_again(seed):
    return {"apart": np.mean([d.is_member[101] != d.is_member[142] for d in draws_of(seed, n=400)])}


@claim(cell="apart = np.mean(", says="In about half of all draws one twin is a member", again=twins_again)
def the_draws_agree_with_the_counting(apart):
    assert abs(apart - 25 / 49) < 4 * 0.5 / 400**0.5
