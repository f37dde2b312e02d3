"""LiRA and RMIA: what their definitions say, in slow loops; known cases; 0.50 where there is nothing to find."""

import copy
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from mialab.attacks import RMIA, LiRA, ShadowAttack, ThresholdAttack
from mialab.blackbox import QueryMeter
from mialab.data import load_iris, split
from mialab.metrics import auc
from mialab.nets import NetClassifier
from mialab.shadows import Shadows, shadow_members, train_shadows
from mialab.targets import make
from mialab.trials import attack_each, run_trials, score_each

FLOWERS = load_iris()
X, Y = FLOWERS.X, FLOWERS.y
SEEDS = st.integers(0, 2**32 - 1)


class Oracle:
    """The record whose measurement is i gets row i of a table."""

    def __init__(self, table, classes):
        self.table, self.classes_ = np.asarray(table), np.asarray(classes)

    def predict_proba(self, X):
        return self.table[np.asarray(X)[:, 0].astype(int)]


def made_up(rng, kind="plain", n=24, n_classes=3, n_shadows=8, order=None):
    """A target and shadows with answers at random: plain, with many ties, or all but constant."""
    y = np.arange(n) % n_classes
    in_mask = shadow_members(y, n_shadows, n // 2, rng)

    def answers(*shape):
        if kind == "constant":
            return np.full((*shape, n_classes), 1 / n_classes)
        if kind == "ties":
            return np.eye(n_classes)[rng.integers(n_classes, size=shape)]
        return rng.dirichlet(np.ones(n_classes), shape)

    order = np.arange(n_classes) if order is None else order
    target = Oracle(answers(n)[:, order], np.arange(n_classes)[order])
    outsiders = [Oracle(answers(2 * n), np.arange(n_classes)) for _ in range(n_shadows)]
    proba = np.stack([model.table[:n] for model in outsiders])
    return target, Shadows(np.arange(float(n))[:, None], y, in_mask, proba, np.arange(n_classes), outsiders)


def own_confidence(target, i, label):
    return float(target.predict_proba([[i]])[0][list(target.classes_).index(label)])


def odds(p):
    p = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


def lira_by_loops(target, shadows, online, variance):
    scores = []
    every = {True: [], False: []}  # deviations from each record's own mean, for the fixed variance
    groups = []
    for i, label in enumerate(shadows.y):
        values = {True: [], False: []}
        for k in range(len(shadows)):
            values[bool(shadows.in_mask[k, i])].append(odds(shadows.proba[k, i, label]))
        groups.append(values)
        for side in (True, False):
            mean = sum(values[side]) / len(values[side])
            every[side] += [value - mean for value in values[side]]
    pooled = {side: math.sqrt(sum(d * d for d in every[side]) / len(every[side])) for side in every}
    for i, label in enumerate(shadows.y):
        own, bell = odds(own_confidence(target, i, label)), {}
        for side, values in groups[i].items():
            sd = pooled[side] if variance == "fixed" else float(np.std(values))
            bell[side] = norm(sum(values) / len(values), max(sd, 0.01))
        if online:
            scores.append(bell[True].logpdf(own) - bell[False].logpdf(own))
        else:
            scores.append((own - bell[False].mean()) / bell[False].std())
    return np.array(scores)


def rmia_by_loops(target, shadows, online, gamma, a, population=None):
    def relative(i, label):
        sides = {True: [], False: []}
        for k in range(len(shadows)):
            inside = i < len(shadows.y) and shadows.in_mask[k, i]
            sides[bool(inside)].append(float(shadows.models[k].table[i][label]))
        out = sum(sides[False]) / len(sides[False])
        usual = ((1 + a) * out + 1 - a) / 2
        if online and sides[True]:
            usual = (sum(sides[True]) / len(sides[True]) + out) / 2
        return max(own_confidence(target, i, label), 1e-6) / max(usual, 1e-6)

    others = [relative(i, label) for i, label in population or list(enumerate(shadows.y))]
    scores = []
    for i, label in enumerate(shadows.y):
        mine = relative(i, label)
        equal = [math.isclose(mine, gamma * other, rel_tol=1e-8) for other in others]
        more = [mine > gamma * other and not tie for other, tie in zip(others, equal, strict=True)]
        scores.append((sum(more) + sum(equal) / 2) / len(others))
    return np.array(scores)


@pytest.mark.long
@settings(deadline=None, max_examples=25)
@given(SEEDS, st.sampled_from(["plain", "ties", "constant"]), st.booleans(), st.sampled_from(["record", "fixed"]))
def test_lira_is_its_slow_definition(seed, kind, online, variance):
    rng = np.random.default_rng(seed)
    target, shadows = made_up(rng, kind, order=rng.permutation(3))
    scores = LiRA(online, variance).fit(target, shadows).score_samples(shadows.X, shadows.y)
    expected = lira_by_loops(target, shadows, online, variance)
    assert scores == pytest.approx(expected, rel=1e-6, abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.sampled_from(["plain", "ties", "constant"]), st.booleans(), st.sampled_from([1.0, 2.0]))
def test_rmia_is_its_slow_definition(seed, kind, online, gamma):
    rng = np.random.default_rng(seed)
    target, shadows = made_up(rng, kind, order=rng.permutation(3))
    a = float(rng.choice([0.0, 0.3, 1.0]))
    scores = RMIA(online, gamma, a).fit(target, shadows).score_samples(shadows.X, shadows.y)
    assert scores == pytest.approx(rmia_by_loops(target, shadows, online, gamma, a), abs=1e-9)


@settings(deadline=None, max_examples=15)
@given(SEEDS, st.booleans())
def test_rmia_compares_with_the_population_that_it_is_given(seed, online):
    rng = np.random.default_rng(seed)
    target, shadows = made_up(rng)
    target.table = np.vstack([target.table, rng.dirichlet(np.ones(3), 24)])
    rows, labels = np.arange(20, 40), rng.integers(3, size=20)  # four of the pool (if so labelled), the rest new
    labels[:4] = shadows.y[20:24]
    scores = RMIA(online).fit(target, shadows, population=(rows[:, None], labels)).score_samples(shadows.X, shadows.y)
    population = list(zip(rows.tolist(), labels.tolist(), strict=True))
    assert scores == pytest.approx(rmia_by_loops(target, shadows, online, 1.0, 0.3, population), abs=1e-9)


# Published definitions on cases with known answers


def one_record(own, inside, outside):
    """A target and shadows whose confidence in record 0 is as told; record 1 is there to be another class."""
    in_mask = np.array([[True, False]] * len(inside) + [[False, True]] * len(outside))
    p = np.array([*inside, *outside])
    proba = np.stack([np.column_stack([p, 1 - p]), np.full((len(p), 2), 0.5)], axis=1)
    target = Oracle([[own, 1 - own], [0.5, 0.5]], [0, 1])
    return target, Shadows(
        np.array([[0.0], [1.0]]), np.array([0, 1]), in_mask, proba, np.array([0, 1]), [None] * len(p)
    )


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x)))


