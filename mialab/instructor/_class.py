"""Grade a class and write all that is said of it: tables, feedback, summary, gradebook and leaderboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from mialab.exercises._engine._base import count
from mialab.instructor.challenge import _challenge, _leaderboard
from mialab.instructor.grading import _collected, _grading, _strays
from mialab.instructor.grading._grading import Result
from mialab.instructor.making import _course, _keys, _nbgrader
from mialab.instructor.reporting import _pages, _reports, _rules

SHOWN = 10  # strays, and who was late, on the screen; the summary and grades.csv have them all


class Graded(NamedTuple):
    """What was graded, and where it was written."""

    results: list[Result]
    out: Path
    strays: Sequence[_strays.Stray] = ()
    unmatched: int = 0  # lines of written.csv with points for no answer
    said: Sequence[str] = ()  # of the options

    @property
    def failed(self) -> list[Result]:
        """Those that the grader could not grade."""
        return [r for r in self.results if r.status == "failed"]

    def __str__(self) -> str:
        tally = Counter(r.status for r in self.results)
        lines = [", ".join(f"{n} {status}" for status, n in tally.items()) + ".", *self.said]
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
        held = [r for r in self.results if r.held]
        if held:
            who = ", ".join(dict.fromkeys(r.student for r in held))
            lines.append(f"Totals held back until you decide: {who}. See “Worth a look”, then --accept STUDENT.")
        late = [
            f"{r.student} ({r.assignment.partition('_')[0]}, {count(r.late, 'day')})" for r in self.results if r.late
        ]
        if late:
            more = f" and {len(late) - SHOWN} more: days_late in grades.csv" if len(late) > SHOWN else ""
            lines.append(f"Handed in late: {', '.join(late[:SHOWN])}{more}.")
        slow = [r.student for r in self.results if r.slow]
        if slow:
            lines.append(f"Out of time, though tried twice: {', '.join(dict.fromkeys(slow))}. Look before it counts; "
                         "--again STUDENT tries it anew.")  # fmt: skip
        for why in dict.fromkeys(r.asides for r in self.failed):
            lines.append(f"Not graded: {', '.join(r.student for r in self.failed if r.asides == why)}. {why[0]}")
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
    again: Sequence[str] = (),
    accept: Sequence[str] = (),
    drop: Sequence[str] = (),
    due: Sequence[str] = (),
    late_off: float = 0.0,
    missing_zero: bool = False,
    jobs: int = 2,
    tell: _grading.Tell = _grading.nobody,
    **settings: Any,
) -> Graded:
    """Grade what was handed in (see `grade`) and write grades.csv, feedback/, summary.html and the rest into `out`.

    Raises
    ------
    ValueError : an argument, the roster, the key or written.csv is not right: all that is wrong, before anything runs
    """
    submitted, out = Path(submitted).absolute(), Path(out).absolute()
    course = Path(course).absolute() if course else submitted.parent
    known = _known(course)
    ranked = _challenge.NAME in known and (not only or _challenge.NAME in only)
    plans: list[_grading.Plan] = []
    dates, *_ = _grading.together(
        lambda: _rules.read_due(due, known),
        lambda: _grading.refuse("" if jobs >= 1 else f"jobs={jobs} should be 1 or more"),
        lambda: _rules.with_lateness([], submitted, course, {}, [], late_off),
        lambda: plans.extend(_plans(submitted, out, course, known, only, again=again, **settings)),
        lambda: ranked and _challenge.read_challenge(course, settings.get("key")),
        lambda: _grading.in_class("accept", accept, _grading.class_of(course, submitted)),
        lambda: _rules.check_dropped(drop, _questions(plans, ranked)),
        lambda: _reports.with_read_answers([r for plan in plans for r in plan.kept], out),
    )
    results = [r for plan in plans for r in _grading.run(plan, jobs, tell)]
    found, entries = _leaderboard.grade_challenge(course, submitted, settings.get("key")) if ranked else ([], None)
    lost = _strays.strays(submitted, _grading.class_of(course, submitted), known)
    results = _rules.without_dropped(_none_missing([*results, *found], lost, course), drop)
    results = _timed(results, submitted, course, dates, late_off, missing_zero)
    results, not_held = _rules.with_accepted(results, out, accept)
    said = [*_rules.forgotten(out, due, drop, late_off, missing_zero), *_no_zeros(results, dates, missing_zero)]
    graded = _written(Graded(results, out, lost, said=said), course, entries)
    _grading.refuse(not_held)
    return graded


def _timed(
    results: list[Result],
    submitted: Path,
    course: Path,
    dates: Mapping[str, datetime],
    late_off: float,
    missing_zero: bool,
) -> list[Result]:
    """The results with what was late and, where that is wanted, a 0 for what is missing though it is due."""
    students = _keys.kept_roster(course)
    results = _rules.with_lateness(results, submitted, course, dates, students, late_off)
    return _rules.with_zeros(results, dates, students, datetime.now()) if missing_zero else results


def _no_zeros(results: list[Result], dates: Mapping[str, datetime], missing_zero: bool) -> list[str]:
    """What to say of assignments that nobody has handed in and that may not be due, where zeros are wanted."""
    untouched = {r.assignment for r in results} - {r.assignment for r in results if r.handed_in} - set(dates)
    if not (untouched and missing_zero):
        return []
    return [f"No zeros in {', '.join(sorted(untouched))}: nobody has handed it in, and no --due says that it is due."]


def _known(course: Path) -> list[str]:
    """The names of the course's assignments, the challenge with them."""
    challenge = _course.settings_file(course, _challenge.NAME).exists()
    return [*_grading.assignment_names(course), *([_challenge.NAME] if challenge else [])]


