"""Exercises that ask for a function."""

from __future__ import annotations

import inspect
import re
import textwrap
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from mialab.exercises._base import Exercise, Wrong
from mialab.exercises._calls import (
    Call,
    TooSlow,
    accepts,
    as_array,
    call,
    is_untouched,
    same,
    show,
    show_call,
    show_error,
)
from mialab.exercises._panel import Code, Verdict

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

    def _judge(self, answer: Any, random_state: int | None) -> Verdict:
        if answer is ... or answer is None:
            return self._not_attempted()
        if not callable(answer) or inspect.isclass(answer):
            return self._not_yet(
                "not_a_function",
                f"`check` needs the function itself, not what it returns: `ex.{self.name}.check({self.name})`. It was "
                f"given `{show(answer)}`.",
            )
        if is_untouched(answer):
            return self._not_attempted()
        rng = np.random.default_rng(random_state)
        cases = list(self.cases(rng))
        if not accepts(answer, cases[0]):
            shown = show_call(self.name, self._names, cases[0])
            return self._not_yet(
                "wrong_arguments",
                f"Your function takes `{inspect.signature(answer)}`. It will be called as `{shown}`: keep the first "
                "line as it was given.",
            )
        own = _parameters(answer)
        if own != self._names and sorted(own) == sorted(self._names):
            return self._not_yet(
                "order_of_arguments",
                f"Your function takes `{', '.join(own)}`, in that order; it is called with "
                f"`{', '.join(self._names)}`. Keep the first line as it was given.",
            )
        expected = [self.oracle(*args) for args in cases]
        calls = self._call_all(answer, cases, self.seconds)
        if len(calls) == len(cases) and all(self._fits(c, e) for c, e in zip(calls, expected, strict=True)):
            spoiler = next((c for c in calls if c.changed), None)
            return self._changed_input(spoiler) if spoiler else self._correct("Correct.", *_printed(calls))
        return self._diagnose(calls, expected)

    def _call_all(self, function: Callable, cases: list[tuple], seconds: float) -> list[Call]:
        """Call on case after case until the first error, at most `seconds` in all."""
        end = time.monotonic() + seconds
        calls: list[Call] = []
        for args in cases:
            calls.append(call(function, args, end - time.monotonic()))
            if calls[-1].error is not None:
                break
        return calls

    def _fits(self, made: Call, expected: Any) -> bool:
        return made.error is None and same(made.value, expected, self.tolerance)

    def _diagnose(self, calls: list[Call], expected: list[Any]) -> Verdict:
        bad, should = next((c, e) for c, e in zip(calls, expected, strict=False) if not self._fits(c, e))
        if isinstance(bad.error, TooSlow):
            return self._not_yet(
                "too_slow",
                f"Your function had not answered after {self.seconds:g} seconds; the worked answer needs a "
                f"small part of "
                "one. Is there a loop that never ends?",
            )
        shown = show_call(self.name, self._names, bad.args)
        evidence = (
            f"`{shown}` stopped with `{show_error(bad.error)}`."
            if bad.error is not None
            else _returned(shown, bad.value, should)
        )
        cases = [c.args for c in calls]
        for name, wrong in self.wrong.items():
            known = self._call_all(wrong.answer, cases, self.seconds)
            if all(_alike(a, b, self.tolerance) for a, b in zip(calls, known, strict=False)):
                return self._not_yet(name, wrong.diagnosis, evidence, *_printed(calls))
        if bad.error is not None:
            where = f" at the line `{bad.line}`" if bad.line else ""
            return self._not_yet(
                "raised",
                f"`{shown}` stopped with `{show_error(bad.error)}`{where}.{_advice(bad.error)}",
                *_printed(calls),
            )
        spoiler = next((c for c in calls if c.changed), None)
        if spoiler:
            return self._changed_input(spoiler)
        return self._not_yet(*_what_is_off(bad.value, should, bool(bad.printed)), evidence, *_printed(calls))

    def _changed_input(self, made: Call) -> Verdict:
        return self._not_yet(
            "changed_input",
            f"Your function changes `{made.changed}` itself, and whoever calls it still needs that. Work on a copy: "
            f"`{made.changed}.copy()`.",
        )

    @property
    def _names(self) -> list[str]:
        return _parameters(self.function)


