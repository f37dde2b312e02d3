"""This module is the student's side of a graded assignment: it has checks on public data, hints, and no answers.

All of it comes from `assignment.json`, which lies beside the notebook. `mialab assign` writes that file, and it holds
what the public cases give, never how to get it. Hints are given where the assignment allows them.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mialab.exercises._engine._base import count, no_number, one_answer
from mialab.exercises._engine._bench import Bench
from mialab.exercises._engine._calls import observe, show
from mialab.exercises._engine._kinds import Prediction, Written, letters_of, number_of
from mialab.exercises._engine._panel import Panel, Verdict
from mialab.exercises._engine._plain import from_json, observed_from_json

FILE = "assignment.json"
_LATER = "It is judged after you have handed in."
_OPEN = "Put your answer in the place of the three dots and run both cells again."


class OwnModel:
    """An `OwnModel` is a trained model that answers about its student's own records, and about no others.

    >>> model = OwnModel(np.array([[5.1, 3.5]]), np.array([[0.9, 0.1, 0.0]]))
    >>> model.predict([[5.1, 3.5]]).tolist()
    [0]
    """

    classes_ = np.array([0, 1, 2])

    def __init__(self, X: np.ndarray, proba: np.ndarray):
        self._answers = {tuple(record): answer for record, answer in zip(X.tolist(), proba, strict=True)}

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probabilities of the three species, (n, 3).

        It raises ValueError for a record that is not one of `mine.X`.
        """
        records = [tuple(record) for record in np.atleast_2d(np.asarray(X, dtype=float)).tolist()]
        if any(record not in self._answers for record in records):
            raise ValueError("X holds a record that is not in `mine.X`; this model answers about your own flowers only")
        return np.array([self._answers[record] for record in records])

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable species, (n,)."""
        return self.predict_proba(X).argmax(axis=1)

    def __repr__(self) -> str:
        return "<your own trained model>"


class Own(NamedTuple):
    """An `Own` holds a student's own flowers and model: X, y (as recorded; a few are wrong), is_member and model.

    >>> X, proba = np.array([[5.1, 3.5]]), np.array([[0.9, 0.1, 0.0]])
    >>> mine = Own(X, np.array([0]), np.array([True]), OwnModel(X, proba))
    >>> mine.model.predict(mine.X) == mine.y
    array([ True])
    """

    X: np.ndarray
    y: np.ndarray  # labels as recorded; a few are wrong
    is_member: np.ndarray
    model: OwnModel


def load_assignment(path: Path | str = FILE) -> Handout:
    """Load the assignment whose file lies beside the notebook.

    Raises
    ------
    FileNotFoundError, ValueError : the file is not there, or it is not what `mialab assign` wrote.

    >>> load_assignment("elsewhere/assignment.json")
    Traceback (most recent call last):
    FileNotFoundError: elsewhere/assignment.json is not here: keep it in the notebook's folder, ...
    """
    path = Path(path)
    try:
        plain = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} is not here: keep it in the notebook's folder, as it was handed out, and open the notebook there"
        ) from None
    except ValueError:
        raise ValueError(
            f"{path} is damaged: get it again from your instructor; your notebook is not concerned"
        ) from None
    if not isinstance(plain, dict) or plain.get("format") != 1:
        raise ValueError(f"{path} is of another version of the course: get it again, or install that version of mialab")
    return Handout(plain)


def own_from(plain: dict[str, Any]) -> Own:
    """Return a student's own flowers and model, from the `own` of their `assignment.json`.

    >>> def plain(values, kind):
    ...     return {"array": np.ravel(values).tolist(), "dtype": kind, "shape": list(np.shape(values))}
    >>> mine = own_from({"X": plain([[5.1, 3.5]], "f"), "y": plain([0], "i"), "is_member": plain([True], "b"),
    ...                  "proba": plain([[0.9, 0.1, 0.0]], "f")})
    >>> mine.model.predict(mine.X).tolist(), mine.is_member.tolist()
    ([0], [True])
    """
    X, y, is_member, proba = (from_json(plain[name]) for name in ("X", "y", "is_member", "proba"))
    return Own(X, y, is_member, OwnModel(X, proba))


class Handout:
    """A `Handout` holds the questions of one assignment, by name: `ex.guess_members.check(guess_members)`.

    >>> asked = {"kind": "choice", "options": "abc", "points": 1, "minutes": 2, "hints": ["Think of a coin."]}
    >>> ex = Handout({"assignment": "06", "student": "ada", "hints": True, "exercises": {"odds": asked, "why": asked}})
    >>> ex
    Assignment 06, 2 questions: odds, why.
    """

    def __init__(self, plain: dict[str, Any]):
        self.name, self.student = plain["assignment"], plain["student"]
        self.questions = {name: Question(name, one, plain["hints"]) for name, one in plain["exercises"].items()}
        self._own = plain.get("own")

    @cached_property
    def mine(self) -> Own:
        """Return your own flowers and model, which nobody else has, as an `Own`.

        It holds `mine.X`, `mine.y`, `mine.is_member` and `mine.model`. It raises ValueError for an assignment without a
        personal part.
        """
        if self._own is None:
            raise ValueError("this assignment has no personal part, so there is no `mine`")
        return own_from(self._own)

    def __getattr__(self, name: str) -> Question:
        if name.startswith("_") or name not in self.questions:
            raise AttributeError(f"this assignment has no question {name!r}; it has {', '.join(self.questions)}")
        return self.questions[name]

    def __repr__(self) -> str:
        return f"Assignment {self.name}, {len(self.questions)} questions: {', '.join(self.questions)}."


class Question:
    """A `Question` is one question: `.check(answer)` tries it on public data or notes it, `.hint()` helps where it may.

    >>> asked = {"kind": "choice", "options": "abc", "points": 1, "minutes": 2, "hints": ["Think of a coin."]}
    >>> ex = Handout({"assignment": "06", "student": "ada", "hints": True, "exercises": {"odds": asked, "why": asked}})
    >>> said = ex.odds.check("b")  # it speaks wherever it stands
    · Noted: b.
      It is judged after you have handed in.
    >>> said = ex.odds.hint()
    · Hint 1 of 1
      Think of a coin.
    """

    def __init__(self, name: str, plain: dict[str, Any], hints: bool):
        self.name, self._plain, self._may_hint, self._hinted = name, plain, hints, 0

    def check(self, answer: Any = ..., *more: Any) -> Verdict:
        """Say what can be said before the hand-in; it is never more than that, and never an error."""
        return self._verdict(answer, more).said()

    def _verdict(self, answer: Any, more: tuple) -> Verdict:
        if more:
            return self._say("Not yet.", "not yet", one_answer(self.name), diagnosis="more_than_one")
        try:
            judges = {"function": self._try, "prediction": self._guess, "written": self._read}
            return judges.get(self._plain["kind"], self._note)(answer)
        except Exception as trouble:
            return self._say("Not yet.", "not yet", f"The check could not read this answer ({type(trouble).__name__}).")

    def hint(self, *numbers: Any) -> Panel:
        """Give the next hint, if this assignment allows hints."""
        hints = self._plain.get("hints", [])
        if not self._may_hint or not hints:
            return Panel("No hints", ("This assignment gives no hints.",))
        if numbers:
            return no_number(self.name)
        self._hinted = min(self._hinted + 1, len(hints))
        return Panel(f"Hint {self._hinted} of {len(hints)}", (hints[self._hinted - 1],)).said()

    def solution(self) -> Panel:
        """Say that a graded assignment holds no worked answers."""
        return Panel("No worked answer", ("A graded assignment holds no worked answers.",))

    def __repr__(self) -> str:
        return f"{self.name}: {count(self._plain['points'], 'point')}, about {count(self._plain['minutes'], 'minute')}."

    def _try(self, answer: Any) -> Verdict:
        bench = bench_from(self.name, self._plain)
        finding = bench.finding(observe(answer, bench.cases, bench.seconds))
        if finding.outcome == "not attempted":
            return self._say("Not attempted yet.", "not attempted", _OPEN)
        title = f"Public checks passed: {finding.passed} of {finding.of}."
        if finding.outcome == "correct":
            return self._say(title, "note", "Hidden checks, on other data, decide about the points.", *finding.text)
        return self._say(title, "not yet", *finding.text, diagnosis=finding.diagnosis)

    def _guess(self, answer: Any) -> Verdict:
        given = {key: self._plain[key] for key in ("question", "options", "between")}
        return self._known(Prediction(self.name, section="", **given), answer)

    def _read(self, answer: Any) -> Verdict:
        given = {key: self._plain[key] for key in ("rubric", "words")}
        unasked = {"example": "", "others": [], "points": 1, "minutes": 1, "section": "", "hints": []}
        return self._known(Written(self.name, **given, **unasked), answer)

    def _known(self, exercise: Prediction | Written, answer: Any) -> Verdict:
        verdict = exercise.judge(answer)
        if verdict.outcome == "correct":
            rubric = [f"• {point}" for point in self._plain.get("rubric", ())]
            return self._say("Noted.", "note", "A person reads it, by this rubric:" if rubric else "", *rubric)
        return self._say(verdict.title, verdict.outcome, verdict.body[0], diagnosis=verdict.diagnosis)

    def _note(self, answer: Any) -> Verdict:
        if answer is ... or answer is None:
            return self._say("Not attempted yet.", "not attempted", _OPEN)
        if self._plain["kind"] == "choice":
            letters = self._plain["options"]
            if not isinstance(answer, str) or letters_of(answer) not in list(letters):
                wanted = f"{', '.join(letters[:-1])} or {letters[-1]}, in quotation marks"
                return self._say("Not yet.", "not yet", f"`{show(answer)}` is not one of the options: {wanted}.")
            return self._say(f"Noted: {letters_of(answer)}.", "note", _LATER)
        number = number_of(answer)
        if number is None or np.isnan(number):
            return self._say("Not yet.", "not yet", f"`{show(answer)}` is not a number. Give {self._plain['unit']}.")
        return self._say(f"Noted: {show(answer)}.", "note", _LATER)

    def _say(self, title: str, tone: str, *text: str, diagnosis: str | None = None) -> Verdict:
        return Verdict(title, tuple(filter(None, text)), tone, self.name, diagnosis)


def bench_from(name: str, plain: dict[str, Any]) -> Bench:
    """Return the bench of a function whose cases, right values and known mistakes were kept as JSON.

    >>> case = {"array": [2.0], "dtype": "f", "shape": [], "plain": True}
    >>> kept = {"cases": [[case]], "mistakes": [], "expected": [case], "tolerance": 1e-6, "seconds": 4.0}
    >>> bench_from("same", kept | {"parameters": ["x"]}).cases
    [(2.0,)]
    """
    cases = [tuple(map(from_json, case)) for case in plain["cases"]]
    mistakes = [(title, text, observed_from_json(seen, len(cases)).calls) for title, text, seen in plain["mistakes"]]
    expected = [from_json(value) for value in plain["expected"]]
    settings = {"tolerance": plain["tolerance"], "seconds": plain["seconds"]}
    return Bench(name, plain["parameters"], cases, expected, lambda: mistakes, **settings)