def _plans(
    submitted: Path, out: Path, course: Path, known: list[str], only: Sequence[str], **settings: Any
) -> list[_grading.Plan]:
    """What there is to grade of notebooks; none where only the challenge is meant."""
    numbers = [one for one in only if one != _challenge.NAME or one not in known]
    if (only and not numbers) or (not only and known == [_challenge.NAME]):
        return []
    return [_grading.plan(submitted, out, course=course, only=numbers, **settings)]


def _questions(plans: list[_grading.Plan], ranked: bool) -> Iterator[tuple[str, str]]:
    """(assignment, question) of all that is graded."""
    for plan in plans:
        yield from ((work.judge.name, name) for work in plan.todo for name, _ in work.judge.questions)
        yield from ((result.assignment, mark.question) for result in plan.kept for mark in result.marks)
    yield from ((_challenge.NAME, name) for name in _leaderboard.POINTS if ranked)


def _written(graded: Graded, course: Path, entries: list[_leaderboard.Entry] | None) -> Graded:
    """What was graded, with what people have read; its tables and pages are written."""
    results, comments, unmatched = _reports.with_read_answers(graded.results, graded.out)
    _reports.write_tables(results, graded.out, _keys.kept_roster(course))
    _pages.write_feedback(results, comments, graded.out / "feedback")
    _pages.write_summary(results, graded.out / "summary.html", graded.strays, unmatched)
    if entries is not None:
        _leaderboard.write_leaderboard(entries, graded.out)
    for assignment in dict.fromkeys(r.assignment for r in results if r.assignment != _challenge.NAME):
        done = [r for r in results if r.assignment == assignment and r.status == "graded"]
        marks = {r.student: {mark.question: mark.points for mark in r.marks} for r in done}
        _nbgrader.enter(course, assignment, marks)
    return graded._replace(results=results, unmatched=unmatched)


def _none_missing(results: list[Result], strays: list[_strays.Stray], course: Path) -> list[Result]:
    """The results, each missing one held of which something was found elsewhere, or left by `mialab collect`."""
    left = _collected.read(course, _collected.Left)
    return [_not_missing(result, strays, left) for result in results]


def _not_missing(result: Result, strays: list[_strays.Stray], left: list[_collected.Left]) -> Result:
    """A missing result that is held, and says why, where something of this student's is not where it belongs."""
    own = [s.place for s in strays if s.student == result.student and s.assignment in (None, result.assignment)]
    sent = [
        f"{x.file}: {x.why}" for x in left if x.student == result.student and x.assignment in ("", result.assignment)
    ]
    if result.status != "missing" or not own + sent:
        return result
    places = (f"Perhaps handed in, in the wrong place: {', '.join(own)}.",) if own else ()
    files = (f"Handed in, but `mialab collect` left it ({'; '.join(sent)}).",) if sent else ()
    return result._replace(held=True, asides=(*result.asides, *places, *files))
