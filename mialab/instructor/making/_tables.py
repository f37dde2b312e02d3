"""Read tables as spreadsheets save them: with commas, semicolons or tabs, in UTF-8 or what else there is."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

TOO_MANY = "…"  # the column for what a line holds beyond the last


def read_table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The columns' names, small and trimmed, and the lines; the separator is the one that the first line is made of."""
    text = _decoded(path.read_bytes())
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(row)]
    if not rows:
        return [], []
    columns = [name.strip().lower() for name in rows[0]]
    n = len(columns)
    return columns, [
        dict(zip(columns, row + [""] * n, strict=False)) | {TOO_MANY: ", ".join(filter(None, row[n:]))}
        for row in rows[1:]
    ]


def write_table(columns: list[str], rows: list[list]) -> str:
    """The text of a CSV file whose words no spreadsheet takes for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)  # whatever a spreadsheet takes for a separator
    writer.writerow(columns)
    writer.writerows([[plain_cell(v) if isinstance(v, str) else v for v in row] for row in rows])
    return text.getvalue()


def plain_cell(text: str) -> str:
    """A text that a spreadsheet takes for text: what began like a formula would be run."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"(^|[;\t\n])(?=[=+\-@\t])", r"\1'", text)


def _decoded(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:  # a spreadsheet on Windows; every byte of this has a meaning, if perhaps another letter
        return content.decode("cp1252", "replace")
