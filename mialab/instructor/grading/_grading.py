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
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from mialab import __version__
from mialab._files import clean, write_whole
from mialab.exercises.handout import FILE
from mialab.instructor.grading import _intake, _judge, _sandbox
from mialab.instructor.grading._judge import Judge, Mark
from mialab.instructor.making import _course, _keys
from mialab.instructor.making._hidden import LATE, WORK

ATTEMPTS = 3  # runs of one notebook, each without the cell in which the one before it ended
LONGER = 3  # times as much work for an answer that was too slow, when it is tried again and nothing else runs


Tell = Callable[[int, int, str], None]  # called with (done, of all, student) as it goes on


def nobody(done: int, of: int, student: str) -> None:
    """Whom it is told where nobody wants to know."""


class Failed(Exception):
    """The grader could not do its work; the message says what it saw."""


class Result(NamedTuple):
    """What came of one student's assignment."""

    student: str
    assignment: str
    status: str  # "graded", "missing", "not assigned", "unreadable", or "failed": look at it; the next run tries again
    marks: list[Mark]
    notes: tuple[str, ...] = ()
    codes: Mapping[str, str] = MappingProxyType({})  # question -> digest of the answer's words, where there are many
    asides: tuple[str, ...] = ()  # what only the instructor is to read
    held: bool = False  # the total waits for the instructor's word
    slow: bool = False  # something ran out of time, the second time too

    release: int = 0  # of the assignment, by which this was graded; 0 if it was not
    late: int = 0  # days, begun ones counted whole
    cut: float = 0.0  # the share of the points that this costs
    zero: bool = False  # what could not be graded counts as nothing, by the instructor's word

    @property
    def points(self) -> float:
        """Points so far, less what lateness costs; written answers that nobody has read yet count nothing."""
        return round(sum(mark.points or 0.0 for mark in self.marks) * (1 - self.cut), 2)

    @property
    def of(self) -> int:
        """Points that could be had."""
        return sum(mark.of for mark in self.marks)

    @property
    def complete(self) -> bool:
        """False while a written answer waits for a reader."""
        return all(mark.points is not None for mark in self.marks)

    @property
    def handed_in(self) -> bool:
        """True where anything was found, if only in another place."""
        return self.status not in ("missing", "not assigned") or self.held

    @property
    def total(self) -> float | None:
        """The points; None where something is still open, for an unfinished grade is no grade."""
        return self.points if (self.status == "graded" or self.zero) and self.complete and not self.held else None


def grade(
    submitted: Path | str,
    out: Path | str,
    *,
    jobs: int = 2,
    tell: Tell = nobody,
    **settings: Any,
) -> list[Result]:
    """Grade what was handed in: return one result for each student and assignment, and keep each in `out` as it comes.

    `mialab grade` writes the tables, the feedback and the summary of the class from these results.

    Parameters
    ----------
    submitted, out, settings : see `plan`.
    jobs : how many at a time.
    tell : called with (done, of all, student) as it goes on.

    Raises
    ------
    ValueError : see `plan`; or someone is grading into `out`.

    >>> grade("my-class/submitted", "my-class/grades")
    Traceback (most recent call last):
    ValueError: submitted='...submitted' is no folder
    course='...my-class' holds no assignments; `mialab assign` makes them
    """
    return run(plan(submitted, out, **settings), jobs, tell)


