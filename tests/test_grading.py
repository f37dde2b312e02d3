"""Grades of a made-up class: whatever is handed in gets the points it deserves, and harms nobody."""

from __future__ import annotations

import copy
import json
import os
import shutil
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from classroom import NAME, Classroom, solution_cell, with_first_cell

from mialab.instructor.grading import _sandbox
from mialab.instructor.grading._grading import grade

pytest.importorskip("nbgrader")
pytestmark = pytest.mark.sandbox

FULL = 11
LIBRARY = os.path.dirname(os.__file__)
BOUNDS = {"memory": 1 << 30, "disk": 64 << 20, "file": 32 << 20}
GENEROUS = _sandbox.Limits(seconds=300, cell=150, **BOUNDS)  # four times what the slowest machine needs
ENDLESS = ("endless_cell", "endless_and_deaf")  # whom only the clock ends
CASES: dict = {}


def case(points, *, status="graded", notes="", zero=(), **diagnoses):
    """Decorator: a submission, the points it deserves, the questions that get none, and words that a note must have."""

    def register(make):
        CASES[make.__name__] = (make, points, status, notes, zero, diagnoses)
        return make

    return register


# --- odd, but honest -------------------------------------------------------------------------------------------------


@case(FULL)
def right(room, me):
    return room.answered(me)


@case(0)
def untouched(room, me):
    return room.handout(me)


@case(FULL - 2, zero=["auc_by_pairs"], auc_by_pairs="ties_win")
def known_mistake(room, me):
    return room.answered(me, auc_by_pairs=room.wrong_source("auc_by_pairs", "ties_win"))


@case(FULL - 1, zero=["guess_members"], notes="guess_members was deleted or renamed")
def cell_deleted(room, me):
    notebook = room.answered(me)
    notebook["cells"].remove(solution_cell(notebook, "guess_members"))
    return notebook


@case(FULL, notes="several cells for guess_members")
def cell_duplicated(room, me):
    notebook = room.answered(me)
    good = solution_cell(notebook, "guess_members")
    bad = {**copy.deepcopy(good), "source": "def guess_members(confidence, threshold):\n    return 1 / 0"}
    notebook["cells"].insert(notebook["cells"].index(good), bad)
    return notebook


@case(FULL - 1, zero=["guess_members"], notes="guess_members was turned into text")
def cell_turned_into_text(room, me):
    notebook = room.answered(me)
    solution_cell(notebook, "guess_members")["cell_type"] = "markdown"
    return notebook


@case(FULL - 1, zero=["guess_members"], notes="guess_members (It stopped with `ModuleNotFoundError: No module named",
      guess_members="stopped")  # fmt: skip
def cell_stops_above_a_right_function(room, me):
    return room.answered(me, guess_members="import torch_of_another_course\n" + RIGHT_IF.format(True))


@case(FULL - 1, zero=["guess_members"], notes="guess_members (It stopped with `StdinNotImplementedError",
      guess_members="stopped")  # fmt: skip
def cell_asks_who_is_not_there(room, me):
    return room.answered(me, guess_members="input()\n" + RIGHT_IF.format(True))


@case(FULL, notes="")
def half_an_emoji(room, me):
    return with_first_cell(room.answered(me), "# " + "far too long a cell \ud83d\n" * 300)


@case(FULL, notes="should be called")
def a_name_in_other_bytes(room, me):
    room.submit(me, room.answered(me), os.fsdecode(b"L\xf6sung.ipynb"))


@case(FULL - 1, zero=["guess_members"])
def function_renamed(room, me):
    return room.answered(me, guess_members="def my_guess(confidence, threshold):\n    return confidence >= threshold")


@case(FULL, notes="Found by name")
def metadata_lost(room, me):
    notebook = room.answered(me)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    return {**notebook, "metadata": {}}


@case(FULL)
def saved_by_another_tool_and_moved_about(room, me):
    notebook = room.answered(me)
    notebook["cells"].reverse()
    for number, cell in enumerate(notebook["cells"]):
        cell.pop("id", None)
        cell["metadata"] |= {"colab": {"base_uri": "https://example.org"}, "executionInfo": {"status": "ok"}}
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell["execution_count"] = number
    return {**notebook, "nbformat_minor": 0, "metadata": {"colab": {"provenance": []}}}


