"""One run with planted records: published figures, mechanisms of known epsilon, and how little an audit can catch."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mialab.attacks import ThresholdAttack
from mialab.data import load_iris
from mialab.nets import NetClassifier
from mialab.privacy import (
    audit_one_run,
    audit_power,
    canaries,
    chance_of_guesses,
    epsilon_of,
    least_caught,
    most_certifiable,
    noise_for,
)

FLOWERS = load_iris()


def slowly(m, r, v, epsilon, delta):
    """The bound as the paper's appendix D adds it up, one number of right guesses at a time."""
    q = math.exp(epsilon) / (1 + math.exp(epsilon))
    mass = [math.comb(r, k) * q**k * (1 - q) ** (r - k) for k in range(r + 1)]
    worst = max((sum(mass[v - i : v]) / i for i in range(1, v + 1)), default=0)
    return min(1, sum(mass[v:]) + 2 * m * delta * worst)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.data(), st.floats(0, 4), st.sampled_from([0.0, 1e-5, 1e-3, 0.1]))
def test_the_chance_of_so_many_right_guesses_against_a_loop(m, data, epsilon, delta):
    r = data.draw(st.integers(1, m))
    v = data.draw(st.integers(0, r))
    assert chance_of_guesses(v, r, m, epsilon, delta) == pytest.approx(slowly(m, r, v, epsilon, delta), abs=1e-12)


def test_the_figures_of_the_paper():
    """Appendix D prints 0.673 for 75 right of 100 guesses about 1,000 records at delta 1e-4, with 95% confidence."""
    lowest, highest = [False] * 37 + [True] * 13, [True] * 38 + [False] * 12
    is_member = np.array([*lowest, *[True, False] * 450, *highest])
    found = audit_one_run(np.arange(1000), is_member, 1e-4, n_guesses=100)
    assert (found.n_right, found.n_guesses, found.n_canaries) == (75, 100, 1000)
    assert found.at_least == pytest.approx(0.673, abs=5e-4)
    assert audit_one_run(is_member, is_member, n_guesses=1000).most == pytest.approx(most_certifiable(1000))


def randomised_response(epsilon, m, rng):
    is_member = rng.random(m) < 0.5
    return np.where(rng.random(m) < 1 / (1 + math.exp(-epsilon)), is_member, ~is_member) + 0.0, is_member


@pytest.mark.parametrize("epsilon", [0.0, 1.0, 3.0])
def test_randomised_response_is_never_accused_of_more_than_it_tells_but_by_chance(epsilon):
    rng = np.random.default_rng(4)
    for n_guesses in (None, 150):  # four numbers of guesses, which share the risk, or one
        bounds = [audit_one_run(*randomised_response(epsilon, 150, rng), n_guesses=n_guesses) for _ in range(60)]
        assert sum(bound.contradicts(epsilon) for bound in bounds) <= 8  # 3 of 60 are allowed, and more than 8 no luck
    many = audit_one_run(*randomised_response(epsilon, 10_000, rng))
    assert epsilon - 0.2 <= many.at_least <= epsilon + 0.02  # with records enough it shows all


def test_the_gaussian_mechanism_is_not_accused_either():
    rng, delta = np.random.default_rng(5), 1e-5
    for noise in (0.7, 2.0):
        epsilon = epsilon_of(noise, 1, delta)
        bounds = []
        for _ in range(25):
            is_member = rng.random(300) < 0.5
            bounds.append(audit_one_run(is_member + rng.normal(0, noise, 300), is_member, delta).at_least)
        assert max(bounds) < epsilon
    assert np.mean(bounds) < 1  # nor does it show all


def test_private_training_keeps_its_promise_and_learning_by_heart_is_seen():
    """On this package's own nets; the private one promises epsilon 2."""
    scale = FLOWERS.X.max(axis=0)
    X, y = FLOWERS.X / scale, FLOWERS.y
    planted = canaries(X, y, 200, random_state=1)
    private = {"clip": 1.0, "noise": noise_for(2.0, 60, 1e-5), "standardise": False}
    for more, promise, seen in (({"epochs": 1500, "hidden": 64}, 30.0, 0.8), ({"epochs": 60, **private}, 2.0, 0.0)):
        net = NetClassifier(**more, random_state=0).fit(*planted.beside(X, y))
        scores = ThresholdAttack().fit(net).score_samples(planted.X, planted.y)
        found = audit_one_run(scores, planted.is_member, 0.0 if promise == 30 else 1e-5)
        assert seen <= found.at_least < promise
        nobody = audit_one_run(scores, np.random.default_rng(2).random(200) < 0.5)  # the negative control
        assert nobody.at_least < 0.3


def test_canaries_lie_within_the_ranges_and_half_of_them_are_planted():
    planted = canaries(FLOWERS.X, np.array(FLOWERS.class_names)[FLOWERS.y], 4000, random_state=0)
    assert (planted.X >= FLOWERS.X.min(axis=0)).all() and (planted.X <= FLOWERS.X.max(axis=0)).all()
    assert planted.is_member.mean() == pytest.approx(0.5, abs=0.03)
    assert [np.mean(planted.y == name) for name in FLOWERS.class_names] == pytest.approx([1 / 3] * 3, abs=0.03)
    X, y = planted.beside(FLOWERS.X, FLOWERS.y)
    assert len(X) == len(y) == 150 + planted.is_member.sum() and (X[:150] == FLOWERS.X).all()


# What it can catch


def test_the_power_of_an_audit():
    settings = {"delta": 1e-3, "n_trials": 12}
    assert audit_power(2.0, 2.0, 300, **settings) <= 2 / 12  # a kept promise is refuted by mistake alone
    assert audit_power(1.0, 20.0, 300, **settings) == 1.0
    power = [audit_power(1.0, truth, 300, **settings) for truth in (2.0, 5.0, 8.0)]
    assert power == sorted(power) and power[0] < power[-1]
    assert audit_power(0.5, 20.0, 300, one_run=True, **settings) == 1.0
    least = least_caught(1.0, 300, **settings)
    assert audit_power(1.0, least, 300, **settings) >= 0.8 > audit_power(1.0, least / 1.02, 300, **settings)
    assert least_caught(6.0, 300, **settings) == math.inf  # so few runs cannot show 6 at all


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: audit_one_run([1, 2], [True, True]), "is_member holds one kind only"),
        (lambda: audit_one_run([1, 2, 3], [True, False, True], n_guesses=4), "n_guesses is 4"),
        (lambda: audit_one_run([1, 2, 3], [True, False, True], n_guesses=[2, 1]), "n_guesses is 1"),
        (lambda: audit_one_run([1, 2], [True, False], delta=2), "delta is 2"),
        (lambda: audit_one_run([1, 2], [True, False], confidence=1.0), "confidence is 1.0"),
        (lambda: chance_of_guesses(3, 2, 5, 1.0), "n_right is 3"),
        (lambda: canaries(FLOWERS.X, FLOWERS.y, 0), "n_canaries is 0"),
        (lambda: audit_power(1.0, 0.0, 100, 1e-5), "truth is 0"),
        (lambda: audit_power(1.0, 2.0, 100, 0.0), "delta is 0"),
        (lambda: least_caught(1.0, 100, 1e-5, largest=0.5), "largest is 0.5"),
    ],
)
def test_bad_input_is_refused(use, message):
    with pytest.raises(ValueError, match=message):
        use()
