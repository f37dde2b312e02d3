"""The notebooks keep to their anatomy, hold what they should, and pass when every exercise is solved.

(nbval, in the same `make test`, runs each of them unanswered and compares its outputs with the committed ones.)
"""

from __future__ import annotations

import ast
import html
import re
from pathlib import Path

import nbformat
import pytest
from cells import touched_by
from hover import without_hover
from refresh_notebooks import README_FIGURE, execute, figure_of, notebooks, settle

from mialab.exercises import chapters

CHAPTERS = {c.notebook: c for c in chapters()}
PATHS = notebooks()
BOOKS = {p.stem: nbformat.read(p, as_version=4) for p in PATHS}
README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
ids = pytest.mark.parametrize("name", BOOKS, ids=str)

# Decimals and percentages that prose may hold: definitions, set-ups and quotations, never results of a run.
NOT_RESULTS = {
    "02": {"95%", "0.7", "2.02"},  # 0.7: a tree's question; 2.02: Student's t
    "03": {"0.9", "0.5", "0.99", "1.00", "1.1"},
    "04": {"1.00"},  # claimed in its sentence
    "05": {"0.5", "95%"},  # 95%: what a colleague says
    "06": {"0.5", "0.6", "0.8", "0.9", "1.0"},  # 0.9, 1.0: the six pairs
    "07": {"0.5", "0.50", "0.868", "1.00", "0.0001"},
    "08": {"95%", "0.5", "0.8"},  # claimed in notebook 06
    "09": {"0.99"},  # how sure a climb asks the target to be
    "10": {"0.50", "0.5", "0.8", "0.99", "0.9999", "1.0", "0.0"},
    "11": {"0.5", "1"},
    "12": {"0.9", "0.5", "1.0"},
    "13": {"0.5", "0.01", "0.54", "0.1", "5%"},  # the hospital of exercise 13.4
    "14": {"0.05", "0.3"},  # the bounds of exercise 14.5
    "15": {"0.01", "0.02", "0.05"},  # the rule of the verdicts, and another
    "18": {"0.3"},  # the audit of exercise 18.4
    "19": {"0.55"},  # the bound of exercise 19.1
    "20": {"0.5", "0.6", "0.9", "1%", "2.31"},  # chance, cutoffs, a rate that is assumed, and a fine
}


def code_cells(book):
    return [c for c in book.cells if c.cell_type == "code"]


def prose(book):
    return without_hover("\n\n".join(c.source for c in book.cells if c.cell_type == "markdown"))


def test_there_is_a_notebook_for_every_chapter_in_order():
    assert list(BOOKS) == list(CHAPTERS)


@ids
def test_every_code_cell_was_executed_once_in_order(name):
    """nbval compares nothing where a cell has no execution count: a cleared notebook would pass."""
    counts = [c.execution_count for c in code_cells(BOOKS[name])]
    assert counts == list(range(1, len(counts) + 1))


@ids
def test_committed_outputs_hold_no_errors_warnings_paths_or_dead_widgets(name):
    for cell in code_cells(BOOKS[name]):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", cell.source
            data = "".join(map(str, output.get("data", {}).values())) + str(output.get("text", ""))
            assert not re.search(r"/(home|root|tmp|Users|work)/", data)
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
    assert set(BOOKS[name].metadata) == {"kernelspec", "language_info"}
    for cell in BOOKS[name].cells:
        assert set(cell.metadata) <= {"tags", "jupyter"}
        folded = cell.metadata.get("jupyter", {})
        assert folded in ({}, {"source_hidden": True})
        assert ("hide-input" in cell.metadata.get("tags", [])) == bool(folded)  # folded on the site too


@ids
def test_every_figure_has_alt_text_that_is_a_sentence(name):
    figures = 0
    for cell in code_cells(BOOKS[name]):
        for output in cell.outputs:
            data = output.get("data", {})
            assert "image/png" not in data, f"a figure without alt text: use show(fig, alt=...)\n{cell.source}"
            for image in re.findall(r"<img[^>]*>", data.get("text/html", "")):
                figures += 1
                alt = re.search(r'alt="([^"]*)"', image).group(1)
                assert len(alt.split()) >= 8
                assert alt.endswith(".")
                assert "nan" not in alt.lower().split()
    assert figures >= 1


