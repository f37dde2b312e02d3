"""The flowers are Fisher's, and a split is stratified, disjoint and seeded."""

import hashlib
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mialab._files import data_folder
from mialab.data import IRIS_SHA256, few_of_each, load_iris, noise_columns, split, wrong_labels

SEEDS = st.integers(0, 2**32 - 1)


# The flowers


def test_the_flowers_are_scikit_learns():
    from sklearn.datasets import load_iris as sklearn_iris

    ours, theirs = load_iris(), sklearn_iris()
    np.testing.assert_array_equal(ours.X, theirs.data)
    np.testing.assert_array_equal(ours.y, theirs.target)
    assert ours.class_names == tuple(theirs.target_names)
    assert [f"{name} (cm)" for name in ours.feature_names] == theirs.feature_names


def test_the_two_disputed_rows_are_fishers():
    X = load_iris().X
    assert X[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert X[37].tolist() == [4.9, 3.6, 1.4, 0.1]


def test_the_identical_twins():
    X = load_iris().X
    rows, counts = np.unique(X, axis=0, return_counts=True)
    assert counts.max() == 2
    assert (counts == 2).sum() == 1
    assert np.flatnonzero((X == rows[counts == 2]).all(axis=1)).tolist() == [101, 142]


def test_sepals_only_keeps_the_first_two_measurements():
    flowers, sepals = load_iris(), load_iris(sepals_only=True)
    np.testing.assert_array_equal(sepals.X, flowers.X[:, :2])
    np.testing.assert_array_equal(sepals.y, flowers.y)
    assert sepals.feature_names == ("sepal length", "sepal width")


def test_the_frame_says_the_same_as_the_arrays():
    flowers = load_iris()
    frame = flowers.frame
    np.testing.assert_array_equal(frame[list(flowers.feature_names)].to_numpy(), flowers.X)
    assert frame["species"].tolist() == [flowers.class_names[label] for label in flowers.y]
    assert repr(flowers) == "150 flowers of 3 species, 4 measurements each (cm)"


def test_the_data_card_holds_the_checksum_of_the_file():
    digest = hashlib.sha256((data_folder() / "iris.csv").read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    card = (data_folder() / "README.md").read_text(encoding="utf-8")
    iris = card.split("# Data card:")[1]
    assert re.findall(r"\b[0-9a-f]{64}\b", iris) == [digest] == [IRIS_SHA256]


def test_a_damaged_file_is_refused_and_foreign_line_ends_are_not(tmp_path, monkeypatch):
    original = (data_folder() / "iris.csv").read_bytes()
    monkeypatch.setattr("mialab.data.data_folder", lambda: tmp_path)
    (tmp_path / "iris.csv").write_bytes(original.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert load_iris().X.shape == (150, 4)
    (tmp_path / "iris.csv").write_bytes(original.replace(b"5.1", b"9.1", 1))
    with pytest.raises(ValueError, match=r"iris\.csv is not the file that the course ships"):
        load_iris()


# The split


@st.composite
def labelled_records(draw):
    """Records of 2 to 4 classes, at least 6 of each, so that any split of 40 to 60 per cent is possible."""
    sizes = draw(st.lists(st.integers(6, 20), min_size=2, max_size=4))
    y = np.repeat(np.arange(len(sizes)), sizes)
    y = np.random.default_rng(draw(SEEDS)).permutation(y)
    X = np.arange(len(y), dtype=float)[:, None]  # the measurement is the row number: records can be traced
    return X, y, draw(st.integers(int(0.4 * len(y)), int(0.6 * len(y))))


@settings(deadline=None)
@given(labelled_records(), SEEDS)
def test_a_split_is_disjoint_complete_and_stratified(data, seed):
    X, y, n_members = data
    parts = split(X, y, n_members, seed)
    assert parts.is_member.dtype == bool
    assert parts.is_member.sum() == len(parts.X_in) == len(parts.y_in) == len(parts.index_in) == n_members
    assert sorted([*parts.index_in, *parts.index_out]) == list(range(len(y)))
    assert (np.diff(parts.index) > 0).all()  # the original order
    for records, labels, index in (
        (parts.X, parts.y, parts.index),
        (parts.X_in, parts.y_in, parts.index_in),
        (parts.X_out, parts.y_out, parts.index_out),
    ):
        np.testing.assert_array_equal(records[:, 0], index)
        np.testing.assert_array_equal(labels, y[index])
    for label in np.unique(y):
        share = (y == label).sum() * n_members / len(y)
        assert abs((parts.y_in == label).sum() - share) < 1


@settings(deadline=None)
@given(labelled_records(), SEEDS, st.data())
def test_fewer_strangers_may_be_asked_for(data, seed, more):
    X, y, n_members = data
    n_strangers = more.draw(st.integers(1, len(y) - n_members))
    parts = split(X, y, n_members, seed, n_strangers=n_strangers)
    assert (parts.is_member.sum(), (~parts.is_member).sum()) == (n_members, n_strangers)
    assert len(set(parts.index)) == n_members + n_strangers


def test_iris_in_two_halves_of_25_each():
    flowers = load_iris()
    parts = split(flowers.X, flowers.y, n_members=75, random_state=0)
    assert np.bincount(parts.y_in).tolist() == np.bincount(parts.y_out).tolist() == [25, 25, 25]
    np.testing.assert_array_equal(parts.X, flowers.X)
    assert repr(parts) == "75 members and 75 strangers of 3 classes"


def test_the_same_seed_draws_the_same_split_and_another_seed_another():
    X, y = load_iris().X, load_iris().y
    first, same, other = (split(X, y, 75, seed).is_member for seed in (1, 1, 2))
    assert (first == same).all()
    assert (first != other).any()
    rng = np.random.default_rng(1)
    assert (split(X, y, 75, rng).is_member == first).all()
    assert (split(X, y, 75, rng).is_member != first).any()  # a Generator moves on


def test_every_record_is_a_member_equally_often():
    X, y = load_iris().X, load_iris().y
    rng = np.random.default_rng(0)
    counts = sum(split(X, y, 76, rng).is_member.astype(int) for _ in range(400))
    expected, sd = 400 * 76 / 150, np.sqrt(400 * 0.25)
    assert (abs(counts - expected) < 5 * sd).all()
    by_class = counts.reshape(3, 50).sum(axis=1)  # 76 is 25 + 25 + 26: the odd one is drawn by lot
    assert (abs(by_class - 400 * 76 / 3) < 5 * np.sqrt(400 * 2 / 9)).all()


X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, Y[:5], 2), "y holds 5 labels for 6 records"),
        ((X, Y[:, None], 2), r"y has shape \(6, 1\)"),
        ((X, [0, 0, 0, 1, 1, np.nan], 2), "y holds missing labels"),
        ((X, ["a", "a", "a", "b", "b", None], 2), "y holds missing labels"),
        ((X[:, 0], Y, 2), r"X has shape \(6,\); it should be \(n_records, n_features\)"),
        ((np.where(X == 3, np.nan, X), Y, 2), "X holds NaN or infinite values"),
        ((np.where(X == 3, np.inf, X), Y, 2), "X holds NaN or infinite values"),
        (([["a", "b"]] * 6, Y, 2), "X holds str values such as 'a', .* it should be a table of numbers"),
        (([["1", "2"]] * 6, Y, 2), "X holds str values such as '1'"),  # NumPy would read the texts
        ((load_iris().frame, load_iris().y, 75), "X holds str values such as 'setosa'"),
        (([[1.0], [1.0, 2.0]], [0, 1], 1), "X holds rows of unequal length"),
        ((X + 1j, Y, 2), "X holds complex values"),
        ((X.astype("datetime64[D]"), Y, 2), "X holds date values"),
        ((X.astype("timedelta64[ns]"), Y, 2), r"X holds timedelta64\[ns\] values"),
        ((np.ma.masked_equal(X, 3), Y, 2), "X holds masked values; leave those records out"),
        ((X.astype(int) + 2**53, Y, 2), r"X holds integers beyond 2\*\*53"),
        ((X, np.array([0, 0, 0, "a", "a", "a"], dtype=object), 2), "y mixes numbers and strings"),
        ((X, [0, 0, 0, "a", "a", "a"], 2), "y mixes numbers and strings"),
        ((X, ["a", "a", "a", "b", "b", np.nan], 2), "y holds missing labels"),
        ((X, np.array(["a", "a", "a", "b", "b", pd.NA], dtype=object), 2), "y holds missing labels"),
        ((X, pd.to_datetime(["2020-01-01"] * 5 + [None]), 2), "y holds missing labels"),
        ((X, Y.astype("datetime64[ns]"), 2), r"y holds datetime64\[ns\]; every label should be a number or a"),
        ((X, [[0], [0], [0], [1], [1, 2], [1]], 2), "y holds labels of unequal length"),
        ((X, np.array([*"aab", ["b"], "c", "c"], dtype=object), 2), r"y holds \['b'\]; every label should be"),
        ((X, np.ma.masked_equal(Y, 1), 2), "y holds masked values"),
        ((X, np.array([0, 0, 0, 0, 0, 1], dtype=object), 3), "y has 1 record of class 1; at least 2 are needed"),
        ((np.empty((0, 2)), [], 2), "X holds no records"),
        ((X, Y, 0), "n_members is 0; it should be a whole number from 1 to 5"),
        ((X, Y, 6), "n_members is 6; it should be a whole number from 1 to 5"),
        ((X, Y, 2.0), r"n_members is 2\.0"),
        ((X, Y, True), "n_members is True"),
        ((X, Y, 2, "seed"), "random_state is 'seed'"),
        ((X, Y, 2, -1), "random_state is -1"),
        ((X, Y, 2, True), "random_state is True"),
        ((X, Y, 2, 0, 5), "n_strangers is 5; it should be a whole number from 1 to 4"),
        ((X, [0, 0, 0, 0, 0, 1], 3), "y has 1 record of class 1; at least 2 are needed"),
        ((X, Y, 1), r"n_members=1 leaves class [01] \(3 of 6 records\) without a member"),
    ],
)
def test_bad_input_to_split_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        split(*arguments)


