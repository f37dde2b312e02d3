"""Call a learner's function and say what happened: never a raw traceback, never a notebook that stops."""

from __future__ import annotations

import copy
import ctypes
import decimal
import dis
import inspect
import io
import linecache
import numbers
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from mialab.exercises._engine._apart import PATIENCE, apart

PRINT_LIMIT = 2_000  # characters of a learner's own prints that a panel repeats
IMPORT_SECONDS = 60  # a library that is imported for the first time, from a slow disk


class TooSlow(BaseException):
    """The time for one check is used up. Not an Exception, so that `except Exception` in an answer lets it pass."""


class Failure(NamedTuple):
    """An error as a learner reads it: the name of its type, and that with the start of its message."""

    kind: str
    text: str


_TOO_SLOW = Failure("TooSlow", "TooSlow")
_ENDED = Failure("Ended", "Ended: all of Python ended, by os._exit, a signal or a crash")


class Shown:
    """Stands for a value that is no number, text or table: all that is known is how it was shown."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Call:
    """One call of one function: a value or an error."""

    value: Any = None
    error: Failure | None = None
    line: str = ""  # the learner's own line where the error arose
    changed: str | None = None  # name of an argument that the call changed in place
    printed: str = ""


@dataclass(frozen=True)
class Observed:
    """What an answer looks like from outside: all that a judge needs, who need not have the function itself."""

    state: str  # "function", "untouched" (the stub), "missing" (the three dots) or "no function"
    shown: str = ""  # the answer, where it is no function
    signature: str = ""
    parameters: tuple[str, ...] = ()
    accepts: bool = True  # whether it can be called with the arguments of the cases
    calls: tuple[Call, ...] = ()  # one for each case


def observe(answer: Any, cases: Sequence[tuple], seconds: float) -> Observed:
    """Call an answer on case after case, at most `seconds` of work in all, and keep what is seen."""
    if answer is ... or answer is None:
        return Observed("missing")
    if not callable(answer) or inspect.isclass(answer):
        return Observed("no function", show(answer))
    if is_untouched(answer):
        return Observed("untouched")
    if not accepts(answer, cases[0]):
        return Observed("function", signature=str(inspect.signature(answer)), accepts=False)
    return Observed("function", parameters=tuple(parameters(answer)), calls=tuple(calls_of(answer, cases, seconds)))


def calls_of(function: Callable, cases: Sequence[tuple], seconds: float) -> list[Call]:
    """Call a learner's function on case after case, in a process of its own where the system can fork."""
    _import_first(function)

    def work() -> Iterator[tuple[Call, str, list]]:
        for args in cases:
            with redirect_stderr(_Bounded()) as said, _displays() as displays:
                made = call(function, args, None)
            made = replace(made, value=_sendable(made.value))
            yield made, "" if said.closed else said.getvalue(), displays.outputs

    sent = apart(work, seconds)
    if sent is None:
        return call_all(function, cases, seconds)
    found, why = sent
    for _, said, displays in found:
        sys.stderr.write(said)
        for one in displays:
            one.display()
    lacking = Call(error=_ENDED if why == "died" else _TOO_SLOW)
    return [made for made, _, _ in found] + [lacking] * (len(cases) - len(found))


def _displays() -> AbstractContextManager:
    """Keeps what is displayed in a notebook, as `outputs`: only the notebook's own process can show it."""
    if "IPython" not in sys.modules:
        return nullcontext(SimpleNamespace(outputs=[]))
    from IPython.utils.capture import capture_output

    return capture_output(stdout=False, stderr=False, display=True)


def _import_first(function: Callable) -> None:
    """Import what a function imports, so that a slow import is nobody's time, and is made once."""
    todo = [getattr(function, "__code__", None)]
    for code in filter(None, todo):
        module = ""
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME":
                module = name = step.argval
            elif step.opname == "IMPORT_FROM":
                name = f"{module}.{step.argval}"
            else:
                continue
            with suppress(Exception, SystemExit, TooSlow), redirect_stdout(_Bounded()):
                _within(IMPORT_SECONDS, import_module, (name,))
        todo += [part for part in code.co_consts if inspect.iscode(part)]


def call_all(function: Callable, cases: Sequence[tuple], seconds: float) -> list[Call]:
    """Call on case after case, at most `seconds` of work in all: what comes after is too slow, and not called."""
    left = _hourglass(seconds)
    return [call(function, args, left()) for args in cases]


def _hourglass(seconds: float) -> Callable[[], float]:
    """What is left of so many seconds of work, or of PATIENCE times as many by the clock."""
    work, clock = time.process_time() + seconds, time.monotonic() + PATIENCE * seconds
    return lambda: min(work - time.process_time(), (clock - time.monotonic()) / PATIENCE)


