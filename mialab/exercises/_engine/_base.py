"""What every exercise has in common: check, hint, solution; three outcomes; a record of progress."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, NamedTuple

from mialab.exercises._engine import _progress
from mialab.exercises._engine._panel import Code, Panel, Verdict


class Wrong(NamedTuple):
    """A known wrong answer and the diagnosis it must get."""

    answer: Any
    diagnosis: str


class Exercise(ABC):
    """One exercise. Subclasses say what an answer is (`_judge`), what the stub is and how the solution reads."""

    kind = "exercise"
    done = "correct"  # how the progress table names an accepted answer
    also_right: dict[str, Any]  # other answers that must be accepted
    wrong: dict[str, Wrong]  # answers that must be refused, by the name of their diagnosis

    def __init__(self, name: str, *, points: int, minutes: int, section: str, hints: list[str], means: str, why: str):
        self.name = name
        self.points = points
        self.minutes = minutes
        self.section = section  # heading of the notebook to reread
        self.hints = tuple(hints)
        self.means = means  # what a right answer means, in one sentence
        self.why = why
        self.notebook = ""  # set by the chapter

    @property
    def id(self) -> str:
        """The name under which progress and grades are kept: its own, so that a notebook's number may change."""
        return self.name

    @property
    def cell(self) -> str:
        """The code cell of the notebook as a learner first sees it."""
        return f"{self.stub}\n\nex.{self.name}.check({self.name})"

    # What a learner calls --------------------------------------------------------------------------------------------

    def check(self, answer: Any = ..., *more: Any, random_state: int | None = None) -> Verdict:
        """Say whether `answer` is correct, not yet correct (and why), or not attempted; never raise.

        `random_state` fixes the fresh data that a function is tried on; leave it out when you work on the course.
        """
        if more:  # a slip in the call is no attempt, and is not recorded
            return Verdict("Not yet.", (one_answer(self.name),), "not yet", self.name, "more_than_one").said()
        verdict = self.judge(answer, random_state)
        notes = [self._record(verdict, answer), self._keep(answer) if verdict.outcome == "correct" else ""]
        return replace(verdict, body=(*verdict.body, *filter(None, notes))).said()

    def _keep(self, answer: Any) -> str:
        """Keep what an accepted answer is for later notebooks; a sentence for the learner, or nothing."""
        return ""

    def judge(self, answer: Any, random_state: int | None = None) -> Verdict:
        """The verdict of `check`, without a record of it."""
        try:
            return self._judge(answer, random_state)
        except Exception as trouble:  # whatever an answer is, the notebook goes on
            return self._not_yet(
                "unreadable", f"The check could not make sense of this answer ({type(trouble).__name__})."
            )

    def hint(self, *numbers: Any) -> Panel:
        """The next of three hints, each saying more than the one before; after the third, the third again."""
        if numbers:
            return no_number(self.name)
        taken = min(_progress.load()[0]["exercises"].get(self.id, {}).get("hints", 0) + 1, len(self.hints))
        note = _progress.update(self.id, lambda entry: entry.update(hints=taken))
        after = (
            f"For the next hint, run `ex.{self.name}.hint()` again."
            if taken < len(self.hints)
            else f"That was the last hint. `ex.{self.name}.solution()` shows a worked answer."
        )
        return Panel(f"Hint {taken} of {len(self.hints)}", (self.hints[taken - 1], after, *filter(None, [note]))).said()

    def solution(self) -> Panel:
        """A worked answer and why it is right."""
        _progress.update(self.id, lambda entry: entry.update(solution_seen=True))
        return Panel(f"A worked answer to {self.name}", (*self._worked_answer(), self.why)).said()

    def __repr__(self) -> str:
        return (
            f"{self.name}: {self.kind}, {count(self.points, 'point')}, about {count(self.minutes, 'minute')}. "
            f"Verbs: .check({self.name})  .hint()  .solution()"
        )

    # What a subclass says --------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def stub(self) -> str:
        """The code that a learner completes."""

    @property
    @abstractmethod
    def right_answer(self) -> Any:
        """An answer that must be accepted."""

    @property
    def right_code(self) -> str:
        """Code that, put in the stub's place, is accepted."""
        return f"{self.name} = {self.right_answer!r}"

    @abstractmethod
    def _judge(self, answer: Any, random_state: int | None) -> Verdict:
        """The verdict on an answer."""

    def _worked_answer(self) -> tuple[str, ...]:
        return (Code(self.right_code),)

    # Verdicts --------------------------------------------------------------------------------------------------------

    def _correct(self, title: str = "Correct.", *more: str) -> Verdict:
        return Verdict(title, (self.means, *more), "correct", self.name)

    def _not_yet(self, diagnosis: str, *text: str) -> Verdict:
        reread = f"Reread “{self.section}”, or run `ex.{self.name}.hint()`."
        return Verdict("Not yet.", (*text, reread), "not yet", self.name, diagnosis)

    def _not_attempted(self, text: str = "") -> Verdict:
        dots = "Put your answer in the place of the three dots and run the cell again."
        text = text or f"{dots} For help: `ex.{self.name}.hint()`."
        return Verdict("Not attempted yet.", (text,), "not attempted", self.name)

    def _record(self, verdict: Verdict, answer: Any) -> str:
        if verdict.outcome == "not attempted":
            return ""

        def change(entry: dict) -> None:
            entry["attempts"] = entry.get("attempts", 0) + 1
            entry["diagnosis"] = verdict.diagnosis
            if verdict.outcome == "correct":
                entry.update(outcome=self.done, answer=self._to_keep(answer))
            else:
                entry.setdefault("outcome", "not yet")  # what was once correct stays correct

        return _progress.update(self.id, change)

    def _to_keep(self, answer: Any) -> Any:
        """The part of an accepted answer that the progress file holds: guesses and written answers, not code."""
        return None


def one_answer(name: str) -> str:
    """What to say to who gives `check` more than one answer."""
    return f"`check` takes one answer: `ex.{name}.check({name})`."


def no_number(name: str) -> Panel:
    """What to say to who asks for a hint by its number; no hint is used up."""
    return Panel("Which hint?", (f"`hint` takes no number: run `ex.{name}.hint()`, and again for the next hint.",))


def count(n: int, thing: str) -> str:
    """`n` of a thing, in words that agree: 1 point, 2 points."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"
