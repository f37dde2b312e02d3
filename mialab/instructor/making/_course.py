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
from mialab.instructor.making import _assignment, _keys, _nbgrader, _personal
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
    release: int = 1


def assign(
    number: str,
    out: Path | str,
    *,
    exercises: list[str] | None = None,
    roster: Path | str | None = None,
    key: Path | str | None = None,
    hints: bool = True,
    mend: bool = False,
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
    mend : release it once more, for there was a fault in it; what was released before is kept, to grade by.

    Returns
    -------
    The assignment's name, its questions with their points, the folders of the handouts, and who has left the roster.

    Raises
    ------
    ValueError : one of these is not so, the assignment is there already, or what is to be mended is not.

    >>> assign("06", "my-class", roster="roster.csv")
    Traceback (most recent call last):
    ValueError: roster and key belong together: give both for personal assignments, or neither
    """
    if (roster is None) != (key is None):
        raise ValueError("roster and key belong together: give both for personal assignments, or neither")
    chapter = _assignment.find_chapter(number)
    students = [student.id for student in _keys.read_roster(roster)] if roster else [EVERYONE]
    secret = _keys.read_key(key) if key else None
    out, name = Path(out).absolute(), chapter.notebook
    if mend or settings_file(out, name).exists():
        return _again(out, chapter, exercises, students, secret, roster, mend)
    hidden = _keys.derive(secret, "hidden", name).hex() if secret else secrets.token_hex(32)
    new = _Release(chapter, _assignment.choose(chapter, exercises), secret, hidden, hints)
    start(out)
    left = copy_roster(Path(roster), out) if roster else ()
    return Made(name, new.points, _make(out, new, students), left)


class _Release(NamedTuple):
    """What a release of an assignment is made from."""

    chapter: Any
    exercises: list[Exercise]
    key: bytes | None
    hidden: str  # both its seeds as one number, in hexadecimal digits
    hints: bool
    number: int = 1

    @property
    def name(self) -> str:
        return self.chapter.notebook

    @property
    def about(self) -> dict[str, Any]:
        """What its notebooks say of themselves."""
        return {"assignment": self.name, "release": self.number}

    @property
    def points(self) -> dict[str, int]:
        """Every question, and what it is worth."""
        own = _personal.questions(int(self.name[:2])) if self.key else []
        return {question.name: question.points for question in [*self.exercises, *own]}

    @property
    def settings(self) -> dict[str, Any]:
        """What the course keeps of it."""
        return {
            "format": 1,
            "assignment": self.name,
            "exercises": [e.name for e in self.exercises],
            "personal": self.key is not None,
            "key": _keys.fingerprint(self.key) if self.key else None,
            "hidden": None if self.key else self.hidden,  # a key regenerates it
            "version": __version__,
            **({"release": self.number} if self.number > 1 else {}),
        }

    def cells(self, orders: dict[str, dict[str, str]]) -> list[Cell]:
        """The notebook's cells, with each choice's letters in this order."""
        return _assignment.cells(self.chapter, self.exercises, self.key is not None, orders, self.number)

    def handout(self, student: str, key: bytes | None) -> dict[str, Any]:
        """The content of a student's `assignment.json`."""
        rng = np.random.default_rng(_seeds(self.hidden)[0])
        plain = _assignment.handout(self.chapter, self.exercises, rng, hints=self.hints, student=student, key=key)
        return plain | ({"release": self.number} if self.number > 1 else {})


def _seeds(hidden: str) -> list[np.random.SeedSequence]:
    """One seed for what is public of an assignment, one for its hidden cases."""
    return np.random.SeedSequence(int(hidden, 16)).spawn(2)


def _make(out: Path, new: _Release, students: list[str]) -> list[Path]:
    """Make a release and everyone's handout; what says that it is there is written last."""
    source = out / "source" / new.name / f"{new.name}.ipynb"
    _write_notebook(source, new.cells({}), new.about)
    _write_json(source.parent / FILE, new.handout(EVERYONE, None))
    _nbgrader.release(out, new.name)
    handouts = _hand_out(out, new, students)
    _write_json(settings_file(out, new.name), new.settings)
    return handouts


def _hand_out(out: Path, release: _Release, students: list[str]) -> list[Path]:
    """Make a folder to hand out for each student, a personal one where there is a key."""
    folders = []
    for student in students:
        folder = out / "handout" / student / release.name
        shutil.copytree(out / "release" / release.name, folder, dirs_exist_ok=True)
        if release.key is not None:
            _make_personal(folder, release, student)
        folders.append(folder)
    return folders


def _again(
    out: Path,
    chapter: Any,
    exercises: list[str] | None,
    students: list[str],
    key: bytes | None,
    roster: Any,
    mend: bool,
) -> Made:
    """An assignment that is there: once more for everyone if it is mended, else for those who have no handout yet."""
    name = chapter.notebook
    if not settings_file(out, name).exists():
        raise ValueError(f"mend: out={str(out)!r} holds no {name} that could be mended")
    settings = json.loads(settings_file(out, name).read_text("utf-8"))
    new = [student for student in students if not (out / "handout" / student / name).exists()]
    if not mend and not (settings["personal"] and key and new):
        raise ValueError(
            f"out={str(out)!r} holds {name} already, and students may have it: --mend releases it once more and keeps "
            "what they have; or choose another folder"
        )
    if settings["key"] != (_keys.fingerprint(key) if key else None):
        raise ValueError(f"key is not the one that {name} was made with")
    chosen = _assignment.choose(chapter, settings["exercises"])
    if exercises is not None and _assignment.choose(chapter, exercises) != chosen:
        raise ValueError(f"exercises={', '.join(exercises)}: {name} is there with {', '.join(settings['exercises'])}")
    before = json.loads((out / "source" / name / FILE).read_text("utf-8"))
    hidden = _keys.derive(key, "hidden", name).hex() if key else settings["hidden"]
    release = _Release(chapter, chosen, key, hidden, before["hints"], settings.get("release", 1))
    if not mend:
        left = copy_roster(Path(roster), out)
        return Made(name, release.points, _hand_out(out, release, new), left, added=True)
    release = release._replace(number=release.number + 1)
    _check_same_questions(before["exercises"], release.handout(EVERYONE, None)["exercises"])
    left = copy_roster(Path(roster), out) if roster else ()
    _keep_release(out, name, release.number - 1)
    return Made(name, release.points, _make(out, release, students), left, release=release.number)


def _check_same_questions(before: dict[str, Any], now: dict[str, Any]) -> None:
    """ValueError where a question has other points or options now: its answers could not be graded side by side."""
    kept = ("kind", "points", "options")
    other = [name for name in now if any(before[name].get(what) != now[name].get(what) for what in kept)]
    if other:
        raise ValueError(
            f"mend: {', '.join(other)} has other points or options now than when it was released; grade without it "
            "(mialab grade --drop), or make the assignment in another folder"
        )


def _keep_release(out: Path, name: str, number: int) -> None:
    """Keep what was released before: a folder that is laid out as a course is, with this one assignment."""
    kept = _releases(out, name) / str(number)
    if kept.exists():  # mending was interrupted: what lies in its place now may be half of the next one
        return
    draft = kept.with_name(f".{number}")
    shutil.rmtree(draft, ignore_errors=True)
    for folder in [out / "source" / name, out / "release" / name, *(out / "handout").glob(f"*/{name}")]:
        shutil.copytree(folder, draft / folder.relative_to(out))
    (draft / "instructor").mkdir()
    shutil.copy(settings_file(out, name), settings_file(draft, name))
    draft.rename(kept)


def _releases(course: Path, assignment: str) -> Path:
    return course / "instructor" / "releases" / assignment


def earlier_releases(course: Path, assignment: str) -> list[Path]:
    """The folders in which a course keeps what it released of an assignment before, the first release first."""
    return sorted(_releases(course, assignment).glob("[0-9]*"), key=lambda folder: int(folder.name))


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


def _make_personal(folder: Path, release: _Release, student: str) -> None:
    """Put a student's own order of options into the released notebook, and their own settings beside it."""
    name, key = release.name, release.key
    notebook = json.loads((folder / f"{name}.ipynb").read_text("utf-8"))
    own = release.cells(option_orders(release.exercises, key, name, student))
    for cell, mine in zip(notebook["cells"], own, strict=True):
        if cell["cell_type"] == "markdown":
            cell["source"] = mine.source
    # Says whose notebook this is, wherever it turns up; the tag shows that nobody has changed the name by hand.
    seal = _keys.seal(key, name, student, release.number)
    notebook["metadata"]["mialab"] = {**release.about, "student": student, "tag": seal}
    _write_json(folder / f"{name}.ipynb", notebook, indent=1)
    _write_json(folder / FILE, release.handout(student, key))


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
    before, now = _keys.kept_roster(out), _keys.read_roster(roster)
    left = tuple(student.id for student in before if student.id not in {student.id for student in now})
    if 2 * len(left) > len(before):
        raise ValueError(
            f"roster={str(roster)!r} lacks {len(left)} of the {len(before)} students that {out} was made for: is it "
            "another class's? Then make a new folder"
        )
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["student", *_keys.Student._fields[1:]])
    writer.writerows(now)
    write_whole(out / "instructor" / "roster.csv", text.getvalue())
    return left


def _write_notebook(path: Path, cells: list[Cell], about: dict[str, Any]) -> None:
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, writes

    notebook = new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
            "mialab": about,
        }
    )
    for number, cell in enumerate(cells):
        made = (new_code_cell if cell.kind == "code" else new_markdown_cell)(cell.source, id=f"cell-{number:02d}")
        if cell.nbgrader:
            made.metadata["nbgrader"] = cell.nbgrader
        if cell.picture:
            made["attachments"] = {"figure.png": {"image/png": cell.picture}}
        notebook.cells.append(made)
    write_whole(path, writes(notebook) + "\n")


def _write_json(path: Path, content: Any, indent: int | None = None) -> None:
    write_whole(path, json.dumps(content, indent=indent, ensure_ascii=False) + "\n")
