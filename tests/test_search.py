"""Hill climbing follows the published algorithm, keeps to the ranges and the budget, and writes down every question."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mialab.blackbox import BudgetExhausted, QueryMeter, RemoteModel, serve
from mialab.data import load_iris
from mialab.nets import NetClassifier
from mialab.search import SMALLEST, Climb, climb
from mialab.targets import make

FLOWERS = load_iris()
LOW, HIGH = FLOWERS.X.min(axis=0), FLOWERS.X.max(axis=0)
NET = NetClassifier(epochs=100, random_state=0).fit(FLOWERS.X, FLOWERS.y)
SEEDS = st.integers(0, 2**32 - 1)
MANNERS = st.sampled_from(["large", "subtle"])


class Hill:
    """Two classes; class "top" grows likelier towards the middle of the unit cube, up to 1 there."""

    classes_ = np.array(["bottom", "top"])

    def __init__(self, d=3, digits=None, answer=None):
        self.n_features_in_, self.digits, self.answer, self.calls = d, digits, answer, []

    def predict_proba(self, X):
        self.calls.append(X.copy())
        top = 1 - np.abs(X - 0.5).max(axis=1) if self.answer is None else self.answer(X)
        top = top if self.digits is None else np.round(top, self.digits)
        return np.column_stack([1 - top, top])


def up(hill, **settings):
    d = hill.n_features_in_
    return climb(hill, "top", np.zeros(d), np.ones(d), **{"random_state": 0, **settings})


def assert_consistent(found: Climb, wanted, threshold, low, high):
    """What a climb says of its end is what its diary says."""
    assert found.n_queries == len(found.asked_X) == len(found.asked_by) == len(found.accepted) == found.n_asked.sum()
    assert ((found.asked_X >= low) & (found.asked_X <= high)).all()
    assert found.n_gave_up == np.sum(~found.arrived)
    for i in range(len(found.X)):
        mine = found.asked_by == i
        kept = found.accepted & mine
        assert (mine.sum(), kept.sum()) == (found.n_asked[i], found.n_accepted[i])
        np.testing.assert_array_equal(found.path(i), found.asked_X[kept])
        assert found.y[i] == wanted
        if not mine.any():
            assert np.isnan(found.confidence[i]) and not found.arrived[i]
            continue
        sure, accepted = found.asked_confidence[mine], found.accepted[mine]
        assert accepted[0]
        best_before = np.maximum.accumulate(sure)[:-1]
        np.testing.assert_array_equal(accepted[1:], sure[1:] >= best_before)
        assert found.confidence[i] == sure.max() == sure[accepted][-1]
        np.testing.assert_array_equal(found.X[i], found.path(i)[-1])
        assert (sure[:-1] < threshold).all() or not found.arrived[i]  # it stops where it arrives


@settings(deadline=None, max_examples=60)
@given(MANNERS, st.integers(1, 6), st.integers(1, 40), st.floats(0.5, 1), st.integers(0, 120), SEEDS)
def test_the_diary_tells_the_same_story_whatever_the_budget(manner, n_climbers, most, threshold, budget, seed):
    meter = QueryMeter(Hill(), budget)
    limits = {"threshold": threshold, "max_questions": most, "random_state": seed}
    found = up(meter, n_climbers=n_climbers, manner=manner, **limits)
    assert_consistent(found, "top", threshold, 0, 1)
    assert found.n_queries == meter.n_queries <= budget
    assert (found.n_asked <= most).all()
    assert (found.confidence[found.arrived] >= threshold).all()
    unfinished = ~found.arrived & (found.n_asked < most)
    assert found.out_of_budget == unfinished.any()
    assert not found.out_of_budget or meter.queries_left == 0


def test_no_budget_at_all_and_one_question():
    nothing = up(QueryMeter(Hill(), 0), n_climbers=3)
    assert (nothing.n_queries, nothing.asked_X.shape, nothing.path(0).shape) == (0, (0, 3), (0, 3))
    assert np.isnan(nothing.confidence).all() and nothing.out_of_budget
    assert repr(nothing) == "0 of 3 climbers arrived, 3 did not; 0 questions, 0 of them accepted; the budget ran out"
    one = up(QueryMeter(Hill(), 1), n_climbers=3)
    assert one.n_asked.tolist() == [1, 0, 0] and one.out_of_budget


def shokri(ask, d, patience, threshold, most, rng):
    """Algorithm 1 for one climber, a line at a time, less its last lot; how many measurements each question changed."""
    best, j, k, here = -1.0, 0, d, None
    record, changed = rng.random(d), []
    for _ in range(most):
        sure = ask(record)
        if sure >= best:
            here, best, j = record, sure, 0
            if sure >= threshold and sure > 0.5:
                return True, changed
        else:
            j += 1
            if j == patience:
                k, j = max(1, -(-k // 2)), 0
        record = here.copy()
        which = rng.choice(d, k, replace=False)
        record[which] = rng.random(k)
        changed.append(k)
    return False, changed


@pytest.mark.long
@pytest.mark.parametrize(("threshold", "patience"), [(0.8, 2), (0.9, 5)])
def test_as_many_questions_as_a_slow_loop_of_the_published_algorithm(threshold, patience):
    def ask(record):
        return 1 - np.abs(record - 0.5).max()

    rng = np.random.default_rng(1)
    slow = [shokri(ask, 4, patience, threshold, 200, rng) for _ in range(1500)]
    lengths = np.array([len(changed) + arrived for arrived, changed in slow])
    found = up(Hill(4), n_climbers=1500, patience=patience, threshold=threshold, max_questions=200)
    spread = np.sqrt(lengths.var() / 1500 + found.n_asked.var() / 1500)
    assert abs(found.n_asked.mean() - lengths.mean()) < 4 * spread
    assert abs(found.arrived.mean() - np.mean([arrived for arrived, _ in slow])) < 4 * np.sqrt(0.5 / 1500)
    assert lengths.mean() > 15  # so that the halving matters


@pytest.mark.parametrize("patience", [1, 3])
def test_halving_halves_the_number_of_measurements_that_change(patience):
    class Sinking(Hill):  # never so sure as at first: each further question is refused
        def predict_proba(self, X):
            self.calls.append(X.copy())
            top = np.full(len(X), 0.9 / len(self.calls))
            return np.column_stack([1 - top, top])

    hill = Sinking(9)
    found = up(hill, patience=patience, max_questions=1 + 7 * patience)
    changed = (found.asked_X[1:] != found.asked_X[0]).sum(axis=1)
    expected = [9, 5, 3, 2, 1, 1, 1]  # 9 / 2, 9 / 4, …, rounded up
    assert changed.tolist() == np.repeat(expected, patience).tolist()

    hill = Sinking(2000)
    found = up(
        hill,
        manner="subtle",
        step=0.01,
        start=np.full((1, 2000), 0.5),
        patience=patience,
        max_questions=1 + 9 * patience,
    )
    sizes = (found.asked_X[1:] - 0.5).std(axis=1) / 0.01
    halved = [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, SMALLEST, SMALLEST, SMALLEST]
    np.testing.assert_allclose(sizes, np.repeat(halved, patience), rtol=0.1)


def test_a_subtle_step_is_a_share_of_each_range():
    low, high = np.array([0.0, -100]), np.array([1.0, 100])
    found = climb(
        Hill(2, answer=lambda X: np.full(len(X), 0.1)),
        "top",
        low,
        high,
        manner="subtle",
        step=0.02,
        start=np.tile((low + high) / 2, (4000, 1)),
        n_climbers=4000,
        max_questions=2,
        random_state=0,
    )
    moves = found.asked_X[4000:] - found.asked_X[:4000]
    np.testing.assert_allclose(moves.std(axis=0), [0.02, 4], rtol=0.06)
    np.testing.assert_allclose(moves.mean(axis=0) / [0.02, 4], 0, atol=0.08)


@pytest.mark.parametrize("manner", ["large", "subtle"])
def test_a_plateau_is_crossed(manner):
    """The answer is flat but for one corner; a climber that refused equal answers would never leave its start."""
    hill = Hill(2, answer=lambda X: np.where((X > 0.8).all(axis=1), 1.0, 0.2))
    found = up(hill, manner=manner, start=np.full((20, 2), 0.1), n_climbers=20, patience=50, max_questions=2000)
    assert found.arrived.all() and (found.X > 0.8).all()
    assert found.n_asked.mean() > 5


def test_refusals_lead_back_to_the_best_place():
    found = up(Hill(3), manner="subtle", step=0.02, n_climbers=5, max_questions=60, threshold=1.0)
    for i in range(5):
        mine = found.asked_by == i
        asked, accepted = found.asked_X[mine], found.accepted[mine]
        here = asked[0]
        for record, kept in zip(asked[1:], accepted[1:], strict=True):
            assert np.abs(record - here).max() < 6 * 0.02
            here = record if kept else here


def test_all_climbers_ask_in_one_call_a_round():
    hill = Hill()
    found = up(hill, n_climbers=30, max_questions=25)
    assert len(hill.calls) == found.n_asked.max()
    assert [len(call) for call in hill.calls] == [(found.n_asked > i).sum() for i in range(len(hill.calls))]
    np.testing.assert_array_equal(np.concatenate(hill.calls), found.asked_X)


def test_to_arrive_takes_the_answer_as_well_as_the_threshold():
    class Second(Hill):
        classes_ = np.array(["bottom", "top", "other"])

        def predict_proba(self, X):
            return np.tile([0.1, 0.4, 0.5], (len(X), 1))

    assert not up(Second(), threshold=0.3, max_questions=5).arrived.any()
    assert climb(Second(), "other", [0] * 3, [1] * 3, threshold=0.5, random_state=0).n_asked.tolist() == [1]
    assert not climb(Second(), "other", [0] * 3, [1] * 3, threshold=0.51, max_questions=5).arrived.any()
    tie = Hill(answer=lambda X: np.full(len(X), 0.5))
    assert not up(tie, threshold=0.5, max_questions=5).arrived.any()  # of equal classes the first is the answer


@pytest.mark.parametrize("manner", ["large", "subtle"])
def test_on_iris_the_model_itself_confirms_where_each_climber_stands(manner):
    found = climb(NET, np.resize([0, 1, 2], 60), LOW, HIGH, manner=manner, random_state=3)
    assert found.arrived.mean() > 0.7
    proba = NET.predict_proba(found.X)
    np.testing.assert_allclose(found.confidence, proba[np.arange(60), found.y], rtol=1e-12)
    there = proba[found.arrived]
    np.testing.assert_array_equal(there.argmax(axis=1), found.y[found.arrived])
    assert (there.max(axis=1) >= 0.95).all()
    assert ((found.asked_X >= LOW) & (found.asked_X <= HIGH)).all()


FIELDS = "X y confidence arrived n_asked n_accepted asked_X asked_confidence asked_by accepted".split()


def assert_same(one, other):
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)
    assert one.out_of_budget == other.out_of_budget


@settings(deadline=None, max_examples=20)
@given(MANNERS, SEEDS)
def test_the_seed_decides(manner, seed):
    def found(seed):
        return up(Hill(), manner=manner, n_climbers=4, max_questions=20, random_state=seed)

    assert_same(found(seed), found(seed))
    assert not np.array_equal(found(seed).asked_X[:4], found(seed + 1).asked_X[:4])


@settings(deadline=None, max_examples=20)
@given(MANNERS, SEEDS, st.integers(1, 60))
def test_a_lone_climber_with_a_budget_goes_the_same_way_as_far_as_it_can(manner, seed, budget):
    free = up(Hill(), manner=manner, random_state=seed, max_questions=80, threshold=0.99)
    bound = up(QueryMeter(Hill(), budget), manner=manner, random_state=seed, max_questions=80, threshold=0.99)
    n = min(budget, free.n_queries)
    assert bound.n_queries == n
    np.testing.assert_array_equal(bound.asked_X, free.asked_X[:n])


# Over the service


@pytest.mark.parametrize(("model", "max_batch"), [(NET, 1000), (make("tree").fit(FLOWERS.X, FLOWERS.y), 5)])
def test_the_same_climb_over_the_service(model, max_batch):
    wanted = np.resize([0, 1, 2], 12)
    local = climb(model, wanted, LOW, HIGH, random_state=5)
    with serve(model, name="iris", max_batch=max_batch) as url:
        remote = RemoteModel(url)
        assert_same(climb(remote, wanted, LOW, HIGH, random_state=5), local)
        assert remote.n_queries == local.n_queries > 12


def test_a_budget_of_the_service_is_spent_to_the_last_question_and_no_further():
    wanted = np.resize([0, 1, 2], 12)
    with serve(NET, name="iris", keys={"alice": 37, "bob": 0, "carol": 1}) as url:
        for key, budget in {"alice": 37, "bob": 0, "carol": 1}.items():
            remote = RemoteModel(url, key=key)
            found = climb(remote, wanted, LOW, HIGH, threshold=1, random_state=5)
            assert found.n_queries == remote.n_queries == budget and remote.queries_left == 0
            assert found.out_of_budget
    assert_same(found, climb(QueryMeter(NET, 1), wanted, LOW, HIGH, threshold=1, random_state=5))


class Shared:
    """A remote model whose owner's other client asks, with the same key, between this one's look and its question."""

    def __init__(self, mine, other, n_each):
        self.mine, self.other, self.n_each, self.classes_ = mine, other, n_each, mine.classes_

    @property
    def queries_left(self):
        seen = self.mine.queries_left
        try:
            self.other.predict_proba(FLOWERS.X[: self.n_each])
        except BudgetExhausted:
            pass
        return seen

    def predict_proba(self, X):
        return self.mine.predict_proba(X)


@pytest.mark.long
@pytest.mark.parametrize("max_batch", [4, 100])
@pytest.mark.parametrize("budget", range(24, 31))
def test_a_budget_that_somebody_else_spends_too(max_batch, budget):
    with serve(NET, name="iris", keys={"alice": budget}, max_batch=max_batch) as url:
        mine, other = RemoteModel(url, key="alice"), RemoteModel(url, key="alice")
        found = climb(Shared(mine, other, 3), [0] * 11, LOW, HIGH, threshold=1, random_state=5)
        assert found.n_queries == mine.n_queries  # every answer that was paid for is in the diary
        assert found.out_of_budget and other.n_queries >= 3
        assert budget - 3 < mine.n_queries + other.n_queries <= budget
        assert_consistent(found, 0, 1, LOW, HIGH)


def test_a_model_that_never_says_how_many_are_left_ends_the_climb():
    class Silent(Hill):
        def predict_proba(self, X):
            if len(self.calls) == 3:
                raise BudgetExhausted("enough")
            return super().predict_proba(X)

    found = up(Silent(), n_climbers=4, threshold=1)
    assert found.out_of_budget and found.n_asked.tolist() == [3] * 4


@pytest.mark.long
@pytest.mark.parametrize("output", [{"output": "label"}, {"output": "rounded", "digits": 1}, {"output": "top-1"}])
def test_coarser_answers_are_climbed_too(output):
    with serve(NET, name="iris", **output) as url:
        found = climb(RemoteModel(url), np.resize([0, 1, 2], 9), LOW, HIGH, max_questions=300, random_state=0)
    assert found.arrived.all()
    np.testing.assert_array_equal(NET.predict(found.X), found.y)
    if output["output"] == "label":
        assert set(found.asked_confidence) <= {0.0, 1.0}


@pytest.mark.parametrize(("error", "when"), [(RuntimeError("on fire"), 0), (ConnectionError("no line"), 4)])
def test_a_model_that_fails_is_not_taken_for_a_spent_budget(error, when):
    class Failing(Hill):
        def predict_proba(self, X):
            if len(self.calls) == when:
                raise error
            return super().predict_proba(X)

    with pytest.raises(type(error), match=str(error)):
        up(Failing(), threshold=1)


def test_classes_in_any_order_and_one_wish_for_each_climber():
    species = np.array(FLOWERS.class_names)[FLOWERS.y]
    model = make("logistic").fit(FLOWERS.X, species)
    wanted = ["virginica", "setosa", "virginica", "versicolor"]
    found = climb(model, wanted, LOW, HIGH, threshold=0.6, random_state=0)
    assert found.y.tolist() == wanted and found.arrived.all()
    assert model.predict(found.X).tolist() == wanted
    one = climb(model, "setosa", LOW, HIGH, threshold=0.6, n_climbers=3, random_state=0)
    assert one.y.tolist() == ["setosa"] * 3
    for climber in (-1, 3, True, 1.0):
        with pytest.raises(ValueError, match="climber is"):
            one.path(climber)


def test_a_start_of_ones_own_is_the_first_question_and_stays_as_it_was():
    start = np.array([[0.1, 0.2, 0.3], [0.5, 0.5, 0.5]])
    kept = start.copy()
    found = up(Hill(), start=start, n_climbers=2, max_questions=9)
    np.testing.assert_array_equal(found.asked_X[:2], kept)
    np.testing.assert_array_equal(start, kept)
    assert found.n_asked[1] == 1 and found.arrived[1]


def test_a_range_of_no_width_stays():
    found = climb(Hill(), "top", [0.2, 0, 0], [0.2, 1, 1], random_state=0, max_questions=20)
    assert (found.asked_X[:, 0] == 0.2).all()


HILL, ZERO, ONE = Hill(), [0] * 3, [1] * 3


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((NetClassifier(), 0, LOW, HIGH), {}, "has no classes_; it should be a fitted classifier"),
        ((Hill, "top", ZERO, ONE), {}, "model is the class Hill"),
        ((HILL, "peak", ZERO, ONE), {}, r"target_class is 'peak', which the model does not know; it should be from \["),
        ((HILL, None, ZERO, ONE), {}, "target_class "),
        ((HILL, [], ZERO, ONE), {}, "target_class holds 0 labels"),
        ((HILL, ["top", 1], ZERO, ONE), {}, "target_class mixes numbers and strings"),
        ((HILL, [["top"], ["top", "top"]], ZERO, ONE), {}, "target_class "),
        ((HILL, ["top"] * 2, ZERO, ONE), {"n_climbers": 3}, "target_class holds 2 labels for 3 climbers"),
        ((HILL, "top", ZERO, ONE), {"n_climbers": 0}, "n_climbers is 0; it should be a whole number of 1 or more"),
        ((HILL, "top", [0] * 4, [1] * 4), {}, "low and high hold 4 numbers; the model was trained on 3 measurements"),
        ((HILL, "top", ZERO, [1] * 4), {}, r"low and high have shapes \(3,\) and \(4,\)"),
        ((HILL, "top", 0, 1), {}, r"low and high have shapes \(\) and \(\)"),
        ((HILL, "top", ZERO, [1, 1, np.inf]), {}, "low or high holds NaN or infinite values"),
        ((HILL, "top", [0, 2, 0], ONE), {}, r"low\[1\] is 2, above high\[1\], 1"),
        ((HILL, "top", ["a"] * 3, ONE), {}, "low holds str values such as 'a'"),
        ((HILL, "top", ZERO, ONE), {"manner": "big"}, "manner is 'big'; it should be one of 'large', 'subtle'"),
        ((HILL, "top", ZERO, ONE), {"threshold": 95}, "threshold is 95; it should be a number from 0 to 1"),
        ((HILL, "top", ZERO, ONE), {"step": -0.1}, "step is -0.1"),
        ((HILL, "top", ZERO, ONE), {"patience": 0}, "patience is 0"),
        ((HILL, "top", ZERO, ONE), {"max_questions": 0}, "max_questions is 0"),
        ((HILL, "top", ZERO, ONE), {"random_state": -1}, "random_state is -1"),
        ((HILL, "top", ZERO, ONE), {"start": [[0.5] * 3] * 2}, r"start has shape \(2, 3\); it should be \(1, 3\)"),
        ((HILL, "top", ZERO, ONE), {"start": [[0.5, 0.5, 2]]}, "start leaves the ranges"),
        ((HILL, "top", ZERO, ONE), {"start": [[0.5, 0.5, np.nan]]}, "start holds NaN"),
    ],
)
def test_bad_input_is_named(arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        climb(*arguments, **settings)
