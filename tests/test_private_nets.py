"""Private training: what one record can do is bounded, the noise is what was asked for, and an audit can tell."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2, kstest, norm

from mialab.nets import NetClassifier, train_nets
from mialab.nets._stack import Stack, _squares
from mialab.privacy import audit_epsilon, epsilon_of

PRIVATE = {"clip": 1.0, "standardise": False}


def some_data(seed=0, n=12, d=3, n_classes=2):
    """Measurements, and labels in which each class occurs."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), np.arange(n) % n_classes


def a_stack(seed, hidden, records, labels, n_nets=1, n_classes=3, dtype="float64", spread=1.0):
    """Nets with the same random weights, all given the same records (n, d)."""
    rng = np.random.default_rng(seed)
    n, d = records.shape
    stack = Stack(n_nets, d, hidden, n_classes, n, dtype)
    stack.flat[:] = rng.normal(size=stack.flat.shape[1]) * spread
    stack.inputs[:, :d] = records.T
    stack.targets[:] = np.eye(n_classes)[labels].T
    return stack


def gradient_of(stack, share, clip, l2=0.0):
    """The gradient that the stack finds, (K, weights), a copy."""
    with np.errstate(all="ignore"):  # as in training
        stack.answer()
        l2 = np.full((len(stack.flat), 1), l2, stack.flat.dtype)
        stack.find_gradient(np.asarray(share, stack.flat.dtype), l2, clip)
    return stack.gradient.copy()


def loss_by_hand(flat, shapes, x, label):
    """The log-loss of one record, one number at a time; `flat` and `shapes` as a stack keeps them."""
    layers = [part.reshape(shape) for part, shape in zip(np.split(flat, [np.prod(shapes[0])]), shapes, strict=False)]
    values = list(x)
    for at, layer in enumerate(layers[: len(shapes)]):
        values = [sum(w * v for w, v in zip(row, [*values, 1.0], strict=True)) for row in layer]
        if at < len(shapes) - 1:
            values = [max(v, 0.0) for v in values]
    return np.log(sum(np.exp(v - max(values)) for v in values)) + max(values) - values[label]


def gradient_by_hand(flat, shapes, x, label):
    """The gradient of one record's log-loss, from nothing but the loss: each weight is moved a little, up and down."""
    gradient = np.zeros(len(flat))
    for j, step in enumerate(1e-5 * np.eye(len(flat))):
        up, down = (loss_by_hand(flat + move, shapes, x, label) for move in (step, -step))
        gradient[j] = (up - down) / 2e-5
    return gradient


def gradient_by_loops(flat, shapes, x, label):
    """The same by the chain rule, a weight at a time."""
    layers = [part.reshape(shape) for part, shape in zip(np.split(flat, [np.prod(shapes[0])]), shapes, strict=False)]
    inputs, sums = [*x, 1.0], None
    if len(shapes) == 2:
        sums = [sum(w * v for w, v in zip(row, inputs, strict=True)) for row in layers[0]]
        units = [*[max(s, 0.0) for s in sums], 1.0]
    else:
        units = inputs
    top = layers[len(shapes) - 1]
    answers = np.exp([sum(w * v for w, v in zip(row, units, strict=True)) for row in top])
    error = answers / answers.sum() - np.eye(len(top))[label]
    gradient = [error[c] * unit for c in range(len(top)) for unit in units]
    if sums is None:
        return np.array(gradient)
    blame = [sum(error[c] * top[c, h] for c in range(len(top))) * (sums[h] > 0) for h in range(len(sums))]
    return np.array([blame[h] * v for h in range(len(sums)) for v in inputs] + gradient)


# What one record can do


