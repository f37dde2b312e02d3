"""Numbers that survive a sceptic: the strongest attack and the price of choosing it, draws that share, settings."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from mialab.attacks import RMIA, LiRA, ThresholdAttack
from mialab.attacks._calibrated import TIE, _tied
from mialab.data import load_iris
from mialab.metrics import auc, mean_interval, strongest, tpr_at
from mialab.shadows import train_shadows
from mialab.targets import make
from mialab.trials import (
    attack_each,
    each_interval,
    run_trials,
    score_each,
    summarise,
    verdict,
    verdicts,
    with_strongest,
)

FLOWERS = load_iris()
X, Y = FLOWERS.X, FLOWERS.y
TREES = train_shadows(make("tree"), X, Y, n_shadows=16, random_state=0)


# One target


def test_of_coins_the_best_looks_good_and_the_strongest_does_not():
    rng, member = np.random.default_rng(0), np.arange(60) < 30
    found = [strongest({str(i): rng.random(60) for i in range(8)}, member, n_halvings=5) for _ in range(80)]
    best, held_out = (np.array([getattr(each, name) for each in found]) for name in ("best", "auc"))
    assert best.mean() > 0.57
    assert abs(held_out.mean() - 0.5) < 4 * held_out.std() / np.sqrt(80)
    assert [each.price for each in found] == pytest.approx(best - held_out)
    covered = [each.interval[0] <= 0.5 <= each.interval[1] for each in found]
    assert np.mean(covered) > 0.9


def test_where_one_attack_is_clearly_ahead_choosing_costs_nothing():
    rng, member = np.random.default_rng(1), np.arange(100) % 2 == 0
    scores = {
        "works": member + rng.normal(size=100) / 3,
        "coin": rng.random(100),
        "worse": member + rng.normal(size=100),
    }
    found = strongest(scores, member)
    assert found.name == "works" and found.chosen == {"works": 1.0, "coin": 0.0, "worse": 0.0}
    assert found.best == auc(scores["works"], member)
    assert found.auc == pytest.approx(found.best, abs=0.01)
    assert "the strongest of 3 attacks, works: AUC" in repr(found)


def test_one_halving_by_hand():
    """Of 4 members and 4 strangers two of each choose; whichever they are, the one half judges what the other chose."""
    member = np.array([True] * 4 + [False] * 4)
    scores = {"a": np.array([8, 7, 1, 2, 5, 6, 3, 4.0]), "b": np.array([1, 2, 8, 7, 5, 6, 3, 4.0])}
    found = strongest(scores, member, n_halvings=1, random_state=3)
    rng, chooses = np.random.default_rng(3), np.zeros(8, dtype=bool)
    chooses[rng.permutation(4)[:2]] = True
    chooses[4 + rng.permutation(4)[:2]] = True
    judged = []
    for half in (chooses, ~chooses):
        name = max(scores, key=lambda name: auc(scores[name][half], member[half]))
        judged.append(auc(scores[name][~half], member[~half]))
    assert found.auc == np.mean(judged)


@pytest.mark.parametrize(
    ("scores", "member", "message"),
    [
        ({}, [1, 0], "scores is a dict; it should be a dict of name: scores, and not empty"),
        ([0.1, 0.2], [1, 0], "scores is a list"),
        ({"a": [1, 2, 3]}, [1, 0, 0], "is_member has 1 members and 2 non-members; 2 of each"),
        ({"a": [1, np.nan, 3]}, [1, 0, 0], "scores holds NaN"),
    ],
)
def test_what_cannot_be_halved_is_refused(scores, member, message):
    with pytest.raises(ValueError, match=message):
        strongest(scores, member)


# Many trials


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
def test_no_trial_judges_an_attack_that_it_chose(seed, n):
    values = np.random.default_rng(seed).random((n, 3))
    trials = pd.DataFrame(values, columns=["auc_a", "auc_b", "auc_c"]).assign(tpr_a=0.0, train_accuracy=1.0)
    found = with_strongest(trials, n_halvings=3, random_state=seed)
    rng, expected = np.random.default_rng(seed), np.zeros(n)
    for _ in range(3):
        chooses = set(rng.permutation(n)[: n // 2].tolist())
        for i in range(n):
            others = [j for j in range(n) if (j in chooses) != (i in chooses)]
            expected[i] += values[i][values[others].mean(axis=0).argmax()] / 3
    assert found["auc_strongest"].to_numpy() == pytest.approx(expected)
    assert list(found.columns) == [*trials.columns, "auc_strongest"]
    assert with_strongest(found, n_halvings=3, random_state=seed).equals(found)  # not itself an attack


def test_a_pair_of_targets_is_on_one_side():
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.random((4, 2)), columns=["tpr_a", "tpr_b"]).rename_axis("target in turn")
    found = with_strongest(table, "tpr", random_state=0)["tpr_strongest"].to_numpy()
    values = table.to_numpy()
    by_other_pair = [values[k, values[[2, 3] if k < 2 else [0, 1]].mean(axis=0).argmax()] for k in range(4)]
    assert found == pytest.approx(by_other_pair)
    with pytest.raises(ValueError, match="trials has 1 draws and 2 columns tpr_<attack>"):
        with_strongest(table[:2], "tpr")
    with pytest.raises(ValueError, match="4 draws and 0 columns auc_"):
        with_strongest(table.rename_axis(None))


def test_trials_may_count_few_false_alarms():
    table = attack_each(TREES, {"RMIA": RMIA()}, n_targets=2, fpr=0.05)
    scores = score_each(TREES, RMIA(), n_targets=2)
    assert table["tpr_RMIA"].tolist() == [tpr_at(scores[k], TREES.in_mask[k], 0.05) for k in range(2)]
    assert "tpr_true_class" in run_trials(make("tree"), X, Y, n_trials=1, fpr=0.1)
    with pytest.raises(ValueError, match="fpr is 2"):
        run_trials(make("tree"), X, Y, n_trials=1, fpr=2)


# Draws that share


def test_the_draws_of_attack_each_are_pairs_of_targets():
    table = attack_each(TREES, n_targets=8)
    area = table["auc_true_class"]
    by_pair = [area[[2 * j, 2 * j + 1]].mean() for j in range(4)]
    found = mean_interval(area)
    assert tuple(found)[:3] == pytest.approx(tuple(mean_interval(by_pair))[:3])
    assert repr(found).endswith("4 pairs of targets)")
    assert mean_interval(table["train_accuracy"] - table["test_accuracy"]).n == 4
    assert summarise(table).loc["auc_true_class"].tolist() == pytest.approx(list(found[:3]))
    two = pd.concat([area[:4], area[:4] + 0.1])  # of two sets of shadows, put together
    assert mean_interval(two).n == 4
    assert mean_interval(area.to_numpy()).over == "draws"  # bare numbers say nothing of pairs
    with pytest.raises(ValueError, match="at least 2 pairs of targets"):
        mean_interval(area[:2])


def test_the_interval_of_all_shadows_is_seen_by_halving():
    attacks = {"threshold": ThresholdAttack(), "RMIA": RMIA(online=False)}
    found = each_interval(TREES, attacks, n_halvings=2, random_state=5)
    rng, squares = np.random.default_rng(5), 0
    halves = [
        np.repeat([j in set(order[:4]) for j in range(8)], 2) for order in (rng.permutation(8), rng.permutation(8))
    ]
    for half in halves:
        one, other = (attack_each(TREES.subset(keep), attacks)["auc_RMIA"].mean() for keep in (half, ~half))
        squares += ((one - other) / 2) ** 2 / 2
    assert found.loc["auc_RMIA", "mean"] == attack_each(TREES, attacks)["auc_RMIA"].mean()
    reach = t.ppf(0.975, 1 / (1 / 2 + 1 / 7)) * np.sqrt(squares)  # 2 halvings, 8 pairs
    assert found.loc["auc_RMIA", "high"] - found.loc["auc_RMIA", "mean"] == pytest.approx(reach)
    paired = each_interval(TREES, attacks, n_halvings=2, less="threshold", fpr=0.1)
    assert list(paired.index) == ["auc_RMIA", "tpr_RMIA"]
    gain = found.loc["auc_RMIA", "mean"] - found.loc["auc_threshold", "mean"]
    assert paired.loc["auc_RMIA", "mean"] == pytest.approx(gain)
    with pytest.raises(ValueError, match="less is 'auc_LiRA'"):
        each_interval(TREES, attacks, n_halvings=2, less="LiRA")
    with pytest.raises(ValueError, match="there are 8 shadows; at least 12"):
        each_interval(TREES.subset(np.arange(16) < 8))


def test_log_odds_that_differ_by_rounding_tie():
    odds = np.array([0.1, 0.1 + 1e-16, 13.815510557964274, 13.815510557964276, 0.1 + 3 * TIE])
    tied = _tied(odds)
    assert tied[0] == tied[1] and tied[2] == tied[3] and tied[4] > tied[0]
    assert tied == pytest.approx(odds, rel=TIE, abs=TIE)
    X, y = np.arange(12.0)[:, None], np.arange(12) % 3
    shadows = train_shadows(make("one-nn"), X, y, n_shadows=8, random_state=0)
    nudged = type(shadows)(X, y, shadows.in_mask, np.abs(shadows.proba - 1e-13), shadows.classes_, shadows.models)
    for attack in (LiRA(), LiRA(variance="fixed"), LiRA(online=False)):
        plain, other = (attack.fit(shadows.models[0], each).score_samples(X, y) for each in (shadows, nudged))
        assert (plain == other).all()


# Settings


def test_a_claim_holds_where_it_holds():
    effects = {0.6: [(0.2, 0.1, 0.3)], 0.7: [(0.2, 0.1, 0.3), (0.0, -0.1, 0.1)], 0.8: [(0.3, 0.2, 0.4)]}
    found = verdicts(effects)
    assert found.at == {setting: verdict(each) for setting, each in effects.items()}
    assert found.overall is None and found.holding("supported") == [0.6, 0.8] and found.holding("not shown") == []
    assert str(found) == "It turns with the setting: supported at 0.6 and 0.8; partly at 0.7."
    assert verdicts(effects, smallest=0.25).holding("supported") == [0.8]
    same = verdicts({"net": [(0.2, 0.1, 0.3)], "tree": [(0.2, 0.1, 0.3)]})
    assert same.overall == "supported" and str(same) == "supported at net and tree."
    for bad in ({}, [(0.2, 0.1, 0.3)]):
        with pytest.raises(ValueError, match=r"effects is a .* dict of setting: effects"):
            verdicts(bad)
