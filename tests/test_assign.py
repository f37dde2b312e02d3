"""Assignments: made from the course's own notebooks, the same from the same key, and without a solution in them."""

from __future__ import annotations

import ast
import base64
import json
import re

import numpy as np
import pytest
from classroom import NAME, Classroom, drawn_from

from mialab import cli
from mialab._files import notebooks_folder
from mialab.exercises import chapters
from mialab.exercises._engine._function import FunctionExercise
from mialab.exercises._engine._kinds import Choice, Prediction, Reading, Written
from mialab.exercises.handout import Handout, load_assignment
from mialab.instructor.challenge import _challenge
from mialab.instructor.making import _assignment, _course, _keys, _nbgrader, _personal

pytest.importorskip("nbgrader")
pytestmark = pytest.mark.long  # classes are made, with nbgrader
CHAPTERS = [c for c in chapters() if _assignment.choose(c, None)]


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return Classroom(tmp_path_factory.mktemp("class"), ["ada", "ben", "cho"])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Every notebook of the course as an assignment without names, with hints and guesses."""
    out = tmp_path_factory.mktemp("whole")
    for chapter in CHAPTERS:
        _course.assign(chapter.notebook, out, exercises=list(chapter.exercises))
    return out


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.notebook)
def test_the_released_notebook_has_every_question_and_runs_unanswered(whole, chapter, monkeypatch):
    folder = whole / "handout" / "everyone" / chapter.notebook
    notebook = json.loads((folder / f"{chapter.notebook}.ipynb").read_text("utf-8"))
    monkeypatch.chdir(folder)
    space: dict = {}
    seen = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            tree = ast.parse(source)
            last = ast.unparse(tree.body[-1]) if ".check(" in source else None
            exec(compile(tree, "<cell>", "exec"), space)
            if last:
                verdict = eval(last, space)
                seen.append(verdict.exercise)
                assert verdict.outcome == "not attempted", source
    assert seen == list(chapter.exercises)
    text = json.dumps(notebook)
    assert "BEGIN HIDDEN" not in text and "hidden_test" not in text


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.notebook)
def test_the_public_check_knows_right_from_wrong_and_never_says_all(whole, chapter):
    handout = load_assignment(whole / "handout" / "everyone" / chapter.notebook / "assignment.json")
    for exercise in chapter.exercises.values():
        question = getattr(handout, exercise.name)
        if isinstance(exercise, FunctionExercise):
            verdict = question.check(exercise.function)
            n = re.fullmatch(r"Public checks passed: (\d+) of (\d+)\.", verdict.title)
            assert n and n[1] == n[2] and verdict.outcome == "note" and "Hidden checks" in verdict.body[0]
            for name, wrong in exercise.wrong.items():
                verdict = question.check(wrong.answer)
                n = re.fullmatch(r"Public checks passed: (\d+) of (\d+)\.", verdict.title)
                assert n, name
                assert verdict.outcome == (
                    "note" if n[1] == n[2] and verdict.diagnosis != "changed_input" else "not yet"
                )
        else:
            verdict = question.check(exercise.right_answer)
            assert verdict.outcome == "note" and verdict.title.startswith("Noted")
            if isinstance(exercise, Choice | Reading):  # right and wrong are noted alike: nothing to try out
                wrong = next(w.answer for n, w in exercise.wrong.items() if n.startswith(("option_", "off")))
                other = question.check(wrong)
                assert (other.tone, other.body) == (verdict.tone, verdict.body)
        for junk in (object(), [], "ä" * 30_000, np.nan, ...):
            assert question.check(junk).outcome in {"not yet", "not attempted", "note"}


def loose_words(text):
    """The words of any text: names, numbers and signs, one by one."""
    return re.findall(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|[^\s\w]", text.replace("×", "*").replace("−", "-"))


def grams(tokens, n):
    return {tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}


def decoded(path):
    """All text of a file: JSON's strings as they read, pictures left out."""
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix in (".ipynb", ".json"):
        strings = []

        def collect(value):
            if isinstance(value, dict):
                for key, inner in value.items():
                    collect(inner) if key != "image/png" else None
            elif isinstance(value, list):
                if all(isinstance(one, str) for one in value):
                    strings.append("".join(value))
                for inner in value:
                    collect(inner)
            elif isinstance(value, str):
                strings.append(value)

        collect(json.loads(text))
        return "\n".join(strings)
    return text


