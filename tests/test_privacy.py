"""mialab.privacy: the accountant both ways, the bound, limits of rates, and audits that can be seen to fail."""

from __future__ import annotations

from math import comb, exp, inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

from mialab.data import load_iris
from mialab.metrics import roc
from mialab.nets import NetClassifier, train_nets
from mialab.privacy import (
    at_least,
    audit_epsilon,
    epsilon_of,
    most_certifiable,
    noise_for,
    promise,
    tpr_bound,
)

# The accountant


@pytest.mark.long
@pytest.mark.parametrize(
    ("noise", "n_steps", "delta", "sampling", "epsilon"),
    [
        (1.0, 1, 1e-5, 1.0, 4.377178),  # the analytic Gaussian mechanism, as dp-accounting's own docstrings have it
        (1.1, 1000, 1e-5, 0.01, 1.515370),
        (10.0, 100, 1e-3, 1.0, 3.138671),
    ],
)
def test_known_figures(noise, n_steps, delta, sampling, epsilon):
    assert epsilon_of(noise, n_steps, delta, sampling) == pytest.approx(epsilon, rel=1e-4)


@given(st.floats(0.3, 20), st.integers(1, 200), st.floats(1e-6, 0.05))
@settings(max_examples=40, deadline=None)
def test_full_batches_by_the_formula_of_balle_and_wang(noise, n_steps, delta):
    """delta(epsilon) of the Gaussian mechanism (Balle & Wang, ICML 2018, theorem 8), solved by ourselves."""
    mu = sqrt(n_steps) / noise

    def delta_of(epsilon):
        return norm.cdf(mu / 2 - epsilon / mu) - exp(epsilon + norm.logcdf(-mu / 2 - epsilon / mu))

    found = epsilon_of(noise, n_steps, delta)
    if delta_of(0) <= delta:
        assert found == pytest.approx(0, abs=1e-6)
    else:
        assert found == pytest.approx(brentq(lambda e: delta_of(e) - delta, 0, 5000), rel=1e-3, abs=1e-5)


@pytest.mark.long
def test_the_accountant_is_no_looser_than_renyi_and_composes_unsampled_steps_as_one():
    import dp_accounting as dp

    for noise, n_steps, sampling in ((1.1, 500, 0.02), (2.0, 200, 0.2), (20.0, 100, 0.5)):
        step = dp.PoissonSampledDpEvent(sampling, dp.GaussianDpEvent(noise))
        renyi = dp.rdp.RdpAccountant().compose(dp.SelfComposedDpEvent(step, n_steps)).get_epsilon(1e-5)
        assert 0.5 * renyi < epsilon_of(noise, n_steps, 1e-5, sampling) <= renyi * (1 + 1e-6)
    event = dp.SelfComposedDpEvent(dp.GaussianDpEvent(8.0), 50)
    assert epsilon_of(8.0, 50, 1e-4) == pytest.approx(dp.pld.PLDAccountant().compose(event).get_epsilon(1e-4), rel=1e-3)


@given(st.floats(0.1, 20), st.integers(1, 500), st.floats(1e-7, 0.01))
@settings(max_examples=40, deadline=None)
def test_noise_for_is_the_inverse_and_never_promises_more(epsilon, n_steps, delta):
    noise = noise_for(epsilon, n_steps, delta)
    assert epsilon * (1 - 1e-3) <= epsilon_of(noise, n_steps, delta) <= epsilon
    assert epsilon_of(noise * 0.99, n_steps, delta) > epsilon * (1 - 1e-6)


@pytest.mark.long
def test_noise_for_with_subsampling(monkeypatch):
    noise = noise_for(2.0, 4, 1e-3, 0.3)
    assert 1.98 < epsilon_of(noise, 4, 1e-3, 0.3) <= 2.0
    assert noise < noise_for(2.0, 4, 1e-3)  # subsampling helps
    with pytest.raises(ValueError, match=r"a noise below 0\.3 keeps"):
        noise_for(1000, 100, 1e-5, 0.05)
    monkeypatch.setattr("mialab.privacy.LEAST_NOISE", noise + 0.02)  # it is not gone below on the way down either
    with pytest.raises(ValueError, match="it should be smaller"):
        noise_for(2.0, 4, 1e-3, 0.3)


