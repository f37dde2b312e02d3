"""What an instructor decides beside the marks: whom to accept, which question to drop, what lateness costs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from mialab._files import write_whole
from mialab.exercises._engine._base import count
from mialab.instructor.grading._grading import Result
from mialab.instructor.making import _keys, _tables

ACCEPTED = "accepted.txt"
COLLECTED = "collected.csv"  # what `mialab collect` notes: when an archive says that a file was handed in


def with_accepted(results: list[Result], out: Path, accept: Sequence[str]) -> list[Result]:
    """The results without the hold on those that the instructor accepts, now or in an earlier run.

    Raises
    ------
    ValueError : someone is accepted of whom nothing is held
    """
    path = out / ACCEPTED
    kept = path.read_text("utf-8").splitlines() if path.exists() else []
    new = [f"{r.student} {r.assignment}" for r in results if r.held and r.student in accept]
    known = {line.split()[0] for line in [*kept, *new] if line.strip()}
    if strange := [student for student in accept if student not in known]:
        held = ", ".join(dict.fromkeys(r.student for r in results if r.held)) or "nobody"
        raise ValueError(f"accept={', '.join(strange)}: nothing of theirs is held back; held back are {held}")
    accepted = list(dict.fromkeys([*kept, *new]))
    if accepted != kept:
        write_whole(path, "".join(f"{line}\n" for line in accepted))
    return [r._replace(held=False) if f"{r.student} {r.assignment}" in accepted else r for r in results]


def without_dropped(results: list[Result], drop: Sequence[str]) -> list[Result]:
    """The results without the questions that the instructor drops for everyone; what was graded stays kept.

    A question is named as the tables name it, alone (`my_auc`) or with its assignment's number (`05.my_auc`).

    Raises
    ------
    ValueError : a question is dropped that no assignment has
    """
    names = {(r.assignment[:2], mark.question) for r in results for mark in r.marks}
    known = {question for _, question in names} | {f"{number}.{question}" for number, question in names}
    if strange := [one for one in drop if one not in known]:
        raise ValueError(f"drop={', '.join(strange)} is no question of these assignments: {', '.join(sorted(known))}")

    def stays(result: Result, question: str) -> bool:
        return question not in drop and f"{result.assignment[:2]}.{question}" not in drop

    return [r._replace(marks=[mark for mark in r.marks if stays(r, mark.question)]) for r in results]


def read_due(words: Sequence[str], assignments: Sequence[str]) -> dict[str, datetime]:
    """When each assignment is due, of words as `05=2026-12-01T18:00`; a date alone means the end of that day.

    Raises
    ------
    ValueError : a word is not so, or names no assignment
    """
    due = {}
    for word in words:
        number, _, when = word.partition("=")
        name = next((a for a in assignments if a == number or a[:2] == number.zfill(2)), None)
        try:
            moment = datetime.fromisoformat(when)
        except ValueError:
            raise ValueError(f"due={word!r} should be an assignment and a date, as 05=2026-12-01T18:00") from None
        if name is None:
            raise ValueError(f"due={word!r} names no assignment of this class, which has {', '.join(assignments)}")
        due[name] = moment if "T" in when or " " in when else moment + timedelta(days=1)
    return due


def with_lateness(
    results: list[Result],
    submitted: Path,
    due: Mapping[str, datetime],
    students: Sequence[_keys.Student],
    percent_a_day: float = 0.0,
) -> list[Result]:
    """The results with the days, begun ones counted whole, by which each was late, and what is taken off for them.

    A student's `extra_days` in the roster are added to the date. When a notebook was handed in is what the archive
    said that `mialab collect` read; where none did, the date of the file, which copying may change.

    Raises
    ------
    ValueError : the percentage is not from 0 to 100
    """
    if not 0 <= percent_a_day <= 100:
        raise ValueError(f"late_off={percent_a_day:g} should be a percentage from 0 to 100")
    extra = {student.id: timedelta(days=float(student.extra_days or 0)) for student in students}
    collected = _collected(submitted.parent / "instructor" / COLLECTED)
    found = []
    for r in results:
        file = submitted / r.student / r.assignment / f"{r.assignment}.ipynb"
        if r.assignment in due and file.is_file() and not file.is_symlink():
            digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
            when = collected.get((r.student, digest)) or datetime.fromtimestamp(file.stat().st_mtime)
            over = when - due[r.assignment] - extra.get(r.student, timedelta())
            days = max(0, math.ceil(over / timedelta(days=1)))
            cut = min(1.0, days * percent_a_day / 100)
            words = f"Handed in {count(days, 'day')} late: {100 * cut:g}% of the points are taken off."
            r = r._replace(late=days, cut=cut, notes=(*r.notes, words) if cut else r.notes)
        found.append(r)
    return found


def _collected(path: Path) -> dict[tuple[str, str], datetime]:
    """(student, digest of the notebook) -> when it was handed in, as far as an archive said."""
    if not path.exists():
        return {}
    _, lines = _tables.read_table(path)
    return {(line["student"], line["sha256"]): datetime.fromisoformat(line["when"]) for line in lines if line["when"]}
