"""Panels that live without a kernel: all that a panel can show at some settings, worked out when the site is built.

`play.js` then answers in the kernel's place; what it says and shows comes from the panel's own functions, here.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import json
import pickle
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from mialab._still import STILL
from mialab.widgets import Game, View

# Where a panel's controls reach too many settings, those at which it answers on the site.
STOPS = {
    "ask_the_model": {
        "sepal length": (0, 5.8, 7.0, 16), "sepal width": (0, 3.0, 4.0, 16),
        "petal length": (0, 1.4, 4.3, 5.5, 16), "petal width": (0.2, 1.1, 1.3, 2.1, 16),
    },
    "shadow_lab": {
        "shadow models": (16, 64), "members of each": (30, 75, 120), "epochs": (10, 200), "flower number": (83, 106),
    },
    "overfitting_dial": {
        "members": (30, 75), "wrong labels": (0, 20, 40), "epochs (net)": (10, 100, 400), "depth (tree)": (4, 12),
    },
    "coin_panel": {"truth told": (5, 25, 50, 75, 95), "pupils": (30, 300, 3000), "who copied": (0, 30)},
}  # fmt: skip
HANDS = 3  # so many games, and throws of the coin, before the first comes again


def panels(notebooks: Path) -> dict[str, Path]:
    """The name of each panel's function, and the notebook that shows it."""
    return {_call(path).func.id: path for path in sorted(notebooks.glob("*.ipynb")) if _still(path)}


def embed(path: Path) -> str:
    """Put the panel of a copied notebook where its still picture stands; what stands there now, and later serves a
    page without scripts."""
    book = json.loads(path.read_text("utf-8"))
    data = next(data for data in _outputs(book) if STILL in "".join(data.get("text/html", "")))
    data["text/html"] = f'<div data-panel="{_call(path).func.id}">{"".join(data["text/html"])}</div>'
    path.write_text(json.dumps(book), "utf-8")
    return data["text/html"]


def work_out(path: Path, out: Path, few: bool = False) -> None:
    """Write the views of a notebook's panel as `out`/NAME.js, and its pictures into the folder of that name.

    With `few` each control has two stops: enough to prove the way. It raises ValueError where the panel no longer says
    what the notebook's page says.
    """
    call, values = _call(path), _names(path)
    name = call.func.id
    panel = _value(call, values)
    said = _still(path)
    if panel.answer["text"] != said:
        raise ValueError(f"{path.name}: {name} says {panel.answer['text']!r}, its output {said!r}; run the notebook")
    (out / name).mkdir(parents=True)
    page: dict[str, Any] = {"title": panel.title, "values": panel.values, "controls": panel.controls, "map": panel.map}
    if panel.map:
        picture = base64.b64decode(panel.map["src"].partition(",")[2])
        (out / name / "map.png").write_bytes(picture)
        wide, high = (int.from_bytes(picture[at : at + 4]) for at in (16, 20))  # as its head says
        page["map"] = panel.map | {"src": f"{name}/map.png", "tall": high / wide}
    if name == "guess_the_member":
        hands = (partial(Game, random_state=hand) for hand in range(2 if few else HANDS))
        shown = _courses([_value(call, values | {name: deal}) for deal in hands])
    else:
        page["controls"] = [control | {"stops": _stops(name, control, few)} for control in panel.controls]
        shown = _settings(panel, page["controls"])
    if name in STOPS:
        page["note"] = "On this page the controls have fewer stops than in the notebook, where a kernel answers."
    pictures = Pictures(out, name)
    page["views"] = [about | {"text": view.text} | pictures.of(view) for view, about in shown]
    (out / f"{name}.js").write_text(f"mialabPanel({json.dumps(name)}, {json.dumps(page)});\n", "utf-8")


class Pictures:
    """The pictures of a panel, each drawn once: a figure depends on what its `draw` closes over, on nothing else."""

    def __init__(self, out: Path, name: str) -> None:
        self.out, self.name, self.known = out, name, {}

    def of(self, view: View) -> dict[str, Any]:
        """Where the picture of a view is, and how wide."""
        held = pickle.dumps([cell.cell_contents for cell in view.draw.__closure__])
        if held not in self.known:
            picture, src = view.picture(), f"{self.name}/{len(self.known)}.png"
            (self.out / src).write_bytes(picture.png)
            self.known[held] = {"src": src, "width": picture.width}
        return self.known[held]


