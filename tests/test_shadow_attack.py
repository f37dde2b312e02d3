"""The shadow attack: what its definition says, 0.50 where there is nothing to find, and one question a candidate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from mialab.attacks import ShadowAttack, ThresholdAttack, log_odds
from mialab.blackbox import QueryMeter, RemoteModel, serve
from mialab.data import load_iris, split
from mialab.metrics import auc, mean_interval
from mialab.nets import NetClassifier
from mialab.shadows import Shadows, shadow_members, train_shadows
from mialab.targets import make
from mialab.trials import run_trials

FLOWERS = load_iris()
X, Y = FLOWERS.X, FLOWERS.y
SPECIES = np.array(FLOWERS.class_names)
SEEDS = st.integers(0, 2**32 - 1)


class Oracle:
    """The record whose measurement is i gets row i of a table."""

    def __init__(self, table, classes):
        self.table, self.classes_ = np.asarray(table), np.asarray(classes)

    def predict_proba(self, X):
        return self.table[np.asarray(X)[:, 0].astype(int)]


class Renamed:
    """A model with its columns in another order, and other names for its classes."""

    def __init__(self, model, order, names):
        self.model, self.order, self.classes_ = model, list(order), np.asarray(names)[list(order)]

    def predict_proba(self, X):
        return self.model.predict_proba(X)[:, self.order]


def made_up(rng, n=60, n_classes=3, n_shadows=6):
    """Shadows and a target that answer at random, a little surer about members."""
    y = np.arange(n) % n_classes
    in_mask = shadow_members(y, n_shadows, n // 2, rng)
    proba = rng.dirichlet(np.ones(n_classes), (n_shadows, n))
    k, i = np.nonzero(in_mask)
    proba[k, i] = 0.6 * proba[k, i] + 0.4 * np.eye(n_classes)[y[i]]
    records = np.arange(float(n))[:, None]
    target = Oracle(rng.dirichlet(np.ones(n_classes), n), np.arange(n_classes))
    return target, Shadows(records, y, in_mask, proba, np.arange(n_classes), [None] * n_shadows)


@pytest.mark.long
@settings(deadline=None, max_examples=15)
@given(SEEDS, st.integers(2, 4), st.booleans())
def test_the_scores_are_those_of_a_plain_loop(seed, n_classes, per_class):
    rng = np.random.default_rng(seed)
    target, shadows = made_up(rng, n_classes=n_classes)
    attack = ShadowAttack(LogisticRegression(C=0.5), per_class).fit(target, shadows)
    chosen = rng.permutation(60)[:25]
    labels = rng.integers(n_classes, size=25)
    scores = attack.score_samples(shadows.X[chosen], labels)

    def read(answer, label):
        odds = [np.log(p / (1 - p)) for p in answer]
        return odds if per_class else odds + [float(label == c) for c in range(n_classes)]

    for i, label, score in zip(chosen, labels, scores, strict=True):
        answers, was_in = [], []
        for k in range(6):
            for j in range(60):
                if not per_class or shadows.y[j] == label:
                    answers.append(read(shadows.proba[k, j], shadows.y[j]))
                    was_in.append("in" if shadows.in_mask[k, j] else "out")
        model = LogisticRegression(C=0.5).fit(answers, was_in)
        expected = model.predict_proba([read(target.table[i], label)])[0, list(model.classes_).index("in")]
        assert score == pytest.approx(expected, rel=1e-4)


def test_each_class_has_a_sign_of_its_own():
    """Members of class 0 are answered with more confidence, members of class 1 with less: no one threshold sees it."""
    rng = np.random.default_rng(0)
    y = np.resize([0, 1], 200)
    in_mask = shadow_members(y, 20, 100, 0)
    is_member = shadow_members(y, 1, 100, 1)[0]

    def answers(members):
        sure = 0.7 + 0.1 * np.where(members == (y == 0), 1, -1) + rng.normal(0, 0.03, members.shape)
        return np.stack([np.where(y == 0, sure, 1 - sure), np.where(y == 0, 1 - sure, sure)], axis=-1)

    shadows = Shadows(np.arange(200.0)[:, None], y, in_mask, answers(in_mask), np.array([0, 1]), [None] * 20)
    target = Oracle(answers(is_member), [0, 1])
    for per_class in (True, False):
        for model in (None, RandomForestClassifier(20, min_samples_leaf=5), lambda seed: KNeighborsClassifier(15)):
            scores = ShadowAttack(model, per_class).fit(target, shadows).score_samples(shadows.X, y)
            assert ((scores >= 0) & (scores <= 1)).all()
            assert auc(scores, is_member) > 0.99
    assert auc(ThresholdAttack().fit(target).score_samples(shadows.X, y), is_member) == pytest.approx(0.5, abs=0.06)


# The negative control


@pytest.mark.long
@pytest.mark.parametrize(
    ("model", "fraction_wrong"),
    [
        (make("knn-lookup"), 0.0),
        (DecisionTreeClassifier(), 0.2),
        (NetClassifier(hidden=8, epochs=100), 0.2),
        (DummyClassifier(strategy="prior"), 0.2),  # says almost the same whoever trains it
    ],
    ids=["knn-lookup", "tree", "net", "constant"],
)
def test_the_negative_control_is_one_half(model, fraction_wrong):
    attacks = {"each": ShadowAttack(), "all": ShadowAttack(LogisticRegression(), per_class=False)}
    trials = run_trials(
        model, X, Y, attacks, n_trials=16, shadows=6, fraction_wrong=fraction_wrong, null=True, random_state=2
    )
    for column in (trials.auc_each, trials.auc_all):
        assert abs(column.mean() - 0.5) <= 4 * column.std() / np.sqrt(16) + 1e-9
        assert column.std() < 0.08


@pytest.mark.long
def test_the_negative_control_of_one_that_holds_other_records_is_one_half():
    settings = {"n_members": 40, "n_others": 60, "shadows": 6, "n_trials": 30, "fraction_wrong": 0.2}
    column = run_trials(make("tree"), X, Y, {"mine": ShadowAttack()}, null=True, random_state=3, **settings).auc_mine
    assert abs(column.mean() - 0.5) <= 4 * column.std() / np.sqrt(30)
    leak = run_trials(make("tree"), X, Y, {"mine": ShadowAttack()}, random_state=3, **settings).auc_mine
    assert mean_interval(leak).low > 0.55  # the control can fail


def test_an_answer_that_tells_nothing_scores_alike():
    shadows = train_shadows(make("tree"), X, Y, 4, random_state=0)
    constant = Oracle(np.full((150, 3), 1 / 3), [0, 1, 2])
    scores = ShadowAttack().fit(constant, shadows).score_samples(np.arange(150.0)[:, None], Y)
    for label in range(3):
        assert np.ptp(scores[Y == label]) == 0


@pytest.mark.long
def test_where_there_is_a_leak_it_is_found():
    attacks = {"threshold": ThresholdAttack(), "each": ShadowAttack(), "all": ShadowAttack(per_class=False)}
    trials = run_trials(make("knn-lookup"), X, Y, attacks, n_trials=15, shadows=8)
    assert mean_interval(trials.auc_each).low > 0.8
    assert mean_interval(trials.auc_each - trials.auc_threshold).low > 0.02  # one split with the other
    assert abs(mean_interval(trials.auc_each - trials.auc_all).mean) < 0.03


# The contract

PARTS = split(X, Y, 75, 0)
TARGET = make("knn-lookup").fit(PARTS.X_in, PARTS.y_in)
SHADOWS = train_shadows(make("knn-lookup"), X, Y, 6, random_state=1)


@pytest.mark.long
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
@pytest.mark.parametrize("per_class", [True, False])
def test_the_order_of_the_targets_columns_does_not_matter(order, per_class):
    """A rotation is not its own inverse, so that columns and labels mixed up would show."""
    plain = ShadowAttack(per_class=per_class).fit(TARGET, SHADOWS).score_samples(PARTS.X, PARTS.y)
    turned = Renamed(TARGET, order, [0, 1, 2])
    scores = ShadowAttack(per_class=per_class).fit(turned, SHADOWS).score_samples(PARTS.X, PARTS.y)
    np.testing.assert_array_equal(scores, plain)


@pytest.mark.parametrize("names", [["setosa", "versicolor", "virginica"], ["c", "a", "b"], [30, 10, 20]])
@pytest.mark.parametrize("per_class", [True, False])
def test_the_names_of_the_classes_do_not_matter(names, per_class):
    names = np.array(names)
    plain = ShadowAttack(LogisticRegression(), per_class).fit(TARGET, SHADOWS).score_samples(PARTS.X, PARTS.y)
    order = np.argsort(names)  # scikit-learn keeps classes_ sorted
    proba, classes = SHADOWS.proba[:, :, order], names[order]
    renamed = Shadows(X, names[Y], SHADOWS.in_mask, proba, classes, SHADOWS.models)
    target = Renamed(TARGET, [0, 1, 2], names)
    scores = ShadowAttack(LogisticRegression(), per_class).fit(target, renamed).score_samples(PARTS.X, names[PARTS.y])
    np.testing.assert_allclose(scores, plain, rtol=1e-3)


def test_the_order_of_records_and_of_shadows_does_not_matter():
    rng = np.random.default_rng(0)
    rows, ks, candidates = rng.permutation(150), rng.permutation(6), rng.permutation(150)
    shuffled = Shadows(
        X[rows], Y[rows], SHADOWS.in_mask[ks][:, rows], SHADOWS.proba[ks][:, rows], SHADOWS.classes_, SHADOWS.models
    )
    plain = ShadowAttack(LogisticRegression()).fit(TARGET, SHADOWS).score_samples(PARTS.X, PARTS.y)
    attack = ShadowAttack(LogisticRegression()).fit(TARGET, shuffled)
    scores = attack.score_samples(PARTS.X[candidates], PARTS.y[candidates])
    np.testing.assert_allclose(scores, plain[candidates], rtol=1e-3)
    one = attack.score_samples(PARTS.X[:1], PARTS.y[:1])
    np.testing.assert_allclose(one, plain[:1], rtol=1e-3)


@pytest.mark.long
@pytest.mark.parametrize("per_class", [True, False])
def test_over_the_service_with_one_question_a_candidate(per_class):
    target = make("tree").fit(PARTS.X_in, SPECIES[PARTS.y_in])
    shadows = train_shadows(make("tree"), X, SPECIES[Y], 4, random_state=1)
    plain = ShadowAttack(per_class=per_class).fit(target, shadows).score_samples(PARTS.X, SPECIES[PARTS.y])
    with serve(target, name="iris", budget=150) as url:
        for black_box in (QueryMeter(target, 150), RemoteModel(url)):
            attack = ShadowAttack(per_class=per_class).fit(black_box, shadows)
            assert black_box.n_queries == 0
            np.testing.assert_array_equal(attack.score_samples(PARTS.X, SPECIES[PARTS.y]), plain)
            assert black_box.n_queries == 150 and black_box.queries_left == 0


def test_the_seed_decides():
    def scores(seed):
        return ShadowAttack(random_state=seed).fit(TARGET, SHADOWS).score_samples(PARTS.X, PARTS.y)

    np.testing.assert_array_equal(scores(1), scores(1))
    assert not np.array_equal(scores(1), scores(2))
    assert not np.array_equal(scores(None), scores(None))


class Quiet(LogisticRegression):
    def fit(self, X, y):
        super().fit(X, y)


def test_an_attack_model_of_ones_own_is_copied():
    forest = RandomForestClassifier(10, min_samples_leaf=5)
    attack = ShadowAttack(forest).fit(TARGET, SHADOWS)
    assert not hasattr(forest, "classes_") and len(attack.attack_models_) == 3
    assert auc(attack.score_samples(PARTS.X, PARTS.y), PARTS.is_member) > 0.7
    quiet = ShadowAttack(Quiet()).fit(TARGET, SHADOWS).score_samples(PARTS.X, PARTS.y)  # its fit returns nothing
    plain = ShadowAttack(LogisticRegression()).fit(TARGET, SHADOWS).score_samples(PARTS.X, PARTS.y)
    np.testing.assert_array_equal(quiet, plain)
    assert (
        repr(ShadowAttack(per_class=False))
        == "ShadowAttack(attack_model=None, per_class=False, random_state=0, n_rows=20000)"
    )
    assert str(attack.threat_model) == (
        "The attacker may ask the model any question and read its confidences, and knows the candidate's recorded "
        "label, the model's type, other records of the population and the training procedure."
    )


def test_a_class_that_one_shadow_never_saw_does_not_stop_the_attack():
    y = np.array([*Y[:146], 3, 3, 3, 3])
    shadows = train_shadows(DecisionTreeClassifier(), X, y, 10, n_members=30, random_state=0)
    assert (shadows.proba[:, :, 3].max(axis=1) == 0).any()
    target = DecisionTreeClassifier(random_state=0).fit(X, y)
    assert np.isfinite(ShadowAttack().fit(target, shadows).score_samples(X, y)).all()


@given(st.floats(0, 1))
def test_log_odds_undo_and_keep_their_order(p):
    odds = log_odds(np.array([p, 1 - p]))
    assert np.isfinite(odds).all()
    assert 1 / (1 + np.exp(-odds[0])) == pytest.approx(np.clip(p, 1e-6, 1 - 1e-6), rel=1e-9)
    assert odds[0] == pytest.approx(-odds[1], abs=1e-6)
    for wrong in (np.nan, 1.1, -0.1):
        with pytest.raises(ValueError, match="proba holds NaN, or numbers outside 0 to 1"):
            log_odds([p, wrong])


def only(members, label=1):
    """Shadows of which every record of a class is a member, or none."""
    in_mask = SHADOWS.in_mask.copy()
    in_mask[:, Y == label] = members
    return Shadows(X, Y, in_mask, SHADOWS.proba, SHADOWS.classes_, SHADOWS.models)


TWO = train_shadows(make("tree"), X[:100], Y[:100], 2, random_state=0)
FEW = Shadows(X[:100], Y[:100], SHADOWS.in_mask[:, :100], SHADOWS.proba[:, :100], SHADOWS.classes_, SHADOWS.models)


@pytest.mark.parametrize(
    ("make_attack", "shadows", "message"),
    [
        (ShadowAttack, None, "shadows is NoneType; a ShadowAttack learns from shadow models, so pass what"),
        (ShadowAttack, [TARGET], "shadows is list"),
        (ShadowAttack, TWO, r"shadows know the classes \[0, 1\]; they should know those of the target, \[0, 1, 2\]"),
        (ShadowAttack, only(True), "shadows have only members of class 1; train more, or per_class=False"),
        (ShadowAttack, only(False), "shadows have only non-members of class 1"),
        (lambda: ShadowAttack(RandomForestClassifier), SHADOWS, "attack_model is <class .*; it should be an unfitted"),
        (lambda: ShadowAttack("forest"), SHADOWS, "attack_model is 'forest'; it should be an unfitted classifier"),
        (lambda: ShadowAttack(Perceptron()), SHADOWS, r"attack_model \(Perceptron\) has no predict_proba"),
        (lambda: ShadowAttack(lambda seed: None), SHADOWS, r"model\(random_state\) returned None"),
        (lambda: ShadowAttack(per_class="yes"), SHADOWS, "per_class is 'yes'; it should be True or False"),
        (lambda: ShadowAttack(random_state=-1), SHADOWS, "random_state is -1"),
        (lambda: ShadowAttack(random_state="x"), SHADOWS, "random_state is 'x'"),
    ],
)
def test_what_it_cannot_learn_from_is_named(make_attack, shadows, message):
    with pytest.raises(ValueError, match=message):
        make_attack().fit(TARGET, shadows)


def test_a_fit_that_failed_leaves_the_attack_as_it_was():
    attack = ShadowAttack(LogisticRegression()).fit(TARGET, SHADOWS)
    plain = attack.score_samples(PARTS.X, PARTS.y)
    with pytest.raises(ValueError, match="only members"):
        attack.fit(Renamed(TARGET, [2, 0, 1], [0, 1, 2]), only(True))
    np.testing.assert_array_equal(attack.score_samples(PARTS.X, PARTS.y), plain)
    fresh = ShadowAttack()
    with pytest.raises(ValueError, match="shadows is NoneType"):
        fresh.fit(TARGET)
    with pytest.raises(ValueError, match="has no target yet"):
        fresh.score_samples(PARTS.X, PARTS.y)


@pytest.mark.parametrize(
    ("shadows", "X", "y", "message"),
    [
        (None, X, Y, r"this ShadowAttack has no target yet; call fit\(target\) before score_samples"),
        (SHADOWS, X, Y[:9], "y holds 9 labels for 150 records"),
        (SHADOWS, X, None, "y is missing"),
        (SHADOWS, X[:, :3], Y, "X has 3 columns; the model was trained on 4"),
        (SHADOWS, X * np.nan, Y, "X holds NaN"),
        (SHADOWS, X, SPECIES[Y], "y holds 'setosa', 'versicolor', 'virginica', which the model does not know"),
        (FEW, X, Y, "y holds 2, a class of which the shadows' pool had no record"),
    ],
)
def test_what_it_cannot_score_is_named(shadows, X, y, message):
    attack = ShadowAttack(LogisticRegression())
    if shadows is not None:
        attack.fit(TARGET, shadows)
    with pytest.raises(ValueError, match=message):
        attack.score_samples(X, y)


def test_a_target_that_is_no_model_is_named():
    with pytest.raises(ValueError, match=r"target .* has no classes_"):
        ShadowAttack().fit(make("tree"), SHADOWS)


def test_of_many_answers_so_many_are_drawn_and_no_more_are_needed():
    target, shadows = made_up(np.random.default_rng(3), n=240, n_shadows=40)
    all_of_them, some, enough = (
        ShadowAttack(LogisticRegression(), n_rows=n).fit(target, shadows) for n in (20_000, 800, 3200)
    )
    scores = [attack.score_samples(shadows.X, shadows.y) for attack in (all_of_them, some, enough)]
    assert (scores[0] == scores[2]).all()  # 3,200 answers about each class are all that there are
    assert (scores[0] != scores[1]).any()
    member = np.random.default_rng(4).random(240) < 0.5
    answers = np.where(member[:, None], 0.6 * target.table + 0.4 * np.eye(3)[shadows.y], target.table)
    leaky = Oracle(answers, np.arange(3))
    areas = [
        auc(
            ShadowAttack(LogisticRegression(), n_rows=n).fit(leaky, shadows).score_samples(shadows.X, shadows.y), member
        )
        for n in (20_000, 800)
    ]
    assert areas[0] > 0.65 and abs(areas[0] - areas[1]) < 0.02
    with pytest.raises(ValueError, match="n_rows is 1"):
        ShadowAttack(n_rows=1)
