"""Grade a class and write all that is said of it: tables, feedback, summary, gradebook and leaderboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mialab.instructor.challenge import _challenge, _leaderboard
from mialab.instructor.grading import _grading, _strays
from mialab.instructor.grading._grading import Result
from mialab.instructor.making import _keys, _nbgrader
from mialab.instructor.reporting import _pages, _reports

SHOWN = 10  # strays on the screen; the summary has them all


class Graded(NamedTuple):
    """What was graded, and where it was written."""

    results: list[Result]
    out: Path
    strays: Sequence[_strays.Stray] = ()
    unmatched: int = 0  # lines of written.csv with points for no answer

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
        if self.unmatched:
            lines.append(_pages.unmatched_words(self.unmatched))
        if self.strays:
            lines.append(f"Not graded, for no assignment of anybody's is there ({len(self.strays)} in submitted/):")
            lines += [f"  {stray}" for stray in self.strays[:SHOWN]]
            lines += [f"  and {len(self.strays) - SHOWN} more"] if len(self.strays) > SHOWN else []
        held = [r for r in self.results if r.held and r.status != "missing"]
        if held:
            who = ", ".join(dict.fromkeys(r.student for r in held))
            lines.append(f"Totals held back until you decide: {who}. See “Worth a look”, then --accept STUDENT.")
        slow = [r.student for r in self.results if r.slow]
        if slow:
            lines.append(f"Out of time, though tried twice: {', '.join(dict.fromkeys(slow))}. Look before it counts.")
        if self.failed:
            lines.append(f"Not graded: {', '.join(r.student for r in self.failed)}. {self.failed[0].notes[-1]}")
        more = "grades.csv, feedback/, canvas.csv and moodle.csv lie beside it"
        if (self.out / "leaderboard.txt").exists():
            more += ", and so does the leaderboard"
        lines.append(f"Look at {self.out / 'summary.html'}; {more}.")
        return "\n".join(lines)


def grade_class(
    submitted: Path | str,
    out: Path | str,
    *,
    course: Path | str | None = None,
    only: Sequence[str] = (),
    accept: Sequence[str] = (),
    missing_zero: bool = False,
    **settings: Any,
) -> Graded:
    """Grade what was handed in (see `grade`) and write grades.csv, feedback/, summary.html and the rest into `out`."""
    submitted, out = Path(submitted).absolute(), Path(out).absolute()
    course = Path(course).absolute() if course else submitted.parent
    challenge = (course / "instructor" / f"{_challenge.NAME}.json").exists()
    numbers = [one for one in only if one != _challenge.NAME or not challenge]
    results, entries = [], []
    if (numbers or not only) and (_grading.has_assignments(course) or not challenge):
        results += _grading.grade(submitted, out, course=course, only=numbers, **settings)
    ranked = challenge and (not only or _challenge.NAME in only)
    if ranked:
        found, entries = _leaderboard.grade_challenge(course, submitted, settings.get("key"))
        results += found
    known = [*_grading.assignment_names(course), *([_challenge.NAME] if challenge else [])]
    lost = _strays.strays(submitted, _grading.class_of(course, submitted), known)
    out.mkdir(parents=True, exist_ok=True)
    results = _reports.with_accepted([_with_strays(r, lost) for r in results], out, accept)
    results, comments, unmatched = _reports.with_read_answers(results, out)
    roster = course / "instructor" / "roster.csv"
    students = _keys.read_roster(roster) if roster.exists() else []
    _reports.write_tables(results, out, students, missing_zero=missing_zero)
    _pages.write_feedback(results, comments, out / "feedback")
    _pages.write_summary(results, out / "summary.html", lost, unmatched)
    if ranked:
        _leaderboard.write_leaderboard(entries, out, {})
    for assignment in dict.fromkeys(r.assignment for r in results if r.assignment != _challenge.NAME):
        graded = [r for r in results if r.assignment == assignment and r.status == "graded"]
        marks = {r.student: {mark.question: mark.points for mark in r.marks} for r in graded}
        _nbgrader.enter(course, assignment, marks)
    return Graded(results, out, lost, unmatched)


def _with_strays(result: Result, strays: list[_strays.Stray]) -> Result:
    """A missing result that is held, and says why, where something in the wrong place may be it."""
    may_be = [s for s in strays if s.student == result.student and s.assignment in (None, result.assignment)]
    if result.status != "missing" or not may_be:
        return result
    places = ", ".join(stray.place for stray in may_be)
    return result._replace(held=True, asides=(*result.asides, f"Perhaps handed in, in the wrong place: {places}."))