def test_lira_crosses_zero_half_way_between_two_equal_bells():
    """Log-odds 1 and 3 with the record, -3 and -1 without: means 2 and -2, deviation 1, and 4x for the log ratio."""
    for own in (-2.0, 0.0, 0.5, 2.0):
        case = one_record(sigmoid(own), sigmoid([1.0, 3.0]), sigmoid([-3.0, -1.0]))
        score = LiRA().fit(*case).score_samples([[0.0]], [0])
        assert score == pytest.approx([4 * own])


def test_offline_lira_orders_records_as_the_papers_one_sided_probability():
    rng = np.random.default_rng(0)
    target, shadows = made_up(rng)
    scores = LiRA(online=False).fit(target, shadows).score_samples(shadows.X, shadows.y)
    probability = []
    for i, label in enumerate(shadows.y):
        out = [odds(shadows.proba[k, i, label]) for k in range(len(shadows)) if not shadows.in_mask[k, i]]
        probability.append(1 - norm.sf(odds(own_confidence(target, i, label)), np.mean(out), np.std(out)))
    assert (np.argsort(scores) == np.argsort(probability)).all()


def test_rmia_by_hand():
    """Own .8, usual (.6 + .2) / 2 = .4: twice as sure as usual; offline with a = .5: (1.5 · .2 + .5) / 2 = .4 too."""
    case = one_record(0.8, [0.5, 0.7], [0.1, 0.3])
    for attack in (RMIA(), RMIA(online=False, offline_a=0.5)):
        assert np.exp(attack.fit(*case)._relative(*attack._read([[0.0]], [0], None))) == pytest.approx([2.0])
    # the population is the pool: record 1 is as sure as usual, record 0 equals itself
    assert RMIA().fit(*case).score_samples([[0.0]], [0]) == pytest.approx([0.75])
    assert RMIA(gamma=2.0).fit(*case).score_samples([[0.0]], [0]) == pytest.approx([0.25])
    assert RMIA(gamma=3.0).fit(*case).score_samples([[0.0]], [0]) == pytest.approx([0.0])


