"""What a panel shows at one setting, and the controls that set it: no widget is needed to compute or to test them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mialab.plots import Picture

# Lighter than a figure on the page, so that a panel answers at once: no search for a layout, fewer pixels.
QUICK = {"figure.constrained_layout.use": False, "savefig.dpi": 96}


@dataclass(frozen=True, repr=False)
class View:
    """A `View` is what a panel shows: sentences in `text`, and a figure that says the same.

    `draw(figure)` draws the figure, `size` is its width and height in inches.

    >>> view = View("Half of them are members.", lambda figure: figure.subplots().bar([0, 1], [10, 10]))
    >>> view
    Half of them are members.
    >>> view.picture()
    Figure: Half of them are members.
    """

    text: str
    draw: Callable[[Figure], Any]
    size: tuple[float, float] = (7.0, 2.6)

    def __repr__(self) -> str:
        return self.text

    def picture(self) -> Picture:
        """Return the figure, with the sentences as its alt text."""
        import matplotlib.pyplot as plt
        from matplotlib.figure import Figure

        from mialab.plots import show

        with plt.style.context(["mialab.course", QUICK]):
            fig = Figure(figsize=self.size)
            self.draw(fig)
            return show(fig, alt=self.text)


@dataclass(frozen=True)
class Range:
    """A slider: from `low` to `high` in steps."""

    name: str
    value: float
    low: float
    high: float
    step: float = 1
    unit: str = ""
    kind: str = "range"


@dataclass(frozen=True)
class Choice:
    """A list of which one is chosen."""

    name: str
    options: tuple[str, ...]
    value: str
    kind: str = "choice"


@dataclass(frozen=True)
class Button:
    """A button; its value is how often it was pressed."""

    name: str
    value: int = 0
    kind: str = "button"


Control = Range | Choice | Button