@case(FULL, notes="should be called")
def wrong_file_name(room, me):
    room.submit(me, room.answered(me), "Untitled (1).ipynb")


@case(FULL - 2, notes="handed out to", zero=["my_auc"], my_auc="other_data")
def one_number_of_a_neighbour(room, me):
    mine, theirs = room.answered(me), room.answered("right")
    mine["metadata"]["mialab"] = theirs["metadata"]["mialab"]
    solution_cell(mine, "my_auc")["source"] = solution_cell(theirs, "my_auc")["source"]
    return mine


@case(0, status="unreadable", notes="is empty")
def empty(room, me):
    room.submit(me, "")


@case(0, status="unreadable", notes="JSON is damaged")
def corrupt_json(room, me):
    room.submit(me, json.dumps(room.answered(me))[:-400])


@case(0, status="unreadable", notes="JSON is damaged")
def brackets_without_end(room, me):
    room.submit(me, "[" * 200_000)


@case(0, status="unreadable", notes="no cells")
def another_json(room, me):
    room.submit(me, "[1, 2, 3]")


@case(0, status="unreadable", notes="There is no notebook")
def a_link_to_another_file(room, me):
    (room.folder(me) / f"{NAME}.ipynb").symlink_to("/etc/passwd")


@case(0, status="unreadable", notes="several notebooks")
def two_notebooks(room, me):
    room.submit(me, room.answered(me), "a.ipynb")
    room.submit(me, room.answered(me), "b.ipynb")


# --- without end, without bounds -------------------------------------------------------------------------------------


@case(FULL - 1, zero=["guess_members"])
def endless_cell(room, me):
    return room.answered(me, guess_members="while True:\n    pass")


@case(FULL - 1, zero=["guess_members"], guess_members="too_slow")
def endless_function(room, me):
    return room.answered(me, guess_members="def guess_members(confidence, threshold):\n    while True:\n        pass")


@case(FULL - 1, zero=["guess_members"], notes="in guess_members; it was run again")
def endless_and_deaf(room, me):
    loop = "import time\nwhile True:\n    try:\n        time.sleep(1)\n    except BaseException:\n        pass"
    return room.answered(me, guess_members=loop)


@case(FULL - 1, zero=["guess_members"], notes="guess_members; it was run again")
def memory_bomb(room, me):
    return room.answered(me, guess_members="hoard = []\nwhile True:\n    hoard.append(bytearray(50_000_000))")


@case(FULL - 1, zero=["guess_members"])
def fork_bomb(room, me):
    bomb = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    return room.answered(me, guess_members=bomb)


@case(FULL)
def prints_a_gigabyte(room, me):
    return with_first_cell(room.answered(me), "for _ in range(1000):\n    print('x' * 1_000_000)")


@case(FULL - 1, zero=["guess_members"])
def fills_the_disk(room, me):
    fill = "for i in range(100):\n    with open(f'{i}', 'wb') as file:\n        file.write(b'x' * 20_000_000)"
    return room.answered(me, guess_members=fill)


@case(FULL, notes="filled the disk in a cell between the answers; it was run again")
def digs_three_thousand_folders(room, me):
    dig = "import os, time\nhere = os.getcwd()\nfor _ in range(3000):\n    os.mkdir('d')\n    os.chdir('d')\n"
    dig += "os.chdir(here)\ntime.sleep(60)"  # until the watch has seen them: it ends the cell
    return with_first_cell(room.answered(me), dig)


@case(FULL - 1, zero=["guess_members"], notes="guess_members; it was run again")
def kills_its_parent(room, me):
    return room.answered(me, guess_members="import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")


@case(FULL - 1, zero=["guess_members"])
def leaves_by_the_window(room, me):
    return room.answered(me, guess_members="import os\nos._exit(0)")


# --- hostile ---------------------------------------------------------------------------------------------------------

STUBS = dict.fromkeys(["guess_members", "auc_by_pairs", "a_safe_k", "my_confidence_gap", "my_recorded_gap", "my_auc"])
RIGHT_IF = "def guess_members(confidence, threshold):\n    return confidence >= threshold if {} else 7"
# A function for every question, so that there is something to give points for.
JUNK = {name: f"def {name}(*a):\n    return 7" for name in list(STUBS)[:2]} | {n: f"{n} = 7" for n in list(STUBS)[2:]}


