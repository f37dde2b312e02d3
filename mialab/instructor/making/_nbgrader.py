"""What is asked of nbgrader: the students' version of an assignment, and its gradebook.

Only this module imports nbgrader, an extra (`instructor`).
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import mialab


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


def _database(course: Path) -> str:
    return f"sqlite:///{course / 'gradebook.db'}"


def _convert(converter: type, course: Path, assignment: str, student: str) -> Any:
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.student_id = student
    config.CourseDirectory.db_url = _database(course)
    config.ClearSolutions.enabled = False  # see nbgrader_config.py
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = converter(coursedir=CourseDirectory(config=config), config=config, force=True)
        made.log.setLevel("ERROR")
        made.start()
    return made