@pytest.mark.parametrize("hidden", [0, 4])
def test_the_clipped_sum_is_that_of_records_clipped_one_by_one(hidden):
    records, labels = some_data(1, n=8, n_classes=3)
    stack = a_stack(2, hidden, records, labels)
    each = [gradient_by_loops(stack.flat[0], stack.shapes, x, c) for x, c in zip(records, labels, strict=True)]
    for x, c, by_loops in zip(records, labels, each, strict=True):
        assert by_loops == pytest.approx(gradient_by_hand(stack.flat[0], stack.shapes, x, c), abs=1e-8)
    lengths = [np.sqrt(sum(v * v for v in g)) for g in each]
    clip = float(np.median(lengths))  # so that half of the records are shortened
    share = np.ones((1, 1, 8))
    share[0, 0, 0], share[0, 0, 3] = 0, 2.5  # one record left out; one that counts more, as sampling makes it
    wanted = sum(s * g * min(1, clip / length) for s, g, length in zip(share[0, 0], each, lengths, strict=True))
    assert gradient_of(stack, share, clip)[0] == pytest.approx(wanted, abs=1e-12)
    unclipped = sum(s * g for s, g in zip(share[0, 0], each, strict=True))
    assert gradient_of(stack, share, 1e9)[0] == pytest.approx(unclipped, abs=1e-12)
    assert gradient_of(stack, share, None)[0] == pytest.approx(unclipped, abs=1e-12)


def test_squared_lengths_of_columns():
    columns = np.random.default_rng(0).normal(size=(2, 3, 5))
    wanted = [[[sum(columns[k, m, i] ** 2 for m in range(3)) for i in range(5)]] for k in range(2)]
    assert _squares(columns) == pytest.approx(np.array(wanted))


ADVERSARIES = ("ordinary", "zero", "duplicate", "huge", "one huge", "tiny")


@given(
    seed=st.integers(0, 2**32 - 1),
    n_others=st.integers(1, 6),
    hidden=st.sampled_from([0, 1, 4]),
    kind=st.sampled_from(ADVERSARIES),
    size=st.integers(1, 9),
    label=st.integers(0, 2),
    spread=st.integers(-3, 2),
    clip=st.sampled_from([1e-6, 0.1, 1.0, 30.0]),
    dtype=st.sampled_from(["float32", "float64"]),
)
@example(0, 3, 4, "huge", 9, 1, 2, 1.0, "float32")
@example(0, 3, 0, "one huge", 9, 2, 2, 1e-6, "float32")
@settings(max_examples=150, deadline=None)
def test_no_record_moves_the_sum_by_more_than_the_clip(seed, n_others, hidden, kind, size, label, spread, clip, dtype):
    rng = np.random.default_rng(seed)
    records, labels = rng.normal(size=(n_others, 3)), rng.integers(3, size=n_others)
    one = {
        "ordinary": rng.normal(size=3),
        "zero": np.zeros(3),
        "duplicate": records[0],
        "huge": rng.choice([-1, 1], 3) * 10.0**size,
        "one huge": np.array([10.0**size, 0, 0]),
        "tiny": rng.normal(size=3) * 10.0**-size,
    }[kind]
    records, labels = np.vstack([records, one]), np.append(labels, label)
    # The first net has all the records, the second all but the last, the third nothing but the last.
    share = np.ones((3, 1, n_others + 1))
    share[1, 0, -1] = share[2, 0, :-1] = 0
    stack = a_stack(seed, hidden, records, labels, 3, dtype=dtype, spread=10.0**spread)
    both, without, alone = gradient_of(stack, share, clip).astype(float)
    # Sums of n numbers each rounded: nothing else may come on top of the clip.
    rounding = clip * (n_others + 10) * np.finfo(dtype).eps
    assert np.linalg.norm(both - without) <= clip + rounding
    assert np.linalg.norm(alone) <= clip + rounding
    # The clip is reached by a record that asks for more, and one that asks for less gets all that it asks for.
    asked = gradient_of(stack, share, None).astype(float)[2]
    length = np.linalg.norm(asked)
    if 1e-12 < length < np.inf:
        assert np.linalg.norm(alone) == pytest.approx(min(length, clip), rel=1e-4)
        assert alone == pytest.approx(asked * min(1, clip / length), rel=1e-3, abs=1e-4 * min(length, clip))