@pytest.mark.long
def test_every_argument_pulls_the_right_way():
    assert epsilon_of(0.0, 10, 1e-5) == inf
    base = epsilon_of(3.0, 50, 1e-4, 0.3)
    assert epsilon_of(4.0, 50, 1e-4, 0.3) < base < epsilon_of(3.0, 60, 1e-4, 0.3)
    assert epsilon_of(3.0, 50, 1e-3, 0.3) < base < epsilon_of(3.0, 50, 1e-4, 0.5) < epsilon_of(3.0, 50, 1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: epsilon_of(-1, 1, 1e-5), "noise is -1"),
        (lambda: epsilon_of(float("nan"), 1, 1e-5), "noise is nan"),
        (lambda: epsilon_of(1, 0, 1e-5), "n_steps"),
        (lambda: epsilon_of(1, 1, 0), "delta is 0"),
        (lambda: epsilon_of(1, 1, 1), "delta is 1"),
        (lambda: epsilon_of(1, 1, 1e-5, 0), "sampling is 0"),
        (lambda: epsilon_of(1, 1, 1e-5, True), "sampling is True"),
        (lambda: noise_for(0, 1, 1e-5), "epsilon is 0"),
        (lambda: noise_for(inf, 1, 1e-5), "epsilon is inf"),
        (lambda: noise_for("1", 1, 1e-5), "epsilon is '1'"),
        (lambda: tpr_bound([0.5, 2], 1), "outside 0 to 1"),
        (lambda: tpr_bound(0.5, -1), "epsilon is -1"),
        (lambda: tpr_bound(0.5, 1, 2), "delta"),
        (lambda: at_least(3, 2, 0.05), "from 0 to 2"),
        (lambda: at_least(0.5, 2, 0.05), "whole numbers"),
        (lambda: at_least(1, 2, 1.0), "risk is 1"),
        (lambda: most_certifiable(0), "n_guesses"),
        (lambda: most_certifiable(10, 1.0), "confidence is 1"),
        (lambda: audit_epsilon(np.arange(6.0), [1, 1, 1, 0, 0, 0]), "3 runs with the record"),
        (lambda: audit_epsilon([np.nan] * 8, [1] * 4 + [0] * 4), "NaN|finite"),
        (lambda: audit_epsilon(np.arange(8.0), [1] * 4 + [0] * 4, delta=-0.1), "delta"),
        (lambda: promise(NetClassifier(), 1e-5), "clip=None"),
        (lambda: promise(NetClassifier(clip=1.0, standardise=False), 1e-5, tuning="none"), "tuning is 'none'"),
    ],
)
def test_bad_numbers_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# What is promised


@pytest.mark.long
def test_a_promise_says_what_it_is_worth_and_what_it_leaves_open():
    net = NetClassifier(epochs=3, clip=1.0, noise=noise_for(2.0, 3, 1e-3, 0.5), sampling=0.5, standardise=False)
    kept = promise(net, 1e-3, preprocessing="public", tuning="members")
    assert kept.epsilon == pytest.approx(2.0, rel=1e-2) and kept.n_steps == 3 and kept.sampling == 0.5
    words = str(kept)
    assert "one record added or removed" in words and "tuning, which read the members" in words
    assert "labels, of which nothing is said" in words and "preprocessing" not in words.split("Not covered")[1]
    open_ends = promise(net, 1e-3, preprocessing="public", tuning="public", labels="public")
    assert "Not covered" not in str(open_ends) and open_ends.not_covered == ()
    assert str(promise(NetClassifier(clip=1.0, standardise=False), 1e-5)) == "Nothing is promised: there is no noise."


# The bound


def test_randomised_response_reaches_the_bound_exactly():
    for truth in (0.2, 0.5, 0.9):
        yes, no = (1 + truth) / 2, (1 - truth) / 2
        epsilon = log(yes / no)
        assert tpr_bound(no, epsilon) == pytest.approx(yes)  # accuse who said yes
        for share in (0.3, 0.7):  # accuse a share of them, or all of them and a share of the others
            assert tpr_bound(share * no, epsilon) == pytest.approx(share * yes)
            assert tpr_bound(no + share * yes, epsilon) == pytest.approx(yes + share * no)


@given(st.floats(0.3, 10), st.floats(1e-6, 0.2))
@settings(max_examples=40, deadline=None)
def test_the_gaussian_mechanism_stays_below_its_bound_and_touches_it(noise, delta):
    epsilon = epsilon_of(noise, 1, delta)
    fpr = np.concatenate([np.geomspace(1e-12, 0.5, 3000), 1 - np.geomspace(0.5, 1e-12, 3000)])
    tpr = norm.cdf(norm.ppf(fpr) + 1 / noise)
    slack = tpr_bound(fpr, epsilon, delta) - tpr
    assert slack.min() > -1e-9
    assert slack.min() < 1e-3
    at_a_point = np.max(tpr - np.exp(min(epsilon, 700)) * fpr)  # the privacy region's defining inequality
    assert at_a_point <= delta + 1e-9


