"""Score a challenge and rank a class by it, with intervals: a rank that luck could have given is shown as a range."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from mialab._files import write_whole
from mialab._html import render
from mialab.instructor.challenge import _challenge
from mialab.instructor.grading._grading import Result
from mialab.instructor.grading._judge import Mark
from mialab.metrics import Z95, at_least, auc, auc_error, placements, tpr_at

FPR = 0.05
POINTS = {"scores_file": 2, "scores_auc": 6, "scores_caught": 2}


class Entry(NamedTuple):
    """One student's scores, measured."""

    student: str
    auc: float
    low: float
    high: float
    error: float  # standard error of the AUC
    caught: float  # share of members at 5% false alarms
    caught_low: float
    over_baseline: float  # AUC above the baseline's on the same target
    over_low: float
    over_high: float


def measure(student: str, scores: np.ndarray, target: _challenge.Target) -> Entry:
    """A student's AUC, its DeLong interval, the members caught, and the paired difference to the baseline."""
    inside, base = target.is_member, _challenge.baseline(target)
    mine, theirs = placements(scores[inside], scores[~inside]), placements(base[inside], base[~inside])
    area, error = auc(scores, inside), auc_error(mine)
    over, spread = area - auc(base, inside), auc_error((mine[0] - theirs[0], mine[1] - theirs[1]))
    caught = float(tpr_at(scores, inside, FPR))
    low, high = max(0.0, area - Z95 * error), min(1.0, area + Z95 * error)
    caught_low = at_least(round(caught * inside.sum()), int(inside.sum()), 0.025)
    return Entry(student, area, low, high, error, caught, caught_low, over, over - Z95 * spread, over + Z95 * spread)


def points(entry: Entry) -> dict[str, float]:
    """The published rule: what lies below the interval earns nothing, so luck earns nothing."""
    share = {
        "scores_file": 1.0,
        "scores_auc": np.clip((entry.low - 0.5) / 0.3, 0, 1),
        "scores_caught": np.clip((entry.caught_low - FPR) / 0.2, 0, 1),
    }
    return {name: round(float(of * share[name]), 1) for name, of in POINTS.items()}


def ranks(entries: list[Entry]) -> list[tuple[int, int]]:
    """For each the best and the worst rank that the intervals allow.

    Who is clearly better (the difference of two AUCs, each on its own target, is beyond 1.96 of its standard errors)
    stands above; who is clearly worse stands below; all others could stand on either side.
    """
    area, error = np.array([e.auc for e in entries]), np.array([e.error for e in entries])
    apart = np.subtract.outer(area, area) / np.maximum(np.hypot.outer(error, error), 1e-12)
    better, worse = (apart < -Z95).sum(axis=1), (apart > Z95).sum(axis=1)
    return [(1 + int(b), len(entries) - int(w)) for b, w in zip(better, worse, strict=True)]


def grade_challenge(course: Path, submitted: Path, key: Path | str | None) -> tuple[list[Result], list[Entry]]:
    """Every student's result in the challenge, and the measured entries."""
    _, secret, students = _challenge.read_challenge(course, key)
    results, entries = [], []
    for student in students:
        folder = submitted / student / _challenge.NAME
        if not folder.is_dir():
            marks = [Mark(name, 0.0, of, "not handed in") for name, of in POINTS.items()]
            results.append(Result(student, _challenge.NAME, "missing", marks))
            continue
        try:
            scores = _challenge.read_scores(folder / "scores.csv")
        except ValueError as trouble:
            marks = [Mark(name, 0.0, of, "unreadable", text=(f"{trouble}.",)) for name, of in POINTS.items()]
            results.append(Result(student, _challenge.NAME, "unreadable", marks, (f"scores.csv: {trouble}.",)))
            continue
        entries.append(measure(student, scores, _challenge.target_of(secret, student)))
        results.append(Result(student, _challenge.NAME, "graded", _marks(entries[-1])))
    return results, entries


def _marks(entry: Entry) -> list[Mark]:
    said = {
        "scores_file": "Your file could be read.",
        "scores_auc": f"AUC {entry.auc:.3f} (95% interval {entry.low:.3f} to {entry.high:.3f}). Against the baseline "
        f"on your target: {entry.over_baseline:+.3f} ({entry.over_low:+.3f} to {entry.over_high:+.3f}).",
        "scores_caught": f"{entry.caught:.0%} of the members were caught at 5% false alarms; with 95% confidence at "
        f"least {entry.caught_low:.0%}.",
    }
    given = points(entry)
    return [Mark(name, given[name], of, "measured", text=(said[name],)) for name, of in POINTS.items()]


# --- showing ---------------------------------------------------------------------------------------------------------

_HEAD = ("rank", "name", "AUC", "95% interval", "above baseline", "caught at 5%")
_NOTE = "A rank is a range where the intervals allow it: within a range, the order may be luck."


def rows(entries: list[Entry], names: dict[str, str]) -> list[tuple[str, ...]]:
    """The lines of the leaderboard, best first."""
    ordered = sorted(zip(entries, ranks(entries), strict=True), key=lambda pair: (-pair[0].auc, pair[0].student))
    return [
        (
            f"{best}" if best == worst else f"{best}–{worst}",
            names.get(e.student, e.student),
            f"{e.auc:.3f}",
            f"{e.low:.3f} to {e.high:.3f}",
            f"{e.over_baseline:+.3f} ({e.over_low:+.3f} to {e.over_high:+.3f})",
            f"{e.caught:.0%}",
        )
        for e, (best, worst) in ordered
    ]


def as_text(entries: list[Entry], names: dict[str, str]) -> str:
    """The leaderboard for a terminal."""
    table = [_HEAD, *rows(entries, names)]
    widths = [max(len(row[i]) for row in table) for i in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([*lines, "", _NOTE, ""])


def as_html(entries: list[Entry], names: dict[str, str]) -> str:
    """The leaderboard as a page."""
    return render("leaderboard.html", head=_HEAD, rows=rows(entries, names), note=_NOTE)


def write_leaderboard(entries: list[Entry], out: Path, names: dict[str, str]) -> None:
    """leaderboard.txt and leaderboard.html."""
    write_whole(out / "leaderboard.txt", as_text(entries, names))
    write_whole(out / "leaderboard.html", as_html(entries, names))
