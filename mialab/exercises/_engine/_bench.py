"""Judge what was seen of a function, against what should have come out and against the known mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

import numpy as np

from mialab.exercises._engine._calls import Call, Observed, as_array, same, show, show_call
from mialab.exercises._engine._panel import Code

_ONE_NUMBER = "There is one number where several were wanted: is `axis=1` missing?"
_ADVICE = {  # words of an error -> what they mean to a beginner
    "truth value of an array": "`if`, `max` and `and` want one value and got an array: work on the whole array, or "
    "loop over it.",
    "oolean index": "A mask and the array that it selects from are of unequal length: a mask holds one True or False "
    "for each row. Were both made from the same records?",
    "core dimension": "The sizes that meet in `@` must be equal: (n, k) @ (k, m). Should one of the two be turned with "
    "`.T`?",
    "not aligned": "The sizes that meet in `dot` must be equal: (n, k) and (k, m). Should one of the two be turned "
    "with `.T`?",
    "not defined": "Is that name the one in the function's first line? A function of another notebook is not here: "
    "write out what it does.",
    "index 1 is out of bounds": _ONE_NUMBER,
    "float64' object does not support item assignment": _ONE_NUMBER,
    "invalid index to scalar": _ONE_NUMBER,
    "object has no attribute 'fit'": "If that is the model: it is trained already. Only ask it.",
}
_FEW = 3  # different values, before a pattern in all of them is called one
ENOUGH_DIGITS = 5  # that must agree, over all cases, before an answer is called rounded

# name, diagnosis, and its calls on every case: None for one that may end as it will
Mistakes = Iterable[tuple[str, str, Sequence[Call | None]]]


class Finding(NamedTuple):
    """What a bench makes of an answer."""

    outcome: str  # "correct", "not yet" or "not attempted"
    diagnosis: str | None = None
    text: tuple[str, ...] = ()
    passed: int = 0  # cases with the right answer
    of: int = 0


@dataclass(eq=False)
class Bench:
    """The cases of one function exercise, what should come out of each, and what each known mistake makes of them.

    It needs neither the worked answer nor the oracle: where the values were kept, an answer can be judged without them.
    """

    name: str
    parameters: list[str]
    cases: list[tuple]
    expected: list[Any]
    mistakes: Callable[[], Mistakes]
    _: KW_ONLY
    tolerance: float
    seconds: float

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
        if calls and all(call.value is ... for call in calls):  # `return ...`, whatever stands before it
            return Finding("not attempted", of=len(self.cases))
        passed = sum(self._fits(call, value) for call, value in zip(calls, self.expected, strict=True))
        if passed < len(self.cases):
            return self._diagnose(calls)._replace(passed=passed)
        if spoilt := self._changed_input(calls):
            return spoilt._replace(passed=passed)
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
                "small part of one. Is there a loop that never ends, or a slow import that belongs above the function?",
            )
        shown = show_call(self.name, self.parameters, args)
        stopped = f"`{shown}` stopped with `{bad.error.text}`" if bad.error is not None else ""
        evidence = f"{stopped}." if stopped else _returned(shown, bad.value, should)
        but_for_the_edges = None  # a known mistake without the care that it takes of an empty case or a division by 0
        for name, diagnosis, known in self.mistakes():
            if all(b is None or _alike(a, b, self.tolerance) for a, b in zip(calls, known, strict=True)):
                return self._off(name, diagnosis, evidence, *_printed(calls))
            if but_for_the_edges is None and self._alike_in_numbers(calls, known):
                but_for_the_edges = self._off(name, diagnosis, evidence, *_printed(calls))
        if but_for_the_edges:
            return but_for_the_edges
        if bad.error is not None:
            where = f" at the line `{bad.line}`" if bad.line else ""
            return self._off("raised", f"{stopped}{where}.{_advice(bad.error.text)}", *_printed(calls))
        if spoilt := self._changed_input(calls):
            return spoilt
        every = "not every value is right" if np.ndim(should) else "its value is not right"
        other = "other", f"The answer is of the right kind, but {every}."
        known = _what_is_off(bad.value, should, bool(bad.printed)) or self._pattern(calls) or other
        return self._off(*known, evidence, *_printed(calls))

    def _alike_in_numbers(self, calls: list[Call], known: Sequence[Call | None]) -> bool:
        """True if an answer is a known mistake's wherever it is a finite number, and a wrong one in some such cases."""
        seen = [case for case in zip(calls, known, self.expected, strict=True) if _is_finite(case[0])]
        wrong = sum(not self._fits(made, should) for made, _, should in seen)
        return wrong >= _FEW and all(b is not None and _alike(a, b, self.tolerance) for a, b, _ in seen)

    def _pattern(self, calls: list[Call]) -> tuple[str, str] | None:
        """Name and sentence for a mistake that only all cases together give away."""
        if by_rows := _rows_scaled(calls, self.expected):
            return by_rows
        values = _all_values(calls, self.expected)
        if values is None:
            return _constant(calls, self.expected)
        have, want = values
        hundredfold = np.allclose(have, 100 * want, rtol=self.tolerance, atol=1e-6) or _is_rounded(have / 100, want)
        if hundredfold and np.abs(want).max() <= 1:
            asked = "share from 0" if want.min() >= 0 else "number from -1"
            return "in_percent", f"Your answer is in per cent; a {asked} to 1 is asked. Write 80% as 0.8."
        if _is_rounded(have, want):
            return "rounded", "Your answer is rounded. Return the number as it is; rounding is for printing."
        return self._fixed_size(have, want) or _shifted(have, want) or _constant(calls, self.expected)

    def _fixed_size(self, have: np.ndarray, want: np.ndarray) -> tuple[str, str] | None:
        """Name and sentence for a size that is written as a number: right where there are exactly so many records."""
        sizes = np.array([next((len(a) for a in args if np.ndim(a)), 0) for args in self.cases], float)
        some = want * (len(sizes) == len(have)) != 0
        if not some.any() or have[~some].any() or len(np.unique(sizes[some])) < 2 or not have[some].all():
            return None
        size = want[some] * sizes[some] / have[some]
        if not np.allclose(size, size[0]) or abs(size[0] - round(size[0])) > 1e-6 or size[0] < 2:
            return None
        words = f"Your answer is divided by {size[0]:.0f} whatever it is given. Take the length: `len(...)`."
        return "fixed_size", words

    def _changed_input(self, calls: list[Call]) -> Finding | None:
        name = next((call.changed for call in calls if call.changed), None)
        if name is None:
            return None
        return self._off(
            "changed_input",
            f"Your function changes `{name}` itself, and whoever calls it still needs that. Work on a copy: "
            f"`{name}.copy()`.",
        )