@pytest.mark.parametrize("hidden", [0, 4])
def test_the_penalty_does_not_depend_on_the_records(hidden, monkeypatch):
    penalties = []
    for n in (2, 9):
        records, labels = some_data(n, n=n, n_classes=2)
        stack = a_stack(5, hidden, records, labels)
        share = np.ones((1, 1, n))
        penalties.append(gradient_of(stack, share, 1.0, l2=0.7) - gradient_of(stack, share, 1.0))
    assert penalties[0] == pytest.approx(penalties[1], abs=1e-12)
    ones = [np.r_[np.ones(n_in - 1), 0] for n_out, n_in in stack.shapes for _ in range(n_out)]
    assert penalties[0][0] == pytest.approx(0.7 * stack.flat[0] * np.concatenate(ones))
    # In training too: how many members a net has is not told by its penalty.
    seen = []
    find = Stack.find_gradient

    def spy(self, share, l2, clip):
        seen.append(l2)
        find(self, share, l2, clip)

    monkeypatch.setattr(Stack, "find_gradient", spy)
    X, y = some_data()
    masks = np.ones((2, 12), bool)
    masks[1, 3:] = False
    train_nets(X, y, masks, epochs=1, l2=0.7, hidden=hidden, **PRIVATE)
    assert seen[0] == pytest.approx(np.full((2, 1), 0.7))