def test_the_bound_at_its_ends():
    assert tpr_bound(0, 3) == 0 and tpr_bound(1, 3) == 1 and tpr_bound(0.0, 1, 0.1) == pytest.approx(0.1)
    assert tpr_bound([0.05], 1)[0] == pytest.approx(0.05 * exp(1)) and tpr_bound(0.05, 2) == pytest.approx(
        0.36945, 1e-4
    )
    assert np.allclose(tpr_bound(np.linspace(0, 1, 9), 0), np.linspace(0, 1, 9))  # epsilon 0 allows chance
    assert (tpr_bound(np.linspace(0.01, 1, 9), 5000) == 1).all()


# Rates and audits


@given(st.integers(1, 60), st.data())
def test_at_least_is_the_exact_limit(n, data):
    successes, risk = data.draw(st.integers(0, n)), data.draw(st.sampled_from([0.01, 0.025, 0.05]))
    limit = binomtest(successes, n, alternative="greater").proportion_ci(1 - risk, method="exact").low
    assert at_least(successes, n, risk) == pytest.approx(limit, abs=1e-9)
    if successes:
        tail = sum(comb(n, k) * limit**k * (1 - limit) ** (n - k) for k in range(successes, n + 1))
        assert tail == pytest.approx(risk, rel=1e-6)
    assert (np.diff(at_least(np.arange(n + 1), n, risk)) > 0).all()


def test_most_certifiable_is_what_n_right_guesses_leave_open():
    assert most_certifiable(75) == pytest.approx(3.2, abs=0.01)
    assert most_certifiable(150) == pytest.approx(3.9, abs=0.01)
    for n in (10, 75, 400):
        epsilon = most_certifiable(n)
        right = exp(epsilon) / (1 + exp(epsilon))
        assert right**n == pytest.approx(0.05)
    assert most_certifiable(1) == 0 == most_certifiable(4)  # a coin is right four times in a row too often


def slow_audit(scores, is_member, delta, risk):
    """audit_epsilon with loops over thresholds and runs."""

    def bound(hits, n_with, alarms, n_without):
        tpr = binomtest(hits, n_with, alternative="greater").proportion_ci(1 - risk, "exact").low
        fpr = binomtest(alarms, n_without, alternative="less").proportion_ci(1 - risk, "exact").high
        return log((tpr - delta) / fpr) if tpr > delta else -inf

    def runs(sign, member, start):
        return [sign * s for s, m in zip(scores, is_member, strict=True) if m == member][start::2]

    best = (-inf, None, None)
    for sign in (1, -1):
        a, b = runs(sign, sign == 1, 0), runs(sign, sign != 1, 0)
        for threshold in sorted({*a, *b}):
            found = bound(sum(s >= threshold for s in a), len(a), sum(s >= threshold for s in b), len(b))
            if found > best[0]:
                best = (found, threshold, sign)
    _, threshold, sign = best
    a, b = runs(sign, sign == 1, 1), runs(sign, sign != 1, 1)
    return max(0.0, bound(sum(s >= threshold for s in a), len(a), sum(s >= threshold for s in b), len(b)))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_audit_by_loops(seed):
    rng = np.random.default_rng(seed)
    is_member = rng.random(90) < 0.5
    scores = np.round(rng.normal(size=90) + (seed % 4) * is_member * (1 if seed < 4 else -1), 1)  # with ties
    found = audit_epsilon(scores, is_member, 0.01, confidence=0.9)
    assert found.at_least == pytest.approx(slow_audit(scores.tolist(), is_member.tolist(), 0.01, 0.05), abs=1e-9)


@pytest.mark.long
def test_the_bound_of_an_audit_exceeds_a_true_epsilon_once_in_twenty_at_most():
    rng, too_high, worth = np.random.default_rng(0), 0, []
    truth = 0.6
    epsilon = log((1 + truth) / (1 - truth))
    for _ in range(400):
        is_member = np.arange(400) < 200
        said_yes = np.where(rng.random(400) < truth, is_member, rng.random(400) < 0.5)
        found = audit_epsilon(said_yes.astype(float), is_member)
        too_high += found.contradicts(epsilon)
        worth.append(found.at_least)
    assert too_high <= 20 and np.mean(worth) > 0.5 * epsilon