def _stops(name: str, control: dict[str, Any], few: bool) -> list[Any]:
    """The values of a control at which there is an answer."""
    if control["kind"] == "choice":
        stops = list(control["options"])
    elif control["kind"] == "button":
        stops = list(range(HANDS))
    else:
        low, high, step = (control[word] for word in ("low", "high", "step"))
        every = [round(low + i * step, 9) for i in range(round((high - low) / step) + 1)]
        stops = list(STOPS.get(name, {}).get(control["name"], every))
    other = next(stop for stop in stops if stop != control["value"])
    return [stop for stop in stops if stop in (other, control["value"])] if few else stops


def _settings(panel: Any, controls: list[dict[str, Any]]) -> Iterator[tuple[View, dict[str, Any]]]:
    """The view of each combination of stops, the last control's the first to turn."""
    for stops in product(*(control["stops"] for control in controls)):
        values = dict(zip((control["name"] for control in controls), stops, strict=True))
        yield panel._renew(dict(values)), {"spot": panel._spot(values)} if panel._spot else {}


def _courses(games: list[Game]) -> Iterator[tuple[View, dict[str, Any]]]:
    """Every state that play can come to, and the number of the one that each button leads to."""

    def played(hand: int, guesses: list[bool]) -> tuple[Game, Any]:
        game, n = games[hand], len(guesses)
        game.guesses = guesses
        return game, (hand, n, game.right, n and guesses[-1] == game.truth[n - 1])  # what it says hangs on this alone

    courses: list[tuple[int, list[bool]]] = [(hand, []) for hand in range(len(games))]
    numbers = {played(*course)[1]: number for number, course in enumerate(courses)}
    for number, (hand, guesses) in enumerate(courses):  # which grows meanwhile
        leads = {"deal again": (hand + 1) % len(games), "member": number, "stranger": number}
        for word in ("member", "stranger") if len(guesses) < 20 else ():
            state = played(hand, [*guesses, word == "member"])[1]
            if state not in numbers:
                numbers[state] = len(courses)
                courses.append((hand, [*guesses, word == "member"]))
            leads[word] = numbers[state]
        yield played(hand, guesses)[0].view(), {"leads": leads}


# --- a notebook's panel -----------------------------------------------------------------------------------------------


def _outputs(book: dict[str, Any]) -> list[dict[str, Any]]:
    return [output["data"] for cell in book["cells"] for output in cell.get("outputs", ()) if "data" in output]


def _still(path: Path) -> str:
    """What the panel in a notebook's output says; "" where there is none."""
    book = json.loads(path.read_text("utf-8"))
    found = (data for data in _outputs(book) if STILL in "".join(data.get("text/html", "")))
    return "".join(next(found, {}).get("text/plain", ""))


def _call(path: Path) -> ast.Call:
    """The call that makes the panel: the end of the cell that shows it."""
    return _statements(path)[-1].value


def _statements(path: Path) -> list[ast.stmt]:
    """All that a notebook's cells say, up to its panel."""
    found: list[ast.stmt] = []
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            found += ast.parse("".join(cell["source"])).body
            if any(STILL in "".join(data.get("text/html", "")) for data in _outputs({"cells": [cell]})):
                break
    return found


def _names(path: Path) -> dict[str, Any]:
    """The names that a notebook's panel is made of, by the statements that bind what it hangs on, and no others."""
    *before, last = _statements(path)
    wanted, kept = _used(last, ast.Load), []
    for statement in reversed(before):
        if _bound(statement) & wanted:
            kept.insert(0, statement)
            wanted |= _used(statement, ast.Load)
    values: dict[str, Any] = {}
    with contextlib.redirect_stdout(None):
        exec(compile(ast.Module(kept, []), path.name, "exec"), values)
    return values


def _used(statement: ast.AST, how: type) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, how)}


def _bound(statement: ast.stmt) -> set[str]:
    every = list(ast.walk(statement))
    made = {node.name for node in every if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    brought = {(node.asname or node.name).partition(".")[0] for node in every if isinstance(node, ast.alias)}
    return made | brought | _used(statement, ast.Store)


def _value(call: ast.Call, values: dict[str, Any]) -> Any:
    return eval(compile(ast.Expression(call), "the panel", "eval"), values)
