"""What is written of a graded class: tables for programs, for the learning-management system, and for whoever reads."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from mialab._files import write_whole
from mialab.instructor import _keys
from mialab.instructor._grading import Result
from mialab.instructor._judge import Mark

WRITTEN = "written.csv"
_WRITTEN_COLUMNS = ["student", "assignment", "question", "of", "points", "comment", "answer"]


def with_read_answers(results: list[Result], out: Path) -> tuple[list[Result], dict[tuple[str, str, str], str]]:
    """The results with the points that a person has put into written.csv, and the comments by (student, …, question).

    Raises
    ------
    ValueError : a line of written.csv gives points that are no number, or more than the question has
    """
    given, comments = {}, {}
    for number, line in enumerate(_lines(out / WRITTEN), start=2):
        where = (line["student"], line["assignment"], line["question"], line["answer"])
        if line["comment"]:
            comments[where[:3]] = line["comment"]
        if line["points"].strip():
            try:
                given[where] = float(line["points"].replace(",", "."))
            except ValueError:
                raise ValueError(f"{WRITTEN}, line {number}: points={line['points']!r} is no number") from None
            if not 0 <= given[where] <= float(line["of"]):
                raise ValueError(f"{WRITTEN}, line {number}: points={given[where]:g} should be from 0 to {line['of']}")

    def read(result: Result, mark: Mark) -> Mark:
        where = (result.student, result.assignment, mark.question, _cell(mark.answer))
        return mark if mark.points is not None or where not in given else mark._replace(points=given[where])

    return [r._replace(marks=[read(r, mark) for mark in r.marks]) for r in results], comments


def write_tables(results: list[Result], out: Path, students: list[_keys.Student]) -> None:
    """grades.csv, written.csv, and one table each for Canvas and Moodle."""
    _write_grades(results, out)
    _write_written(results, out)
    known = {s.id: s for s in students} or {r.student: _keys.Student(r.student) for r in results}
    _write_canvas(results, out / "canvas.csv", known)
    _write_moodle(results, out / "moodle.csv", known)


def _write_grades(results: list[Result], out: Path) -> None:
    rows = [
        [r.student, r.assignment, r.status, m.question, _points(m.points), m.of, m.outcome, m.diagnosis or "",
         "" if m.passed is None else m.passed, "" if m.cases is None else m.cases, " ".join(r.notes)]
        for r in results
        for m in r.marks
    ]  # fmt: skip
    columns = [
        "student",
        "assignment",
        "status",
        "question",
        "points",
        "of",
        "outcome",
        "diagnosis",
        "passed",
        "checks",
    ]
    _write(out / "grades.csv", [*columns, "notes"], rows)


def _write_written(results: list[Result], out: Path) -> None:
    """The written answers, with what a person has already put beside them: a line that was read is never lost."""
    before = {
        tuple(line[c] for c in ("student", "assignment", "question", "answer")): line for line in _lines(out / WRITTEN)
    }
    rows = {}
    for r in results:
        for m in r.marks:
            if m.outcome == "to be read":
                where = (r.student, r.assignment, m.question, _cell(m.answer))
                kept = before.pop(where, {"points": "", "comment": ""})
                rows[where] = [*where[:3], m.of, kept["points"], kept["comment"], where[3]]
    for where, line in before.items():  # an earlier answer of someone who has handed in again
        if line["points"].strip() or line["comment"].strip():
            rows[where] = [line[c] for c in _WRITTEN_COLUMNS]
    if rows or (out / WRITTEN).exists():
        _write(out / WRITTEN, _WRITTEN_COLUMNS, list(rows.values()))


def _write_canvas(results: list[Result], path: Path, students: dict[str, _keys.Student]) -> None:
    """Canvas' gradebook import: five columns that name a student, a column each assignment, points possible on top."""
    assignments = list(dict.fromkeys(r.assignment for r in results))
    of = {r.assignment: r.of for r in results}
    rows = [["    Points Possible", "", "", "", "", *(f"{of[a]:g}" for a in assignments)]]
    for student in students.values():
        rows.append(
            [student.name or student.id, student.lms_id, "", student.id, "", *_totals(results, student.id, assignments)]
        )
    _write(path, ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *assignments], rows)


def _write_moodle(results: list[Result], path: Path, students: dict[str, _keys.Student]) -> None:
    """Moodle's grade import: columns that it can map to a user, and a column each assignment."""
    assignments = list(dict.fromkeys(r.assignment for r in results))
    rows = [[s.id, s.email, s.lms_id, *_totals(results, s.id, assignments)] for s in students.values()]
    _write(path, ["username", "email", "idnumber", *assignments], rows)


def _totals(results: list[Result], student: str, assignments: list[str]) -> list[str]:
    """Points per assignment; nothing where a person must still look: an unfinished grade is no grade."""
    by_assignment = {r.assignment: r for r in results if r.student == student}
    settled = {a: r for a, r in by_assignment.items() if r.complete and r.status in ("graded", "missing")}
    return [f"{settled[a].points:g}" if a in settled else "" for a in assignments]


def _points(points: float | None) -> str:
    return "" if points is None else f"{points:g}"


def _cell(text: str) -> str:
    """A text that a spreadsheet takes for text: one that began like a formula would be run."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def _lines(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    if lines and (missing := [c for c in _WRITTEN_COLUMNS if c not in lines[0]]):
        raise ValueError(f"{path} has no column {', '.join(missing)}; put it back, or move the file away to begin anew")
    return [{c: line[c] or "" for c in _WRITTEN_COLUMNS} for line in lines]


def _write(path: Path, columns: list[str], rows: list[list]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([[_cell(v) if isinstance(v, str) else v for v in row] for row in rows])
    write_whole(path, text.getvalue())
