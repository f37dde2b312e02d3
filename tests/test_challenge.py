"""The challenge: fair to who measures, closed to who pries, and a leaderboard that does not praise luck."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from mialab import attacks, cli, shadows
from mialab.blackbox import BudgetExhausted, RemoteModel
from mialab.instructor.challenge import _challenge, _leaderboard, _scores
from mialab.instructor.challenge._ledger import Ledger
from mialab.instructor.making import _keys
from mialab.metrics import MeanInterval, auc
from mialab.targets import make

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


def target(student, number=0):
    return _challenge.target_of(KEY, student, number)


def targets(student):
    return [target(student, number) for number in range(_challenge.N_TARGETS)]


def opens(student, number=0):
    return _challenge.target_key(_challenge.access_key(KEY, student), number)


def client(url, student, number=0, **settings):
    return RemoteModel(url, key=opens(student, number), **settings)


def written(scores):
    lines = [f"{t},{i},{s}\n" for t, own in enumerate(scores) for i, s in enumerate(own)]
    return "target,record,score\n" + "".join(lines)


def settings_of(course):
    return json.loads((course / "instructor" / "challenge.json").read_text())


SETTINGS = {"url": "http://here", "budget": 400, "baseline": {"mean": 0.72, "low": 0.70, "high": 0.74}}


# --- the targets -----------------------------------------------------------------------------------------------------


def test_a_target_is_drawn_again_bit_for_bit_in_any_order():
    asked = [(student, number) for student in STUDENTS for number in (0, 7)]
    first = {each: target(*each) for each in asked}
    for each in reversed(asked):
        again = target(*each)
        assert (again.is_member == first[each].is_member).all() and (again.y == first[each].y).all()
        assert (again.model.predict_proba(again.X) == first[each].model.predict_proba(again.X)).all()
        assert again.is_member.sum() == 75 and (again.y != target_labels()).sum() == 30
    assert len({first[each].is_member.tobytes() for each in asked}) == len(asked)
    assert len({first[each].y.tobytes() for each in asked}) == len(asked)


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
    assert len({_challenge.handout(KEY, f"s{i}", SETTINGS)["candidates.csv"] for i in range(5)}) == 5


def target_mask(student):
    chosen = _keys.generator(KEY, "challenge", "members", student, "0").permutation(150)[:75]
    return np.isin(np.arange(150), chosen)


# --- what a student holds --------------------------------------------------------------------------------------------


def test_no_byte_of_a_handout_depends_on_who_is_a_member(monkeypatch):
    """With other members drawn, and everything else the same, the files are the same."""
    before = {s: _challenge.handout(KEY, s, SETTINGS) for s in STUDENTS}
    drawn, target_mask_before = _keys.generator, target_mask("ada")

    def other(key, *words):
        return drawn(key, *words, "other") if "members" in words or "training" in words else drawn(key, *words)

    monkeypatch.setattr(_keys, "generator", other)
    assert (target("ada").is_member != target_mask_before).any()
    assert before == {s: _challenge.handout(KEY, s, SETTINGS) for s in STUDENTS}


@pytest.mark.long
def test_the_baseline_is_published_with_its_interval(course):
    """What the handout says of the baseline holds on targets that it was not measured on."""
    text = (course / "handout" / "ada" / "challenge" / "README.md").read_text("utf-8")
    mean, low, high = map(float, re.search(r"mean AUC is (\S+) \(95% interval (\S+) to (\S+)\)", text).groups())
    found = [auc(_challenge.baseline(t), t.is_member) for t in (target(f"other{i}") for i in range(20))]
    assert low <= mean <= high and abs(np.mean(found) - mean) < 0.04


@pytest.mark.long
def test_the_programs_in_the_readme_run_as_printed_and_hand_in_the_baseline(course, url, monkeypatch):
    folder = course / "handout" / "cho" / "challenge"
    monkeypatch.chdir(folder)
    space: dict = {}
    for code in re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text("utf-8"), re.DOTALL):
        exec(code.replace("http://127.0.0.1:8000", url), space)
    handed_in = _scores.read_scores(folder / "scores.csv", 8, 150)
    (folder / "scores.csv").unlink()
    assert (handed_in == [_challenge.baseline(t) for t in targets("cho")]).all()


def test_the_readme_states_the_rule_by_which_points_are_given(course):
    text = " ".join((course / "handout" / "ada" / "challenge" / "README.md").read_text("utf-8").split())
    total, for_file, for_auc, none, all_ = re.search(
        r"(\d+) in all: (\d+) for a file .* up to (\d+) for your AUC.* none up to (\S+), all from (\S+),", text
    ).groups()
    assert int(total) == int(for_file) + int(for_auc) == sum(_challenge.POINTS.values()) == 10
    assert _challenge.points(float(none)) == {"scores_file": 2, "scores_auc": 0}
    assert _challenge.points(float(all_)) == {"scores_file": 2, "scores_auc": 8}
    assert _challenge.points((float(none) + float(all_)) / 2)["scores_auc"] == 4
    usual = settings_of(course)["baseline"]["mean"]
    assert _challenge.counted(0.8, usual + 0.04, usual) == pytest.approx(0.78)  # half of what its own lies above
    assert f"half of what its own mean AUC on your targets lies above {usual:.2f} is taken off" in text
    assert f"has about {sum(_challenge.points(usual).values()):.0f} points" in text


def test_the_example_of_scores_can_be_read(course):
    path = course / "handout" / "ada" / "challenge" / "scores_example.csv"
    assert (_scores.read_scores(path, 8, 150) == 0.5).all()


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


def test_everyone_asks_their_own_targets(url):
    for student in STUDENTS:
        for number in (0, 7):
            mine = target(student, number)
            for _ in range(2):  # and again the same
                answers = client(url, student, number).predict_proba(mine.X[:20])
                assert (answers == mine.model.predict_proba(mine.X[:20])).all()


def test_without_a_key_or_with_another_nobody_gets_in(url):
    keys = ["guess", opens("ada").upper() + "x", opens("ada", 8), _challenge.access_key(KEY, "ada")]
    for headers in ({}, *({"x-api-key": key} for key in keys)):
        answer = httpx.post(f"{url}/v1/models/challenge:predict", json={"instances": [[1, 1, 1, 1]]}, headers=headers)
        assert answer.status_code in (401, 403)
        assert "ada" not in answer.text


def test_what_is_told_of_the_model_is_the_same_for_everyone(url):
    def about(student):
        told = httpx.get(f"{url}/v1/models", headers={"x-api-key": opens(student)}).json()
        return {k: v for k, v in told["models"][0].items() if k != "queries_left"}

    assert about("ada") == about("ben")
    assert not any(word in json.dumps(about("ada")) for word in ("member", "seed", "ada", "split"))


@pytest.mark.parametrize(
    "body", ['{"instances": [[1, 2]]}', '{"instances": [["a", 1, 1, 1]]}', "{", '{"instances": []}']
)
def test_malformed_questions_cost_nothing_and_tell_nothing(url, body):
    headers = {"x-api-key": opens("cho"), "content-type": "application/json"}
    before = client(url, "cho").queries_left
    answer = httpx.post(f"{url}/v1/models/challenge:predict", content=body, headers=headers)
    assert answer.status_code == 400 and "member" not in answer.text
    assert client(url, "cho").queries_left == before


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
        file.write("ada/0,1")  # cut short: that request was never answered, and 1 may be the start of 17
    for _ in range(2):
        with _challenge.serve_challenge(course, key, budget=160, port=0) as url:
            assert client(url, "ben").queries_left == 10 and client(url, "ada").queries_left == 160
            assert client(url, "ben", number=1).queries_left == 160
    asked.unlink()


def spent(payments):
    found = {}
    for who, n in payments:
        found[who] = found.get(who, 0) + n
    return found


def test_a_ledger_cut_off_at_any_byte_holds_every_payment_that_was_noted_whole_and_no_other(tmp_path):
    path = tmp_path / "asked.csv"
    payments = [("ada/0", 150), ("ben/7", 1), ("ada/0", -150), ("zoë@b/3", 17)]
    for who, n in payments:
        Ledger(path).note(who, n)
    content = path.read_bytes()
    for length in range(len(content) + 1):
        whole = payments[: content[:length].count(b"\n")]
        path.write_bytes(content[:length])
        assert Ledger(path).spent == spent(whole)
        Ledger(path).note("cho/1", 5)  # what comes next neither grows together with the rest nor completes it
        assert Ledger(path).spent == spent([*whole, ("cho/1", 5)])


def test_what_cannot_be_noted_is_neither_answered_nor_charged(tmp_path, monkeypatch):
    ledger = Ledger(tmp_path / "asked.csv")
    account = _challenge._Kept("ada/0", 10, None, ledger)
    account.spend(3)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="full"):
            account.spend(4)
    assert account.left == 7 and Ledger(ledger.path).spent == {"ada/0": 3}
    account.spend(7)
    assert Ledger(ledger.path).spent == {"ada/0": 10}


def full(_):
    raise OSError("the disk is full")


# For each line that it reads, a new process with a service: its number and its address, and in the end how it ended.
_SERVICES = """
import os, sys, time
import sklearn.ensemble, uvicorn, mialab.blackbox._app
from mialab.instructor.challenge._challenge import serve_challenge
for _ in sys.stdin:
    if not os.fork():
        with serve_challenge(sys.argv[1], sys.argv[2], budget=100000, port=0) as url:
            print(os.getpid(), url, flush=True)
            time.sleep(600)
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