def test_a_frame_and_labels_kept_as_objects_are_split_as_arrays_are():
    flowers = load_iris()
    measurements = flowers.frame.drop(columns="species")
    plain = split(flowers.X, flowers.y, 75, 0)
    for labels in (flowers.frame["species"], flowers.y.astype(object), pd.Categorical(flowers.y), flowers.y > 0):
        parts = split(measurements, labels, 75, 0)
        assert type(parts.X) is np.ndarray
        if len(np.unique(labels)) == 3:
            np.testing.assert_array_equal(parts.index_in, plain.index_in)
            np.testing.assert_array_equal(parts.X_in, measurements.iloc[parts.index_in])


def test_numbers_of_other_kinds_are_numbers():
    rows = np.array(
        [[Fraction(1, 2), True], [Decimal("0.25"), np.float32(3)], [2**53, np.bool_(False)], [1, 2]], object
    )
    expected = [[0.5, 1.0], [0.25, 3.0], [2.0**53, 0.0], [1.0, 2.0]]
    assert split(rows, [0, 0, 1, 1], 2, 0).X.tolist() == expected
    assert split(np.ma.array(expected), [0, 0, 1, 1], 2, 0).X.tolist() == expected  # a mask that hides nothing


@pytest.mark.parametrize("answer", ["no", 1, None])
def test_sepals_only_is_true_or_false(answer):
    with pytest.raises(ValueError, match=f"sepals_only is {answer!r}; it should be True or False"):
        load_iris(sepals_only=answer)


