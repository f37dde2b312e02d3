"""Many nets at once: each learns from its own members alone, and as scikit-learn's own nets do."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from mialab.data import load_iris, split, wrong_labels
from mialab.metrics import auc, mean_interval
from mialab.nets import NetClassifier, Nets, train_nets
from mialab.nets import _net as nets_module
from mialab.nets._net import PATIENCE, _train
from mialab.nets._stack import Stack

flowers = load_iris()
X, y = flowers.X, flowers.y
NOISY = wrong_labels(y, 0.3, 0)


def halves(n_nets, y=y, seed=0):
    """Random halves of the records, each class in proportion."""
    rng = np.random.default_rng(seed)
    rows = np.arange(len(y))
    return np.array([np.isin(rows, split(rows[:, None], y, len(y) // 2, rng).index_in) for _ in range(n_nets)])


def same(a, b):
    """Whether two batches of nets are equal to the last bit."""
    pairs = zip([*a.coefs_, *a.intercepts_, a.loss_], [*b.coefs_, *b.intercepts_, b.loss_], strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


def log_loss(net, X, y):
    """The mean log-loss, as its definition reads."""
    column = {label: j for j, label in enumerate(net.classes_.tolist())}
    P = net.predict_proba(X)
    return -np.mean([np.log(P[i, column[label]]) for i, label in enumerate(np.asarray(y).tolist())])


@st.composite
def problems(draw):
    """A small data set, masks of unequal size, and settings."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d, n_classes = draw(st.integers(4, 20)), draw(st.integers(1, 4)), draw(st.integers(2, 4))
    K = draw(st.integers(1, 5))
    y = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=n)])
    masks = rng.random((K, len(y))) < 0.5
    masks[np.arange(K), rng.integers(len(y), size=K)] = True
    settings = {
        "hidden": draw(st.sampled_from([0, 1, 5])),
        "epochs": draw(st.integers(1, 12)),
        "standardise": draw(st.booleans()),
        "random_state": draw(st.integers(0, 99)),
        "dtype": draw(st.sampled_from(["float32", "float64"])),
    }
    return rng.normal(size=(len(y), d)) * 10.0 ** draw(st.integers(-2, 2)), y, masks, settings


# The arithmetic


@pytest.mark.parametrize("hidden", [0, 5])
def test_the_gradient_against_finite_differences(hidden):
    rng = np.random.default_rng(0)
    K, d, n_classes, size = 3, 4, 3, 7
    stack = Stack(K, d, hidden, n_classes, size, "float64")
    stack.inputs[:, :d] = rng.normal(size=(K, d, size))
    stack.targets[:] = np.eye(n_classes)[rng.integers(n_classes, size=(K, size))].transpose(0, 2, 1)
    share, l2 = rng.dirichlet(np.ones(size), (K, 1)), np.array([[0.0], [0.3], [2.0]])
    share[0, 0, -2:] = 0  # padding
    stack.flat[:] = start = rng.normal(size=stack.flat.shape)

    def objective(k, i, step):
        stack.flat[:] = start
        stack.flat[k, i] += step
        stack.answer()
        squares = sum((layer[k, :, :-1] ** 2).sum() for layer in stack.weights)
        return stack.loss(share)[k] + l2[k, 0] / 2 * squares

    slopes = [
        [(objective(k, i, 1e-6) - objective(k, i, -1e-6)) / 2e-6 for i in range(start.shape[1])] for k in range(K)
    ]
    stack.flat[:] = start
    stack.answer()
    stack.find_gradient(share, l2)
    assert stack.gradient == pytest.approx(np.array(slopes), abs=1e-7)


def test_adam_against_the_formula_of_the_paper():
    rng = np.random.default_rng(0)
    stack = Stack(2, 1, 0, 2, 1, "float64")
    theta, m, v = rng.normal(size=(2, 4)), 0, 0
    stack.flat[:] = theta
    for t in range(1, 6):
        g = rng.normal(size=(2, 4))
        stack.gradient[:] = g
        stack.adam_step(0.1)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    assert stack.flat == pytest.approx(theta)


