"""Grade a class: every submission in its own sandbox, two at a time; killed half-way, the next run goes on."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from mialab import __version__
from mialab._files import write_whole
from mialab.exercises.handout import FILE
from mialab.instructor.grading import _intake, _judge, _sandbox
from mialab.instructor.grading._judge import Judge, Mark
from mialab.instructor.making import _keys
from mialab.instructor.making._hidden import LATE

ATTEMPTS = 3  # runs of one notebook, each without the cell in which the one before it ended
LONGER = 3  # times as much work for an answer that was too slow, when it is tried again and nothing else runs


class Failed(Exception):
    """The grader could not do its work; the message says what it saw."""


class Result(NamedTuple):
    """What came of one student's assignment."""

    student: str
    assignment: str
    status: str  # "graded", "missing", "not assigned", "unreadable", or "failed": our fault, the next run tries again
    marks: list[Mark]
    notes: tuple[str, ...] = ()
    codes: Mapping[str, str] = MappingProxyType({})  # question -> digest of the answer's words, where there are many
    asides: tuple[str, ...] = ()  # what only the instructor is to read
    held: bool = False  # the total waits for the instructor's word
    slow: bool = False  # something ran out of time: it is not kept, and the next run tries again

    @property
    def points(self) -> float:
        """Points so far: written answers that nobody has read yet count nothing."""
        return sum(mark.points or 0.0 for mark in self.marks)

    @property
    def of(self) -> int:
        """Points that could be had."""
        return sum(mark.of for mark in self.marks)

    @property
    def complete(self) -> bool:
        """False while a written answer waits for a reader."""
        return all(mark.points is not None for mark in self.marks)


def grade(
    submitted: Path | str,
    out: Path | str,
    *,
    key: Path | str | None = None,
    course: Path | str | None = None,
    only: Sequence[str] = (),
    sandboxed: bool = True,
    jobs: int = 2,
    limits: _sandbox.Limits | None = None,
    tell: Callable[[int, int, str], None] = lambda done, of, student: None,
) -> list[Result]:
    """Grade what was handed in: return one result for each student and assignment, and keep each in `out` as it comes.

    `mialab grade` writes the tables, the feedback and the summary of the class from these results.

    Parameters
    ----------
    submitted : a folder per student, with a folder per assignment in it, as nbgrader collects them.
    out : where the results are kept; what is there from an interrupted run is not done again.
    key : the key file of personal assignments.
    course : the folder that `mialab assign` made; the one that holds `submitted` if None.
    only : numbers or names of the assignments to grade; all of them if empty.
    sandboxed : False runs students' code as the user who grades.
    jobs : how many at a time.
    limits : what one notebook may take of the machine.
    tell : called with (done, of all, student) as it goes on.

    Raises
    ------
    ValueError : no course, no assignments, no key or another one, no sandbox, or someone is grading into `out`.

    >>> grade("my-class/submitted", "my-class/grades")
    Traceback (most recent call last):
    ValueError: submitted='...submitted' is no folder
    """
    submitted, out = Path(submitted).absolute(), Path(out).absolute()
    course = Path(course).absolute() if course else submitted.parent
    if not submitted.is_dir():
        raise ValueError(f"submitted={str(submitted)!r} is no folder")
    if sandboxed and (why := _sandbox.missing()):
        raise ValueError(why)
    students = class_of(course, submitted)
    judges = [Judge(settings, _key_for(settings, key), course, students) for settings in _assignments(course, only)]
    out.mkdir(parents=True, exist_ok=True)
    how = _How(course, limits or _sandbox.Limits(), sandboxed)
    with _alone(out):
        todo, results = [], {}
        for judge, student in itertools.product(judges, students):
            folder, kept = submitted / student / judge.name, _kept(out, judge.name, student)
            work = _Work(judge, student, folder, kept, _state(folder, student, course, judge))
            if result := _read(kept, work.state):
                results[student, judge.name] = result
            else:
                todo.append(work)
        for result in _all(todo, how, jobs, tell):
            results[result.student, result.assignment] = result
        return [results[student, judge.name] for judge in judges for student in students]