def _what_is_off(got: Any, expected: Any, printed: bool) -> tuple[str, str] | None:
    """Name and sentence for an answer that is not of the right kind; None if it is."""
    if got is ...:
        return "returned_nothing", "Here your function still returns the three dots. Put your answer in their place."
    if got is None:
        return "returned_nothing", (
            "Your function returns nothing (None) here. Printing is not returning: end it with `return`."
            if printed
            else "Here your function returns None: either it reaches its end without a `return`, or what it returns "
            "was never given another value."
        )
    have, want = as_array(got), as_array(expected)
    if have is None:
        return "wrong_type", f"Your function returns `{show(got)}` here; it should return {_kind(want)}."
    if have.shape != want.shape:
        return "wrong_shape", f"Your function returns {_kind(have)}; it should return {_kind(want)}."
    if have.dtype.kind == "f" and np.isnan(have).any() and not np.isnan(want.astype(float)).any():
        return "not_a_number", (
            "There is a NaN (“not a number”) in your answer. Is something divided by zero, or is the logarithm or root "
            "of a negative number taken?"
        )
    if want.dtype.kind == "b" and have.dtype.kind != "b" and want.ndim:
        return "not_true_or_false", (
            "Your answer holds numbers; it should hold True and False, or selecting with it picks the wrong records."
        )
    return None


def _constant(calls: Sequence[Call], expected: Sequence[Any]) -> tuple[str, str] | None:
    """Name and sentence for the same answer in every case; None where there is hardly a case, or more than one answer.

    An answer of one kind of two, such as False, may well come of a rule.
    """
    values = [as_array(call.value) for call in calls]
    wanted = {np.asarray(should).tobytes() for should in expected}
    if len(wanted) < _FEW or any(a is None or a.dtype.kind == "b" or not same(a, values[0], 0) for a in values):
        return None
    return "always_the_same", (
        "Your answer is the same in every case. Does it use its arguments, or does a `max` or `min` cut all of it off?"
    )


def _shifted(have: np.ndarray, want: np.ndarray) -> tuple[str, str] | None:
    """Name and sentence for a right answer with one and the same number added, or times one and the same number."""
    if len(np.unique(np.round(want[want != 0], 9))) < _FEW or not np.isfinite(have).all():
        return None
    apart = have - want
    if np.allclose(apart, apart[0]):
        more = f"{abs(apart[0]):.4g} {'more' if apart[0] > 0 else 'less'}"
        words = f"Your answer is {more} than the right one in every case. Is something added, or left out?"
        return "by_one_number", words
    factor = (have[want != 0] / want[want != 0])[0]
    if factor and np.allclose(have, factor * want):
        return "times_one_number", (
            f"Your answer is {factor:.4g} times the right one in every case. Is something multiplied or divided by a "
            "number that does not belong there, or left out?"
        )
    return None


