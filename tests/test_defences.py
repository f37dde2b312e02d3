"""mialab.defences: what each defence lets out, the same shadows behind it, the matrix, the frontier."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import kstest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mialab.attacks import RMIA, LiRA, ThresholdAttack
from mialab.blackbox import QueryMeter, RemoteModel, serve
from mialab.data import load_iris, split, wrong_labels
from mialab.defences import (
    BaggedNets,
    LabelOnly,
    OutputDefence,
    RandomConfidence,
    Rounded,
    TopK,
    defence_matrix,
    defend,
    frontier,
    over_seeds,
    training_defences,
)
from mialab.metrics import auc, mean_interval
from mialab.nets import NetClassifier, train_nets
from mialab.shadows import train_shadows
from mialab.trials import attack_each, run_trials, score_each

FLOWERS = load_iris()
PARTS = split(FLOWERS.X, FLOWERS.y, 75, 0)
LOOKUP = KNeighborsClassifier(15, weights="distance").fit(PARTS.X_in, PARTS.y_in)
WRAPPERS = [Rounded(LOOKUP, 1), TopK(LOOKUP, 2), LabelOnly(LOOKUP), RandomConfidence(LOOKUP)]
NAMES = [type(wrapper).__name__ for wrapper in WRAPPERS]


class Fixed:
    """A model that answers what it is told."""

    def __init__(self, proba):
        self.proba, self.classes_, self.n_features_in_ = np.asarray(proba, float), np.arange(np.shape(proba)[1]), 1

    def predict_proba(self, X):
        return self.proba


class Warm(OutputDefence):
    """A defence that the package does not have: the model seems less sure, and its label stays."""

    def _change(self, proba, X):
        return proba**0.25 / (proba**0.25).sum(axis=1, keepdims=True)


# Made of small whole numbers, so that there are ties in plenty.
ANSWERS = (
    st.integers(2, 5)
    .flatmap(lambda c: hnp.arrays(int, st.tuples(st.integers(1, 6), st.just(c)), elements=st.integers(0, 4)))
    .map(
        lambda a: (a + (a.sum(axis=1, keepdims=True) == 0)) / (a + (a.sum(axis=1, keepdims=True) == 0)).sum(1)[:, None]
    )
)


@given(ANSWERS, st.integers(1, 5))
def test_top_k_by_sorting_in_python(proba, k):
    k = min(k, proba.shape[1])
    wanted = np.zeros_like(proba)
    for i, row in enumerate(proba.tolist()):
        for j in sorted(range(len(row)), key=lambda j: (-row[j], j))[:k]:
            wanted[i, j] = row[j]
    assert (TopK(Fixed(proba), k).predict_proba(np.zeros((len(proba), 1))) == wanted).all()


@given(ANSWERS, st.integers(0, 4))
def test_rounded_and_label_only_in_python(proba, digits):
    X = np.zeros((len(proba), 1))
    rounded = [[float(f"{p:.12f}") if digits > 12 else round(p, digits) for p in row] for row in proba.tolist()]
    np.testing.assert_allclose(Rounded(Fixed(proba), digits).predict_proba(X), rounded, atol=1e-12)
    label = [[float(j == row.index(max(row))) for j in range(len(row))] for row in proba.tolist()]
    assert LabelOnly(Fixed(proba)).predict_proba(X).tolist() == label


@given(ANSWERS, st.integers(0, 4))
def test_what_is_let_out_puts_no_other_class_first(proba, digits):
    """The label is among the largest of what every defence lets out; all but rounding let it be the first of them."""
    X, top = np.arange(len(proba), dtype=float)[:, None], proba.argmax(axis=1)
    rounded = Rounded(Fixed(proba), digits).predict_proba(X)
    assert (rounded[np.arange(len(top)), top] == rounded.max(axis=1)).all()
    for wrapper in (TopK(Fixed(proba), 1), TopK(Fixed(proba), 2), LabelOnly(Fixed(proba))):
        assert (wrapper.predict(X) == top).all()


def test_random_confidence_is_even_from_one_over_the_classes_to_one():
    proba, X = np.tile([0.2, 0.7, 0.1], (5000, 1)), np.arange(5000.0)[:, None]
    top = RandomConfidence(Fixed(proba)).predict_proba(X)[:, 1]
    assert kstest((top - 1 / 3) * 1.5, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(top[1:], top[:-1])[0, 1]) < 0.06  # neighbours tell nothing of each other


@given(ANSWERS, st.integers(0, 2**31))
@settings(max_examples=30)
def test_random_confidence_keeps_the_label_and_nothing_else(proba, seed):
    X = np.arange(len(proba), dtype=float)[:, None]
    one = RandomConfidence(Fixed(proba), seed).predict_proba(X)
    np.testing.assert_allclose(one.sum(axis=1), 1)
    assert (one[np.arange(len(one)), proba.argmax(axis=1)] >= one.max(axis=1) - 1e-12).all()
    # another model with the same labels is answered for with the very same numbers
    other = np.eye(proba.shape[1])[proba.argmax(axis=1)]
    assert (RandomConfidence(Fixed(other), seed).predict_proba(X) == one).all()


def test_asking_again_or_in_other_company_tells_no_more():
    wrapper, X = RandomConfidence(LOOKUP), PARTS.X_out[::6][:12]
    first = wrapper.predict_proba(X)
    order = np.random.default_rng(0).permutation(12)
    assert (wrapper.predict_proba(X[order]) == first[order]).all()
    assert (wrapper.predict_proba(X[3:4]) == first[3]).all()
    assert (wrapper.predict_proba(np.array(X).astype("float32").astype(float)) != first).any()  # a hair off: anew
    secret = clone(wrapper).set_params(random_state=1)
    secret.model = LOOKUP  # clone forgets the fit
    assert (secret.predict_proba(X) != first).any()


@pytest.mark.long
@pytest.mark.parametrize("wrapper", WRAPPERS, ids=NAMES)
def test_a_defence_is_a_classifier_like_any_other(wrapper):
    anew = clone(wrapper).fit(PARTS.X_in, PARTS.y_in)
    X = PARTS.X_out
    np.testing.assert_array_equal(anew.predict_proba(X), wrapper.predict_proba(X))
    assert anew.classes_.tolist() == [0, 1, 2] and anew.n_features_in_ == 4
    assert (anew.predict(X) == anew.predict_proba(X).argmax(axis=1)).all()
    assert not hasattr(clone(wrapper), "model_") and hasattr(wrapper.model, "classes_")
    meter = QueryMeter(anew)
    assert (meter.predict_proba(X) == anew.predict_proba(X)).all() and meter.n_queries == 75
    with serve(anew, name="defended") as url, RemoteModel(url, name="defended") as remote:
        assert (remote.predict_proba(X) == anew.predict_proba(X)).all()
        around = clone(wrapper).set_params(model=remote)
        np.testing.assert_allclose(around.predict_proba(X)[:3], wrapper._change(anew.predict_proba(X), X)[:3])


@pytest.mark.parametrize(("output", "wrapper"), [("top-1", TopK(LOOKUP)), ("label", LabelOnly(LOOKUP))])
def test_the_service_and_the_wrapper_say_the_same(output, wrapper):
    with serve(LOOKUP, name="a", output=output) as url, RemoteModel(url, name="a") as remote:
        assert (remote.predict_proba(PARTS.X_out) == wrapper.predict_proba(PARTS.X_out)).all()


def test_the_service_rounds_as_the_wrapper_does():
    rounded = Rounded(LOOKUP, 1)
    with serve(LOOKUP, name="a", output="rounded", digits=1) as url, RemoteModel(url, name="a") as remote:
        assert (remote.predict_proba(PARTS.X_out) == rounded.predict_proba(PARTS.X_out)).all()
        with serve(rounded, name="b") as url, RemoteModel(url, name="b") as behind:
            assert (remote.predict_proba(PARTS.X_out) == behind.predict_proba(PARTS.X_out)).all()


def test_a_pipeline_that_reads_names_goes_behind_the_service():
    by_name = make_column_transformer((StandardScaler(), list(FLOWERS.feature_names[:2])))
    table = FLOWERS.frame[list(FLOWERS.feature_names)]
    for wrapper in (Rounded, RandomConfidence):
        defended = wrapper(make_pipeline(by_name, LogisticRegression())).fit(table, FLOWERS.y)
        with serve(defended, name="a") as url, RemoteModel(url, name="a") as remote:
            assert (remote.predict_proba(FLOWERS.X) == defended.predict_proba(table)).all()


def test_the_same_question_in_other_types_gets_the_same_answer():
    whole = np.arange(12).reshape(3, 4) - 4
    nought = np.where(whole == 0, -0.0, whole)
    wrapper = RandomConfidence(LOOKUP)
    first = wrapper.predict_proba(whole)
    for same in (whole.astype(float), whole.astype("float32"), nought, pd.DataFrame(whole), whole.tolist()):
        assert (wrapper.predict_proba(same) == first).all()


def test_frames_with_text_and_classes_by_name():
    frame = FLOWERS.frame.rename(columns={"species": "colour"})
    frame["colour"] = np.where(FLOWERS.X[:, 0] > 6, "blue", "violet")
    names = np.array(FLOWERS.class_names)[FLOWERS.y]
    pipe = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["colour"]), remainder=StandardScaler()), LogisticRegression()
    )
    for wrapper in (Rounded(pipe), RandomConfidence(pipe), LabelOnly(pipe)):
        wrapper.fit(frame, names)
        assert set(wrapper.predict(frame)) <= set(FLOWERS.class_names)
        assert wrapper.predict_proba(frame.iloc[4:5]).tolist() == wrapper.predict_proba(frame)[4:5].tolist()


@pytest.mark.parametrize(
    ("wrapper", "message"),
    [
        (Rounded(LOOKUP, -1), "digits is -1"),
        (Rounded(LOOKUP, 1.5), "digits is 1.5"),
        (TopK(LOOKUP, 4), "k is 4"),
        (TopK(LOOKUP, 0), "k is 0"),
        (RandomConfidence(LOOKUP, random_state=-1), "random_state is -1"),
        (RandomConfidence(LOOKUP, random_state=None), "random_state is None"),
        (LabelOnly(LogisticRegression()), "has no classes_"),
    ],
)
def test_bad_settings_are_named(wrapper, message):
    with pytest.raises(ValueError, match=message):
        wrapper.predict_proba(PARTS.X_out)


def test_what_cannot_be_trained_says_so():
    with pytest.raises(ValueError, match=r"model \(Fixed\) has no fit"):
        LabelOnly(Fixed(np.eye(3))).fit(PARTS.X_in, PARTS.y_in)


# The same shadows behind a defence


@pytest.mark.parametrize("model", [DecisionTreeClassifier(random_state=0), NetClassifier(hidden=4, epochs=30)])
@pytest.mark.parametrize("wrapper", [Rounded, TopK, LabelOnly, Warm])
def test_defended_shadows_are_those_that_one_would_train(model, wrapper):
    settings = {"n_shadows": 4, "random_state": 3}
    bare = train_shadows(model, FLOWERS.X, FLOWERS.y, **settings)
    defended = defend(bare, wrapper(model))
    if isinstance(model, NetClassifier):  # trained one by one, nets draw from other streams: compare by hand
        wanted = np.stack([wrapper(bare.models[k]).predict_proba(FLOWERS.X) for k in range(4)])
    else:
        wanted = train_shadows(wrapper(model), FLOWERS.X, FLOWERS.y, **settings).proba
    np.testing.assert_allclose(defended.proba, wanted, atol=1e-12)
    np.testing.assert_allclose(defended.predict_proba(FLOWERS.X[:9]), wanted[:, :9], atol=1e-12)
    assert (defended.in_mask == bare.in_mask).all() and len(defended.besides(0)) == 2


def test_random_shadows_have_secrets_of_their_own():
    bare = train_shadows(DecisionTreeClassifier(), FLOWERS.X, FLOWERS.y, 4, random_state=0)
    random = defend(bare, RandomConfidence(DecisionTreeClassifier()))
    for k in range(4):
        assert (random.proba[k] == random.models[k].predict_proba(FLOWERS.X)).all()
    same_label = random.proba[0].argmax(1) == random.proba[1].argmax(1)
    assert (random.proba[0][same_label] != random.proba[1][same_label]).any(axis=1).all()


@pytest.mark.parametrize("model", [DecisionTreeClassifier(random_state=0), NetClassifier(hidden=4, epochs=30)])
def test_a_function_puts_any_defence_around_each_shadow(model):
    bare = train_shadows(model, FLOWERS.X, FLOWERS.y, 4, random_state=0)
    for each, same in (
        (lambda shadow: Rounded(shadow, 1), Rounded(None, 1)),
        (lambda shadow: RandomConfidence(shadow, 7), None),
        (lambda shadow: LabelOnly(Warm(shadow)), LabelOnly(None)),  # warmth keeps the label
        (QueryMeter, None),
        (LabelOnly, LabelOnly(None)),
    ):
        found = defend(bare, each)
        for k in range(4):
            wanted = each(bare.models[k]).predict_proba(FLOWERS.X)
            np.testing.assert_allclose(found.proba[k], wanted, atol=1e-12)
        if same is not None:
            assert (found.proba == defend(bare, same).proba).all()
    warm = defend(bare, lambda shadow: Rounded(Warm(shadow), 2))  # one around another
    assert (warm.proba == defend(defend(bare, Warm(None)), Rounded(None, 2)).proba).all()


@pytest.mark.parametrize("make", [Rounded, TopK, LabelOnly, RandomConfidence])
def test_a_class_that_a_shadow_never_saw_stays_at_nought(make):
    y = np.where(np.arange(150) == 0, 7, FLOWERS.y)  # one record of a fourth class
    bare = train_shadows(DecisionTreeClassifier(random_state=0), FLOWERS.X, y, 4, random_state=0)
    assert sorted(len(model.classes_) for model in bare.models) == [3, 3, 4, 4]
    defended = defend(bare, make(None))
    for k, model in enumerate(defended.models):
        wanted = model.predict_proba(FLOWERS.X)
        assert (defended.proba[k, :, : wanted.shape[1]] == wanted).all()
        assert (defended.proba[k, :, wanted.shape[1] :] == 0).all()


@pytest.mark.parametrize(
    ("defence", "message"),
    [
        (LogisticRegression(), "defence is LogisticRegression"),
        (LogisticRegression, "has no classes_"),
        (lambda model: None, "has no classes_"),
        (RandomConfidence(None, random_state=None), "random_state is None"),
    ],
)
def test_defend_refuses_what_is_no_defence(defence, message):
    bare = train_shadows(DecisionTreeClassifier(), FLOWERS.X, FLOWERS.y, 2, random_state=0)
    with pytest.raises(ValueError, match=message):
        defend(bare, defence)


def test_targets_behind_a_defence_that_the_shadows_do_not_have():
    bare = train_shadows(KNeighborsClassifier(5, weights="distance"), FLOWERS.X, FLOWERS.y, 6, random_state=0)
    defended = defend(bare, LabelOnly(None))
    scores = score_each(bare, RMIA(online=False), n_targets=2, targets=defended)
    for k in range(2):
        attack = RMIA(online=False).fit(defended.models[k], bare.besides(k))
        assert (scores[k] == attack.score_samples(bare.X, bare.y, index=np.arange(150))).all()
    table = attack_each(bare, {"RMIA": RMIA(online=False)}, n_targets=2, targets=defended)
    assert table["auc_RMIA"].tolist() == [auc(scores[k], bare.in_mask[k]) for k in range(2)]
    other = train_shadows(KNeighborsClassifier(5), FLOWERS.X, FLOWERS.y, 6, random_state=1)
    with pytest.raises(ValueError, match="targets had other members"):
        score_each(bare, RMIA(online=False), targets=other)


@pytest.mark.long
@pytest.mark.parametrize("make", [Rounded, TopK, LabelOnly, RandomConfidence])
def test_negative_control(make):
    """With membership drawn at random after training, every attack gives one half through every defence."""
    attacks = {"threshold": ThresholdAttack(), "LiRA": LiRA(online=False), "RMIA": RMIA(online=False)}
    model = make(DecisionTreeClassifier(max_depth=4))
    table = run_trials(model, FLOWERS.X, FLOWERS.y, attacks, n_trials=24, null=True, shadows=6)
    for name in attacks:
        control = mean_interval(table[f"auc_{name}"])
        assert abs(control.mean - 0.5) < 4 * (control.high - control.low) / 3.92, (name, control)


# Training with care


def test_recipes_change_what_they_name_and_leave_the_model_alone():
    net = NetClassifier(hidden=4, epochs=20)
    recipes = training_defences(net)
    assert set(recipes) == {"stronger L2", "early stopping", "bagging", "fewer features"}
    assert recipes["stronger L2"].l2 == 1.0 and recipes["early stopping"].early_stopping and net.l2 == 1e-4
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    assert training_defences(pipe)["stronger L2"].get_params()["logisticregression__C"] == 0.1
    assert pipe.get_params()["logisticregression__C"] == 1.0
    assert {"larger leaves", "fewer levels"} <= set(training_defences(DecisionTreeClassifier()))
    for recipe in [*recipes.values(), *training_defences(pipe).values()]:
        assert recipe.fit(PARTS.X_in, PARTS.y_in).predict_proba(PARTS.X_out).shape == (75, 3)


def test_recipes_of_other_models():
    private = training_defences(NetClassifier(hidden=4, standardise=False, clip=1.0, noise=1.0))
    assert set(private) == {"stronger L2", "bagging", "fewer features"}  # holding records out would break the promise
    tree = DecisionTreeClassifier()
    bagged = training_defences(tree)["bagging"]
    assert isinstance(bagged, BaggingClassifier) and bagged.estimator is not tree


def test_bagged_nets_are_the_mean_of_nets_on_halves():
    net = NetClassifier(hidden=3, epochs=20)
    bagged = clone(BaggedNets(net, n_nets=5, random_state=1)).fit(PARTS.X_in, PARTS.y_in)
    rng = np.random.default_rng(1)
    masks = rng.permuted(np.tile(np.arange(75) % 2 == 0, (5, 1)), axis=1)
    assert (masks.sum(axis=1) == 38).all() and not (masks[0] == masks[1]).all()
    nets = train_nets(PARTS.X_in, PARTS.y_in, masks, **(net.get_params() | {"random_state": rng}))
    by_hand = sum(net.predict_proba(PARTS.X_out) for net in (nets[k] for k in range(5))) / 5
    np.testing.assert_allclose(bagged.predict_proba(PARTS.X_out), by_hand)
    assert (bagged.predict(PARTS.X_out) == by_hand.argmax(axis=1)).all() and bagged.n_features_in_ == 4
    with pytest.raises(ValueError, match="n_nets is 0"):
        BaggedNets(net, 0).fit(PARTS.X_in, PARTS.y_in)


# Matrix and frontier


def test_matrix_is_attack_each_by_hand():
    net = NetClassifier(hidden=4, epochs=40)
    models = {"none": net, "label": LabelOnly(net), "L2": NetClassifier(hidden=4, epochs=40, l2=1.0)}
    data = {"wrong": lambda seed: (FLOWERS.X, wrong_labels(FLOWERS.y, 0.2, seed))}
    attacks = {"RMIA": RMIA(online=False)}
    matrix = defence_matrix(models, data, attacks, n_shadows=6, n_targets=4, n_seeds=2, fpr=0.1)
    measures = ["train_accuracy", "test_accuracy", "auc_RMIA", "tpr_RMIA"]
    assert list(matrix.columns) == ["data", "defence", "seed", *measures]
    assert len(matrix) == 6
    X, y = data["wrong"](1)
    shadows = train_shadows(net, X, y, 6, random_state=1)
    by_hand = attack_each(defend(shadows, LabelOnly(net)), attacks, n_targets=4, fpr=0.1).mean()
    row = matrix[(matrix["defence"] == "label") & (matrix["seed"] == 1)].iloc[0]
    for column in measures:
        assert row[column] == by_hand[column]
    assert over_seeds(matrix, "wrong", "auc_RMIA")["label"] == mean_interval(
        matrix.loc[matrix["defence"] == "label", "auc_RMIA"]
    )
    with pytest.raises(ValueError, match="measure is 'auc'"):
        over_seeds(matrix, "wrong", "auc")


def test_matrix_seeds_and_layers():
    net = NetClassifier(hidden=4, epochs=40)
    models = {"both": Rounded(Warm(net), 1)}
    attacks, size = {"LiRA": LiRA(online=False)}, {"n_shadows": 6, "n_targets": 2}
    three = defence_matrix(models, {"iris": (FLOWERS.X, FLOWERS.y)}, attacks, n_seeds=3, **size)
    last = defence_matrix(models, {"iris": (FLOWERS.X, FLOWERS.y)}, attacks, n_seeds=1, random_state=2, **size)
    assert three["seed"].tolist() == [0, 1, 2]
    pd.testing.assert_frame_equal(three[2:].reset_index(drop=True), last)
    shadows = train_shadows(net, FLOWERS.X, FLOWERS.y, 6, random_state=2)  # in batch, and nothing in between
    both = defend(shadows, lambda model: Rounded(Warm(model), 1))
    assert last["auc_LiRA"][0] == attack_each(both, attacks, n_targets=2)["auc_LiRA"].mean()
    naive = defence_matrix(models, {"iris": (FLOWERS.X, FLOWERS.y)}, attacks, n_seeds=1, adaptive=False, **size)
    assert naive["test_accuracy"][0] == three["test_accuracy"][0]
    assert naive["auc_LiRA"][0] != three["auc_LiRA"][0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"models": [LogisticRegression()]}, "models is a list; it should be a dict"),
        ({"models": {}}, "models is a dict; .* not empty"),
        ({"data": (FLOWERS.X, FLOWERS.y)}, "data is a tuple; it should be a dict"),
        ({"n_seeds": 0}, "n_seeds is 0"),
        ({"n_targets": 9}, "n_targets is 9"),
        ({"adaptive": "no"}, "adaptive is 'no'"),
        ({"random_state": None}, "random_state is None"),
        ({"models": {"a": LabelOnly(None)}}, "model is None"),
    ],
)
def test_matrix_refuses(changed, message):
    given = {"models": {"a": DecisionTreeClassifier()}, "data": {"iris": (FLOWERS.X, FLOWERS.y)}, "n_shadows": 4}
    with pytest.raises(ValueError, match=message):
        defence_matrix(**(given | changed))


@pytest.mark.long
def test_an_attacker_who_knows_the_defence_gets_more():
    """Warm answers of the target against undefended shadows mislead LiRA; shadows with the defence do not."""
    net = NetClassifier(hidden=16, epochs=200)
    data = {"wrong": lambda seed: (FLOWERS.X, wrong_labels(FLOWERS.y, 0.2, seed))}
    models, attacks = {"warm": Warm(net)}, {"LiRA": LiRA(online=False)}
    knows, does_not = (
        defence_matrix(models, data, attacks, n_seeds=4, adaptive=adaptive)["auc_LiRA"] for adaptive in (True, False)
    )
    assert mean_interval(knows - does_not).low > 0.03


@given(hnp.arrays(int, st.tuples(st.integers(1, 12), st.just(2)), elements=st.integers(0, 4)))
def test_frontier_by_two_loops(points):
    accuracy, leakage = points.T
    wanted = []
    for a, leak in points:
        beaten = any((b >= a and other <= leak) and (b > a or other < leak) for b, other in points)
        wanted.append(not beaten)
    assert frontier(accuracy, leakage).tolist() == wanted


@pytest.mark.parametrize("bad", [([0.1], [0.1, 0.2]), ([np.nan], [0.1]), ([[0.1]], [[0.2]]), (["a"], [0.1])])
def test_frontier_refuses(bad):
    with pytest.raises(ValueError, match=r"accuracy|leakage"):
        frontier(*bad)


def test_the_base_class_says_nothing_by_itself():
    with pytest.raises(NotImplementedError):
        OutputDefence(LOOKUP).predict_proba(PARTS.X_out)