@pytest.mark.long
def test_a_threshold_chosen_and_judged_on_the_same_runs_would_be_caught_here():
    """With scores that know nothing the bound is above 0 once in twenty at most, however many thresholds there are."""
    rng = np.random.default_rng(1)
    above = [audit_epsilon(rng.normal(size=60), np.arange(60) < 30).at_least > 0 for _ in range(400)]
    assert np.mean(above) <= 0.05


# 4,000 nets: the promise kept, and broken on purpose

FLOWERS = load_iris()
LOW, HIGH = np.array([4.0, 2.0, 1.0, 0.0]), np.array([8.0, 4.5, 7.0, 2.6])
FEW = np.random.default_rng(0).choice(150, 20, replace=False)
RECORDS = np.vstack([((FLOWERS.X - (LOW + HIGH) / 2) / ((HIGH - LOW) / 2))[FEW], np.full(4, 5.0)])
LABELS = np.append(FLOWERS.y[FEW], 0)
WITH_IT = np.arange(4000) < 2000
MASKS = np.ones((4000, 21), dtype=bool)
MASKS[:, 20] = WITH_IT
DELTA, STEPS = 1e-3, 40


def audited(clip, noise, hidden=0, sampling=1.0, random_state=1):
    nets = train_nets(
        RECORDS,
        LABELS,
        MASKS,
        hidden=hidden,
        epochs=STEPS,
        learning_rate=0.1,
        l2=0.0,
        standardise=False,
        clip=clip,
        noise=noise,
        sampling=sampling,
        random_state=random_state,
    )
    return audit_epsilon(np.log(np.maximum(nets.predict_proba(RECORDS[20:])[:, 0, 0], 1e-30)), WITH_IT, DELTA)


@pytest.mark.long
@pytest.mark.parametrize(("epsilon", "hidden", "sampling"), [(1.0, 4, 1.0), (8.0, 4, 0.5)])
def test_every_private_cell_stays_below_its_epsilon(epsilon, hidden, sampling):
    found = audited(1.0, noise_for(epsilon, STEPS, DELTA, sampling), hidden, sampling)
    assert not found.contradicts(epsilon) and found.at_least < 0.6 * epsilon, found


@pytest.mark.long
@pytest.mark.parametrize(
    ("epsilon", "hidden", "clip", "less_noise"),
    [(4.0, 4, 1.0, inf), (1.0, 0, 1.0, 100), (4.0, 0, 10.0, 10), (1.0, 4, 10.0, 10)],
    ids=["no noise", "a hundredth", "clip ten times", "clip ten times, hidden"],
)
def test_a_broken_promise_is_caught(epsilon, hidden, clip, less_noise):
    found = audited(clip, noise_for(epsilon, STEPS, DELTA) / less_noise, hidden)
    assert found.contradicts(epsilon), found
    assert found.at_least > epsilon + 0.2  # no audit of 4,000 nets can show more than 5.6


@pytest.mark.long
def test_a_clip_of_the_sum_in_place_of_each_record_is_caught(monkeypatch):
    """The classic mistake: clip the batch's gradient once. One record may then decide its direction alone."""
    from mialab.nets._stack import Stack

    find, add = Stack.find_gradient, Stack.add_noise

    def clip_the_sum(self, share, l2, clip=None):
        find(self, share, l2, 1e9)  # nobody is shortened
        for row in self.gradient:
            row *= min(1.0, clip / max(np.linalg.norm(row), 1e-12))

    monkeypatch.setattr(Stack, "find_gradient", clip_the_sum)
    monkeypatch.setattr(Stack, "add_noise", lambda self, sd, streams: add(self, sd / 10, streams))
    assert audited(1.0, noise_for(1.0, STEPS, DELTA)).contradicts(1.0)


@pytest.mark.long
def test_no_attack_on_private_nets_passes_the_bound():
    """The whole curve of 4,000 nets, against the bound with room for counting 2,000 of each kind."""
    nets = train_nets(
        RECORDS, LABELS, MASKS, hidden=0, epochs=STEPS, learning_rate=0.1, l2=0.0, standardise=False, clip=1.0,
        noise=noise_for(1.0, STEPS, DELTA), random_state=2,
    )  # fmt: skip
    curve = roc(nets.predict_proba(RECORDS[20:])[:, 0, 0], WITH_IT)
    assert (curve.tpr <= tpr_bound(curve.fpr, 1.0, DELTA) + 0.03).all()
