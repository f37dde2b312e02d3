"""Trouble with one submission is its own alone, and what is wrong with the command is said before anything runs."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from classroom import NAME, Classroom, table

from mialab.exercises._engine._plain import from_json, observed_from_json, to_json
from mialab.instructor._class import grade_class
from mialab.instructor.grading import _grading, _judge, _sandbox
from mialab.instructor.grading._judge import Mark
from mialab.instructor.making import _assignment, _course, _nbgrader
from mialab.instructor.reporting import _pages

pytest.importorskip("nbgrader")
pytestmark = pytest.mark.long  # a class is made, with nbgrader

HALF = "\ud83d"  # of an emoji
ORDINARY = ["setpriv", "--reuid=61000", "--regid=61000", "--clear-groups"] if os.geteuid() == 0 else []


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    made = Classroom(tmp_path_factory.mktemp("class"), ["ada", "ben", "zebulon"])
    for student in ("ada", "ben"):
        made.submit(student, made.answered(student))
    return made


# --- one submission --------------------------------------------------------------------------------------------------


def test_one_that_fails_is_named_and_all_else_is_written(room, tmp_path, walled, monkeypatch):
    """Whatever is raised, and with half an emoji wherever a student's words are kept."""

    def runs(work, notebook, how, longer):
        if work.student == "ben":
            raise RecursionError(f"too deep {HALF}")
        marks = _judge.marks_for(work.judge.questions, "correct")
        return [*marks[1:], Mark("tell", None, 3, "to be read", text=(HALF,), answer=f"Because {HALF}")], (HALF,), False

    monkeypatch.setattr(_grading, "_run", runs)
    (room.course / "submitted" / os.fsdecode(b"M\xfcller")).mkdir()
    for _ in range(2):  # what was kept is read again
        graded = grade_class(room.course / "submitted", tmp_path, key=room.key)
        assert [r.status for r in graded.results] == ["graded", "failed", "missing"]
        assert "Not graded: ben. The grader failed on this submission, so look at it: RecursionError" in str(graded)
    os.rmdir(room.course / "submitted" / os.fsdecode(b"M\xfcller"))
    for name in ("grades.csv", "written.csv", "canvas.csv", "moodle.csv"):
        assert len(table(tmp_path / name)) >= 1
    assert "M?ller" in (tmp_path / "summary.html").read_text("utf-8")
    assert "RecursionError" not in (tmp_path / "feedback" / "ben.html").read_text("utf-8")
    assert len(list((tmp_path / "feedback").iterdir())) == 3


def nested(value, depth):
    return nested({"list": [value]}, depth - 1) if depth else value


WIDE = {"list": [{"list": [{"text": "x" * 20_000 if i == j == 0 else ""} for i in range(500)]} for j in range(500)]}


@pytest.mark.parametrize(
    "plain",
    [
        {"texts": ["x" * 19_000] + [""] * 199_999, "shape": [200_000]},
        WIDE,
        nested({"text": ""}, 900),
        {"dict": [[to_json(i), to_json(i)] for i in range(20_000)]},
        {"array": [], "dtype": "f", "shape": [0, *[200_000] * 4]},
        {"model": "Parrot", "of": [to_json(np.zeros(1)), to_json(np.zeros(1))]},
    ],
)
def test_a_forged_answer_costs_the_judge_neither_memory_nor_its_life(plain):
    """The first asks for 15 GB where NumPy makes all texts as long as the longest."""
    with pytest.raises(ValueError, match=r"too large|too big|not the JSON"):
        from_json(plain)


def test_many_forged_calls_are_too_many():
    call = [{"list": [{"list": []}] * 1000}, None, "", None, ""]
    seen = {"state": "function", "shown": "", "signature": "", "parameters": [], "accepts": True, "calls": [call] * 30}
    with pytest.raises(ValueError, match="too large"):
        observed_from_json(seen, 30)


