"""Score a challenge and rank a class by it, with intervals: a rank that luck could have given is shown as a range."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from mialab._files import write_whole
from mialab._html import render
from mialab.instructor.challenge import _challenge, _scores
from mialab.instructor.challenge._challenge import POINTS, points
from mialab.instructor.grading._grading import Result
from mialab.instructor.grading._judge import Mark, marks_for
from mialab.metrics import MeanInterval, auc, mean_interval, tpr_at

FPR = 0.05


class Entry(NamedTuple):
    """One student's scores, measured: means over their targets, with 95% intervals over targets drawn as these were."""

    student: str
    counted: MeanInterval  # the AUC that points and ranks are given for
    auc: MeanInterval
    over: MeanInterval  # AUC above the baseline's on the same target
    caught: float  # share of members at 5% false alarms


def measure(student: str, scores: np.ndarray, targets: list[_challenge.Target], usual: float) -> Entry:
    """A student's AUCs, what is counted of them, the paired differences to the baseline, and the members caught.

    `scores` is (n_targets, n_records); `usual` is the baseline's mean AUC as it was published.
    """
    mine = np.array([auc(own, target.is_member) for own, target in zip(scores, targets, strict=True)])
    base = np.array([auc(_challenge.baseline(target), target.is_member) for target in targets])
    caught = [float(tpr_at(own, target.is_member, FPR)) for own, target in zip(scores, targets, strict=True)]
    counted = _challenge.counted(mine, base, usual)
    intervals = (mean_interval(each) for each in (counted, mine, mine - base))
    return Entry(student, *intervals, float(np.mean(caught)))


def ranks(entries: list[Entry]) -> list[tuple[int, int]]:
    """For each the best and the worst rank that the intervals allow.

    Who is clearly better (the difference of two counted AUCs is beyond its own 95% interval) stands above; who is
    clearly worse stands below; all others could stand on either side.
    """
    mean = np.array([e.counted.mean for e in entries])
    half = np.array([(e.counted.high - e.counted.low) / 2 for e in entries])
    apart = np.subtract.outer(mean, mean) / np.maximum(np.hypot.outer(half, half), 1e-12)
    better, worse = (apart < -1).sum(axis=1), (apart > 1).sum(axis=1)
    return [(1 + int(b), len(entries) - int(w)) for b, w in zip(better, worse, strict=True)]


def grade_challenge(course: Path, submitted: Path, key: Path | str | None) -> tuple[list[Result], list[Entry]]:
    """Every student's result in the challenge, and the measured entries."""
    about, secret, students = _challenge.read_challenge(course, key)
    results, entries = [], []
    for student in students:
        folder = submitted / student / _challenge.NAME
        if not folder.is_dir():
            marks = marks_for(POINTS.items(), "not handed in")
            results.append(Result(student, _challenge.NAME, "missing", marks))
            continue
        try:
            scores = _scores.read_scores(folder / "scores.csv", _challenge.N_TARGETS, _challenge.N_CANDIDATES)
        except ValueError as trouble:
            marks = marks_for(POINTS.items(), "unreadable", text=(f"{trouble}.",))
            results.append(Result(student, _challenge.NAME, "unreadable", marks, (f"scores.csv: {trouble}.",)))
            continue
        targets = [_challenge.target_of(secret, student, number) for number in range(len(scores))]
        entries.append(measure(student, scores, targets, about["baseline"]["mean"]))
        results.append(Result(student, _challenge.NAME, "graded", _marks(entries[-1])))
    return results, entries


def _marks(entry: Entry) -> list[Mark]:
    said = {
        "scores_file": "Your file could be read.",
        "scores_auc": f"Mean AUC over your {entry.auc.n} targets {_words(entry.auc)}; above the baseline on the same "
        f"targets: {_words(entry.over, '+')}. Allowing for how easy these are, {entry.counted.mean:.3f} is "
        f"counted. {entry.caught:.0%} of the members were caught at 5% false alarms. {_OVER}",
    }
    given = points(entry.counted.mean)
    return [Mark(name, given[name], of, "measured", text=(said[name],)) for name, of in POINTS.items()]


def _words(found: MeanInterval, sign: str = "") -> str:
    return f"{found.mean:{sign}.3f} ({found.low:{sign}.3f} to {found.high:{sign}.3f})"


# --- showing ---------------------------------------------------------------------------------------------------------

_HEAD = ("rank", "name", "AUC, counted", "AUC", "above baseline", "caught at 5%")
_OVER = (
    "The 95% intervals are over targets: how far a mean could lie from that of very many targets, with other members, "
    "wrong labels and training runs."
)
_NOTE = (
    "Every figure is a mean over a student's own targets; what is counted allows for how easy these are. "
    f"{_OVER} A rank is a range where the intervals allow it: within a range, the order may be luck."
)


def rows(entries: list[Entry]) -> list[tuple[str, ...]]:
    """The lines of the leaderboard, best first."""
    ordered = sorted(
        zip(entries, ranks(entries), strict=True), key=lambda pair: (-pair[0].counted.mean, pair[0].student)
    )
    return [
        (
            f"{best}" if best == worst else f"{best}–{worst}",
            e.student,
            _words(e.counted),
            _words(e.auc),
            _words(e.over, "+"),
            f"{e.caught:.0%}",
        )
        for e, (best, worst) in ordered
    ]


def as_text(entries: list[Entry]) -> str:
    """The leaderboard for a terminal."""
    table = [_HEAD, *rows(entries)]
    widths = [max(len(row[i]) for row in table) for i in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([*lines, "", _NOTE, ""])


def as_html(entries: list[Entry]) -> str:
    """The leaderboard as a page."""
    return render("leaderboard.html", head=_HEAD, rows=rows(entries), note=_NOTE)


def write_leaderboard(entries: list[Entry], out: Path) -> None:
    """leaderboard.txt and leaderboard.html."""
    write_whole(out / "leaderboard.txt", as_text(entries))
    write_whole(out / "leaderboard.html", as_html(entries))
