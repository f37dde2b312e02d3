"""The claims of notebook 18, audit a promise."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache

import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import PolynomialFeatures, scale

from claims import claim
from mialab.data import load_iris
from mialab.exposure import deletion
from mialab.nets import NetClassifier, train_nets
from mialab.privacy import audit_epsilon, audit_one_run, audit_power, canaries, most_certifiable, noise_for

FLOWERS = load_iris()
X = 2 * (FLOWERS.X - [4.0, 2.0, 1.0, 0.0]) / [4.0, 2.5, 6.0, 2.6] - 1
PRIVATE = {"hidden": 0, "epochs": 25, "learning_rate": 0.2, "l2": 0, "standardise": False}
HOW = {"kept": (1, 1), "half": (1, 1 / 2), "three": (3, 1 / 3), "fifth": (1, 1 / 5), "ten": (10, 1 / 10)}


# --- many nets -----------------------------------------------------------------------------------------------------


@cache
def shown(seed, what, n=4000):
    """What many trainings show, by the package's own audit, around other flowers and with other noise."""
    few = np.random.default_rng(seed).choice(150, 20, replace=False)
    records, labels = np.vstack([X[few], np.full(4, 5.0)]), np.append(FLOWERS.y[few], 0)
    with_it = np.arange(n) % 2 == 0
    masks = np.column_stack([np.ones((n, 20), dtype=bool), with_it])
    clip, share = HOW[what]
    noise = noise_for(4, 25, 1e-3) * share
    nets = train_nets(records, labels, masks, **PRIVATE, clip=clip, noise=noise, random_state=seed)
    return audit_epsilon(nets.predict_proba(records[20:])[:, 0, 0], with_it, 1e-3).at_least


def again(*which):
    return lambda seed: {what: shown(seed, what) for what in which}


@claim(cell="least_epsilon = ex.least_epsilon.yours()", says="how much can `n` trainings of each kind show?")
def a_few_trainings_show_little(least_epsilon):
    assert least_epsilon(10, 0, 10, 1e-3) < 1 < 3 < least_epsilon(100, 0, 100, 1e-3) < 4


@claim(cell='kept = audit("kept"', says="A kept promise, a limit far below", again=again("kept"))
def a_kept_promise_is_shown_far_below(kept):
    assert kept < 2


@claim(cell='none = audit("no noise at all"', says="Here only the two grossest faults are caught")
def the_grossest_are_caught(half, three, fifth, ten, none):
    assert max(half, three, fifth) < 4 < min(ten, none)


@claim(
    cell='none = audit("no noise at all"',
    says="Here only the two grossest faults are caught",
    again=again("half", "three"),
)
def the_smaller_faults_are_not_caught(half, three):
    assert half < 3.5 and three < 4


@claim(cell='none = audit("no noise at all"', says="Here only the two grossest faults are caught", again=again("ten"))
def a_tenth_of_the_noise_under_a_long_clip_is_caught(ten):
    assert ten > 4


@claim(cell='none = audit("no noise at all"', says="An epsilon of 36 was not refuted", again=again("fifth"))
def a_fifth_of_the_noise_is_not_caught(fifth):
    assert fifth < 4


@claim(cell='none = audit("no noise at all"', says="with another seed even no noise at all can escape")
def no_noise_is_not_always_caught(least_epsilon, records, labels, masks, with_it, private):
    nets = train_nets(records, labels, masks, **private, clip=1, noise=0.0, random_state=4)
    sure = nets.predict_proba(records[20:])[:, 0, 0]
    yes, no = sure[with_it], sure[~with_it]
    shown = {t: least_epsilon((yes[::2] >= t).sum(), (no[::2] >= t).sum(), 1000, 1e-3) for t in np.sort(sure)[::20]}
    t = max(shown, key=shown.get)
    assert least_epsilon((yes[1::2] >= t).sum(), (no[1::2] >= t).sum(), 1000, 1e-3) < 4


# --- power ---------------------------------------------------------------------------------------------------------


def power_again(seed):
    return {"power": {truth: audit_power(4, truth, 4000, 1e-3, n_trials=20, random_state=seed) for truth in (10, 17)}}