@ids
def test_only_cells_that_say_so_are_left_uncompared(name):
    """Ignored cells are few and known: versions of the learner's machine, and live widgets."""
    ignored = [c.source for c in code_cells(BOOKS[name]) if "nbval-ignore-output" in c.metadata.get("tags", [])]
    assert len(ignored) <= 2
    assert all("version(" in s or "mialab.widgets" in s for s in ignored)


@ids
def test_a_panel_has_a_still_picture_for_readers_without_a_kernel(name):
    for cell in code_cells(BOOKS[name]):
        if "from mialab.widgets import" in cell.source and "nbval-ignore-output" in cell.metadata.get("tags", []):
            (still,) = (output.data for output in cell.outputs)
            assert "run this cell" in still["text/html"] and "<img" in still["text/html"]
            assert still["text/plain"] in html.unescape(still["text/html"])


@ids
def test_the_anatomy(name):
    book, text = BOOKS[name], prose(BOOKS[name])
    assert book.cells[0].source.startswith(f"# {name[:2]} · ")
    for part in (
        "**The question.**",
        "After this notebook you can",
        "**Time:**",
        "> **What the attacker knows.**",
        "> **What this does not prove.**",
        "## Recap",
        "**Next, notebook" if name != list(CHAPTERS)[-1] else "## Where next",
    ):
        assert part in text, part
    assert 3 <= book.cells[0].source.count("\n- ") <= 5
    assert book.cells[-1].source == "ex.recap()"
    assert len(CHAPTERS[name].exercises) >= 3 and len(book.cells) >= 15  # at most: see tests/test_form.py
    for cell in code_cells(book):
        assert len(cell.source.splitlines()) <= 20, cell.source
    # A cell's imports come with the cell that first needs them, and cells have no hidden machinery.
    assert not any(line.startswith(("%", "!")) for c in code_cells(book) for line in c.source.splitlines())


@ids
def test_the_readme_has_the_same_minutes(name):
    said = re.search(r"about (\d+) minutes", BOOKS[name].cells[0].source).group(1)
    assert re.search(rf"\(notebooks/{name}\.ipynb\) \|[^|]*\| {said} \|", README)


@ids
def test_numpy_is_imported_before_the_first_function_is_written(name):
    sources = [c.source for c in code_cells(BOOKS[name])]
    functions = [e.cell for e in CHAPTERS[name].exercises.values() if e.kind == "write a function"]
    before = sources[: min((sources.index(cell) for cell in functions), default=None)]
    assert name.startswith("00") or any("import numpy as np" in source for source in before)


@ids
def test_no_number_is_typed_from_a_run_into_prose(name):
    text = re.sub(r"`[^`]*`|### Exercise[^\n]*|- \*\*[a-z]\)\*\*[^\n]*", "", prose(BOOKS[name]))  # code, options
    assert set(re.findall(r"\d+\.\d+|\d+%", text)) - NOT_RESULTS.get(name[:2], set()) == set()


@ids
def test_every_exercise_stands_in_its_notebook_once_as_declared(name):
    book = BOOKS[name]
    sources, text = [c.source for c in code_cells(book)], prose(book)
    for exercise in CHAPTERS[name].exercises.values():
        assert sources.count(exercise.cell) == 1, f"the cell of {exercise.name} is not the declared stub"
        points = f"{exercise.points} point" + "s" * (exercise.points != 1)
        minutes = f"about {exercise.minutes} minute" + "s" * (exercise.minutes != 1)
        assert f"*`{exercise.name}` · {exercise.kind} · {points} · {minutes}*" in text
        assert f"## {exercise.section}\n" in text + "\n", f"no section {exercise.section!r} to reread"
        if exercise.kind == "choose an answer":
            for letter, (option, _) in exercise.options.items():
                assert f"- **{letter})** {option}" in text
        if exercise.kind == "write a few sentences":
            assert all(f"- {point}" in text for point in exercise.rubric)
    # In their order: the recap, the table of progress and an assignment list them as they are declared.
    assert re.findall(r"\bex\.(\w+)\.check\(", "\n".join(sources)) == list(CHAPTERS[name].exercises)


