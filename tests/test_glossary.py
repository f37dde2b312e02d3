"""One source of definitions: the notebooks say them as the glossary does, and use no word before it is defined."""

from __future__ import annotations

import re

import pytest
from hover import spelling, with_hover, without_hover
from nbformat.v4 import new_markdown_cell, new_notebook
from test_notebooks import BOOKS

from mialab.glossary import TERMS, define

NUMBERS = [name[:2] for name in BOOKS]


def plain(text: str) -> str:
    """Words without markdown, in small letters."""
    return " ".join(re.sub(r"[*`]", "", without_hover(text)).lower().split())


def cells(number: str) -> list[str]:
    """The markdown of a notebook."""
    book = next(book for name, book in BOOKS.items() if name.startswith(number))
    return [cell.source for cell in book.cells if cell.cell_type == "markdown"]


def place_of(term) -> int:
    """The cell that defines a term: the first where it stands in bold."""
    bold = re.compile("|".join(rf"\*\*{re.escape(form)}\*\*" for form in term.spellings), re.IGNORECASE)
    return next(i for i, text in enumerate(cells(term.notebook)) if bold.search(without_hover(text)))


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_a_term_is_defined_in_bold_in_the_words_of_the_glossary(term):
    assert term.means.lower() in plain(cells(term.notebook)[place_of(term)])


def sentences(text: str) -> list[str]:
    """What is read as prose: not headings, tables, code, or lists of books."""
    lines = [line for line in without_hover(text).split("\n") if not line.startswith(("#", "|", "**Next", "**Read on"))]
    prose = re.sub(r"`[^`]*`", "", "\n".join(lines))
    return re.split(r"(?<=[.!?:])\s+|\n", prose.replace("*", ""))


def used_too_early(term, earlier: list[str]) -> list[str]:
    """Sentences that use a term and do not say where it is explained."""
    points_there = re.compile(rf"notebooks? [\d, and]*{term.notebook}", re.IGNORECASE)
    return [s for text in earlier for s in sentences(text) if spelling(term).search(s) and not points_there.search(s)]


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_a_term_is_not_used_before_it_is_defined(term):
    # The first two cells of a notebook are its aims and the article's step, in the article's words.
    earlier = [text for number in NUMBERS if number < term.notebook for text in cells(number)[2:]]
    if term.notebook != "00":
        earlier += cells(term.notebook)[2 : place_of(term)]
    assert used_too_early(term, earlier) == []


def test_a_term_used_too_early_is_found():
    term = define("AUC")
    assert used_too_early(term, ["The **AUC** is high."]) == ["The AUC is high."]
    assert used_too_early(term, ["Notebook 06 calls it AUC. See `auc`.", "# AUC", "Aucuba is a shrub."]) == []


def test_no_spelling_stands_for_two_terms():
    spellings = [form.lower() for term in TERMS for form in term.spellings]
    assert len(spellings) == len(set(spellings))
    assert [term.notebook for term in TERMS] == sorted(term.notebook for term in TERMS)


def test_a_word_is_looked_up_in_any_of_its_forms():
    assert define("Shadows") is define("shadow model")
    assert repr(define("tpr")) == ("true positive rate: the share of members who are called members (notebook 06).")
    assert "<strong>AUC</strong>" in define("AUC")._repr_html_()
    with pytest.raises(ValueError, match="word is 'luck'; it should be one of model, record"):
        define("luck")


def test_hover_text_marks_each_earlier_term_once_and_nothing_else():
    text = "The AUC of a confidence gap, `AUC`, **AUC**.\n# The AUC\n- a fine AUC and a query\n### Exercise\nconfidence"
    book = with_hover(new_notebook(cells=[new_markdown_cell("AUC"), new_markdown_cell(text)]), "08")
    title, marked = (cell.source for cell in book.cells)
    assert title == "AUC" and without_hover(marked) == text
    found = re.findall(r'<abbr title="([^"]*)">([^<]*)</abbr>', marked)
    assert found == [(define("AUC").means, "AUC"), (define("confidence gap").means, "confidence gap")]
    assert with_hover(book, "08").cells[1].source == marked
    assert "<abbr" not in with_hover(book, "06").cells[1].source.split("gap")[1]
