"""Values and calls as plain JSON: what a handout keeps, and all that a grader lets out of a sandbox.

Nothing that is read here can run. What comes from a student is bounded in size and refused unless it is of this form.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mialab.exercises._engine import _scripted
from mialab.exercises._engine._calls import Call, Failure, Observed, Shown, as_array, show

MOST_VALUES = 200_000  # in one array
MOST_CHARACTERS = 20_000  # in one text
MOST_PARTS = 20_000  # arrays, texts and so on, of one answer
MOST_PADDED = 200 * MOST_CHARACTERS  # in all texts of one value, each as long as the longest: NumPy pads them

_MODELS = {  # class -> what it is made from
    _scripted.ScriptedModel: lambda m: [m.answers, m.classes_],
    _scripted.Parrot: lambda m: [m.X, m.y],
    _scripted.ScriptedAttackModel: lambda m: [m.weights, bool(m.classes_[0])],
}
_BY_NAME = {kind.__name__: kind for kind in _MODELS}


def to_json(value: Any) -> Any:
    """A value as something that `json.dumps` takes; what is no number, text, table or list is only shown."""
    if value is None or value is ...:
        return {"missing": value is None}
    if isinstance(value, str):
        return {"text": value[:MOST_CHARACTERS]}
    if type(value) in _MODELS:
        return {"model": type(value).__name__, "of": [to_json(part) for part in _MODELS[type(value)](value)]}
    if isinstance(value, dict):
        return {"dict": [[to_json(k), to_json(v)] for k, v in list(value.items())[:MOST_VALUES]]}
    if isinstance(value, np.ndarray) and value.dtype.kind == "U" and value.size <= 1000:
        return {"texts": value.ravel().tolist(), "shape": list(value.shape)}
    array = as_array(value)
    if array is not None and array.size <= MOST_VALUES:
        plain = {"array": array.ravel().tolist(), "dtype": array.dtype.kind, "shape": list(array.shape)}
        return plain if isinstance(value, np.ndarray) or array.ndim else {**plain, "plain": True}
    if isinstance(value, list | tuple) and len(value) <= 1000:
        return {"list": [to_json(one) for one in value]}
    return {"shown": show(value)}


def from_json(plain: Any) -> Any:
    """The value again; ValueError for anything that `to_json` does not write."""
    try:
        parts, values, longest = _weight(plain)
        if parts > MOST_PARTS or values * longest > MOST_PADDED:
            raise ValueError("it is too large")
        return _read(plain)
    except (TypeError, IndexError, RecursionError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"this is not the JSON of a value ({error})") from None


def _weight(plain: Any) -> tuple[int, int, int]:
    """How many objects and how many values stand in some JSON at whatever depth, and how long the longest text is."""
    parts, values, longest, todo = 0, 0, 1, [plain]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            parts += 1
            todo += one.values()
        elif isinstance(one, list):
            values += len(one)
            todo += one
        elif isinstance(one, str):
            longest = max(longest, len(one))
    return parts, values, longest


def _read(plain: Any) -> Any:
    match plain:
        case {"missing": bool(is_none)}:
            return None if is_none else ...
        case {"text": str(text)} | {"shown": str(text)} if len(text) > MOST_CHARACTERS:
            raise ValueError("a text is too long")
        case {"text": str(text)}:
            return text
        case {"shown": str(text)}:
            return Shown(text)
        case {"model": str(name), "of": list(parts)} if name in _BY_NAME:
            return _BY_NAME[name](*map(_read, parts))
        case {"dict": list(pairs)}:
            return {_read(k): _read(v) for k, v in pairs}
        case {"list": list(items)} if len(items) <= 1000:
            return [_read(one) for one in items]
        case {"texts": list(texts), "shape": list(shape)} if all(isinstance(text, str) for text in texts):
            return np.array(_in_shape(texts, shape), dtype=str).reshape(shape)
        case {"array": list(values), "dtype": "b" | "i" | "u" | "f" as kind, "shape": list(shape)}:
            array = _array(values, kind, shape)
            return array.item() if plain.get("plain") else array
    raise ValueError("this is not the JSON of a value")


def _array(values: list, kind: str, shape: list) -> np.ndarray:
    allowed = {"b": bool, "i": int, "u": int, "f": int | float}[kind]
    if not all(isinstance(one, allowed) for one in values):
        raise ValueError("an array has values of another type than it says")
    try:
        values = np.array(_in_shape(values, shape), {"b": bool, "i": np.int64, "u": np.uint64, "f": float}[kind])
    except OverflowError:
        raise ValueError("an array holds a number that is too large") from None
    return values.reshape(shape)


def _in_shape(values: list, shape: list) -> list:
    """The values, if they are not too many and fill that shape."""
    if len(values) > MOST_VALUES or sum(len(one) for one in values if isinstance(one, str)) > MOST_CHARACTERS:
        raise ValueError("an array is too large")
    if not all(type(n) is int and 0 <= n <= MOST_VALUES for n in shape) or math.prod(shape) != len(values):
        raise ValueError("an array has another shape than it says")
    return values


def observed_to_json(seen: Observed) -> dict:
    """What was seen of a function as JSON."""
    calls = [[to_json(c.value), list(c.error) if c.error else None, c.line, c.changed, c.printed] for c in seen.calls]
    return {"state": seen.state, "shown": seen.shown, "signature": seen.signature,
            "parameters": list(seen.parameters), "accepts": seen.accepts, "calls": calls}  # fmt: skip


def observed_from_json(plain: Any, n_cases: int) -> Observed:
    """What was seen, again; ValueError for anything that `observed_to_json` does not write for so many cases."""
    match plain:
        case {
            "state": "function" | "untouched" | "missing" | "no function" as state,
            "shown": str(shown),
            "signature": str(signature),
            "parameters": list(parameters),
            "accepts": bool(accepts),
            "calls": list(calls),
        }:
            called = state == "function" and accepts
            if _weight(calls)[0] > MOST_PARTS:
                raise ValueError("it is too large")
            if len(calls) != (n_cases if called else 0) or not all(isinstance(p, str) for p in parameters):
                raise ValueError(f"there should be {n_cases} calls, and names of arguments")
            short = [text[:200] for text in (shown, signature)]
            return Observed(
                state, *short, tuple(p[:60] for p in parameters[:20]), accepts, tuple(map(_call_from_json, calls))
            )
    raise ValueError("this is not what is written of a function")


def _call_from_json(plain: Any) -> Call:
    match plain:
        case [value, None | [str(), str()] as error, str(line), None | str() as changed, str(printed)]:
            failure = Failure(error[0][:100], error[1][:300]) if error else None
            return Call(from_json(value), failure, line[:300], changed and changed[:60], printed[:2000])
    raise ValueError("this is not what is written of a call")