@pytest.mark.long
def test_a_service_killed_at_any_moment_loses_and_doubles_no_question(course):
    """Whatever a client was answered stands in the ledger, and besides at most the one question that each waits for."""
    asked = course / "instructor" / "asked.csv"
    asked.unlink(missing_ok=True)
    answered = dict.fromkeys(STUDENTS, 0)
    rng, unanswered = np.random.default_rng(0), dict.fromkeys(STUDENTS, 0)

    def ask(url, student, begun):
        headers = {"x-api-key": opens(student)}
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as connection:
            try:
                while True:
                    body = {"instances": [[5.1, 3.5, 1.4, 0.2]]}
                    answer = connection.post("/v1/models/challenge:predict", json=body)
                    answered[student] += answer.status_code == 200
                    begun.release()
            except httpx.TransportError:  # it was killed
                unanswered[student] += 1

    words = [sys.executable, "-c", _SERVICES, str(course), str(course.parent / "key")]
    services = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    for _ in range(5):
        services.stdin.write("\n")
        process, url = services.stdout.readline().split()
        begun = threading.Semaphore(0)
        with ThreadPoolExecutor(3) as pool:
            try:
                for student in STUDENTS:
                    pool.submit(ask, url, student, begun)
                for _ in range(int(rng.integers(4, 40))):
                    assert begun.acquire(timeout=60)
            finally:
                os.kill(int(process), signal.SIGKILL)
        assert int(services.stdout.readline()) == -signal.SIGKILL
        noted = Ledger(asked).spent
        for student in STUDENTS:
            assert answered[student] <= noted[f"{student}/0"] <= answered[student] + unanswered[student]
    assert min(answered.values()) > 0
    services.communicate()
    asked.unlink()