@pytest.mark.parametrize("hidden", [0, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_largest_measurements_leave_finite_weights(hidden, dtype):
    # A refusal that depends on the random weights would tell of the record without noise.
    X, y = some_data(n=6)
    for row in ([1e9, 1e9, 1e9], [-1e9, 0, 0], [0, 1e9, -1e9], [0, 0, 0]):
        for label in (0, 1):
            X[0], y[0] = row, label
            masks = np.ones((20, 6), bool)
            nets = train_nets(X, y, masks, hidden=hidden, epochs=20, noise=1.0, dtype=dtype, random_state=0, **PRIVATE)
            assert all(np.isfinite(layer).all() for layer in [*nets.coefs_, *nets.intercepts_])


def test_what_is_too_large_to_clip_is_refused_before_training():
    X, y = some_data(n=6)
    X[0, 0] = 1.1e9
    with pytest.raises(ValueError, match=r"X holds 1\.1e\+09; every measurement should be within ±1e\+09"):
        train_nets(X, y, np.ones((1, 6), bool), **PRIVATE)
    train_nets(X, y, np.ones((1, 6), bool), epochs=1)  # without a clip there is nothing to keep


# The noise, and who counts in a step


def every_gradient(monkeypatch, X, y, masks, **options):
    """The gradient that each step of training takes, (steps, K, weights), with weights that never move."""
    taken = []
    with monkeypatch.context() as patch:
        patch.setattr(Stack, "adam_step", lambda self, rate: taken.append(self.gradient.copy()))
        train_nets(X, y, masks, chunk=len(masks), random_state=3, **PRIVATE | {"l2": 0.0} | options)
    return np.array(taken)


@pytest.mark.parametrize(("noise", "clip", "sampling"), [(1.0, 1.0, 1.0), (2.5, 0.3, 1.0), (2.5, 0.3, 0.2)])
@pytest.mark.parametrize("hidden", [0, 4])
def test_noise_is_normal_of_the_stated_spread_and_independent(monkeypatch, noise, clip, sampling, hidden):
    # Every answer is made right, so that the records ask for nothing and the sum is noise alone.
    monkeypatch.setattr(Stack, "answer", lambda self: np.copyto(self.answers, self.targets))
    X, y = some_data()
    options = {"hidden": hidden, "epochs": 40, "clip": clip, "noise": noise, "sampling": sampling}
    drawn = every_gradient(monkeypatch, X, y, np.ones((40, 12), bool), **options)
    z = drawn.astype(float) / (noise * clip / sampling)
    n = z.size
    assert chi2.ppf(0.001, n) < (z**2).sum() < chi2.ppf(0.999, n)
    assert kstest(z.ravel(), norm.cdf).pvalue > 0.001
    # Across weights, nets and steps: no two alike, and products that average to nothing.
    assert len(np.unique(z)) > 0.99 * n
    for axis in range(3):
        spread = (z**2).sum(axis=tuple(other for other in range(3) if other != axis))
        inner = n // z.shape[axis]
        assert ((chi2.ppf(1e-6, inner) < spread) & (spread < chi2.ppf(1 - 1e-6, inner))).all()
        neighbours = (z * np.roll(z, 1, axis)).sum() / np.sqrt(n)
        totals = z.sum(axis=axis)  # what is shared along the axis adds up
        assert abs(neighbours) < 4
        assert chi2.ppf(0.001, totals.size) < (totals**2).sum() / z.shape[axis] < chi2.ppf(0.999, totals.size)


def test_without_noise_nothing_is_added_and_twice_the_clip_is_twice_the_noise(monkeypatch):
    X, y = some_data()
    masks = np.ones((2, 12), bool)
    still = every_gradient(monkeypatch, X, y, masks, epochs=3)
    assert np.array_equal(still[0], still[1]) and np.array_equal(still[0], still[2])
    one, two = (
        every_gradient(monkeypatch, X, y, masks, epochs=3, noise=0.5, clip=c, dtype="float64")
        - every_gradient(monkeypatch, X, y, masks, epochs=3, clip=c, dtype="float64")
        for c in (0.1, 0.2)
    )
    assert two == pytest.approx(2 * one, rel=1e-6)


@pytest.mark.parametrize("sampling", [0.1, 0.5, 0.9])
def test_each_record_counts_by_itself_with_the_stated_probability(monkeypatch, sampling):
    # Record i is the only one with measurement i, so that column i of the sum tells whether it counted, and how much.
    n, steps, K = 8, 60, 30
    X, y = np.eye(n), np.arange(n) % 2
    masks = np.ones((K, n), bool)
    masks[:, n - 1] = False
    options = {"hidden": 0, "epochs": steps, "dtype": "float64"}
    whole = every_gradient(monkeypatch, X, y, masks, **options)[0, :, : n + 1][:, :-1]  # of the first class
    some = every_gradient(monkeypatch, X, y, masks, sampling=sampling, **options)[:, :, : n + 1][:, :, :-1]
    counted = some != 0
    assert not counted[:, :, n - 1].any()  # no member
    counted, weight = counted[:, :, :-1], (some / np.where(whole == 0, 1, whole))[:, :, :-1]
    assert weight[counted] == pytest.approx(1 / sampling)
    total = counted.size
    low, high = binom.ppf([0.0005, 0.9995], total, sampling)
    assert low < counted.sum() < high
    z = (counted - sampling) / np.sqrt(sampling * (1 - sampling))
    for axis in range(3):  # over steps, nets and records: no sum that is too steady or too wild
        totals = z.sum(axis=axis)
        low, high = chi2.ppf([1e-5, 1 - 1e-5], totals.size)
        assert low < (totals**2).sum() / z.shape[axis] < high
    # Sizes of the batches vary as those of a Poisson sample do; one of a fixed size would have no spread.
    sizes = counted.sum(axis=2)
    assert sizes.var() == pytest.approx((n - 1) * sampling * (1 - sampling), rel=0.2)


# What does not matter


@pytest.mark.parametrize("options", [{"noise": 1.0}, {"noise": 1.0, "sampling": 0.3}, {"sampling": 0.3}])
@pytest.mark.parametrize("hidden", [0, 4])
def test_a_net_depends_on_its_own_members_alone(hidden, options):
    X, y = some_data(n=20)
    rng = np.random.default_rng(0)
    masks = rng.random((7, 20)) < 0.5
    masks[0] = True  # the size of the largest stays
    options = PRIVATE | options | {"hidden": hidden, "epochs": 15, "random_state": 1}
    nets = train_nets(X, y, masks, **options)
    for chunk in (1, 2, 7):
        again = train_nets(X, y, masks, chunk=chunk, **options)
        for one, other in zip([*nets.coefs_, *nets.intercepts_], [*again.coefs_, *again.intercepts_], strict=True):
            assert np.array_equal(one, other)
    others = masks.copy()
    others[[1, 3, 5]] = rng.random((3, 20)) < 0.5
    again, X2 = train_nets(X, y, others, **options), X.copy()
    X2[~masks[2]] = 99.0  # what is no member of net 2
    elsewhere = train_nets(X2, y, masks, **options)
    for layer, one, two in zip(nets.coefs_, again.coefs_, elsewhere.coefs_, strict=True):
        assert np.array_equal(layer[[0, 2, 4, 6]], one[[0, 2, 4, 6]])
        assert not np.array_equal(layer[1], one[1])
        assert np.array_equal(layer[2], two[2])


@pytest.mark.parametrize("hidden", [0, 4])
def test_without_noise_and_sampling_the_order_of_records_does_not_matter(hidden):
    X, y = some_data(n=20)
    order = np.random.default_rng(0).permutation(20)
    options = PRIVATE | {"hidden": hidden, "epochs": 15, "dtype": "float64", "random_state": 1}
    one = train_nets(X, y, np.ones((2, 20), bool), **options)
    two = train_nets(X[order], y[order], np.ones((2, 20), bool), **options)
    for a, b in zip([*one.coefs_, *one.intercepts_], [*two.coefs_, *two.intercepts_], strict=True):
        assert a == pytest.approx(b, abs=1e-8)


def test_nothing_but_the_weights_tells_of_the_members():
    X, y = some_data()
    few = np.zeros((1, 12), bool)
    few[0, :3] = True
    options = PRIVATE | {"noise": 1.0, "sampling": 0.5, "epochs": 5}
    one, two = train_nets(X, y, few, **options), train_nets(X, y, ~few, **options)
    for field in fields(one):
        if field.name not in ("coefs_", "intercepts_"):
            assert repr(getattr(one, field.name)) == repr(getattr(two, field.name))
    assert np.isnan(one.loss_).all()
    three, four = NetClassifier(**options).fit(X[:4], y[:4]), NetClassifier(**options).fit(X, y)
    kept = set(vars(three)) - {"coefs_", "intercepts_"}
    assert {name: repr(vars(three)[name]) for name in kept} == {name: repr(vars(four)[name]) for name in kept}
    assert np.isnan(three.loss_)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clip": None, "noise": 1.0}, "clip is None; noise and sampling are for private training"),
        ({"clip": None, "sampling": 0.5}, "clip is None; noise and sampling are for private training"),
        ({"clip": 0}, "clip is 0; it should be a finite number above 0"),
        ({"clip": -1.0}, r"clip is -1\.0; it should be a finite number above 0"),
        ({"clip": np.inf}, "clip is inf; it should be a finite number above 0"),
        ({"clip": np.nan}, "clip is nan; it should be a finite number above 0"),
        ({"clip": True}, "clip is True; it should be a finite number above 0"),
        ({"clip": "1"}, "clip is '1'; it should be a finite number above 0"),
        ({"noise": -0.1}, r"noise is -0\.1; it should be a finite number of 0 or more"),
        ({"noise": np.nan}, "noise is nan; it should be a finite number of 0 or more"),
        ({"noise": np.inf}, "noise is inf; it should be a finite number of 0 or more"),
        ({"noise": "1"}, "noise is '1'; it should be a finite number of 0 or more"),
        ({"sampling": 0}, "sampling is 0; it should be above 0 and at most 1"),
        ({"sampling": 1.01}, r"sampling is 1\.01; it should be above 0 and at most 1"),
        ({"sampling": np.nan}, "sampling is nan; it should be above 0 and at most 1"),
        ({"sampling": True}, "sampling is True; it should be above 0 and at most 1"),
        ({"standardise": True}, "standardise is True, which reads the members without noise.*ranges that are public"),
        ({"early_stopping": True}, "early_stopping is True, which reads the members without noise.*epochs beforehand"),
    ],
)
def test_settings_that_promise_nothing_are_refused(options, message):
    X, y = some_data()
    with pytest.raises(ValueError, match=message):
        NetClassifier(**PRIVATE | options).fit(X, y)


