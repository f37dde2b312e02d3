"""Run every notebook afresh and save it with its outputs, less all that changes from run to run.

`make notebooks` calls this. A second run gives the same bytes. It stops at the first cell that fails.
"""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path

import nbformat
from hover import with_hover
from nbclient import NotebookClient

from mialab._still import WIDGET

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
README_FIGURE = NOTEBOOKS / "images" / "equal_accuracy.png"  # the output of the cell tagged "readme-figure"


def notebooks() -> list[Path]:
    """The course's notebooks, in order."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def execute(notebook: nbformat.NotebookNode, folder: Path, timeout: int = 60) -> nbformat.NotebookNode:
    """Run all cells of a notebook in `folder`, in place."""
    NotebookClient(
        notebook, timeout=timeout, resources={"metadata": {"path": str(folder)}}, record_timing=False
    ).execute()
    return notebook


def settle(notebook: nbformat.NotebookNode, number: str) -> nbformat.NotebookNode:
    """Drop what differs from run to run: versions, widget state, live widgets (a panel's still picture stays).

    A cell keeps its tags, and whether its source is folded. Terms of earlier notebooks get their meaning as hover
    text: `number` is the notebook's own, two digits.
    """
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        folded = {"source_hidden": True} if cell.metadata.get("jupyter", {}).get("source_hidden") else {}
        kept = {"tags": cell.metadata.get("tags", []), "jupyter": folded}
        cell.metadata = nbformat.from_dict({name: value for name, value in kept.items() if value})
        if cell.cell_type == "code":
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET, None)
    return with_hover(notebook, number)


def figure_of(notebook: nbformat.NotebookNode, tag: str) -> bytes | None:
    """The picture in the output of the cell with this tag."""
    for cell in notebook.cells:
        if tag in cell.metadata.get("tags", []):
            for output in cell.outputs:
                if found := re.search(r"base64,([A-Za-z0-9+/=]+)", output.get("data", {}).get("text/html", "")):
                    return base64.b64decode(found.group(1))
    return None


def main(names: list[str]) -> None:
    for path in notebooks():
        if names and not any(name in path.name for name in names):
            continue
        notebook = settle(execute(nbformat.read(path, as_version=4), NOTEBOOKS), path.name[:2])
        nbformat.write(notebook, path)
        if picture := figure_of(notebook, "readme-figure"):
            README_FIGURE.parent.mkdir(exist_ok=True)
            README_FIGURE.write_bytes(picture)
        print(f"refreshed {path.name}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