@case(0)
def course_and_numpy_overwritten(room, me):
    return with_first_cell(
        room.answered(me, **JUNK),
        """from mialab.exercises._engine import _base as base, _bench as bench, _calls as calls
import mialab.exercises.handout as handout, mialab.instructor as instructor, mialab.instructor.making._hidden as hidden
passes = lambda *a, **k: True
for module in (base, bench, calls, handout, instructor, hidden):
    for name in dir(module):
        if callable(getattr(module, name)) and not name.startswith("__"):
            try:
                setattr(module, name, passes)
            except Exception:
                pass
import numpy as np
for name in ('allclose', 'array_equal', 'isclose', 'all'):
    setattr(np, name, passes)""",
    )


@case(0)
def worked_answers_fetched(room, me):
    fetch = """import importlib, marshal, pathlib, mialab.exercises as e
found = {}
for name in e.MODULES:
    try:
        for key, value in vars(importlib.import_module(f'mialab.exercises.{name}')).items():
            found[key] = getattr(value, 'function', None)
    except Exception:
        pass
for pyc in pathlib.Path(e.__file__).parent.rglob('*.pyc'):
    if 'first_attack' in pyc.name:
        found['guess_members'] = lambda confidence, threshold: confidence >= threshold
for path in pathlib.Path('/').glob('**/first_attack.py'):
    if 'def guess_members' in path.read_text():
        found['guess_members'] = lambda confidence, threshold: confidence >= threshold"""
    gets = {name: f"{name} = found.get('{name}')" for name in JUNK}
    return with_first_cell(room.answered(me, **gets), fetch)


@case(0)
def reads_writes_and_calls_what_is_not_its_own(room, me):
    port = room.listener.getsockname()[1]
    spy = f"""import pathlib
places = {[str(room.course), str(room.base), str(Path(__file__).parent), "/root", "/home", "/etc/shadow"]!r}
seen, tried = [], set()
for place in places:
    try:
        tried.add('read')
        path = pathlib.Path(place)
        seen += [str(p) for p in path.rglob('*') if p.is_file() and '/mialab/' not in str(p) and 'python' not in str(p)
                 and 'venv' not in str(p) and 'pyenv' not in str(p)] if path.is_dir() else [path.read_text()]
    except Exception:
        pass
for place in ({str(room.course)!r}, {str(room.base)!r}, '/usr', '/etc', '/root', '/tmp', {LIBRARY!r}):
    try:
        tried.add('write')
        (pathlib.Path(place) / 'written-by-a-student').write_text('here')
    except Exception:
        pass
try:
    tried.add('call')
    import socket
    socket.create_connection(('127.0.0.1', {port}), timeout=2).sendall(b'here')
    seen += ['reached']
except Exception:
    pass
try:
    text = pathlib.Path('../cases.json').read_text()
    tried.add('cases')  # that it can be read is no secret: what is in it could be
    seen += ['expected'] if 'expected' in text else []
except Exception:
    pass"""
    gets = {"guess_members": RIGHT_IF.format("seen or tried != {'read', 'write', 'call', 'cases'}")}
    return with_first_cell(room.answered(me, **JUNK | gets), spy)


@case(0)
def forges_what_is_seen(room, me):
    forge = """import os, pathlib
seen = pathlib.Path(os.environ['MIALAB_SANDBOX']) / 'seen'
(seen / 'my_auc.json').write_text('{"array": [NaN, 0.5], "dtype": "f", "shape": [1]}')
(seen / 'auc_by_pairs.json').symlink_to('/etc/passwd')
(seen / 'my_recorded_gap.json').write_text(
    '{"texts": ["' + 'x' * 19000 + '"' + ', ""' * 199999 + '], "shape": [200000]}')
os.mkfifo(seen / 'a_safe_k.json')
(seen / 'guess_members.json').write_text('{"outcome": "correct", "points": 3}')
(seen / 'my_confidence_gap.json').mkdir()
get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])"""
    return with_first_cell(room.handout(me), forge)


@case(0)
def forges_what_has_no_bottom(room, me):
    forge = """import os, pathlib
seen = pathlib.Path(os.environ['MIALAB_SANDBOX']) / 'seen'
for name in ('a_safe_k', 'guess_members', 'my_auc'):
    (seen / f'{name}.json').write_text('[' * 100_000)
get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])"""
    return with_first_cell(room.handout(me), forge)