def _rows_scaled(calls: Sequence[Call], expected: Sequence[Any]) -> tuple[str, str] | None:
    """Name and sentence for tables whose rows are right but for a factor of each row's own."""
    factors: list[float] = []
    for call, should in zip(calls, expected, strict=True):
        have, want = as_array(call.value), as_array(should)
        if have is None or want.ndim != 2 or have.shape != want.shape or "b" in (have.dtype.kind, want.dtype.kind):
            return None
        sizes = np.linalg.norm(have, axis=1), np.linalg.norm(want, axis=1)
        if not np.allclose(have * sizes[1][:, None], want * sizes[0][:, None]) or not np.isfinite(have).all():
            return None
        factors += (sizes[0][sizes[1] > 0] / sizes[1][sizes[1] > 0]).tolist() if want.shape[1] > 1 else []
    if len(np.unique(np.round(factors, 6))) < _FEW:
        return None
    words = "Each row of your answer is the right one times a number of its own. Is a row divided by what it should be?"
    return "rows_scaled", words


def _all_values(calls: Sequence[Call], expected: Sequence[Any]) -> tuple[np.ndarray, np.ndarray] | None:
    """Every number of every case in one row, as returned and as it should be; None if they cannot be set side by side.

    Only fractions count: a count is neither rounded nor in per cent.
    """
    pairs = [(as_array(call.value), as_array(should)) for call, should in zip(calls, expected, strict=True)]
    if any(a is None or a.shape != b.shape or "b" in (a.dtype.kind, b.dtype.kind) for a, b in pairs):
        return None
    if all(b.dtype.kind != "f" for _, b in pairs):
        return None
    have, want = (np.concatenate([side.astype(float).ravel() for side in sides]) for sides in zip(*pairs, strict=True))
    finite = np.isfinite(want)
    if not finite.any() or not np.array_equal(have[~finite], want[~finite], equal_nan=True):
        return None
    return have[finite], want[finite]


def _is_rounded(have: np.ndarray, want: np.ndarray) -> bool:
    """True if every value is the right one rounded to the same number of digits, and chance cannot explain it.

    A wrong value agrees in its first d digits about once in 10**d. So only values that rounding would change are
    evidence, each different one for d digits, and an answer that is the same for all of them is none.
    """
    for digits in range(1, 9):
        rounded = np.isclose(have, np.round(have, digits), rtol=0, atol=1e-9)
        near = np.abs(have - want) <= 0.501 * 10.0**-digits  # whichever way a five at the end is rounded
        if rounded.all() and near.all():
            changed = np.abs(have - want) > 1e-9
            evidence = digits * len(np.unique(np.round(want[changed], 9)))
            return evidence >= ENOUGH_DIGITS and len(np.unique(have[changed])) > 1
    return False


def _returned(shown: str, got: Any, should: Any) -> str:
    """What a call returned and what it should have, with digits enough to tell the two apart."""
    digits = next((d for d in (6, 9, 12) if show(got, d) != show(should, d)), 17)
    return f"`{shown}` returned `{show(got, digits)}`; it should be `{show(should, digits)}`."


def _advice(text: str) -> str:
    """A hint, with a space before it, about errors whose own words mislead beginners."""
    if "broadcast" in text:
        return " " + _advice_on_shapes(re.findall(r"\(([\d,]*)\)", text))
    return next((f" {advice}" for words, advice in _ADVICE.items() if words in text), "")


def _advice_on_shapes(shapes: list[str]) -> str:
    """What to look for where arrays of these shapes ("3,2" is three rows of two) were combined."""
    if all(len(re.findall(r"\d+", shape)) < 2 for shape in shapes):
        return (
            "Two arrays of unequal length were combined, and every value needs its partner. Were both made from the "
            "same records?"
        )
    return (
        "Two arrays of unequal shapes were combined. Rows and columns? A sum or mean with `axis=1` stays a column if "
        "`keepdims=True` is added, and `[:, None]` makes a column of one number for each row."
    )


def _kind(array: np.ndarray) -> str:
    things = "True-or-False values" if array.dtype.kind == "b" else "numbers"
    return f"one {things.removesuffix('s')}" if array.ndim == 0 else f"an array of {things} of shape {array.shape}"


def _is_finite(made: Call) -> bool:
    """True if a call gave numbers, and none that a division by zero leaves behind."""
    value = as_array(made.value) if made.error is None else None
    return value is not None and (value.dtype.kind != "f" or bool(np.isfinite(value).all()))


def _alike(a: Call, b: Call, tolerance: float) -> bool:
    """True if two calls ended the same way: with the same answer, or with the same kind of error."""
    if a.error is not None or b.error is not None:
        return a.error is not None and b.error is not None and a.error.kind == b.error.kind
    return (a.value is None and b.value is None) or same(a.value, b.value, tolerance)


def _printed(calls: list[Call]) -> tuple[str, ...]:
    """What the learner's function printed in its first call, if anything."""
    text = calls[0].printed.strip() if calls else ""
    return ("Your function printed, in its first call:", Code("\n".join(text.splitlines()[:6]))) if text else ()