@pytest.mark.parametrize(("a", "usual"), [(0.0, 0.6), (0.3, 0.48), (1.0, 0.2)])
def test_the_offline_estimate_of_the_usual_confidence(a, usual):
    case = one_record(0.8, [0.5, 0.7], [0.1, 0.3])
    if a == 0.3:
        usual = (1.3 * 0.2 + 0.7) / 2
    attack = RMIA(online=False, offline_a=a).fit(*case)
    assert np.exp(attack._relative(*attack._read([[0.0]], [0], None))) == pytest.approx([0.8 / usual])


def test_with_gamma_one_the_population_changes_no_ranking():
    rng = np.random.default_rng(1)
    target, shadows = made_up(rng, n=60)
    chosen = rng.permutation(60)[:30]
    whole = RMIA().fit(target, shadows).score_samples(shadows.X, shadows.y)
    part = RMIA().fit(target, shadows, (shadows.X[chosen], shadows.y[chosen])).score_samples(shadows.X, shadows.y)
    assert (np.diff(part[np.argsort(whole)]) >= 0).all()


# Nothing to find


CONTROLS = {
    "look-up": make("knn-lookup"),
    "tree": make("tree"),
    "stump": DecisionTreeClassifier(max_depth=1, random_state=0),
    "one-nn": make("one-nn"),
    "forest": RandomForestClassifier(5, random_state=0),
    "net": NetClassifier(hidden=8, epochs=60),
    "all but constant": LogisticRegression(C=1e-6),
    "constant": DummyClassifier(strategy="prior"),
}
VARIANTS = {
    "LiRA": LiRA(),
    "LiRA fixed": LiRA(variance="fixed"),
    "LiRA offline": LiRA(online=False),
    "LiRA offline fixed": LiRA(online=False, variance="fixed"),
    "RMIA": RMIA(),
    "RMIA offline": RMIA(online=False),
    "RMIA gamma 2": RMIA(gamma=2.0),
}


@pytest.mark.long
@pytest.mark.parametrize("name", CONTROLS)
def test_the_negative_control(name):
    """Members declared after training: every variant is at 0.50, within four standard errors over 120 declarations."""
    areas = {variant: [] for variant in VARIANTS}
    for seed in range(6):
        shadows = train_shadows(CONTROLS[name], X, Y, n_shadows=16, random_state=seed)
        scores = {variant: score_each(shadows, attack, n_targets=1)[0] for variant, attack in VARIANTS.items()}
        for lot in range(20):
            declared = split(np.arange(150)[:, None], Y, 75, 1000 * seed + lot).is_member
            for variant in VARIANTS:
                areas[variant].append(auc(scores[variant], declared))
    for variant, values in areas.items():
        error = max(np.std(values) / np.sqrt(len(values)), 1e-9)
        assert abs(np.mean(values) - 0.5) < 4 * error, variant


@pytest.mark.long
def test_the_negative_control_through_run_trials():
    table = run_trials(make("tree"), X, Y, VARIANTS, shadows=8, n_trials=60, null=True)
    for variant in VARIANTS:
        values = table[f"auc_{variant}"]
        assert abs(values.mean() - 0.5) < 4 * values.std() / np.sqrt(60), variant


@pytest.mark.long
def test_comparing_with_the_declared_strangers_tells_nothing_and_the_tempting_variants_do():
    """The auditor's setting: strangers are the population and candidates too. On a tree nearly all records tie."""
    areas = {"ours": [], "at least, itself included": [], "at least, itself left out": []}
    for seed in range(30):
        shadows = train_shadows(make("tree"), X, Y, n_shadows=9, random_state=seed)
        declared = split(np.arange(150)[:, None], Y, 75, seed).is_member
        strangers = (X[~declared], Y[~declared])
        attack = RMIA().fit(shadows.models[0], shadows.besides(0), strangers)
        areas["ours"].append(auc(attack.score_samples(X, Y), declared))
        relative = attack._relative(*attack._read(X, Y, np.arange(150)))
        at_least = (relative[:, None] >= relative[~declared]).sum(axis=1).astype(float)
        areas["at least, itself included"].append(auc(at_least / 75, declared))
        areas["at least, itself left out"].append(auc(np.where(declared, at_least / 75, (at_least - 1) / 74), declared))
    mean = {name: np.mean(values) for name, values in areas.items()}
    assert abs(mean["ours"] - 0.5) < 4 * np.std(areas["ours"]) / np.sqrt(30)
    assert mean["at least, itself left out"] > 0.7


