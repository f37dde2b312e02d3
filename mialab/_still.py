"""What Jupyter's server does when it saves a notebook: it keeps a panel's still picture, not the live one.

A live panel belongs to its kernel. Reopened without it, the notebook would show an error in the panel's place.
"""

from __future__ import annotations

from typing import Any

STILL = "mialab-still"  # the class of a panel's HTML
WIDGET = "application/vnd.jupyter.widget-view+json"


def keep_still(model: dict[str, Any], **_: Any) -> None:
    """Take the live panels out of a notebook that is about to be saved, in place; other widgets stay."""
    if model["type"] != "notebook" or model["content"].get("nbformat") != 4:
        return
    for cell in model["content"]["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if STILL in "".join(data.get("text/html", "")):
                data.pop(WIDGET, None)
