"""The claims of notebook 17, differential privacy."""

from __future__ import annotations

from functools import cache

import numpy as np

from claims import claim
from mialab.attacks import RMIA
from mialab.data import load_iris, wrong_labels
from mialab.metrics import mean_interval
from mialab.nets import NetClassifier
from mialab.privacy import noise_for, tpr_bound
from mialab.shadows import train_shadows
from mialab.trials import attack_each

FLOWERS = load_iris()
LOW, HIGH = np.array([4.0, 2.0, 1.0, 0.0]), np.array([8.0, 4.5, 7.0, 2.6])
X = 2 * (FLOWERS.X - LOW) / (HIGH - LOW) - 1
PRIVATE = {"epochs": 100, "learning_rate": 0.1, "l2": 0, "standardise": False, "clip": 1.0}


@claim(cell="coin_epsilon = ex.coin_epsilon.yours()", says="two answers spend twice the budget")
def two_answers_spend_twice(respond, coin_epsilon):
    rng = np.random.default_rng(7)
    both = [np.mean(respond(each, 0.5, rng) * respond(each, 0.5, rng)) for each in (np.ones(10**6), np.zeros(10**6))]
    assert abs(np.log(both[0] / both[1]) - 2 * coin_epsilon(0.5)) < 0.02


@claim(cell="clip_rows = ex.clip_rows.yours()", says="whoever joins or leaves, the sum moves by the clip at most")
def nobody_moves_the_sum_by_more(clip_rows, asked):
    for clip in (0.2, 1.0, 3.0):
        assert (np.linalg.norm(clip_rows(asked, clip), axis=1) <= clip + 1e-9).all()


@claim(cell="for noise in [0, noise_for(8", says="the strict promise costs accuracy")
def the_strict_promise_costs_accuracy(right_by_hand):
    strict = noise_for(1, 100, 1e-3)
    for first in (0, 1000):
        assert np.mean([right_by_hand(0, s) - right_by_hand(strict, s) for s in range(first, first + 20)]) > 0.02


# --- what it costs -------------------------------------------------------------------------------------------------


@cache
def draws(seed, share, hidden, **settings):
    """Four draws: accuracy by the true labels, and AUC of RMIA."""
    found = []
    for s in range(10 * seed, 10 * seed + 4):
        y = wrong_labels(FLOWERS.y, share, random_state=s)
        nets = train_shadows(NetClassifier(hidden=hidden, **settings), X, y, n_shadows=12, random_state=s)
        right = (nets.proba.argmax(axis=2) == FLOWERS.y)[~nets.in_mask].mean()
        found.append([right, attack_each(nets, {"RMIA": RMIA()}, n_targets=4)["auc_RMIA"].mean()])
    return np.array(found)


def again(seed, share=0.2, hidden=16, l2=1.0, epochs=100):
    kinds = {f"epsilon {e}": PRIVATE | {"noise": noise_for(e, 100, 1e-3)} for e in (1, 4, 16)}
    kinds |= {"clip, no noise": PRIVATE, "careful": {"l2": l2, "epochs": epochs}, "ordinary": {}}
    nets = {name: draws(seed, share, hidden, **settings) for name, settings in kinds.items()}
    return {"nets": nets, "less_accurate": mean_interval(nets["careful"][:, 0] - nets["epsilon 4"][:, 0])}


CELL, WRONG = 'rivals = {"clip, no noise"', ({}, {"hidden": 32}, {"l2": 3.0, "epochs": 150})


@claim(cell=CELL, says="Beside the ordinary net epsilon 4 looks like a gift", again=again, settings=WRONG)
def epsilon_4_looks_like_a_gift(nets):
    private, ordinary = nets["epsilon 4"].mean(axis=0), nets["ordinary"].mean(axis=0)
    assert private[0] > ordinary[0] + 0.05 and private[1] < ordinary[1] - 0.05


@claim(cell=CELL, says="care alone is more accurate still")
def care_is_more_accurate_in_these_draws(less_accurate):
    assert less_accurate.low > 0


@claim(cell=CELL, says="care alone is more accurate still", again=again, settings=WRONG)
@claim(cell=CELL, says="with clean labels too", again=again, settings=({"share": 0.0}, {"share": 0.0, "hidden": 32}))
def care_is_more_accurate(less_accurate):
    assert less_accurate.mean > 0


@claim(cell=CELL, says="These private nets leaked less than care", again=again, settings=WRONG)
@claim(cell=CELL, says="a smaller leak than care leaves", again=again, settings=WRONG)
def every_private_net_leaks_less_than_the_careful(nets):
    assert max(nets[f"epsilon {e}"][:, 1].mean() for e in (1, 4, 16)) < nets["careful"][:, 1].mean()


@claim(cell=CELL, says="take the noise away, keep the clip, and it is back", again=again, settings=WRONG[:2])
def without_the_noise_the_leak_is_back(nets):
    assert nets["clip, no noise"][:, 1].mean() > nets["careful"][:, 1].mean() - 0.03
    assert nets["clip, no noise"][:, 1].mean() > nets["epsilon 4"][:, 1].mean() + 0.03


@claim(cell="fpr = np.arange(1, 1001)", says="The promise of 16 itself is next to empty")
def sixteen_promises_next_to_nothing():
    assert tpr_bound(0.001, 16, 1e-3) > 0.999


# --- what epsilon allows -------------------------------------------------------------------------------------------


@claim(cell="fpr = np.arange(1, 1001)", says="Epsilon 4 allows nearly everything at five false alarms in a hundred")
def what_the_bounds_allow():
    assert tpr_bound(0.05, 1, 1e-3) < 0.15  # "Epsilon 1 binds every attack."
    assert tpr_bound(0.05, 4, 1e-3) > 0.95
    assert tpr_bound(0.001, 8, 1e-3) > 0.99 and tpr_bound(0.001, 4, 1e-3) < 0.1