# What they find


@pytest.mark.long
def test_calibration_beats_one_threshold_and_more_knowledge_does_not_hurt():
    shadows = train_shadows(make("forest-random"), X, Y, n_shadows=32, random_state=0)
    attacks = {"threshold": ThresholdAttack(), "LiRA": LiRA(), "RMIA": RMIA(), "RMIA offline": RMIA(online=False)}
    table = attack_each(shadows, attacks).mean()
    assert table["auc_RMIA"] > table["auc_threshold"] + 0.02
    assert table["auc_RMIA offline"] > table["auc_threshold"] + 0.02
    assert 0.68 < table["auc_RMIA"] < 0.82


# Which record is meant


def test_of_twins_the_first_is_meant_unless_the_row_is_given():
    shadows = train_shadows(NetClassifier(hidden=8, epochs=60), X, Y, n_shadows=16, random_state=0)
    assert (X[101] == X[142]).all()
    target, twins = shadows.models[0], X[[101, 142]]
    for attack in (LiRA(), RMIA()):
        attack.fit(target, shadows.besides(0))
        plain = attack.score_samples(twins, [2, 2])
        told_apart = attack.score_samples(twins, [2, 2], index=[101, 142])
        assert plain[0] == pytest.approx(plain[1]) == told_apart[0]
        assert isinstance(attack, RMIA) or told_apart[0] != pytest.approx(told_apart[1])


@pytest.mark.long
@pytest.mark.parametrize("attack", [LiRA(False), LiRA(False, "fixed"), RMIA(False)], ids=repr)
def test_records_outside_the_pool_are_rated_offline(attack):
    parts = split(X, Y, 75, 0)
    target = LogisticRegression(max_iter=500).fit(parts.X_in[::2], parts.y_in[::2])
    shadows = train_shadows(LogisticRegression(max_iter=500), parts.X_out, parts.y_out, 8, random_state=0)
    scores = copy.copy(attack).fit(target, shadows).score_samples(parts.X_in, parts.y_in)
    assert np.isfinite(scores).all()
    own = target.predict_proba(parts.X_in[:1])[0, parts.y_in[0]]
    theirs = [model.predict_proba(parts.X_in[:1])[0, parts.y_in[0]] for model in shadows.models]
    if repr(attack) == repr(LiRA(False)):
        out = [odds(p) for p in theirs]
        assert scores[0] == pytest.approx((odds(own) - np.mean(out)) / np.std(out))
    online = RMIA() if isinstance(attack, RMIA) else LiRA()
    with pytest.raises(ValueError, match=r"record 0 of X was a member of 0 of the 8 shadows.*online=False"):
        online.fit(target, shadows).score_samples(parts.X_in[:1], parts.y_in[:1])


@pytest.mark.parametrize("attack", [LiRA(), LiRA(variance="fixed"), LiRA(False), RMIA(), RMIA(False)], ids=repr)
def test_a_score_does_not_depend_on_the_other_candidates(attack):
    target, shadows = made_up(np.random.default_rng(3))
    attack = copy.copy(attack).fit(target, shadows)
    together = attack.score_samples(shadows.X, shadows.y)
    alone = [attack.score_samples(shadows.X[[i]], shadows.y[[i]])[0] for i in (7, 2, 20)]
    assert alone == pytest.approx(together[[7, 2, 20]].tolist())


def test_the_questions_that_are_asked():
    shadows = train_shadows(make("tree"), X, Y, n_shadows=8, random_state=0)
    for attack, in_fit in ((LiRA(), 0), (LiRA(online=False), 0), (RMIA(), 150)):
        meter = QueryMeter(make("tree").fit(X[::2], Y[::2]))
        attack.fit(meter, shadows)
        assert meter.n_queries == in_fit
        attack.score_samples(X[:40], Y[:40])
        assert meter.n_queries == in_fit + 40


def test_frames_and_labels_of_text_mean_what_arrays_and_numbers_do():
    names, frame = np.array(FLOWERS.class_names)[Y], pd.DataFrame(X, columns=list("abcd"))
    scores = []
    for records, labels in ((X, Y), (frame, names)):
        shadows = train_shadows(make("tree"), records, labels, n_shadows=8, random_state=0)
        target = make("tree").fit(records[::2], labels[::2])
        scores.append([attack.fit(target, shadows).score_samples(records, labels) for attack in (LiRA(), RMIA())])
    assert np.allclose(scores[0], scores[1])