@pytest.mark.parametrize("l2", [0.1, 1.0, 10.0])
def test_softmax_regression_is_scikit_learns_logistic_regression_with_the_same_penalty(l2):
    ours = NetClassifier(0, epochs=2000, learning_rate=0.2, l2=l2, random_state=0, dtype="float64").fit(X, y)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=1 / l2, tol=1e-10, max_iter=10_000)).fit(X, y)
    assert ours.predict_proba(X) == pytest.approx(theirs.predict_proba(X), abs=1e-4)


def test_the_first_weights_are_those_of_the_published_range():
    stack = Stack(200, 9, 15, 3, 1, "float64")
    for k in range(200):
        stack.draw_weights(k, np.random.default_rng(k))
    for layer, bound in zip(stack.weights, [np.sqrt(6 / 24), np.sqrt(6 / 18)], strict=True):
        assert np.abs(layer).max() <= bound
        assert layer.std() == pytest.approx(bound / np.sqrt(3), rel=0.02)


@pytest.mark.parametrize("hidden", [0, 16])
def test_the_loss_is_the_mean_log_loss_of_the_members(hidden):
    masks = halves(3)
    for net, mask in zip(train_nets(X, y, masks, hidden=hidden, epochs=60, random_state=0), masks, strict=True):
        assert net.loss_ == pytest.approx(log_loss(net, X[mask], y[mask]), rel=1e-4)


def test_single_and_double_precision_tell_the_same():
    single, double = (train_nets(X, y, halves(8), random_state=0, epochs=100, dtype=d) for d in ("float32", "float64"))
    assert single.predict_proba(X) == pytest.approx(double.predict_proba(X), abs=1e-3)
    assert single.predict_proba(X).dtype == float


# Each net for itself


@settings(deadline=None, max_examples=60)
@given(problems())
def test_probabilities_sum_to_one_and_single_nets_answer_as_the_batch_does(problem):
    X, y, masks, setting = problem
    nets = train_nets(X, y, masks, **setting)
    P = nets.predict_proba(X)
    assert len(nets) == len(masks) and P.shape == (len(masks), len(X), len(np.unique(y)))
    assert (P >= 0).all() and P.sum(axis=2) == pytest.approx(1)
    for k, net in enumerate(nets):
        assert net.predict_proba(X) == pytest.approx(P[k], abs=1e-12)


@pytest.mark.long
@settings(deadline=None, max_examples=60)
@given(problems(), st.booleans())
def test_a_net_learns_nothing_of_a_record_that_is_no_member(problem, early_stopping):
    X, y, masks, setting = problem
    n, classes = len(X), np.unique(y)
    X, y = np.vstack([X, X[: len(classes)]]), np.append(y, classes)  # more strangers: every class stays known
    masks = np.pad(masks | (np.arange(n) < 2), ((0, 0), (0, len(classes))))
    strangers = np.flatnonzero(~masks[0, :n])
    X_other, y_other = X.copy(), y.copy()
    X_other[strangers], y_other[strangers] = -1e6, classes[0]
    setting["early_stopping"] = early_stopping
    assert same(*(train_nets(*data, masks[:1], **setting) for data in ((X, y), (X_other, y_other))))


def test_a_net_does_learn_from_each_of_its_members():
    mask = halves(1)
    for i in np.flatnonzero(mask[0])[::25]:
        other = X.copy()
        other[i] += 1
        assert not same(*(train_nets(data, y, mask, epochs=5, random_state=0) for data in (X, other)))


@settings(deadline=None, max_examples=40)
@given(problems(), st.integers(1, 6), st.booleans())
def test_answers_do_not_depend_on_the_chunk(problem, chunk, early_stopping):
    X, y, masks, setting = problem
    masks[:, :2] = True
    setting["early_stopping"] = early_stopping
    assert same(train_nets(X, y, masks, **setting), train_nets(X, y, masks, chunk=chunk, **setting))


def test_a_net_does_not_depend_on_its_neighbours():
    masks, others = halves(6), halves(6, seed=1)
    others[3] = masks[3]
    nets = [train_nets(X, y, m, epochs=50, random_state=0)[3] for m in (masks, others, masks[:4])]
    assert np.array_equal(nets[0].coefs_[0], nets[1].coefs_[0])
    assert np.array_equal(nets[0].coefs_[0], nets[2].coefs_[0])


