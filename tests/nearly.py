"""nbval takes figures for the same that another processor computes in another last digit.

A small net is trained in thousands of sums, and processors round these in different order: a mean over 30 nets has
moved by .01 between two machines. What a sentence says of a figure is asserted elsewhere; this comparison is to
notice another figure, another word, or another order. tests/beside_nbval.py has nbval compare so.
"""

from __future__ import annotations

import re

FIGURE = re.compile(r"[-+]?\d+\.\d+(?:%|\b)|\b\d+%")
APART = 0.015  # of a share, an AUC or a difference of two
PERCENT = 1.5


class Output(str):
    """A cell's output, equal to one of the same words whose figures are nearly the same."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and nearly(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def nearly(one: str, other: str) -> bool:
    """Tell whether two texts have the same words, and figures that differ by no more than a processor may make them.

    Figures are numbers with decimals, and percentages; whole numbers are counts and must be the same, and so must
    all that has no figure in it. White space is folded, for columns move when a sign comes or goes.
    """
    if str.__eq__(one, other):
        return True
    figures = [[_value(found) for found in FIGURE.findall(text)] for text in (one, other)]
    words = [" ".join(FIGURE.sub("#", text).split()) for text in (one, other)]
    if words[0] != words[1]:
        return False
    return all(a == b or (u == v and abs(a - b) <= v) for (a, u), (b, v) in zip(*figures, strict=True))


def _value(figure: str) -> tuple[float, float]:
    """A figure as a number, and how far from it another machine's may be: a unit of its last digit at the least."""
    number = figure.rstrip("%")
    unit = 10.0 ** -len(number.partition(".")[2])
    return float(number), max(PERCENT if figure.endswith("%") else APART, 1.01 * unit if unit < 1 else 0)
