"""A finished figure with its alt text."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
