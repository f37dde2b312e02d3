"""The instructor's folder of a class: making assignments in it, and reading what was made."""

from __future__ import annotations

import csv
import io
import json
import secrets
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mialab import __version__
from mialab._files import write_whole
from mialab.exercises._engine._base import Exercise
from mialab.exercises._engine._kinds import Choice
from mialab.exercises.handout import FILE
from mialab.instructor.making import _assignment, _keys, _personal
from mialab.instructor.making._assignment import EVERYONE, Cell

_CONFIG = """# nbgrader's settings for this course; `mialab assign` wrote them.
c = get_config()
c.CourseDirectory.course_id = "mialab"
# The source holds no solutions to clear, and its stubs run unanswered, which nbgrader's own would not.
c.ClearSolutions.enabled = False
c.ExecutePreprocessor.timeout = 30
"""


class Made(NamedTuple):
    """What was made: the assignment, its questions with their points, and for whom."""

    assignment: str
    questions: dict[str, int]
    handouts: list[Path]
    left: tuple[str, ...] = ()  # who was on the roster and is no longer
    added: bool = False  # the assignment was there: handouts only for who joined since


def assign(
    number: str,
    out: Path | str,
    *,
    exercises: list[str] | None = None,
    roster: Path | str | None = None,
    key: Path | str | None = None,
    hints: bool = True,
) -> Made:
    """Make an assignment from a notebook of the course: nbgrader's source and release, and what students are handed.

    Where it is there already and the roster has grown, only the new students' handouts are made.

    Parameters
    ----------
    number : the notebook, "06" for instance.
    out : the folder of the class; it is made if it is missing.
    exercises : their names; all but the guesses if None.
    roster, key : a CSV file of students and a key file: everyone gets flowers, a model and an order of options alone.
    hints : whether the handout gives the course's hints.

    Returns
    -------
    The assignment's name, its questions with their points, the folders of the handouts, and who has left the roster.

    Raises
    ------
    ValueError : one of these is not so, or the assignment is there already.

    >>> assign("06", "my-class", roster="roster.csv")
    Traceback (most recent call last):
    ValueError: roster and key belong together: give both for personal assignments, or neither
    """
    if (roster is None) != (key is None):
        raise ValueError("roster and key belong together: give both for personal assignments, or neither")
    chapter = _assignment.find_chapter(number)
    chosen = _assignment.choose(chapter, exercises)
    students = [student.id for student in _keys.read_roster(roster)] if roster else [EVERYONE]
    secret = _keys.read_key(key) if key else None
    out, name = Path(out).absolute(), chapter.notebook
    if settings_file(out, name).exists():
        return _add(out, chapter, exercises, students, secret, roster)
    hidden = _keys.derive(secret, "hidden", name).hex() if secret else secrets.token_hex(32)
    seed = _seeds(hidden)[0]
    start(out)
    left = copy_roster(Path(roster), out) if roster else ()
    source = out / "source" / name / f"{name}.ipynb"
    _write_notebook(source, _assignment.cells(chapter, chosen, secret is not None, {}))
    _write_json(source.parent / FILE, _handout(chapter, chosen, seed, hints, EVERYONE, None))
    _release(out, name)
    handouts = _hand_out(out, chapter, chosen, seed, hints, students, secret)
    settings = {
        "format": 1,
        "assignment": name,
        "exercises": [e.name for e in chosen],
        "personal": secret is not None,
        "key": _keys.fingerprint(secret) if secret else None,
        "hidden": None if secret else hidden,  # a key regenerates it
        "version": __version__,
    }
    _write_json(settings_file(out, name), settings)
    return Made(name, _points(chapter, chosen, secret is not None), handouts, left)


def _seeds(hidden: str) -> list[np.random.SeedSequence]:
    """One seed for what is public of an assignment, one for its hidden cases."""
    return np.random.SeedSequence(int(hidden, 16)).spawn(2)


def _hand_out(
    out: Path, chapter: Any, chosen: list[Exercise], seed: Any, hints: bool, students: list[str], key: bytes | None
) -> list[Path]:
    """Make a folder to hand out for each student, a personal one where there is a key."""
    name, folders = chapter.notebook, []
    for student in students:
        folder = out / "handout" / student / name
        shutil.copytree(out / "release" / name, folder, dirs_exist_ok=True)
        if key is not None:
            _make_personal(folder, chapter, chosen, seed, hints, student, key, out / "release" / name)
        folders.append(folder)
    return folders