def call(function: Callable, args: tuple, seconds: float | None) -> Call:
    """Call `function` on copies of `args` for at most `seconds` of work; errors, prints and changed inputs are kept.

    None is for a call that someone else watches.
    """
    given = tuple(_own_copy(a) for a in args)
    output = _Bounded()
    value, error, line = None, None, ""
    with redirect_stdout(output), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            run = lambda *own: _settled(function(*own))  # noqa: E731
            value = run(*given) if seconds is None else _within(seconds, run, given)
        except KeyboardInterrupt:  # the learner stops the cell
            raise
        except BaseException as trouble:
            error, line = Failure(type(trouble).__name__, _show_error(trouble)), _line_of(function, trouble)
    printed = "" if output.closed else output.getvalue()
    names = parameters(function)
    names += [f"argument {i + 1}" for i in range(len(names), len(args))]
    inputs = zip(names, args, given, strict=False)
    changed = next((name for name, before, after in inputs if not _same_input(before, after)), None)
    return Call(value, error, line, changed, printed)


def is_untouched(function: Callable) -> bool:
    """True if a function does nothing but return None: the stub, a lone `pass` or a lone docstring."""
    if not hasattr(function, "__code__"):
        return False
    steps = [s for s in dis.get_instructions(function) if s.opname not in {"RESUME", "NOP", "CACHE", "COPY_FREE_VARS"}]
    if [s.opname for s in steps] == ["RETURN_CONST"]:  # Python 3.12 and 3.13
        return steps[0].argval is None
    return [s.opname for s in steps] == ["LOAD_CONST", "RETURN_VALUE"] and steps[0].argval is None


def accepts(function: Callable, args: tuple) -> bool:
    """True if `function` can be called with this many positional arguments."""
    try:
        inspect.signature(function).bind(*args)
    except TypeError:
        return False
    except ValueError:  # some built-in functions have no signature to read: let the call tell
        return True
    return True


def same(got: Any, expected: Any, tolerance: float) -> bool:
    """True if two answers say the same thing: same shape, same values; lists, Series and arrays are alike."""
    a, b = as_array(got), as_array(expected)
    if a is None or b is None or a.shape != b.shape:
        return False
    if (a.dtype.kind == "b") != (b.dtype.kind == "b") and a.ndim:
        return False  # 0 and 1 are not False and True where they select records
    return bool(np.allclose(a.astype(float), b.astype(float), rtol=tolerance, atol=tolerance, equal_nan=True))


def as_array(value: Any) -> np.ndarray | None:
    """`value` as an array of numbers or of truth values; None if it is neither."""
    if value is None or value is Ellipsis or isinstance(value, dict | set) or callable(value) or np.ma.is_masked(value):
        return None
    try:
        array = np.asarray(value)
    except Exception:  # an object may do anything when it is asked for an array
        return None
    if array.dtype.kind in "OT" and array.size:
        items = array.ravel().tolist()
        if all(isinstance(i, bool | np.bool_) for i in items):
            return array.astype(bool)
        if all(isinstance(i, numbers.Real | decimal.Decimal) for i in items):
            return array.astype(float)
    return array if array.dtype.kind in "biuf" else None


def show_call(function_name: str, names: list[str], args: tuple) -> str:
    """A call as the learner would type it, long arguments by their shape."""
    return f"{function_name}({', '.join(f'{n}={show(a)}' for n, a in zip(names, args, strict=False))})"


def show(value: Any, digits: int = 6) -> str:
    """A value in at most about sixty characters."""
    array = as_array(value)
    if array is not None and array.ndim:
        if array.size > 12:
            return f"<array of shape {array.shape}>"
        array = np.round(array.astype(float), 4) if array.dtype.kind == "f" else array
        return np.array2string(array, separator=", ").replace("\n", "")
    if isinstance(value, np.ndarray) and array is not None:
        value = array.item()  # what a call returned is kept as an array; one number reads as a number
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating):
        return f"{float(value):.{digits}g}"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if hasattr(value, "predict_proba"):
        return "<a trained model>"
    try:
        text = repr(value)
    except Exception:
        text = f"<a {type(value).__name__}>"
    return _short(text, 60)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def _show_error(error: BaseException) -> str:
    """An error's kind and the start of its message."""
    try:
        text = _short(str(error).strip().partition("\n")[0], 200)
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _within(seconds: float, function: Callable, args: tuple) -> Any:
    """Run a call, and end it with TooSlow after so many seconds of work, or PATIENCE times as many by the clock."""
    if seconds <= 0:
        raise TooSlow
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        return _within_by_alarm(seconds, function, args)
    return _within_by_thread(seconds, function, args)


