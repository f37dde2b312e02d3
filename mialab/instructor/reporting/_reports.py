"""What is written of a graded class: tables for programs, for the learning-management system, and for whoever reads."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from mialab._files import write_whole
from mialab.instructor.grading._grading import Result
from mialab.instructor.grading._judge import Mark
from mialab.instructor.making import _keys, _tables

WRITTEN = "written.csv"
_WRITTEN_COLUMNS = ["id", "student", "assignment", "question", "of", "points", "comment", "note", "answer"]
_BY_HAND = ["points", "comment"]  # what a person writes there


class Read(NamedTuple):
    """The results with what a person has put beside the written answers."""

    results: list[Result]
    comments: dict[tuple[str, str, str], str]  # (student, assignment, question) -> what the reader says
    unmatched: int  # lines that have points but whose answer is not, or no longer, handed in


def with_read_answers(results: list[Result], out: Path) -> Read:
    """The results with the points and comments that a person has put into written.csv.

    Raises
    ------
    ValueError : a line of written.csv gives points that are no number, or more than the question has
    """
    lines = _lines(out / WRITTEN)
    answers = {_id(r, m): (r, m) for r in results for m in r.marks if m.points is None}
    given, comments, unmatched = {}, {}, 0
    for id, line in lines.items():
        points = _given(line, answers[id][1].of if id in answers else None)
        if id not in answers:
            unmatched += points is not None and line["assignment"] in {r.assignment for r in results}
            continue
        result, mark = answers[id]
        given[id] = points
        if line["comment"]:
            comments[result.student, result.assignment, mark.question] = line["comment"]

    def read(result: Result, mark: Mark) -> Mark:
        return mark if mark.points is not None else mark._replace(points=given.get(_id(result, mark)))

    return Read([r._replace(marks=[read(r, mark) for mark in r.marks]) for r in results], comments, unmatched)


def _given(line: dict[str, str], of: int | None) -> float | None:
    """The points of a line, None where there are none."""
    if not line["points"].strip():
        return None
    try:
        points = float(line["points"].replace(",", "."))
    except ValueError:
        raise ValueError(f"{WRITTEN}, line {line['line']}: points={line['points']!r} is no number") from None
    if of is not None and not 0 <= points <= of:
        raise ValueError(f"{WRITTEN}, line {line['line']}: points={points:g} should be from 0 to {of}")
    return points


def write_tables(results: list[Result], out: Path, students: list[_keys.Student]) -> None:
    """grades.csv, written.csv, and one table each for Canvas and Moodle."""
    _write_grades(results, out)
    _write_written(results, out)
    of = {r.assignment: r.of for r in results}
    totals = {(r.student, r.assignment): _points(r.total) for r in results}
    known = students or [_keys.Student(id) for id in dict.fromkeys(r.student for r in results)]
    rows = [(student, [totals.get((student.id, a), "") for a in of]) for student in known]
    # Canvas' gradebook import: five columns that name a student, a column each assignment, points possible on top.
    canvas = [["    Points Possible", "", "", "", "", *(f"{points:g}" for points in of.values())]]
    canvas += [[s.name or s.id, s.lms_id, "", s.id, "", *own] for s, own in rows]
    _write(out / "canvas.csv", ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *of], canvas)
    # Moodle's grade import: columns that it can map to a user, and a column each assignment.
    moodle = [[s.id, s.email, s.lms_id, *own] for s, own in rows]
    _write(out / "moodle.csv", ["username", "email", "idnumber", *of], moodle)


def _write_grades(results: list[Result], out: Path) -> None:
    rows = [
        [r.student, r.assignment, r.status, m.question, _points(m.points), m.of, m.outcome, m.diagnosis or "",
         "" if m.passed is None else m.passed, "" if m.cases is None else m.cases, r.late or "",
         r.release or "", " ".join((*r.notes, *r.asides))]
        for r in results
        for m in r.marks
    ]  # fmt: skip
    columns = "student assignment status question points of outcome diagnosis passed checks days_late release notes"
    _write(out / "grades.csv", columns.split(), rows)


def _write_written(results: list[Result], out: Path) -> None:
    """The written answers, with what a person has already put beside them: a line that was read is never lost."""
    before = _lines(out / WRITTEN)
    rows = {}
    for r in results:
        for m in r.marks:
            if m.outcome == "to be read":
                id = _id(r, m)
                by_hand = before.pop(id, dict.fromkeys(_BY_HAND, ""))
                rows[id] = [id, r.student, r.assignment, m.question, m.of, *(by_hand[c] for c in _BY_HAND),
                            " ".join(m.text), m.answer]  # fmt: skip
    for id, line in before.items():  # an earlier answer of someone who has handed in again
        if any(line[c].strip() for c in _BY_HAND):
            rows[id] = [line[c] for c in _WRITTEN_COLUMNS]
    if rows or (out / WRITTEN).exists():
        # The mark in front tells a spreadsheet that this is UTF-8; without it, it would spoil what it saves.
        _write(out / WRITTEN, _WRITTEN_COLUMNS, list(rows.values()), mark="\ufeff")


def _points(points: float | None) -> str:
    return "" if points is None else f"{points:g}"


def _id(result: Result, mark: Mark) -> str:
    """A name for one student's answer that a spreadsheet leaves alone, whatever it does to the answer itself."""
    return _digest(result.student, result.assignment, mark.question, _tables.plain_cell(mark.answer))


def _digest(*words: str) -> str:
    # A letter in front, or a spreadsheet takes 12e4 for a number.
    return "w" + hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:12]


def _lines(path: Path) -> dict[str, dict[str, str]]:
    """The lines of written.csv by their answers' ids."""
    if not path.exists():
        return {}
    columns, lines = _tables.read_table(path)
    needed = [c for c in ("id", "student", "assignment", "question", *_BY_HAND) if c not in columns]
    if lines and needed == ["id"] and "answer" in columns:  # an earlier version's: told by the answer
        for line in lines:
            line["id"] = _digest(*(line[c] for c in ("student", "assignment", "question", "answer")))
    elif lines and needed:
        raise ValueError(f"{path} has no column {', '.join(needed)}; put it back, or move the file away to begin anew")
    found: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines, start=2):
        id = line["id"].strip()
        line = {c: line.get(c, "") for c in _WRITTEN_COLUMNS} | {"line": str(number)}
        before = found.setdefault(id, line)
        for column in _BY_HAND:  # readers who shared the work have each filled lines of their own
            if line[column].strip() and before[column].strip() and line[column] != before[column]:
                raise ValueError(
                    f"{WRITTEN}, lines {before['line']} and {number}: two {column} for one answer, {before[column]!r} "
                    f"and {line[column]!r}; leave one"
                )
            before[column] = before[column] if before[column].strip() else line[column]
    return found


def _write(path: Path, columns: list[str], rows: list[list], mark: str = "") -> None:
    write_whole(path, mark + _tables.write_table(columns, rows))
