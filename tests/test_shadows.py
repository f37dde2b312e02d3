"""Shadow models: even draws, no leak from records that a shadow did not train on, and the same answers any way."""

import subprocess
import sys
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster, get_worker
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from mialab.blackbox import QueryMeter
from mialab.data import load_iris
from mialab.nets import NetClassifier
from mialab.shadows import (
    Shadows,
    marginal_records,
    noisy_records,
    shadow_members,
    synthetic_records,
    train_shadows,
)
from mialab.targets import make

FLOWERS = load_iris()
X, Y = FLOWERS.X, FLOWERS.y
SPECIES = np.array(FLOWERS.class_names)[Y]
LOW, HIGH = X.min(axis=0), X.max(axis=0)
SEEDS = st.integers(0, 2**32 - 1)
NET = NetClassifier(hidden=4, epochs=100)
LABELS = st.lists(st.integers(0, 5), min_size=2, max_size=60).map(np.array)


# Who trains each shadow


@settings(deadline=None)
@given(LABELS, st.data(), st.integers(1, 5), SEEDS)
def test_each_shadow_has_its_number_of_members_to_within_one_of_each_class_share(y, data, n_shadows, seed):
    n_members = data.draw(st.integers(1, len(y) - 1))
    in_mask = shadow_members(y, n_shadows, n_members, seed)
    assert in_mask.shape == (n_shadows, len(y)) and in_mask.dtype == bool
    assert (in_mask.sum(axis=1) == n_members).all()
    for label in np.unique(y):
        of_class = y == label
        share = of_class.sum() * n_members / len(y)
        assert (np.abs(in_mask[:, of_class].sum(axis=1) - share) < 1).all()