def test_no_file_of_an_assignment_holds_a_solution(whole):
    """No run of seven words of a worked answer is in any file but our own notes, where the lesson has not said it."""
    n = 7
    artefact, lesson = set(), set()
    for path in sorted(whole.rglob("*")):
        if path.is_file() and "instructor" not in path.parts:
            artefact |= grams(loose_words(decoded(path)), n)
    for path in notebooks_folder().glob("*.ipynb"):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "markdown" or "exercise" in cell["metadata"].get("tags", []):  # prompts and stubs
                lesson |= grams(loose_words("".join(cell["source"])), n)
    artefact -= lesson
    for chapter in CHAPTERS:
        for exercise in chapter.exercises.values():
            if isinstance(exercise, FunctionExercise):
                tree = ast.parse(exercise.right_code).body[0]
                body = "\n".join(ast.unparse(step) for step in tree.body[1:])  # the docstring is in the stub
                assert not grams(loose_words(body), n) & artefact, exercise.id
            if isinstance(exercise, Choice):
                for _, why in exercise.options.values():
                    assert not grams(loose_words(why), n) & artefact, exercise.id
            if isinstance(exercise, Written):
                assert not grams(loose_words(exercise.example), n) & artefact, exercise.id
            if isinstance(exercise, Reading):
                assert f"{exercise.right_answer:.4g}" not in decoded(
                    whole / "handout" / "everyone" / chapter.notebook / "assignment.json"
                )


def test_the_comparison_would_find_a_solution(whole, tmp_path):
    exercise = next(e for e in CHAPTERS[5].exercises.values() if isinstance(e, FunctionExercise))
    body = "\n".join(exercise.right_code.splitlines()[1:])
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"deep": [{"source": [line + "\n" for line in body.splitlines()]}]}))
    found = grams(loose_words(decoded(path)), 4)
    assert grams(loose_words("\n".join(body.splitlines()[1:])), 4) & found


def test_a_handout_cannot_be_asked_for_a_solution(whole):
    handout = load_assignment(whole / "handout" / "everyone" / NAME / "assignment.json")
    assert "no worked answers" in repr(handout.auc_by_pairs.solution())
    assert not hasattr(handout.auc_by_pairs, "function")
    with pytest.raises(AttributeError, match="has no question 'nothing'"):
        _ = handout.nothing
    with pytest.raises(ValueError, match="no personal part"):
        _ = handout.mine


def test_hints_are_there_only_where_they_are_allowed(whole, tmp_path):
    allowed = load_assignment(whole / "handout" / "everyone" / NAME / "assignment.json")
    exercise = next(c for c in CHAPTERS if c.notebook == NAME).exercises["auc_by_pairs"]
    assert [allowed.auc_by_pairs.hint().body[0] for _ in range(4)] == [exercise.hints[0], *[exercise.hints[1]] * 3]
    _course.assign("06", tmp_path, hints=False)
    path = tmp_path / "handout" / "everyone" / NAME / "assignment.json"
    assert "gives no hints" in repr(load_assignment(path).auc_by_pairs.hint())
    assert all(hint not in decoded(path) for hint in exercise.hints)


# --- personal ---------------------------------------------------------------------------------------------------------


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_same_key_makes_the_same_class_again(room, tmp_path):
    again = Classroom(tmp_path, ["ada", "ben", "cho"])
    assert files(room.course / "handout") == files(again.course / "handout")
    assert files(room.course / "instructor") == files(again.course / "instructor")


def test_another_key_and_another_student_make_others(room, tmp_path):
    (tmp_path / "instructor.key").write_text("22" * 32, "ascii")
    other = Classroom(tmp_path, ["ada", "ben", "cho"])
    assert len({room.right_answers(s)["my_auc"] for s in room.students}) == 3
    for student in room.students:
        assert room.right_answers(student)["my_auc"] != other.right_answers(student)["my_auc"]


