"""What a grade hangs on beside the checks: seals, letters, copies, and what an instructor decides."""

import csv
import io
import os
import zipfile
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pytest

from mialab import cli
from mialab.exercises import the_flowers
from mialab.exercises.handout import Handout
from mialab.instructor._class import Graded
from mialab.instructor.grading import _collected, _grading, _intake
from mialab.instructor.grading._grading import Result
from mialab.instructor.grading._judge import Judge, Mark
from mialab.instructor.making import _keys, _personal, _tables
from mialab.instructor.reporting import _pages, _rules

KEY, NAME = b"k" * 32, "06_the_first_attack"
JUDGE = SimpleNamespace(settings={"personal": True}, key=KEY, name=NAME)
CHOICE = the_flowers.what_makes_a_member
DRESSED = ["{}", " {}", "{})", "({})", "{}.", "{}:", "[{}]", "\n{}\t", "'{}'", "**{}**"]


def marks(*points):
    return [Mark(name, float(p), 2, "correct") for name, p in zip("abc", points, strict=False)]


# --- letters and seals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dress", DRESSED)
def test_a_letter_is_cleaned_before_it_is_put_into_the_order_of_the_others(dress):
    for student in ("ada", "ben", "cho"):
        seen_as = _personal.shuffled(KEY, NAME, student, CHOICE.name, list(CHOICE.options))
        for own, shown in seen_as.items():
            for letter in (shown, shown.upper()):
                meant = Judge._own_letter(JUDGE, CHOICE, student, dress.format(letter))
                assert (CHOICE.judge(meant).outcome == "correct") == (own == CHOICE.answer), (student, own, letter)
    asked = {"kind": "choice", "options": list(CHOICE.options), "points": 1, "minutes": 2}
    ex = Handout({"assignment": "06", "student": "ada", "hints": False, "exercises": {"odds": asked}})
    assert ex.odds.check(dress.format("B")).title == "Noted: b."


def sealed(student, key=KEY):
    return {"metadata": {"mialab": {"student": student, "tag": _keys.secret(key, "tag", NAME, student)}}}


@pytest.mark.parametrize(
    ("notebook", "says"),
    [
        (sealed("ada"), ""),
        (sealed("ben"), "handed out to ben"),
        (sealed("ada", b"x" * 32), "changed by hand"),
        ({"metadata": {"mialab": {**sealed("ben")["metadata"]["mialab"], "student": "ada"}}}, "changed by hand"),
        ({"metadata": {"mialab": {"student": "ada"}}}, "changed by hand"),
        ({"metadata": {"mialab": {"student": ["ada"], "tag": 3}}}, "changed by hand"),
        ({"metadata": {"mialab": {"tag": sealed("ada")["metadata"]["mialab"]["tag"]}}}, "no longer says"),
        ({"metadata": {"mialab": None}}, "no longer says"),
        ({"metadata": []}, "no longer says"),
        ({}, "no longer says"),
    ],
)
def test_a_notebook_without_the_seal_of_its_student_is_never_taken_without_a_word(notebook, says):
    found = _grading._whose(JUDGE, "ada", notebook)
    assert says in " ".join(found) and bool(found) == bool(says)


# --- what is alike ---------------------------------------------------------------------------------------------------

ESSAY = (
    "A model that is surer of its members than of strangers tells who was in its training set, and that can be known "
    "of a patient whose record was used, even where nobody reads the record itself."
)


def test_texts_are_alike_when_most_of_their_words_stand_in_the_same_order():
    said = {"ada": ESSAY, "ben": "In my view: " + ESSAY.upper(), "cho": ESSAY.replace("patient", "person") + " Yes.",
            "dee": "The attack needs only answers. It compares confidence, and whoever was learnt by heart is found "
            "out that way.", "eli": "It depends on the model.", "fay": "It depends on the model."}  # fmt: skip
    assert _pages.alike_texts(said) == [["ada", "ben", "cho"]]


def test_code_is_alike_word_for_word_and_only_where_it_is_long():
    stub = "def f(a, b):\n    ..."
    short = "def f(a, b):\n    wins = (a[:, None] > b).mean()\n    return wins + (a[:, None] == b).mean() / 2"
    long = short + "\n# I looked at every pair and counted a draw as half a win, as the lesson says about ties in AUC"
    assert _intake._code(short, stub) is None  # two people who think alike write this
    assert _intake._code(long, stub) == _intake._code(long.replace("\n    return", "\n\n    return"), stub) is not None
    assert _intake._code(long.replace("draw", "tie"), stub) != _intake._code(long, stub)