def plan(
    submitted: Path | str,
    out: Path | str,
    *,
    key: Path | str | None = None,
    course: Path | str | None = None,
    only: Sequence[str] = (),
    again: Sequence[str] = (),
    sandboxed: bool = True,
    limits: _sandbox.Limits | None = None,
) -> Plan:
    """What there is to grade, and what was found before; nothing has run or been written yet.

    Parameters
    ----------
    submitted : a folder per student, with a folder per assignment in it, as nbgrader collects them.
    out : where the results are kept; what is there from an interrupted run is not done again.
    key : the key file of personal assignments.
    course : the folder that `mialab assign` made; the one that holds `submitted` if None.
    only : numbers or names of the assignments to grade; all of them if empty.
    again : the students whose results are not to be kept.
    sandboxed : False runs students' code as the user who grades.
    limits : what one notebook may take of the machine.

    Raises
    ------
    ValueError : no course, no assignments, no key or another one, no sandbox, no such student: all of it at once.
    """
    submitted, out = Path(submitted).absolute(), Path(out).absolute()
    course, bounds = Path(course).absolute() if course else submitted.parent, limits or _sandbox.Limits()
    _, students, keyed, *_ = together(
        lambda: refuse("" if submitted.is_dir() else f"submitted={str(submitted)!r} is no folder"),
        lambda: class_of(course, submitted),
        lambda: [(settings, _key_for(settings, key)) for settings in _assignments(course, only)],
        lambda: _keys.read_key(key) if key else None,
        lambda: in_class("again", again, class_of(course, submitted)),
        lambda: refuse("" if bounds.seconds > 0 else f"seconds={bounds.seconds:g} should be more than 0"),
        lambda: refuse(f"out={str(out)!r} is no folder" if out.exists() and not out.is_dir() else ""),
        lambda: refuse(_sandbox.missing() if sandboxed else ""),
    )
    releases = [_releases(settings, secret, course, students) for settings, secret in keyed]
    todo, known = [], {}
    for judges, student in itertools.product(releases, students):
        name = judges[-1].name
        folder, kept = submitted / student / name, out / "results" / name / f"{student}.json"
        judge = _judge_of(judges, folder, student)
        work = _Work(judge, student, folder, kept, _state(folder, student, judge))
        result = None if student in again else _read(kept, work.state)
        known[student, judge.name] = result
        todo += [] if result else [work]
    return Plan(out, course, bounds, sandboxed, todo, known)


def together(*attempts: Callable[[], Any]) -> list[Any]:
    """What each of these gives; where some refuse, one ValueError with what all of them say."""
    given, wrong = [], {}
    for attempt in attempts:
        try:
            given.append(attempt())
        except ValueError as error:
            wrong |= dict.fromkeys(str(error).splitlines())
    refuse("\n".join(wrong))
    return given


def refuse(why: str) -> None:
    """ValueError with these words, if there are any."""
    if why:
        raise ValueError(why)


def in_class(argument: str, named: Sequence[str], students: Sequence[str]) -> None:
    """ValueError where an argument names someone who is not in the class."""
    strange = ", ".join(name for name in named if name not in students)
    refuse(f"{argument}={strange}: there is nobody of this name in the class" if strange else "")


class Plan(NamedTuple):
    """What there is to grade, and what is known already."""

    out: Path
    course: Path
    limits: _sandbox.Limits
    sandboxed: bool
    todo: list[_Work]
    known: dict[tuple[str, str], Result | None]  # (student, assignment) -> what was kept of it

    @property
    def kept(self) -> list[Result]:
        """The results that are known already."""
        return [result for result in self.known.values() if result]


def run(plan: Plan, jobs: int = 2, tell: Tell = nobody) -> list[Result]:
    """Carry out a plan; its results in their order."""
    plan.out.mkdir(parents=True, exist_ok=True)
    with _alone(plan.out), _place(plan.out) as place:
        for work in plan.todo:
            if work.kept.exists():  # about another state, or not to be taken
                before = work.kept.parent / "before" / work.kept.name
                before.parent.mkdir(exist_ok=True)
                work.kept.replace(before)
        done = _all(plan.todo, _How(plan.course, plan.limits, plan.sandboxed, place), jobs, tell)
        known = plan.known | {(result.student, result.assignment): result for result in done}
    return [known[one] for one in plan.known]


class _How(NamedTuple):
    """How every submission of a class is run."""

    course: Path
    limits: _sandbox.Limits
    sandboxed: bool
    place: Path  # of this grading alone: the folders in which notebooks run are made there


class _Work(NamedTuple):
    """One submission to grade: where it is, where its result is kept, and the state that the result is about."""

    judge: Judge
    student: str
    folder: Path
    kept: Path
    state: str


def _all(todo: list[_Work], how: _How, jobs: int, tell: Tell) -> Iterator[Result]:
    """Grade so many at a time and keep each result; what ran out of time, once more and alone."""
    for judge in {id(work.judge): work.judge for work in todo}.values():
        _ = judge.benches, judge.own_answers  # once, before the threads ask for them
    slow = []
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        waiting = {pool.submit(_one, work, how): work for work in todo}
        try:
            for done, future in enumerate(as_completed(waiting), start=1):
                work, result = waiting[future], future.result()
                if result.slow:
                    slow.append((work, result))
                else:
                    _keep(result, work)
                tell(done, len(waiting), work.student)
                yield result
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for work, first in slow:
        result = _once_more(first, work, how)
        _keep(result, work)
        yield result