class _How(NamedTuple):
    """How every submission of a class is run."""

    course: Path
    limits: _sandbox.Limits
    sandboxed: bool


class _Work(NamedTuple):
    """One submission to grade: where it is, where its result is kept, and the state that the result is about."""

    judge: Judge
    student: str
    folder: Path
    kept: Path
    state: str


def _all(todo: list[_Work], how: _How, jobs: int, tell: Callable[[int, int, str], None]) -> Iterator[Result]:
    """Grade so many at a time and keep each result; what ran out of time, once more and alone."""
    for judge in {id(work.judge): work.judge for work in todo}.values():
        _ = judge.benches, judge.own_answers  # once, before the threads ask for them
    slow = []
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        waiting = {pool.submit(_one, work.judge, work.student, work.folder, *how): work for work in todo}
        try:
            for done, future in enumerate(as_completed(waiting), start=1):
                work, result = waiting[future], future.result()
                _keep(result, work.kept, work.state)
                tell(done, len(waiting), work.student)
                yield result
                if result.slow:
                    slow.append((work, result))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for work, first in slow:
        result = _once_more(first, work.judge, work.folder, *how)
        _keep(result, work.kept, work.state)
        yield result


# --- one submission -------------------------------------------------------------------------------------------------


def _one(
    judge: Judge, student: str, folder: Path, course: Path, limits: _sandbox.Limits, sandboxed: bool, longer: int = 1
) -> Result:
    questions = [(e.name, e.points) for e in [*judge.exercises, *judge.own_questions]]
    if not judge.assigned(student):
        aside = ("Something was handed in, but nothing was handed out: run `mialab assign` again with this roster.",)
        marks = _judge.marks_for(questions, "not assigned")
        return Result(student, judge.name, "not assigned", marks, asides=aside if folder.is_dir() else ())
    if not folder.is_dir():
        return Result(student, judge.name, "missing", _judge.marks_for(questions, "not handed in"))
    release = json.loads((course / "release" / judge.name / f"{judge.name}.ipynb").read_text("utf-8"))
    try:
        path, notes = _intake.find(folder, judge.name)
        submitted = _intake.read(path)
        taken = _intake.take(release, submitted)
    except _intake.Unreadable as trouble:
        marks = _judge.marks_for(questions, "unreadable")
        return Result(student, judge.name, "unreadable", marks, (str(trouble),))
    notes, whose = (*notes, *taken.notes), _whose(judge, student, submitted)
    try:
        marks, more, slow = _run(judge, student, taken.notebook, course, limits, sandboxed, longer)
    except Failed as trouble:
        return Result(student, judge.name, "failed", _judge.marks_for(questions, "not graded"), (*notes, str(trouble)))
    return Result(student, judge.name, "graded", marks, (*notes, *more), taken.codes, whose, bool(whose), slow)


def _once_more(
    first: Result, judge: Judge, folder: Path, course: Path, limits: _sandbox.Limits, sandboxed: bool
) -> Result:
    """A result that ran out of time, tried again with more: the better mark counts, what is slow still is named."""
    more = replace(limits, cell=2 * limits.cell, seconds=limits.seconds + limits.cell)
    second = _one(judge, first.student, folder, course, more, sandboxed, LONGER)
    if second.status != "graded":
        return first._replace(asides=(*first.asides, "Out of time, and it could not be tried again: see the next run."))
    marks = _better(second.marks, first.marks)
    late = [m.question for m in marks if m.diagnosis == "too_slow" or (second.slow and m.outcome == "not seen")]
    words = f"Out of time, though tried twice and the second time alone: {', '.join(late) or 'a cell'}. Read it before "
    words += "the points stand; the next run tries it again."
    asides = (*second.asides, words) if second.slow else second.asides
    return second._replace(marks=marks, asides=asides)


def _better(one: list[Mark], other: list[Mark]) -> list[Mark]:
    """The better of two marks for each question: an answer that a person is to read before none, seen before unseen."""

    def worth(mark: Mark) -> tuple:
        return mark.points or 0.0, mark.points is None, mark.outcome != "not seen"

    return [max(pair, key=worth) for pair in zip(one, other, strict=True)]


