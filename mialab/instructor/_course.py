"""The instructor's folder of a class: making assignments in it, and reading what was made."""

from __future__ import annotations

import csv
import json
import secrets
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mialab import __version__
from mialab._files import write_whole
from mialab.exercises._base import Exercise
from mialab.exercises._kinds import Choice
from mialab.exercises.handout import FILE
from mialab.instructor import _assignment, _keys, _personal
from mialab.instructor._assignment import EVERYONE, Cell

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

    Parameters
    ----------
    number : the notebook, e.g. "05"
    out : the folder of the class; made if it is missing
    exercises : their names; all but the guesses if None
    roster, key : a CSV file of students and a key file: everyone gets flowers, a model and an order of options alone
    hints : whether the handout gives the course's hints

    Raises
    ------
    ValueError : one of these is not so, or the assignment is there already
    """
    if (roster is None) != (key is None):
        raise ValueError("roster and key belong together: give both for personal assignments, or neither")
    chapter = _assignment.find_chapter(number)
    chosen = _assignment.choose(chapter, exercises)
    students = [student.id for student in _keys.read_roster(roster)] if roster else [EVERYONE]
    secret = _keys.read_key(key) if key else None
    out, name = Path(out).absolute(), chapter.notebook
    if settings_file(out, name).exists():
        raise ValueError(
            f"out={str(out)!r} holds {name} already, and students may have it: choose another folder, or remove "
            f"{settings_file(out, name)} if nobody has"
        )
    hidden = _keys.derive(secret, "hidden", name).hex() if secret else secrets.token_hex(32)
    seeds = np.random.SeedSequence(int(hidden, 16)).spawn(2)  # one for what is public, one for what is not

    start(out)
    if roster:
        copy_roster(Path(roster), out)
    personal = secret is not None
    source = out / "source" / name / f"{name}.ipynb"
    _write_notebook(source, _assignment.cells(chapter, chosen, personal, {}))
    _write_json(source.parent / FILE, _handout(chapter, chosen, seeds[0], hints, EVERYONE, None))
    _release(out, name)
    folders = []
    for student in students:
        folder = out / "handout" / student / name
        shutil.copytree(out / "release" / name, folder, dirs_exist_ok=True)
        if personal:
            _make_personal(folder, chapter, chosen, seeds[0], hints, student, secret, out / "release" / name)
        folders.append(folder)
    questions = {e.name: e.points for e in chosen}
    if personal:
        questions |= {own.name: own.points for own in _personal.questions(int(name[:2]))}
    settings = {
        "format": 1,
        "assignment": name,
        "exercises": [e.name for e in chosen],
        "personal": personal,
        "key": _keys.derive(secret, "fingerprint").hex()[:16] if secret else None,
        "hidden": None if personal else hidden,  # a key regenerates it
        "version": __version__,
    }
    _write_json(settings_file(out, name), settings)
    return Made(name, questions, folders)


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
    return np.random.default_rng(np.random.SeedSequence(int(hidden, 16)).spawn(2)[1])


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
    notebook["metadata"]["mialab"] = {"student": student, "tag": _keys.secret(key, "tag", name, student)}
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


def copy_roster(roster: Path, out: Path) -> None:
    """Keep the roster with the class; ValueError if it lacks someone who was on it."""
    kept = out / "instructor" / "roster.csv"
    if kept.exists() and _keys.read_roster(kept) != _keys.read_roster(roster):
        before, now = ({s.id for s in _keys.read_roster(path)} for path in (kept, roster))
        if missing := before - now:
            raise ValueError(
                f"roster={str(roster)!r} lacks {', '.join(sorted(missing))} of the class that {out} was made for; keep "
                "who has left, or make a new folder"
            )
    with open(kept, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["student", *_keys.Student._fields[1:]])
        writer.writerows(_keys.read_roster(roster))


def _release(out: Path, name: str) -> None:
    """Let nbgrader make the students' version, and enter the assignment in its gradebook."""
    from mialab.instructor import _nbgrader

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
