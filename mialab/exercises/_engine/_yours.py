"""Yours runs: a function that has passed its check is kept as its source, and it is what attacks from then on.

The learner's functions lie in `my_attack.py` in their workbook, one part each, readable and theirs to edit. A part is
used only where its text alone passes the check; else the course's own function is, and a sentence says why.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import os
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from mialab._files import free_name, write_whole
from mialab.exercises._engine import _progress
from mialab.exercises._engine._calls import Failure, as_array, call, calls_of, parameters, same, show_call
from mialab.exercises._engine._panel import Code, Panel

FILE_NAME = "my_attack.py"
MARK = "_mialab_yours"  # on what `yours()` returns: it is nobody's answer
_HEAD = '''"""My attack: the functions that passed their checks, as I wrote them.

The course keeps each one here when it passes, and uses it from then on. You may edit them: a function is checked again
before it is used. Each part stands on its own, with what it imports.
"""
'''
_PART = re.compile(r"^# %% (\w+)\n", re.MULTILINE)
_in_memory: dict[str, str] = {}  # where there is no workbook
_checked: dict[tuple[str, str], str] = {}  # (exercise, source) -> what is wrong with it; "" if it passes


class Unkept(Exception):
    """A function that cannot be kept; the message says why, to the learner."""


def attack_file() -> Path | None:
    """The learner's file of functions, whether or not it exists yet; None outside a workbook."""
    progress = _progress.progress_file()
    return None if progress is None else progress.with_name(FILE_NAME)


def parts() -> tuple[dict[str, str], str]:
    """The kept functions, name -> source, and a sentence for the learner ("" if all is well)."""
    try:
        _, found, note = _read()
    except OSError as error:
        return {}, f"`{FILE_NAME}` could not be opened ({error})."
    return dict(found), note


def keep(exercise: Any, function: Callable) -> str:
    """Keep a function that has passed; a sentence for the learner: that it was kept, or why not."""
    try:
        source = source_of(exercise.name, function)
        _must_pass(exercise, source)
        _save(exercise.name, source)
    except (Unkept, OSError) as trouble:
        instead = "the one that was kept before" if exercise.name in parts()[0] else "the course's"
        return f"It is right, but it was not kept for later cells, which use {instead}: {trouble}."
    return f"Kept: from here on it is yours that runs, wherever `ex.{exercise.name}.yours()` is called."


def forget(name: str) -> Panel:
    """Take a function out of the learner's file, where it is, and show it a last time."""
    kept, _ = parts()
    try:
        _save(name, None)
    except OSError as error:
        return Panel(f"`{FILE_NAME}` could not be written", (str(error),))
    was = ("What was kept:", Code(kept[name])) if name in kept else ()
    return Panel(f"{name}: the course's runs from here on", was)


def _read() -> tuple[str, list[tuple[str, str]], str]:
    """What stands above the first part, the parts in their order, and a sentence; OSError if it cannot be opened."""
    path = attack_file()
    if path is None:
        return _HEAD, list(_in_memory.items()), ""
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        return _HEAD, [], ""
    except UnicodeDecodeError:
        aside = free_name(path.with_name(f"{path.stem}.damaged{path.suffix}"))
        os.replace(path, aside)
        return _HEAD, [], f"`{FILE_NAME}` was damaged. It is kept as `{aside.name}`."
    head, *found = _PART.split(text)
    return head, [(name, code.strip("\n")) for name, code in zip(found[::2], found[1::2], strict=True)], ""


def _save(name: str, source: str | None) -> None:
    """Put one part into the file, or take it out; whatever else stands there stays as the learner left it."""
    path = attack_file()
    if path is None:
        _in_memory.pop(name, None)
        _in_memory.update({} if source is None else {name: source})
        return
    with _progress.locked(path.with_suffix(".lock")):
        head, found, _ = _read()
        last = max((i for i, (each, _) in enumerate(found) if each == name), default=len(found))
        found[last : last + 1] = [] if source is None else [(name, source)]
        text = "".join(f"\n\n# %% {each}\n{code}\n" for each, code in found)
        write_whole(path, head.rstrip("\n") + "\n" + text)


# --- the source ------------------------------------------------------------------------------------------------------


