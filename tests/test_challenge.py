"""The challenge: fair to who measures, closed to who pries, and a leaderboard that does not praise luck."""

from __future__ import annotations

import json
import re
import threading
import time

import httpx
import numpy as np
import pytest

from mialab import cli
from mialab.blackbox import BudgetExhausted, RemoteModel
from mialab.instructor.challenge import _challenge, _leaderboard
from mialab.instructor.making import _keys
from mialab.metrics import auc, auc_error, placements

KEY, STUDENTS = b"k" * 32, ["ada", "ben", "cho"]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    base = tmp_path_factory.mktemp("challenge")
    (base / "key").write_text(KEY.hex())
    (base / "roster.csv").write_text("student\n" + "\n".join(STUDENTS) + "\n")
    words = ["assign", "challenge", "--roster", str(base / "roster.csv"), "--key", str(base / "key")]
    assert cli.main([*words, "--out", str(base / "course"), "--budget", "400"]) == 0
    return base / "course"


@pytest.fixture(scope="module")
def url(course):
    with _challenge.serve_challenge(course, course.parent / "key", port=0) as url:
        yield url


def target(student):
    return _challenge.target_of(KEY, student)


def client(url, student, **settings):
    return RemoteModel(url, key=_challenge.access_key(KEY, student), **settings)


# --- the targets -----------------------------------------------------------------------------------------------------


def test_a_target_is_drawn_again_bit_for_bit_in_any_order():
    first = {s: target(s) for s in STUDENTS}
    for student in reversed(STUDENTS):
        again = target(student)
        assert (again.is_member == first[student].is_member).all() and (again.y == first[student].y).all()
        assert (again.model.predict_proba(again.X) == first[student].model.predict_proba(again.X)).all()
        assert again.is_member.sum() == 75 and (again.y != target_labels()).sum() == 30


def target_labels():
    from mialab.data import load_iris

    return load_iris().y


@pytest.mark.long
def test_the_game_is_worth_playing():
    """Over 30 targets the published baseline beats a coin, and the scores of a neighbour do not."""
    drawn = [target(f"s{i}") for i in range(30)]
    own = np.array([auc(_challenge.baseline(t), t.is_member) for t in drawn])
    strange = np.array([auc(_challenge.baseline(a), b.is_member) for a in drawn for b in drawn if a is not b])
    assert own.mean() - 2 * own.std(ddof=1) / np.sqrt(30) > 0.6
    by_other = strange.reshape(30, 29).mean(axis=1)
    assert abs(strange.mean() - 0.5) < 4 * by_other.std(ddof=1) / np.sqrt(30) + 0.005


@pytest.mark.long
def test_members_are_drawn_evenly_and_apart_from_the_labels():
    masks = np.array([target_mask(f"s{i}") for i in range(400)])
    assert np.abs(masks.mean(axis=0) - 0.5).max() < 0.12  # 4.8 standard errors of 400 draws
    wrong = np.array([_challenge.handout(KEY, f"s{i}", "u", 150)["candidates.csv"].splitlines()[1:] for i in range(5)])
    assert len({tuple(w) for w in wrong}) == 5


def target_mask(student):
    chosen = _keys.generator(KEY, "challenge", "members", student).permutation(150)[:75]
    return np.isin(np.arange(150), chosen)


# --- what a student holds --------------------------------------------------------------------------------------------


def test_no_byte_of_a_handout_depends_on_who_is_a_member(monkeypatch):
    """With other members drawn, and everything else the same, the files are the same."""
    before = {s: _challenge.handout(KEY, s, "http://here", 400) for s in STUDENTS}
    drawn, target_mask_before = _keys.generator, target_mask("ada")

    def other(key, *words):
        return drawn(key, *words, "other") if "members" in words or "training" in words else drawn(key, *words)

    monkeypatch.setattr(_keys, "generator", other)
    assert (target("ada").is_member != target_mask_before).any()
    assert before == {s: _challenge.handout(KEY, s, "http://here", 400) for s in STUDENTS}