# --- one submission -------------------------------------------------------------------------------------------------


def _one(work: _Work, how: _How, longer: int = 1) -> Result:
    """The result of one submission, its texts cleaned; whatever goes wrong with it is told of it alone."""
    try:
        result = _graded(work, how, longer)
    except Exception as trouble:
        kind, said = type(trouble).__name__, " ".join(str(trouble).split())
        words = f"The grader failed on this submission, so look at it: {kind}: {said[:300]}"
        why = said if isinstance(trouble, Failed) else words
        marks = _judge.marks_for(work.judge.questions, "not graded")
        result = Result(work.student, work.judge.name, "failed", marks, asides=(why,))
    return _from_plain(json.loads(clean(json.dumps(_plain(result), ensure_ascii=False))))


def _graded(work: _Work, how: _How, longer: int) -> Result:
    judge, student, folder = work.judge, work.student, work.folder
    if not judge.assigned(student):
        aside = ("Something was handed in, but nothing was handed out: run `mialab assign` again with this roster.",)
        marks = _judge.marks_for(judge.questions, "not assigned")
        return Result(student, judge.name, "not assigned", marks, asides=aside if folder.is_dir() else ())
    if not folder.is_dir():
        return Result(student, judge.name, "missing", _judge.marks_for(judge.questions, "not handed in"))
    release, source = (
        json.loads((judge.course / kind / judge.name / f"{judge.name}.ipynb").read_text("utf-8"))
        for kind in ("release", "source")
    )
    try:
        path, notes = _intake.find(folder, judge.name)
        submitted = _intake.read(path)
        taken = _intake.take(release, source, submitted)
    except _intake.Unreadable as trouble:
        marks = _judge.marks_for(judge.questions, "unreadable")
        return Result(student, judge.name, "unreadable", marks, (str(trouble),))
    whose = _whose(judge, student, submitted)
    marks, more, slow = _run(work, taken.notebook, how, longer)
    asides = (*whose, *_judge.stop_words(marks))
    return Result(student, judge.name, "graded", marks, (*notes, *taken.notes, *more), taken.codes, asides,
                  bool(whose), slow, judge.release)  # fmt: skip


def _once_more(first: Result, work: _Work, how: _How) -> Result:
    """A result that ran out of time, tried again with more: the better mark counts, what is slow still is named."""
    more = replace(how.limits, cell=2 * how.limits.cell, seconds=how.limits.seconds + how.limits.cell)
    second = _one(work, how._replace(limits=more), LONGER)
    if second.status != "graded":
        return second
    marks = _better(second.marks, first.marks)
    late = [m.question for m in marks if m.diagnosis == "too_slow" or (second.slow and m.outcome == "not seen")]
    words = f"Out of time, though tried twice and the second time alone: {', '.join(late) or 'a cell'}. Read it before "
    words += f"the points stand; `--again {first.student}` tries it again."
    asides = (*second.asides, words) if second.slow else second.asides
    return second._replace(marks=marks, asides=asides)


def _better(one: list[Mark], other: list[Mark]) -> list[Mark]:
    """The better of two marks for each question: an answer that a person is to read before none, seen before unseen."""

    def worth(mark: Mark) -> tuple:
        return mark.points or 0.0, mark.points is None, mark.outcome != "not seen"

    return [max(pair, key=worth) for pair in zip(one, other, strict=True)]