# --- old folders -----------------------------------------------------------------------------------------------------


def test_a_challenge_of_the_first_format_is_refused_with_what_to_do(tmp_path, capsys):
    (tmp_path / "k").write_text(KEY.hex())
    (tmp_path / "r.csv").write_text("student\nada\n")
    about = tmp_path / "c" / "instructor" / "challenge.json"
    about.parent.mkdir(parents=True)
    about.write_text(json.dumps({"format": 1, "budget": 600, "url": "u", "key": _keys.fingerprint(KEY)}))
    (tmp_path / "c" / "submitted").mkdir()
    key = ["--key", str(tmp_path / "k")]
    for words in (
        ["assign", "challenge", "--roster", str(tmp_path / "r.csv"), *key, "--out", str(tmp_path / "c")],
        ["serve", "--challenge", str(tmp_path / "c"), "--instructor-key", str(tmp_path / "k"), "--port", "0"],
        ["grade", str(tmp_path / "c" / "submitted"), *key, "--out", str(tmp_path / "g")],
    ):
        assert cli.main(words) == 1
        says = capsys.readouterr().err
        assert "is of format 1" in says and "serve and grade it with that version, or remove" in says


# --- what comes back -------------------------------------------------------------------------------------------------

EXPECTED = np.arange(1200).reshape(8, 150) / 7
GOOD = written(EXPECTED)
SECOND = "\n1,17,"  # on line 169


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1 should be: target,record,score"),
        (GOOD.replace("target,", "", 1), "line 1 should be"),
        (GOOD.replace(SECOND, "\n1,17,17,"), "line 169 should have a target, a record and a score"),
        (GOOD.replace(SECOND, "\n1,16,"), "line 169: record 16 of target 1 stands twice"),
        (GOOD.replace(SECOND, "\n1,170,"), "line 169: record 170 should be from 0 to 149"),
        (GOOD.replace(SECOND, "\n8,17,"), "line 169: target 8 should be from 0 to 7"),
        (GOOD.replace(SECOND, f"\n-{'9' * 4000},17,"), "line 169: target -9999999999999999999 should be"),
        (GOOD.replace(SECOND, f"\n{'9' * 9000},17,"), "line 169: '99999999999999999999', '17'"),
        (GOOD.replace(SECOND, "\n1,x,"), "line 169: '1', 'x'"),
        (GOOD.replace(SECOND, '\n"1,17,'), "line 169 should have a target"),
        ("\n".join(GOOD.splitlines()[:-3]), "3 records have no score, the first is record 147 of target 7"),
        (GOOD.replace(f"{167 / 7}", "nan"), "line 169: the score of record 17 is nan"),
        (GOOD.replace(f"{167 / 7}", "-inf"), "the score of record 17 is -inf"),
        (GOOD.replace(f"{167 / 7}", "high"), "'high' should be a target, a record and a number"),
        (GOOD.replace(f"{167 / 7}", "1" * 200_000), "line 169 cannot be read as CSV"),
        (b"target,record,score\n\xff\xfe", "not text in UTF-8"),
        (b"x" * (2 << 20), "larger than 1 MB"),
    ],
)
def test_bad_scores_are_refused_with_their_line(tmp_path, text, says):
    path = tmp_path / "scores.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=says):
        _scores.read_scores(path, 8, 150)


