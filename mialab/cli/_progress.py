"""`mialab progress`: what the learner has answered so far, and the totals."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from mialab.cli._lab import add_workbook, lab_words, workbook_of

if TYPE_CHECKING:
    import pandas as pd

HELP = "show what you have answered so far"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `mialab progress` its option."""
    add_workbook(parser)


def run(options: argparse.Namespace) -> int:
    """Print what has been answered so far, and the totals."""
    workbook = workbook_of(options)
    if not any((workbook / name).exists() for name in (".mialab.json", "progress.json")):
        raise ValueError(f"there is no workbook at {workbook}: run `{lab_words(options)}`, which makes one")
    os.environ["MIALAB_WORKBOOK"] = str(workbook)
    from mialab.exercises import progress_table

    table = progress_table()
    if note := table.attrs.get("note"):
        print(note)
    if table.empty:
        print("There are no exercises yet.")
        return 0
    print(_aligned(table))
    done = int((~table["outcome"].isin(["not attempted", "not yet"])).sum())
    points, most = table["points"].sum(), table["of"].sum()
    print(f"\n{done} of {len(table)} exercises done, {points:g} of {most:g} points.")
    written = table[table["runs"] != ""]
    own = (written["runs"] == "yours").sum()
    print(f"Your attack: {own} of {len(written)} functions are yours, the others the course's.")
    return 0


def _aligned(table: pd.DataFrame) -> str:
    """Return a table as lines of text: words to the left, numbers to the right."""
    columns = []
    for name, values in table.items():
        words = values.dtype.kind not in "if"
        cells = [name, *(str(value) if words else f"{value:g}" for value in values)]
        width = max(map(len, cells))
        columns.append([cell.ljust(width) if words else cell.rjust(width) for cell in cells])
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))
