"""Whatever has predict_proba is a model, and records reach it as they were given; or a sentence says what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from mialab.attacks import RMIA, LabelOnlyAttack, LiRA, ShadowAttack, ThresholdAttack
from mialab.audit import audit
from mialab.shadows import train_shadows
from mialab.targets import fresh

X, Y = load_breast_cancer(return_X_y=True)
ROWS = np.random.default_rng(1).permutation(569)[:160]
X, Y = X[ROWS][:, :4], Y[ROWS]
FRAME = pd.DataFrame(X, columns=list("abcd")).assign(sex=np.where(np.arange(160) % 3, "f", "m"))
IN, OUT = (X[:80], Y[:80]), (X[80:], Y[80:])


def mixed():
    columns = make_column_transformer((OneHotEncoder(), ["sex"]), remainder="passthrough")
    return make_pipeline(columns, DecisionTreeClassifier(max_depth=4, random_state=0))


class Own:
    """A model with no base class, which would remember its members if it were only copied."""

    def __init__(self, depth=3):
        self.depth = depth

    def fit(self, X, y):
        assert not hasattr(self, "tree"), "a shadow went on from the target"
        self.tree = DecisionTreeClassifier(max_depth=self.depth, random_state=0).fit(X, y)
        self.classes_ = self.tree.classes_
        return self

    def predict_proba(self, X):
        return self.tree.predict_proba(X)


@pytest.mark.long
@pytest.mark.parametrize(
    "make",
    [
        lambda: make_pipeline(SimpleImputer(), LogisticRegression(max_iter=2000)),
        lambda: HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5),
    ],
)
def test_missing_values_are_the_models_business(make):
    holes = X.copy()
    holes[::7, 3] = np.nan
    model = make().fit(holes[:80], Y[:80])
    shadows = train_shadows(make(), holes, Y, 4, random_state=0)
    for attack in (ThresholdAttack(), ShadowAttack(DecisionTreeClassifier(max_depth=2)), LiRA(False), RMIA(False)):
        scores = attack.fit(model, shadows).score_samples(holes, Y, index=np.arange(160))
        assert np.isfinite(scores).all() and len(scores) == 160
    by_value = RMIA(False).fit(model, shadows).score_samples(holes, Y)
    np.testing.assert_array_equal(by_value, scores)  # a record with a gap is found in the pool
    with pytest.raises(ValueError, match=r"X holds NaN or infinite values, and the model could not read it"):
        ThresholdAttack().fit(LogisticRegression().fit(*IN)).score_samples(holes, Y)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.float64, bool])
def test_records_keep_their_dtype(dtype):
    class Strict(DecisionTreeClassifier):
        def predict_proba(self, X, check_input=True):
            assert X.dtype == dtype, X.dtype
            return super().predict_proba(X)

    given = (X > 5).astype(dtype)
    shadows = train_shadows(Strict(max_depth=2), given, Y, 4, random_state=0)
    attack = RMIA(False).fit(Strict(max_depth=2).fit(given[:80], Y[:80]), shadows)
    assert np.isfinite(attack.score_samples(given, Y, index=np.arange(160))).all()
    assert shadows.X.dtype == dtype


@pytest.mark.long
def test_a_class_of_ones_own_and_a_function_of_a_seed_are_recipes():
    model = Own(depth=4).fit(*IN)
    found = audit(model, IN, OUT, n_shadows=4, n_questions=0)
    assert "RMIA" in found.attacks and fresh(model, 0).depth == 4
    made = audit(model, IN, OUT, estimator=lambda seed: Own(4), n_shadows=4, n_questions=0)
    assert made.attacks == found.attacks

    class Wrapper(Own):
        def __init__(self, net):
            super().__init__()
            self.net = net

    wrapped = Wrapper(net=object()).fit(*IN)
    alone = audit(wrapped, IN, OUT)
    assert any("its constructor takes net" in note and "pass a function" in note for note in alone.notes)


def test_fit_parameters_are_cut_to_the_members_of_a_shadow():
    seen = []

    class Weighed(DecisionTreeClassifier):
        def fit(self, X, y, sample_weight=None, eval_set=None):
            seen.append((sample_weight, eval_set, len(y)))
            return super().fit(X, y, sample_weight=sample_weight)

    weights = np.arange(160.0)
    shadows = train_shadows(Weighed(), X, Y, 4, random_state=0, sample_weight=weights, eval_set=[(X, Y)])
    for members, (weight, eval_set, n) in zip(shadows.in_mask, seen, strict=True):
        np.testing.assert_array_equal(weight, weights[members])
        assert len(eval_set) == 1 and n == members.sum()
    with pytest.raises(ValueError, match=r"a shadow could not be trained .* unexpected keyword argument 'n_job'"):
        train_shadows(DecisionTreeClassifier(), X, Y, 4, n_job=2)


def test_a_shadow_without_a_class_ends_in_a_sentence():
    rare = Y.astype(object)
    rare[0] = 2

    class Picky(DecisionTreeClassifier):
        def fit(self, X, y):
            if len(np.unique(y)) < 3:
                raise RuntimeError("Invalid classes inferred\nfrom y")
            return super().fit(X, y)

    with pytest.raises(
        ValueError, match=r"on 80 of 160 records; none of these is of class 2: Invalid classes inferred$"
    ):
        train_shadows(Picky(), X, rare.astype(int), 4, random_state=0)


@pytest.mark.long
def test_frames_are_read_by_name_in_every_attack():
    model = mixed().fit(FRAME[:80], Y[:80])
    shadows = train_shadows(mixed(), FRAME, Y, 4, random_state=0)
    turned = FRAME[FRAME.columns[::-1]].assign(unused=1)
    attacks = [ThresholdAttack(), ShadowAttack(DecisionTreeClassifier(max_depth=2)), LiRA(False), RMIA(False)]
    for attack in (*attacks, LabelOnlyAttack(n_questions=5)):
        attack.fit(model, shadows)
        np.testing.assert_array_equal(attack.score_samples(turned, Y), attack.score_samples(FRAME, Y))
    with pytest.raises(ValueError, match="X has no column 'sex', which the model was trained on"):
        ThresholdAttack().fit(model).score_samples(FRAME.drop(columns="sex"), Y)


class Polars:
    """As far as this package looks at it."""

    __module__ = "polars.dataframe"

    def to_pandas(self):
        return FRAME


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (csr_matrix(X), r"X is a sparse matrix; pass an array, X\.toarray\(\)"),
        (["a text"] * 160, "X is a list of texts; pass a frame"),
        (np.zeros((160, 8, 8)), r"X has shape \(160, 8, 8\); .*reshape\(len\(X\), -1\)"),
        (Polars(), r"X is a polars frame; pass a pandas one, X\.to_pandas\(\)"),
        (FRAME.assign(a=[[1, 2]] * 160), r"X has cells that hold several values, in \['a'\]"),
    ],
    ids=["sparse", "texts", "images", "polars", "lists"],
)
def test_what_is_no_table_gets_the_same_sentence_everywhere(records, message):
    model = DecisionTreeClassifier().fit(*IN)
    shadows = train_shadows(DecisionTreeClassifier(max_depth=2), X, Y, 4, random_state=0)
    for attack in (ThresholdAttack(), LiRA(False), RMIA(False), LabelOnlyAttack(0.1, calibrated=False)):
        with pytest.raises(ValueError, match=message):
            attack.fit(model, shadows).score_samples(records, Y)
    with pytest.raises(ValueError, match=message.replace("X", "(X|the X of members)")):
        audit(model, (records, Y), OUT)


def test_a_regressor_is_told_that_it_is_one():
    for model in (LinearRegression().fit(*IN), make_pipeline(LinearRegression()).fit(*IN)):
        with pytest.raises(ValueError, match="is a regressor, which answers with a number"):
            audit(model, IN, OUT)
