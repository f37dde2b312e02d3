"""Give points for what was seen of a submission. The judge sits outside the sandbox and believes nothing of it."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import stat
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from mialab import exercises
from mialab.exercises._engine._base import Exercise
from mialab.exercises._engine._bench import Bench
from mialab.exercises._engine._function import FunctionExercise
from mialab.exercises._engine._kinds import Choice, Written, letters_of, number_of
from mialab.exercises._engine._plain import from_json, observed_from_json, to_json
from mialab.exercises.handout import FILE, own_from
from mialab.instructor.grading import _intake
from mialab.instructor.making import _assignment, _course, _personal
from mialab.instructor.making._assignment import EVERYONE
from mialab.instructor.making._hidden import WORK

STOPPED = "stopped"  # the diagnosis of a cell that ended early
LARGEST = 8 << 20  # bytes of what may be written of one answer
LONGEST = 60.0  # seconds to judge a submission, which takes a few hundredths of one


class Mark(NamedTuple):
    """What one answer is worth, and why. `points` is None while a person has yet to read it."""

    question: str
    points: float | None
    of: int
    outcome: str  # "correct", "not yet", "not attempted", "to be read", "not seen", or why there is none
    diagnosis: str | None = None
    text: tuple[str, ...] = ()
    passed: int | None = None  # hidden checks passed, for a function
    cases: int | None = None
    section: str = ""  # of the lesson, to reread
    answer: str = ""  # a written one


class Judge:
    """The judge of one assignment: the same hidden cases for the whole class, and each student's own numbers."""

    def __init__(self, settings: dict[str, Any], key: bytes | None, course: Path, students: list[str]):
        self.settings, self.key, self.course, self.students = settings, key, course, students
        self.name, self.release = settings["assignment"], settings.get("release", 1)
        self.chapter = _assignment.find_chapter(self.name)
        # Some have moved since, and some are no longer asked.
        every = {
            name: e for chapter in exercises.chapters() for name, e in (chapter.exercises | chapter.retired).items()
        }
        self.exercises: list[Exercise] = [every[name] for name in settings["exercises"]]
        self.own_questions = _personal.questions(int(self.chapter.notebook[:2])) if settings["personal"] else []

    @property
    def questions(self) -> list[tuple[str, int]]:
        """The name of each question and its points."""
        return [(e.name, e.points) for e in [*self.exercises, *self.own_questions]]

    @cached_property
    def benches(self) -> dict[str, Bench]:
        """For each function, hidden cases with what should come out, and what every known mistake makes of them."""
        rng = _course.hidden_generator(self.settings, self.key)
        benches = {e.name: e.bench(rng) for e in self.exercises if isinstance(e, FunctionExercise)}
        for bench in benches.values():
            known = list(bench.mistakes())
            bench.mistakes = lambda known=known: known
        return benches

    @cached_property
    def own_answers(self) -> dict[str, dict[str, float]]:
        """question -> student -> the right number."""
        if not self.own_questions:
            return {}
        students = [s for s in self.students if self.assigned(s)]
        if not students:
            raise ValueError(
                f"{self.course / 'handout'} holds {self.name} for nobody: make the assignment again in another folder, "
                "with the same key and roster, and copy its handout/ here"
            )
        own = {s: own_from(json.loads(self.handout(s).read_text("utf-8"))["own"]) for s in students}
        return {q.name: {s: q.answer(one) for s, one in own.items()} for q in self.own_questions}

    def assigned(self, student: str) -> bool:
        """False for who joined the class after the assignment was made, and has not been given it since."""
        return self.handout(student).exists()

    def handout(self, student: str) -> Path:
        """What was handed out to a student, as the instructor has kept it; the key makes it again."""
        return self.course / "handout" / (student if self.settings["personal"] else EVERYONE) / self.name / FILE

    @cached_property
    def tests(self) -> str:
        """A digest of the files that these exercises are written in: where a test is mended, all are graded anew."""
        folder, asked = Path(exercises.__file__).parent, {e.notebook for e in self.exercises}
        places = zip(exercises.MODULES, exercises.chapters(), strict=True)
        modules = [module for module, chapter in places if chapter.notebook in asked]
        texts = [path.read_bytes() for module in modules for path in sorted(folder.rglob(f"{module}.py"))]
        return hashlib.sha256(b"".join(texts)).hexdigest()

    def cases(self, longer: int) -> str:
        """The inputs of the hidden cases as JSON, for the sandbox, and `longer` times the usual time: no outputs."""
        return json.dumps(
            {
                name: {
                    "cases": [[to_json(value) for value in case] for case in bench.cases],
                    "seconds": longer * bench.seconds,
                }
                for name, bench in self.benches.items()
            }
        )

    def marks(self, student: str, folder: Path) -> list[Mark]:
        """The marks for all that was seen in a run's folder."""
        ids = [e.id for e in self.exercises] + [question.name for question in self.own_questions]
        seen = read_seen(folder, ids)
        marks = [self._mark(e, student, seen) for e in self.exercises]
        marks += [self._own_mark(question, student, seen) for question in self.own_questions]
        stops = stopped(read_executed(folder, self.name))
        return [
            mark._replace(diagnosis=STOPPED, text=(_stop(stops[mark.question]),))
            if mark.outcome == "not seen" and mark.question in stops
            else mark
            for mark in marks
        ]

    def _mark(self, exercise: Exercise, student: str, seen: dict[str, Any]) -> Mark:
        plain = seen.get(exercise.id)
        mark = Mark(exercise.name, 0.0, exercise.points, "not seen", section=exercise.section)
        if plain is None:
            return mark
        try:
            if isinstance(exercise, FunctionExercise):
                return self._function_mark(exercise, plain, mark)
            answer = from_json(plain)
        except ValueError as error:
            text = (f"The answer could not be read: {error}.",)
            return mark._replace(outcome="not yet", diagnosis="unreadable", text=text)
        if isinstance(exercise, Choice):
            answer = self._own_letter(exercise, student, answer)
        verdict = exercise.judge(answer)
        text = () if verdict.outcome == "correct" else tuple(map(str, verdict.body[:1]))
        mark = mark._replace(outcome=verdict.outcome, diagnosis=verdict.diagnosis, text=text)
        if isinstance(exercise, Written) and isinstance(answer, str) and verdict.outcome != "not attempted":
            # Too short, say: a person decides what that is worth, and is told.
            return mark._replace(points=None, outcome="to be read", answer=answer.strip(), section="")
        return mark._replace(points=float(exercise.points)) if verdict.outcome == "correct" else mark

    def _function_mark(self, exercise: FunctionExercise, plain: Any, mark: Mark) -> Mark:
        bench = self.benches[exercise.name]
        finding = bench.finding(observed_from_json(plain, len(bench.cases)))
        text = tuple(map(str, finding.text)) if finding.outcome == "not yet" else ()
        points = float(exercise.points) if finding.outcome == "correct" else 0.0
        mark = mark._replace(points=points, outcome=finding.outcome, diagnosis=finding.diagnosis, text=text)
        return mark._replace(passed=finding.passed, cases=finding.of)

    def _own_letter(self, exercise: Choice, student: str, answer: Any) -> Any:
        """The exercise's letter for the one that this student saw."""
        if not self.settings["personal"] or not isinstance(answer, str):
            return answer
        seen_as = _personal.shuffled(self.key, self.name, student, exercise.name, list(exercise.options))
        given = letters_of(answer)  # as `check` reads it, and before it is put into the order of the others
        return next((own for own, shown in seen_as.items() if shown == given), answer)

    def _own_mark(self, question: _personal.OwnQuestion, student: str, seen: dict[str, Any]) -> Mark:
        plain = seen.get(question.name)
        mark = Mark(question.name, 0.0, question.points, "not seen", section="Your own model")
        if plain is None:
            return mark
        try:
            answer = from_json(plain)
        except ValueError:
            answer = "?"
        if answer is ... or answer is None:
            return mark._replace(outcome="not attempted")
        diagnosis, text = self._own_diagnosis(question, student, answer)
        if diagnosis is None:
            return mark._replace(points=float(question.points), outcome="correct")
        return mark._replace(outcome="not yet", diagnosis=diagnosis, text=(text,))

    def _own_diagnosis(self, question: _personal.OwnQuestion, student: str, answer: Any) -> tuple[str | None, str]:
        given = number_of(answer)
        if given is None:
            return "wrong_type", f"The answer should be {question.unit}."
        rights = self.own_answers[question.name]
        right = rights[student]
        if abs(given - right) <= question.tolerance:
            return None, ""
        if abs(given - right) <= 0.006 and any(abs(given - round(right, d)) < 1e-9 for d in (1, 2, 3)):
            return "rounded", "This is rounded too far. Give at least four digits after the point."
        if abs(given + right) <= question.tolerance:
            return "turned_round", "The sign is turned round: members come first, strangers are taken away."
        if abs(given - (1 - right)) <= question.tolerance:
            return "turned_round", "This is 1 minus the right number: members and strangers are swapped."
        if any(abs(given - other) <= question.tolerance for s, other in rights.items() if s != student):
            return "other_data", "This number is right for other data than yours. Use `mine` as your own file makes it."
        return "other", "This is not what your own model gives."