@settings(deadline=None, max_examples=30)
@given(problems(), st.randoms(use_true_random=False))
def test_nets_in_another_order_give_the_same_answers_in_that_order(problem, random):
    X, y, masks, setting = problem
    order = random.sample(range(len(masks)), len(masks))
    size, net = int(masks.sum(axis=1).max()), NetClassifier(**setting)
    in_order, shuffled = (
        _train(X, y, y.max() + 1, masks[o], size, [np.random.default_rng(0).spawn(len(masks))[k] for k in o], net)
        for o in (range(len(masks)), order)
    )
    assert np.array_equal(in_order[0][0][order], shuffled[0][0])
    assert np.array_equal(in_order[2][order], shuffled[2])


def test_the_order_of_the_records_does_not_matter():
    order, masks = np.random.default_rng(1).permutation(len(X)), halves(4)
    settings = {"epochs": 50, "random_state": 0, "dtype": "float64"}
    P = train_nets(X, y, masks, **settings).predict_proba(X)
    assert train_nets(X[order], y[order], masks[:, order], **settings).predict_proba(X) == pytest.approx(P, abs=1e-8)


def test_a_small_subset_beside_large_ones_trains_as_it_does_alone():
    masks = halves(3)
    masks[0] &= np.arange(len(X)) % 5 == 0
    masks[1] = True
    alone, beside = (
        train_nets(X, y, m, epochs=100, random_state=0, dtype="float64").predict_proba(X) for m in (masks[:1], masks)
    )
    assert alone[0] == pytest.approx(beside[0], abs=1e-8)


def test_one_net_is_a_batch_of_one():
    one = NetClassifier(epochs=30, random_state=3).fit(X, y)
    batch = train_nets(X, y, np.ones((1, len(X)), bool), epochs=30, random_state=3)
    assert np.array_equal(one.predict_proba(X), batch[0].predict_proba(X))


def test_random_states():
    masks = halves(2)
    again = [train_nets(X, y, masks, epochs=3, random_state=r) for r in (0, 0, np.random.default_rng(0), 1, None)]
    assert same(again[0], again[1]) and same(again[0], again[2])
    assert not same(again[0], again[3]) and not same(again[0], again[4])
    assert not np.array_equal(*train_nets(X, y, masks[[0, 0]], epochs=3, random_state=0).coefs_[0])  # a start each


# Settings


