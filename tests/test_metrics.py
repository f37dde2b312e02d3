"""ROC, AUC and their kin, held against definitions written as plain loops, scikit-learn, and simulation."""

import copy
import pickle
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm, t
from sklearn.metrics import balanced_accuracy_score, precision_score, roc_auc_score, roc_curve

from mialab import metrics
from mialab.metrics import (
    TPR,
    accuracy_at,
    auc,
    auc_interval,
    balanced_accuracy,
    choose_threshold,
    evaluate,
    mean_interval,
    placements,
    precision,
    roc,
    tpr_at,
)


@st.composite
def scored_records(draw, max_size=40):
    """Scores and membership with at least one of each kind; few distinct scores, so ties are common."""
    n = draw(st.integers(2, max_size))
    levels = draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    is_member = rng.random(n) < draw(st.floats(0.1, 0.9))
    is_member[:2] = [True, False]
    return rng.integers(0, levels, n) / levels, is_member


def auc_by_pairs(scores, is_member):
    """The definition: over all pairs, 1 when the member is higher than the non-member, a half when equal."""
    won, pairs = 0.0, 0
    for member in scores[is_member]:
        for non_member in scores[~is_member]:
            won += 1.0 if member > non_member else 0.5 if member == non_member else 0.0
            pairs += 1
    return won / pairs


def rates_at(scores, is_member, threshold):
    """The definition of the two rates, one record at a time."""
    caught = sum(1 for s, m in zip(scores, is_member, strict=True) if m and s >= threshold)
    accused = sum(1 for s, m in zip(scores, is_member, strict=True) if not m and s >= threshold)
    return caught / is_member.sum(), accused / (~is_member).sum()


# AUC and ROC


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(scored_records())
@example((np.zeros(2), np.array([True, False])))
def test_auc_is_the_share_of_pairs_and_agrees_with_scikit_learn(data):
    ours = auc(*data)
    assert ours == pytest.approx(auc_by_pairs(*data), abs=1e-12)
    assert ours == pytest.approx(roc_auc_score(data[1], data[0]), abs=1e-12)


@settings(deadline=None)
@given(scored_records(), st.randoms(use_true_random=False))
def test_auc_knows_only_the_ranks(data, random):
    scores, is_member = data
    order = random.sample(range(len(scores)), len(scores))
    assert auc(scores[order], is_member[order]) == pytest.approx(auc(scores, is_member))
    assert auc(np.exp(3 * scores) - 5, is_member) == auc(scores, is_member)
    assert auc(-scores, is_member) == pytest.approx(1 - auc(scores, is_member))
    assert auc(scores, ~is_member) == pytest.approx(1 - auc(scores, is_member))
    assert auc(np.full(len(scores), 0.3), is_member) == 0.5


@settings(deadline=None)
@given(scored_records())
def test_roc_agrees_with_scikit_learn_and_with_the_definition(data):
    curve = roc(*data)
    theirs = roc_curve(data[1], data[0], drop_intermediate=False)
    for ours, reference in zip(curve, theirs, strict=True):
        np.testing.assert_allclose(ours, reference, atol=1e-12)
    for fpr, tpr, threshold in zip(*curve, strict=True):
        assert (tpr, fpr) == pytest.approx(rates_at(*data, threshold))
    assert len(curve.thresholds) == len(set(data[0].tolist())) + 1
    area = np.trapezoid(curve.tpr, curve.fpr)
    assert area == pytest.approx(auc(*data))


# One number at a time


@settings(deadline=None)
@given(scored_records(), st.floats(0, 1))
@example((np.arange(50) / 50, np.arange(50) >= 25), 0.04)
def test_tpr_at_is_the_largest_that_the_rate_allows(data, fpr):
    scores, is_member = data
    result = tpr_at(scores, is_member, fpr)
    every = [rates_at(scores, is_member, threshold) for threshold in [np.inf, *scores]]
    assert result == max(tpr for tpr, false_positives in every if false_positives <= fpr + 1e-9)
    assert (result, result.fpr) == pytest.approx(rates_at(scores, is_member, result.threshold))
    assert result.false_alarms == round(result.fpr * result.n_non_members)
    assert result.fpr <= fpr + 1e-9
    assert f"at most {result.false_alarms} of" in result.sentence or result.fpr < fpr


