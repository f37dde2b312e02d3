"""Slips that every beginner makes, found by their shape: what the right function gives where it is used as they use it.

Each slip is the reference on changed arguments, or with a changed result. An answer that agrees with one in every case
is told so, in words that are true whatever its code looks like.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from mialab.exercises._engine._calls import Call, same

_LOOP = "Does a `return` stand inside a loop?"
_RESET = "Is something set back inside a loop, or is only the last value kept?"


def family(
    reference: Callable, parameters: Sequence[str], cases: Sequence[tuple], expected: Sequence[Any]
) -> Iterator[tuple[str, str, list]]:
    """The slips that can be made with this function and show: name, diagnosis, and its calls on every case.

    None stands for a call that may end as it will: that of a loop over nothing, whose only round is the first or last.
    """
    for name, diagnosis, slip in _slips(list(parameters)):
        free = name.startswith(("first_", "last_"))
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                calls = [
                    None if free and _is_empty(args) else Call(np.asarray(slip(reference, args))) for args in cases
                ]
        except Exception:  # this slip cannot be made here
            continue
        pairs = [(call.value, should) for call, should in zip(calls, expected, strict=True) if call]
        # One answer to all cases says little: many slips have that.
        varied = name == "cut_off" or len({value.tobytes() for value, _ in pairs}) > 1
        if varied and all(_of_a_kind(*pair) for pair in pairs) and not all(same(*pair, 1e-6) for pair in pairs):
            yield name, diagnosis, calls


def _of_a_kind(value: np.ndarray, should: Any) -> bool:
    """True for an answer that is wrong in its value alone: another shape, or a NaN, has words of its own."""
    if value.dtype.kind not in "biuf" or value.shape != np.shape(should):
        return False
    return value.dtype.kind != "f" or not (np.isnan(value) & ~np.isnan(np.asarray(should, float))).any()


def _slips(names: list[str]) -> Iterator[tuple[str, str, Callable]]:
    said = "What stands behind the point is cut off. Is it `//`, or `int`?"
    yield "cut_off", said, lambda f, args: np.trunc(_fractions(f(*args)))
    yield from _of_some_records(names)
    yield from _of_lengths(names)
    yield from _of_arguments(names)
    yield from _of_values(names)
    yield from _of_ties(names)
    yield from _of_the_result()


def _each(change: Callable, *how: Any) -> Callable:
    """The reference on arguments that are all changed."""
    return lambda f, args: f(*(change(a, *how) for a in args))


def _one(i: int, change: Callable, *how: Any) -> Callable:
    """The reference on arguments of which the one at `i` is changed."""
    return lambda f, args: f(*_with(args, i, change(args[i], *how)))


def _of_some_records(names: list[str]) -> Iterator[tuple[str, str, Callable]]:
    for kind, which, why in (("first", slice(0, 1), _LOOP), ("last", slice(-1, None), _RESET)):
        said = f"That is what the {kind} record alone would give. {why}"
        alone = _each(_cut, which)
        yield f"{kind}_only", said, alone
        yield f"{kind}_only", said, lambda f, args, alone=alone: alone(f, args) / _length(args)
        for i, name in enumerate(names):
            said = f"That is what the {kind} value of `{name}` alone would give. {why}"
            alone = _one(i, _cut, which)
            yield f"{kind}_of_{name}", said, alone
            yield f"{kind}_of_{name}", said, lambda f, args, i=i, alone=alone: alone(f, args) / len(args[i])
    for kind, which, why in (
        ("last", slice(None, -1), "end one too early"),
        ("first", slice(1, None), "begin one too late"),
    ):
        said = f"That is what comes out without the {kind} record. Does your loop or slice {why}?"
        name, others = f"all_but_the_{kind}", _each(_cut, which)
        yield name, said, others
        yield name, said, lambda f, args, others=others: others(f, args) * (_length(args) - 1) / _length(args)
    for kind, which in (("first", slice(0, 1)), ("last", slice(-1, None))):
        yield f"{kind}_column", f"That is what the {kind} column alone would give.", _each(_columns, which)
    for kind, which in (("first", slice(1, None)), ("last", slice(None, -1))):
        said = f"That is what comes out without the {kind} column."
        yield f"all_but_the_{kind}_column", said, _each(_columns, which)


def _of_lengths(names: list[str]) -> Iterator[tuple[str, str, Callable]]:
    said = (
        "Your answer compares the first with the first, the second with the second, and so on. Every one is to meet "
        "every other: `zip` makes pairs side by side, two loops make all pairs."
    )
    yield "side_by_side", said, _paired
    yield "side_by_side", said, lambda f, args: _paired(f, args) * _shortest(args) / _length(args)
    said = "That is what comes out where the longer one is cut to the length of the shorter, as `zip` does."
    yield "cut_to_the_shorter", said, lambda f, args: _each(_cut, slice(_shortest(args)))(f, args)
    for (i, one), (j, other) in permutations(enumerate(names), 2):
        said = f"That is what comes out if it is divided by the length of `{one}` where that of `{other}` is due."
        slip = lambda f, args, i=i, j=j: _fractions(f(*args)) * (_size(args[j]) / _size(args[i]))  # noqa: E731
        yield f"length_of_{one}_for_{other}", said, slip


def _of_arguments(names: list[str]) -> Iterator[tuple[str, str, Callable]]:
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            if i < j:
                said = f"That is right for `{one}` and `{other}` exchanged."
                yield f"{one}_and_{other}_exchanged", said, lambda f, args, i=i, j=j: f(*_exchanged(args, i, j))
            if i != j:
                said = f"That is what `{one}` in the place of `{other}` would give."
                yield f"{one}_for_{other}", said, lambda f, args, i=i, j=j: f(*_with(args, j, _like(args[i], args[j])))
        said = f"A value exactly at `{one}` goes the other way in your answer: `>` or `>=`, `<` or `<=`?"
        for end in (np.inf, -np.inf):
            yield f"at_{one}", said, _one(i, lambda a, end: np.nextafter(_number(a), end), end)
        said = f"That is what 1 minus `{one}` in the place of `{one}` would give."
        yield f"one_minus_{one}", said, _one(i, lambda a: 1 - _number(a))
        for value in (0, 1, 0.5, 0.9, 0.8, 0.7, 0.1, 0.05, 0.01):
            said = f"That is what {value} in the place of `{one}` would give. Is `{one}` used?"
            yield f"{one}_is_{value}", said, _one(i, _replaced, value)
        said = f"That is right for `{one}` one larger or one smaller."
        for step in (1, -1):
            yield f"{one}_off_by_one", said, _one(i, lambda a, step: _whole(a) + step, step)
    turned = _each(lambda a: np.transpose(a) if np.ndim(a) == 2 else a)
    yield (
        "other_axis",
        "Rows and columns are exchanged: the sum, the mean or the largest is taken along the other axis.",
        lambda f, args: np.transpose(turned(f, args)),
    )
    yield (
        "other_axis",
        "The mean or the largest of a model's answers is taken along the other axis: over the records, and not over "
        "the classes of each record.",
        _each(lambda a: _Turned(a) if hasattr(a, "predict_proba") else a),
    )


def _of_values(names: list[str]) -> Iterator[tuple[str, str, Callable]]:
    for i, one in enumerate(names):
        for digits in range(4):
            said = f"That is what `{one}` rounded to {digits} digits would give. Rounding is for printing."
            yield f"{one}_rounded", said, _one(i, _rounded, digits)
        said = f"That is what the mean of `{one}` alone would give. Every value is to be looked at by itself."
        yield f"mean_of_{one}", said, _one(i, lambda a: _mean(_decimals(a)))
        for kind, at in (("first", 0), ("last", -1)):
            said = f"That is what the {kind} value of `{one}` in the place of every other would give."
            yield f"{kind}_{one}_for_all", said, _one(i, _repeated, at)
        said = f"That is right for numbers in `{one}` that are one larger or one smaller. Does counting begin at 0?"
        for step in (1, -1):
            yield f"{one}_off_by_one", said, _one(i, lambda a, step: _counts(a) + step, step)
    said = "That is what the means alone would give. Every value is to be looked at by itself."
    yield "means_alone", said, _each(_mean)


def _of_ties(names: list[str]) -> Iterator[tuple[str, str, Callable]]:
    for i, one in enumerate(names):
        said = f"Your answer is off where a value of `{one}` is equal to another: how much is a tie to count?"
        for end in (np.inf, -np.inf):
            nudged = _one(i, lambda a, end: np.nextafter(_decimals(a), end), end)
            yield f"ties_of_{one}", said, nudged
            yield f"ties_of_{one}", said, lambda f, args, n=nudged: 2 * _fractions(n(f, args)) - _fractions(f(*args))


def _of_the_result() -> Iterator[tuple[str, str, Callable]]:
    yield "inverted", "Every True should be False, and every False True.", lambda f, args: ~_truths(f(*args))
    yield "complement", "That is 1 minus the right answer.", lambda f, args: 1 - _fractions(f(*args))
    yield "negative", "That is the right answer with its sign turned round.", lambda f, args: -_fractions(f(*args))
    said = "That is the sum where the mean is asked: divide by how many there are."
    for i in range(3):
        yield "sum", said, lambda f, args, i=i: _fractions(f(*args)) * [len(a) for a in args if np.ndim(a)][i]
    for step, words in ((1, "one more"), (-1, "one less")):
        said = f"That is {words} than the right answer."
        yield words.replace(" ", "_"), said, lambda f, args, s=step: _whole(np.asarray(f(*args)).item()) + s
    reversed_ = _each(lambda a: -_fractions(a) if np.ndim(a) else a)
    said = "That is the smallest where the largest is asked, or the reverse."
    yield "smallest_for_largest", said, lambda f, args: -_fractions(reversed_(f, args))
    said = "That is the sum over all pairs: divide by how many pairs there are."
    yield "sum_of_pairs", said, lambda f, args: _fractions(f(*args)) * np.prod([len(a) for a in args if np.ndim(a)])
    yield "without_its_sign", "The sign is lost. Is it `abs`?", lambda f, args: np.abs(_fractions(f(*args)))
    said = "It is divided by how many there are once too often."
    yield "divided", said, lambda f, args: _fractions(f(*args)) / _length(args)
    said = "It is divided by one less than how many there are."
    yield "one_less", said, lambda f, args: _fractions(f(*args)) * (_length(args) / (_length(args) - 1))
    said = "That is the ratio of the one to the other, p to 1 - p, where the share of all, p, is asked."
    yield "odds", said, lambda f, args: _fractions(f(*args)) / (1 - _fractions(f(*args)))
    yield "squared", "That is the square of the right answer.", lambda f, args: _fractions(f(*args)) ** 2
    yield "root", "That is the root of the right answer.", lambda f, args: np.sqrt(_fractions(f(*args)))
    yield "halved", "That is half of the right answer.", lambda f, args: _fractions(f(*args)) / 2
    yield "doubled", "That is twice the right answer.", lambda f, args: _fractions(f(*args)) * 2


# --- arguments and results, changed ----------------------------------------------------------------------------------


def _cut(value: Any, which: slice) -> Any:
    return value[which] if np.ndim(value) or isinstance(value, list | tuple) else value


def _columns(value: Any, which: slice) -> Any:
    return np.asarray(value)[:, which] if np.ndim(value) == 2 else value


def _with(args: tuple, i: int, value: Any) -> tuple:
    return (*args[:i], value, *args[i + 1 :])


def _exchanged(args: tuple, i: int, j: int) -> tuple:
    swapped = list(args)
    swapped[i], swapped[j] = _like(args[j], args[i]), _like(args[i], args[j])
    return tuple(swapped)


def _like(value: Any, other: Any) -> Any:
    """`value`, if it is of the kind of `other`: one for the other is no slip else."""
    if np.ndim(value) != np.ndim(other) or callable(value) or hasattr(value, "predict"):
        raise TypeError
    return value


def _length(args: tuple) -> int:
    return next(len(a) for a in args if np.ndim(a))


def _size(value: Any) -> int:
    if not np.ndim(value) or not len(value):
        raise TypeError
    return len(value)


def _shortest(args: tuple) -> int:
    return min(len(a) for a in args if np.ndim(a))


def _is_empty(args: tuple) -> bool:
    return any(np.ndim(a) and not len(a) for a in args)


class _Turned:
    """A model whose table of answers is turned: a column for each record."""

    def __init__(self, model: Any):
        self.predict_proba = lambda X: np.transpose(model.predict_proba(X))


def _decimals(value: Any) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        raise TypeError
    return value


def _counts(value: Any) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.dtype.kind != "i" or value.ndim != 1:
        raise TypeError
    return value


def _rounded(value: Any, digits: int) -> Any:
    return np.round(_decimals(value) if np.ndim(value) else _number(value), digits)


def _repeated(value: Any, at: int) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.ndim != 1:
        raise TypeError
    return np.repeat(value[at], len(value))


def _mean(value: Any) -> Any:
    return _decimals(value).mean(keepdims=True) if np.ndim(value) == 1 else value


def _paired(f: Callable, args: tuple) -> float:
    a, b = (value for value in args if np.ndim(value) == 1)
    return float(np.mean([f(a[i : i + 1], b[i : i + 1]) for i in range(min(len(a), len(b)))]))


def _number(value: Any) -> float:
    if isinstance(value, bool) or np.ndim(value) or not isinstance(value, float | np.floating):
        raise TypeError
    return value


def _replaced(other: Any, value: float) -> Any:
    """`value` as a number of the kind of `other`: a float is none of a whole number's."""
    kind = _whole if isinstance(value, int) and isinstance(other, int | np.integer) else _number
    return kind(other) * 0 + value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError
    return value


def _truths(value: Any) -> np.ndarray:
    value = np.asarray(value)
    if value.dtype != bool:
        raise TypeError
    return value


def _fractions(value: Any) -> np.ndarray:
    value = np.asarray(value)
    if value.dtype.kind not in "iuf":
        raise TypeError
    return value.astype(float)