def test_two_errors_are_not_told_in_one_students_words():
    raised = [Mark("auc", 0.0, 2, "not yet", "raises", (f"It raised {kind}.",)) for kind in ("KeyError", "TypeError")]
    results = [Result(s, NAME, "graded", [mark]) for s, mark in zip("abc", [*raised, raised[1]], strict=True)]
    found = _pages._misconceptions(results)
    assert found == [(2, "auc", "It raised TypeError."), (1, "auc", "It raised KeyError.")]


def test_the_page_of_who_left_does_not_stay(tmp_path):
    _pages.write_feedback([Result(s, NAME, "graded", marks(1)) for s in ("ada", "ben")], {}, tmp_path)
    _pages.write_feedback([Result("ada", NAME, "graded", marks(1))], {}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["ada.html"]


# --- tables and rosters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["=1+1", "a;=1+1", "x\n@SUM(A1)", "\t=1", "-1", "a\t+1", 'say "=1";=2'])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_begins_a_formula_whatever_separates_the_cells(text, separator):
    written = _tables.write_table(["who", "answer"], [["ada", text]])
    for row in csv.reader(io.StringIO(written), delimiter=separator):
        assert not any(cell.lstrip('"')[:1] in ("=", "+", "-", "@", "\t") for cell in row if cell), row


def roster(tmp_path, text):
    (tmp_path / "r.csv").write_text(text, "utf-8")
    return _keys.read_roster(tmp_path / "r.csv")


def test_ids_of_any_script_are_read(tmp_path):
    ids = ["ada.l", "ben@uni.example", "José", "张伟", "Ольга-2", "आर्या"]
    assert [s.id for s in roster(tmp_path, "student\n" + "\n".join(ids))] == ids
    assert roster(tmp_path, "student\nJose\u0301\n")[0].id == "Jos\u00e9"  # one way to write it


def test_all_faults_of_a_roster_are_named_at_once(tmp_path):
    lines = ['ada,"Smith, John",1,and more', "../up,X,", "ben,B,two", "BEN,B,2", ",nobody,", 'cho,"Li, C",1.5']
    text = "\n".join(["student,name,extra_days", *lines])
    with pytest.raises(ValueError, match="roster=") as error:
        roster(tmp_path, text)
    for words in ("line 2: ", "quotation marks", "line 3: '../up'", "line 4: extra_days is 'two'", "line 5: 'BEN'",
                  "on line 4 already", "line 6: ''"):  # fmt: skip
        assert words in str(error.value), words
    assert "line 7" not in str(error.value)


# --- decisions -------------------------------------------------------------------------------------------------------


def test_a_dropped_question_counts_for_nobody():
    results = [Result("ada", NAME, "graded", marks(2, 0)), Result("ben", NAME, "missing", marks(0, 0))]
    for word in ("b", "06.b"):
        assert [(r.points, r.of) for r in _rules.without_dropped(results, [word])] == [(2, 2), (0, 2)]
    assert _rules.without_dropped(results, ["06.b"]) != results and _rules.without_dropped(results, []) == results
    with pytest.raises(ValueError, match=r"drop=d is no question of these assignments: 06\.a, 06\.b, a, b"):
        _rules.check_dropped(["d", "06.b"], [(NAME, "a"), (NAME, "b")])
    _rules.check_dropped(["06.a", "b"], [(NAME, "a"), (NAME, "b")])


@pytest.mark.parametrize(("handed_in", "days"), [("2026-12-01T17:59", 0), ("2026-12-01T18:00", 0),
                                                 ("2026-12-01T18:01", 1), ("2026-12-03T18:00", 2),
                                                 ("2027-03-01T00:00", 90)])  # fmt: skip
@pytest.mark.parametrize(("assignment", "name"), [(NAME, f"{NAME}.ipynb"), (NAME, "my own name.ipynb"),
                                                  ("challenge", "scores.csv")])  # fmt: skip
@pytest.mark.parametrize("noted", [True, False])
def test_days_late_are_counted_from_the_archive_or_the_file(tmp_path, handed_in, days, noted, assignment, name):
    import hashlib

    file, course = tmp_path / "elsewhere" / "ada" / assignment / name, tmp_path / "course"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    when = datetime.fromisoformat(handed_in)
    os.utime(file, (0, (datetime(2030, 1, 1) if noted else when).timestamp()))
    if noted:
        digest = hashlib.sha256(b"{}").hexdigest()[:12]
        _collected.add(course, [_collected.Line("ada", assignment, name, handed_in, "LATE", digest)])
    due = _rules.read_due([f"{assignment[:2] if assignment == NAME else assignment}=2026-12-01T18:00"], [assignment])

    def late(*students):
        result = Result("ada", assignment, "graded", marks(2, 2))
        return _rules.with_lateness([result], tmp_path / "elsewhere", course, due, students, 10)[0]

    assert (late().late, late().points) == (days, pytest.approx(4 * max(0, 1 - days / 10)))
    assert [f"late: {min(100, 10 * days)}% of the points are taken off." in note for note in late().notes] == [True] * (
        days > 0
    )
    free = _rules.with_lateness([Result("ada", assignment, "graded", marks(2, 2))], file.parents[2], course, due, [])
    said = f"Handed in {days} day{'s' * (days > 1)} late."
    assert free[0].points == 4 and free[0].notes == ((said,) if days else ())  # named, though it costs nothing
    assert (f"Handed in late: ada ({assignment[:2]}" in str(Graded(free, tmp_path))) == (days > 0)
    assert late(_keys.Student("ada", extra_days="2")).late == max(0, days - 2)
    assert bool(late().asides) == (noted and days == 0)  # the system's own mark is told where the dates say otherwise


def test_a_large_class_s_late_ones_are_counted_on_the_screen(tmp_path):
    late = [Result(f"s{n:02}", NAME, "graded", marks(2, 2), late=1) for n in range(12)]
    said = next(line for line in str(Graded(late, tmp_path)).splitlines() if line.startswith("Handed in late"))
    assert said.count("1 day)") == 10 and said.endswith("s09 (06, 1 day) and 2 more: days_late in grades.csv.")


def test_a_date_alone_is_its_whole_day_and_nonsense_is_named():
    assert _rules.read_due(["06=2026-12-01"], [NAME]) == {NAME: datetime(2026, 12, 2)}
    assert _rules.read_due(["06=2026-12-01T18:00+00:00"], [NAME])[NAME].tzinfo is None  # on this machine's clock
    for word, says in (("06", "should be an assignment and a date"), ("06=soon", "should be"), ("08=2026-12-01", "no")):
        with pytest.raises(ValueError, match=says):
            _rules.read_due([word], [NAME])


# --- where a student opens it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [True, False])
def test_a_hand_out_is_opened_in_one_step_and_never_overwritten(tmp_path, monkeypatch, capsys, packed):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "Downloads" / "ada" / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").write_text("given")
    (folder / "assignment.json").write_text("{}")
    path = folder
    if packed:
        path = tmp_path / "ada.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in folder.iterdir():
                archive.write(file, f"{NAME}/{file.name}")
    words = ["lab", "--no-open", "--workbook", "mine", "--assignment", str(path)]
    mine = tmp_path / "mine" / "assignments" / NAME / f"{NAME}.ipynb"
    assert cli.main(words) == 0 and mine.read_text() == "given" and "Hand in that file" in capsys.readouterr().out
    mine.write_text("answered")
    assert cli.main(words) == 0 and mine.read_text() == "answered"
    (folder / "assignment.json").write_text('{"release": 2}')  # a later one lies beside the first
    (folder / f"{NAME}.ipynb").write_text("mended")
    assert cli.main([*words[:-1], str(folder)]) == 0 and mine.read_text() == "answered"
    second = mine.parent.with_name(f"{NAME}_release_2") / mine.name
    assert second.read_text() == "mended" and str(second) in capsys.readouterr().out
    assert cli.main([*words[:-1], str(tmp_path / "mine" / "nowhere")]) == 1
    assert "is no hand-out" in capsys.readouterr().err
    assert np.array_equal(sorted(p.name for p in mine.parent.iterdir()), [f"{NAME}.ipynb", "assignment.json"])