def _add(
    out: Path, chapter: Any, exercises: list[str] | None, students: list[str], key: bytes | None, roster: Any
) -> Made:
    """Handouts of an assignment that is there for those who have none; ValueError if that is nobody, or another one."""
    name = chapter.notebook
    settings = json.loads(settings_file(out, name).read_text("utf-8"))
    new = [student for student in students if not (out / "handout" / student / name).exists()]
    if not (settings["personal"] and key) or not new:
        raise ValueError(
            f"out={str(out)!r} holds {name} already, and students may have it: choose another folder, or remove "
            f"{settings_file(out, name)} if nobody has"
        )
    chosen = _assignment.choose(chapter, settings["exercises"])
    if exercises is not None and _assignment.choose(chapter, exercises) != chosen:
        raise ValueError(f"exercises={', '.join(exercises)}: {name} is there with {', '.join(settings['exercises'])}")
    if _keys.fingerprint(key) != settings["key"]:
        raise ValueError(f"key is not the one that {name} was made with")
    left = copy_roster(Path(roster), out)
    hidden = _keys.derive(key, "hidden", name).hex()
    hints = json.loads((out / "source" / name / FILE).read_text("utf-8"))["hints"]
    handouts = _hand_out(out, chapter, chosen, _seeds(hidden)[0], hints, new, key)
    return Made(name, _points(chapter, chosen, True), handouts, left, added=True)


def _points(chapter: Any, chosen: list[Exercise], personal: bool) -> dict[str, int]:
    own = _personal.questions(int(chapter.notebook[:2])) if personal else []
    return {question.name: question.points for question in [*chosen, *own]}


def settings_file(course: Path, assignment: str) -> Path:
    """Where the course keeps what only its instructor may know of an assignment."""
    return course / "instructor" / f"{assignment}.json"


def option_orders(exercises: list[Exercise], key: bytes, assignment: str, student: str) -> dict[str, dict[str, str]]:
    """For every choice, the letter that this student sees for each of the exercise's own."""
    return {
        e.name: _personal.shuffled(key, assignment, student, e.name, list(e.options))
        for e in exercises
        if isinstance(e, Choice)
    }


def hidden_generator(settings: dict[str, Any], key: bytes | None) -> np.random.Generator:
    """The generator of an assignment's hidden cases."""
    hidden = settings["hidden"] or _keys.derive(key, "hidden", settings["assignment"]).hex()
    return np.random.default_rng(_seeds(hidden)[1])


def _handout(chapter: Any, chosen: list[Exercise], seed: Any, hints: bool, student: str, key: bytes | None) -> dict:
    rng = np.random.default_rng(seed)
    return _assignment.handout(chapter, chosen, rng, hints=hints, student=student, key=key)


def _make_personal(
    folder: Path, chapter: Any, chosen: list[Exercise], seed: Any, hints: bool, student: str, key: bytes, release: Path
) -> None:
    """Put a student's own order of options into the released notebook, and their own settings beside it."""
    name = chapter.notebook
    orders = option_orders(chosen, key, name, student)
    notebook = json.loads((release / f"{name}.ipynb").read_text("utf-8"))
    own = _assignment.cells(chapter, chosen, True, orders)
    for cell, mine in zip(notebook["cells"], own, strict=True):
        if cell["cell_type"] == "markdown":
            cell["source"] = mine.source
    # Says whose notebook this is, wherever it turns up; the tag shows that nobody has changed the name by hand.
    tag = _keys.secret(key, "tag", name, student)
    notebook["metadata"]["mialab"] = {"assignment": name, "student": student, "tag": tag}
    _write_json(folder / f"{name}.ipynb", notebook, indent=1)
    _write_json(folder / FILE, _handout(chapter, chosen, seed, hints, student, key))


def start(out: Path) -> None:
    """Make the folders of a class, and nbgrader's settings, where they are missing."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "instructor").mkdir(mode=0o700, exist_ok=True)
    (out / "submitted").mkdir(exist_ok=True)
    config = out / "nbgrader_config.py"
    if not config.exists():
        config.write_text(_CONFIG, "utf-8")


def copy_roster(roster: Path, out: Path) -> tuple[str, ...]:
    """Keep the roster with the class, and say who has left; ValueError if it seems another class's."""
    kept, now = out / "instructor" / "roster.csv", _keys.read_roster(roster)
    before = [student.id for student in _keys.read_roster(kept)] if kept.exists() else []
    left = tuple(student for student in before if student not in {student.id for student in now})
    if 2 * len(left) > len(before):
        raise ValueError(
            f"roster={str(roster)!r} lacks {len(left)} of the {len(before)} students that {out} was made for: is it "
            "another class's? Then make a new folder"
        )
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["student", *_keys.Student._fields[1:]])
    writer.writerows(now)
    write_whole(kept, text.getvalue())
    return left


def _release(out: Path, name: str) -> None:
    """Let nbgrader make the students' version, and enter the assignment in its gradebook."""
    from mialab.instructor.making import _nbgrader

    _nbgrader.release(out, name)


def _write_notebook(path: Path, cells: list[Cell]) -> None:
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, writes

    notebook = new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        }
    )
    for number, cell in enumerate(cells):
        made = (new_code_cell if cell.kind == "code" else new_markdown_cell)(cell.source, id=f"cell-{number:02d}")
        if cell.nbgrader:
            made.metadata["nbgrader"] = cell.nbgrader
        if cell.picture:
            import base64

            made["attachments"] = {"figure.png": {"image/png": base64.b64encode(cell.picture).decode()}}
        notebook.cells.append(made)
    write_whole(path, writes(notebook) + "\n")


def _write_json(path: Path, content: Any, indent: int | None = None) -> None:
    write_whole(path, json.dumps(content, indent=indent, ensure_ascii=False) + "\n")
