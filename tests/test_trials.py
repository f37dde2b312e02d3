"""Many trials: paired, reproducible, and 0.50 on average when the declared members are not the real ones."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from mialab.attacks import (
    SIGNALS,
    Attack,
    ShadowAttack,
    ThreatModel,
    ThresholdAttack,
    confidence,
    true_class_confidence,
)
from mialab.data import load_iris, split, wrong_labels
from mialab.metrics import auc, mean_interval
from mialab.shadows import train_shadows
from mialab.targets import make
from mialab.trials import run_trials, summarise, verdict

FLOWERS = load_iris()
X, Y = FLOWERS.X, FLOWERS.y
EVERY_SIGNAL = list(SIGNALS)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "fraction_wrong"),
    [("knn-lookup", 0.0), ("knn-lookup", 0.2), ("tree", 0.0), ("tree", 0.2), ("forest", 0.0), ("net", 0.0)],
)
def test_the_negative_control_is_one_half_for_every_signal(name, fraction_wrong):
    trials = run_trials(
        make(name), X, Y, EVERY_SIGNAL, n_trials=25, fraction_wrong=fraction_wrong, null=True, random_state=1
    )
    for signal in EVERY_SIGNAL:
        column = trials[f"auc_{signal}"]
        assert abs(column.mean() - 0.5) <= 4 * column.std() / np.sqrt(len(column))
    gap = trials.train_accuracy - trials.test_accuracy
    assert abs(gap.mean()) <= 4 * gap.std() / np.sqrt(len(gap))


def test_a_leak_in_the_declared_split_would_be_caught():
    """The control can fail: without `null` the same target is far from one half."""
    leak = run_trials(make("knn-lookup"), X, Y, n_trials=20).auc_true_class
    assert abs(leak.mean() - 0.5) > 20 * leak.std() / np.sqrt(len(leak))


def test_one_row_a_trial_and_one_column_an_attack():
    trials = run_trials(KNeighborsClassifier(1), X, Y, ["confidence", "correct"], n_trials=3)
    assert list(trials) == [
        "train_accuracy", "test_accuracy", "confidence_in", "confidence_out", "auc_confidence", "auc_correct"
    ]  # fmt: skip
    assert len(trials) == 3
    assert list(run_trials(KNeighborsClassifier(1), X, Y, n_trials=1))[-1] == "auc_true_class"
    named = run_trials(KNeighborsClassifier(1), X, Y, {"mine": ThresholdAttack("correct")}, n_trials=3)
    np.testing.assert_array_equal(named.auc_mine, trials.auc_correct)


@pytest.mark.long
def test_the_table_depends_on_the_seed_and_not_on_the_number_of_jobs():
    def table(**settings):
        return run_trials(make("forest"), X, Y, n_trials=4, **settings)

    pd.testing.assert_frame_equal(table(random_state=5), table(random_state=5))
    pd.testing.assert_frame_equal(table(random_state=5), table(random_state=5, n_jobs=2))
    assert not table(random_state=5).equals(table(random_state=6))
    assert not table(random_state=None).equals(table(random_state=None))


def test_every_target_meets_the_same_splits():
    one = run_trials(KNeighborsClassifier(1), X, Y, n_trials=5, fraction_wrong=0.2)
    other = run_trials(lambda random_state: KNeighborsClassifier(1), X, Y, n_trials=5, fraction_wrong=0.2)
    pd.testing.assert_frame_equal(one, other)


def test_each_trial_trains_a_fresh_model_with_a_seed_of_its_own():
    model, seeds = make("net"), []
    run_trials(model, X, Y, n_trials=2)
    assert not hasattr(model, "classes_")

    def maker(random_state):
        seeds.append(random_state)
        return DecisionTreeClassifier(random_state=random_state)

    run_trials(maker, X, Y, n_trials=4)
    assert len(set(seeds)) == 4


class Recorder(ClassifierMixin, BaseEstimator):
    """A model that only remembers what it was trained with."""

    def __init__(self, log=None, random_state=None):
        self.log, self.random_state = log, random_state

    def fit(self, X, y):
        self.classes_ = np.unique(Y)
        LOG.append((X, y, self.random_state))
        return self

    def predict_proba(self, X):
        return np.full((len(X), 3), 1 / 3)


LOG: list = []


def test_members_train_with_their_recorded_labels():
    LOG.clear()
    trials = run_trials(Recorder(), X, Y, n_trials=10, n_members=60, fraction_wrong=0.2)
    truth = {tuple(record): label for record, label in zip(X, Y, strict=True)}
    for records, labels, _ in LOG:
        assert len(records) == 60
        wrong = np.array([truth[tuple(record)] for record in records]) != labels
        assert 2 <= wrong.sum() <= 25  # 12 expected
    assert len({seed for *_, seed in LOG}) == 10
    assert (trials.auc_true_class == 0.5).all()
    assert len({labels.tobytes() for _, labels, _ in LOG}) == 10  # drawn afresh


def test_accuracy_is_by_recorded_labels_and_the_clean_one_is_beside_it():
    noisy = run_trials(make("tree"), X, Y, ["correct"], n_trials=30, fraction_wrong=0.2)
    assert noisy.train_accuracy.mean() > 0.99
    assert mean_interval(noisy.clean_test_accuracy - noisy.test_accuracy).low > 0.08
    # "was it right?" gains exactly the gap between the recorded accuracies
    np.testing.assert_allclose(noisy.auc_correct, 0.5 + (noisy.train_accuracy - noisy.test_accuracy) / 2)
    assert "clean_test_accuracy" not in run_trials(make("tree"), X, Y, n_trials=1)


def test_label_noise_makes_memorising_visible_in_the_recorded_label_only():
    trials = run_trials(make("tree"), X, Y, ["confidence", "true_class"], n_trials=40, fraction_wrong=0.2)
    assert mean_interval(trials.auc_true_class).mean == pytest.approx(0.69, abs=0.025)
    assert mean_interval(trials.auc_confidence).mean == pytest.approx(0.50, abs=0.01)


def test_one_trial_by_hand():
    """With two records of each class and one of each a member, the table can be worked out on paper."""
    records = np.array([[0.0], [0.0], [9.0], [9.0]])
    trials = run_trials(KNeighborsClassifier(1), records, [0, 0, 1, 1], ["confidence"], n_members=2, n_trials=2)
    assert trials.to_numpy().tolist() == [[1.0, 1.0, 1.0, 1.0, 0.5]] * 2


def test_an_attack_of_ones_own_gets_target_records_and_labels():
    class Mine(Attack):
        threat_model = ThreatModel(true_label=True)

        def score_samples(self, X, y, index=None):
            return true_class_confidence(self._fitted_target(), X, y) - confidence(self._fitted_target(), X)

    attack = Mine()
    trials = run_trials(make("knn-lookup"), X, Y, {"mine": attack, "true": ThresholdAttack()}, n_trials=2)
    assert (trials.auc_mine < trials.auc_true).all()
    assert not hasattr(attack, "target_")  # the caller's attack is left unfitted


def test_a_summary_holds_the_mean_interval_of_each_column():
    trials = run_trials(KNeighborsClassifier(5), X, Y, n_trials=6)
    summary = summarise(trials)
    assert list(summary.columns) == ["mean", "low", "high"]
    assert list(summary.index) == list(trials)
    for name in trials:
        assert tuple(summary.loc[name]) == tuple(mean_interval(trials[name]))[:3]


FRAME = FLOWERS.frame.drop(columns="species")


def test_a_pipeline_may_pick_its_columns_by_name():
    def pick(columns):
        return make_pipeline(ColumnTransformer([("kept", "passthrough", columns)]), KNeighborsClassifier(3))

    rows_elsewhere = FRAME.set_axis(range(900, 1050))  # a frame is read by position, whatever its index
    by_name = run_trials(pick(["petal length", "petal width"]), rows_elsewhere, Y, EVERY_SIGNAL, n_trials=3)
    by_number = run_trials(pick([2, 3]), X, Y, EVERY_SIGNAL, n_trials=3)
    pd.testing.assert_frame_equal(by_name, by_number)
    beside_text = run_trials(pick(["petal length", "petal width"]), FLOWERS.frame, Y, EVERY_SIGNAL, n_trials=3)
    pd.testing.assert_frame_equal(by_name, beside_text)


def test_a_fit_that_returns_nothing_will_do():
    class Quiet(KNeighborsClassifier):
        def fit(self, X, y):
            super().fit(X, y)

    class QuietAttack(ThresholdAttack):
        def fit(self, target, shadows=None):
            super().fit(target, shadows)

    quiet = run_trials(Quiet(1), X, Y, {"true_class": QuietAttack()}, n_trials=2)
    pd.testing.assert_frame_equal(quiet, run_trials(KNeighborsClassifier(1), X, Y, n_trials=2))


def test_signals_may_come_in_any_collection():
    names = ["confidence", "true_class"]
    listed = run_trials(GOOD, X, Y, names, n_trials=1)
    for signals in (tuple(names), np.array(names), dict.fromkeys(names).keys(), iter(names)):
        pd.testing.assert_frame_equal(run_trials(GOOD, X, Y, signals, n_trials=1), listed)


# The attacker's own records, and shadow models

ROWS = np.arange(150.0)[:, None]  # each record is its own number, so that it can be told where it went


class Spy(Attack):
    """Notes the target, the shadows and the candidates that it is given."""

    threat_model = ThreatModel(other_records=True)
    seen: ClassVar[list] = []

    def fit(self, target, shadows=None):
        self.shadows_ = shadows
        return super().fit(target)

    def score_samples(self, X, y, index=None):
        Spy.seen.append((self.target_, self.shadows_, X[:, 0].astype(int), y))
        return np.zeros(len(X))


class Numbers(Recorder):
    """A model that notes the numbers of its records."""

    def fit(self, X, y):
        self.classes_, self.trained_on_ = np.unique(Y), np.asarray(X)[:, 0].astype(int)
        return self


def spied(**settings):
    Spy.seen, pools = [], []

    def shadows(target, X, y, random_state):
        pools.append((target, np.asarray(X)[:, 0].astype(int), y, random_state))
        return len(pools)

    run_trials(Numbers(), ROWS, Y, {"spy": Spy()}, n_trials=8, shadows=shadows, **settings)
    return pools, Spy.seen


@pytest.mark.parametrize("null", [False, True])
@pytest.mark.parametrize(("n_members", "n_others"), [(40, 70), (75, 30), (100, 49), (20, 1)])
def test_the_attackers_own_records_are_no_candidates_and_the_shadows_see_no_others(n_members, n_others, null):
    pools, seen = spied(n_members=n_members, n_others=n_others, null=null, fraction_wrong=0.1)
    assert len(pools) == len(seen) == 8
    for number, (pool, attacked) in enumerate(zip(pools, seen, strict=True), start=1):
        target, rows, labels, _ = pool
        assert attacked[0] is target and attacked[1] == number  # what the function returned reaches the attack
        candidates = attacked[2]
        assert len(rows) == n_others and len(candidates) == 150 - n_others
        assert sorted([*rows, *candidates]) == list(range(150))
        recorded = np.full(150, -1)
        recorded[rows], recorded[candidates] = labels, attacked[3]
        assert (recorded != Y).sum() == 15  # the recorded labels, those made wrong included
        assert len(target.trained_on_) == n_members
        if not null:
            assert set(target.trained_on_) <= set(candidates)
    assert len({random_state for *_, random_state in pools}) == 8
    assert len({rows.tobytes() for _, rows, _, _ in pools}) == 8


def test_with_none_set_aside_the_pool_is_every_record():
    pools, seen = spied(n_members=75)
    for (_, rows, labels, _), (_, _, candidates, labels_given) in zip(pools, seen, strict=True):
        assert rows.tolist() == candidates.tolist() == list(range(150))
        np.testing.assert_array_equal(labels, labels_given)


def test_candidates_and_others_are_even_by_class():
    pools, _ = spied(n_members=30, n_others=60)
    for _, rows, _, _ in pools:
        assert np.bincount(Y[rows]).tolist() == [20, 20, 20]


@pytest.mark.long
def test_without_shadows_the_table_is_that_of_a_plain_loop():
    trials = run_trials(make("forest"), X, Y, ["true_class"], n_trials=4, n_members=60, fraction_wrong=0.2)
    for rng, value in zip(np.random.default_rng(0).spawn(4), trials.auc_true_class, strict=True):
        parts = split(X, Y, 60, rng)
        recorded = wrong_labels(Y, 0.2, rng)
        target = make("forest", int(rng.integers(2**31))).fit(X[parts.index_in], recorded[parts.index_in])
        sure = target.predict_proba(X)[np.arange(150), recorded]
        assert value == auc(sure, parts.is_member)
    with_shadows = run_trials(
        make("forest"), X, Y, ["true_class"], n_trials=4, n_members=60, fraction_wrong=0.2, shadows=2
    )
    pd.testing.assert_frame_equal(with_shadows, trials)  # the attacker's shadows change nothing for the target


def test_a_number_of_shadows_means_replicas_of_the_model():
    class Count(Spy):
        def score_samples(self, X, y, index=None):
            assert (len(self.shadows_), len(self.shadows_.y)) == (3, 60)
            assert self.shadows_.in_mask.sum(axis=1).tolist() == [30] * 3
            assert type(self.shadows_.models[0]) is Numbers
            Spy.seen.append(X[:, 0])
            return np.zeros(len(X))

    Spy.seen = []
    run_trials(Numbers(), ROWS, Y, {"count": Count()}, n_trials=2, n_members=40, n_others=60, shadows=3)
    assert len(Spy.seen) == 2


@pytest.mark.long
@pytest.mark.parametrize("n_others", [0, 60])
def test_the_shadow_attack_in_trials_depends_on_the_seed_and_not_on_the_number_of_jobs(n_others):
    settings = {"n_trials": 3, "n_members": 40, "n_others": n_others, "shadows": 4}
    attacks = {"shadow": ShadowAttack(), "true_class": ThresholdAttack()}
    one = run_trials(make("tree"), X, Y, attacks, **settings)
    pd.testing.assert_frame_equal(one, run_trials(make("tree"), X, Y, attacks, n_jobs=2, **settings))
    assert not one.equals(run_trials(make("tree"), X, Y, attacks, random_state=1, **settings))
    frame = FLOWERS.frame.drop(columns="species")
    pd.testing.assert_frame_equal(one, run_trials(make("tree"), frame, Y, attacks, **settings))

    def of_ones_own(target, X, y, random_state):
        return train_shadows(make("tree"), X, y, 4, random_state=random_state)

    pd.testing.assert_frame_equal(one, run_trials(make("tree"), X, Y, attacks, **{**settings, "shadows": of_ones_own}))


GOOD = KNeighborsClassifier(1)


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((KNeighborsClassifier, X, Y), {}, "it should be an estimator, or a function of random_state"),
        (("knn-lookup", X, Y), {}, "model is 'knn-lookup'"),
        ((GOOD, X, Y[:100]), {}, "y holds 100 labels for 150 records"),
        ((GOOD, np.where(X == 5.1, np.nan, X), Y), {}, "X holds NaN"),
        ((GOOD, X, Y), {"n_trials": 0}, "n_trials is 0; it should be a whole number of 1 or more"),
        ((GOOD, X, Y), {"n_members": 150}, "n_members is 150"),
        ((GOOD, X, Y), {"n_members": "75"}, "n_members is '75'; it should be a whole number from 1 to 149"),
        ((GOOD, X, Y), {"n_others": 75}, "n_others is 75; it should be a whole number from 0 to 74"),
        ((GOOD, X, Y), {"n_others": -1}, "n_others is -1"),
        ((GOOD, X, Y), {"n_others": 0.5}, "n_others is 0.5"),
        ((GOOD, X, Y), {"shadows": 0}, "shadows is 0; it should be a whole number of 1 or more"),
        ((GOOD, X, Y), {"shadows": True}, "shadows is True"),
        ((GOOD, X, Y, {"mine": ShadowAttack()}), {}, "shadows is NoneType; a ShadowAttack learns from shadow models"),
        ((GOOD, X, Y), {"fraction_wrong": 20}, "fraction_wrong is 20; it should be a number from 0 to 1"),
        ((GOOD, X, Y), {"random_state": "x"}, "random_state is 'x'"),
        ((GOOD, X, Y, ["entropy"]), {}, "signal is 'entropy'"),
        (
            (GOOD, X, Y, "confidence"),
            {},
            "attacks is 'confidence'; it should be a dict of name: attack, or a list",
        ),
        ((lambda random_state: None, X, Y), {}, r"model\(random_state\) returned None; it should return an unfitted"),
        ((lambda random_state: type(GOOD), X, Y), {}, r"model\(random_state\) returned <class"),
        ((GOOD, X, np.zeros(150)), {}, r"y holds one class only, 0\.0; at least 2 are needed"),
        ((GOOD, X, [*Y[:149], "rose"]), {}, "y mixes numbers and strings"),
        ((GOOD, X, Y), {"null": "no"}, "null is 'no'; it should be True or False"),
        ((GOOD, X, Y, 5), {}, "attacks is 5; it should be a dict of name: attack, or a list"),
        ((GOOD, X, Y, {"a": ThresholdAttack}), {}, r"attacks\['a'\] is <class .*; it should be an attack \(an object"),
        ((GOOD, FLOWERS.frame, Y), {}, r"columns that hold no numbers, \['species'\], and the model could not"),
        ((GOOD, FRAME.replace(5.1, np.nan), Y), {}, "X holds NaN or infinite values"),
        ((GOOD, FRAME.replace(5.1, -np.inf), Y), {}, "X holds NaN or infinite values"),
        ((GOOD, X, Y, [ThresholdAttack()]), {}, "it should be a dict of name: attack, or a list of signals"),
        (
            (GOOD, X, Y, {"mine": "confidence"}),
            {},
            r"attacks\['mine'\] is 'confidence'; it should be an attack",
        ),
    ],
)
def test_bad_input_is_named(arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        run_trials(*arguments, **settings)


# Verdicts

FOR, AGAINST = (0.10, 0.05, 0.15), (-0.10, -0.15, -0.05)
UNSURE, TINY, TINY_AGAINST = (0.30, -0.10, 0.70), (0.004, 0.002, 0.006), (-0.004, -0.006, -0.002)


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ([FOR], "supported"),
        ([FOR, FOR, (0.01, 0.001, 0.019)], "supported"),  # a mean of exactly `smallest` counts
        ([FOR, AGAINST], "partly"),
        ([FOR, UNSURE], "partly"),
        ([FOR, TINY], "partly"),
        ([FOR] * 9 + [AGAINST], "partly"),  # no vote: one against is enough
        ([FOR] + [AGAINST] * 9, "partly"),
        ([AGAINST], "contradicted"),
        ([AGAINST, UNSURE, TINY], "contradicted"),
        ([UNSURE], "not shown"),  # its mean alone would be for
        ([TINY], "not shown"),
        ([TINY_AGAINST], "not shown"),
        ([UNSURE, TINY, TINY_AGAINST], "not shown"),
        ([(0.10, 0.0, 0.20)], "not shown"),  # the interval reaches zero
        ([(-0.10, -0.20, 0.0)], "not shown"),
    ],
)
def test_the_verdict_follows_the_rule(effects, expected):
    assert verdict(effects) == expected
    assert verdict(effects[::-1]) == expected
    assert verdict(np.array(effects)) == expected


EFFECT = st.tuples(*[st.integers(-40, 40).map(lambda hundredths: hundredths / 100)] * 3).map(sorted)


@settings(deadline=None)
@given(st.lists(EFFECT, min_size=1, max_size=6), st.sampled_from([0.0, 0.01, 0.05, 0.3]))
def test_the_verdict_against_a_loop(ordered, smallest):
    sides = set()
    for low, mean, high in ordered:
        excludes_zero = low > 0 or high < 0
        sides.add(np.sign(mean) if excludes_zero and abs(mean) >= smallest else 0)
    if sides == {1}:
        expected = "supported"
    elif 1 in sides:
        expected = "partly"
    elif -1 in sides:
        expected = "contradicted"
    else:
        expected = "not shown"
    assert verdict([(mean, low, high) for low, mean, high in ordered], smallest) == expected


def test_a_verdict_reads_mean_intervals_and_summaries():
    effects = [mean_interval([0.1, 0.12, 0.11]), mean_interval([0.2, 0.3, 0.25])]
    assert verdict(effects) == "supported"
    assert verdict(effects, smallest=0.2) == "partly"
    assert verdict(summarise(pd.DataFrame({"a": [0.1, 0.12, 0.11], "b": [0.3, 0.31, 0.32]})).to_numpy()) == "supported"


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        ([], r"effects has shape \(0,\); it should be \(m, 3\) for at least one experiment"),
        (FOR, r"effects is \(0\.1, 0\.05, 0\.15\); it should be \(m, 3\)"),  # one row, not a list of rows
        (None, "effects is None"),
        ([[0.1], [0.1], [0.1]], r"effects has shape \(3, 1\)"),
        ([[0.1, 0.05], [0.1, 0.1], [0.15, 0.1]], r"effects has shape \(3, 2\)"),
        ([[*FOR, 50]], r"effects has shape \(1, 4\)"),
        ([FOR, FOR[:2]], "effects holds rows of unequal length"),
        ([["0.1", "0.05", "0.2"]], "effects holds str values such as '0.1'"),
        ([(0.05, 0.10, 0.15)], "effects holds NaN, or a mean outside its interval; each row should be mean, low, high"),
        ([(0.10, 0.05, np.nan)], "effects holds NaN"),
    ],
)
def test_what_is_no_effect_gets_no_verdict(effects, message):
    with pytest.raises(ValueError, match=message):
        verdict(effects)


@pytest.mark.parametrize("smallest", [-0.01, np.nan, np.inf, "0.01", True, None])
def test_the_smallest_effect_is_a_number(smallest):
    with pytest.raises(ValueError, match=r"smallest is .*; it should be a finite number of 0 or more"):
        verdict([FOR], smallest)