def _run(
    judge: Judge, student: str, notebook: dict, course: Path, limits: _sandbox.Limits, sandboxed: bool, longer: int
) -> tuple[list[Mark], tuple[str, ...], bool]:
    """Run a notebook until it ends; each time it does not, without the cell in which it stopped.

    Returns the marks, notes, and whether time ran out for anything.
    """
    best: list[Mark] = []
    notes: list[str] = []
    slow = False
    for _ in range(ATTEMPTS):
        with tempfile.TemporaryDirectory(prefix="mialab-grade-", ignore_cleanup_errors=True) as base:
            folder = Path(base) / "run"
            os.chmod(base, 0o711)
            _lay_out(folder, judge, student, notebook, course, longer)
            ended = _sandbox.run(
                folder,
                "mialab.instructor.grading._inside",
                [judge.name, str(limits.cell)],
                limits=limits,
                sandboxed=sandboxed,
            )
            marks = judge.marks(student, folder)
            _keep_notebook(folder, course, judge.name, student)
            slow |= ended.why == "time" or _judge.read_inside(folder, LATE, 20) is not None
            running = _judge.read_inside(folder, "running.txt", 20) or ""
        if ended.code != 0 and not running:  # nothing of the student's has run
            raise Failed(f"The grader failed before the first cell: {ended.why or ended.said.strip()[-600:]}")
        best = _better(best, marks) if best else marks
        if ended.code == 0:
            break
        left_out = _intake.drop(notebook, int(running)) if running.isdigit() else None
        because = {"time": "took too long", "memory": "took too much memory", "processes": "started too many processes",
                   "disk": "filled the disk"}.get(ended.why, "ended before its last cell")  # fmt: skip
        if left_out is None:
            notes.append(f"The notebook {because}.")
            break
        notes.append(f"The notebook {because} in {left_out}; it was run again without that cell.")
    return best, tuple(notes), slow or any(mark.diagnosis == "too_slow" for mark in best)


def _lay_out(folder: Path, judge: Judge, student: str, notebook: dict, course: Path, longer: int) -> None:
    """What nbgrader needs in the sandbox and nothing else: this submission, the assignment's tests, hidden inputs."""
    place = folder / "submitted" / "student" / judge.name
    place.mkdir(parents=True)
    shutil.copy(course / "gradebook.db", folder / "gradebook.db")
    (place / f"{judge.name}.ipynb").write_text(json.dumps(notebook), "utf-8")
    shutil.copy(judge.handout(student), place / FILE)
    (folder / "cases.json").write_text(judge.cases(longer), "utf-8")


def _keep_notebook(folder: Path, course: Path, assignment: str, student: str) -> None:
    """Copy the notebook that was run to where nbgrader's formgrader shows it, without what a browser would run."""
    place = Path("autograded") / "student" / assignment
    text = _judge.read_inside(folder / place, f"{assignment}.ipynb", _intake.LARGEST)
    try:
        notebook = json.loads(text or "")
        for cell in notebook["cells"]:
            cell["outputs"] = [o for o in map(_plain_output, cell.get("outputs", [])) if o]
            if cell["cell_type"] != "code":
                del cell["outputs"]
                cell.pop("attachments", None)
                cell["source"] = "".join(cell["source"]).replace("<", "&lt;")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return
    write_whole(course / "autograded" / student / assignment / f"{assignment}.ipynb", json.dumps(notebook, indent=1))


def _plain_output(output: dict[str, Any]) -> dict[str, Any] | None:
    """An output without what a browser would run or load."""
    data = output.get("data", {})
    if output["output_type"] in ("stream", "error"):
        return output
    return {**output, "data": {"text/plain": data["text/plain"]}, "metadata": {}} if "text/plain" in data else None