@pytest.mark.long
def test_the_baseline_is_published_with_its_interval(course):
    """What the handout says of the baseline holds on targets that it was not measured on."""
    text = (course / "handout" / "ada" / "challenge" / "README.md").read_text("utf-8")
    mean, low, high = map(float, re.search(r"mean AUC is (\S+) \(95% interval (\S+) to (\S+)\)", text).groups())
    found = [auc(_challenge.baseline(t), t.is_member) for t in (target(f"other{i}") for i in range(20))]
    assert low <= mean <= high and abs(np.mean(found) - mean) < 0.04


def test_no_seed_that_one_would_try_gives_the_members():
    truth = target_mask("ada")
    for n in (*range(2000), *(int.from_bytes(s.encode(), "big") % 2**32 for s in STUDENTS)):
        chosen = np.random.default_rng(n).permutation(150)[:75]
        assert not np.isin(np.arange(150), chosen)[truth].all()
        assert not np.isin(np.arange(150), np.random.RandomState(n).permutation(150)[:75])[truth].all()


def test_the_access_key_says_nothing_of_the_members_or_of_others():
    keys = {_challenge.access_key(KEY, s) for s in STUDENTS}
    assert len(keys) == 3 and all(len(k) == 32 for k in keys)
    assert _challenge.access_key(KEY, "ada") not in str(_keys.derive(KEY, "challenge", "members", "ada").hex())


# --- the service -----------------------------------------------------------------------------------------------------


def test_everyone_asks_their_own_target(url):
    for student in STUDENTS:
        mine = target(student)
        assert (client(url, student).predict_proba(mine.X[:20]) == mine.model.predict_proba(mine.X[:20])).all()


def test_without_a_key_or_with_another_nobody_gets_in(url):
    for headers in ({}, {"x-api-key": "guess"}, {"x-api-key": _challenge.access_key(KEY, "ada").upper() + "x"}):
        answer = httpx.post(f"{url}/v1/models/challenge:predict", json={"instances": [[1, 1, 1, 1]]}, headers=headers)
        assert answer.status_code in (401, 403)
        assert "ada" not in answer.text


def test_what_is_told_of_the_model_is_the_same_for_everyone(url):
    def about(student):
        told = httpx.get(f"{url}/v1/models", headers={"x-api-key": _challenge.access_key(KEY, student)}).json()
        return {k: v for k, v in told["models"][0].items() if k != "queries_left"}

    assert about("ada") == about("ben")
    assert not any(word in json.dumps(about("ada")) for word in ("member", "seed", "ada", "split"))


@pytest.mark.parametrize(
    "body", ['{"instances": [[1, 2]]}', '{"instances": [["a", 1, 1, 1]]}', "{", '{"instances": []}']
)
def test_malformed_questions_cost_nothing_and_tell_nothing(url, body):
    headers = {"x-api-key": _challenge.access_key(KEY, "cho"), "content-type": "application/json"}
    before = client(url, "cho").queries_left
    answer = httpx.post(f"{url}/v1/models/challenge:predict", content=body, headers=headers)
    assert answer.status_code == 400 and "member" not in answer.text
    assert client(url, "cho").queries_left == before


def test_members_and_strangers_get_the_same_answer_in_size_and_kind_and_again(url):
    mine, model = target("ada"), client(url, "ada")
    twice = [model.predict_proba(mine.X[i : i + 1]) for i in (0, 1, 2) for _ in range(2)]
    assert all((a == b).all() for a, b in zip(twice[::2], twice[1::2], strict=True))


@pytest.mark.long
def test_the_time_of_an_answer_does_not_tell_members(course):
    """A stop-watch on the model that the service asks, many times for each record, in random order: AUC near 0.50."""
    found = []
    for student in STUDENTS:
        mine = target(student)
        mine.model.predict_proba(mine.X)
        spent = np.zeros((5, 150))
        for repeat in range(5):
            for i in np.random.default_rng(repeat).permutation(150):
                began = time.perf_counter()
                mine.model.predict_proba(mine.X[i : i + 1])
                spent[repeat, i] = time.perf_counter() - began
        found.append(auc(np.median(spent, axis=0), mine.is_member))
    assert abs(np.mean(found) - 0.5) < 4 * 0.047 / np.sqrt(len(found))  # 0.047: what chance gives for 75 and 75