def test_standardisation_is_that_of_the_members_alone():
    masks = halves(3)
    nets = train_nets(X, y, masks, epochs=40, random_state=0, dtype="float64")
    for k, mask in enumerate(masks):
        scaler = StandardScaler().fit(X[mask])
        by_hand = train_nets(
            scaler.transform(X), y, masks, epochs=40, random_state=0, dtype="float64", standardise=False
        )[k]
        assert by_hand.predict_proba(scaler.transform(X)) == pytest.approx(nets[k].predict_proba(X), abs=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_units_of_measurement_do_not_matter_however_large_or_small(dtype):
    masks, settings = halves(3), {"epochs": 40, "random_state": 0, "dtype": dtype}
    P = train_nets(X, y, masks, **settings).predict_proba(X)
    units, zeros = np.array([1e30, 1e-30, 1e140, 254.0]), np.array([3e30, 1e-29, 0.0, 1e5])
    other = X * units + zeros
    assert train_nets(other, y, masks, **settings).predict_proba(other) == pytest.approx(P, abs=1e-4)


@pytest.mark.parametrize("constant", [0.0, 0.1, -7e8])
def test_a_constant_measurement_tells_nothing_and_divides_by_nothing(constant):
    with_it = np.column_stack([X, np.full(len(X), constant)])
    net = NetClassifier(epochs=200, random_state=0).fit(with_it, y)
    assert net.score(with_it, y) > 0.95
    assert np.isfinite(net.coefs_[0]).all()


def test_the_penalty_shrinks_the_weights():
    nets = [train_nets(X, y, halves(4), l2=l2, random_state=0, standardise=False) for l2 in (0, 1, 10, 100)]
    squares = [sum((layer**2).sum() for layer in batch.coefs_) for batch in nets]
    assert squares == sorted(squares, reverse=True) and squares[-1] < squares[0] / 20
    assert [batch.loss_.mean() for batch in nets] == sorted(batch.loss_.mean() for batch in nets)


def test_more_epochs_fit_better():
    losses = [train_nets(X, y, halves(4), epochs=e, random_state=0).loss_.mean() for e in (5, 50, 500)]
    assert losses[0] > 2 * losses[1] > 4 * losses[2]


def test_early_stopping_keeps_each_nets_best_weights(monkeypatch):
    history = []

    class Recording(Stack):
        def loss(self, share):
            losses = super().loss(share)
            history.append((self.flat.copy(), losses, share.copy()))
            return losses

    monkeypatch.setattr(nets_module, "Stack", Recording)
    train_nets(X, NOISY, halves(8), epochs=400, early_stopping=True, random_state=0)
    *epochs, (kept, _, trained_on) = history
    held_out = epochs[0][2]
    assert ((held_out > 0).sum(axis=2) == 8).all()  # a tenth of 75, rounded up
    assert ((trained_on > 0).sum(axis=2) == 67).all() and not ((trained_on > 0) & (held_out > 0)).any()
    stops = []
    for k in range(8):
        best = 0
        for epoch, (_, losses, _) in enumerate(epochs):
            best = epoch if losses[k] < epochs[best][1][k] and epoch <= best + PATIENCE else best
        assert np.array_equal(kept[k], epochs[best][0][k])
        stops.append(best)
    assert len(set(stops)) > 3
    assert len(epochs) == max(stops) + PATIENCE + 2 < 400  # then it looks no further


def test_early_stopping_stops_each_net_alike_in_any_chunk():
    masks, settings = halves(8), {"epochs": 400, "random_state": 0}
    early, one_by_one = (train_nets(X, NOISY, masks, early_stopping=True, chunk=chunk, **settings) for chunk in (8, 1))
    assert same(early, one_by_one)
    late = train_nets(X, NOISY, masks, **settings)
    assert (early.loss_ > late.loss_).all()


def test_a_class_without_members_keeps_its_column():
    masks = np.stack([y != 1, np.ones(len(y), bool)])
    nets = train_nets(X, y, masks, epochs=200, random_state=0)
    P = nets.predict_proba(X)
    assert nets.classes_.tolist() == [0, 1, 2] and P.shape == (2, 150, 3)
    assert P[0, :, 1].max() < 0.2 < 0.8 < P[1, y == 1, 1].mean()


def test_one_record_alone_is_learnt_by_heart():
    mask = np.zeros((1, len(X)), bool)
    mask[0, 70] = True
    net = train_nets(X, y, mask, random_state=0)[0]
    assert net.predict_proba(X[70:71])[0, y[70]] > 0.9


# Shaped like scikit-learn

OURS = "the refusal is worded as in the rest of this package"
DIFFERENT = {
    "check_complex_data": OURS,
    "check_fit2d_predict1d": OURS,
    "check_requires_y_none": OURS,
    "check_dtype_object": "numbers among objects are accepted and a dict among them is refused, both as asked; " + OURS,
    "check_supervised_y_2d": "labels in a column are refused, where scikit-learn flattens them with a warning",
}


@pytest.mark.long
@parametrize_with_checks(
    [NetClassifier(hidden=4, epochs=100, random_state=0)], expected_failed_checks=lambda _: DIFFERENT
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "names", [np.array(["setosa", "versicolor", "virginica"]), np.array([30, 10, 20]), ["b", "c", "a"]]
)
def test_labels_of_any_kind(names):
    labels = np.asarray(names)[y]
    net = NetClassifier(random_state=0, epochs=100).fit(X, labels.tolist())
    assert net.classes_.tolist() == sorted(names)
    assert (net.predict(X) == labels).mean() > 0.95
    assert net.predict_proba(X)[0].argmax() == sorted(names).index(names[0])


def test_clone_pipeline_pickle_and_cross_validation():
    net = NetClassifier(hidden=5, epochs=100, random_state=0)
    assert clone(net).get_params() == net.get_params()
    assert net.set_params(hidden=7).hidden == 7
    pipeline = make_pipeline(StandardScaler(), net).fit(X, y)
    assert pipeline.set_params(netclassifier__l2=1.0)[-1].l2 == 1
    assert cross_val_score(pipeline, X, y).mean() > 0.9
    fitted = net.fit(X, y)
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), fitted.predict_proba(X))


