"""Exercises that ask for a function."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from mialab.exercises._engine import _yours
from mialab.exercises._engine._base import Exercise, Wrong
from mialab.exercises._engine._bench import Bench, Finding
from mialab.exercises._engine._calls import Call, call_all, observe, parameters
from mialab.exercises._engine._panel import Panel, Verdict
from mialab.exercises._engine._slips import family

SECONDS = 4.0  # for all the calls of one check together


class FunctionExercise(Exercise):
    """Write a function. It is called on fresh random data and compared with an independent oracle.

    A wrong answer is compared with every known wrong answer; where one behaves the same on all the data, its diagnosis
    is what the learner reads.
    """

    kind = "write a function"

    def __init__(
        self,
        function: Callable,
        *,
        cases: Callable[[np.random.Generator], Iterable[tuple]],
        oracle: Callable,
        tolerance: float = 1e-6,
        real: Callable[[], tuple] | None = None,
        **common: Any,
    ):
        super().__init__(function.__name__, **common)
        self.function = function
        self.cases = cases
        self.oracle = oracle
        self.tolerance = tolerance
        self.real = real  # arguments as large as the notebook's own, on which a kept function is tried once
        self.seconds = SECONDS
        self.also_right, self.wrong = {}, {}

    @property
    def stub(self) -> str:
        return _without_body(self.right_code)

    @property
    def right_answer(self) -> Callable:
        return self.function

    @property
    def right_code(self) -> str:
        return _plain_source(self.function)

    def right(self, function: Callable) -> Callable:
        """Decorator: another correct answer, written differently."""
        self.also_right[function.__name__.lstrip("_")] = function
        return function

    def mistake(self, diagnosis: str) -> Callable:
        """Decorator: a known wrong answer, named by its function, and what to tell the learner who gives it."""

        def register(function: Callable) -> Callable:
            self.wrong[function.__name__.lstrip("_")] = Wrong(function, diagnosis)
            return function

        return register

    def bench(self, rng: np.random.Generator) -> Bench:
        """Fresh cases, what should come out of them, and what each known mistake makes of them."""
        cases = list(self.cases(rng))
        expected = [self.oracle(*args) for args in cases]
        return Bench(
            self.name, parameters(self.function), cases, expected, lambda: self._mistakes(cases, expected),
            tolerance=self.tolerance, seconds=self.seconds,
        )  # fmt: skip

    def _mistakes(self, cases: list[tuple], expected: list[Any]) -> Iterator[tuple[str, str, list[Call]]]:
        """The exercise's own known mistakes, then the slips of every beginner that can be made here."""
        for name, wrong in self.wrong.items():
            yield name, wrong.diagnosis, call_all(wrong.answer, cases, self.seconds)
        yield from family(self.function, parameters(self.function), cases, expected)

    def _judge(self, answer: Any, random_state: int | None) -> Verdict:
        if hasattr(answer, _yours.MARK):
            said = f"That is what `ex.{self.name}.yours()` gave you. `check` needs the function that you wrote."
            return self._not_yet("given_back", said)
        bench = self.bench(np.random.default_rng(random_state))
        return self.verdict(bench.finding(observe(answer, bench.cases, self.seconds)))

    def _keep(self, answer: Any) -> str:
        return _yours.keep(self, answer)

    def yours(self, course: bool = False) -> Callable:
        """Return the learner's own function once it has passed, and until then, or with `course`, the course's.

        It prints which in a line. What it returns has the type of the course's, however the answer was written.
        """
        return _yours.yours(self, course)

    def compare(self, *args: Any) -> Panel:
        """Show what the learner's function and the course's make of `args`, or of a fresh case, and both texts."""
        return _yours.compare(self, *args)

    def forget(self) -> Panel:
        """Take the learner's function out of their attack, so that the course's runs again."""
        return _yours.forget(self.name)

    def verdict(self, finding: Finding) -> Verdict:
        """What the learner reads of a finding."""
        if finding.outcome == "not attempted":
            return self._not_attempted()
        if finding.outcome == "correct":
            return self._correct("Correct.", *finding.text)
        return self._not_yet(finding.diagnosis, *finding.text)


def _plain_source(function: Callable) -> str:
    """Source of a function without its decorators."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("def "))
    return "\n".join(lines[start:]).rstrip()


def _without_body(source: str) -> str:
    """First line and docstring of a function, and three dots in the place of its body."""
    match = re.match(r'(def .*?:\n\s+""".*?""")', source, flags=re.DOTALL)
    return f"{match.group(1)}\n    ...  # your code here"
