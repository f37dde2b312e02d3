"""Judge what was seen of a function, against what should have come out and against the known mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mialab.exercises._calls import Call, Observed, as_array, same, show, show_call
from mialab.exercises._panel import Code

Mistakes = Iterable[tuple[str, str, Sequence[Call]]]  # name, diagnosis, and its calls on every case


class Finding(NamedTuple):
    """What a bench makes of an answer."""

    outcome: str  # "correct", "not yet" or "not attempted"
    diagnosis: str | None = None
    text: tuple[str, ...] = ()
    passed: int = 0  # cases with the right answer
    of: int = 0


class Bench:
    """The cases of one function exercise, what should come out of each, and what each known mistake makes of them.

    It needs neither the worked answer nor the oracle: where the values were kept, an answer can be judged without them.
    """

    def __init__(
        self,
        name: str,
        parameters: Sequence[str],
        cases: Sequence[tuple],
        expected: Sequence[Any],
        mistakes: Callable[[], Mistakes],
        *,
        tolerance: float,
        seconds: float,
    ):
        self.name, self.parameters = name, list(parameters)
        self.cases, self.expected, self.mistakes = list(cases), list(expected), mistakes
        self.tolerance, self.seconds = tolerance, seconds

    def finding(self, seen: Observed) -> Finding:
        """The finding on an answer, from what was seen of it."""
        if seen.state in ("missing", "untouched"):
            return Finding("not attempted", of=len(self.cases))
        if seen.state != "function":
            return self._off(
                "not_a_function",
                f"`check` needs the function itself, not what it returns: `ex.{self.name}.check({self.name})`. It was "
                f"given `{seen.shown}`.",
            )
        if not seen.accepts:
            shown = show_call(self.name, self.parameters, self.cases[0])
            return self._off(
                "wrong_arguments",
                f"Your function takes `{seen.signature}`. It will be called as `{shown}`: keep the first "
                "line as it was given.",
            )
        own = list(seen.parameters)
        if own != self.parameters and sorted(own) == sorted(self.parameters):
            return self._off(
                "order_of_arguments",
                f"Your function takes `{', '.join(own)}`, in that order; it is called with "
                f"`{', '.join(self.parameters)}`. Keep the first line as it was given.",
            )
        calls = list(seen.calls)
        passed = sum(self._fits(call, value) for call, value in zip(calls, self.expected, strict=True))
        if passed < len(self.cases):
            return self._diagnose(calls)._replace(passed=passed)
        spoiler = next((call for call in calls if call.changed), None)
        if spoiler:
            return self._changed_input(spoiler)._replace(passed=passed)
        return Finding("correct", None, _printed(calls), passed, len(self.cases))

    def _off(self, diagnosis: str, *text: str) -> Finding:
        return Finding("not yet", diagnosis, text, 0, len(self.cases))

    def _fits(self, made: Call, expected: Any) -> bool:
        return made.error is None and same(made.value, expected, self.tolerance)

    def _diagnose(self, calls: list[Call]) -> Finding:
        bad, should, args = next(
            seen for seen in zip(calls, self.expected, self.cases, strict=True) if not self._fits(*seen[:2])
        )
        if bad.error is not None and bad.error.kind == "TooSlow":
            return self._off(
                "too_slow",
                f"Your function had not answered after {self.seconds:g} seconds; the worked answer needs a "
                "small part of one. Is there a loop that never ends?",
            )
        shown = show_call(self.name, self.parameters, args)
        evidence = (
            f"`{shown}` stopped with `{bad.error.text}`."
            if bad.error is not None
            else _returned(shown, bad.value, should)
        )
        for name, diagnosis, known in self.mistakes():
            if all(_alike(a, b, self.tolerance) for a, b in zip(calls, known, strict=True)):
                return self._off(name, diagnosis, evidence, *_printed(calls))
        if bad.error is not None:
            where = f" at the line `{bad.line}`" if bad.line else ""
            return self._off(
                "raised",
                f"`{shown}` stopped with `{bad.error.text}`{where}.{_advice(bad.error.text)}",
                *_printed(calls),
            )
        spoiler = next((call for call in calls if call.changed), None)
        if spoiler:
            return self._changed_input(spoiler)
        return self._off(*_what_is_off(bad.value, should, bool(bad.printed)), evidence, *_printed(calls))

    def _changed_input(self, made: Call) -> Finding:
        return self._off(
            "changed_input",
            f"Your function changes `{made.changed}` itself, and whoever calls it still needs that. Work on a copy: "
            f"`{made.changed}.copy()`.",
        )


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


def _advice(text: str) -> str:
    """A hint about errors whose own words mislead beginners."""
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
        return a.error is not None and b.error is not None and a.error.kind == b.error.kind
    return (a.value is None and b.value is None) or same(a.value, b.value, tolerance)


def _printed(calls: list[Call]) -> tuple[str, ...]:
    """What the learner's function printed in its first call, if anything."""
    text = calls[0].printed.strip() if calls else ""
    return ("Your function printed, in its first call:", Code("\n".join(text.splitlines()[:6]))) if text else ()