def _whose(judge: Judge, student: str, submitted: dict[str, Any]) -> tuple[str, ...]:
    """A note where the notebook was handed out to another student."""
    about = submitted.get("metadata", {}).get("mialab", {}) if isinstance(submitted.get("metadata"), dict) else {}
    if not judge.settings["personal"] or not isinstance(about, dict) or about.get("student") in (None, student):
        return ()
    other = str(about["student"])[:64]
    real = about.get("tag") == _keys.secret(judge.key, "tag", judge.name, other)
    return (f"This notebook was handed out to {other}." if real else "The name in this notebook was changed by hand.",)


def _keep(result: Result, path: Path, state: str) -> None:
    """Keep a result for the next run, unless that is to try again."""
    if result.status != "failed" and not result.slow:
        write_whole(path, json.dumps({"state": state, "result": _plain(result)}, indent=1))


# --- what is known, and what was done before ------------------------------------------------------------------------


def has_assignments(course: Path) -> bool:
    """True if a course folder holds an assignment of a notebook."""
    return bool(assignment_names(course))


def assignment_names(course: Path) -> list[str]:
    """The names of the course's assignments, without the challenge."""
    return sorted(path.stem for path in (course / "instructor").glob("[0-9][0-9]_*.json"))


def _assignments(course: Path, only: Sequence[str]) -> list[dict[str, Any]]:
    names = assignment_names(course)
    if not names:
        raise ValueError(f"course={str(course)!r} holds no assignments; `mialab assign` makes them")
    strange = [one for one in only if not any(_is(name, one) for name in names)]
    if strange:
        raise ValueError(f"only={', '.join(strange)} is no assignment of this class, which has {', '.join(names)}")
    chosen = [name for name in names if not only or any(_is(name, one) for one in only)]
    return [json.loads((course / "instructor" / f"{name}.json").read_text("utf-8")) for name in chosen]


def _is(name: str, said: str) -> bool:
    """True if someone who says `said` means this assignment: its name, or its number."""
    return said == name or said.zfill(2) == name[:2]


def _key_for(settings: dict[str, Any], path: Path | str | None) -> bytes | None:
    if not settings["personal"]:
        return None
    if path is None:
        raise ValueError(f"{settings['assignment']} is personal: give the key that it was made with (--key)")
    key = _keys.read_key(path)
    if _keys.fingerprint(key) != settings["key"]:
        raise ValueError(f"key={str(path)!r} is not the key that {settings['assignment']} was made with")
    return key


def class_of(course: Path, submitted: Path) -> list[str]:
    """Everyone on the roster and, where there is none, everyone who handed in."""
    roster = course / "instructor" / "roster.csv"
    if roster.exists():
        return [student.id for student in _keys.read_roster(roster)]
    return sorted(p.name for p in submitted.iterdir() if p.is_dir() and not p.name.startswith("."))


def _state(folder: Path, student: str, course: Path, judge: Judge) -> str:
    """A digest of all that a result depends on: what was handed out and in, the assignment, and this version."""
    about = [judge.settings, __version__, judge.assigned(student)]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for path in [*sorted(folder.glob("*.ipynb")), course / "release" / judge.name / f"{judge.name}.ipynb"]:
        if path.is_file() and not path.is_symlink():
            digest.update(f"\n{path.name} {path.stat().st_size}\n".encode())
            if path.stat().st_size <= _intake.LARGEST:
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _kept(out: Path, assignment: str, student: str) -> Path:
    return out / "results" / assignment / f"{student}.json"


def _read(path: Path, state: str) -> Result | None:
    """What an earlier run found, if it was about the same submission."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        if kept["state"] != state:
            return None
        plain = kept["result"]
        marks = [Mark(**{**mark, "text": tuple(mark["text"])}) for mark in plain["marks"]]
        texts = {name: tuple(plain[name]) for name in ("notes", "asides")}
        return Result(**{**plain, **texts, "marks": marks})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _plain(result: Result) -> dict[str, Any]:
    return {**result._asdict(), "codes": dict(result.codes), "marks": [mark._asdict() for mark in result.marks]}


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold `out` for this process; the system lets go of it however the process ends."""
    with open(out / ".lock", "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(
                f"out={str(out)!r} is being written by another `mialab grade`; wait for it to end"
            ) from None
        yield
