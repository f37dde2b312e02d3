"""What lies in `submitted/` and is nobody's: a hand-in in the wrong place must not pass for a missing one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mialab.instructor.grading import _intake
from mialab.instructor.grading._archives import LEFT_BEHIND


class Stray(NamedTuple):
    """A file or folder that no assignment of any student claims, and whose it may be."""

    place: str  # below `submitted`
    student: str | None  # the nearest on the roster
    assignment: str | None  # the nearest assignment; None: it may be any

    def __str__(self) -> str:
        if self.student is None:
            return f"{self.place}: nobody on the roster has such a name"
        whose = f"{self.student}/{self.assignment}/" if self.assignment else f"{self.student}/"
        return f"{self.place}: does it belong in {whose}?"


def strays(submitted: Path, students: Sequence[str], assignments: Sequence[str]) -> list[Stray]:
    """Everything in `submitted` but a student's folder, and in such a folder but an assignment's."""
    found = []
    for path in _entries(submitted):
        if path.name not in students or not path.is_dir():
            inside = [p.name for p in _entries(path)] if path.is_dir() else [path.name]
            assignment = next((a for name in inside if (a := _assignment(name, assignments))), None)
            place = f"{path.name}/" if path.is_dir() else path.name
            found.append(Stray(place, _nearest(path, students), assignment))
            continue
        for entry in _entries(path):
            if entry.name not in assignments or not entry.is_dir():
                place = f"{path.name}/{entry.name}" + ("/" if entry.is_dir() else "")
                found.append(Stray(place, path.name, _assignment(entry.name, assignments)))
    return found


def _entries(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.name not in LEFT_BEHIND)


def _nearest(path: Path, students: Sequence[str]) -> str | None:
    """Whom a notebook was handed out to, else the student whose name is most like the file's."""
    for notebook in [path] if path.is_file() else sorted(path.glob("*/*.ipynb"))[:3]:
        if (named := owner(notebook)) in students:
            return named
    by_small = {student.lower(): student for student in students}
    name = (path.stem if path.is_file() else path.name).lower()
    for word in (name, *re.split(r"[_\s-]+", name)):
        if len(word) > 1 and (near := difflib.get_close_matches(word, by_small, 1, 0.7)):
            return by_small[near[0]]
    return None


def owner(notebook: Path) -> str | None:
    """The student that a notebook names as its own; None where it names nobody, or is no notebook."""
    try:
        return None if notebook.is_symlink() else str(_intake.about(_intake.read(notebook))["student"])
    except (_intake.Unreadable, OSError, KeyError):
        return None


def _assignment(name: str, assignments: Sequence[str]) -> str | None:
    """The assignment that a name speaks of: by all of its name, or by its number alone."""
    for one in assignments:
        if one in name or re.match(rf"0*{int(one[:2])}(?!\d)" if one[:2].isdigit() else re.escape(one), name):
            return one
    return None
