"""Make of whatever was handed in a notebook that can be run: find the answers, put them in the assignment's frame.

A submission is read as plain JSON here, and nothing of it runs.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tokenize
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from mialab._files import clean

LARGEST = 20 << 20  # bytes of a notebook
MOST_CELLS = 2000
LONGEST = 50_000  # characters of a cell that are compared with others'
MANY_WORDS = 45  # names, numbers, signs and words of comments beyond those of the stub: short answers are often alike


class Unreadable(Exception):
    """A submission that no program can read; the message says why and what to do."""


class Taken(NamedTuple):
    """A notebook to run, and what was odd about the submission."""

    notebook: dict[str, Any]
    notes: tuple[str, ...]
    codes: dict[str, str]  # question -> digest of the answer's words, where there are many


def find(folder: Path, assignment: str) -> tuple[Path, tuple[str, ...]]:
    """The notebook in a student's folder, under whatever name; `Unreadable` if there is none, or it cannot be told."""
    named = folder / f"{assignment}.ipynb"
    if named.is_file() and not named.is_symlink():
        return named, ()
    found = sorted(p for p in folder.glob("*.ipynb") if p.is_file() and not p.is_symlink())
    if len(found) == 1:
        return found[0], (f"The file should be called {assignment}.ipynb; it was {found[0].name}.",)
    names = ", ".join(path.name for path in found)
    raise Unreadable(
        f"There are several notebooks ({names}) and none is called {assignment}.ipynb."
        if found
        else f"There is no notebook; {assignment}.ipynb should be here."
    )


def read(path: Path) -> dict[str, Any]:
    """The notebook's JSON; `Unreadable` if it is none."""
    if path.stat().st_size == 0:
        raise Unreadable(f"{path.name} is empty.")
    if path.stat().st_size > LARGEST:
        raise Unreadable(f"{path.name} is larger than {LARGEST >> 20} MB; clear its outputs and hand it in again.")
    try:
        read = json.loads(path.read_text("utf-8-sig"))
        notebook = json.loads(clean(json.dumps(read, ensure_ascii=False)))  # half an emoji would not run
    except (ValueError, RecursionError):
        raise Unreadable(f"{path.name} is no notebook: its JSON is damaged.") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise Unreadable(f"{path.name} has no cells as a notebook of today has; open and save it in JupyterLab.")
    if len(notebook["cells"]) > MOST_CELLS:
        raise Unreadable(f"{path.name} has more than {MOST_CELLS} cells.")
    return notebook


def about(notebook: dict[str, Any]) -> dict[str, Any]:
    """What a notebook says of itself: whose it is, and of which release."""
    metadata = notebook.get("metadata")
    said = metadata.get("mialab") if isinstance(metadata, dict) else None
    return said if isinstance(said, dict) else {}


def take(release: dict[str, Any], source: dict[str, Any], submitted: dict[str, Any]) -> Taken:
    """The assignment's notebook with the student's cells in it, in the student's order.

    An answer is known by the mark that nbgrader gave its cell, or, where another tool has lost the marks, by the name
    that it defines. Each hidden test, which the source has and the release has not, follows the last cell that answers
    it; cells of the assignment itself are taken from the assignment.
    """
    frame = {_grade_id(cell): cell for cell in source["cells"] if _grade_id(cell)}
    answers = {name: cell for name, cell in frame.items() if cell["metadata"]["nbgrader"]["solution"]}
    given = {_squeeze(_source(cell)) for cell in release["cells"] if _grade_id(cell) not in answers}
    places, unmarked = _places(submitted, frame, answers, given)
    last = {place.question: i for i, place in enumerate(places) if place.question}
    locked = {name: cell for name, cell in frame.items() if cell["metadata"]["nbgrader"]["locked"]}
    cells = [_own(cell) for name, cell in locked.items() if not name.endswith("_test")]

    def answered(question: str, source: str) -> list[dict[str, Any]]:
        return [{**_own(answers[question]), "source": source}, _own(frame[f"{question}_test"])]

    for i, (question, cell) in enumerate(places):
        cells += answered(question, cell["source"]) if question and last[question] == i else [cell]
    for question in answers:
        if question not in last:
            cells += answered(question, "# This cell was not handed in.")
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number:04d}"
    found = {question: _code(places[i].cell["source"], _source(answers[question])) for question, i in last.items()}
    codes = {question: code for question, code in found.items() if code}
    texts = {_grade_id(cell) for cell in submitted["cells"] if _grade_id(cell) and cell.get("cell_type") != "code"}
    return Taken({**release, "cells": cells}, _odd(places, unmarked, answers, texts), codes)