def as_spreadsheets_quote(text, separator=","):
    return "".join('"' + line.replace(separator, f'"{separator}"') + '"\r\n' for line in text.splitlines())


def with_decimal_commas(text):
    return text.replace(".", "~").replace(",", ";").replace("~", ",")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        "\n".join([GOOD.splitlines()[0], *reversed(GOOD.splitlines()[1:])]),
        GOOD.replace("target,record,score", '"target", "Record","score"') + "\n\n",
        with_decimal_commas(GOOD),
        as_spreadsheets_quote(GOOD),
        "\ufeff" + as_spreadsheets_quote(with_decimal_commas(GOOD), ";"),
    ],
)
def test_scores_of_other_tools_are_read(tmp_path, text):
    path = tmp_path / "scores.csv"
    path.write_bytes(text.encode())
    assert np.allclose(_scores.read_scores(path, 8, 150), EXPECTED)


def test_scores_are_read_as_pandas_writes_them_with_its_index(tmp_path):
    import pandas as pd

    where = pd.MultiIndex.from_product([range(8), range(150)], names=["target", "record"])
    frame = pd.Series(EXPECTED.ravel(), where, name="score").reset_index()
    for settings in ({}, {"sep": ";", "decimal": ","}, {"quoting": csv.QUOTE_ALL}):
        frame.to_csv(tmp_path / "scores.csv", **settings)
        assert np.allclose(_scores.read_scores(tmp_path / "scores.csv", 8, 150), EXPECTED)


def test_a_link_is_no_file_of_scores(tmp_path):
    (tmp_path / "scores.csv").symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match="there is no"):
        _scores.read_scores(tmp_path / "scores.csv", 8, 150)


