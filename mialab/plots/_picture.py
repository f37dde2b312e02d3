"""A finished figure with its alt text."""

from __future__ import annotations

import base64
import html
import inspect
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOOK = ("title", "xlabel", "ylabel", "xlim", "ylim", "xticks")  # what any chart may be given, for Axes.set


@dataclass(frozen=True, repr=False)
class Picture:
    """A `Picture` is a finished figure: an HTML image whose alt text states the finding.

    `png` holds the bytes of the image, `alt` the sentence, `width` the width on the page in pixels.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> show(ax.figure, alt="The tree leaks more than the net.")
    Figure: The tree leaks more than the net.
    """

    png: bytes
    alt: str
    width: int

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode("ascii")
        return (
            f'<img alt="{html.escape(self.alt)}" width="{self.width}" style="max-width:100%;background:white" '
            f'src="data:image/png;base64,{data}">'
        )


def show(fig: Figure, alt: str) -> Picture:
    """Turn a figure into a picture for the notebook, with `alt`, a sentence that states what the figure shows.

    The figure is closed. It raises ValueError if `alt` is not a sentence: a reader who cannot see the figure has only
    this.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> picture = show(ax.figure, alt="Members get higher scores than strangers.")
    >>> picture.alt, picture.width
    ('Members get higher scores than strangers.', 614)
    """
    import matplotlib.pyplot as plt

    if not hasattr(fig, "savefig"):
        raise ValueError(
            f"fig should be a matplotlib figure; {fig!r} is a {type(fig).__name__} (for an axes, pass ax.figure)"
        )
    if not isinstance(alt, str) or len(alt.split()) < 4:
        raise ValueError(f"alt should be a sentence that states what the figure shows; {alt!r} is too short for one")
    file = io.BytesIO()
    # The library's version in the file would change every figure of the course at every update.
    fig.savefig(file, format="png", metadata={"Software": None})
    plt.close(fig)
    return Picture(file.getvalue(), " ".join(alt.split()), round(fig.get_figwidth() * 96))


def chart(words: Callable[..., str], width: float = 7.0, height: float = 3.8, row: float = 0.0) -> Callable:
    """Make a chart of a function that draws on `ax`: `chart(…, ax=ax)` draws there and returns it.

    Without `ax` it is drawn on a figure of its own, in inches, `row` added to its height for each of the things that it
    is given first; and it is shown with its words: the title, then `words(…)` of the same arguments.
    """

    def decorate(draw: Callable) -> Callable:
        signature = inspect.signature(draw)

        @wraps(draw)
        def drawn(*args: Any, ax: Any = None, **settings: Any) -> Any:
            look = {name: settings.pop(name) for name in LOOK if name in settings}
            if ax is not None:
                draw(ax, *args, **settings).set(**look)
                return ax
            import matplotlib.pyplot as plt

            with plt.style.context("mialab.course"):
                things = signature.bind(ax, *args, **settings).args[1]
                fig, ax = plt.subplots(figsize=(width, height + (row * len(things) if row else 0)))
                draw(ax, *args, **settings).set(**look)
                said = words(*args, **settings)
                return show(fig, f"{look['title'].rstrip('.')}. {said}" if look.get("title") else said)

        own = list(signature.parameters.values())[1:]
        named = inspect.Parameter("ax", inspect.Parameter.KEYWORD_ONLY, default=None)
        rest = [p for p in own if p.kind is p.VAR_KEYWORD]
        drawn.__signature__ = inspect.Signature([*(p for p in own if p not in rest), named, *rest])
        return drawn

    return decorate