def _run(work: _Work, notebook: dict, how: _How, longer: int) -> tuple[list[Mark], tuple[str, ...], bool]:
    """Run a notebook until it ends; each time it does not, without the cell in which it stopped.

    Returns the marks, notes, and whether time ran out for anything.
    """
    best: list[Mark] = []
    notes: list[str] = []
    slow = False
    for _ in range(ATTEMPTS):
        with _folder(how.place) as folder:
            _lay_out(folder, work, notebook, longer)
            words = [work.judge.name, str(how.limits.cell)]
            inside = "mialab.instructor.grading._inside"
            ended = _sandbox.run(folder, inside, words, limits=how.limits, sandboxed=how.sandboxed)
            marks = _judge.in_time(partial(_judged, folder, how.course, work))
            slow |= ended.why == "time" or _judge.read_inside(folder, LATE, 20) is not None
            running = _judge.read_inside(folder, "running.txt", 20) or ""
        if ended.code != 0 and not running:  # nothing of the student's has run
            raise Failed(f"The grader failed before the first cell: {ended.why or ended.said.strip()[-600:]}")
        best = _better(best, marks) if best else marks
        if ended.code == 0:
            break
        left_out = _intake.drop(notebook, int(running)) if running.isdecimal() else None
        because = {"time": "took too long", "memory": "took too much memory", "processes": "started too many processes",
                   "disk": "filled the disk"}.get(ended.why, "ended before its last cell")  # fmt: skip
        if left_out is None:
            notes.append(f"The notebook {because}.")
            break
        notes.append(f"The notebook {because} in {left_out}; it was run again without that cell.")
    return best, tuple(notes), slow or any(mark.diagnosis == "too_slow" for mark in best)


def _lay_out(folder: Path, work: _Work, notebook: dict, longer: int) -> None:
    """What is needed in the sandbox and nothing else: this submission, its tests, the hidden inputs."""
    place = folder / WORK
    place.mkdir(parents=True)
    (place / f"{work.judge.name}.ipynb").write_text(json.dumps(notebook), "utf-8")
    shutil.copy(work.judge.handout(work.student), place / FILE)
    (folder / "cases.json").write_text(work.judge.cases(longer), "utf-8")


def _judged(folder: Path, course: Path, work: _Work) -> list[Mark]:
    """The marks for what a run has left in its folder; the notebook is kept as it was run."""
    _keep_notebook(folder, course, work)
    return work.judge.marks(work.student, folder)


def _keep_notebook(folder: Path, course: Path, work: _Work) -> None:
    """Copy the notebook that was run to where nbgrader's formgrader shows it, without what a browser would run."""
    name = work.judge.name
    notebook = _judge.read_executed(folder, name)
    try:
        for cell in notebook["cells"]:
            cell["outputs"] = [o for o in map(_plain_output, cell.get("outputs", [])) if o]
            if cell["cell_type"] != "code":
                del cell["outputs"]
                cell.pop("attachments", None)
                cell["source"] = "".join(cell["source"]).replace("<", "&lt;")
        text = json.dumps(notebook, indent=1)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return
    write_whole(course / "autograded" / work.student / name / f"{name}.ipynb", text)


def _plain_output(output: dict[str, Any]) -> dict[str, Any] | None:
    """An output without what a browser would run or load."""
    data = output.get("data", {})
    if output["output_type"] in ("stream", "error"):
        return output
    return {**output, "data": {"text/plain": data["text/plain"]}, "metadata": {}} if "text/plain" in data else None


def _whose(judge: Judge, student: str, submitted: dict[str, Any]) -> tuple[str, ...]:
    """A note where a personal notebook does not say, under the seal of the key, that it was handed out to `student`."""
    about = _intake.about(submitted)
    named, release = about.get("student"), about.get("release", 1)
    if not judge.settings["personal"]:
        lost = judge.release > 1 and "release" not in about
        return ("This notebook does not say of which release it is; it was graded by the latest.",) if lost else ()
    named_so = isinstance(named, str) and isinstance(release, int)
    sealed = named_so and about.get("tag") == _keys.seal(judge.key, judge.name, named, release)
    if sealed:
        return () if named == student else (f"This notebook was handed out to {named}.",)
    if named is None:
        return ("This notebook no longer says whose it is: its name and seal were taken out.",)
    return ("The name in this notebook, or its seal, was changed by hand.",)


def _keep(result: Result, work: _Work) -> None:
    """Keep a result for the next run, unless that is to try again."""
    if result.status != "failed":
        write_whole(work.kept, json.dumps({"state": work.state, "result": _plain(result)}, indent=1))


