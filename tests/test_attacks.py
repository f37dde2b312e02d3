"""The threshold attacks read the right number off any model's answer, or say what is wrong."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from mialab.attacks import (
    SIGNALS,
    Attack,
    ThreatModel,
    ThresholdAttack,
    confidence,
    log_likelihood,
    true_class_confidence,
    was_right,
)
from mialab.data import load_iris, split
from mialab.metrics import auc, evaluate


class Oracle:
    """The least that an attack needs of a model: the record whose measurement is i gets row i."""

    def __init__(self, table, classes):
        self.table, self.classes_ = np.asanyarray(table), np.asarray(classes)

    def predict_proba(self, X):
        return self.table[np.asarray(X)[:, 0].astype(int)]


TABLE = [[0.7, 0.2, 0.1], [0.4, 0.4, 0.2], [0.0, 0.1, 0.9], [0.0, 0.0, 1.0]]
X = np.arange(4.0)[:, None]


@pytest.mark.parametrize("classes", [[0, 1, 2], [10, 20, 30], ["a", "b", "c"], [2, 0, 1], [0.5, 1.5, 2.5]])
def test_each_signal_by_hand_for_labels_of_any_kind(classes):
    model = Oracle(TABLE, classes)
    y = [classes[1], classes[0], classes[0], classes[2]]
    assert confidence(model, X).tolist() == [0.7, 0.4, 0.9, 1.0]
    assert true_class_confidence(model, X, y).tolist() == [0.2, 0.4, 0.0, 1.0]
    assert was_right(model, X, y).tolist() == [0.0, 1.0, 0.0, 1.0]  # of equal classes the first counts
    losses = log_likelihood(model, X, y)
    assert losses[[0, 1, 3]] == pytest.approx(np.log([0.2, 0.4, 1.0]))
    assert np.isfinite(losses[2])
    assert losses[2] == losses.min() < -700


@st.composite
def models_and_labels(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_classes = draw(st.integers(1, 30)), draw(st.integers(2, 6))
    classes = rng.permutation(n_classes) * 3 - 1
    return Oracle(rng.dirichlet(np.full(n_classes, 0.3), n), classes), rng.choice(classes, n)


@settings(deadline=None)
@given(models_and_labels())
def test_the_signals_against_a_plain_loop(case):
    model, y = case
    records = np.arange(float(len(y)))[:, None]
    column = {label: j for j, label in enumerate(model.classes_.tolist())}
    expected = [model.table[i][column[label]] for i, label in enumerate(y.tolist())]
    assert true_class_confidence(model, records, y).tolist() == expected
    assert confidence(model, records).tolist() == [max(row) for row in model.table.tolist()]
    guesses = [model.classes_[row.tolist().index(max(row))] for row in model.table]
    assert was_right(model, records, y).tolist() == [float(g == label) for g, label in zip(guesses, y, strict=True)]


@settings(deadline=None)
@given(models_and_labels())
def test_the_loss_ranks_records_as_true_class_confidence_does(case):
    model, y = case
    records = np.arange(float(len(y)))[:, None]
    by_confidence = np.argsort(true_class_confidence(model, records, y), kind="stable")
    by_loss = log_likelihood(model, records, y)[by_confidence]
    assert (np.diff(by_loss) >= 0).all()


@settings(deadline=None)
@given(models_and_labels(), st.sampled_from(sorted(SIGNALS)), st.randoms(use_true_random=False))
def test_each_record_is_scored_by_itself(case, signal, random):
    model, y = case
    records = np.arange(float(len(y)))[:, None]
    attack = ThresholdAttack(signal).fit(model)
    order = random.sample(range(len(y)), len(y))
    all_at_once = attack.score_samples(records, y)
    assert all_at_once.shape == (len(y),)
    np.testing.assert_array_equal(attack.score_samples(records[order], y[order]), all_at_once[order])
    np.testing.assert_array_equal(attack.score_samples(records[:1], y[:1]), all_at_once[:1])


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(
    "model",
    [KNeighborsClassifier(3), make_pipeline(StandardScaler(), LogisticRegression())],
    ids=["k-NN", "pipeline"],
)
def test_models_of_scikit_learn_with_species_by_name(model, signal):
    flowers = load_iris()
    species = np.array(flowers.class_names)[flowers.y]
    model.fit(flowers.X, species)
    scores = ThresholdAttack(signal).fit(model).score_samples(flowers.X, species)
    assert scores.shape == (150,)
    if signal == "correct":
        np.testing.assert_array_equal(scores, model.predict(flowers.X) == species)


def test_a_model_trained_on_a_frame_may_be_asked_with_a_frame():
    frame = load_iris().frame
    measurements, species = frame.drop(columns="species"), frame["species"]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(measurements, species)
    scores = ThresholdAttack().fit(model).score_samples(measurements, species)
    np.testing.assert_array_equal(scores, true_class_confidence(model, measurements, species))
    with pytest.raises(ValueError, match="X holds NaN"):
        ThresholdAttack().fit(model).score_samples(measurements.mask(measurements == 5.1), species)


def test_the_advantage_of_was_it_right_is_the_generalisation_gap():
    flowers = load_iris(sepals_only=True)
    parts = split(flowers.X, flowers.y, 75, 0)
    model = KNeighborsClassifier(1).fit(parts.X_in, parts.y_in)
    gap = model.score(parts.X_in, parts.y_in) - model.score(parts.X_out, parts.y_out)
    result = evaluate(ThresholdAttack("correct").fit(model).score_samples(parts.X, parts.y), parts.is_member)
    assert result.advantage == pytest.approx(gap)
    assert result.auc == pytest.approx(0.5 + gap / 2)


def test_higher_means_more_likely_a_member():
    flowers = load_iris()
    parts = split(flowers.X, flowers.y, 75, 0)
    lookup = KNeighborsClassifier(15, weights="distance").fit(parts.X_in, parts.y_in)
    for signal in ("confidence", "true_class", "loss"):
        scores = ThresholdAttack(signal).fit(lookup).score_samples(parts.X, parts.y)
        assert auc(scores, parts.is_member) > 0.6
        assert scores[parts.is_member].min() == scores.max()  # a member finds itself


# The contract


def test_fit_keeps_the_target_returns_the_attack_and_ignores_shadows():
    model = Oracle(TABLE, [0, 1, 2])
    attack = ThresholdAttack()
    assert attack.fit(model, shadows=object()) is attack
    assert attack.target_ is model
    assert repr(attack) == "ThresholdAttack(signal='true_class')"


def test_max_confidence_needs_no_label():
    attack = ThresholdAttack("confidence").fit(Oracle(TABLE, [0, 1, 2]))
    np.testing.assert_array_equal(attack.score_samples(X), attack.score_samples(X, ["anything"] * 4))


def test_every_attack_states_what_it_takes():
    assert str(ThresholdAttack("confidence").threat_model) == (
        "The attacker may ask the model any question and read its confidences; they do not know the "
        "candidate's recorded label, the model's type, other records of the population or the training "
        "procedure."
    )
    assert str(ThresholdAttack("loss").threat_model) == (
        "The attacker may ask the model any question and read its confidences, and knows the candidate's "
        "recorded label; they do not know the model's type, other records of the population or the training "
        "procedure."
    )
    assert str(ThreatModel(True, True, True, True)).endswith(
        ", and knows the candidate's recorded label, the model's type, other records of the population "
        "and the training procedure."
    )


def test_a_new_attack_needs_only_score_samples():
    class Guess(Attack):
        threat_model = ThreatModel()

        def score_samples(self, X, y, index=None):
            return confidence(self._fitted_target(), X) / 2

    assert Guess().fit(Oracle(TABLE, [0, 1, 2])).score_samples(X, None).tolist() == [0.35, 0.2, 0.45, 0.5]
    with pytest.raises(TypeError, match="score_samples"):
        type("Nothing", (Attack,), {})()


# Bad input

MODEL = Oracle(TABLE, [0, 1, 2])
FITTED = KNeighborsClassifier().fit(load_iris().X, load_iris().y)
NAMED = KNeighborsClassifier().fit(load_iris().frame.iloc[:, 1:].assign(species=0), load_iris().y)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            LogisticRegression(),
            r"target \(LogisticRegression\) has no classes_; .* call its fit\(X, y\) first",
        ),
        (make_pipeline(StandardScaler(), LogisticRegression()), r"target \(Pipeline\) has no classes_"),
        (LogisticRegression, "target is the class LogisticRegression; it should be a fitted model"),
        (SVC().fit(load_iris().X, load_iris().y), r"target \(SVC\) has no predict_proba"),
        (None, r"target \(NoneType\) has no classes_"),
    ],
)
def test_a_target_that_cannot_be_asked_is_named(target, message):
    with pytest.raises(ValueError, match=message):
        ThresholdAttack().fit(target)


@pytest.mark.parametrize(
    ("model", "records", "labels", "message"),
    [
        (
            MODEL,
            X,
            [0, 1, 2, 3],
            "y holds 3, which the model does not know; it should hold labels from model",
        ),
        (MODEL, X, ["1", "a", "2", "2"], "y holds '1', '2', 'a', which the model does not know"),
        (MODEL, X, ["a", 1, 2, 2], "y mixes numbers and strings"),
        (MODEL, X, [0, 1, 2], "y holds 3 labels for 4 records"),
        (MODEL, X, [0, 1, 2, np.nan], "y holds missing labels"),
        (MODEL, X, None, "y is missing; this signal needs the recorded label"),
        (MODEL, X[:, 0], [0, 1, 2, 2], r"X has shape \(4,\); it should be \(n_records, n_features\)"),
        (MODEL, [[np.nan]], [0], "X holds NaN or infinite values"),
        (MODEL, [["red"]], [0], "X holds str values such as 'red', .* it should be a table of numbers"),
        (MODEL, X + 0j, [0, 1, 2, 2], "X holds complex values"),
        (MODEL, pd.DataFrame(X).replace(3.0, np.inf), [0, 1, 2, 2], "X holds NaN or infinite values"),
        (MODEL, pd.DataFrame(X).replace(3.0, np.inf).astype(object), [0, 1, 2, 2], "X holds NaN or infinite"),
        (MODEL, pd.DataFrame(X).replace(3.0, np.nan), [0, 1, 2, 2], "X holds NaN or infinite values"),
        (MODEL, pd.DataFrame({"hue": [*"abcd"]}), [0, 1, 2, 2], r"columns that hold no numbers, \['hue'\]"),
        (NAMED, load_iris().frame.iloc[:, 1:], load_iris().y, r"no numbers, \['species'\], and the model could not"),
        (MODEL, np.empty((0, 1)), [], "X holds no records"),
        (FITTED, X, [0, 1, 2, 2], "X has 1 columns; the model was trained on 4"),
        (
            Oracle(TABLE, [0, 1]),
            X,
            [0, 1, 0, 1],
            r"predict_proba\(X\) has shape \(4, 3\); it should be \(4, 2\)",
        ),
        (Oracle(np.full((4, 2), np.nan), [0, 1]), X, [0, 1, 0, 1], r"predict_proba\(X\) holds NaN"),
        (
            Oracle(np.array([[3.5, -1.25]] * 4), [0, 1]),
            X,
            [0, 1, 0, 1],
            r"holds 3\.5; .* probabilities from 0 to 1 \(are these logits",
        ),
        (Oracle(np.array([[1.0, -1e-5]] * 4), [0, 1]), X, [0, 1, 0, 1], "holds -1e-05; .* from 0 to 1"),
        (Oracle(np.array([[np.inf, 0]] * 4), [0, 1]), X, [0, 1, 0, 1], "holds inf; .* from 0 to 1"),
        (Oracle(np.full((4, 2), 0.5 + 0.1j), [0, 1]), X, [0, 1, 0, 1], r"predict_proba\(X\) holds complex values"),
        (Oracle(np.full((4, 2), "0.5"), [0, 1]), X, [0, 1, 0, 1], r"predict_proba\(X\) holds str values"),
        (
            Oracle(np.ma.masked_less([[0.9, 0.1]] * 4, 0.2), [0, 1]),
            X,
            [0, 1, 0, 1],
            r"predict_proba\(X\) holds masked values",
        ),
    ],
)
@pytest.mark.parametrize("signal", ["true_class", "loss", "correct"])
def test_bad_records_labels_and_answers_are_named(model, records, labels, message, signal):
    with pytest.raises(ValueError, match=message):
        ThresholdAttack(signal).fit(model).score_samples(records, labels)


def test_rows_need_not_sum_to_one_and_may_miss_the_bounds_by_rounding():
    top_one = Oracle([[0.7, 0.0], [0.0, 0.4], [1 + 1e-12, -1e-12], [0.0, 0.0]], [0, 1])
    assert confidence(top_one, X).tolist() == [0.7, 0.4, 1 + 1e-12, 0.0]
    assert np.isfinite(log_likelihood(top_one, X, [0, 1, 1, 0])).all()


def test_a_pipeline_that_reads_text_may_be_attacked():
    frame = pd.DataFrame({"colour": ["red", "red", "blue", "blue"], "size": [1.0, 2.0, 1.0, 2.0]})
    model = make_pipeline(ColumnTransformer([("one-hot", OneHotEncoder(), ["colour"])]), KNeighborsClassifier(1)).fit(
        frame, [0, 0, 1, 1]
    )
    assert was_right(model, frame, [0, 0, 1, 0]).tolist() == [1, 1, 1, 0]
    assert was_right(model, frame[["colour"]].assign(size=1), [0, 0, 1, 0]).tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize("signal", [["loss"], None, {"loss"}, 3])
def test_a_signal_is_one_name(signal):
    with pytest.raises(ValueError, match=r"signal is .*; it should be one of 'confidence'"):
        ThresholdAttack(signal)


def test_an_unknown_signal_and_a_missing_fit_are_named():
    with pytest.raises(ValueError, match="signal is 'entropy'; it should be one of 'confidence', 'true_class'"):
        ThresholdAttack("entropy")
    with pytest.raises(ValueError, match=r"has no target yet; call fit\(target\) before score_samples"):
        ThresholdAttack().score_samples(X, [0, 1, 2, 2])


def test_a_model_in_single_precision_may_round_a_little_past_one():
    class Single:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            return np.tile(np.nextafter(np.float32([1, 0]), np.float32([2, -1])), (len(X), 1))

    assert confidence(Single(), np.zeros((3, 2))) == pytest.approx(np.ones(3))