def test_an_honest_large_answer_can_be_read():
    for value in (np.linspace(0, 1, 200_000), ["a" * 50] * 1000, "é" * 20_000, {"a": list(range(500))}):
        assert to_json(from_json(to_json(value))) == to_json(value)


def test_no_link_on_the_way_to_a_file_is_followed(tmp_path):
    place = tmp_path / "theirs"
    place.mkdir()
    (place / f"{NAME}.ipynb").write_text('{"cells": [1]}')
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work").symlink_to(tmp_path / "theirs")
    assert _judge.read_executed(tmp_path / "mine", NAME) == {}
    place.rename(tmp_path / "work")
    assert _judge.read_executed(tmp_path, NAME) == {"cells": [1]}


@pytest.mark.parametrize("error", [{}, {"ename": 3}, "x", {"ename": "E", "evalue": ["`"] * 999}])
def test_what_a_cell_stopped_with_is_shown_whatever_stands_there(error):
    about = {"metadata": {"nbgrader": {"grade_id": "q"}}, "outputs": [error]}
    if isinstance(error, dict):
        error["output_type"] = "error"
    found = _judge.stopped({"cells": [7, about]})
    assert all("`" not in text and len(text) <= 200 for text in found.values())


def test_a_cell_that_did_not_end_is_told_so_and_no_interrupt(tmp_path):
    error = {"output_type": "error", "ename": "KeyboardInterrupt", "evalue": ""}
    cells = [{"metadata": {"nbgrader": {"grade_id": "caught_with"}}, "outputs": [error]}]
    name = "19_audit_a_hospital_model"
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / f"{name}.ipynb").write_text(json.dumps({"cells": cells}))
    settings = {"assignment": name, "exercises": ["caught_with"], "personal": False}
    (mark,) = _judge.Judge(settings, None, tmp_path, []).marks("ada", tmp_path)
    assert mark.text == ("It did not end within its time.",) and mark.diagnosis == _judge.STOPPED


def test_a_cell_that_stopped_is_told_with_what_stopped_it(tmp_path):
    mark = Mark("auc", 0.0, 2, "not seen", _judge.STOPPED, ("It stopped with `ModuleNotFoundError: <torch>`.",),
                section="Pairs")  # fmt: skip
    result = _grading.Result("ada", NAME, "graded", [mark], asides=_judge.stop_words([mark]))
    _pages.write_feedback([result], {}, tmp_path)
    _pages.write_summary([result], tmp_path / "summary.html")
    page, summary = ((tmp_path / name).read_text("utf-8") for name in ("ada.html", "summary.html"))
    assert "ModuleNotFoundError: &lt;torch&gt;" in page and "Reread" not in page and "of this name" not in page
    assert "Worth a look" in summary and "their cells stopped early: auc (It stopped with" in summary


def forever(*_):
    while True:
        pass


@pytest.mark.parametrize(
    ("judges", "why"),
    [
        (forever, "TimeoutError: judging its answers took more than 0.5 seconds"),
        (lambda *_: re.match(r"(a+)+$", "a" * 99 + "b"), "TimeoutError: "),  # in C, where no thread can be stopped
        (lambda *_: time.sleep(9999), "TimeoutError: "),
        (lambda *_: os.kill(os.getpid(), signal.SIGKILL), "RuntimeError: judging its answers ended before"),
        (lambda *_: 1 / 0, "ZeroDivisionError: division by zero"),
    ],
)
def test_an_answer_that_the_judge_cannot_end_with_is_looked_at_and_the_run_goes_on(
    room, tmp_path, walled, monkeypatch, judges, why
):
    read, honest = _judge.observed_from_json, {"state": "missing"}

    def runs(folder, *_, **__):
        (folder / "seen").mkdir()
        bad = json.loads((folder / "work" / "assignment.json").read_text())["student"] == "ben"
        (folder / "seen" / "guess_members.json").write_text(json.dumps({"state": "slow"} if bad else honest))
        return _sandbox.Ended(0, "", "")

    monkeypatch.setattr(_sandbox, "run", runs)
    monkeypatch.setattr(
        _judge, "observed_from_json", lambda seen, n: judges() if "slow" in str(seen) else read(seen, n)
    )
    monkeypatch.setattr(_judge, "LONGEST", 0.5 if "Timeout" in why else 60)
    graded = grade_class(room.course / "submitted", tmp_path, key=room.key)
    assert [r.status for r in graded.results] == ["graded", "failed", "missing"]
    assert "Not graded: ben. The grader failed on this submission, so look at it: " + why in str(graded)
    with _grading._alone(tmp_path):  # and nothing of it still holds the folder
        assert not (tmp_path / "results" / NAME / "ben.json").exists()