def test_a_rate_of_29_in_a_hundred_allows_29():
    """In binary fractions 0.29 × 100 is 28.999999999999996."""
    is_member = np.arange(200) < 100
    scores = np.where(is_member, 0.5, 0.1)
    scores[100:129] = 0.9
    assert tpr_at(scores, is_member, 0.29) == 1.0
    assert tpr_at(scores, is_member, 0.2899) == 0.0


def test_below_one_in_n_the_answer_says_that_no_false_alarm_is_allowed():
    is_member = np.arange(150) < 75
    result = evaluate(np.where(is_member, 1.0, 0.2), is_member).tpr_at(0.01)
    assert result == 1.0
    assert result.sentence == (
        "100.0% of 75 members are caught at a false-positive rate of 0.01, which allows at most 0 of 75 "
        "non-members to be accused (here 0)"
    )
    tied = tpr_at(np.ones(150), is_member, 0.01)
    assert (tied, tied.threshold, tied.false_alarms) == (0.0, np.inf, 0)


def test_a_tpr_is_a_float_that_can_be_copied():
    result = tpr_at([0.1, 0.9, 0.5], [False, True, False], 0.5)
    assert isinstance(result, float)
    assert isinstance(result, TPR)
    assert f"{result:.2f} {result + 1}" == "1.00 2.0"
    for twin in (copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert (twin, twin.sentence, twin.threshold) == (result, result.sentence, result.threshold)


@settings(deadline=None)
@given(scored_records(), st.floats(-0.1, 1.1))
def test_accuracies_agree_with_scikit_learn(data, threshold):
    scores, is_member = data
    says_member = scores >= threshold
    assert accuracy_at(scores, is_member, threshold) == pytest.approx(np.mean(says_member == is_member))
    ours = balanced_accuracy(scores, is_member, threshold)
    assert ours == pytest.approx(balanced_accuracy_score(is_member, says_member))


@settings(deadline=None)
@given(scored_records())
def test_the_chosen_threshold_is_the_best_of_all_scores_and_the_strictest_of_equals(data):
    scores, is_member = data
    chosen = choose_threshold(scores, is_member)
    worth = {score: balanced_accuracy(scores, is_member, score) for score in scores.tolist()}
    assert worth[chosen] == pytest.approx(max(worth.values()))
    assert all(worth[score] < worth[chosen] - 1e-12 for score in worth if score > chosen)
    assert evaluate(scores, is_member).advantage == pytest.approx(max(0.0, 2 * max(worth.values()) - 1))


def test_always_member_looks_good_only_by_plain_accuracy():
    is_member = np.arange(700) < 600
    assert accuracy_at(np.ones(700), is_member, 0.5) == pytest.approx(6 / 7)
    assert balanced_accuracy(np.ones(700), is_member, 0.5) == 0.5


@pytest.mark.long
@settings(deadline=None)
@given(scored_records(), st.floats(0, 1))
def test_precision_at_the_samples_own_base_rate_is_the_samples_precision(data, threshold):
    scores, is_member = data
    assume((scores >= threshold).any())
    tpr, fpr = rates_at(scores, is_member, threshold)
    ours = precision(tpr, fpr, float(is_member.mean()))
    assert ours == pytest.approx(precision_score(is_member, scores >= threshold))


def test_precision_by_hand():
    # of 10,000 people 100 are members; 62 of them are caught, and 0 or 99 or 990 of the 9,900 others accused
    assert precision(0.62, 0.0, 0.01) == 1.0
    assert precision(0.62, 0.01, 0.01) == pytest.approx(62 / (62 + 99))
    assert precision(0.62, 0.10, 0.01) == pytest.approx(62 / (62 + 990))
    assert precision(0.5, 0.5, 0.3) == pytest.approx(0.3)
    assert np.isnan(precision(0.0, 0.0, 0.01))


# The result


def test_a_result_reads_as_a_sentence():
    is_member = np.arange(150) < 75
    scores = np.random.default_rng(3).permutation(150) + 60.0 * is_member
    result = evaluate(scores, is_member)
    low, high = result.interval
    assert repr(result) == (
        f"AUC {result.auc:.2f} (95% interval {low:.2f} to {high:.2f}) over 75 members and 75 non-members; "
        "pure chance would give 0.50 with standard deviation 0.05"
    )
    assert 0 < low < result.auc < high < 1
    assert result.z == pytest.approx((result.auc - 0.5) / result.null_sd)


@settings(deadline=None)
@given(scored_records())
def test_a_result_agrees_with_the_functions(data):
    result = evaluate(*data)
    assert result.auc == auc(*data)
    assert result.advantage == max(result.roc().tpr - result.roc().fpr) >= 0
    assert result.interval[0] <= result.auc <= result.interval[1]
    assert (result.n_members, result.n_non_members) == (data[1].sum(), (~data[1]).sum())
    assert result.tpr_at(0.2) == tpr_at(*data, 0.2)


def test_a_result_is_frozen_and_keeps_its_own_copy():
    scores, is_member = np.array([0.9, 0.1, 0.8, 0.3]), np.array([True, False, True, False])
    result = evaluate(scores, is_member)
    scores[:] = 0
    is_member[:] = True
    assert result.roc().tpr[1] == 0.5
    with pytest.raises(AttributeError):
        result.auc = 1.0
    with pytest.raises(ValueError, match="read-only"):
        result.scores[0] = 1.0


@settings(deadline=None)
@given(scored_records(max_size=8))
def test_the_null_spread_is_the_spread_over_every_possible_membership(data):
    scores, is_member = data
    everyone = range(len(scores))
    by_chance = [auc(scores, np.isin(everyone, members)) for members in combinations(everyone, int(is_member.sum()))]
    assert np.std(by_chance) == pytest.approx(evaluate(scores, is_member).null_sd, abs=1e-9)


def test_the_null_spread_and_z_are_mann_whitneys():
    rng = np.random.default_rng(1)
    is_member = np.arange(150) < 75
    scores = rng.integers(0, 6, 150) + is_member
    result = evaluate(scores, is_member)
    p = mannwhitneyu(scores[is_member], scores[~is_member], use_continuity=False, method="asymptotic").pvalue
    assert 2 * norm.sf(result.z) == pytest.approx(p)
    assert evaluate(np.arange(150.0), is_member).null_sd == pytest.approx(0.0473, abs=5e-5)
    assert (evaluate(np.ones(150), is_member).null_sd, evaluate(np.ones(150), is_member).z) == (0, 0)


# The interval


@settings(deadline=None)
@given(st.floats(0, 1), st.integers(1, 200), st.integers(1, 200))
def test_the_interval_stays_inside_and_is_never_a_point(area, m, n):
    low, high = auc_interval(area, m, n)
    assert 0 <= low <= area <= high <= 1
    assert high - low > 1e-3
    assert auc_interval(1 - area, m, n) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_the_interval_at_a_perfect_score_by_hand():
    # one against one: (1 - θ)² = z² θ (1 - θ), so θ = 1 / (1 + z²)
    assert auc_interval(1.0, 1, 1) == pytest.approx((1 / (1 + metrics.Z95**2), 1.0))
    low, high = auc_interval(1.0, 75, 75)
    assert high == 1.0
    assert 0.96 < low < 0.98


def draws(kind, n, rng):
    """Scores of n members and n non-members, and the true AUC of the two distributions."""
    if kind == "normal":
        return rng.normal(1.2, 1, n), rng.normal(0, 1, n), norm.cdf(1.2 / np.sqrt(2))
    if kind == "chance":
        return rng.normal(0, 1, n), rng.normal(0, 1, n), 0.5
    if kind == "exponential":
        return rng.exponential(9, n), rng.exponential(1, n), 0.9
    if kind == "two values":  # as in "was it right?"
        return rng.random(n) < 0.8, rng.random(n) < 0.5, 0.65
    # "lookup": every member answers exactly 1, as do four non-members in ten
    return np.ones(n), np.where(rng.random(n) < 0.4, 1.0, rng.random(n)), 0.8


@pytest.mark.long
@pytest.mark.parametrize("n", [20, 75])
@pytest.mark.parametrize("kind", ["normal", "chance", "exponential", "two values", "lookup"])
def test_the_interval_covers_the_truth_as_often_as_it_says(kind, n):
    rng, n_draws, covered = np.random.default_rng(n), 500, 0
    for _ in range(n_draws):
        members, non_members, truth = draws(kind, n, rng)
        area = auc(np.concatenate([members, non_members]), np.arange(2 * n) < n)
        low, high = auc_interval(area, n, n)
        covered += low <= truth <= high
    four_sd = 4 * np.sqrt(0.95 * 0.05 / n_draws)
    assert covered / n_draws > 0.95 - four_sd  # ties make it cautious, so it may cover more often
    if kind in ("normal", "chance", "exponential"):
        assert covered / n_draws < 0.995


def test_the_interval_agrees_with_a_bootstrap():
    rng = np.random.default_rng(5)
    members, non_members = rng.normal(1, 1, 75), rng.normal(0, 1, 75)
    is_member = np.arange(150) < 75
    boot = [auc(np.concatenate([rng.choice(members, 75), rng.choice(non_members, 75)]), is_member) for _ in range(1000)]
    low, high = evaluate(np.concatenate([members, non_members]), is_member).interval
    assert (low, high) == pytest.approx(np.quantile(boot, [0.025, 0.975]), abs=0.03)


# Over many splits


@settings(deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=2, max_size=50))
def test_the_mean_interval_is_students(values):
    result = mean_interval(values)
    half = t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    expected = (np.mean(values), np.mean(values) - half, np.mean(values) + half, len(values))
    assert tuple(result)[:4] == pytest.approx(expected, abs=1e-9)


