"""Exercises that ask for a function."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from mialab.exercises._engine._base import Exercise, Wrong
from mialab.exercises._engine._bench import Bench, Finding
from mialab.exercises._engine._calls import call_all, observe, parameters
from mialab.exercises._engine._panel import Verdict

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
        **common: Any,
    ):
        super().__init__(function.__name__, **common)
        self.function = function
        self.cases = cases
        self.oracle = oracle
        self.tolerance = tolerance
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
        return Bench(
            self.name,
            parameters(self.function),
            cases,
            [self.oracle(*args) for args in cases],
            lambda: (
                (name, wrong.diagnosis, call_all(wrong.answer, cases, self.seconds))
                for name, wrong in self.wrong.items()
            ),
            tolerance=self.tolerance,
            seconds=self.seconds,
        )

    def _judge(self, answer: Any, random_state: int | None) -> Verdict:
        bench = self.bench(np.random.default_rng(random_state))
        return self.verdict(bench.finding(observe(answer, bench.cases, self.seconds)))

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