# Wrong labels


@pytest.mark.long
@settings(deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=60), st.floats(0, 1), SEEDS)
def test_exactly_the_asked_share_of_labels_is_wrong(y, fraction, seed):
    if len(set(y)) < 2:
        return
    noisy = wrong_labels(y, fraction, seed)
    assert (noisy != np.array(y)).sum() == round(fraction * len(y))
    assert set(noisy) <= set(y)
    np.testing.assert_array_equal(noisy, wrong_labels(y, fraction, seed))


def test_wrong_labels_are_drawn_evenly_and_the_original_is_left_alone():
    y = np.zeros(9000, dtype=int)
    y[:3] = [1, 2, 3]
    before = y.copy()
    noisy = wrong_labels(y, 1.0, 0)
    np.testing.assert_array_equal(y, before)
    counts = np.bincount(noisy[3:])
    assert counts[0] == 0
    assert (abs(counts[1:] - 2999) < 5 * np.sqrt(8997 * 2 / 9)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], 1.5), r"fraction is 1\.5; it should be a number from 0 to 1"),
        (([0, 1], -0.1), r"fraction is -0\.1"),
        (([0, 1], float("nan")), "fraction is nan"),
        (([0, 1], "half"), "fraction is 'half'"),
        (([0, 0], 0.5), "y holds 1 class; at least 2 are needed"),
        (([0, np.nan], 0.5), "y holds missing labels"),
        (([[0, 1]], 0.5), r"y has shape \(1, 2\); it should be one label a record: \(n_records,\)"),
        (([[0], [0, 1]], 0.5), "y holds labels of unequal length"),
        (([0, 1, "a"], 0.5), "y mixes numbers and strings"),
        ((["a", "b", float("nan")], 0.5), "y holds missing labels"),
        ((np.array([0, 1, pd.NA], dtype=object), 0.5), "y holds missing labels"),
    ],
)
def test_bad_input_to_wrong_labels_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        wrong_labels(*arguments)


