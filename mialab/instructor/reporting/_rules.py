"""What an instructor decides beside the marks: whom to accept, which question to drop, what lateness costs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from mialab._files import write_whole
from mialab.exercises._engine._base import count
from mialab.instructor.grading import _collected, _intake
from mialab.instructor.grading._grading import Result, is_meant
from mialab.instructor.making import _keys

ACCEPTED, OPTIONS = "accepted.txt", "options.txt"


def with_accepted(results: list[Result], out: Path, accept: Sequence[str]) -> tuple[list[Result], str]:
    """The results without the hold on those that the instructor accepts, now or earlier; what is unreadable gets a 0.

    With them comes what is wrong with `accept`, and then nobody in it is accepted: who is held back is known when all
    have run, and the tables are to be written all the same.
    """

    def line(r: Result) -> str:
        return f"{r.student} {r.assignment}" + " unreadable" * (r.status == "unreadable")

    path = out / ACCEPTED
    kept = path.read_text("utf-8").splitlines() if path.exists() else []
    waiting = [r for r in results if r.held or r.status == "unreadable"]
    new = [line(r) for r in waiting if r.student in accept]
    known = {one.split()[0] for one in [*kept, *new] if one.strip()}
    wrong = ""
    if strange := [student for student in accept if student not in known]:
        new = []
        held = ", ".join(dict.fromkeys(r.student for r in waiting)) or "nobody"
        wrong = f"accept={', '.join(strange)}: nothing of theirs is held back or unreadable, but of {held}"
    accepted = list(dict.fromkeys([*kept, *new]))
    if accepted != kept:
        write_whole(path, "".join(f"{one}\n" for one in accepted))
    return [
        r._replace(held=False, zero=r.zero or r.status == "unreadable") if line(r) in accepted else r for r in results
    ], wrong


def forgotten(out: Path, due: Sequence[str], drop: Sequence[str], late_off: float, missing_zero: bool) -> list[str]:
    """What to say where this run lacks options of the last one; its own are kept for the next."""
    options = [*(f"--due {one}" for one in due), *(f"--drop {one}" for one in drop)]
    options += [f"--late-off {late_off:g}"] * (late_off > 0) + ["--missing-zero"] * missing_zero
    path = out / OPTIONS
    before = path.read_text("utf-8").splitlines() if path.exists() else []
    write_whole(path, "".join(f"{one}\n" for one in options))
    gone = " ".join(one for one in before if one not in options)
    return [f"The last run had {gone}; this one has not, so totals may have changed."] if gone else []


def without_dropped(results: list[Result], drop: Sequence[str]) -> list[Result]:
    """The results without the questions that the instructor drops for everyone; what was graded stays kept.

    A question is named as the tables name it, alone (`my_auc`) or with its assignment's number (`06.my_auc`).
    """

    def stays(result: Result, question: str) -> bool:
        return question not in drop and f"{result.assignment[:2]}.{question}" not in drop

    return [r._replace(marks=[mark for mark in r.marks if stays(r, mark.question)]) for r in results]


def check_dropped(drop: Sequence[str], questions: Iterable[tuple[str, str]]) -> None:
    """ValueError where a question is dropped that no assignment has; `questions` are (assignment, question)."""
    known = {name for assignment, question in questions for name in (question, f"{assignment[:2]}.{question}")}
    if strange := [one for one in drop if one not in known]:
        raise ValueError(f"drop={', '.join(strange)} is no question of these assignments: {', '.join(sorted(known))}")


def read_due(words: Sequence[str], assignments: Sequence[str]) -> dict[str, datetime]:
    """When each assignment is due, of words as `05=2026-12-01T18:00`; a date alone means the end of that day.

    Raises
    ------
    ValueError : a word is not so, or names no assignment
    """
    due = {}
    for word in words:
        number, _, when = word.partition("=")
        name = next((a for a in assignments if is_meant(a, number)), None)
        try:
            moment = datetime.fromisoformat(when)
        except ValueError:
            raise ValueError(f"due={word!r} should be an assignment and a date, as 06=2026-12-01T18:00") from None
        if name is None:
            raise ValueError(f"due={word!r} names no assignment of this class, which has {', '.join(assignments)}")
        moment = moment.astimezone().replace(tzinfo=None) if moment.tzinfo else moment  # as archives and files have it
        due[name] = moment if "T" in when or " " in when else moment + timedelta(days=1)
    return due


def with_lateness(
    results: list[Result],
    submitted: Path,
    course: Path,
    due: Mapping[str, datetime],
    students: Sequence[_keys.Student],
    percent_a_day: float = 0.0,
) -> list[Result]:
    """The results with the days, begun ones counted whole, by which each was late, and what is taken off for them.

    A student's `extra_days` in the roster are added to the date. When something was handed in is what the archive said
    that `mialab collect` read; where none did, the date of the file, which copying may change.

    Raises
    ------
    ValueError : the percentage is not from 0 to 100
    """
    if not 0 <= percent_a_day <= 100:
        raise ValueError(f"late_off={percent_a_day:g} should be a percentage from 0 to 100")
    extra = _extra(students)
    noted = {(line.student, line.sha256): line for line in _collected.read(course)}
    return [
        _late(r, file, noted, due[r.assignment] + extra.get(r.student, timedelta()), percent_a_day)
        if r.assignment in due and (file := _handed_in(submitted / r.student / r.assignment, r.assignment))
        else r
        for r in results
    ]


def with_zeros(
    results: list[Result], due: Mapping[str, datetime], students: Sequence[_keys.Student], now: datetime
) -> list[Result]:
    """The results with a 0 for what is missing and due: past its date or, without one, handed in by somebody."""
    begun = {r.assignment for r in results if r.handed_in}
    extra = _extra(students)

    def is_due(r: Result) -> bool:
        when = due.get(r.assignment)
        return now > when + extra.get(r.student, timedelta()) if when else r.assignment in begun

    return [r._replace(zero=True) if r.status == "missing" and is_due(r) else r for r in results]


def _extra(students: Sequence[_keys.Student]) -> dict[str, timedelta]:
    """student -> the time that the roster gives them beyond everyone's."""
    return {student.id: timedelta(days=float(student.extra_days or 0)) for student in students}


def _handed_in(folder: Path, assignment: str) -> Path | None:
    """The file that was graded, under whatever name; None where there is none."""
    try:
        return _intake.find(folder, assignment)[0]
    except _intake.Unreadable:
        file = folder / "scores.csv"  # the challenge's
        return file if file.is_file() and not file.is_symlink() else None


def _late(
    result: Result, file: Path, noted: dict[tuple[str, str], _collected.Line], due: datetime, percent_a_day: float
) -> Result:
    line = noted.get((result.student, hashlib.sha256(file.read_bytes()).hexdigest()[:12]))
    when = datetime.fromtimestamp(file.stat().st_mtime)
    if line is not None and line.when:
        with suppress(ValueError):  # a spreadsheet may have changed how a date is written
            when = datetime.fromisoformat(line.when)
    days = max(0, math.ceil((when - due) / timedelta(days=1)))
    cut = min(1.0, days * percent_a_day / 100)
    off = f": {100 * cut:g}% of the points are taken off" if cut else ""
    asides = ("The learning-management system marks it as late.",) if line and line.late_mark and not days else ()
    notes = (*result.notes, f"Handed in {count(days, 'day')} late{off}.") if days else result.notes
    return result._replace(late=days, cut=cut, notes=notes, asides=(*result.asides, *asides))