@pytest.mark.long
def test_a_budget_holds_against_many_at_once_and_against_a_restart(course):
    key = course.parent / "key"
    asked = course / "instructor" / "asked.csv"
    asked.unlink(missing_ok=True)
    with _challenge.serve_challenge(course, key, budget=160, port=0) as url:
        got = []

        def ask():
            try:
                got.append(len(client(url, "ben").predict_proba(np.ones((30, 4)))))
            except BudgetExhausted:
                got.append(0)

        threads = [threading.Thread(target=ask) for _ in range(10)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert sum(got) == 150
    with _challenge.serve_challenge(course, key, budget=160, port=0) as url:
        assert client(url, "ben").queries_left == 10
        with pytest.raises(BudgetExhausted):
            client(url, "ben").predict_proba(np.ones((11, 4)))
        assert client(url, "ada").queries_left == 160
    with open(asked, "a", encoding="utf-8") as file:
        file.write("ada,1")  # cut short: that request was never answered, and 1 may be the start of 17
    with _challenge.serve_challenge(course, key, budget=160, port=0) as url:
        assert client(url, "ben").queries_left == 10 and client(url, "ada").queries_left >= 159


# --- what comes back -------------------------------------------------------------------------------------------------

GOOD = "record,score\n" + "".join(f"{i},{i / 7}\n" for i in range(150))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1 should be"),
        ("a,b\n1,2\n", "line 1 should be"),
        (GOOD.replace("17,", "17,17,", 1), "line 19 should have a record and a score"),
        (GOOD.replace("\n17,", "\n16,"), "line 19: record 16 stands twice"),
        (GOOD.replace("\n17,", "\n170,"), "record 170 should be from 0 to 149"),
        (GOOD.replace("\n17,", "\nx,"), "line 19: 'x'"),
        ("\n".join(GOOD.splitlines()[:-3]), "3 records have no score, the first is 147"),
        (GOOD.replace(f"{17 / 7}", "nan"), "record 17 is nan"),
        (GOOD.replace(f"{17 / 7}", "inf"), "record 17 is inf"),
        (GOOD.replace(f"{17 / 7}", "high"), "'high' should be a record and a number"),
        (b"record,score\n\xff\xfe", "not text in UTF-8"),
        (b"x" * (2 << 20), "larger than 1 MB"),
    ],
)
def test_bad_scores_are_refused_with_their_line(tmp_path, text, says):
    path = tmp_path / "scores.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=says):
        _challenge.read_scores(path)


def test_scores_of_other_tools_are_read(tmp_path):
    path = tmp_path / "scores.csv"
    expected = np.arange(150) / 7
    shuffled = [GOOD.splitlines()[0], *reversed(GOOD.splitlines()[1:])]
    for text in (
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        "\n".join(shuffled),
        GOOD.replace(".", "~").replace(",", ";").replace("~", ","),
        GOOD.replace("record,score", '"record","score"') + "\n",
    ):
        path.write_text(text, "utf-8")
        assert np.allclose(_challenge.read_scores(path), expected)
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match="there is no"):
        _challenge.read_scores(path)


# --- scores and ranks ------------------------------------------------------------------------------------------------


def test_delongs_error_is_what_repetition_shows():
    rng, inside = np.random.default_rng(0), np.arange(150) < 75
    areas, errors = [], []
    for _ in range(2000):
        scores = rng.normal(size=150) + inside
        areas.append(auc(scores, inside))
        errors.append(auc_error(placements(scores[inside], scores[~inside])))
    assert abs(np.mean(errors) / np.std(areas) - 1) < 0.05


