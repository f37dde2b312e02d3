"""Archives: one to hand out to each student, and what a learning-management system gives back, put into place.

A name in an archive never becomes a path here: a notebook says itself whose it is and what it answers.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mialab.instructor.grading import _grading, _intake
from mialab.instructor.making import _keys

MOST_FILES = 10_000
LARGEST = 512 << 20  # bytes unpacked, all together


class Collected(NamedTuple):
    """Which notebooks were put into place, and which were not, and why."""

    placed: list[Path]
    left: list[str]

    def __str__(self) -> str:
        lines = [f"{len(self.placed)} put into place."]
        if self.left:
            lines += [f"{len(self.left)} not, look at these yourself:", *(f"  {one}" for one in self.left)]
        return "\n".join(lines)


def pack(folder: Path, path: Path) -> None:
    """Write an archive of a folder, in which the folder's own name comes first; the same files make the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            about = zipfile.ZipInfo(str(Path(folder.name) / file.relative_to(folder)))
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(about, file.read_bytes())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed.getvalue())


def collect(archive: Path | str, course: Path | str) -> Collected:
    """Put every notebook of an archive where `mialab grade` looks for it, by the student and assignment that it names.

    Nothing that is there is overwritten: of two notebooks for one place the instructor chooses.

    Raises
    ------
    ValueError : no archive, one that is damaged or unpacks to too much, or a class without a roster
    """
    archive, course = Path(archive), Path(course).absolute()
    roster = course / "instructor" / "roster.csv"
    if not roster.exists():
        raise ValueError(f"course={str(course)!r} has no roster, so no notebook says whose it is: unpack it by hand")
    students = {student.id for student in _keys.read_roster(roster)}
    assignments = _grading.assignment_names(course)
    found: dict[tuple[str, str], list[tuple[str, bytes]]] = {}
    left = []
    try:
        for name, content in _notebooks(archive.read_bytes(), [MOST_FILES, LARGEST]):
            student, assignment = _named(content)
            if student not in students or assignment not in assignments:
                left.append(f"{name}: names {student or 'no student'} and {assignment or 'no assignment'}")
            else:
                found.setdefault((student, assignment), []).append((name, content))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"archive={str(archive)!r} cannot be read ({error}); it should be a ZIP file") from None
    placed = []
    for (student, assignment), copies in found.items():
        path = course / "submitted" / student / assignment / f"{assignment}.ipynb"
        contents = {content for _, content in copies}
        if len(contents) > 1:
            left += [f"{name}: one of several for {student}/{assignment}/" for name, _ in copies]
        elif path.is_symlink() or (path.exists() and path.read_bytes() not in contents):
            left.append(f"{copies[0][0]}: another one lies in {student}/{assignment}/ already")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(copies[0][1])
            placed.append(path)
    return Collected(placed, left)


def _notebooks(content: bytes, room: list[int], inner: str = "") -> Iterator[tuple[str, bytes]]:
    """The notebooks of an archive and of the archives in it, one deep; `room` is what may still be unpacked."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for about in archive.infolist():
            suffix = Path(about.filename).suffix.lower()
            if "__MACOSX" in about.filename or suffix not in (".ipynb", ".zip") or (suffix == ".zip" and inner):
                continue
            with archive.open(about) as file:  # the size that an archive gives may be a lie
                unpacked = file.read(min(room[1], 4 * _intake.LARGEST) + 1)
            room[0], room[1] = room[0] - 1, room[1] - len(unpacked)
            if min(room) < 0:
                raise ValueError(f"the archive holds more than {MOST_FILES} files or {LARGEST >> 20} MB of notebooks")
            shown = inner + about.filename.encode("ascii", "backslashreplace").decode()
            if suffix == ".ipynb":
                yield shown, unpacked
            else:
                yield from _notebooks(unpacked, room, f"{shown}: ")


def _named(content: bytes) -> tuple[str | None, str | None]:
    """The student and the assignment that a notebook names."""
    try:
        about = json.loads(content.decode("utf-8-sig"))["metadata"]["mialab"]
        return str(about["student"])[:64], str(about["assignment"])[:64]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, None