def test_frames():
    frame = flowers.frame.drop(columns="species")
    net = NetClassifier(random_state=0, epochs=20).fit(frame, flowers.frame["species"])
    assert net.feature_names_in_.tolist() == list(flowers.feature_names)
    assert np.array_equal(net.predict_proba(frame), NetClassifier(random_state=0, epochs=20).fit(X, y).predict_proba(X))
    with pytest.raises(ValueError, match="feature names should match"):
        net.predict(frame.rename(columns={"sepal length": "length"}))
    masks = halves(2)
    assert same(train_nets(frame, pd.Series(y), masks, random_state=0), train_nets(X, y, masks, random_state=0))


def test_a_batch_is_a_sequence_of_nets():
    nets = train_nets(X, y, halves(3), epochs=10, random_state=0)
    assert isinstance(nets, Nets) and len(list(nets)) == 3
    assert np.array_equal(nets[-1].coefs_[0], nets[2].coefs_[0])
    assert nets[1].epochs == 10 and nets[1].n_features_in_ == 4
    nets[0].coefs_[0][:] = 0  # a copy
    assert nets.coefs_[0][0].any()
    assert repr(nets).startswith("3 nets of 16 hidden units, mean training loss ")
    with pytest.raises(IndexError):
        nets[3]
    with pytest.raises(TypeError, match="slice"):
        nets[:2]


def test_large_questions_are_answered_in_parts(monkeypatch):
    nets = train_nets(X, y, halves(5), epochs=10, random_state=0)
    many = np.tile(X, (400, 1))  # 16 units × 60,000 records: 4 nets at a time
    assert np.array_equal(nets.predict_proba(many)[:, :150], nets.predict_proba(many[:60_000])[:, :150])
    assert nets.predict_proba(many)[4, :150] == pytest.approx(nets[4].predict_proba(X))


def test_progress_is_told_on_request_only(capsys):
    train_nets(X, y, halves(5), epochs=2, random_state=0, chunk=2)
    assert capsys.readouterr() == ("", "")
    train_nets(X, y, halves(5), epochs=2, random_state=0, chunk=2, progress=True)
    out, err = capsys.readouterr()
    assert out == "" and err.split("\r")[1:] == [
        f"{n} of 5 nets trained{end}" for n, end in ((2, ""), (4, ""), (5, "\n"))
    ]


# Bad input

MASKS = halves(2)
NOBODY = MASKS.copy()
NOBODY[1] = False
LONELY = NOBODY.copy()
LONELY[1, 0] = True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": X[:, 0]}, r"X has shape \(150,\)"),
        ({"X": np.where(X > 7, np.nan, X)}, "X holds NaN"),
        ({"X": X[:, :0]}, "X has 0 feature"),
        ({"X": X * 1e200}, r"X holds 7.9e\+200; every measurement should be within ±1e\+150"),
        ({"y": y[:-1]}, "y holds 149 labels for 150 records"),
        ({"y": y * 0}, "y holds one class only, 0; a classifier needs at least 2"),
        ({"y": X[:, 0]}, "Unknown label type: continuous"),
        ({"masks": MASKS[0]}, r"masks has shape \(150,\); it should be \(K, 150\)"),
        ({"masks": MASKS[:, 1:]}, r"masks has shape \(2, 149\); it should be \(K, 150\)"),
        ({"masks": MASKS[:0]}, r"masks has shape \(0, 150\); .* at least one model"),
        ({"masks": MASKS.astype(int)}, "masks holds int64 values; it should hold True for a member"),
        ({"masks": np.arange(75)}, "masks holds int64 values"),
        ({"masks": NOBODY}, r"masks\[1\] has 0 members; it should have 1 or more"),
        ({"masks": LONELY, "early_stopping": True}, r"masks\[1\] has 1 members; it should have 2 or more"),
        ({"hidden": -1}, "hidden is -1; it should be a whole number of 0 or more"),
        ({"hidden": 2.0}, "hidden is 2.0"),
        ({"hidden": (16,)}, r"hidden is \(16,\)"),
        ({"epochs": 0}, "epochs is 0; it should be a whole number of 1 or more"),
        ({"learning_rate": -0.1}, "learning_rate is -0.1; it should be a finite number of 0 or more"),
        ({"learning_rate": np.inf}, "learning_rate is inf"),
        ({"l2": "strong"}, "l2 is 'strong'"),
        ({"l2": np.nan}, "l2 is nan"),
        ({"l2": True}, "l2 is True"),
        ({"early_stopping": "no"}, "early_stopping is 'no'; it should be True or False"),
        ({"standardise": 1}, "standardise is 1; it should be True or False"),
        ({"progress": 0}, "progress is 0; it should be True or False"),
        ({"chunk": 0}, "chunk is 0; it should be a whole number of 1 or more"),
        ({"dtype": "float16"}, "dtype is 'float16'; it should be one of 'float32', 'float64'"),
        ({"random_state": -1}, "random_state is -1"),
    ],
)
def test_bad_input_is_named(change, message):
    given = {"X": X, "y": y, "masks": MASKS, "epochs": 2} | change
    with pytest.raises(ValueError, match=message):
        train_nets(given.pop("X"), given.pop("y"), given.pop("masks"), **given)