# Audits: thousands of nets with and without one record


STEPS, DELTA = 10, 1e-3
# The least noise that keeps epsilon over so many steps, rounded up, by epsilon and sampling.
NOISE = {(1, 1.0): 8.142, (4, 1.0): 2.603, (8, 1.0): 1.518, (1, 0.5): 4.263, (4, 0.5): 1.506, (8, 0.5): 0.951}
# Four records, and one far out that pulls across them: its clipped gradient points the same way at every step.
FEW = np.array([[1.0, -1.0], [0.5, -0.5], [-1.0, 1.0], [-0.5, 0.5], [100.0, 100.0]]), np.array([1, 1, 0, 0, 0])
WITH = np.random.default_rng(0).permutation(4000) < 2000


def masks_of(with_it):
    """All records but the last for each net, and the last where it is said."""
    return np.column_stack([np.ones((len(with_it), len(FEW[0]) - 1), bool), with_it])


def audit_of_sums(monkeypatch, **options):
    """An audit by whoever sees the sum of every step, which the promise covers, laid along what the record adds.

    Training starts near zero, where nobody is sure of anything, so that the record always asks for more than the clip.
    Also how many standard deviations lie between the runs with the record and those without.
    """
    draw, near = Stack.draw_weights, 0.1 if options["hidden"] else 0.01

    def draw_small(stack, k, rng):
        draw(stack, k, rng)
        stack.flat[k] *= near

    monkeypatch.setattr(Stack, "draw_weights", draw_small)
    options = {"epochs": STEPS, "dtype": "float64"} | options
    sums = every_gradient(monkeypatch, *FEW, masks_of(WITH), **options).sum(axis=0)
    still = options | {"noise": 0.0, "sampling": 1.0, "epochs": 1}
    every, without = (every_gradient(monkeypatch, *FEW, masks_of(np.full(4000, w)), **still)[0] for w in (True, False))
    direction = every - without
    scores = ((sums - STEPS * without) * direction).sum(axis=1) / np.linalg.norm(direction, axis=1)
    apart = (scores[WITH].mean() - scores[~WITH].mean()) / max(scores[~WITH].std(), 1e-9)
    return audit_epsilon(scores, WITH, DELTA), apart


