"""What is written of a graded class, the grading of it interrupted, and the machine without a sandbox."""

from __future__ import annotations

import copy
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime

import pytest
from classroom import NAME, Classroom, solution_cell, table

from mialab import cli
from mialab.exercises._engine._plain import to_json
from mialab.instructor._class import Graded, grade_class
from mialab.instructor.grading import _grading, _judge, _sandbox, _strays
from mialab.instructor.grading._grading import Result
from mialab.instructor.grading._judge import Mark
from mialab.instructor.making import _course
from mialab.instructor.making._keys import Student
from mialab.instructor.reporting import _pages, _reports, _rules

pytest.importorskip("nbgrader")
pytestmark = pytest.mark.long  # classes are made, with nbgrader


def rewrite(path, lines, encoding="utf-8", delimiter=","):
    """Write a table as a person's tools might."""
    with open(path, "w", newline="", encoding=encoding, errors="replace") as file:
        writer = csv.DictWriter(file, lines[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(lines)


def result(student, *marks, **about):
    return Result(student, NAME, about.pop("status", "graded"), list(marks), **about)


WRONG = Mark(
    "auc_by_pairs", 0.0, 2, "not yet", "ties_lose", ("You count `a < b` <b>twice</b>.",), 3, 9, "Count the pairs"
)
RIGHT = Mark("guess_members", 1.0, 1, "correct", passed=10, cases=10)
UNREAD = Mark("tell", None, 3, "to be read", answer="=HYPERLINK(1) because\nof that")


# --- tables and pages ------------------------------------------------------------------------------------------------


def test_grades_have_a_line_for_each_question(tmp_path):
    _reports.write_tables([result("ada", RIGHT, WRONG, notes=("odd",)), result("ben", WRONG)], tmp_path, [])
    lines = table(tmp_path / "grades.csv")
    assert [(x["student"], x["question"], x["points"]) for x in lines] == [
        ("ada", "guess_members", "1"),
        ("ada", "auc_by_pairs", "0"),
        ("ben", "auc_by_pairs", "0"),
    ]
    assert lines[1]["diagnosis"] == "ties_lose" and (lines[1]["passed"], lines[1]["checks"]) == ("3", "9")
    assert lines[0]["notes"] == "odd"


def test_learning_management_systems_get_their_own_shape(tmp_path):
    roster = [Student("ada", "Ada L", "ada@example.org", "17"), Student("ben", "Ben", "ben@example.org", "18")]
    _reports.write_tables(
        [result("ada", RIGHT, UNREAD._replace(points=0.0)), result("ben", RIGHT, UNREAD)], tmp_path, roster
    )
    with open(tmp_path / "canvas.csv", newline="", encoding="utf-8") as file:
        head, possible, ada, ben = csv.reader(file)
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", NAME]
    assert possible[0].strip() == "Points Possible" and possible[5] == "4"
    assert ada == ["Ada L", "17", "", "ada", "", "1"]
    assert ben[5] == ""  # an answer waits for its reader: no grade yet
    moodle = table(tmp_path / "moodle.csv")
    assert moodle[0] == {"username": "ada", "email": "ada@example.org", "idnumber": "17", NAME: "1"}


def test_what_a_person_wrote_beside_an_answer_is_kept_and_counts(tmp_path):
    results = [result("ada", UNREAD), result("ben", UNREAD._replace(answer="another"))]
    _reports.write_tables(results, tmp_path, [])
    lines = table(tmp_path / "written.csv")
    assert lines[0]["answer"].startswith("'=HYPERLINK") and lines[0]["points"] == ""  # no formula for a spreadsheet
    lines[0] |= {"points": "2,5", "comment": "Well argued."}
    rewrite(tmp_path / "written.csv", lines, "utf-8-sig")
    for _ in range(2):  # and again, for what was kept is read from what was written
        read, comments, unmatched = _reports.with_read_answers(results, tmp_path)
        assert [r.points for r in read] == [2.5, 0.0] and [r.complete for r in read] == [True, False]
        assert unmatched == 0
        assert comments == {("ada", NAME, "tell"): "Well argued."}
        _reports.write_tables(read, tmp_path, [])
    handed_in_again = [result("ada", UNREAD._replace(answer="a new answer"))]
    read, _, unmatched = _reports.with_read_answers(handed_in_again, tmp_path)
    assert not read[0].complete and unmatched == 1
    _reports.write_tables(read, tmp_path, [])
    assert [x["points"] for x in table(tmp_path / "written.csv")] == ["", "2,5"]


@pytest.mark.parametrize(("encoding", "delimiter"), [("cp1252", ";"), ("utf-16", "\t"), ("utf-8", ",")])
def test_points_survive_a_spreadsheet_that_spoils_the_answer(tmp_path, encoding, delimiter):
    results = [result("ada", UNREAD._replace(answer="Müller’s α ≥ 0.5 – “so”\nand more")), result("ben", UNREAD)]
    _reports.write_tables(results, tmp_path, [])
    assert (tmp_path / "written.csv").read_bytes().startswith(b"\xef\xbb\xbf")  # or it would be taken for cp1252
    first, other = table(tmp_path / "written.csv")
    rewrite(tmp_path / "written.csv", [first | {"points": "3", "comment": "Schön."}, other], encoding, delimiter)
    read, comments, unmatched = _reports.with_read_answers(results, tmp_path)
    assert read[0].points == 3 and comments == {("ada", NAME, "tell"): "Schön."} and unmatched == 0
    _reports.write_tables(read, tmp_path, [])
    lines = table(tmp_path / "written.csv")
    assert len(lines) == 2 and "α ≥" in lines[0]["answer"] and lines[0]["points"] == "3"
    assert not any(re.fullmatch(r"[\d.]+(e\d+)?", line["id"]) for line in lines)  # no number for a spreadsheet


def test_points_that_match_no_answer_are_counted_aloud(tmp_path):
    results = [result("ada", UNREAD), result("ben", UNREAD)]
    _reports.write_tables(results, tmp_path, [])
    lines = table(tmp_path / "written.csv")
    rewrite(tmp_path / "written.csv", [line | {"id": "x" + line["id"], "points": "1"} for line in lines])
    _, _, unmatched = _reports.with_read_answers(results, tmp_path)
    assert unmatched == 2
    said = str(Graded(results, tmp_path, unmatched=unmatched))
    assert "2 lines have points but match no answer" in said
    _pages.write_summary(results, tmp_path / "summary.html", unmatched=unmatched)
    assert "2 lines have points but match no answer" in (tmp_path / "summary.html").read_text("utf-8")


def test_readers_who_share_the_work_may_put_their_copies_below_one_another(tmp_path):
    results = [result("ada", UNREAD), result("ben", UNREAD)]
    path = tmp_path / "written.csv"
    _reports.write_tables(results, tmp_path, [])
    lines = table(path)
    both = [lines[0] | {"points": "1"}, lines[1], lines[0], lines[1] | {"points": "2", "comment": "Good."}]
    rewrite(path, both)
    read, comments, unmatched = _reports.with_read_answers(results, tmp_path)
    assert [r.points for r in read] == [1, 2] and comments == {("ben", NAME, "tell"): "Good."} and not unmatched
    rewrite(path, [*both, lines[0] | {"points": "3"}])
    with pytest.raises(ValueError, match="two points for one answer, '1' and '3'"):
        _reports.with_read_answers(results, tmp_path)


def test_an_earlier_versions_written_answers_are_known_again(tmp_path):
    results = [result("ada", UNREAD)]
    _reports.write_tables(results, tmp_path, [])
    (line,) = table(tmp_path / "written.csv")
    old = {name: value for name, value in line.items() if name not in ("id", "note")} | {"points": "2"}
    rewrite(tmp_path / "written.csv", [old])
    read, _, unmatched = _reports.with_read_answers(results, tmp_path)
    assert read[0].points == 2 and unmatched == 0


MISSING = Mark("guess_members", 0.0, 1, "not handed in")


def test_what_is_missing_is_no_zero_unless_that_is_said(tmp_path):
    """It may not be due yet; and what the instructor must still decide is no grade either."""
    results = [
        result("ada", RIGHT),
        result("ben", MISSING, status="missing"),
        result("cho", RIGHT, held=True, asides=("This notebook was handed out to ada.",)),
        result("dee", MISSING, status="missing", held=True),
        result("eve", MISSING, status="not assigned"),
    ]

    def totals():
        return [line[NAME] for line in table(tmp_path / "moodle.csv")]

    _reports.write_tables(results, tmp_path, [])
    assert totals() == ["1", "", "", "", ""]
    _reports.write_tables(_rules.with_zeros(results, {}, [], datetime.now()), tmp_path, [])
    assert totals() == ["1", "0", "", "", ""]


def test_a_zero_is_given_only_for_what_is_due():
    """Past its date and the student's own days; without a date, where somebody has handed in."""
    results = [result(who, MISSING, status="missing") for who in ("ada", "ben")]
    late = [Student("ben", extra_days="3")]

    def zeros(due, *more):
        found = _rules.with_zeros([*results, *more], due, late, datetime(2026, 12, 2))
        return [r.total for r in found[:2]]

    assert zeros({}) == [None, None] and zeros({}, result("cho", RIGHT)) == [0, 0]
    assert zeros({NAME: datetime(2026, 12, 15)}, result("cho", RIGHT)) == [None, None]
    assert zeros({NAME: datetime(2026, 12, 1)}) == [0, None]


def test_a_student_is_told_no_points_where_the_gradebook_has_none(tmp_path):
    other = "07_what_an_accusation_is_worth"
    results = [
        result("ada", RIGHT),
        result("ben", MISSING, status="missing"),
        result("cho", MISSING, status="missing", held=True),
        result("dee", MISSING, status="unreadable", notes=("Its JSON is damaged.",)),
        result("eve", MISSING, status="missing", zero=True),
        Result("ben", other, "missing", [MISSING]),
    ]
    _pages.write_feedback(results, {}, tmp_path)
    page = {r.student: (tmp_path / f"{r.student}.html").read_text("utf-8") for r in results}
    whys = {"ben": "nothing was handed in", "cho": "your instructor has yet to decide", "dee": "could not be read"}
    for student, why in whys.items():
        assert f"No grade yet: {why}" in page[student].replace("your file ", ""), student
        assert "of 1 points" not in page[student] and "Not handed in" not in page[student]
    assert "1 of 1 points" in page["ada"] and "0 of 1 points" in page["eve"] and "damaged" in page["dee"]
    assert "Assignment 07" not in page["ben"]  # nobody has handed it in
    _pages.write_feedback(results[-1:], {}, tmp_path)
    assert "Nothing has been handed in yet." in (tmp_path / "ben.html").read_text("utf-8")


def test_a_held_total_waits_until_it_is_accepted_and_stays_so(tmp_path):
    results = [result("ada", RIGHT), result("cho", RIGHT, held=True, asides=("This was handed out to ada.",))]
    found, wrong = _rules.with_accepted(results, tmp_path, ["ada", "cho"])
    assert wrong == "accept=ada: nothing of theirs is held back or unreadable, but of cho"
    assert [r.held for r in found] == [False, True]
    for accept in (["cho"], []):
        found, wrong = _rules.with_accepted(results, tmp_path, accept)
        assert not wrong and not any(r.held for r in found)


def test_options_of_the_last_run_that_this_one_lacks_are_named(tmp_path):
    def told(late_off=0.0, missing_zero=False):
        due = ["06=2026-12-01"]
        return _rules.forgotten(tmp_path, due, [], late_off, missing_zero)

    assert told(late_off=10) == []
    assert told() == ["The last run had --late-off 10; this one has not, so totals may have changed."]
    assert told(missing_zero=True) == []


def test_an_unreadable_hand_in_gets_a_zero_where_it_is_accepted_and_no_other_does(tmp_path):
    broken = result("dee", MISSING, status="unreadable")
    assert _rules.with_accepted([broken], tmp_path, [])[0][0].total is None
    for accept in (["dee"], []):
        found, _ = _rules.with_accepted([broken, broken._replace(student="eve")], tmp_path, accept)
        assert [r.total for r in found] == [0, None]
    later = [broken._replace(assignment="07_x"), result("dee", RIGHT, held=True)]  # and 06 again, a neighbour's
    assert [r.total for r in _rules.with_accepted(later, tmp_path, [])[0]] == [None, None]


def test_what_is_for_the_instructor_is_not_in_the_feedback(tmp_path):
    results = [result("cho", RIGHT, notes=("To both.",), asides=("This was handed out to ada.",), held=True)]
    _pages.write_feedback(results, {}, tmp_path)
    page = (tmp_path / "cho.html").read_text("utf-8")
    assert "To both." in page and "ada" not in page
    _pages.write_summary(results, tmp_path / "summary.html")
    assert "This was handed out to ada." in (tmp_path / "summary.html").read_text("utf-8")
    assert "--accept" in str(Graded(results, tmp_path))


def test_feedback_names_only_sections_that_are_there(tmp_path):
    mine = Mark("my_auc", 0.0, 2, "not yet", "other", ("x",), section="Your own model")
    _pages.write_feedback([result("ada", mine, WRONG)], {}, tmp_path)
    page = (tmp_path / "ada.html").read_text("utf-8")
    assert "Reread “Your own model” in your assignment." in page and "“Count the pairs” in notebook 06." in page


def test_the_summary_gives_the_median_as_such(tmp_path):
    _pages.write_summary([result(f"s{i}", WRONG) for i in range(3)], tmp_path / "summary.html")
    page = (tmp_path / "summary.html").read_text("utf-8")
    assert "Median 0 of 2 points." in page and "or more" not in page


# --- out of time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alone", ["correct", "not yet"])
def test_what_was_too_slow_is_tried_again_alone_and_flagged_where_it_stays_so(tmp_path, walled, monkeypatch, alone):
    """The first run stands for a busy machine; a zero that time gave is never kept for the next run."""
    _course.assign("00", tmp_path / "c")
    (tmp_path / "c" / "submitted" / "ada" / "00_start_here").mkdir(parents=True)
    tried = []

    def one(work, how, longer=1):
        tried.append((longer, how.limits.cell))
        slow = longer == 1 or alone == "not yet"
        mark = Mark("is_member", 0.0 if slow else 1.0, 1, "not yet" if slow else alone, "too_slow" if slow else None)
        return Result(work.student, work.judge.name, "graded", [mark], slow=slow)

    monkeypatch.setattr(_grading, "_one", one)
    graded = grade_class(tmp_path / "c" / "submitted", tmp_path / "g")
    assert [longer for longer, _ in tried] == [1, _grading.LONGER] and tried[1][1] > tried[0][1]
    grade_class(tmp_path / "c" / "submitted", tmp_path / "g")
    assert len(tried) == 2
    kept, page = (
        tmp_path / "g" / "results" / "00_start_here" / "ada.json",
        (tmp_path / "g" / "summary.html").read_text(),
    )
    if alone == "correct":
        assert graded.results[0].points == 1 and kept.exists() and "Out of time" not in page
    else:
        assert kept.exists() and "Worth a look" in page and "`--again ada` tries it again" in page
        assert "tried twice and the second time alone: is_member" in page
        assert "Out of time, though tried twice: ada." in str(graded)
    grade_class(tmp_path / "c" / "submitted", tmp_path / "g", again=["ada"])
    assert len(tried) == 4


def test_a_written_answer_that_is_too_short_is_read_by_a_person(tmp_path):
    """The guide says that a person reads it; so no program may give it nothing."""
    _course.assign("19", tmp_path / "c", exercises=["memo"])
    settings = json.loads(_course.settings_file(tmp_path / "c", "19_audit_a_hospital_model").read_text("utf-8"))
    judge = _judge.Judge(settings, None, tmp_path / "c", [])
    (tmp_path / "run" / "seen").mkdir(parents=True)
    seen = tmp_path / "run" / "seen" / "memo.json"
    for answer, outcome in (
        ("word " * 60, "to be read"),
        ("We asked " + "and asked " * 10, "to be read"),
        (7, "not yet"),
    ):
        seen.write_text(json.dumps(to_json(answer)))
        (mark,) = judge.marks("ada", tmp_path / "run")
        assert (mark.outcome, mark.points) == (outcome, None if outcome == "to be read" else 0), mark
    seen.write_text(json.dumps({"text": " ".join(f"word{i}" for i in range(60))}))
    (mark,) = judge.marks("ada", tmp_path / "run")
    _reports.write_tables([Result("ada", "19_audit_a_hospital_model", "graded", [mark])], tmp_path, [])
    (line,) = table(tmp_path / "written.csv")
    assert line["note"] == "60 words are too few to argue with; write at least 80." and line["of"] == "6"


# --- in the wrong place ----------------------------------------------------------------------------------------------


def test_everything_that_nobody_claims_is_named_with_the_nearest_student(tmp_path):
    students, known = ["amira", "bo", "chen", "dara"], ["00_start_here", NAME]
    for place in ("Amira/00_start_here", "bo/00", "zzyzx/00_start_here", f"chen/{NAME}", "__MACOSX", ".git"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "chen_00_start_here.ipynb").write_text("{}")
    (tmp_path / "chen" / "notes.txt").write_text("")
    named = {"cells": [], "metadata": {"mialab": {"student": "dara"}}}
    (tmp_path / "Untitled.ipynb").write_text(json.dumps(named))
    found = {s.place: (s.student, s.assignment) for s in _strays.strays(tmp_path, students, known)}
    assert found == {
        "Amira/": ("amira", "00_start_here"),
        "bo/00/": ("bo", "00_start_here"),
        "zzyzx/": (None, "00_start_here"),
        "chen_00_start_here.ipynb": ("chen", "00_start_here"),
        "chen/notes.txt": ("chen", None),
        "Untitled.ipynb": ("dara", None),
    }


def test_who_may_have_handed_in_elsewhere_gets_no_zero(tmp_path, walled, capsys):
    room = Classroom(tmp_path, ["amira", "bo"])
    (room.course / "submitted" / "Amira" / NAME).mkdir(parents=True)
    words = ["grade", str(room.course / "submitted"), "--out", str(tmp_path / "g"), "--key", str(room.key),
             "--missing-zero"]  # fmt: skip
    assert cli.main(words) == 0
    assert f"Amira/: does it belong in amira/{NAME}/?" in capsys.readouterr().out
    assert [line[NAME] for line in table(tmp_path / "g" / "moodle.csv")] == ["", "0"]
    page = (tmp_path / "g" / "summary.html").read_text("utf-8")
    assert "Worth a look" in page and "does it belong in amira/" in page and "in the wrong place: Amira/" in page
    assert "wrong place" not in (tmp_path / "g" / "feedback" / "amira.html").read_text("utf-8")


# --- who joins later, and one assignment alone -----------------------------------------------------------------------


def test_who_joined_later_does_not_stop_the_class_and_gets_no_grade(tmp_path, walled):
    room = Classroom(tmp_path, ["ada", "ben"])
    (tmp_path / "more.csv").write_text("student\nada\nben\ndara\n")
    _course.assign("00", room.course, roster=tmp_path / "more.csv", key=room.key)
    graded = grade_class(
        room.course / "submitted", tmp_path / "g", key=room.key, missing_zero=True, due=["00=2026-01-01"]
    )
    status = {(r.student, r.assignment[:2]): r.status for r in graded.results}
    assert status["dara", "06"] == "not assigned" and status["dara", "00"] == status["ada", "06"] == "missing"
    lines = table(tmp_path / "g" / "moodle.csv")
    assert (lines[2][NAME], lines[2]["00_start_here"], lines[0][NAME]) == ("", "0", "")
    assert "--missing-zero" in (tmp_path / "g" / "options.txt").read_text("utf-8")
    assert f"No zeros in {NAME}: nobody has handed it in" in str(graded)
    assert "0 of 2 handed in" in (tmp_path / "g" / "summary.html").read_text("utf-8")


def test_one_assignment_can_be_graded_alone(tmp_path, walled):
    for number in ("00", "01"):
        _course.assign(number, tmp_path / "c")
    (tmp_path / "c" / "submitted" / "ada").mkdir()
    for only, names in ((["01"], {"01_the_flowers"}), (["0", "01_the_flowers"], {"00_start_here", "01_the_flowers"})):
        graded = grade_class(tmp_path / "c" / "submitted", tmp_path / "g", only=only)
        assert {r.assignment for r in graded.results} == names
    with pytest.raises(ValueError, match="only=09 is no assignment of this class, which has 00_start_here, 01_"):
        grade_class(tmp_path / "c" / "submitted", tmp_path / "g", only=["09"])


@pytest.mark.parametrize(("points", "says"), [("many", "is no number"), ("4", "from 0 to 3"), ("-1", "from 0 to 3")])
def test_impossible_points_are_refused_with_their_line(tmp_path, points, says):
    _reports.write_tables([result("ada", UNREAD)], tmp_path, [])
    text = (tmp_path / "written.csv").read_text("utf-8").replace('"tell","3",""', f'"tell","3","{points}"')
    (tmp_path / "written.csv").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=f"line 2: .*{says}"):
        _reports.with_read_answers([result("ada", UNREAD)], tmp_path)


def test_feedback_names_the_misconception_and_escapes_what_students_wrote(tmp_path):
    bad = Mark(
        "x", 0.0, 1, "not yet", "raised", ("stopped with `<script>alert(1)</script>`.",), 0, 5, "A <b>section</b>"
    )
    _pages.write_feedback([result("ada", RIGHT, WRONG, bad, UNREAD, notes=("<img src=x>",))], {}, tmp_path)
    page = (tmp_path / "ada.html").read_text("utf-8")
    assert "Hidden checks passed: 3 of 9." in page and "“Count the pairs” in notebook 06" in page
    assert "1 of 7 points so far; a written answer worth 3 is still to be read" in page
    assert not re.search(r"<script|<img|<b>", page) and "&lt;script&gt;" in page
    assert not re.search(r"\ball\b.*passed|passed.*\ball\b", page)


def test_the_summary_counts_what_went_wrong(tmp_path):
    results = [result(f"s{i}", RIGHT, WRONG, codes={"auc_by_pairs": "aa"}) for i in range(3)]
    results += [result("t", RIGHT, WRONG._replace(diagnosis="other", text=("x",)), notes=("It was late.",))]
    missing = [m._replace(points=0.0, diagnosis=None, outcome="not handed in") for m in (RIGHT, WRONG)]
    results += [result("u", *missing, status="missing")]
    _pages.write_summary(results, tmp_path / "summary.html")
    page = (tmp_path / "summary.html").read_text("utf-8")
    assert "4 of 5 handed in" in page and 'alt="Students by points: 4 with 1."' in page
    assert re.search(r'<td class="n">3</td><td><code>auc_by_pairs</code>', page)
    assert "It was late." in page and "s0, s1, s2" in page and "ask before you accuse" in page


def test_the_summary_escapes_whatever_a_student_may_have_named_or_written(tmp_path):
    hostile = "<script>alert(1)</script>"
    mark = Mark(hostile, 0.0, 1, "not yet", "raised", (f"stopped with `{hostile}` {hostile}",))
    results = [
        Result(f"{n}{hostile}", f"05_{hostile}", "graded", [mark], (hostile,), {hostile: "aa"}, (hostile,))
        for n in "ab"
    ]
    _pages.write_summary(results, tmp_path / "summary.html", [_strays.Stray(hostile, hostile, hostile)])
    page = (tmp_path / "summary.html").read_text("utf-8")
    assert "<script" not in page and page.count("&lt;script&gt;") > 12


# --- going on --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    """A class of five, who have all handed in."""
    made = Classroom(tmp_path_factory.mktemp("class"), [f"s{i}" for i in range(5)])
    for student in made.students:
        made.submit(student, made.answered(student))
    return made


@pytest.fixture
def room(handed_in, tmp_path):
    """That class in a place of its own: to make it takes seconds."""
    shutil.copytree(handed_in.base, tmp_path, dirs_exist_ok=True)
    made = copy.copy(handed_in)
    made.base, made.course, made.key = tmp_path, tmp_path / "course", tmp_path / "instructor.key"
    return made


@pytest.mark.sandbox
def test_killed_half_way_and_started_again_no_grade_is_lost_or_doubled(room):
    command = [sys.executable, "-m", "mialab", "grade", str(room.course / "submitted"), "--out",
               str(room.base / "grades"), "--key", str(room.key)]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    kept = room.base / "grades" / "results" / NAME
    for _ in range(3000):
        if len(list(kept.glob("s*.json"))) >= 2:
            break
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = {path.name: path.stat().st_mtime_ns for path in kept.glob("s*.json")}
    assert 2 <= len(before) < 5
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0 and "5 graded" in again.stdout, again
    after = {path.name: path.stat().st_mtime_ns for path in kept.glob("s*.json")}
    assert len(after) == 5 and all(after[name] == when for name, when in before.items())
    lines = table(room.base / "grades" / "grades.csv")
    assert len(lines) == 5 * 6 == len({(x["student"], x["question"]) for x in lines})
    assert sum(float(x["points"]) for x in lines) == 5 * 11


@pytest.mark.sandbox
def test_only_what_changed_is_graded_anew_and_the_gradebook_has_the_points(room):
    told = []

    def grade(**more):
        told.clear()
        tell = lambda done, of, student: told.append(student)  # noqa: E731
        return grade_class(room.course / "submitted", room.base / "grades", key=room.key, tell=tell, **more)

    assert all(r.points == 11 for r in grade().results) and len(told) == 5
    notebook = room.answered("s3", my_auc="my_auc = 0.5")
    solution_cell(notebook, "guess_members")["outputs"] = [
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<script>alert(1)</script>"}}
    ]
    notebook["cells"].append({"cell_type": "markdown", "id": "mine", "metadata": {}, "source": "<b>bold</b>"})
    room.submit("s3", notebook)
    results = {r.student: r.points for r in grade().results}
    assert told == ["s3"] and results["s3"] == 9 and results["s4"] == 11
    assert not grade().failed and told == []
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{room.course / 'gradebook.db'}") as gradebook:
        scores = {s.student.id: s.score for s in gradebook.find_assignment(NAME).submissions}
    assert scores["s3"] == 9 and scores["s4"] == 11
    shown = (room.course / "autograded" / "s3" / NAME / f"{NAME}.ipynb").read_text("utf-8")
    assert "my_auc = 0.5" in shown and "text/html" not in shown and "<b>bold</b>" not in shown and "bold" in shown


@pytest.mark.sandbox
def test_the_wall_is_a_folder(tmp_path, monkeypatch):
    """Whatever is added to the chapters or their cases, under any name, a student's code cannot find."""
    package = tmp_path / "mialab"
    shutil.copytree(_sandbox._EXERCISES, package / "exercises", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("notes.txt", "new_chapter.py", "_cases/any.json", "_cases/deep/er.py", "spare/handout.py"):
        (package / "exercises" / name).parent.mkdir(exist_ok=True)
        (package / "exercises" / name).write_text("answer = 42")
    (tmp_path / "run").mkdir()
    os.chmod(tmp_path, 0o755)
    monkeypatch.setattr(_sandbox, "_PACKAGE", package)
    monkeypatch.setattr(_sandbox, "_EXERCISES", package / "exercises")
    look = f"import os; print([(at, names) for at, _, names in os.walk({str(package)!r})])"
    words = ["-n", "1", "-r", "1", look]
    ended = _sandbox.run(tmp_path / "run", "timeit", words, limits=_sandbox.Limits(), sandboxed=True)
    seen = dict(eval(ended.said.splitlines()[0]))
    engine = str(package / "exercises" / "_engine")
    assert sorted(seen.pop(str(package / "exercises"))) == ["__init__.py", "handout.py"]
    assert "_bench.py" in seen.pop(engine) and seen == {str(package): []}, ended


@pytest.mark.sandbox
def test_the_sandbox_starts_from_a_python_that_was_called_by_a_roundabout_path(tmp_path):
    """As `../.venv/bin/python -m mialab grade` is: inside, the folder that it goes up from is not there."""
    (tmp_path / "a" / "run").mkdir(parents=True)
    os.chmod(tmp_path / "a", 0o755)
    os.chmod(tmp_path, 0o755)
    python = os.path.relpath(sys.executable, tmp_path / "a")
    code = (
        "from pathlib import Path; from mialab.instructor.grading import _sandbox as s; "
        f"print(s.run(Path({str(tmp_path / 'a' / 'run')!r}), 'timeit', ['-n', '1', '-r', '1', 'pass'], "
        "limits=s.Limits(), sandboxed=True))"
    )
    done = subprocess.run([python, "-c", code], cwd=tmp_path / "a", capture_output=True, text=True, check=False)
    assert "code=0" in done.stdout, done


@pytest.mark.sandbox
def test_two_gradings_into_one_folder_do_not_meet(room):
    (room.base / "grades").mkdir()
    with _grading._alone(room.base / "grades"), pytest.raises(ValueError, match="another `mialab grade`"):
        _grading.grade(room.course / "submitted", room.base / "grades", key=room.key)


@pytest.mark.sandbox
def test_the_wrong_key_is_refused(room, tmp_path):
    (tmp_path / "other").write_text("33" * 32)
    for key, says in ((None, "is personal: give the key"), (tmp_path / "other", "is not the key that")):
        with pytest.raises(ValueError, match=says):
            _grading.grade(room.course / "submitted", room.base / "grades", key=key)


def test_a_failure_of_the_grader_is_not_a_zero(room, walled, monkeypatch):
    monkeypatch.setattr(_sandbox, "run", lambda *a, **k: _sandbox.Ended(1, "", "bwrap: broken"))
    shutil.rmtree(room.course / "submitted" / "s4")
    graded = grade_class(room.course / "submitted", room.base / "grades", key=room.key)
    assert {r.status for r in graded.failed} == {"failed"} and len(graded.failed) == 4
    assert "bwrap: broken" in str(graded)
    assert [x[NAME] for x in table(room.base / "grades" / "moodle.csv")] == [""] * 5
    assert not list((room.base / "grades" / "results" / NAME).glob("s[0-3].json"))


def test_under_nbgrader_alone_the_hidden_tests_judge_too(tmp_path):
    """Without `mialab grade`, as when an instructor presses a button of nbgrader's: the same checks, its own points."""
    from nbgrader.api import Gradebook

    from mialab.instructor.making import _assignment, _nbgrader

    name, chapter = "00_start_here", _assignment.find_chapter("00")
    _course.assign("00", tmp_path / "c")
    release = tmp_path / "c" / "release" / name
    right = {e.name: e.right_code for e in _assignment.choose(chapter, None)}
    for student in ("right", "stub"):
        folder = tmp_path / "c" / "submitted" / student / name
        shutil.copytree(release, folder)
        if student == "right":
            notebook = json.loads((folder / f"{name}.ipynb").read_text("utf-8"))
            for question, source in right.items():
                solution_cell(notebook, question)["source"] = source
            (folder / f"{name}.ipynb").write_text(json.dumps(notebook), "utf-8")
        _nbgrader._convert(_nbgrader.load().Autograde, tmp_path / "c", name, student)
    with Gradebook(f"sqlite:///{tmp_path / 'c' / 'gradebook.db'}") as gradebook:
        scores = {s.student.id: s.score for s in gradebook.find_assignment(name).submissions}
    assert scores == {"right": sum(e.points for e in _assignment.choose(chapter, None)), "stub": 0}


# --- without a sandbox -----------------------------------------------------------------------------------------------


def test_without_bubblewrap_it_refuses_and_says_how_to_install_it(room, monkeypatch, capsys):
    monkeypatch.setattr(_sandbox.shutil, "which", lambda name: None)
    words = ["grade", str(room.course / "submitted"), "--out", str(room.base / "grades"), "--key", str(room.key)]
    assert cli.main(words) == 1
    error = capsys.readouterr().err
    assert "apt install bubblewrap" in error and "--no-sandbox" not in error
    assert not (room.base / "grades").exists()


def test_no_sandbox_must_be_said_and_is_said_back(tmp_path, capsys):
    room = Classroom(tmp_path, ["ada"])
    room.submit("ada", room.answered("ada"))
    words = ["grade", str(room.course / "submitted"), "--out", str(room.base / "grades"), "--key", str(room.key)]
    assert cli.main([*words, "--no-sandbox"]) == 0
    said = capsys.readouterr()
    assert "runs as you" in said.err and "1 graded" in said.out
    assert sum(float(x["points"]) for x in table(room.base / "grades" / "grades.csv")) == 11


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["grade", "nowhere", "--out", "g"], "is no folder"),
        (["grade", "here/submitted", "--out", "g", "--no-sandbox"], "holds no assignments"),
        (["grade", "here/submitted", "--out", "g", "--jobs", "0"], "should be 1 or more"),
    ],
)
def test_bad_words_get_one_sentence(words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here" / "submitted").mkdir(parents=True)
    assert cli.main(words) == 1
    assert says in capsys.readouterr().err


def test_an_assignment_for_everyone_needs_neither_roster_nor_key(tmp_path, walled):
    """Without names there is one handout, and whoever has handed in is graded."""
    _course.assign("00", tmp_path / "c")
    folder = tmp_path / "c" / "submitted" / "ada" / "00_start_here"
    shutil.copytree(tmp_path / "c" / "handout" / "everyone" / "00_start_here", folder)
    (found,) = _grading.grade(tmp_path / "c" / "submitted", tmp_path / "g", sandboxed=False)
    assert (found.student, found.status, found.points) == ("ada", "graded", 0)
    assert {m.outcome for m in found.marks} == {"not attempted"}


def test_what_a_student_put_in_the_place_of_a_file_is_not_followed(tmp_path):
    folder = tmp_path / "seen"
    folder.mkdir()
    (tmp_path / "secret").write_text('"secret"')
    (folder / "a.json").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "b.json")
    (folder / "c.json").write_text('"mine"')
    (folder / "d.json").mkdir()
    assert _judge.read_seen(tmp_path, "abcde") == {"c": "mine"}
    shutil.rmtree(folder)
    folder.symlink_to(tmp_path)
    assert _judge.read_seen(tmp_path, "abcde") == {}