def test_the_judge_does_not_hold_the_lock_of_the_grading(tmp_path):
    def open_files():
        return {os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")}

    with _grading._alone(tmp_path):
        assert str(tmp_path / ".lock") in open_files()
        assert str(tmp_path / ".lock") not in _judge.in_time(open_files)


# --- released once more ----------------------------------------------------------------------------------------------


@pytest.fixture
def mended(tmp_path, walled, monkeypatch):
    """A class that had release 1 in hand when release 2 came; what was run is noted as (student, mended text)."""
    made = Classroom(tmp_path, ["ada", "ben", "cho", "dee", "eve", "fay"])
    first = {student: made.answered(student) for student in made.students}
    made.ran = []

    def runs(folder, *_, **__):
        given = json.loads((folder / "work" / "assignment.json").read_text())
        text = (folder / "work" / f"{NAME}.ipynb").read_text()
        assert ("# mended" in text) == (given.get("release") == 2) and "hidden_test" in text
        made.ran.append((given["student"], given.get("release", 1)))
        (folder / "seen").mkdir()
        (folder / "seen" / "guess_members.json").write_text(json.dumps({"state": "missing"}))
        return _sandbox.Ended(0, "", "")

    monkeypatch.setattr(_sandbox, "run", runs)
    for student in ("ada", "dee"):
        made.submit(student, first[student])
    made.grade = lambda **more: grade_class(made.course / "submitted", tmp_path / "g", key=made.key, **more)
    made.grade()
    monkeypatch.setattr(_assignment, "_SETUP", _assignment._SETUP + "  # mended")
    _course.assign("06", made.course, roster=tmp_path / "roster.csv", key=made.key, mend=True)
    made.submit("ben", first["ben"])
    for student in ("cho", "dee"):
        made.submit(student, made.answered(student))
    claims = {**made.handout("eve")["metadata"]["mialab"], "release": 1}
    made.submit("eve", {**made.handout("eve"), "metadata": {"mialab": claims}})  # its seal is of the second
    made.submit("fay", {**made.handout("fay"), "metadata": {}})
    return made


def test_everyone_is_graded_by_what_they_were_given(mended, tmp_path):
    before = (tmp_path / "g" / "results" / NAME / "ada.json").read_bytes()
    mended.ran.clear()
    found = {r.student: r for r in mended.grade().results}
    assert sorted(mended.ran) == [("ben", 1), ("cho", 2), ("dee", 2), ("eve", 1), ("fay", 2)]  # ada's is kept
    assert (tmp_path / "g" / "results" / NAME / "ada.json").read_bytes() == before
    assert {s: r.release for s, r in found.items()} == {"ada": 1, "ben": 1, "cho": 2, "dee": 2, "eve": 1, "fay": 2}
    assert [s for s, r in found.items() if r.held] == ["eve", "fay"]
    assert {(line["student"], line["release"]) for line in table(tmp_path / "g" / "grades.csv")} == {
        (student, str(result.release)) for student, result in found.items()
    }
    page = " ".join((tmp_path / "g" / "summary.html").read_text("utf-8").split())
    assert "Graded by release: 3 by 1, 3 by 2." in page
    kept = json.loads((tmp_path / "g" / "results" / NAME / "before" / "dee.json").read_text())
    assert kept["result"]["release"] == 1  # and nothing that was graded is lost
    mended.ran.clear()
    mended.grade()
    assert mended.ran == []


def test_once_a_hidden_test_is_mended_all_are_graded_anew(room, tmp_path, walled, monkeypatch):
    ran = []

    def runs(work, *_):
        ran.append(work.student)
        return _judge.marks_for(work.judge.questions, "correct"), (), False

    monkeypatch.setattr(_grading, "_run", runs)
    for tests, graded in (("before", ["ada", "ben"]), ("before", []), ("mended", ["ada", "ben"])):
        monkeypatch.setattr(_judge.Judge, "tests", tests)
        ran.clear()
        grade_class(room.course / "submitted", tmp_path, key=room.key)
        assert sorted(ran) == graded
    files = [f"{folder}first_attack.py" for folder in ("", "_cases/")]
    read, seen = Path.read_bytes, []
    monkeypatch.undo()
    monkeypatch.setattr(Path, "read_bytes", lambda path: seen.append(str(path)) or read(path))
    settings = {"assignment": NAME, "exercises": ["auc_by_pairs"], "personal": False}
    assert len(_judge.Judge(settings, None, room.course, []).tests) == 64
    assert sorted(path.partition("exercises/")[2] for path in seen) == sorted(files)


def test_without_names_a_notebook_that_lost_its_release_is_held(tmp_path, walled, monkeypatch):
    monkeypatch.setattr(_sandbox, "run", lambda *_, **__: _sandbox.Ended(0, "", ""))
    name, course = "00_start_here", tmp_path / "c"
    _course.assign("00", course)
    released = course / "release" / name / f"{name}.ipynb"
    for student in ("ada", "ben", "cho"):
        (course / "submitted" / student / name).mkdir(parents=True)
    shutil.copy(released, course / "submitted" / "ada" / name)
    _course.assign("00", course, mend=True)
    shutil.copy(released, course / "submitted" / "ben" / name)
    lost = json.loads(released.read_text("utf-8")) | {"metadata": {}}
    (course / "submitted" / "cho" / name / f"{name}.ipynb").write_text(json.dumps(lost))
    found = _grading.grade(course / "submitted", tmp_path / "g")
    assert [(r.student, r.release, r.held) for r in found] == [("ada", 1, False), ("ben", 2, False), ("cho", 2, True)]


# --- deep folders ----------------------------------------------------------------------------------------------------


def dig(folder, depth):
    """Folders in one another, deeper than a path can say."""
    code = f"import os\nfor _ in range({depth}):\n    os.mkdir('d')\n    os.chdir('d')\nopen('f','w').write('x' * 9000)"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)