# Even pools, and columns of noise


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=60), st.integers(1, 4), st.integers(1, 15), SEEDS)
def test_few_of_each_draws_as_many_of_each_class_and_no_record_twice(y, n_classes, n_per_class, seed):
    sizes = {label: y.count(label) for label in set(y)}
    if n_classes > len(sizes) or n_per_class > min(sizes.values()):
        return
    rows = np.arange(len(y))[:, None]  # each record is its own row number
    X_few, y_few = few_of_each(rows, y, n_per_class, seed, n_classes)
    labels, counts = np.unique(y_few, return_counts=True)
    assert len(labels) == n_classes
    assert set(counts) == {n_per_class}
    chosen = X_few.ravel().astype(int)
    assert len(set(chosen)) == len(chosen)
    np.testing.assert_array_equal(np.array(y)[chosen], y_few)  # every record keeps its label
    again = few_of_each(rows, y, n_per_class, seed, n_classes)
    np.testing.assert_array_equal(again[0], X_few)


def test_few_of_each_draws_every_record_and_every_class_equally_often():
    y = np.repeat([3, 5, 9], [4, 10, 6])  # rows 0-3, 4-13 and 14-19
    rng = np.random.default_rng(0)
    drawn = np.concatenate([few_of_each(np.arange(20)[:, None], y, 2, rng, 2)[0].ravel() for _ in range(3000)])
    times = np.bincount(drawn.astype(int))
    for label, size in ((3, 4), (5, 10), (9, 6)):
        share = 2 / 3 * 2 / size  # the class is among the two drawn, then the record among its two
        assert (abs(times[y == label] - 3000 * share) < 5 * np.sqrt(3000 * share * (1 - share))).all()


def test_few_of_each_takes_every_class_unless_told_otherwise():
    X, y = few_of_each(load_iris().X, np.array(["b", "a", "c"])[load_iris().y], 7, 0)
    assert X.shape == (21, 4)
    assert y.tolist() == ["a"] * 7 + ["b"] * 7 + ["c"] * 7


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 4), st.integers(0, 9), SEEDS)
def test_columns_of_noise_follow_the_measurements(n, n_features, n_columns, seed):
    X = np.arange(n * n_features, dtype=float).reshape(n, n_features)
    wider = noise_columns(X, n_columns, seed)
    assert wider.shape == (n, n_features + n_columns)
    np.testing.assert_array_equal(wider[:, :n_features], X)
    np.testing.assert_array_equal(wider, noise_columns(X, n_columns, seed))
    assert len(np.unique(wider[:, n_features:])) == n * n_columns  # no column and no record repeats another


def test_columns_of_noise_are_standard_normal_and_know_nothing_of_the_records():
    from scipy.stats import kstest

    y = np.repeat([0.0, 1.0], 5000)
    noise = noise_columns(y[:, None], 3, 0)[:, 1:]
    for column in noise.T:
        assert kstest(column, "norm").pvalue > 0.001
    between = np.corrcoef(np.column_stack([y, noise]).T)[np.triu_indices(4, 1)]
    assert abs(between).max() < 4 / np.sqrt(10_000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]] * 4, [0, 0, 1, 1], 3), "n_per_class is 3; it should be a whole number from 1 to 2"),
        (([[1.0]] * 4, [0, 0, 0, 1], 2, 0, 1), "n_per_class is 2; it should be a whole number from 1 to 1"),
        (([[1.0]] * 4, [0, 0, 1, 1], 0), "n_per_class is 0"),
        (([[1.0]] * 4, [0, 0, 1, 1], 1, 0, 3), "n_classes is 3; it should be a whole number from 1 to 2"),
        (([[1.0]] * 4, [0, 0, 1, 1], 1, 0, 0), "n_classes is 0"),
        (([[1.0]] * 4, [0, 0, 1, 1], 1, "seed"), "random_state is 'seed'"),
        (([[1.0]] * 4, [0, 0, 1], 1), "y holds 3 labels for 4 records"),
        (([[np.nan]] * 4, [0, 0, 1, 1], 1), "X holds NaN"),
    ],
)
def test_bad_input_to_few_of_each_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        few_of_each(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]], -1), "n_columns is -1; it should be a whole number of 0 or more"),
        (([[1.0]], 2.0), r"n_columns is 2\.0"),
        (([1.0], 1), r"X has shape \(1,\); it should be \(n_records, n_features\)"),
        (([["1"]], 1), "X holds str"),
        (([[1.0]], 1, -1), "random_state is -1"),
    ],
)
def test_bad_input_to_noise_columns_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        noise_columns(*arguments)
