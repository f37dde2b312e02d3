"""The form of a notebook: short, mostly idea, words before use. Those of before stand on a list that only shrinks."""

from __future__ import annotations

import ast
import builtins
import inspect
import re

import nbformat
import pytest
from hover import without_hover
from refresh_notebooks import notebooks

from mialab import plots
from mialab.exercises import chapters

BOOKS = {path.stem: nbformat.read(path, as_version=4) for path in notebooks()}
CHAPTERS = {chapter.notebook: chapter for chapter in chapters()}
each = pytest.mark.parametrize("name", BOOKS)

MOST_CELLS, MOST_LINES, MOST_EXERCISES, MOST_MINUTES = 36, 12, 5, 40
LEAST_IDEA = 0.85
# What a reader with a first Python course knows; everything else that a cell calls is named in the text before it.
KNOWN = {
    *dir(builtins), *dir(str), *dir(list), *dir(dict), *dir(set), "array", "mean", "sum", "min", "max", "round",
    "check", "recap", "yours", "hint", "all", "any", "astype", "tolist",
}  # fmt: skip


def code(book, folded=False):
    """The code cells, folded or not, without the exercises' stubs."""
    return [
        cell for cell in book.cells
        if cell.cell_type == "code" and ("hide-input" in cell.metadata.get("tags", [])) == folded
        and "exercise" not in cell.metadata.get("tags", [])
    ]  # fmt: skip


def lines(source: str) -> list[str]:
    return [line for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]


def kind(statement: ast.stmt, text: str) -> str:
    """What a statement is to a reader: the idea, drawing, or a proof of the makers' sentences."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return "import"
    if isinstance(statement, ast.Assert):
        return "idea" if re.search(r"==|isclose|allclose", text) else "proof"
    return "drawing" if re.search(r"\bax(es)?\b\s*[.=,]|\bfig\b|plt\.|sns\.|show\(", text) else "idea"


def share_of_idea(book) -> float:
    """The share of the visible lines, imports aside, that are the idea."""
    count = {"idea": 0, "drawing": 0, "proof": 0, "import": 0}
    for cell in code(book):
        for statement in ast.parse(cell.source).body:
            text = ast.get_source_segment(cell.source, statement)
            count[kind(statement, text)] += len(lines(text))
    return count["idea"] / max(1, count["idea"] + count["drawing"] + count["proof"])


def minutes(name: str) -> float:
    """150 words a minute, 18 seconds a line of code, and what its exercises say.

    Readers of the first build took 18, 45, 50, 50 and 80 minutes for its first five notebooks: this gives 19, 49, 52,
    49 and 77.
    """
    book, exercises = BOOKS[name], CHAPTERS[name].exercises.values()
    words = len(without_hover("\n".join(c.source for c in book.cells if c.cell_type == "markdown")).split())
    read = sum(len(lines(cell.source)) for cell in code(book))
    return words / 150 + 0.3 * read + sum(e.minutes for e in exercises)


def past_the_form(name: str) -> list[str]:
    """What of a notebook is more than the form allows."""
    book = BOOKS[name]
    found = {
        "cells": len(book.cells) - MOST_CELLS,
        "lines": max(len(lines(cell.source)) for cell in code(book)) - MOST_LINES,
        "exercises": len(CHAPTERS[name].exercises) - MOST_EXERCISES,
        "minutes": 5 * -(-minutes(name) // 5) - MOST_MINUTES,
        "idea": LEAST_IDEA - share_of_idea(book),
    }
    return [what for what, over in found.items() if over > 0]


@each
def test_a_notebook_keeps_to_the_form(name):
    assert past_the_form(name) == []


@each
def test_the_minutes_are_what_readers_took(name):
    said = int(re.search(r"about (\d+) minutes", BOOKS[name].cells[0].source).group(1))
    assert 0 <= said - minutes(name) + 2.5 <= 7.5, minutes(name)


@each
def test_what_draws_is_folded_says_so_and_gives_nothing_to_a_cell_that_is_seen(name):
    bound, shown = set(), set()
    for cell in BOOKS[name].cells:
        if cell.cell_type != "code" or "exercise" in cell.metadata.get("tags", []):
            continue
        tree = ast.parse(cell.source)
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        imported = {
            a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom | ast.Import) for a in n.names
        }
        stored = {node.id for node in names if isinstance(node.ctx, ast.Store)} | imported
        if "hide-input" in cell.metadata.get("tags", []):
            assert cell.source.startswith("# Draws ")
            bound |= stored - shown
        else:
            assert not bound & {node.id for node in names if isinstance(node.ctx, ast.Load)} - stored, cell.source
            bound -= stored
            shown |= stored


def called(tree: ast.AST) -> set[str]:
    """The names of what a cell calls."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {f.id if isinstance(f, ast.Name) else f.attr for f in calls if isinstance(f, ast.Name | ast.Attribute)}


@each
def test_every_name_that_a_cell_calls_is_named_in_the_text_before_it(name):
    earlier = [BOOKS[other] for other in BOOKS if other < name]
    said = " ".join(cell.source for book in earlier for cell in book.cells if cell.cell_type == "markdown")
    made, unnamed = set(), []
    for cell in BOOKS[name].cells:
        if cell.cell_type == "markdown":
            said += cell.source
            continue
        tree = ast.parse(cell.source)
        made |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        if {"hide-input", "exercise"}.isdisjoint(cell.metadata.get("tags", [])):
            words = set(re.findall(r"\w+", without_hover(said)))
            unnamed += sorted(called(tree) - KNOWN - made - words)
    assert unnamed == []


@each
def test_no_chart_and_no_answer_to_a_guess_is_thrown_away(name):
    """A chart without `ax`, a finished figure or a reveal is shown as the last expression of its cell, or never."""
    charts = {n for n in plots.__all__ if inspect.isfunction(getattr(plots, n))} | {"reveal"}
    for cell in BOOKS[name].cells:
        if cell.cell_type == "code":
            tree = ast.parse(cell.source)
            for node in ast.walk(tree):
                if isinstance(node, ast.Expr) and node is not tree.body[-1] and isinstance(node.value, ast.Call):
                    name_called = ast.unparse(node.value.func).rpartition(".")[2]
                    on_axes = any(keyword.arg == "ax" for keyword in node.value.keywords)
                    assert name_called not in charts or on_axes, ast.unparse(node)


@each
def test_every_function_that_a_learner_writes_is_called_afterwards(name):
    """`ex.NAME.yours()` stands in the cell after the exercise, or in a later notebook."""
    for exercise in CHAPTERS[name].exercises.values():
        if exercise.kind == "write a function":
            call = f"ex.{exercise.name}.yours()"
            assert any(call in cell.source for cell in code(BOOKS[name])), call