# --- scores and ranks ------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_luck_earns_nothing_and_skill_does():
    rng, mine = np.random.default_rng(0), targets("ada")

    def earned(scores):
        entry = _leaderboard.measure("x", scores, mine, 0.72)
        return _challenge.points(entry.counted.mean)["scores_auc"], entry

    assert max(earned(rng.random((8, 150)))[0] for _ in range(50)) == 0
    points, entry = earned(np.array([t.is_member for t in mine], dtype=float))
    assert points == 8 and entry.auc == MeanInterval(1, 1, 1, 8)
    points, entry = earned(np.array([_challenge.baseline(t) for t in mine]))
    assert 2 < points < 4.5 and entry.over == MeanInterval(0, 0, 0, 8)
    assert earned(np.zeros((8, 150)))[1].auc.mean == 0.5


@pytest.fixture(scope="module")
def attacked():
    """The AUCs of three attacks on each of 32 targets, (32,) each."""
    found = {name: [] for name in ("baseline", "LiRA, 8 shadows", "RMIA, 8 shadows")}
    for i in range(32):
        t = target("attacked", i)
        trained = shadows.train_shadows(make("forest"), t.X, t.y, n_shadows=8, random_state=i)
        scores = [_challenge.baseline(t)]
        for attack in (attacks.LiRA(variance="fixed"), attacks.RMIA()):
            scores.append(attack.fit(t.model, trained).score_samples(t.X, t.y, np.arange(150)))
        for kept, each in zip(found.values(), scores, strict=True):
            kept.append(auc(each, t.is_member))
    return {name: np.array(each) for name, each in found.items()}


@pytest.mark.long
def test_equal_work_gets_equal_points_and_better_work_more(attacked):
    """Students with 8 of the 32 targets each: within one point nine times in ten; better in 95 pairs of 100."""
    rng, usual = np.random.default_rng(0), attacked["baseline"].mean()

    def earned(name):
        own = np.array([rng.permutation(32)[:16].reshape(2, 8) for _ in range(2000)])  # pairs of students
        counted = _challenge.counted(attacked[name][own], attacked["baseline"][own], usual).mean(axis=2)
        return np.array([[sum(_challenge.points(one).values()) for one in pair] for pair in counted])

    points = {name: earned(name) for name in attacked}
    for name, pairs in points.items():
        assert (abs(pairs[:, 0] - pairs[:, 1]) <= 1).mean() > 0.9, name
    better, worse = points["RMIA, 8 shadows"][:, 0], points["baseline"][:, 1]
    assert (better > worse).mean() > 0.95 and better.mean() > worse.mean() + 2


def entries_of(areas, error=0.04):
    found = [MeanInterval(a, a - 1.96 * error, a + 1.96 * error, 8) for a in areas]
    return [_leaderboard.Entry(f"s{i}", each, each, each, 0.1) for i, each in enumerate(found)]


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
    page = _leaderboard.as_html([entries[0]._replace(student="<script>alert(1)</script>")])
    assert "<script>" not in page and "&lt;script&gt;" in page
    text = _leaderboard.as_text(entries).splitlines()
    assert text[1].split()[1] == "s1" and "luck" in text[-1] and "intervals are over targets" in text[-1]


def test_a_class_is_graded_with_its_leaderboard(course, capsys):
    base = course.parent
    for student, text in (("ada", None), ("ben", GOOD.replace(SECOND, "\n1,16,"))):
        folder = course / "submitted" / student / "challenge"
        folder.mkdir(parents=True, exist_ok=True)
        scores = [_challenge.baseline(t) for t in targets("ada")]
        (folder / "scores.csv").write_text(text or written(scores))
    assert cli.main(["grade", str(course / "submitted"), "--out", str(base / "g"), "--key", str(base / "key")]) == 0
    assert "1 graded, 1 unreadable, 1 missing" in capsys.readouterr().out
    assert "ada" in (base / "g" / "leaderboard.txt").read_text("utf-8")
    told = (base / "g" / "feedback" / "ada.html").read_text("utf-8")
    assert "above the baseline on the same targets: +0.000 (+0.000 to +0.000)" in told
    assert "line 169: record 16 of target 1 stands twice" in (base / "g" / "feedback" / "ben.html").read_text("utf-8")


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