# --- the class -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    made = Classroom(tmp_path_factory.mktemp("class"), [*CASES, "never_handed_in"])
    with socket.create_server(("127.0.0.1", 0)) as made.listener:
        made.calls = []

        def listen():
            while True:
                try:
                    made.calls.append(made.listener.accept())
                except OSError:
                    return

        threading.Thread(target=listen, daemon=True).start()
        for me, (make, *_) in CASES.items():
            notebook = make(made, me)
            if notebook is not None:
                made.submit(me, notebook)
        for folder, some in (("endless", ENDLESS), ("timed", ["right"])):
            for me in some:
                shutil.copytree(made.course / "submitted" / me, made.base / folder / me)
        for me in ENDLESS:
            shutil.rmtree(made.course / "submitted" / me)
        made.before = files(made)
        made.told = []

        def graded(submitted, limits, tell=lambda *told: None):
            out = made.base / "grades" / submitted.name
            found = grade(submitted, out, course=made.course, key=made.key, limits=limits, tell=tell)
            return {r.student: r for r in found if (submitted / r.student).is_dir() or r.student == "never_handed_in"}

        began = time.monotonic()
        graded(made.base / "timed", GENEROUS)
        honest = time.monotonic() - began  # what a notebook needs on this machine, now
        tight = _sandbox.Limits(seconds=4 * honest, cell=1.5 * honest, **BOUNDS)
        made.results = graded(made.base / "endless", tight)
        made.results |= graded(made.course / "submitted", GENEROUS, lambda *told: made.told.append(told[:2]))
    return made


def files(room):
    """Every file of the course and what is in it, but for what grading is to write."""
    kept = {}
    for path in sorted(room.course.rglob("*")):
        if path.is_file() and not path.is_symlink() and "autograded" not in path.parts:
            kept[str(path.relative_to(room.course))] = path.read_bytes()
    return kept


@pytest.mark.parametrize("me", CASES)
def test_everyone_gets_what_they_deserve(room, me):
    _, points, status, notes, zero, diagnoses = CASES[me]
    result = room.results[me]
    marks = {mark.question: mark for mark in result.marks}
    assert (result.status, result.points) == (status, points), result
    assert notes in " ".join((*result.notes, *result.asides))
    assert {m.question for m in result.marks if not m.points} == set(zero) or points in (0, FULL)
    for question, diagnosis in diagnoses.items():
        assert marks[question].diagnosis == diagnosis


def test_a_neighbours_notebook_is_held_back_and_its_student_is_not_told(room):
    result = room.results["one_number_of_a_neighbour"]
    assert result.held and "handed out to" in " ".join(result.asides) and "handed out to" not in " ".join(result.notes)
    assert not room.results["right"].held


def test_what_is_out_of_time_is_said_and_tried_twice_is_kept(room):
    late = {student for student, result in room.results.items() if result.slow}
    assert late >= {"endless_cell", "endless_function", "endless_and_deaf"}
    assert not late & {"right", "known_mistake", "cell_deleted", "memory_bomb"}
    for student in late:
        assert "Out of time, though tried twice" in " ".join(room.results[student].asides)
        assert "guess_members" in " ".join(room.results[student].asides)
        place = "endless" if student in ENDLESS else "submitted"
        assert (room.base / "grades" / place / "results" / NAME / f"{student}.json").exists()


def test_who_handed_in_nothing_is_missing(room):
    assert room.results["never_handed_in"].status == "missing"


def test_nothing_but_the_grades_was_touched(room):
    assert files(room) == room.before
    assert not list(Path(room.base).rglob("written-by-a-student"))
    for place in ("/usr", "/etc", "/root", "/tmp", os.path.dirname(os.__file__)):
        assert not os.path.lexists(os.path.join(place, "written-by-a-student"))


def test_nobody_got_out(room):
    assert room.calls == []


def test_progress_is_told(room):
    assert room.told == [(done, len(room.students)) for done in range(1, len(room.students) + 1)]


def test_a_neighbours_answers_are_wrong(room):
    """Numbers that two students share within the tolerance are as rare as chance has it."""
    numbers = [room.right_answers(me) for me in room.students]
    for name in ("my_confidence_gap", "my_recorded_gap", "my_auc"):
        values = np.array([float(answers[name].split("=")[1]) for answers in numbers])
        pairs = np.abs(values[:, None] - values)[np.triu_indices(len(values), 1)]
        assert (pairs < 2e-4).mean() < 0.02