@pytest.mark.long
def test_luck_earns_next_to_nothing_and_skill_does():
    rng, t = np.random.default_rng(0), target("ada")
    lucky = [_leaderboard.points(_leaderboard.measure("x", rng.random(150), t)) for _ in range(200)]
    assert np.mean([p["scores_auc"] + p["scores_caught"] for p in lucky]) < 0.05
    assert max(p["scores_auc"] for p in lucky) < 2
    perfect = _leaderboard.points(_leaderboard.measure("x", t.is_member.astype(float), t))
    assert sum(perfect.values()) == 10
    base = _leaderboard.measure("x", _challenge.baseline(t), t)
    assert base.over_baseline == 0 and base.over_low == base.over_high == 0
    assert _leaderboard.measure("x", np.zeros(150), t).auc == 0.5


def entries_of(areas, error=0.04):
    return [_leaderboard.Entry(f"s{i}", a, 0, 0, error, 0, 0, 0, 0, 0) for i, a in enumerate(areas)]


def test_equal_students_share_one_range_of_ranks():
    """40 equal attackers: who is first is luck, and the ranges say so."""
    rng = np.random.default_rng(0)
    whole = []
    for _ in range(50):
        ranges = _leaderboard.ranks(entries_of(rng.normal(0.7, 0.04, 40)))
        whole.append(np.mean([best <= 20.5 <= worst for best, worst in ranges]))
    assert np.mean(whole) > 0.95
    assert _leaderboard.ranks(entries_of([0.7] * 5)) == [(1, 5)] * 5


def test_the_true_rank_lies_in_the_range():
    rng, truth = np.random.default_rng(1), np.linspace(0.55, 0.9, 30)
    right = np.argsort(np.argsort(-truth)) + 1
    held = []
    for _ in range(100):
        ranges = _leaderboard.ranks(entries_of(rng.normal(truth, 0.04)))
        held += [best <= rank <= worst for (best, worst), rank in zip(ranges, right, strict=True)]
    assert np.mean(held) > 0.95


def test_clear_differences_are_ranked():
    assert _leaderboard.ranks(entries_of([0.95, 0.6, 0.8], error=0.01)) == [(1, 1), (3, 3), (2, 2)]


def test_names_are_escaped_and_the_best_stand_first():
    entries = entries_of([0.6, 0.9])
    page = _leaderboard.as_html(entries, {"s1": "<script>alert(1)</script>"})
    assert "<script>" not in page and "&lt;script&gt;" in page
    text = _leaderboard.as_text(entries, {}).splitlines()
    assert text[1].split()[1] == "s1" and "luck" in text[-1]


def test_a_class_is_graded_with_its_leaderboard(course, capsys):
    base = course.parent
    for student, text in (("ada", None), ("ben", GOOD.replace("\n17,", "\n16,"))):
        folder = course / "submitted" / student / "challenge"
        folder.mkdir(parents=True, exist_ok=True)
        t = target(student)
        scores = "record,score\n" + "".join(f"{i},{s}\n" for i, s in enumerate(_challenge.baseline(t)))
        (folder / "scores.csv").write_text(text or scores)
    assert cli.main(["grade", str(course / "submitted"), "--out", str(base / "g"), "--key", str(base / "key")]) == 0
    assert "1 graded, 1 unreadable, 1 missing" in capsys.readouterr().out
    assert "ada" in (base / "g" / "leaderboard.txt").read_text("utf-8")
    assert "Against the baseline on your target: +0.000" in (base / "g" / "feedback" / "ada.html").read_text("utf-8")
    assert "line 19: record 16 stands twice" in (base / "g" / "feedback" / "ben.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["assign", "challenge", "--out", "c"], "give --roster and --key"),
        (["assign", "challenge", "--out", "c", "--roster", "r", "--key", "k", "--budget", "9"], "at least 150"),
        (["serve", "--challenge", "none", "--instructor-key", "k"], "holds no challenge"),
        (["serve", "forest", "--challenge", "none"], "has its own models and keys"),
        (["serve"], "say what to serve"),
    ],
)
def test_bad_words_get_one_sentence(words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 1
    assert says in capsys.readouterr().err