@ids
def test_no_cell_of_a_notebook_gives_a_function_away(name):
    """No two lines in a row of a worked answer stand in the exercise's own cell or in the one before it."""
    book = BOOKS[name]
    for exercise in CHAPTERS[name].exercises.values():
        if exercise.kind != "write a function":
            continue
        body = ast.unparse(ast.parse(exercise.right_code).body[0].body[1:])
        position = next(i for i, c in enumerate(book.cells) if c.source == exercise.cell)
        shown = "\n".join(c.source for c in book.cells[max(0, position - 2) : position + 1])
        assert body not in shown


@pytest.fixture(params=list(BOOKS), ids="answered-{}".format)
def solved(request, tmp_path, monkeypatch):
    """A notebook in a learner's workbook, every stub solved, and each cell run that an answer touches.

    The others do what they do for nbval.
    """
    name = request.param
    (tmp_path / ".mialab.json").write_text("{}")
    monkeypatch.setenv("MIALAB_WORKBOOK", str(tmp_path))
    book = nbformat.from_dict(BOOKS[name])
    book = nbformat.reads(nbformat.writes(book), as_version=4)
    cells, answered = code_cells(book), set()
    for place, cell in enumerate(cells):
        for exercise in CHAPTERS[name].exercises.values():
            if cell.source == exercise.cell:
                cell.source = cell.source.replace(exercise.stub, exercise.right_code)
                answered.add(place)
    recap = len(cells) - 1
    book.cells = [cells[i] for i in touched_by([cell.source for cell in cells], answered | {recap})]
    execute(book, tmp_path)
    return name, book


@pytest.mark.long
def test_with_every_stub_solved_a_notebook_runs_and_all_checks_pass(solved):
    name, book = solved
    verdicts = {}
    for cell in code_cells(book):
        if found := re.search(r"ex\.(\w+)\.check\(", cell.source):
            verdicts[found.group(1)] = cell.outputs[-1]["data"]["text/plain"]
    assert verdicts.keys() == CHAPTERS[name].exercises.keys()
    assert all(text.startswith("✓") for text in verdicts.values()), verdicts
    recap = code_cells(book)[-1].outputs[-1]["data"]["text/plain"]
    total = len(CHAPTERS[name].exercises)
    assert f"{total} of {total} exercises done" in recap
    assert "All done." in recap
    assert "You made no guess" not in recap


def test_the_readme_shows_the_figure_of_the_notebook():
    figures = [f for b in BOOKS.values() if (f := figure_of(b, "readme-figure"))]
    assert len(figures) == 1
    assert README_FIGURE.read_bytes() == figures[0]
    assert README_FIGURE.name in README


def test_settling_keeps_tags_and_folds_and_drops_the_rest():
    kept = {"tags": ["hide-input"], "jupyter": {"source_hidden": True}}
    cell = nbformat.v4.new_code_cell("1", metadata={**kept, "collapsed": True, "execution": {}})
    cell.metadata.jupyter["outputs_hidden"] = True
    plain = nbformat.v4.new_code_cell("2", metadata={"jupyter": {"source_hidden": False}})
    book = settle(nbformat.v4.new_notebook(cells=[cell, plain]), "00")
    assert [c.metadata for c in book.cells] == [kept, {}]


@pytest.mark.long
@ids
def test_settling_a_notebook_twice_changes_nothing(name):
    """The hover text of every term is that of the glossary, and where it should be."""
    book = nbformat.reads(nbformat.writes(BOOKS[name]), as_version=4)
    assert nbformat.writes(settle(book, name[:2])) == nbformat.writes(BOOKS[name])
