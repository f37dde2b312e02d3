"""The label-only attack: a share of labels kept, as many questions as it says, and no need of confidences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from mialab.attacks import LabelOnlyAttack, ThresholdAttack
from mialab.blackbox import QueryMeter, RemoteModel, serve
from mialab.data import load_iris, split, wrong_labels
from mialab.metrics import auc
from mialab.shadows import train_shadows
from mialab.targets import make
from mialab.trials import attack_each, run_trials

FLOWERS = load_iris()
X, Y = FLOWERS.X, FLOWERS.y


def plain(*settings, **more):
    """The attack as published, which takes no shadows."""
    return LabelOnlyAttack(*settings, calibrated=False, **more)


class Step:
    """Class 1 where the first measurement is above 0, else class 0."""

    classes_ = np.array([0, 1])

    def predict_proba(self, X):
        above = np.asarray(X)[:, 0] > 0
        return np.column_stack([~above, above]).astype(float)


class OneHot:
    """A model that answers with its label only."""

    def __init__(self, model):
        self.model, self.classes_ = model, model.classes_

    def predict_proba(self, X):
        answers = self.model.predict_proba(X)
        return np.eye(answers.shape[1])[answers.argmax(axis=1)]


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
def test_the_share_kept_is_the_normal_probability_of_staying_on_one_side(noise):
    distance = np.array([-2.0, -0.5, 0.3, 1.0, 3.0])[:, None]
    attack = plain(noise, n_questions=4000).fit(Step())
    kept = attack.score_samples(distance, np.ones(5, dtype=int))
    expected = norm.cdf(distance[:, 0] / noise)
    assert (np.abs(kept - expected) < 5 * np.sqrt(expected * (1 - expected) / 4000) + 1 / 4000).all()


def test_noise_may_differ_by_measurement():
    """Noise in the second measurement, at which the model never looks, changes nothing."""
    records = np.array([[0.1, 5.0], [-0.1, 5.0]])
    assert plain([0.0, 9.0]).fit(Step()).score_samples(records, [1, 1]).tolist() == [1.0, 0.0]
    mixed = plain([1.0, 0.0]).fit(Step()).score_samples(records, [1, 1])
    assert ((mixed > 0.2) & (mixed < 0.8)).all()


def test_one_question_asks_was_it_right():
    model = make("tree").fit(X[::2], Y[::2])
    scores = plain(0.5, n_questions=1).fit(model).score_samples(X, Y)
    assert (scores == ThresholdAttack("correct").fit(model).score_samples(X, Y)).all()


def slowly(model, X, y, noise, n_questions, seed):
    """The definition, one record and one copy at a time."""
    shakes = np.random.default_rng(seed).normal(size=(n_questions, X.shape[1])) * noise
    shakes[0] = 0
    kept = []
    for record, label in zip(X, y, strict=True):
        answers = [model.classes_[model.predict_proba([record + shake])[0].argmax()] for shake in shakes]
        kept.append(sum(answer == label for answer in answers) / n_questions)
    return kept


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.floats(0, 2))
def test_the_scores_are_those_of_a_plain_loop_whatever_stands_beside_a_record(seed, n_questions, noise):
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(150)[:6]
    model = LogisticRegression(max_iter=200).fit(X[1::3], Y[1::3])
    attack = plain(noise, n_questions, random_state=seed).fit(model)
    scores = attack.score_samples(X[chosen], Y[chosen])
    assert scores.tolist() == pytest.approx(slowly(model, X[chosen], Y[chosen], noise, n_questions, seed))
    assert attack.score_samples(X[chosen[:1]], Y[chosen[:1]])[0] == scores[0]


def test_many_copies_are_asked_in_several_requests(monkeypatch):
    from mialab.attacks import _shaken

    model = make("one-nn").fit(X[::2], Y[::2])
    attack = plain(0.3, n_questions=30).fit(model)
    at_once = attack.score_samples(X, Y)
    monkeypatch.setattr(_shaken, "ROWS_AT_ONCE", 400)  # two copies of all records a time
    assert (attack.score_samples(X, Y) == at_once).all()
    monkeypatch.setattr(_shaken, "ROWS_AT_ONCE", 1)
    assert (attack.score_samples(X[:5], Y[:5]) == at_once[:5]).all()


def test_labels_are_all_that_it_reads_and_it_counts_its_questions():
    model = make("forest").fit(X[::2], Y[::2])
    attack = plain(0.3, n_questions=7)
    expected = attack.fit(model).score_samples(X[:20], Y[:20])
    meter = QueryMeter(OneHot(model))
    assert (attack.fit(meter).score_samples(X[:20], Y[:20]) == expected).all()
    assert meter.n_queries == 7 * 20
    with serve(model, name="iris", output="label") as url:
        remote = RemoteModel(url, name="iris")
        assert (attack.fit(remote).score_samples(X[:20], Y[:20]) == expected).all()
        assert remote.n_queries == 7 * 20


@pytest.mark.long
def test_the_noise_is_learnt_on_the_shadows_and_the_target_is_not_asked():
    shadows = train_shadows(make("one-nn"), X, Y, n_shadows=8, random_state=0)
    meter = QueryMeter(make("one-nn").fit(X[::2], Y[::2]))
    attack = LabelOnlyAttack().fit(meter, shadows)
    assert meter.n_queries == 0
    ratio = attack.noise_ / X.std(axis=0)
    assert ratio == pytest.approx(np.full(4, ratio[0]))
    assert 0 < ratio[0] <= 1
    told_apart = {}
    for scale in (0.02, ratio[0], 1.0):  # by the full attack, over the shadows that it may learn from
        attack = plain(scale * X.std(axis=0), n_questions=20)
        areas = [
            auc(attack.fit(m).score_samples(X, Y), s) for m, s in zip(shadows.models, shadows.in_mask, strict=True)
        ]
        told_apart[scale] = np.mean(areas)
    assert told_apart[ratio[0]] == max(told_apart.values())


@pytest.mark.long
def test_it_beats_was_it_right_on_the_nearest_neighbour():
    shadows = train_shadows(make("one-nn"), X, Y, n_shadows=16, random_state=1)
    table = attack_each(shadows, {"label": plain(n_questions=40), "right": ThresholdAttack("correct")})
    difference = table["auc_label"] - table["auc_right"]
    assert difference.mean() > 3 * difference.std() / 4
    assert difference.mean() > 0.005


def test_calibrated_it_is_the_share_less_the_mean_over_shadows(capsys):
    shadows = train_shadows(make("tree"), X, Y, n_shadows=20, random_state=0)
    target = make("tree").fit(X[::2], Y[::2])
    attack = LabelOnlyAttack(0.3, n_questions=9, progress=True).fit(target, shadows)
    usual = [plain(0.3, 9).fit(model).score_samples(X, Y) for model in shadows.models[:16]]
    kept = plain(0.3, 9).fit(target).score_samples(X, Y)
    assert attack.score_samples(X, Y) == pytest.approx(kept - np.mean(usual, axis=0))
    assert capsys.readouterr().err.endswith("17 of 17 models asked\n")
    meter = QueryMeter(target)
    attack.fit(meter, shadows).score_samples(X[:10], Y[:10])
    assert meter.n_queries == 90


@pytest.mark.long
def test_calibration_puts_it_ahead_of_was_it_right_on_trees_with_wrong_labels():
    recorded = wrong_labels(Y, 0.2, random_state=0)
    shadows = train_shadows(make("tree"), X, recorded, n_shadows=18, random_state=0)
    attacks = {"label": LabelOnlyAttack(n_questions=30), "plain": plain(n_questions=30)}
    table = attack_each(shadows, attacks | {"right": ThresholdAttack("correct")}, n_targets=8)
    gain = table["auc_label"] - table[["auc_right", "auc_plain"]].max(axis=1)
    assert gain.mean() > 0.03
    assert gain.min() > -0.05


@pytest.mark.long
def test_the_negative_control_when_calibrated():
    table = run_trials(make("tree"), X, Y, {"label": LabelOnlyAttack(0.3, 15)}, shadows=8, n_trials=60, null=True)
    values = table["auc_label"]
    assert abs(values.mean() - 0.5) < 4 * values.std() / np.sqrt(60)


@pytest.mark.long
@pytest.mark.parametrize("name", ["tree", "one-nn", "logistic"])
def test_the_negative_control(name):
    table = run_trials(make(name), X, Y, {"label": plain(0.3, 15)}, n_trials=80, null=True)
    values = table["auc_label"]
    assert abs(values.mean() - 0.5) < 4 * values.std() / np.sqrt(80)


def test_what_the_attacker_knows():
    assert "not its confidences" in str(plain(0.1).threat_model)
    assert "do not know the model's type" in str(plain(0.1).threat_model)
    for attack in (LabelOnlyAttack(), LabelOnlyAttack(0.1), plain()):
        assert "the training procedure" in str(attack.threat_model).split("does not")[0]
    assert "read its confidences" in str(ThresholdAttack().threat_model)


@pytest.mark.parametrize(
    ("make_attack", "message"),
    [
        (lambda: LabelOnlyAttack(-0.1), "noise is -0.1"),
        (lambda: LabelOnlyAttack([[0.1]]), "noise is"),
        (lambda: LabelOnlyAttack(float("nan")), "noise is nan"),
        (lambda: LabelOnlyAttack("much"), "noise holds"),
        (lambda: LabelOnlyAttack(0.1, n_questions=0), "n_questions is 0"),
        (lambda: LabelOnlyAttack(0.1, random_state=-1), "random_state is -1"),
        (lambda: LabelOnlyAttack(0.1).fit(Step()), r"shadows is NoneType.*calibrates"),
        (lambda: plain().fit(Step()), r"shadows is NoneType.*no noise"),
        (lambda: LabelOnlyAttack(0.1, calibrated=1), "calibrated is 1"),
        (lambda: LabelOnlyAttack(0.1).score_samples([[0.0]], [0]), "no target yet"),
        (lambda: plain([0.1, 0.2]).fit(Step()).score_samples([[0.0]], [0]), "noise holds 2 numbers"),
        (lambda: plain(0.1).fit(Step()).score_samples([[0.0]], [5]), "does not know"),
    ],
)
def test_bad_input_is_refused(make_attack, message):
    with pytest.raises(ValueError, match=message):
        make_attack()


def test_members_of_a_look_up_are_steadier():
    parts = split(X, Y, 75, 3)
    model = make("one-nn").fit(parts.X_in, parts.y_in)
    assert auc(plain(0.1).fit(model).score_samples(parts.X, parts.y), parts.is_member) > 0.5


def test_offline_it_calibrates_on_shadows_without_the_record_alone():
    shadows = train_shadows(make("tree"), X, Y, n_shadows=6, random_state=0)
    target, rows = make("tree").fit(X[::2], Y[::2]), np.arange(150)
    scores = LabelOnlyAttack(0.3, 9, online=False).fit(target, shadows).score_samples(X, Y, index=rows)
    kept, *theirs = (plain(0.3, 9).fit(model).score_samples(X, Y) for model in (target, *shadows.models))
    for i in (0, 83, 149):
        usual = [share[i] for share, members in zip(theirs, shadows.in_mask, strict=True) if not members[i]]
        assert len(usual) == 3 and scores[i] == pytest.approx(kept[i] - np.mean(usual))
    outside = LabelOnlyAttack(0.3, 9, online=False).fit(target, shadows).score_samples(X[:3] + 0.01, Y[:3])
    both = LabelOnlyAttack(0.3, 9).fit(target, shadows).score_samples(X[:3] + 0.01, Y[:3])
    assert outside == pytest.approx(both)  # nobody had them