def test_a_mean_interval_reads_as_a_sentence():
    assert repr(mean_interval([0.5, 0.6])) == "0.550 (95% interval -0.085 to 1.185, 2 draws)"


# Bad input

GOOD = [0.1, 0.9, 0.4], [False, True, True]
MEASURES = [auc, roc, evaluate, choose_threshold]
MEASURES += [lambda s, m: tpr_at(s, m, 0.1), lambda s, m: balanced_accuracy(s, m, 0.5)]
MEASURES += [lambda s, m: accuracy_at(s, m, 0.5)]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("scores", "is_member", "message"),
    [
        ([0.1, np.nan, 0.4], GOOD[1], "scores holds NaN or infinite values"),
        ([0.1, -np.inf, 0.4], GOOD[1], "clip a probability before taking its logarithm"),
        (["a", "b", "c"], GOOD[1], "scores holds str values such as 'a', .* it should be one number a record"),
        ([0.1, 0.9 + 1j, 0.4], GOOD[1], "scores holds complex values"),
        (np.ma.masked_less(GOOD[0], 0.2), GOOD[1], "scores holds masked values"),
        ([2**53, 2**53 + 1, 0], GOOD[1], r"scores holds integers beyond 2\*\*53, some of which are equal as floats"),
        (GOOD[0], [[True], [False, True]], "is_member should hold True or False .* unequal length"),
        (GOOD[0], np.ma.array(GOOD[1], mask=[True, False, False]), "is_member holds masked values"),
        (GOOD[0], np.array([True, None, False], dtype=object), "is_member should hold True or False"),
        (GOOD[0], pd.array([True, pd.NA, False], dtype="boolean"), "is_member should hold True or False"),
        (pd.Series(GOOD[0]), pd.Series(GOOD[1], [5, 6, 7]), "scores and is_member .* different indexes"),
        ([[0.1], [0.9], [0.4]], GOOD[1], r"scores has shape \(3, 1\)"),
        (GOOD[0], [True, False], r"is_member has shape \(2,\) and scores \(3,\)"),
        (GOOD[0], [True, True, True], "is_member holds one kind only"),
        (GOOD[0], [0, 0, 0], "is_member holds one kind only"),
        (GOOD[0], [0, 1, 2], "is_member should hold True or False"),
        (GOOD[0], [0.0, 1.0, 0.5], "is_member should hold True or False"),
        (GOOD[0], ["in", "out", "in"], "is_member should hold True or False"),
    ],
)
def test_bad_scores_and_membership_are_named(measure, scores, is_member, message):
    with pytest.raises(ValueError, match=message):
        measure(scores, is_member)