def _what_is_off(got: Any, expected: Any, printed: bool) -> tuple[str, str]:
    """Name and sentence for an answer that is wrong in no way we know."""
    if got is None or got is ...:
        return "returned_nothing", (
            "Your function returns nothing (None) here. Printing is not returning: end it with `return`."
            if printed
            else "Here your function reaches its end without a `return`, so it returns None. Every way through it must "
            "end with `return`."
        )
    have, want = as_array(got), as_array(expected)
    if have is None:
        return "wrong_type", f"Your function returns `{show(got)}` here; it should return {_kind(want)}."
    if have.shape != want.shape:
        return "wrong_shape", f"Your function returns {_kind(have)}; it should return {_kind(want)}."
    if have.dtype.kind == "f" and np.isnan(have).any() and not np.isnan(want.astype(float)).any():
        return "not_a_number", "There is a NaN (“not a number”) in your answer. Is something divided by zero?"
    if want.dtype.kind == "b" and have.dtype.kind != "b" and want.ndim:
        return "not_true_or_false", (
            "Your answer holds numbers; it should hold True and False, or selecting with it picks the wrong records."
        )
    if want.dtype.kind == "f" and any(np.array_equal(have, np.round(want, digits)) for digits in range(1, 9)):
        return "rounded", "Your answer is rounded. Return the number as it is; rounding is for printing."
    every = "not every value is right" if want.ndim else "its value is not right"
    return "other", f"The answer is of the right kind, but {every}."


def _returned(shown: str, got: Any, should: Any) -> str:
    """What a call returned and what it should have, with digits enough to tell the two apart."""
    digits = next((d for d in (6, 9, 12) if show(got, d) != show(should, d)), 17)
    return f"`{shown}` returned `{show(got, digits)}`; it should be `{show(should, digits)}`."


def _advice(error: BaseException) -> str:
    """A hint about errors whose own words mislead beginners."""
    text = str(error)
    if "truth value of an array" in text:
        return " `if`, `max` and `and` want one value and got an array: work on the whole array, or loop over it."
    if "not defined" in text:
        return " Is that name the one in the function's first line?"
    return ""


def _kind(array: np.ndarray) -> str:
    things = "True-or-False values" if array.dtype.kind == "b" else "numbers"
    return f"one {things.removesuffix('s')}" if array.ndim == 0 else f"an array of {things} of shape {array.shape}"


def _alike(a: Call, b: Call, tolerance: float) -> bool:
    """True if two calls ended the same way: with the same answer, or with the same kind of error."""
    if a.error is not None or b.error is not None:
        return type(a.error) is type(b.error)
    return (a.value is None and b.value is None) or same(a.value, b.value, tolerance)


def _printed(calls: list[Call]) -> tuple[str, ...]:
    """What the learner's function printed in its first call, if anything."""
    text = calls[0].printed.strip() if calls else ""
    return ("Your function printed, in its first call:", Code("\n".join(text.splitlines()[:6]))) if text else ()


def _parameters(function: Callable) -> list[str]:
    """Names of a function's arguments; none where they cannot be read."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _plain_source(function: Callable) -> str:
    """Source of a function without its decorators."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("def "))
    return "\n".join(lines[start:]).rstrip()


def _without_body(source: str) -> str:
    """First line and docstring of a function, and three dots in the place of its body."""
    match = re.match(r'(def .*?:\n\s+""".*?""")', source, flags=re.DOTALL)
    return f"{match.group(1)}\n    ...  # your code here"
