"""What `mialab collect` put into place, and what it left of those it knows: two tables in `course/instructor/`.

One line a file; lines are only ever added, and a later line for the same student and assignment is of a later hand-in.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mialab._files import write_whole
from mialab.instructor.making import _tables


class Line(NamedTuple):
    """A file that was put into place."""

    student: str
    assignment: str
    file: str  # what the archive called it, as it was shown
    when: str  # the archive's date of it, year-month-dayThh:mm:ss without a zone; empty if it tells none
    late_mark: str  # LATE where Canvas says so
    sha256: str  # the first 12 digits

    FILE = "collected.csv"

    @property
    def same(self) -> tuple[str, ...]:
        """What is equal for lines of the same file."""
        return self.student, self.assignment, self.sha256


class Left(NamedTuple):
    """A file that was not put into place, and whose it is as far as that is known: so nothing is missing of theirs."""

    student: str
    assignment: str  # empty if it may be any
    file: str
    why: str

    FILE = "left.csv"

    @property
    def same(self) -> tuple[str, ...]:
        """What is equal for lines of the same file."""
        return tuple(map(_tables.plain_cell, self))


def read(course: Path, kind: type = Line) -> list:
    """The lines so far, each a `kind`; none where nothing was collected yet."""
    path = course / "instructor" / kind.FILE
    if not path.exists():
        return []
    return [kind(*(line.get(name, "") for name in kind._fields)) for line in _tables.read_table(path)[1]]


def add(course: Path, lines: list, kind: type = Line) -> None:
    """Add what is not there yet: the same bytes in the same place are noted once, with their first date."""
    known = {line.same for line in read(course, kind)}
    new = [line for line in lines if line.same not in known]
    if new:
        path = course / "instructor" / kind.FILE
        before = path.read_bytes() if path.exists() else b""
        head, _, rows = _tables.write_table(list(kind._fields), [list(line) for line in new]).partition("\r\n")
        write_whole(path, before + ("" if before else head + "\r\n").encode() + rows.encode())
