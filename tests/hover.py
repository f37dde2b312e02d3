"""The meaning of a word where the pointer rests: each term of an earlier notebook, at its first use in a later one."""

from __future__ import annotations

import html
import re

import nbformat

from mialab.glossary import TERMS, Term

ABBR = re.compile(r'<abbr title="[^"]*">([^<]*)</abbr>')
# The words of notebook 00 (model, member, …) are on every line of the course: they would be hovered everywhere. An
# attack that is calibrated (09) is another thing than a model that is (03), and patients (19) have no botanist's label.
HOVERED = tuple(term for term in TERMS if term.notebook != "00" and term.name != "calibrated")
# Not in headings, tables, options, exercises' own lines, nor where a boundary of markdown or code would be crossed.
PLAIN_LINE = re.compile(r"(?![#|>`$]|- \*\*[a-z]\)|\*`|- says |\*\*Read on|\*\*Next)")


def without_hover(text: str) -> str:
    """The text as it was written."""
    return ABBR.sub(r"\1", text)


def with_hover(book: nbformat.NotebookNode, number: str) -> nbformat.NotebookNode:
    """Mark each earlier term at its first use in the prose of notebook `number`, in place."""
    waiting = [term for term in HOVERED if term.notebook < number and (term.name != "label" or number < "19")]
    for position, cell in enumerate(book.cells):
        if cell.cell_type != "markdown":
            continue
        cell.source = without_hover(cell.source)
        if position:  # the title's list of aims names what is still to come
            lesson, exercise, task = cell.source.partition("### Exercise")
            lines = [_mark(line, waiting) if PLAIN_LINE.match(line) else line for line in lesson.split("\n")]
            cell.source = "\n".join(lines) + exercise + task
    return book


def spelling(term: Term) -> re.Pattern:
    """Any spelling of a term, as a word; names in capitals keep them. A blind baseline (19) is another thing (02)."""
    words = "|".join(re.escape(form) for form in term.spellings)
    not_of = "(?! in )" if term.name == "confidence" else ""  # that in a label is not the largest
    return re.compile(
        rf"(?<![\w-])(?<!blind )(?:{words})(?![\w-]){not_of}", 0 if term.name.isupper() else re.IGNORECASE
    )


def _mark(line: str, waiting: list[Term]) -> str:
    # Pieces at odd places are code, links, emphasis or HTML, and stay as they are.
    pieces = re.split(r"(`[^`]*`|\[[^\]]*\]\([^)]*\)|\*\*[^*]*\*\*|\*[^*]*\*|<[^>]*>[^<]*</[^>]*>)", line)
    for place in range(0, len(pieces), 2):
        found = [(match, term) for term in waiting if (match := spelling(term).search(pieces[place]))]
        text, end, marked = "", 0, pieces[place]
        for match, term in sorted(found, key=lambda each: (each[0].start(), -len(each[0][0]))):
            if match.start() < end:
                continue  # inside a longer term, as "confidence" in "confidence gap"
            text += marked[end : match.start()] + f'<abbr title="{html.escape(term.means)}">{match[0]}</abbr>'
            end = match.end()
            waiting.remove(term)
        pieces[place] = text + marked[end:]
    return "".join(pieces)