def test_options_stand_in_each_students_own_order(tmp_path):
    room = Classroom(tmp_path, ["s0", "s1"], number="07")
    exercise, many = room.exercises["always_member"], [f"s{i}" for i in range(12)]
    orders = {s: _course.option_orders([exercise], room.secret, room.name, s)["always_member"] for s in many}
    assert len({order[exercise.answer] for order in orders.values()}) == 4
    for student in room.students:
        order = orders[student]
        assert sorted(order) == sorted(order.values()) == sorted(exercise.options)
        text = "".join("".join(c["source"]) for c in room.handout(student)["cells"])
        for letter, (option, _) in exercise.options.items():
            assert f"- **{order[letter]})** {option}" in text


def test_what_a_student_holds_says_nothing_of_the_key(room):
    for path in (room.course / "handout").rglob("*"):
        if path.is_file():
            text = path.read_bytes()
            assert room.secret.hex().encode() not in text and room.secret not in text
            assert base64.b64encode(room.secret) not in text


def test_own_model_answers_about_own_flowers_alone(room):
    handout = load_assignment(room.course / "handout" / "ada" / NAME / "assignment.json")
    mine = handout.mine
    assert isinstance(handout, Handout) and mine.X.shape == (150, 4) and 65 <= mine.is_member.sum() <= 85
    proba = mine.model.predict_proba(mine.X[3:5])
    assert proba.shape == (2, 3) and np.allclose(proba.sum(axis=1), 1)
    assert (mine.model.predict(mine.X) == mine.model.predict_proba(mine.X).argmax(axis=1)).all()
    with pytest.raises(ValueError, match=r"not in `mine\.X`"):
        mine.model.predict_proba(mine.X + 1)


@pytest.mark.parametrize("number", range(21))
def test_every_notebook_has_questions_of_its_own_and_each_has_one_answer(number):
    asked = _personal.questions(number)
    assert 1 <= len(asked) <= _personal.MOST_QUESTIONS and all(q.since <= number for q in asked)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_guesses_are_left_out_unless_they_are_asked_for():
    chapter = next(c for c in CHAPTERS if c.notebook == NAME)
    assert not any(isinstance(e, Prediction) for e in _assignment.choose(chapter, None))
    assert [e.name for e in _assignment.choose(chapter, ["auc_by_pairs", "predict_auc"])] == [
        "predict_auc",
        "auc_by_pairs",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["99", "--out", "c"], "'99' is not in the course; give one of 00, 01, 02"),
        (["06", "--out", "c", "--exercises", "auc"], "auc: not in 06_the_first_attack, which has"),
        (["06", "--out", "c", "--roster", "r.csv"], "roster and key belong together"),
        (["06", "--out", "c", "--roster", "none.csv", "--key", "k"], "roster='none.csv' is no file"),
        (["06", "--out", "c", "--roster", "r.csv", "--key", "none"], "--new-key none` makes one"),
        (["06", "--out", "c", "--roster", "bad.csv", "--key", "k"], "line 3: '../ada' cannot name a folder"),
        (["06", "--out", "c", "--roster", "twice.csv", "--key", "k"], "'Ada' is on line 2 already"),
        (["06", "--out", "c", "--roster", "other.csv", "--key", "k"], "no column `student`"),
        (["06", "--out", "c", "--roster", "r.csv", "--key", "short"], "too short to be secret"),
        (["06", "--out", "c", "--roster", "r.csv", "--key", "r.csv"], "is no key"),
        (["--new-key", "k"], "is there already"),
        (["06"], "say which notebook and where"),
    ],
)
def test_bad_words_get_one_sentence(words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "k").write_text("11" * 32)
    (tmp_path / "short").write_text("1122")
    for name, text in (("r", "student\nada\n"), ("bad", "student\nben\n../ada\n"), ("twice", "student\nada\nAda\n"),
                       ("other", "name\nada\n")):  # fmt: skip
        (tmp_path / f"{name}.csv").write_text(text)
    assert cli.main(["assign", *words]) == 1
    error = capsys.readouterr().err
    assert says in error and len(error.splitlines()) == 1
    assert not (tmp_path / "c" / "handout").exists()


