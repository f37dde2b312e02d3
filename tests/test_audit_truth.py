"""Is the answer of an audit true? Every split is audited, sets that differ are no leak, a leak of a few is found."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from mialab.attacks import ThresholdAttack
from mialab.audit import _blind, _evidence, audit
from mialab.metrics import evaluate
from mialab.nets import NetClassifier
from mialab.shadows import ShadowsInterrupted, even_members, load_shadows, train_shadows

X, Y = make_classification(1000, 8, flip_y=0.2, random_state=0)
QUICK = NetClassifier(hidden=0, epochs=20, random_state=0)


def cut(n_in, n_out, start=0):
    rows_in, rows_out = np.arange(start, start + n_in), np.arange(start + n_in, start + n_in + n_out)
    return (X[rows_in], Y[rows_in]), (X[rows_out], Y[rows_out])


# Every split is audited


@given(
    st.lists(st.integers(0, 2), min_size=12, max_size=60), st.integers(1, 20), st.floats(0.02, 0.98), st.integers(0, 9)
)
def test_every_record_trains_equally_many_shadows(y, n_shadows, share, seed):
    n_members = min(max(1, round(share * len(y))), len(y) - 1)
    in_mask = even_members(y, n_shadows, n_members, seed)
    assert (in_mask.sum(axis=1) == n_members).all()
    if 2 * n_members != len(y):
        assert np.ptp(in_mask.sum(axis=0)) <= 1
    np.testing.assert_array_equal(in_mask, even_members(y, n_shadows, n_members, seed))


def test_each_hand_has_its_share_of_every_class():
    y = np.repeat([0, 1, 2], [600, 300, 100])
    counts = np.array([np.bincount(y[hand]) for hand in even_members(y, 10, 750, 0)])
    assert (abs(counts - [450, 225, 75]) <= 12).all()


@pytest.mark.long
@pytest.mark.parametrize(("n_in", "n_out", "size"), [(240, 60, 225), (225, 75, 225), (400, 20, 315), (20, 300, 80)])
def test_an_audit_of_any_split_runs(n_in, n_out, size):
    members, others = cut(n_in, n_out)
    model = QUICK.fit(*members)
    found = audit(model, members, others, n_shadows=8, attacks=["LiRA", "RMIA"])
    assert {"LiRA", "RMIA"} <= set(found.attacks)
    assert found.settings["records a shadow"] == size == found.shadows.in_mask.sum(axis=1)[0]
    assert min((~found.shadows.in_mask).sum(axis=0).min(), found.shadows.in_mask.sum(axis=0).min()) >= 2
    assert any(f"trained on {size} records" in note for note in found.notes) == (size != n_in)


def test_shadows_of_an_impossible_size_are_refused_before_any_is_trained():
    class Never(DecisionTreeClassifier):
        def fit(self, X, y):
            raise AssertionError("trained")

    members, others = cut(240, 60)
    with pytest.raises(ValueError, match=r"n_members is 280; it should be a whole number from 75 to 225"):
        audit(QUICK.fit(*members), members, others, estimator=Never(), n_shadows=8, n_members=280)


# Sets that differ of themselves


class ByAge:
    """A private model, if there ever was one: its answer is a function of the age that nothing has trained."""

    classes_ = np.array([0, 1])

    def predict_proba(self, X):
        dies = 1 / (1 + np.exp(-1.5 * np.asarray(X)[:, 0]))
        return np.column_stack([1 - dies, dies])


def by_age(shift, n=500, seed=0):
    rng = np.random.default_rng(seed)
    sets = []
    for centre in (-shift / 2, shift / 2):
        records = rng.normal([centre, 0, 0, 0], size=(n, 4))
        labels = (rng.random(n) < ByAge().predict_proba(records)[:, 1]).astype(int)
        sets.append((pd.DataFrame(records, columns=["age", "b", "c", "d"]), labels))
    return sets


@pytest.mark.long
@pytest.mark.parametrize(("shift", "outcome"), [(0.4, "no leak found"), (1.5, "no leak found"), (6.0, "cannot judge")])
def test_strangers_of_another_age_are_no_leak(shift, outcome):
    members, others = by_age(shift)
    found = audit(ByAge(), members, others)
    assert found.outcome in (outcome, "too little evidence") and found.blind.auc > 0.55
    assert found.giveaways["column"].iloc[0] == "age"
    if outcome == "cannot judge":
        assert "age" in str(found) and "cannot judge" in found.to_html()
        assert any("drawn as the members were" in sentence for sentence in found.advice())
    else:  # pairs of people alike are judged in their place
        assert any("pairs that look alike were judged" in note for note in found.notes)
        assert len(found.members) < 500 and found.attacks[found.best].n_members == len(found.members)


def test_a_leak_is_found_although_the_strangers_differ():
    members, others = by_age(0.6)
    model = DecisionTreeClassifier(random_state=0).fit(*members)  # it knows every member by heart
    found = audit(model, members, others, n_shadows=0)
    assert found.outcome == "leaks" and found.blind.auc > 0.6


def test_the_blind_baseline_reads_texts_and_gaps_and_not_the_order_of_the_records():
    frame = pd.DataFrame({"name": ["b", "a", None, "b"], "n": [2.0, np.nan, 1.0, 2.0]})
    table, names = _blind.plain_table(frame, np.array(["x", "y", "x", "x"]))
    assert names == ["name", "n", "the label"]
    turned, _ = _blind.plain_table(frame[::-1], np.array(["x", "x", "y", "x"]))
    np.testing.assert_array_equal(table, turned[::-1])
    assert table[0].tolist() == table[3].tolist() and table[2, 1] < table[0, 1] < table[1, 1]


def test_pairs_have_one_of_each_and_scores_alike():
    rng = np.random.default_rng(0)
    is_member = np.arange(400) < 200
    blind = rng.normal(size=400) + 0.8 * is_member
    rows = _blind.matched(blind, is_member, 0)
    assert is_member[rows].sum() * 2 == len(rows) == len(set(rows.tolist())) and 200 < len(rows) < 400
    assert abs(evaluate(blind[rows], is_member[rows]).auc - 0.5) < 0.02 < evaluate(blind, is_member).auc - 0.6


# A leak of a few


class Overrides:
    """A table of manual overrides in front of a model: these records are answered with certainty."""

    def __init__(self, model, records, labels):
        self.model, self.classes_ = model, model.classes_
        self.table = {record.tobytes(): label for record, label in zip(records, labels, strict=True)}

    def predict_proba(self, X):
        answers = self.model.predict_proba(X)
        for i, record in enumerate(np.asarray(X)):
            if record.tobytes() in self.table:
                answers[i] = self.classes_ == self.table[record.tobytes()]
        return answers


@pytest.mark.long
@pytest.mark.parametrize("k", [0, 10, 15])
def test_a_few_members_above_every_stranger_are_a_leak(k):
    members, others = cut(500, 500)
    model = Overrides(LogisticRegression().fit(*members), members[0][:k], members[1][:k])
    found = audit(model, members, others)
    assert (found.outcome == "leaks") == (k > 0)
    if k:
        leaking = found.evidence[found.evidence["leaks"]]
        assert "above every non-member" in leaking["statistic"].tolist() and found.attacks[found.best].auc < 0.6
        assert "above every non-member" in str(found) and f"stand {found.table.loc[found.best, 'above']}" in str(found)
        assert set(range(k)) <= set(found.members["row"][: k + 3])  # who is affected follows the evidence
        assert found.exceeds({"above": 9}) and not found.exceeds({"auc": 0.6})
    else:
        assert found.smallest_count <= 10 and f"{found.smallest_count} or more members" in str(found)


@pytest.mark.parametrize("allowed", [0, 1, 2])
@pytest.mark.parametrize(("m", "n"), [(4, 5), (6, 3)])
def test_the_chance_of_so_many_caught_is_that_of_all_orders(m, n, allowed):
    scores = np.arange(m + n, dtype=float)
    every = [evaluate(scores, np.isin(scores, inside)) for inside in combinations(range(m + n), m)]
    counts = np.array([_evidence.caught(result, allowed) for result in every])
    assert len(every) == comb(m + n, m)
    for result, count in zip(every, counts, strict=True):
        by_formula = np.exp(_evidence.log_chance(result, allowed))
        assert by_formula == pytest.approx((counts >= count).mean(), abs=1e-9)


def test_the_smallest_count_is_the_first_that_counts():
    k = _evidence.smallest_count(500, 500, 9)
    chances = [9 * np.prod([(500 - i) / (1000 - i) for i in range(j)]) for j in (k - 1, k)]
    assert chances[0] >= 0.05 > chances[1]


def test_the_lead_over_itself_is_nought_and_over_a_blind_guess_the_whole():
    rng, is_member = np.random.default_rng(0), np.arange(200) < 100
    one = evaluate(rng.normal(size=200) + is_member, is_member)
    guess = evaluate(rng.normal(size=200), is_member)
    for allowed in (None, 0, 5):
        assert _evidence.lead(one, one, allowed, 0)[0] == pytest.approx(0 if one.auc > 0.5 else one.auc - 0.5)
    ahead, error = _evidence.lead(one, guess, None, 0)
    assert ahead == one.auc - max(guess.auc, 0.5) and 0.02 < error < 0.08


# Ties


@pytest.mark.long
@pytest.mark.parametrize(("p_in", "p_out", "m", "n"), [(0.5, 0.5, 75, 75), (1.0, 0.83, 200, 200), (0.95, 0.5, 400, 60)])
def test_the_interval_of_tied_scores_covers_the_truth(p_in, p_out, m, n):
    rng, is_member = np.random.default_rng(0), np.arange(m + n) < m
    truth, covered = 0.5 + (p_in - p_out) / 2, []
    for _ in range(400):
        result = evaluate((rng.random(m + n) < np.where(is_member, p_in, p_out)).astype(float), is_member)
        covered.append(result.interval[0] <= truth <= result.interval[1])
        assert result.interval[1] - result.interval[0] < 8 * max(result.null_sd, 0.012)
    assert 0.90 < np.mean(covered) < 0.99


@pytest.mark.long
def test_the_table_says_which_rate_was_reached():
    members, others = cut(200, 200)
    found = audit(DecisionTreeClassifier(random_state=0).fit(*members), members, others, n_shadows=0)
    alarms = found.few_alarms.set_index(["attack", "rate"])
    tied = alarms.loc[("was it right", 0.01)]
    wrong = found.attacks["was it right"].roc()
    assert tied["tpr"] == tied["fpr"] == 0 and tied["next_fpr"] == wrong.fpr[1] and tied["next_tpr"] == wrong.tpr[1]
    assert alarms.index.get_level_values("rate").unique().tolist() == [0.0, 0.001, 0.01, 0.05]
    page = found.to_html()
    assert "the strictest threshold accuses" in page and "&lt; 0.001" in page and "Attacks of an outsider" in page


# What is given, kept and used again


@pytest.mark.long
def test_recorded_answers_are_audited_as_the_model_is():
    members, others = cut(300, 300)
    model = LogisticRegression().fit(*members)
    answers = [model.predict_proba(records) for records, _ in (members, others)]
    whole = audit(model, members, others, n_shadows=0)
    for tables in (answers, [pd.DataFrame(table, columns=model.classes_) for table in answers]):
        found = audit(tuple(tables), members, others)
        assert found.attacks == whole.attacks and found.blind == whole.blind
    alone = audit(tuple(answers), (None, members[1]), (None, others[1]))
    assert alone.attacks == whole.attacks and any("Only answers and labels" in note for note in alone.notes)
    with_recipe = audit(tuple(answers), members, others, estimator=QUICK, n_shadows=4, attacks=["LiRA", "label only"])
    assert {"LiRA"} == set(with_recipe.attacks)
    with pytest.raises(ValueError, match=r"has shape \(300, 1\); it should be \(300, 2\)"):
        audit((answers[0][:, :1], answers[1]), members, others)


@pytest.mark.long
def test_shadows_are_used_again_extended_and_lent_by_an_outsider(tmp_path):
    members, others = cut(200, 200)
    model = QUICK.fit(*members)
    two = ["confidence in the label", "RMIA"]
    first = audit(model, members, others, n_shadows=6, attacks=two)
    again = audit(model, members, others, shadows=first.shadows, attacks=two)
    assert again.attacks == first.attacks and again.settings["n_shadows"] == 6
    first.shadows.save(tmp_path / "kept")
    pool = np.concatenate([members[0], others[0]]), np.concatenate([members[1], others[1]])
    read = load_shadows(tmp_path / "kept", *pool)
    more = audit(model, members, others, shadows=read, n_shadows=10, attacks=["RMIA", "label only"])
    np.testing.assert_array_equal(more.shadows.in_mask[:6], first.shadows.in_mask)
    assert len(more.shadows) == 10 and any("came from a file" in note for note in more.notes)
    with pytest.raises(ValueError, match="trained on another pool"):
        load_shadows(tmp_path / "kept", pool[0][::-1], pool[1][::-1])
    elsewhere = train_shadows(QUICK, X[400:], Y[400:], 4, random_state=0)
    lent = audit(model, members, others, shadows=elsewhere, attacks=two)
    assert set(lent.who.values()) == {"outsider"} and set(first.who.values()) == {"outsider", "auditor"}
    (tmp_path / "bad").write_text("no shadows")
    with pytest.raises(ValueError, match="is no file of shadows"):
        load_shadows(tmp_path / "bad", *pool)


def test_an_interruption_keeps_what_is_trained():
    fits = []

    class Interrupted(DecisionTreeClassifier):
        def fit(self, X, y):
            fits.append(len(y))
            if len(fits) % 6 == 0:
                raise KeyboardInterrupt
            return super().fit(X, y)

    members, others = cut(100, 100)
    model = DecisionTreeClassifier(max_depth=3).fit(*members)
    found = audit(model, members, others, estimator=Interrupted(max_depth=3), n_shadows=8, attacks=["RMIA"])
    assert len(found.shadows) == 5 and any("of 8 shadow models 5 were trained" in note for note in found.notes)
    with pytest.raises(ShadowsInterrupted) as stopped:
        train_shadows(Interrupted(), X, Y, 8, random_state=0)
    assert len(stopped.value.shadows) == 5 and isinstance(stopped.value, KeyboardInterrupt)


@pytest.mark.long
def test_attacks_of_ones_own_groups_and_an_overlap_that_is_allowed(capsys):
    members, others = cut(100, 100)
    model = QUICK.fit(*members)
    few = audit(model, members, others, n_shadows=4, attacks=["RMIA"], progress=True)
    assert list(few.attacks) == ["RMIA"] and "4 of 4 shadows" not in capsys.readouterr().out
    own = audit(model, members, others, n_shadows=0, attacks={"mine": ThresholdAttack("loss")})
    assert list(own.attacks) == ["mine"] and own.best == "mine"
    groups = (np.repeat(["a", "b"], 50), np.repeat(["b", "c"], [95, 5]))
    table = audit(model, members, others, n_shadows=0, groups=groups).by_group
    assert table["group"].tolist() == ["a", "b", "c"] and table["members"].tolist() == [50, 50, 0]
    assert table["auc"].notna().tolist() == [False, True, False] and table["low"].notna()[1]
    twins = (np.concatenate([others[0], members[0][:20]]), np.concatenate([others[1], members[1][:20]]))
    allowed = audit(model, members, twins, n_shadows=0, allow_overlap=True)
    assert any("above 5%, and was allowed" in note for note in allowed.notes)
    with pytest.raises(ValueError, match="attacks is 'LIRA'; it should be one of"):
        audit(model, members, others, attacks=["LIRA"])
    with pytest.raises(ValueError, match="groups is 'sex'; both sets should be frames"):
        audit(model, members, others, groups="sex")


def test_limits_are_those_that_are_documented():
    members, others = cut(100, 100)
    found = audit(DecisionTreeClassifier(random_state=0).fit(*members), members, others, n_shadows=0)
    for limit in ("auc", "above", "tpr@0.05"):
        assert found.exceeds({limit: -1}) and not found.exceeds({limit: 1000})
    for limit in ("tpr@2", "tpr@x", "recall", "tpr"):
        with pytest.raises(ValueError, match="limit"):
            found.exceeds({limit: 0})
