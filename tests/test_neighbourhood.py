"""The neighbourhood attack: what its definition says, in a slow loop; a bump of known shape; 0.50 without a leak."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from mialab.attacks import NeighbourhoodAttack, ThresholdAttack
from mialab.attacks._pool import rows_in_pool
from mialab.blackbox import QueryMeter
from mialab.data import load_iris
from mialab.shadows import Shadows, train_shadows
from mialab.targets import make
from mialab.trials import run_trials

FLOWERS = load_iris()
X, Y = FLOWERS.X, FLOWERS.y


class Bump:
    """Class 1 with probability exp(-x² / 2): a member at 0, seen from near by."""

    classes_ = np.array([0, 1])

    def predict_proba(self, X):
        p = np.exp(-(np.asarray(X, dtype=float)[:, 0] ** 2) / 2)
        return np.column_stack([1 - p, p])


def slowly(model, records, labels, noise, n_questions, measure, seed):
    """The definition, one record and one copy at a time."""
    shakes = np.random.default_rng(seed).normal(size=(n_questions, records.shape[1])) * noise
    scores = []
    for record, label in zip(records, labels, strict=True):
        column = list(model.classes_).index(label)
        own = model.predict_proba([record])[0][column]
        around = [model.predict_proba([record + shake])[0][column] for shake in shakes[1:]]
        falls = [own - sure for sure in around] if measure == "fall" else [sure < own for sure in around]
        scores.append(sum(falls) / len(around))
    return scores


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.floats(0.01, 2), st.sampled_from(["fall", "share"]))
def test_the_scores_are_those_of_a_plain_loop_whatever_stands_beside_a_record(seed, n_questions, noise, measure):
    chosen = np.random.default_rng(seed).permutation(150)[:5]
    model = LogisticRegression(max_iter=200).fit(X[1::3], Y[1::3])
    attack = NeighbourhoodAttack(noise, n_questions, measure, random_state=seed).fit(model)
    scores = attack.score_samples(X[chosen], Y[chosen])
    assert scores.tolist() == pytest.approx(slowly(model, X[chosen], Y[chosen], noise, n_questions, measure, seed))
    assert attack.score_samples(X[chosen[:1]], Y[chosen[:1]])[0] == pytest.approx(scores[0])


@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
def test_the_fall_from_a_bump_is_what_calculus_says(noise):
    (fall,) = NeighbourhoodAttack(noise, n_questions=20_000).fit(Bump()).score_samples([[0.0]], [1])
    assert fall == pytest.approx(1 - 1 / np.sqrt(1 + noise**2), abs=0.01)
    (share,) = NeighbourhoodAttack(noise, measure="share").fit(Bump()).score_samples([[0.0]], [1])
    assert share == 1.0  # everywhere else it is lower
    assert NeighbourhoodAttack(noise).fit(Bump()).score_samples([[0.0]], [0])[0] < 0  # for the other label it rises


def test_where_nothing_moves_the_scores_are_nought():
    model = make("tree").fit(X[::2], Y[::2])
    for measure in ("fall", "share"):
        attack = NeighbourhoodAttack(0.0, 5, measure).fit(model)
        assert (attack.score_samples(X, Y) == 0).all()  # an equal confidence is no lower one


def test_it_counts_its_questions_and_takes_a_frame_as_a_pipeline_does():
    frame = FLOWERS.frame.drop(columns="species")
    model = make("logistic").fit(frame.iloc[::2], Y[::2])
    meter = QueryMeter(model)
    scores = NeighbourhoodAttack(0.2, n_questions=7).fit(meter).score_samples(frame.iloc[:20], Y[:20])
    assert meter.n_queries == 7 * 20
    bare = make("logistic").fit(X[::2], Y[::2])
    assert scores == pytest.approx(NeighbourhoodAttack(0.2, n_questions=7).fit(bare).score_samples(X[:20], Y[:20]))


@pytest.mark.parametrize("online", [True, False])
def test_calibrated_it_is_the_fall_less_the_usual_one(online):
    shadows = train_shadows(make("forest"), X, Y, n_shadows=4, random_state=0)
    target = make("forest").fit(X[::2], Y[::2])
    attack = NeighbourhoodAttack(0.3, 5, calibrated=True, online=online).fit(target, shadows)
    bare = NeighbourhoodAttack(0.3, 5)
    own, *theirs = (bare.fit(model).score_samples(X, Y) for model in (target, *shadows.models))
    for i in (0, 70, 149):
        usual = [fall[i] for fall, members in zip(theirs, shadows.in_mask, strict=True) if online or not members[i]]
        assert len(usual) == (4 if online else 2)
        assert attack.score_samples(X, Y, index=np.arange(150))[i] == pytest.approx(own[i] - np.mean(usual))


def test_the_negative_control():
    """Of a look-up, which leaks all, and a forest: members declared after training are at 0.50."""
    for name, measure in (("knn-lookup", "fall"), ("forest", "share")):
        attacks = {"around": NeighbourhoodAttack(0.2, 6, measure)}
        told_apart = run_trials(make(name), X, Y, attacks, n_trials=25, null=True)["auc_around"]
        assert abs(told_apart.mean() - 0.5) < 4 * told_apart.std() / 5
        assert run_trials(make(name), X, Y, attacks, n_trials=5)["auc_around"].mean() > 0.53


@pytest.mark.long
def test_it_finds_more_than_the_confidence_alone_where_members_stand_out_from_their_surroundings():
    attacks = {"around": NeighbourhoodAttack(0.3, 50), "true_class": ThresholdAttack()}
    table = run_trials(make("forest"), X, Y, attacks, n_trials=20, fraction_wrong=0.2)
    gain = table["auc_around"] - table["auc_true_class"]
    assert gain.mean() - 3 * gain.std() / np.sqrt(20) > 0.02


def test_what_the_attacker_knows():
    assert "do not know the model's type, other records" in str(NeighbourhoodAttack(0.1).threat_model)
    assert "read its confidences, and knows" in str(NeighbourhoodAttack(0.1).threat_model)
    for attack in (NeighbourhoodAttack(), NeighbourhoodAttack(0.1, calibrated=True)):
        assert str(attack.threat_model).endswith("and the training procedure.")


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: NeighbourhoodAttack(0.1, 1), "n_questions is 1"),
        (lambda: NeighbourhoodAttack(0.1, measure="drop"), "measure is 'drop'; it should be one of 'fall', 'share'"),
        (lambda: NeighbourhoodAttack(0.1, online="no"), "online is 'no'"),
        (lambda: NeighbourhoodAttack().fit(Bump()), r"shadows is NoneType; a NeighbourhoodAttack.*has no noise"),
        (lambda: NeighbourhoodAttack(0.1).score_samples([[0.0]], [0]), "no target yet"),
        (lambda: NeighbourhoodAttack(0.1).fit(Bump()).score_samples([[0.0]], [7]), "does not know"),
        (lambda: NeighbourhoodAttack(0.1).fit(Bump()).score_samples([["a"]], [0]), "X holds str"),
    ],
)
def test_bad_input_is_refused(use, message):
    with pytest.raises(ValueError, match=message):
        use()


def test_offline_a_record_that_every_shadow_had_is_refused():
    few = train_shadows(make("one-nn"), X, Y, n_shadows=2, random_state=0)
    crowd = Shadows(X, Y, np.ones_like(few.in_mask), few.proba, few.classes_, few.models)
    attack = NeighbourhoodAttack(0.1, 3, calibrated=True, online=False).fit(few.models[0], crowd)
    with pytest.raises(ValueError, match="record 0 of X was a member of all 2 shadows"):
        attack.score_samples(X, Y)


# Where candidates stand in the pool, which attacks that read single records ask


def pool_of(records, labels):
    nobody = np.zeros((1, len(labels)), dtype=bool)
    return Shadows(records, labels, nobody, np.zeros((1, len(labels), 2)), np.unique(labels), [None])


@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_a_record_is_found_as_a_dictionary_finds_it(seed, as_frame, named):
    """Of twins the first; small whole numbers make twins, -0 is 0, and a label makes two of them different."""
    rng = np.random.default_rng(seed)
    records, labels = rng.integers(-1, 2, (14, 2)) * rng.choice([1.0, -1.0]), rng.integers(0, 2, 14)
    labels = np.array(["no", "yes"])[labels] if named else labels
    wanted, theirs = records[5:] + (rng.random((9, 1)) < 0.2) * 7, labels[5:]
    first = {}
    for i, (record, label) in enumerate(zip(records.tolist(), labels, strict=True)):
        first.setdefault((*record, label), i)
    expected = [first.get((*record, label), -1) for record, label in zip(wanted.tolist(), theirs, strict=True)]
    frames = [pd.DataFrame(table, columns=["a", "b"]) if as_frame else table for table in (records, wanted)]
    assert rows_in_pool(pool_of(frames[0], labels), frames[1], theirs).tolist() == expected


def test_text_is_compared_and_a_named_row_must_be_that_record():
    frame = pd.DataFrame({"colour": ["red", "blue", "red"], "size": [1, 2, 1]})
    pool = pool_of(frame, np.array([0, 1, 0]))
    assert rows_in_pool(pool, frame.iloc[[1, 2]], [1, 0]).tolist() == [1, 0]
    assert rows_in_pool(pool, frame.iloc[[1, 2]], [1, 0], index=[1, 2]).tolist() == [1, 2]
    assert rows_in_pool(pool, frame.iloc[[1]].assign(colour="green"), [1]).tolist() == [-1]
    for index in ([2, 1], [1.0, 2.0], [1], [True, False]):
        with pytest.raises(ValueError, match="index names rows"):
            rows_in_pool(pool, frame.iloc[[1, 2]], [1, 0], index=index)
    with pytest.raises(ValueError, match="index is 3"):
        rows_in_pool(pool, frame.iloc[[1, 2]], [1, 0], index=[1, 3])
    with pytest.raises(ValueError, match=r"X has 1 columns; the records of the shadows' pool have 2"):
        rows_in_pool(pool, [[1.0]], [0])