@pytest.mark.long
@pytest.mark.parametrize(
    ("epsilon", "sampling", "hidden"), [(1, 1.0, 4), (4, 1.0, 0), (8, 1.0, 4), (1, 0.5, 0), (8, 0.5, 4)]
)
def test_whoever_sees_every_sum_learns_what_was_promised_and_no_more(monkeypatch, epsilon, sampling, hidden):
    """4,000 trainings; the auditor is the strongest that the promise covers, and comes nearer to epsilon."""
    noise = NOISE[epsilon, sampling]
    assert epsilon_of(noise, STEPS, DELTA, sampling) <= epsilon
    found, apart = audit_of_sums(monkeypatch, hidden=hidden, clip=1.0, noise=noise, sampling=sampling)
    assert not found.contradicts(epsilon)
    if sampling == 1:  # each step moves the sum by the clip, so that the two kinds lie sqrt(steps) / noise apart
        assert apart == pytest.approx(np.sqrt(STEPS) / noise, abs=0.12)
        assert found.at_least > 0.15 * epsilon


@pytest.mark.long
@pytest.mark.parametrize("hidden", [0, 4])
def test_whoever_sees_every_sum_catches_a_clip_that_is_too_long(monkeypatch, hidden):
    found, apart = audit_of_sums(monkeypatch, hidden=hidden, clip=10.0, noise=NOISE[1, 1.0] / 10)
    assert found.contradicts(1) and found.at_least > 2, (found, apart)
