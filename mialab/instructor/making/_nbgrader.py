"""What is asked of nbgrader: the students' version of an assignment, a run of its autograder, and its gradebook.

Only this module and the sandbox's `_inside` import nbgrader, an extra (`instructor`).
"""

from __future__ import annotations

import importlib.util
import os
import sqlite3
import subprocess
import sys
import warnings
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import mialab

_OF_NOBODY = {"alembic_version", "course", "assignment", "notebook", "base_cell", "grade_cells", "solution_cells",
              "task_cells", "source_cell"}  # the tables of the gradebook that say nothing about a student  # fmt: skip


def load() -> ModuleType:
    """nbgrader's converters; ImportError that says how to install them."""
    # jsonschema would parse the grammar of addresses at import, most of a second for a check that no one asks for.
    sys.modules.setdefault("rfc3987_syntax", None)
    beside = os.path.dirname(sys.executable)  # nbgrader starts `alembic` by name to make a new gradebook
    if beside not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([beside, os.environ.get("PATH", os.defpath)])
    try:
        import nbgrader.converters
    except ImportError as error:
        if not _install():
            raise ValueError(f"nbgrader is missing ({error}); run in the course: pip install '.[instructor]'") from None
        import nbgrader.converters
    return nbgrader.converters


def _install() -> bool:
    """Add the part of the course that instructors need, where `make lab` made this environment; tell whether it did."""
    run = Path(mialab.__file__).resolve().parent.parent / "run.py"
    if not run.is_file() or Path(sys.prefix).resolve() != (run.parent / ".venv").resolve():
        return False
    done = subprocess.run([sys.executable, str(run), "setup", "instructor"], stdout=sys.stderr, check=False)
    importlib.invalidate_caches()
    return done.returncode == 0 and importlib.util.find_spec("nbgrader") is not None


def release(course: Path, assignment: str) -> None:
    """Make release/ from source/, without the hidden tests, and enter both in the gradebook."""
    made = _convert(load().GenerateAssignment, course, assignment, "*")
    if not (course / "release" / assignment / f"{assignment}.ipynb").exists():
        raise RuntimeError(f"nbgrader made no release of {assignment}: {made}")


def autograde(course: Path, assignment: str, student: str, **execute: Any) -> None:
    """Run nbgrader's autograder on one submission; `execute` are settings of its ExecutePreprocessor."""
    _convert(load().Autograde, course, assignment, student, ExecutePreprocessor=execute)


def enter(course: Path, assignment: str, marks: dict[str, dict[str, float | None]]) -> None:
    """Put marks in the gradebook, so that nbgrader's own tools show them.

    marks: student -> question -> points, None where a person must still read.
    """
    load()
    from nbgrader.api import Gradebook, MissingEntry

    with warnings.catch_warnings(), Gradebook(_database(course)) as gradebook:
        warnings.simplefilter("ignore")
        for student, by_question in marks.items():
            gradebook.update_or_create_student(student)
            gradebook.update_or_create_submission(assignment, student)
            for question, points in by_question.items():
                for cell in (f"{question}_test", question):
                    try:
                        grade = gradebook.find_grade(cell, assignment, assignment, student)
                    except MissingEntry:
                        continue
                    if grade.max_score == 0:
                        grade.auto_score, grade.needs_manual_grade = 0.0, False
                    elif cell == question:  # a written answer
                        grade.manual_score, grade.needs_manual_grade = points, points is None
                    else:
                        grade.auto_score, grade.needs_manual_grade = points or 0.0, False
        gradebook.db.commit()


def blank_gradebook(course: Path, path: Path) -> None:
    """Make at `path` a copy of the gradebook that has the assignments and not a word about any student."""
    with closing(sqlite3.connect(course / "gradebook.db")) as book, closing(sqlite3.connect(path)) as copy:
        book.backup(copy)
        for (table,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if table not in _OF_NOBODY:
                copy.execute(f'DELETE FROM "{table}"')
        copy.commit()
        copy.execute("VACUUM")  # what was deleted is still in the file before


def _database(course: Path) -> str:
    return f"sqlite:///{course / 'gradebook.db'}"


def _convert(converter: type, course: Path, assignment: str, student: str, **settings: Any) -> Any:
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.student_id = student
    config.CourseDirectory.db_url = _database(course)
    config.ClearSolutions.enabled = False  # see nbgrader_config.py
    for name, values in settings.items():
        for option, value in values.items():
            setattr(config[name], option, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = converter(coursedir=CourseDirectory(config=config), config=config, force=True)
        made.log.setLevel("ERROR")
        made.start()
    return made
