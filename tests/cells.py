"""Which cells of a notebook stand on which, told from the names that they read and bind.

Who only changes what another cell bound, as `rows.append(1)` does, binds nothing: it is not seen.
"""

from __future__ import annotations

import ast


def names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell reads before it binds them, and those that it binds."""
    reads, binds = set(), set()
    for step in ast.parse(source).body:
        found = [node for node in ast.walk(step) if isinstance(node, ast.Name)]
        stored = {node.id for node in found if isinstance(node.ctx, ast.Store)}
        loaded = {node.id for node in found if isinstance(node.ctx, ast.Load)}
        loaded |= {node.target.id for node in ast.walk(step) if isinstance(node, ast.AugAssign)
                   and isinstance(node.target, ast.Name)}  # fmt: skip
        if isinstance(step, ast.FunctionDef | ast.ClassDef):
            inside = {node.arg for node in ast.walk(step) if isinstance(node, ast.arg)} | stored
            loaded, stored = loaded - inside, {step.name}
        elif isinstance(step, ast.Import | ast.ImportFrom):
            stored = {alias.asname or alias.name.split(".")[0] for alias in step.names}
        reads, binds = reads | (loaded - binds), binds | stored
    return reads, binds


def binder(sources: list[str], place: int, name: str) -> int | None:
    """The cell that bound a name last before the cell at `place`; None if none did."""
    return next((i for i in reversed(range(place)) if name in names(sources[i])[1]), None)


def stands_on(sources: list[str], last: int) -> list[int]:
    """The places of the cells that a cell needs: who bound the names that it reads, and whom those need."""
    needed, asked = set(), [(last, name) for name in names(sources[last])[0]]
    while asked:
        place = binder(sources, *asked.pop())
        if place is not None and place not in needed:
            needed.add(place)
            asked += [(place, name) for name in names(sources[place])[0]]
    return sorted(needed)


def touched_by(sources: list[str], changed: set[int]) -> list[int]:
    """The places of the cells that a change of some cells may change, those among them, and of all they stand on."""
    touched = set(changed)
    answers = {name for place in changed for name in names(sources[place])[1]}
    for place, source in enumerate(sources):
        if any(f".{name}.yours(" in source for name in answers):  # what the learner wrote runs here
            touched.add(place)
        if any(binder(sources, place, name) in touched for name in names(source)[0]):
            touched.add(place)
    return sorted(touched.union(*(stands_on(sources, place) for place in touched)))