@settings(deadline=None)
@given(LABELS, st.integers(1, 4), SEEDS)
def test_of_an_even_number_of_shadows_every_record_trains_half(y, n_pairs, seed):
    y = np.resize(y, len(y) // 2 * 2)
    in_mask = shadow_members(y, 2 * n_pairs, len(y) // 2, seed)
    np.testing.assert_array_equal(in_mask[::2], ~in_mask[1::2])
    assert (in_mask.sum(axis=0) == n_pairs).all()


@pytest.mark.parametrize("n_members", [10, 50, 75, 100, 140])
def test_pairs_overlap_as_little_as_can_be(n_members):
    in_mask = shadow_members(Y, 20, n_members, 0)
    shared = (in_mask[::2] & in_mask[1::2]).sum(axis=1)
    assert (shared <= max(0, 2 * n_members - 150) + 3).all()  # within one record a class
    assert (shared == 0).all() or n_members > 75


@pytest.mark.parametrize(
    ("n_members", "y"), [(40, np.repeat([0, 1, 2], [60, 30, 7])), (49, np.repeat([0, 1], [4, 95]))]
)
def test_every_record_is_equally_likely_a_member_wherever_it_stands(n_members, y):
    """Neither a record's place, nor the size of its class, nor its shadow's place in the pair tells who is in."""
    in_mask = shadow_members(y, 6000, n_members, 0)
    rate = n_members / len(y)
    for shadows in (in_mask[::2], in_mask[1::2]):
        z = (shadows.mean(axis=0) - rate) / np.sqrt(rate * (1 - rate) / 3000)
        assert np.abs(z).max() < 4.5 and 0.5 < z.std() < 1.5
    first, second = in_mask[::2, 0], in_mask[::2, -1]  # from two classes: drawn apart
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(3000)


def test_the_masks_follow_the_seed_and_no_two_pairs_are_alike():
    in_mask = shadow_members(Y, 40, 75, 1)
    np.testing.assert_array_equal(in_mask, shadow_members(Y, 40, 75, 1))
    assert len(np.unique(in_mask, axis=0)) == 40
    np.testing.assert_array_equal(in_mask, shadow_members(SPECIES, 40, 75, 1))
    assert not np.array_equal(in_mask, shadow_members(Y, 40, 75, 2))


# What comes back


def maker(random_state):
    return DecisionTreeClassifier(max_features=1, random_state=random_state)


EVERY_KIND = {
    "net": NET,
    "tree": DecisionTreeClassifier(max_features=1),
    "k-NN": KNeighborsClassifier(3),
    "pipeline": make("logistic"),
    "forest": make("forest").set_params(n_estimators=3),
    "function": maker,
}


def member_rows(shadows, k):
    return np.flatnonzero(shadows.in_mask[k])


@pytest.mark.parametrize("model", EVERY_KIND.values(), ids=EVERY_KIND)
@pytest.mark.parametrize("y", [Y, SPECIES], ids=["numbers", "names"])
def test_each_shadow_says_what_its_own_model_says(model, y):
    shadows = train_shadows(model, X, y, 5, random_state=0)
    assert len(shadows) == len(shadows.models) == 5
    assert (shadows.in_mask.shape, shadows.proba.shape) == ((5, 150), (5, 150, 3))
    assert (shadows.in_mask.sum(axis=1) == 75).all()
    np.testing.assert_array_equal(shadows.classes_, np.unique(y))
    np.testing.assert_array_equal(shadows.y, y)
    for k in range(5):
        np.testing.assert_allclose(shadows.models[k].predict_proba(X), shadows.proba[k], rtol=1e-12)
    elsewhere = X[::7] + 0.01
    np.testing.assert_allclose(
        shadows.predict_proba(elsewhere), [shadows.models[k].predict_proba(elsewhere) for k in range(5)], rtol=1e-12
    )
    right = np.unique(y)[shadows.proba.argmax(axis=2)] == y
    assert right[shadows.in_mask].mean() > 0.85  # each is trained, and with the right labels
    assert repr(shadows) == "5 shadow models, each trained on 75 of 150 records"


@pytest.mark.long
@pytest.mark.parametrize("model", EVERY_KIND.values(), ids=EVERY_KIND)
@settings(deadline=None, max_examples=8)
@given(seed=SEEDS, n_members=st.integers(20, 130), k=st.integers(0, 3))
def test_a_record_outside_a_shadow_does_not_change_it(model, seed, n_members, k):
    """The leak that would ruin every attack: all that shadow k does not train on may be anything at all."""
    shadows = train_shadows(model, X, Y, 4, n_members=n_members, random_state=seed)
    elsewhere = np.where(shadows.in_mask[k][:, None], X, X[::-1] * 3 + 1)
    changed = train_shadows(model, elsewhere, Y, 4, n_members=n_members, random_state=seed)
    np.testing.assert_array_equal(changed.in_mask, shadows.in_mask)
    np.testing.assert_array_equal(changed.models[k].predict_proba(X), shadows.models[k].predict_proba(X))
    np.testing.assert_array_equal(changed.proba[k][shadows.in_mask[k]], shadows.proba[k][shadows.in_mask[k]])
    inside = np.where(shadows.in_mask[k][:, None], X[::-1] * 3 + 1, X)
    other = train_shadows(model, inside, Y, 4, n_members=n_members, random_state=seed)
    assert not np.array_equal(other.proba[k], shadows.proba[k])  # the control: it does depend on its members


class Recorder(ClassifierMixin, BaseEstimator):
    """A model that only remembers what it was trained with."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_, self.seen_ = np.unique(y), (X, y)

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def test_each_shadow_trains_on_exactly_its_members_with_their_labels_and_a_seed_of_its_own():
    original = Recorder(random_state=7)
    shadows = train_shadows(original, X, SPECIES, 6, n_members=31, random_state=0)
    for k, model in enumerate(shadows.models):
        np.testing.assert_array_equal(model.seen_[0], X[member_rows(shadows, k)])
        np.testing.assert_array_equal(model.seen_[1], SPECIES[member_rows(shadows, k)])
    assert len({model.random_state for model in shadows.models}) == 6
    assert original.random_state == 7 and not hasattr(original, "seen_")
    made = []
    train_shadows(lambda random_state: made.append(random_state) or Recorder(), X, Y, 6, random_state=0)
    assert made == [model.random_state for model in shadows.models]


@pytest.mark.long
def test_the_seed_decides_and_the_number_of_jobs_does_not():
    for model in (maker, NET):
        one, same = (train_shadows(model, X, Y, 4, random_state=3, n_jobs=n) for n in (1, 2))
        np.testing.assert_array_equal(one.in_mask, same.in_mask)
        np.testing.assert_array_equal(one.proba, same.proba)
        other = train_shadows(model, X, Y, 4, random_state=4)
        assert not np.array_equal(one.proba, other.proba)
    of_generator = train_shadows(NET, X, Y, 4, random_state=np.random.default_rng(3))
    np.testing.assert_array_equal(of_generator.proba, one.proba)


class Located(DecisionTreeClassifier):
    """A tree that notes which worker of a cluster grew it."""

    def fit(self, X, y):
        self.grown_by_ = get_worker().name
        return super().fit(X, y)


def test_a_dask_cluster_takes_over_and_changes_nothing(tmp_path):
    here = train_shadows(DecisionTreeClassifier(max_features=1), X, Y, 8, random_state=0)
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, local_directory=tmp_path
        ) as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        there = train_shadows(Located(max_features=1), X, Y, 8, random_state=0)
        of_function = train_shadows(maker, X, Y, 8, random_state=0, progress=True)
    assert {model.grown_by_ for model in there.models} == {0, 1}  # it did run there
    np.testing.assert_array_equal(here.in_mask, there.in_mask)
    np.testing.assert_array_equal(here.proba, there.proba)
    np.testing.assert_array_equal(here.proba, of_function.proba)


def test_nets_in_batch_are_nets_one_by_one():
    """Net k of a batch starts from the k-th stream of random numbers that the batch's seed spawns."""
    shadows = train_shadows(NET, X, Y, 6, random_state=0)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(shadow_members(Y, 6, 75, rng), shadows.in_mask)
    seed = int(rng.integers(2**31, size=6)[0])
    for k, members in enumerate(shadows.in_mask):
        stream = np.random.default_rng(seed)
        stream.spawn(k)
        alone = NetClassifier(hidden=4, epochs=100, random_state=stream).fit(X[members], Y[members])
        np.testing.assert_allclose(alone.predict_proba(X), shadows.proba[k], atol=1e-5)


@pytest.mark.long
def test_nets_in_batch_and_nets_through_joblib_remember_alike():
    """A subclass takes the general road, one fit at a time; members' and strangers' confidence agree on average."""

    class OneByOne(NetClassifier):
        pass

    def gaps(shadows):
        sure = shadows.proba[:, np.arange(150), Y]
        return np.array([s[m].mean() - s[~m].mean() for s, m in zip(sure, shadows.in_mask, strict=True)])

    batch = gaps(train_shadows(NetClassifier(epochs=200), X, Y, 100, random_state=0))
    single = gaps(train_shadows(OneByOne(epochs=200), X, Y, 100, random_state=0))
    assert batch.mean() > 0.01
    assert abs(np.mean(batch - single)) < 4 * np.std(batch - single) / 10


def test_a_class_that_a_shadow_never_saw_has_probability_nought():
    y = np.array([*Y[:148], 3, 3])
    for model in (make("logistic"), KNeighborsClassifier(3), maker):
        shadows = train_shadows(model, X, y, 40, n_members=30, random_state=0)
        seen = [set(y[members]) for members in shadows.in_mask]
        without = [k for k in range(40) if seen[k] == {0, 1, 2}]
        assert 0 < len(without) < 40
        for k in range(40):
            assert shadows.proba.shape[2] == 4
            assert (shadows.proba[k, :, 3] == 0).all() == (k in without)
            columns = sorted(seen[k])
            np.testing.assert_array_equal(shadows.proba[k][:, columns], shadows.models[k].predict_proba(X))
        assert shadows.predict_proba(X[:5]).shape == (40, 5, 4)
    nets = train_shadows(NET, X, y, 10, n_members=30, random_state=0)
    assert nets.proba.shape == (10, 150, 4)  # a net keeps the column, and learns to answer it seldom


FRAME = FLOWERS.frame.drop(columns="species")


def test_a_frame_stays_one():
    frame = FRAME.assign(colour=np.resize(["blue", "violet"], 150)).set_axis(range(900, 1050))
    pick = ColumnTransformer(
        [("kept", "passthrough", ["petal length", "petal width"]), ("coded", OneHotEncoder(), ["colour"])]
    )
    model = make_pipeline(pick, KNeighborsClassifier(3))
    shadows = train_shadows(model, frame, pd.Series(Y, index=frame.index), 3, random_state=0)
    by_hand = np.column_stack([X[:, 2:], np.resize([[1, 0], [0, 1]], (150, 2))])
    plain = train_shadows(KNeighborsClassifier(3), by_hand, Y, 3, random_state=0)
    np.testing.assert_array_equal(shadows.proba, plain.proba)
    np.testing.assert_array_equal(shadows.predict_proba(frame.iloc[:9]), plain.proba[:, :9])
    assert shadows.X is frame


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("model", [NET, make("logistic")], ids=["net", "pipeline"])
def test_a_frame_gives_the_answers_of_its_array_without_a_warning(model):
    framed, plain = train_shadows(model, FRAME, Y, 3, random_state=0), train_shadows(model, X, Y, 3, random_state=0)
    np.testing.assert_allclose(framed.proba, plain.proba, rtol=1e-9)
    np.testing.assert_allclose(framed.predict_proba(FRAME.iloc[:9]), plain.predict_proba(X[:9]), rtol=1e-9)


def test_the_caller_may_go_on_using_his_arrays():
    records, labels = X.copy(), Y.copy()
    shadows = train_shadows(NET, records, labels, 2, random_state=0)
    np.testing.assert_array_equal(records, X)
    records[:], labels[:] = 0, 0
    np.testing.assert_array_equal(shadows.X, X)
    np.testing.assert_array_equal(shadows.y, Y)


@pytest.mark.parametrize("model", [maker, NET], ids=["joblib", "nets"])
def test_progress_goes_to_standard_error_and_changes_nothing(model, capsys):
    quiet = train_shadows(model, X, Y, 3, random_state=0)
    assert capsys.readouterr() == ("", "")
    loud = train_shadows(model, X, Y, 3, random_state=0, progress=True)
    shown = capsys.readouterr()
    assert shown.out == "" and "3 of 3" in shown.err and shown.err.endswith("\n")
    np.testing.assert_array_equal(quiet.proba, loud.proba)


NO_FILES = """
import sys
import numpy as np
import sklearn.tree, sklearn.utils.parallel, joblib, mialab.shadows
from mialab.nets import NetClassifier
X, y = np.random.default_rng(0).random((3000, 60)), np.resize([0, 1], 3000)  # more than a megabyte
written = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        written.append(arguments[0])
    if event in ("os.mkdir", "os.rename", "tempfile.mkstemp", "tempfile.mkdtemp"):
        written.append(arguments[0])
sys.dont_write_bytecode = True
sys.addaudithook(watch)
for model in (sklearn.tree.DecisionTreeClassifier(max_depth=2), NetClassifier(hidden=2, epochs=2)):
    mialab.shadows.train_shadows(model, X, y, 3, random_state=0)
sys.exit(f"written: {written}" if written else 0)
"""


@pytest.mark.long
def test_nothing_is_written_to_disk():
    ran = subprocess.run([sys.executable, "-c", NO_FILES], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr


GOOD = KNeighborsClassifier(1)


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((KNeighborsClassifier, X, Y), {}, "model is <class .*; it should be an estimator, or a function of random_st"),
        (("tree", X, Y), {}, "model is 'tree'"),
        ((QueryMeter(make("tree").fit(X, Y)), X, Y), {}, "it should be an estimator"),
        ((lambda random_state: None, X, Y), {}, r"model\(random_state\) returned None"),
        ((GOOD, X, Y[:9]), {}, "y holds 9 labels for 150 records"),
        ((GOOD, np.where(X == 5.1, np.nan, X), Y), {}, "X holds NaN"),
        ((GOOD, FRAME.replace(5.1, np.nan), Y), {}, "X holds NaN"),
        ((GOOD, X[:, 0], Y), {}, r"X has shape \(150,\)"),
        ((GOOD, X, np.zeros(150)), {}, r"y holds one class only, 0\.0; at least 2 are needed to train a shadow"),
        ((GOOD, X, Y), {"n_shadows": 0}, "n_shadows is 0; it should be a whole number of 1 or more"),
        ((GOOD, X, Y), {"n_members": 150}, "n_members is 150; it should be a whole number from 3 to 149"),
        ((GOOD, X, Y), {"n_members": 2}, "n_members is 2"),
        ((GOOD, X, Y), {"n_members": 0.5}, "n_members is 0.5"),
        ((GOOD, X, Y), {"random_state": "x"}, "random_state is 'x'"),
        ((GOOD, X, Y), {"progress": "yes"}, "progress is 'yes'; it should be True or False"),
        ((GOOD, FLOWERS.frame, Y), {}, r"columns that hold no numbers, \['species'\]"),
    ],
)
def test_bad_input_is_named(arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        train_shadows(*arguments, **settings)


def test_bad_masks_and_later_questions_are_named():
    for arguments, message in [
        ((Y, 0, 75), "n_shadows is 0"),
        ((Y, 2, 150), "n_members is 150; it should be a whole number from 1 to 149"),
        ((X, 2, 75), r"y has shape \(150, 4\)"),
        ((Y, 2, 75, -1), "random_state is -1"),
    ]:
        with pytest.raises(ValueError, match=message):
            shadow_members(*arguments)
    for model in (GOOD, NET):
        shadows = train_shadows(model, X, Y, 2, random_state=0)
        with pytest.raises(ValueError, match=r"X has 2 (columns|features)"):
            shadows.predict_proba(X[:, :2])
        with pytest.raises(ValueError, match="X holds NaN"):
            shadows.predict_proba(X * np.nan)


# The sources of the attacker's pool


def test_marginals_keep_each_column_and_break_what_ties_them():
    drawn = marginal_records(X, 20000, 0)
    assert drawn.shape == (20000, 4)
    for j in range(4):
        values, counts = np.unique(X[:, j], return_counts=True)
        found, found_counts = np.unique(drawn[:, j], return_counts=True)
        np.testing.assert_array_equal(found, values)
        share, found_share = counts / 150, found_counts / 20000
        assert (np.abs(found_share - share) < 5 * np.sqrt(share * (1 - share) / 20000)).all()
    assert np.abs(np.corrcoef(X.T) - np.eye(4)).max() > 0.9
    assert np.abs(np.corrcoef(drawn.T) - np.eye(4)).max() < 0.035
    np.testing.assert_array_equal(marginal_records(X, 5, 1), marginal_records(X, 5, 1))
    assert not np.array_equal(marginal_records(X, 5, 1), marginal_records(X, 5, 2))


@settings(deadline=None, max_examples=20)
@given(st.floats(0, 5), SEEDS)
def test_noise_has_the_scale_that_was_asked_for(noise, seed):
    records = np.tile(X, (20, 1)) * [1, 10, 100, 0] + 5  # the last does not vary, so nor does its noise
    blur = noisy_records(records, noise, seed) - records
    spread = blur.std(axis=0)
    np.testing.assert_allclose(spread, noise * records.std(axis=0), rtol=0.1, atol=1e-9)
    assert (np.abs(blur.mean(axis=0)) <= 5 * spread / np.sqrt(len(records)) + 1e-9).all()
    if noise > 0.01:
        assert np.abs(np.corrcoef(blur[:, :3].T) - np.eye(3)).max() < 0.12  # each measurement by itself


@pytest.mark.parametrize("manner", ["large", "subtle"])
def test_synthetic_records_lie_in_the_ranges_and_the_target_really_gives_that_answer(manner):
    target = make("logistic").fit(X, SPECIES)
    meter = QueryMeter(target)
    records, labels, found = synthetic_records(meter, 31, LOW, HIGH, random_state=0, threshold=0.8, manner=manner)
    assert meter.n_queries == found.n_queries
    assert len(records) == len(labels) == found.arrived.sum() > 20
    assert ((records >= LOW) & (records <= HIGH)).all()
    proba = target.predict_proba(records)
    np.testing.assert_array_equal(target.classes_[proba.argmax(axis=1)], labels)
    assert (proba.max(axis=1) >= 0.8).all()
    assert np.unique(found.y, return_counts=True)[1].tolist() == [11, 10, 10]
    again, _, _ = synthetic_records(target, 31, LOW, HIGH, random_state=0, threshold=0.8, manner=manner)
    np.testing.assert_array_equal(again, records)


def test_synthetic_records_within_a_budget():
    records, labels, found = synthetic_records(QueryMeter(make("tree").fit(X, Y), 40), 30, LOW, HIGH, random_state=0)
    assert found.out_of_budget and found.n_queries == 40 and 0 < len(records) == len(labels) < 30
    nothing, none, _ = synthetic_records(QueryMeter(make("tree").fit(X, Y), 0), 30, LOW, HIGH)
    assert (nothing.shape, none.shape) == ((0, 4), (0,))


def test_shadows_train_on_each_source():
    target = make("tree").fit(X[::2], Y[::2])
    synthetic, labels, _ = synthetic_records(target, 60, LOW, HIGH, random_state=0)
    marginal = marginal_records(X, 60, 0)
    sources = [(synthetic, labels), (marginal, target.predict(marginal)), (noisy_records(X, 0.1, 0), Y)]
    for records, of_class in sources:
        shadows = train_shadows(make("tree"), records, of_class, 10, random_state=0)
        agree = shadows.predict_proba(X[1::2]).argmax(axis=2) == target.predict(X[1::2])
        assert isinstance(shadows, Shadows) and agree.mean() > 0.6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (partial(noisy_records, X, -1), "noise is -1; it should be a finite number of 0 or more"),
        (partial(noisy_records, X, np.nan), "noise is nan"),
        (partial(noisy_records, X, np.inf), "noise is inf"),
        (partial(noisy_records, X, True), "noise is True"),
        (partial(noisy_records, X, "0.1"), "noise is '0.1'"),
        (partial(noisy_records, X, 1j), "noise is 1j"),
        (partial(noisy_records, X, [0.1]), r"noise is \[0.1\]"),
        (partial(noisy_records, X[0]), r"X has shape \(4,\)"),
        (partial(marginal_records, X, 0), "n_records is 0"),
        (partial(marginal_records, X * np.nan, 5), "X holds NaN"),
        (partial(marginal_records, X, 5, "x"), "random_state is 'x'"),
        (partial(synthetic_records, GOOD, 5, LOW, HIGH), "has no classes_"),
        (partial(synthetic_records, make("tree").fit(X, Y), 0, LOW, HIGH), "n_records is 0"),
        (partial(synthetic_records, make("tree").fit(X, Y), 3, LOW[:2], HIGH[:2]), "low and high hold 2 numbers"),
    ],
)
def test_bad_sources_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