def test_deep_folders_are_more_than_any_limit_and_leave_nothing_behind(tmp_path):
    with _grading._place(tmp_path / "out") as place:
        (place / "honest").mkdir()
        dig(place / "honest", 20)
        assert 9000 <= _sandbox._size(place) < 1 << 20
        with _grading._folder(place) as folder:
            folder.mkdir()
            dig(folder, 3000)
            assert _sandbox._size(folder) > 1 << 60
        assert not folder.parent.exists()
    assert not place.exists()


def test_what_a_killed_grading_left_goes_with_the_next_one_of_its_own(tmp_path):
    code = (
        "from pathlib import Path; from mialab.instructor.grading import _grading as g; import os; "
        f"p = g._place(Path({str(tmp_path)!r})); print(p.__enter__(), flush=True); os._exit(9)"
    )
    left = Path(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip())
    assert left.is_dir()
    with _grading._place(tmp_path / "other"):
        assert left.exists()
    with _grading._place(tmp_path):
        assert not left.exists()


def test_closed_folders_of_an_ordinary_user_are_deleted_too():
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o777)
    code = (
        "from pathlib import Path; from mialab.instructor.grading import _sandbox as s; import os; "
        "os.makedirs('a/b'); open('a/b/f', 'w').close(); os.chmod('a/b', 0); os.chmod('a', 0); "
        "print(s._size(Path('a')) > 1 << 60); s.remove(Path('a')); print(os.path.exists('a'))"
    )
    done = subprocess.run([*ORDINARY, sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    shutil.rmtree(folder)
    if ORDINARY and not done.stdout:
        pytest.skip("an ordinary user cannot read this copy of the course")
    assert done.stdout.split() == ["True", "False"], done


# --- the sandbox -----------------------------------------------------------------------------------------------------


@pytest.mark.sandbox
def test_an_ordinary_user_of_many_processes_can_grade(monkeypatch):
    """What runs outside does not count, and what starts too many inside is stopped."""
    monkeypatch.setattr(_sandbox.os, "geteuid", lambda: 1000)
    world = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    bounds = _sandbox._inner(1000, _sandbox.Limits(processes=80))
    begin = "for i in $(seq {}); do sleep 20 >&- 2>&- & {} done; "
    outside = begin.format(120, 'own="$own $!";') + '"$@"; kill $own'
    inside = begin.format(300, "echo $i;")
    words = [*ORDINARY, "sh", "-c", outside, "sh", *world, *bounds, "sh", "-c", inside]
    done = subprocess.run(words, capture_output=True, text=True)
    assert 70 < len(done.stdout.split()) < 80 and "fork" in done.stderr, done


@pytest.mark.sandbox
@pytest.mark.parametrize("opened", ["open(os.memfd_create('m'), 'wb')", "tempfile.TemporaryFile(dir='.')"])
def test_files_that_no_folder_holds_count_too(tmp_path, opened):
    tmp_path.chmod(0o755)
    (tmp_path / "run").mkdir()
    code = f"import os, tempfile, time; own = [{opened} for _ in range(5)]; [f.write(bytes(20_000_000)) for f in own]; "
    words = ["-n1", "-r1", code + "[f.flush() for f in own]; time.sleep(60)"]
    limits = _sandbox.Limits(disk=64 << 20)
    ended = _sandbox.run(tmp_path / "run", "timeit", words, limits=limits, sandboxed=True)
    assert ended.why == "disk", ended


@pytest.mark.sandbox
def test_what_is_printed_without_end_is_kept_nowhere(tmp_path):
    """Neither by the notebook nor, a second time, by IPython."""
    tmp_path.chmod(0o755)
    (tmp_path / "run" / "work").mkdir(parents=True)
    source = "for _ in range(500):\n    print('x' * 1_000_000)\nimport resource\n"
    source += "raise MemoryError(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "run" / "work" / "n.ipynb").write_text(json.dumps(notebook))
    inside, limits = "mialab.instructor.grading._inside", _sandbox.Limits()
    assert _sandbox.run(tmp_path / "run", inside, ["n", "90"], limits=limits, sandboxed=True).code == 0
    printed, error = _judge.read_executed(tmp_path / "run", "n")["cells"][0]["outputs"]
    assert 200_000 <= len(printed["text"]) < 201_000 and int(error["evalue"]) < 300_000  # kilobytes


@pytest.mark.parametrize("there", [True, False])
def test_a_sandbox_that_fails_is_never_a_reason_to_go_without(monkeypatch, there):
    monkeypatch.setattr(_sandbox.shutil, "which", lambda name: name if there else None)
    monkeypatch.setattr(_sandbox.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 1, "", "no such"))
    assert "Linux virtual machine" in _sandbox.missing() and "--no-sandbox" not in _sandbox.missing()


@pytest.mark.sandbox
def test_from_inside_nobody_else_can_be_read(room, tmp_path):
    """Every file but those of the system and of Python itself, for the name of another student, and for their mark."""
    _nbgrader.enter(room.course, NAME, {"zebulon": {"guess_members": 0.8125}})
    plan = _grading.plan(room.course / "submitted", tmp_path / "out", key=room.key)
    work = next(work for work in plan.todo if work.student == "ada")
    look = """
import os, struct, sys
skip, found, seen = ("/proc", "/sys", "/dev", "/usr", "/lib", sys.prefix, sys.base_prefix), [], []
for base, folders, names in os.walk("/"):
    folders[:] = [f for f in folders if not os.path.join(base, f).startswith(skip)]
    for path in (os.path.join(base, name) for name in names):
        try:
            with open(path, "rb") as file:
                content = file.read(50_000_000)
        except OSError:
            continue
        seen += [path]
        if b"zebulon" in content or struct.pack(">d", 0.8125) in content or "zebulon" in path:
            found += [path]
print([found, [path for path in seen if path.startswith("/grading")]])"""
    with _grading._place(tmp_path / "out") as place:
        with _grading._folder(place) as folder:
            _grading._lay_out(folder, work, room.answered("ada"), 1)
            words = ["-n1", "-r1", look]
            ended = _sandbox.run(folder, "timeit", words, limits=_sandbox.Limits(), sandboxed=True)
    found, seen = json.loads(ended.said.splitlines()[0].replace("'", '"'))
    assert found == [] and "/".join(("/grading", "work", f"{NAME}.ipynb")) in seen and len(seen) >= 3, ended


# --- said before anything runs ---------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_said_at_once_and_nothing_runs(room, tmp_path, monkeypatch):
    monkeypatch.setattr(_sandbox, "missing", lambda: "There is no sandbox")
    monkeypatch.setattr(_grading, "run", lambda *a, **k: pytest.fail("it ran"))
    (tmp_path / "other.key").write_text("zz")
    columns = ["id", "student", "assignment", "question", "points", "comment"]
    with open(tmp_path / "written.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, ["w1", "ada", NAME, "tell", "many", ""]])
    with pytest.raises(ValueError, match="only=77") as error:
        grade_class(room.course / "submitted", tmp_path, key=tmp_path / "other.key", only=["77"], accept=["ada", "eve"],
                    again=["eva"], due=["soon"], late_off=200, jobs=0,
                    limits=_sandbox.Limits(seconds=0))  # fmt: skip
    said = str(error.value).splitlines()
    for words in ("only=77 is no assignment", "other.key' is no key", "accept=eve: ", "again=eva: ", "line 2: points=",
                  "There is no sandbox", "due='soon'", "late_off=200",
                  "jobs=0 should be 1 or more", "seconds=0 should be more than 0"):  # fmt: skip
        assert sum(words in line for line in said) == 1, (words, said)
    assert len(said) == 10


def test_a_run_may_pass_through_its_folders_and_look_into_none(tmp_path):
    with _grading._place(tmp_path) as place, _grading._folder(place) as run:
        assert [folder.stat().st_mode & 0o777 for folder in (place, run.parent)] == [0o711, 0o711]
    assert not place.exists()


def test_a_folder_that_is_not_there_is_said_with_the_rest(tmp_path):
    with pytest.raises(ValueError, match="nowhere") as error:
        grade_class(tmp_path / "nowhere", tmp_path / "g", jobs=-1)
    said = str(error.value)
    assert "is no folder" in said and "jobs=-1 should be" in said and "holds no assignments" in said


def test_what_was_handed_out_before_the_numbers_changed_is_judged_by_what_was_asked(tmp_path):
    asked = ["guess_members", "precision_when_rare", "what_makes_a_member"]  # here, moved, and no longer asked
    judge = _judge.Judge(
        {"assignment": "05_the_first_attack", "exercises": asked, "personal": False}, None, tmp_path, []
    )
    assert [name for name, _ in judge.questions] == asked and judge.chapter is _assignment.find_chapter("6")