def test_an_assignment_is_not_made_twice_and_a_class_does_not_shrink(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.csv").write_text("student\nada\nben\n")
    (tmp_path / "r2.csv").write_text("student\nada\n")
    (tmp_path / "r3.csv").write_text("student\nzoe\nyan\n")
    assert cli.main(["assign", "--new-key", "k"]) == 0
    assert (tmp_path / "k").stat().st_mode & 0o077 == 0
    words = ["assign", "00", "--roster", "r.csv", "--key", "k", "--out", "c"]
    assert cli.main(words) == 0
    assert "For 2 students" in capsys.readouterr().out
    assert cli.main(words) == 1
    assert "holds 00_start_here already" in capsys.readouterr().err
    assert cli.main(["assign", "01", "--roster", "r3.csv", "--key", "k", "--out", "c"]) == 1
    assert "is it another class's?" in capsys.readouterr().err
    assert cli.main(["assign", "01", "--roster", "r2.csv", "--key", "k", "--out", "c"]) == 0
    assert "No longer on the roster, so no longer graded: ben." in capsys.readouterr().out
    assert _keys.read_roster(tmp_path / "c" / "instructor" / "roster.csv") == [_keys.Student("ada")]
    assert (tmp_path / "c" / "handout" / "ben" / "00_start_here").is_dir()


def test_a_grown_roster_adds_the_new_students_handouts_and_changes_nobodys(tmp_path, capsys):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    small, whole = Classroom(tmp_path / "a", ["ada", "ben"]), Classroom(tmp_path / "b", ["dara", "ben", "ada"])
    before = files(small.course)
    roster = tmp_path / "b" / "roster.csv"
    words = ["assign", "06", "--roster", str(roster), "--key", str(small.key), "--out", str(small.course)]
    assert cli.main(words) == 0
    assert "new handouts for dara" in capsys.readouterr().out
    assert files(small.course / "handout") == files(whole.course / "handout")  # as if dara had been there
    after = files(small.course)
    changed = {name for name in after if after[name] != before.get(name)}
    assert all("dara" in name or name == "instructor/roster.csv" for name in changed)
    assert cli.main(words) == 1  # nobody is new any more
    assert "holds 06_the_first_attack already" in capsys.readouterr().err
    assert cli.main([*words[:2], "--exercises", "auc_by_pairs", *words[2:-1], str(small.course)]) == 1


def test_a_grown_class_keeps_its_hints_and_its_choice_of_exercises(tmp_path):
    _course.assign("06", tmp_path / "c", exercises=["auc_by_pairs"], hints=False, **drawn_from(tmp_path, "ada"))
    made = _course.assign("06", tmp_path / "c", **drawn_from(tmp_path, "ada", "dara"))
    assert [folder.parent.name for folder in made.handouts] == ["dara"]
    handout = load_assignment(made.handouts[0] / "assignment.json")
    assert "gives no hints" in repr(handout.auc_by_pairs.hint()) and "guess_members" not in handout.questions
    with pytest.raises(ValueError, match="is there with auc_by_pairs"):
        _course.assign("06", tmp_path / "c", exercises=["guess_members"], **drawn_from(tmp_path, "ada", "dara", "eve"))


@pytest.mark.parametrize(
    "text", ["Student;Name\nada;Ada\n", "\ufeffSTUDENT\tName\nada\tAda\n", " student ,name\nada,Ada\n"]
)
def test_rosters_are_read_as_spreadsheets_save_them(tmp_path, text):
    (tmp_path / "r.csv").write_text(text, "utf-8")
    assert _keys.read_roster(tmp_path / "r.csv") == [_keys.Student("ada", "Ada")]


def test_a_roster_without_the_column_is_told_which_it_has(tmp_path):
    (tmp_path / "r.csv").write_text("Login;Name\nada;Ada\n")
    with pytest.raises(ValueError, match="no column `student`; its columns are: login, name"):
        _keys.read_roster(tmp_path / "r.csv")


def test_words_of_the_key_do_not_run_together():
    key = b"k" * 32
    assert len({_keys.derive(key, *words) for words in (("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ())}) == 5
    assert _keys.generator(key, "a").integers(2**60) == _keys.generator(key, "a").integers(2**60)


def test_a_damaged_or_missing_assignment_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="keep it in the notebook's folder"):
        load_assignment(tmp_path / "assignment.json")
    for text, says in (("{", "is damaged"), ('{"format": 2}', "another version"), ("[]", "another version")):
        (tmp_path / "assignment.json").write_text(text)
        with pytest.raises(ValueError, match=says):
            load_assignment(tmp_path / "assignment.json")


@pytest.mark.parametrize("personal", [True, False])
def test_a_fault_is_mended_and_what_was_released_is_kept(tmp_path, monkeypatch, personal, capsys):
    words = ["assign", "00", "--out", str(tmp_path / "c")]
    if personal:
        for option, path in drawn_from(tmp_path, "ada", "ben").items():
            words += [f"--{option}", str(path)]
    assert cli.main([*words, "--no-hints"]) == 0
    name, course = "00_start_here", tmp_path / "c"
    before = files(course)
    text = _assignment._SETUP + "  # mended"
    monkeypatch.setattr(_assignment, "_SETUP", text)
    if personal:
        drawn_from(tmp_path, "ada", "ben", "dara")
    make, calls = _nbgrader.release, []
    monkeypatch.setattr(_nbgrader, "release", lambda *a: calls.append(a) or (make(*a) if len(calls) > 1 else 1 / 0))
    with pytest.raises(ZeroDivisionError):  # interrupted, and begun again
        cli.main([*words, "--mend"])
    assert cli.main([*words, "--mend"]) == 0
    assert "00_start_here, release 2: " in capsys.readouterr().out
    (kept,) = _course.earlier_releases(course, name)
    place = str(kept.relative_to(course)) + "/"
    after = files(course)
    for folder in ("source", "release", "handout", f"instructor/{name}"):
        for file in before:
            if file.startswith(folder):
                assert after[place + file] == before[file], file
                assert after[file] != before[file], file
    everyone = ["ada", "ben", "dara"] if personal else ["everyone"]
    for student in everyone:
        notebook = json.loads(after[f"handout/{student}/{name}/{name}.ipynb"])
        assert notebook["metadata"]["mialab"]["release"] == 2
        assert "This is release 2." in "".join(notebook["cells"][0]["source"])
        handout = json.loads(after[f"handout/{student}/{name}/assignment.json"])
        assert handout["release"] == 2 and not handout["hints"]
    if personal:
        mine = [json.loads(found[f"handout/ada/{name}/assignment.json"])["own"] for found in (before, after)]
        assert mine[0] == mine[1]
    settings = [json.loads(found[f"instructor/{name}.json"]) for found in (before, after)]
    assert settings[1] == settings[0] | {"release": 2}


def test_what_cannot_be_mended_is_refused_and_nothing_changes(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="holds no 00_start_here that could be mended"):
        _course.assign("00", tmp_path / "c", mend=True)
    _course.assign("00", tmp_path / "c")
    before = files(tmp_path / "c")
    with pytest.raises(ValueError, match="key is not the one that 00_start_here was made with"):
        _course.assign("00", tmp_path / "c", mend=True, **drawn_from(tmp_path, "ada"))
    exercise = next(iter(_assignment.choose(_assignment.find_chapter("00"), None)))
    monkeypatch.setattr(exercise, "points", exercise.points + 1)
    with pytest.raises(ValueError, match=f"mend: {exercise.name} has other points or options now"):
        _course.assign("00", tmp_path / "c", mend=True)
    assert files(tmp_path / "c") == before
    with pytest.raises(ValueError, match="holds 00_start_here already, and students may have it: --mend releases"):
        _course.assign("00", tmp_path / "c")
    assert cli.main(["assign", "challenge", "--out", str(tmp_path / "c"), "--mend"]) == 1


def test_who_joins_later_is_given_the_challenge_too(tmp_path):
    given = drawn_from(tmp_path, "ada")
    _challenge.assign_challenge(tmp_path / "c", url="http://lab.example.org:8000", budget=200, **given)
    before = files(tmp_path / "c" / "handout" / "ada")
    drawn_from(tmp_path, "ada", "dara")
    (folder,) = _challenge.assign_challenge(tmp_path / "c", **given)
    assert folder.parent.name == "dara" and files(tmp_path / "c" / "handout" / "ada") == before
    readme = (folder / "README.md").read_text("utf-8")
    assert "http://lab.example.org:8000" in readme and "200 records" in " ".join(readme.split())
    with pytest.raises(ValueError, match="holds a challenge already"):
        _challenge.assign_challenge(tmp_path / "c", **given)