def test_shadows_besides_one_are_balanced_for_every_record():
    shadows = train_shadows(make("tree"), X, Y, n_shadows=10, random_state=0)
    for k in (0, 3, 9):
        others = shadows.besides(k)
        assert len(others) == len(others.models) == 8
        assert (others.in_mask.sum(axis=0) == 4).all()
        kept = [j for j in range(10) if j // 2 != k // 2]
        assert (others.proba == shadows.proba[kept]).all()
        assert all(
            mine is theirs for mine, theirs in zip(others.models, [shadows.models[j] for j in kept], strict=True)
        )
    nets = train_shadows(NetClassifier(hidden=4, epochs=20), X, Y, n_shadows=5, random_state=0)
    assert np.allclose(nets.besides(4).predict_proba(X), nets.proba[:4])
    with pytest.raises(ValueError, match="k is 5"):
        nets.besides(5)
    with pytest.raises(ValueError, match="at least 3"):
        train_shadows(make("tree"), X, Y, n_shadows=2, random_state=0).besides(0)


def test_each_shadow_in_turn_is_a_loop_over_targets():
    shadows = train_shadows(make("tree"), X, Y, n_shadows=6, random_state=0)
    table = attack_each(shadows, {"RMIA": RMIA(), "threshold": ThresholdAttack()}, n_targets=3)
    assert list(table.index) == [0, 1, 2]
    for k, row in table.iterrows():
        target, member = shadows.models[k], shadows.in_mask[k]
        scores = RMIA().fit(target, shadows.besides(k)).score_samples(X, Y, index=np.arange(150))
        assert row["auc_RMIA"] == auc(scores, member)
        assert row["auc_threshold"] == auc(target.predict_proba(X)[np.arange(150), Y], member)
        assert row["test_accuracy"] == pytest.approx(target.score(X[~member], Y[~member]))
    assert (score_each(shadows, RMIA(), n_targets=3)[2] == scores).all()
    with pytest.raises(ValueError, match="n_targets is 7"):
        attack_each(shadows, n_targets=7)


# Bad input


@pytest.mark.parametrize(
    ("make_attack", "message"),
    [
        (lambda: LiRA(online="yes"), "online is 'yes'"),
        (lambda: LiRA(variance="global"), "variance is 'global'"),
        (lambda: RMIA(gamma=0.5), "gamma is 0.5"),
        (lambda: RMIA(gamma=True), "gamma is True"),
        (lambda: RMIA(offline_a=1.5), "offline_a is 1.5"),
    ],
)
def test_bad_settings_are_refused(make_attack, message):
    with pytest.raises(ValueError, match=message):
        make_attack()


@pytest.mark.parametrize("attack", [LiRA(), RMIA(), ShadowAttack()], ids=repr)
def test_bad_shadows_and_records_are_refused(attack):
    target, shadows = made_up(np.random.default_rng(0))
    with pytest.raises(ValueError, match="no target yet"):
        copy.copy(attack).score_samples([[0.0]], [0])
    with pytest.raises(ValueError, match=r"shadows is NoneType.*train_shadows"):
        copy.copy(attack).fit(target)
    with pytest.raises(ValueError, match="shadows know the classes"):
        copy.copy(attack).fit(Oracle(target.table, [0, 1, 9]), shadows)
    attack = copy.copy(attack).fit(target, shadows)
    with pytest.raises(ValueError, match="which the model does not know"):
        attack.score_samples([[0.0]], [7])
    with pytest.raises(ValueError, match="NaN"):
        attack.score_samples([[np.nan]], [0])


def test_bad_rows_and_populations_are_refused():
    target, shadows = made_up(np.random.default_rng(0))
    for attack in (LiRA().fit(target, shadows), RMIA().fit(target, shadows)):
        for index in ([1, 0], [0], [0, 1, 2]):
            with pytest.raises(ValueError, match="index names rows"):
                attack.score_samples(shadows.X[:2], shadows.y[:2], index=index)
        with pytest.raises(ValueError, match="index is 99"):
            attack.score_samples(shadows.X[:2], shadows.y[:2], index=[0, 99])
    for population in (shadows.X, (shadows.X,), 3):
        with pytest.raises(ValueError, match="population is"):
            RMIA().fit(target, shadows, population)
    few = Shadows(shadows.X, shadows.y, np.ones_like(shadows.in_mask), shadows.proba, shadows.classes_, shadows.models)
    with pytest.raises(ValueError, match=r"record 0 of X was no member of 0 of the 8 shadows.*without it"):
        LiRA(online=False).fit(target, few).score_samples(shadows.X, shadows.y)