class _Place(NamedTuple):
    """A student's cell, and the question that it answers, if any."""

    question: str | None
    cell: dict[str, Any]


def _places(
    submitted: dict[str, Any], frame: dict[str, Any], answers: dict[str, Any], given: set[str]
) -> tuple[list[_Place], list[str]]:
    """The student's own cells in their order, and the questions whose answers were found by name alone."""
    places: list[_Place] = []
    unmarked: list[str] = []
    for cell in submitted["cells"]:
        source = _source(cell) if isinstance(cell, dict) else None
        if source is None or cell.get("cell_type") not in ("code", "markdown"):
            continue
        mark = _grade_id(cell)
        if (mark in frame and mark not in answers) or _squeeze(source) in given:
            continue  # a cell of the assignment: ours is taken
        question = mark if mark in answers else None
        if cell["cell_type"] == "markdown":
            question = None
        elif (defined := [name for name in answers if _defines(source, name)]) and question not in defined:
            unmarked.append(question := defined[-1])
        places.append(_Place(question, _cell(cell["cell_type"], source)))
    return places, unmarked


def _odd(places: list[_Place], unmarked: list[str], answers: dict[str, Any], texts: set) -> tuple[str, ...]:
    """What was odd about a submission, a sentence each."""
    notes = []
    if unmarked:
        notes.append(f"Found by name, in cells that are not marked as answers: {', '.join(unmarked)}.")
    for question in answers:
        n_cells = sum(place.question == question for place in places)
        if n_cells > 1:
            notes.append(f"There are several cells for {question}; they were run in order, so the last one counts.")
        if n_cells == 0 and question in texts:
            notes.append(f"The cell of {question} was turned into text, so it did not run; its type should be Code.")
        elif n_cells == 0:
            notes.append(f"The cell of {question} was deleted or renamed.")
    return tuple(notes)


def drop(notebook: dict[str, Any], index: int) -> str | None:
    """Take a student's cell out of a notebook to run, and say which; None if it is not theirs."""
    if not 0 <= index < len(notebook["cells"]):
        return None
    cell = notebook["cells"][index]
    mark = cell["metadata"].get("nbgrader")
    if cell["cell_type"] != "code" or (mark and not mark["solution"]):
        return None
    cell["source"] = "# This cell was left out: the notebook did not end while it ran."
    return mark["grade_id"] if mark else "a cell between the answers"


def _code(source: str, stub: str) -> str | None:
    """A digest of an answer's words, those of its comments too and its layout not; None where it is not long.

    Who copies code copies its comments and names; two people who think alike write the same few lines.
    """
    words = _words(source)
    own = Counter(words) - Counter(_words(stub))
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16] if own.total() >= MANY_WORDS else None


def _words(source: str) -> list[str]:
    """The tokens of a cell, comments as words of their own; none where it is no Python."""
    layout = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    try:
        found = tokenize.generate_tokens(io.StringIO(source[:LONGEST]).readline)
        return [word for token in found if token.type not in layout for word in token.string.split()]
    except (tokenize.TokenError, SyntaxError):
        return []


def _grade_id(cell: Any) -> str | None:
    try:
        return str(cell["metadata"]["nbgrader"]["grade_id"])
    except (KeyError, TypeError):
        return None


def _source(cell: dict[str, Any]) -> str | None:
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else None


def _squeeze(source: str | None) -> str:
    return re.sub(r"\s+", " ", source or "").strip()


def _defines(source: str, name: str) -> bool:
    return re.search(rf"^(?:def\s+{name}\s*\(|{name}\s*(?::[^=\n]+)?=(?!=))", source, re.MULTILINE) is not None


def _cell(kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _own(cell: dict[str, Any]) -> dict[str, Any]:
    kept = _cell(cell["cell_type"], _source(cell) or "")
    return {**kept, "metadata": {"nbgrader": dict(cell["metadata"]["nbgrader"])}}
