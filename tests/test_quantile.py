"""The quantile attack: a quantile that can be worked out, the false-positive rate it promises, 0.50 without a leak."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from mialab.attacks import QuantileAttack, ThresholdAttack
from mialab.blackbox import QueryMeter
from mialab.data import load_iris, split
from mialab.shadows import train_shadows
from mialab.targets import make
from mialab.trials import attack_each, run_trials

FLOWERS = load_iris()
X, Y = FLOWERS.X, FLOWERS.y
PARTS = split(X, Y, 75, 0)
STRANGERS = (PARTS.X_out, PARTS.y_out)


class Says:
    """Of the record whose second measurement is p it says: class "a" with probability p."""

    classes_ = np.array(["a", "b"])

    def predict_proba(self, X):
        p = np.asarray(X, dtype=float)[:, 1]
        return np.column_stack([p, 1 - p])


def odds(p):
    return np.log(p) - np.log1p(-p)


@pytest.mark.parametrize("fpr", [0.5, 0.2, 0.05])
def test_with_one_quantile_for_all_it_is_the_log_odds_less_that_quantile(fpr):
    p = np.random.default_rng(0).uniform(0.1, 0.9, 41)
    records, labels = np.column_stack([np.zeros(41), p]), np.array(["a", "b"])[np.arange(41) % 2]
    attack = QuantileAttack(regressor=DummyRegressor(strategy="quantile", quantile=1 - fpr))
    attack.fit(Says(), strangers=(records, labels))
    sure = sorted(odds(q if label == "a" else 1 - q) for q, label in zip(p, labels, strict=True))
    place = (1 - fpr) * 40
    bar = sure[int(place)] + (place - int(place)) * (sure[min(int(place) + 1, 40)] - sure[int(place)])
    assert attack.score_samples([[0, 0.7], [0, 0.7]], ["a", "b"]) == pytest.approx([odds(0.7) - bar, odds(0.3) - bar])


def test_each_group_of_strangers_is_accused_at_the_rate_that_was_asked_for():
    """Of one group the model is always sure, of the other seldom: one threshold would accuse the first alone."""
    rng = np.random.default_rng(1)

    def draw(n):
        group = rng.integers(2, size=n)
        return np.column_stack([group, np.where(group, rng.uniform(0.8, 0.99, n), rng.uniform(0.2, 0.6, n))])

    strangers, others = draw(2000), draw(4000)
    # These records carry the confidence itself, which the regression must not read.
    attack = QuantileAttack(regressor=only_group()).fit(Says(), strangers=(strangers, ["a"] * 2000))
    accused = attack.score_samples(others, ["a"] * 4000) > 0
    for group in (0, 1):
        assert accused[others[:, 0] == group].mean() == pytest.approx(0.1, abs=0.035)
    one = ThresholdAttack().fit(Says()).score_samples(others, ["a"] * 4000)
    assert (one > np.quantile(one, 0.9))[others[:, 0] == 0].sum() == 0


def only_group():
    """The attack's own regression, of the first column alone."""
    return make_pipeline(ColumnTransformer([("group", "passthrough", [0])]), QuantileAttack(fpr=0.1)._default())


def test_it_asks_about_each_stranger_and_each_candidate_once_and_reads_no_shadows():
    meter = QueryMeter(make("logistic").fit(PARTS.X_in, PARTS.y_in))
    attack = QuantileAttack().fit(meter, object(), STRANGERS)
    assert meter.n_queries == 75
    scores = attack.score_samples(X[:10], Y[:10])
    assert meter.n_queries == 85
    assert attack.score_samples(X[3:4], Y[3:4])[0] == pytest.approx(scores[3])
    assert "other records of the population; they do not know the model's type" in str(attack.threat_model)


def test_the_negative_control():
    table = run_trials(make("knn-lookup"), X, Y, {"q": QuantileAttack()}, n_trials=25, n_others=50, null=True)
    assert abs(table["auc_q"].mean() - 0.5) < 4 * table["auc_q"].std() / 5
    leak = run_trials(make("knn-lookup"), X, Y, {"q": QuantileAttack()}, n_trials=5, n_members=50, n_others=50)
    assert leak["auc_q"].mean() > 0.8


def test_trials_give_it_the_records_that_were_set_aside():
    seen = []

    class Spy(QuantileAttack):
        def fit(self, target, shadows=None, strangers=None):
            seen.append((strangers, shadows))
            return super().fit(target, shadows, strangers)

        def score_samples(self, X, y, index=None):
            seen[-1] += (X,)
            return super().score_samples(X, y, index)

    rows = np.column_stack([X, np.arange(150)])
    run_trials(make("one-nn"), rows, Y, {"spy": Spy()}, n_members=50, n_others=40, n_trials=1, shadows=2)
    (others, labels), shadows, candidates = seen[0]
    assert len(others) == 40 and len(candidates) == 110
    assert not set(others[:, 4]) & set(candidates[:, 4])
    assert (labels == Y[others[:, 4].astype(int)]).all() and (shadows.X == others).all()


def test_where_nobody_was_set_aside_it_says_so():
    with pytest.raises(ValueError, match=r"strangers is NoneType; a QuantileAttack.*set n_others"):
        run_trials(make("one-nn"), X, Y, {"q": QuantileAttack()}, n_trials=1)
    shadows = train_shadows(make("one-nn"), X, Y, n_shadows=4, random_state=0)
    with pytest.raises(ValueError, match=r"strangers is NoneType"):
        attack_each(shadows, {"q": QuantileAttack()})


def test_columns_of_text_are_categories_to_it():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"colour": rng.choice(["red", "blue"], 200), "size": rng.normal(size=200)})
    labels = (frame["size"] > 0).to_numpy().astype(int)
    target = make_pipeline(
        ColumnTransformer([("text", OneHotEncoder(), ["colour"]), ("number", "passthrough", ["size"])]),
        KNeighborsClassifier(5),
    ).fit(frame[:100], labels[:100])
    attack = QuantileAttack().fit(target, strangers=(frame[100:], labels[100:]))
    scores = attack.score_samples(frame[:100], labels[:100])
    assert np.isfinite(scores).all()
    assert attack.score_samples(frame[:1], labels[:1])[0] == pytest.approx(scores[0])  # one colour alone


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: QuantileAttack(0), "fpr is 0"),
        (lambda: QuantileAttack(1.0), "fpr is 1.0"),
        (lambda: QuantileAttack(regressor=DummyRegressor), "regressor is <class"),
        (lambda: QuantileAttack(random_state=-1), "random_state is -1"),
        (lambda: QuantileAttack().fit(Says(), strangers=X), "strangers is ndarray"),
        (lambda: QuantileAttack().fit(Says(), strangers=([[0, 0.5]], [0])), "y holds 0, which the model does not know"),
        (lambda: QuantileAttack().score_samples(X, Y), "no target yet"),
    ],
)
def test_bad_input_is_refused(use, message):
    with pytest.raises(ValueError, match=message):
        use()