def test_unknown_settings_are_refused():
    with pytest.raises(TypeError, match="hidden_units"):
        train_nets(X, y, MASKS, hidden_units=3)


@pytest.mark.parametrize("change", [{"X": X * 1e39}, {"learning_rate": 1e38}, {"l2": 1e300}])
def test_weights_that_overflow_are_reported(change):
    given = {"X": X, "epochs": 5, "standardise": False} | change
    with pytest.raises(ValueError, match="so large that weights overflow float32"):
        train_nets(given.pop("X"), y, MASKS, random_state=0, **given)


def test_questions_that_cannot_be_answered_are_refused():
    nets = train_nets(X / 1000, y, MASKS, epochs=200, random_state=0)
    for asked in (nets, nets[0]):
        with pytest.raises(ValueError, match=r"X has 3 features, but .* 4 features"):
            asked.predict_proba(X[:, :3])
        with pytest.raises(ValueError, match=r"X has shape \(4,\); .* put a single record in a list"):
            asked.predict_proba(X[0])
        with pytest.raises(ValueError, match=r"X holds 7.9e\+307, at which the net's sums overflow"):
            asked.predict_proba(X * 1e307)
    with pytest.raises(ValueError, match="not fitted yet"):
        NetClassifier().predict(X)


# As scikit-learn's own


def accuracy_and_leak(P, y, mask):
    """Test accuracy, and the AUC of 'members get more confidence in their label', of one net's answers."""
    return (P.argmax(axis=1) == y)[~mask].mean(), auc(P[np.arange(len(y)), y], mask)


@pytest.mark.long
@pytest.mark.parametrize(("fraction", "leak"), [(0.0, 0.51), (0.2, 0.62)])
def test_as_accurate_and_as_leaky_as_scikit_learns_nets_on_the_same_subsets(fraction, leak):
    recorded, masks = wrong_labels(y, fraction, 0), halves(32)
    nets = train_nets(X, recorded, masks, epochs=300, learning_rate=0.02, random_state=0)
    theirs, losses = [], []
    for k, mask in enumerate(masks):  # a step of 0.01 throughout, the mean of ours
        mlp = MLPClassifier(16, learning_rate_init=0.01, max_iter=300, tol=0, n_iter_no_change=300, random_state=k)
        model = make_pipeline(StandardScaler(), mlp)
        with pytest.warns(match="Maximum iterations"):
            model.fit(X[mask], recorded[mask])
        losses.append(log_loss(model, X[mask], recorded[mask]))
        theirs.append(accuracy_and_leak(model.predict_proba(X), recorded, mask))
    ours = [accuracy_and_leak(P, recorded, mask) for P, mask in zip(nets.predict_proba(X), masks, strict=True)]
    assert nets.loss_.mean() == pytest.approx(np.mean(losses), rel=0.1)
    for difference in (np.array(ours) - theirs).T:
        assert mean_interval(difference).low <= 0 <= mean_interval(difference).high
    assert np.mean(ours, axis=0)[1] == pytest.approx(leak, abs=0.03)
