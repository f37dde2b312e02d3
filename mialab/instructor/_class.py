"""Grade a class and write all that is said of it: tables, feedback, summary, gradebook and leaderboard."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from mialab.instructor import _challenge, _grading, _keys, _leaderboard, _nbgrader, _pages, _reports
from mialab.instructor._grading import Result


class Graded(NamedTuple):
    """What was graded, and where it was written."""

    results: list[Result]
    out: Path

    @property
    def failed(self) -> list[Result]:
        """Those that the grader could not grade."""
        return [r for r in self.results if r.status == "failed"]

    def __str__(self) -> str:
        tally = Counter(r.status for r in self.results)
        lines = [", ".join(f"{n} {status}" for status, n in tally.items()) + "."]
        waiting = sum(not r.complete for r in self.results)
        if waiting:
            lines.append(f"{waiting} with written answers to read: put points into {self.out / _reports.WRITTEN}, then "
                         "run the same command again.")  # fmt: skip
        if self.failed:
            lines.append(f"Not graded: {', '.join(r.student for r in self.failed)}. {self.failed[0].notes[-1]}")
        more = "grades.csv, feedback/, canvas.csv and moodle.csv lie beside it"
        if (self.out / "leaderboard.txt").exists():
            more += ", and so does the leaderboard"
        lines.append(f"Look at {self.out / 'summary.html'}; {more}.")
        return "\n".join(lines)


def grade_class(submitted: Path | str, out: Path | str, *, course: Path | str | None = None, **settings: Any) -> Graded:
    """Grade what was handed in (see `grade`) and write grades.csv, feedback/, summary.html and the rest into `out`."""
    submitted, out = Path(submitted).absolute(), Path(out).absolute()
    course = Path(course).absolute() if course else submitted.parent
    challenge = (course / "instructor" / f"{_challenge.NAME}.json").exists()
    results, entries = [], []
    if _grading.has_assignments(course) or not challenge:
        results += _grading.grade(submitted, out, course=course, **settings)
    if challenge:
        found, entries = _leaderboard.grade_challenge(course, submitted, settings.get("key"))
        results += found
    results, comments = _reports.with_read_answers(results, out)
    out.mkdir(parents=True, exist_ok=True)
    roster = course / "instructor" / "roster.csv"
    _reports.write_tables(results, out, _keys.read_roster(roster) if roster.exists() else [])
    _pages.write_feedback(results, comments, out / "feedback")
    _pages.write_summary(results, out / "summary.html")
    if challenge:
        _leaderboard.write_leaderboard(entries, out, {})
    for assignment in dict.fromkeys(r.assignment for r in results if r.assignment != _challenge.NAME):
        graded = [r for r in results if r.assignment == assignment and r.status == "graded"]
        marks = {r.student: {mark.question: mark.points for mark in r.marks} for r in graded}
        _nbgrader.enter(course, assignment, marks)
    return Graded(results, out)