@claim(cell="power = {truth:", says="Half of the noise mostly escapes even the best", again=power_again)
def half_mostly_escapes(power):
    assert power[10] < 0.5


@claim(
    cell="power = {truth:",
    says="A clip three times too long and a fifth of the noise do not, given 4,000 trainings",
    again=power_again,
)
def the_others_do_not(power):
    assert power[17] > 0.8


# --- one run -------------------------------------------------------------------------------------------------------


def one_run(planted, net):
    net.fit(*planted.beside(X, FLOWERS.y))
    sure = net.predict_proba(planted.X)[range(200), planted.y]
    bound = audit_one_run(sure, planted.is_member, 1e-3, n_guesses=100).at_least
    return f"epsilon at least {bound:.1f}"


def planted_again(seed, hidden=64):
    made_up, rng = canaries(X, FLOWERS.y, 200, random_state=seed), np.random.default_rng(seed)
    near = rng.integers(0, 150, 200)
    like_flowers = replace(made_up, X=X[near] + rng.normal(0, 0.05, (200, 4)), y=FLOWERS.y[near])
    ordinary = NetClassifier(hidden=hidden, epochs=1000, random_state=seed)
    forgotten = NetClassifier(**PRIVATE, clip=1.0, noise=0.0, random_state=seed)
    return {"one_run": one_run, "made_up": made_up, "like_flowers": like_flowers, "ordinary": ordinary,
            "forgotten": forgotten}  # fmt: skip


def number(said):
    return float(said.split()[-1])


@claim(
    cell="like_flowers = replace(", says="The ordinary net has learnt much of the made-up ones, and shows it",
    again=planted_again, settings=({}, {"hidden": 32}),
)  # fmt: skip
def made_up_canaries_show_it(one_run, made_up, ordinary):
    assert number(one_run(made_up, ordinary)) >= 0.5


@claim(
    cell="like_flowers = replace(", says="with canaries like flowers it looks private",
    again=planted_again, settings=({}, {"hidden": 32}),
)  # fmt: skip
def canaries_like_flowers_show_nothing(one_run, like_flowers, ordinary):
    assert number(one_run(like_flowers, ordinary)) < 0.3


@claim(cell="like_flowers = replace(", says="The small net without noise shows nothing", again=planted_again)
def the_small_net_shows_next_to_nothing(one_run, made_up, like_flowers, forgotten):
    assert max(number(one_run(made_up, forgotten)), number(one_run(like_flowers, forgotten))) < 0.4


@claim(cell="like_flowers = replace(", says="100 guesses can show the last line at most, never 4")
def a_hundred_guesses_show_less_than_4(bound):
    assert bound(99) < bound(100) < most_certifiable(100) < 4


# --- deletion ------------------------------------------------------------------------------------------------------


def gone_again(seed, degree=3, rounds=5):
    Z = scale(PolynomialFeatures(degree, include_bias=False).fit_transform(X))
    model = SGDClassifier(loss="log_loss", max_iter=100, tol=None, random_state=0)

    def train_on(model, members, rows):
        model, stays = deepcopy(model), np.setdiff1d(np.flatnonzero(members), rows)
        for _ in range(rounds):
            model.partial_fit(Z[stays], FLOWERS.y[stays])
        return model

    ways = {"trained on": train_on, "trained anew": None}
    flowers = [83, 133, 70]
    return {"gone": {way: deletion(model, Z, FLOWERS.y, flowers, unlearn, n_shadows=20, random_state=seed)
                     for way, unlearn in ways.items()}}  # fmt: skip


def left(gone, way):
    return gone[way].before.auc[[83, 133, 70]].mean(), gone[way].after.auc[[83, 133, 70]].mean()


@claim(
    cell="gone = {way: deletion(", says="After five rounds the models know them about as well as before",
    again=gone_again, settings=({}, {"degree": 4}),
)  # fmt: skip
def what_was_trained_on_knows_them_still(gone):
    before, after = left(gone, "trained on")
    assert before > 0.8 and after > before - 0.05


@claim(
    cell="gone = {way: deletion(", says="Trained anew, nothing shows", again=gone_again, settings=({}, {"degree": 4})
)
def what_was_trained_anew_does_not(gone):
    assert 0.35 < left(gone, "trained anew")[1] < 0.65