@contextmanager
def _place(out: Path) -> Iterator[Path]:
    """A folder for the runs of one grading into `out`, which leaves nothing behind; what a killed one left goes too."""
    prefix = f"mialab-grade-{hashlib.sha256(os.fsencode(out)).hexdigest()[:12]}-"
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        if left.lstat().st_uid == os.geteuid():
            _sandbox.remove(left)
    with _passing(prefix=prefix) as place:
        yield place


@contextmanager
def _folder(place: Path) -> Iterator[Path]:
    """A folder for one run; beside it is room for what the run prints."""
    with _passing(dir=place) as base:
        yield base / "run"


@contextmanager
def _passing(**where: Any) -> Iterator[Path]:
    """A new folder, deleted in the end, that whoever runs inside may pass through and not look into."""
    folder = Path(tempfile.mkdtemp(**where))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        _sandbox.remove(folder)


# --- what is known, and what was done before ------------------------------------------------------------------------


def assignment_names(course: Path) -> list[str]:
    """The names of the course's assignments, without the challenge."""
    return sorted(path.stem for path in (course / "instructor").glob("[0-9][0-9]_*.json"))


def _assignments(course: Path, only: Sequence[str]) -> list[dict[str, Any]]:
    names = assignment_names(course)
    if not names:
        raise ValueError(f"course={str(course)!r} holds no assignments; `mialab assign` makes them")
    strange = [one for one in only if not any(is_meant(name, one) for name in names)]
    if strange:
        raise ValueError(f"only={', '.join(strange)} is no assignment of this class, which has {', '.join(names)}")
    chosen = [name for name in names if not only or any(is_meant(name, one) for one in only)]
    return [json.loads(_course.settings_file(course, name).read_text("utf-8")) for name in chosen]


def _releases(settings: dict[str, Any], key: bytes | None, course: Path, students: list[str]) -> list[Judge]:
    """The judge of each release of an assignment, the latest last."""
    name, judges = settings["assignment"], []
    for folder in _course.earlier_releases(course, name):
        before = json.loads(_course.settings_file(folder, name).read_text("utf-8"))
        judges += (
            [Judge(before, key, folder, students)] if before.get("release", 1) < settings.get("release", 1) else []
        )
    return [*judges, Judge(settings, key, course, students)]


def _judge_of(judges: list[Judge], folder: Path, student: str) -> Judge:
    """The judge of the release that a student has handed in; the latest where nothing tells which that is."""
    if len(judges) > 1:
        with suppress(_intake.Unreadable, OSError):
            about = _intake.about(_intake.read(_intake.find(folder, judges[-1].name)[0]))
            release = about.get("release", 1 if about else None)  # the first ones did not say it
            return next((j for j in judges if j.release == release and j.assigned(student)), judges[-1])
    return judges[-1]


def is_meant(name: str, said: str) -> bool:
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
    if roster := _keys.kept_roster(course):
        return [student.id for student in roster]
    names = (path.name for path in submitted.glob("[!.]*") if path.is_dir())
    return sorted(name for name in names if name == clean(name))  # a name in other bytes is a stray


def _state(folder: Path, student: str, judge: Judge) -> str:
    """A digest of all that a result depends on: what was handed out and in, the assignment, and this version."""
    about = [judge.settings, judge.tests, __version__, judge.assigned(student)]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    made = [judge.course / kind / judge.name / f"{judge.name}.ipynb" for kind in ("release", "source")]
    for path in [*sorted(folder.glob("*.ipynb")), *made]:
        try:
            if path.is_file() and not path.is_symlink():
                digest.update(f"\n{path.name} {path.stat().st_size}\n".encode("utf-8", "surrogateescape"))
                if path.stat().st_size <= _intake.LARGEST:
                    digest.update(path.read_bytes())
        except OSError as trouble:  # told when it is graded
            digest.update(type(trouble).__name__.encode())
    return digest.hexdigest()


def _read(path: Path, state: str) -> Result | None:
    """What an earlier run found, if it was about the same submission."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        return _from_plain(kept["result"]) if kept["state"] == state else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _from_plain(plain: dict[str, Any]) -> Result:
    marks = [Mark(**{**mark, "text": tuple(mark["text"])}) for mark in plain["marks"]]
    texts = {name: tuple(plain[name]) for name in ("notes", "asides")}
    return Result(**{**plain, **texts, "marks": marks})


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