def source_of(name: str, function: Callable) -> str:
    """The function's own text with the imports that it needs, under the exercise's name.

    Raises Unkept where the text cannot be read, or where it needs what stands elsewhere in the notebook.
    """
    try:
        text = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(text)
    except (OSError, TypeError, SyntaxError):
        raise Unkept(
            "its text cannot be read. Does its cell begin with `%%`, or is it made by another function? Write it with "
            "`def` in a cell of its own"
        ) from None
    called = getattr(function, "__name__", name)
    if called == "<lambda>":
        called = next((t.id for t in getattr(tree.body[0], "targets", []) if isinstance(t, ast.Name)), "")
        if not called:
            raise Unkept("it is a `lambda` inside another line. Write it with `def`")
    imports, lacking = _needs(function, tree, called)
    if lacking:
        things = ", ".join(f"`{one}`" for one in lacking)
        raise Unkept(f"it uses {things}, which stands outside the function. Put it inside")
    if _PART.search(text):
        raise Unkept(f"it has a line that begins with `# %%`, which divides `{FILE_NAME}`")
    under = [f"{name} = {called}"] if called != name else []
    return "\n".join([*imports, *([""] if imports else []), text.strip("\n"), *under])


def _needs(function: Callable, tree: ast.AST, called: str) -> tuple[list[str], list[str]]:
    """The import lines for the names that a function takes from around it, and the names that no import brings."""
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)} | {called}
    bound |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    bound |= {(a.asname or a.name).split(".")[0] for n in ast.walk(tree)
              if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}  # fmt: skip
    read = {n.id: None for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    around = {**getattr(function, "__globals__", {}), **_enclosed(function)}
    imports, lacking = [], []
    for one in read:
        if one in bound or (hasattr(builtins, one) and one not in around):
            continue
        line = _import_of(one, around.get(one))
        (imports if line else lacking).append(line or one)
    return imports, lacking


def _enclosed(function: Callable) -> dict[str, Any]:
    try:
        return inspect.getclosurevars(function).nonlocals
    except (TypeError, ValueError):
        return {}


def _import_of(name: str, value: Any) -> str:
    """The line that imports this value under this name; empty where it is no module, nor anything that a module has."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__}" + (f" as {name}" if name != value.__name__ else "")
    module, own = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if isinstance(value, np.ufunc):  # only NumPy's say where they are from, and those since 2.2
        own = value.__name__
        module = next((m for m in ("numpy", "scipy.special") if getattr(sys.modules.get(m), own, None) is value), "")
    if not module or module == "__main__" or "." in own or not own:
        return ""
    if getattr(sys.modules.get(module), own, None) is not value:
        return ""
    return f"from {module} import {own}" + (f" as {name}" if name != own else "")


# --- using it --------------------------------------------------------------------------------------------------------


def load(exercise: Any, source: str) -> Callable:
    """The function that a kept text makes, in a namespace of its own; Unkept where the text makes none."""
    space: dict[str, Any] = {"__name__": FILE_NAME.removesuffix(".py")}
    file, above = _place(exercise.name, source)
    made = call(lambda: exec(compile("\n" * above + source, file, "exec"), space), (), exercise.seconds)
    if made.error is not None:
        raise Unkept(f"its text alone {_how_it_ends(made.error)}")
    if not callable(space.get(exercise.name)):
        raise Unkept(f"its text defines no function `{exercise.name}`")
    return space[exercise.name]


def _how_it_ends(error: Failure) -> str:
    return "takes too long" if error.kind == "TooSlow" else f"stops with `{error.text}`"


def _place(name: str, source: str) -> tuple[str, int]:
    """The file that a kept text stands in and the lines above it there, so that an error names the file's own line."""
    path = attack_file()
    try:
        text = "" if path is None else path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        text = ""
    start = text.find(source, max(text.rfind(f"# %% {name}\n"), 0))
    return (FILE_NAME, 0) if start < 0 else (str(path), text[:start].count("\n"))


def whose(exercise: Any, kept: dict[str, str]) -> str:
    """Whose function runs, as the table of progress says it; it is loaded, and not checked again."""
    if exercise.name not in kept:
        return "the course's"
    try:
        load(exercise, kept[exercise.name])
    except Unkept:
        return "the course's (yours does not load)"
    return "yours"


def _must_pass(exercise: Any, source: str) -> Callable:
    """The function of a text that passes its check and answers real-sized data; else Unkept."""
    key = (exercise.name, source)
    function = load(exercise, source)
    if key not in _checked:
        verdict = exercise.judge(function, random_state=0)
        wrong = "" if verdict.outcome == "correct" else f"its text alone does not pass: {verdict.body[0]}"
        _checked[key] = wrong.rstrip(".") or _on_real_data(exercise, function)
    if _checked[key]:
        raise Unkept(_checked[key])
    return function


def _on_real_data(exercise: Any, function: Callable) -> str:
    """What goes wrong when it is tried once on data as large as a notebook's; empty if nothing does."""
    if exercise.real is None:
        return ""
    args = exercise.real()
    (made,) = calls_of(function, [args], exercise.seconds)
    if made.error is None and same(made.value, exercise.function(*args), exercise.tolerance):
        return ""
    shown = show_call(exercise.name, parameters(exercise.function), args)
    why = _how_it_ends(made.error) if made.error else "gives something else than the course's"
    return f"on data as large as the notebook's, `{shown}`, it {why}"


def yours(exercise: Any, course: bool = False) -> Callable:
    """The learner's function where one is kept and passes, else the course's; it prints which in a line."""
    kept, note = parts()
    said = [note] if note else []
    function, whose = exercise.function, "the course's"
    if course:
        said.append(f"{exercise.name}: the course's, as you asked.")
    elif exercise.name not in kept:
        said.append(f"{exercise.name}: the course's, until one of yours is kept.")
    else:
        try:
            function, whose = _must_pass(exercise, kept[exercise.name]), "yours"
            said.append(f"{exercise.name}: yours.")
        except Unkept as trouble:
            said.append(f"{exercise.name}: the course's, for what {FILE_NAME} has is not used: {trouble}.")
    print("\n".join(said))
    return _marked(exercise, function, whose)


def _marked(exercise: Any, function: Callable, whose: str) -> Callable:
    """The function, whose answers come in the type of the course's own, marked as nobody's answer to a check."""
    pattern = exercise.function(*next(iter(exercise.cases(np.random.default_rng(0)))))

    @functools.wraps(exercise.function)
    def run(*given: Any, **named: Any) -> Any:
        return like(pattern, function(*given, **named))

    setattr(run, MARK, whose)
    return run


def like(pattern: Any, answer: Any) -> Any:
    """An answer in the type of a pattern: array, list, float, int, bool; what cannot be is left as it is."""
    array = as_array(answer)
    if array is None or as_array(pattern) is None:
        return tuple(answer) if isinstance(pattern, tuple) and isinstance(answer, list) else answer
    if isinstance(pattern, np.ndarray):
        return array.astype(pattern.dtype)
    if isinstance(pattern, list | tuple):
        return type(pattern)(array.tolist())
    return type(pattern)(array.item()) if array.size == 1 else answer


def compare(exercise: Any, *args: Any) -> Panel:
    """What the learner's function and the course's make of the same arguments, or of a fresh case of the check.

    Lists and Series become arrays where the check gives arrays: the course's function can do no more than it promises.
    """
    kept, note = parts()
    if exercise.name not in kept:
        help_ = "Pass its check; where that does not keep it, it says why."
        return Panel(f"There is no {exercise.name} of yours yet", (*filter(None, [note]), help_))
    case = list(exercise.cases(np.random.default_rng()))[-1]
    arrays = [isinstance(one, np.ndarray) for one in case] + [False] * len(args)
    given = tuple(np.asarray(one) if array else one for one, array in zip(args, arrays, strict=False)) or case
    try:
        mine = load(exercise, kept[exercise.name])
    except Unkept as trouble:
        return Panel("Yours cannot be run", (f"{trouble}.",))
    lines = []
    for name, function in (("yours", mine), ("the course's", exercise.function)):
        (made,) = calls_of(function, [given], exercise.seconds)
        lines.append(f"{name}: {made.error.text if made.error else made.value}")
    return Panel("Yours and the course's", tuple(map(Code, [*lines, kept[exercise.name], exercise.right_code])))