def _within_by_alarm(seconds: float, function: Callable, args: tuple) -> Any:
    rings, over, traced = 0, False, sys.gettrace()

    def stop(frame, event, arg):
        if event == "line":
            raise TooSlow
        return stop

    def ring(signum, frame):
        nonlocal rings
        if over:  # the other clock has ended the answer just now
            return
        rings += 1
        if rings > 1:  # a bare `except:` swallowed the first ring: now every line raises, the handler's own included
            while frame is not None and frame.f_code is not _within_by_alarm.__code__:
                frame.f_trace = stop
                frame = frame.f_back
            sys.settrace(stop)
        raise TooSlow

    # Work is what this process does: on a busy machine a right answer takes long by the clock alone.
    timers = (
        (signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, PATIENCE * seconds),
    )  # fmt: skip
    before = [signal.signal(which, ring) for _, which, _ in timers]
    for timer, _, after in timers:
        signal.setitimer(timer, after, 0.5)
    try:
        return function(*args)
    finally:
        over = True
        sys.settrace(traced)
        for timer, _, _ in timers:
            signal.setitimer(timer, 0)
        for (_, which, _), handler in zip(timers, before, strict=True):
            signal.signal(which, handler)


def _within_by_thread(seconds: float, function: Callable, args: tuple) -> Any:
    """Where there are no alarms (Windows, or a check outside the main thread): a thread that is told to stop."""
    box: dict[str, Any] = {}

    def run():
        try:
            box["value"] = function(*args)
        except BaseException as trouble:
            box["error"] = trouble

    thread = threading.Thread(target=run, daemon=True)
    left = _hourglass(seconds)
    thread.start()
    while thread.is_alive() and left() > 0:
        thread.join(0.02)
    end = time.monotonic() + 1
    while thread.is_alive() and time.monotonic() < end:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(TooSlow))
        thread.join(0.05)
    if thread.is_alive():
        raise TooSlow
    if "error" in box:
        raise box["error"]
    return box["value"]


def _line_of(function: Callable, trouble: BaseException) -> str:
    """The last line of the learner's own code on the way to the error."""
    code, line = getattr(function, "__code__", None), ""
    for frame, number in traceback.walk_tb(trouble.__traceback__):
        if code is not None and frame.f_code.co_filename == code.co_filename:
            line = linecache.getline(code.co_filename, number).strip()
    return line


def parameters(function: Callable) -> list[str]:
    """Names of a function's arguments; none where they cannot be read."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _settled(value: Any) -> Any:
    """An answer as plain data, so that nothing of the learner's runs after the time limit."""
    if inspect.isgenerator(value) or inspect.iscoroutine(value):
        value.close()
        raise TypeError("the function yields its answer bit by bit; it should return the whole answer")
    try:
        size = len(value)
    except TypeError:  # one number has no length
        size = 1
    if size > 1_000_000:
        raise ValueError(f"the function returns {size:,} values, far more than it was given")
    array = None if isinstance(value, str) else as_array(value)
    return value if array is None else array


def _sendable(value: Any) -> Any:
    """A settled answer as it can be sent to another process: what is no number or text is only shown."""
    if type(value) is str:
        return value[:PRINT_LIMIT]
    plain = value is None or value is ... or (isinstance(value, np.ndarray) and value.dtype.kind in "biuf")
    return value if plain else Shown(show(value))


def _own_copy(value: Any) -> Any:
    """A copy, so that a change in place can be seen; functions are handed over as they are."""
    return value if inspect.isroutine(value) else copy.deepcopy(value)


def _same_input(before: Any, after: Any) -> bool:
    """True if an argument is what it was before the call."""
    try:
        if isinstance(before, np.ndarray):
            equal_nan = before.dtype.kind == "f"
            return before.shape == np.shape(after) and bool(np.array_equal(before, after, equal_nan=equal_nan))
        if isinstance(before, dict):
            return before.keys() == after.keys() and all(_same_input(v, after[k]) for k, v in before.items())
        if hasattr(before, "predict_proba"):
            return _same_input(vars(before), vars(after))
        return before is after or bool(before == after)
    except Exception:  # it can no longer even be compared
        return False


class _Bounded(io.StringIO):
    """Keeps the first characters printed and drops the rest, so that a print in a loop fills nothing."""

    def write(self, text: str) -> int:
        room = PRINT_LIMIT - self.tell()
        super().write(text[: max(room, 0)])
        return len(text)
