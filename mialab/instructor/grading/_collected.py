"""What `mialab collect` put into place and when it was handed in: `course/instructor/collected.csv`.

One line a file; lines are only ever added, and a later line for the same student and assignment is of a later hand-in.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mialab._files import write_whole
from mialab.instructor.making import _tables

FILE = "collected.csv"


class Line(NamedTuple):
    """A file that was put into place."""

    student: str
    assignment: str
    file: str  # what the archive called it, as it was shown
    when: str  # the archive's date of it, year-month-dayThh:mm:ss without a zone; empty if it tells none
    late_mark: str  # LATE where Canvas says so
    sha256: str  # the first 12 digits


def read(course: Path) -> list[Line]:
    """The lines so far; none where nothing was collected yet."""
    path = course / "instructor" / FILE
    if not path.exists():
        return []
    return [Line(*(line.get(name, "") for name in Line._fields)) for line in _tables.read_table(path)[1]]


def add(course: Path, lines: list[Line]) -> None:
    """Add what is not there yet: the same bytes in the same place are noted once, with their first date."""
    known = {(line.student, line.assignment, line.sha256) for line in read(course)}
    new = [line for line in lines if (line.student, line.assignment, line.sha256) not in known]
    if new:
        path = course / "instructor" / FILE
        before = path.read_bytes() if path.exists() else b""
        head, _, rows = _tables.write_table(list(Line._fields), [list(line) for line in new]).partition("\r\n")
        write_whole(path, before + ("" if before else head + "\r\n").encode() + rows.encode())