def in_time(work: Callable[[], Any]) -> Any:
    """What `work` returns, or the error that it raises, from a copy of this process that is ended after `LONGEST`.

    A thread could not be ended in the middle of a long comparison, and a copy takes along whatever it breaks.

    Raises
    ------
    TimeoutError : it took longer
    RuntimeError : the copy was ended by something else, for the memory that it took perhaps
    """
    apart = multiprocessing.get_context("fork")
    ours, theirs = apart.Pipe(duplex=False)

    def run() -> None:
        os.closerange(3, theirs.fileno())  # the grading's lock among them: it is the grading's alone
        os.closerange(theirs.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        try:
            theirs.send(work())
        except Exception as trouble:
            theirs.send(trouble)

    process = apart.Process(target=run, daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(LONGEST):
            raise TimeoutError(f"judging its answers took more than {LONGEST:g} seconds")
        said = ours.recv()
    except EOFError:
        raise RuntimeError("judging its answers ended before it was done") from None
    finally:
        process.kill()
        process.join()
        ours.close()
    if isinstance(said, Exception):
        raise said
    return said


def marks_for(questions: Iterable[tuple[str, int]], outcome: str, text: tuple[str, ...] = ()) -> list[Mark]:
    """A mark of no points for each question: nothing was handed in, or nothing could be read."""
    return [Mark(name, 0.0, points, outcome, text=text) for name, points in questions]


def read_executed(folder: Path, name: str) -> dict[str, Any]:
    """The notebook of a run as it was left there: to be shown, and believed in nothing."""
    try:
        notebook = json.loads(read_inside(folder, f"{WORK}/{name}.ipynb", _intake.LARGEST) or "")
    except (ValueError, RecursionError):
        return {}
    return notebook if isinstance(notebook, dict) else {}


def stopped(notebook: dict[str, Any]) -> dict[str, str]:
    """question -> the error, its kind and the start of its message, with which the cell of its answer stopped."""
    found = {}
    for cell in notebook.get("cells", []):
        try:
            question = str(cell["metadata"]["nbgrader"]["grade_id"])
            error = next(o for o in cell["outputs"] if o["output_type"] == "error")
            words = f"{error['ename']}: {error['evalue']}".partition("\n")[0].replace("`", "'").rstrip(": ")
        except (KeyError, TypeError, StopIteration):
            continue
        found[question] = words if len(words) <= 200 else words[:197] + "..."
    return found


def _stop(error: str) -> str:
    """What a student is told of such an error; the sandbox interrupts what does not end, and nobody else does."""
    interrupted = error.startswith("KeyboardInterrupt")
    return "It did not end within its time." if interrupted else f"It stopped with `{error}`."


def stop_words(marks: list[Mark]) -> tuple[str, ...]:
    """What an instructor is told of cells that stopped before their answer could be checked."""
    said = [f"{mark.question} ({mark.text[0]})" for mark in marks if mark.diagnosis == STOPPED]
    return (f"Not checked, for their cells stopped early: {', '.join(said)}.",) if said else ()


def read_seen(folder: Path, ids: Iterable[str]) -> dict[str, Any]:
    """What was written of each answer: exercise id -> JSON. Links, pipes and what is too large are not read."""
    seen = {}
    for name in ids:
        text = read_inside(folder, f"seen/{name}.json", LARGEST)
        if text is not None:
            try:
                seen[name] = json.loads(text)
            except (ValueError, RecursionError):
                seen[name] = {}
    return seen


def read_inside(folder: Path, name: str, most: int) -> str | None:
    """The text of a plain file that a student could have put anything in the place of; None if it is no such file.

    `name` is its path below `folder`; a link is followed nowhere on the way.
    """
    *above, last = name.split("/")
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in above:
            outer, place = place, os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
            os.close(outer)
        handle = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
    except OSError:
        return None
    finally:
        os.close(place)
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode) or about.st_size > most:
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read(most).decode("utf-8", "replace")