@pytest.mark.parametrize("measure", MEASURES)
def test_good_input_may_come_as_any_array_or_series(measure):
    expected = measure(*GOOD)
    rows = [7, 3, 5]
    for scores, is_member in (
        (GOOD[0], [0, 1, 1]),
        (GOOD[0], np.array(GOOD[1], dtype=object)),
        (np.array(GOOD[0], dtype=object), pd.array(GOOD[1], dtype="boolean")),
        (np.ma.array(GOOD[0]), np.ma.array(GOOD[1])),
        (pd.Series(GOOD[0], rows), pd.Series(GOOD[1], rows)),
        (pd.Series(GOOD[0], rows), np.array(GOOD[1])),  # one index alone: by position
    ):
        np.testing.assert_equal(measure(scores, is_member), expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tpr_at(*GOOD, 1.2), r"fpr is 1\.2; it should be a number from 0 to 1"),
        (lambda: tpr_at(*GOOD, -0.1), r"fpr is -0\.1"),
        (lambda: evaluate(*GOOD).tpr_at(float("nan")), "fpr is nan"),
        (lambda: balanced_accuracy(*GOOD, float("nan")), "threshold is nan"),
        (lambda: accuracy_at(*GOOD, [0.5, 0.6]), r"threshold is \[0\.5, 0\.6\]; it should be one number"),
        (lambda: accuracy_at(*GOOD, "high"), "threshold is 'high'"),
        (lambda: precision(1.1, 0.5, 0.5), r"tpr is 1\.1"),
        (lambda: precision(0.5, 50, 0.5), "fpr is 50"),
        (lambda: precision(0.5, 0.5, -1), "base_rate is -1"),
        (lambda: auc_interval(1.5, 10, 10), r"auc is 1\.5"),
        (lambda: auc_interval(0.5, 0, 10), "n_members is 0"),
        (lambda: auc_interval(0.5, 10, 2.5), r"n_non_members is 2\.5"),
        (lambda: mean_interval([0.5]), r"values has shape \(1,\); it should hold one number for each"),
        (lambda: mean_interval([[0.5, 0.6]]), r"values has shape \(1, 2\)"),
        (lambda: mean_interval([0.5, np.nan]), "values holds NaN"),
        (lambda: mean_interval(v for v in (0.5, 0.6)), "values holds generator .* should be a list or array"),
        (lambda: mean_interval(np.ma.masked_less([0.5, 0.6, 0.1], 0.2)), "values holds masked values"),
        (lambda: mean_interval([1e308, 1.5e308]), r"values holds numbers as large as 1\.5e\+308, too large to square"),
    ],
)
def test_bad_numbers_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_placements_are_what_two_loops_count():
    rng = np.random.default_rng(0)
    inside, outside = rng.integers(0, 6, 7) / 5, rng.integers(0, 6, 4) / 5  # with ties
    beats, beaten = placements(inside, outside)
    assert beats.tolist() == pytest.approx([np.mean([(a > b) + (a == b) / 2 for b in outside]) for a in inside])
    assert beaten.tolist() == pytest.approx([np.mean([(a > b) + (a == b) / 2 for a in inside]) for b in outside])
