"""Pages of HTML from the templates in `mialab/templates`. Each page is one file that fetches nothing and runs nothing.

Whatever is put into a template is escaped there, so that a name or an answer stays words, whoever wrote it.
"""

from __future__ import annotations

import base64
import functools
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure


def render(template: str, **values: Any) -> str:
    """Return the page that a template makes of these values; a value that it misses is an error."""
    return _environment().get_template(template).render(values)


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("mialab"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def image(fig: Figure) -> str:
    """Return a figure as the address of an image that is inside the page; nothing in it tells when it was drawn."""
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=130, metadata={"Software": None})
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
