"""Read the scores that a student hands in, however their tools have written them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

LARGEST = 1 << 20  # bytes of a file of scores
COLUMNS = ["target", "record", "score"]


def read_scores(path: Path, n_targets: int, n_records: int) -> np.ndarray:
    """The scores of a file, (n_targets, n_records); ValueError that names the line and what is wrong with it.

    Cells stand between commas or semicolons, in quotation marks or not; a first column without a name, which is how
    pandas writes its index, is passed over.
    """
    first, *lines = _lines(path) or [""]
    separator, header = _separator(first), columns_of(first)
    skip = 1 if header[:1] == [""] else 0
    if header[skip:] != COLUMNS:
        raise ValueError(f"line 1 should be: {','.join(COLUMNS)}")
    scores = np.full((n_targets, n_records), np.nan)
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        cells = _cells(number, line, separator)
        if len(cells) != skip + len(COLUMNS):
            raise ValueError(f"line {number} should have a target, a record and a score, as 0,17,0.93")
        target, record, score = _row(number, cells[skip:], n_targets, n_records)
        if not np.isnan(scores[target, record]):
            raise ValueError(f"line {number}: record {record} of target {target} stands twice")
        scores[target, record] = score
    missing = np.argwhere(np.isnan(scores)).tolist()
    if missing:
        first = "record {1} of target {0}".format(*missing[0])
        raise ValueError(f"{len(missing)} records have no score, the first is {first}")
    return scores


def columns_of(line: str) -> list[str]:
    """The columns that a file's first line names."""
    return [cell.lower() for cell in _cells(1, line, _separator(line))]


def _separator(line: str) -> str:
    return ";" if line.count(";") > line.count(",") else ","


def _lines(path: Path) -> list[str]:
    if not path.is_file() or path.is_symlink():
        raise ValueError("there is no scores.csv")
    if path.stat().st_size > LARGEST:
        raise ValueError("scores.csv is larger than 1 MB; it should have one short line for each record")
    try:
        return path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError("scores.csv is not text in UTF-8; save it as CSV") from None


def _cells(number: int, line: str, separator: str) -> list[str]:
    """The cells of one line, by itself: a quotation mark that is never closed spoils no other line."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
    except csv.Error as error:
        raise ValueError(f"line {number} cannot be read as CSV ({error})") from None


def _row(number: int, cells: list[str], n_targets: int, n_records: int) -> tuple[int, int, float]:
    """A target, a record and a score; a decimal comma is a decimal point."""
    target, record, score = (cell[:20] for cell in cells)
    try:
        row = int(cells[0]), int(cells[1]), float(cells[2].replace(",", "."))
    except ValueError:
        wanted = "a target, a record and a number"
        raise ValueError(f"line {number}: {target!r}, {record!r} and {score!r} should be {wanted}") from None
    for name, value, shown, n in (("target", row[0], target, n_targets), ("record", row[1], record, n_records)):
        if not 0 <= value < n:
            raise ValueError(f"line {number}: {name} {shown} should be from 0 to {n - 1}")
    if not np.isfinite(row[2]):
        raise ValueError(f"line {number}: the score of record {record} is {score}; it should be a finite number")
    return row
