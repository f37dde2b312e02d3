"""Pages of HTML: one of feedback for each student, and the summary of the class."""

from __future__ import annotations

import itertools
import re
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

from mialab._files import write_whole
from mialab._html import image, render
from mialab.exercises._engine._panel import inline
from mialab.instructor.grading._grading import Result
from mialab.instructor.grading._judge import Mark
from mialab.instructor.grading._strays import Stray


def write_feedback(results: list[Result], comments: dict[tuple[str, str, str], str], folder: Path) -> None:
    """One page for each student, with all their assignments but those that nobody has handed in."""
    pages, begun = [], {r.assignment for r in results if r.handed_in or r.zero}
    for student in dict.fromkeys(r.student for r in results):
        own = [r for r in results if r.student == student and r.assignment in begun]
        shown = {"student": student, "results": own, "comments": comments}
        pages.append(folder / f"{student}.html")
        write_whole(pages[-1], render("feedback.html", **shown, title_of=_title, inline=inline))
    for old in set(folder.glob("*.html")) - set(pages):  # of who has left the class
        old.unlink()


def write_summary(results: list[Result], path: Path, strays: list[Stray] | None = None, unmatched: int = 0) -> None:
    """The class at a glance: how the points fell, which questions failed and why, and who needs a look."""
    names = dict.fromkeys(r.assignment for r in results)
    assignments = [_glance([r for r in results if r.assignment == name]) for name in names]
    lost = unmatched_words(unmatched) if unmatched else ""
    write_whole(path, render("summary.html", assignments=assignments, strays=strays, unmatched=lost, inline=inline))


def unmatched_words(n: int) -> str:
    """What to say of lines of written.csv whose points go to nobody."""
    lines = "1 line has points but matches" if n == 1 else f"{n} lines have points but match"
    return f"written.csv: {lines} no answer: handed in again since, or an id was changed."


def _glance(results: list[Result]) -> dict[str, Any]:
    """What the summary shows of one assignment."""
    assigned = [r for r in results if r.status != "not assigned"]
    graded = [r for r in assigned if r.status == "graded"]
    fell, by, of = Counter(int(r.points) for r in graded), Counter(r.release for r in graded), results[0].of
    return {
        "title": _title(results[0].assignment),
        "assigned": len(assigned),
        "handed_in": sum(r.status != "missing" for r in assigned),
        "waiting": sum(not r.complete for r in results),
        "of": of,
        "graded": len(graded),
        "releases": ", ".join(f"{n} by {one}" for one, n in sorted(by.items())) if max(by, default=1) > 1 else "",
        "median": statistics.median(r.points for r in graded) if graded else None,
        "fell": ", ".join(f"{n} with {points}" for points, n in sorted(fell.items())),
        "picture": _bars(fell, of) if graded else None,
        "questions": [(mark.question, _tally([r.marks[i] for r in graded])) for i, mark in enumerate(results[0].marks)],
        "wrong": _misconceptions(results),
        "odd": [r for r in results if r.notes or r.asides],
        "alike": _alike(results),
    }


def _bars(fell: Counter[int], of: int) -> str:
    """How the points fell, as an image with a bar for each number of points."""
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context("mialab.course"):
        fig = Figure(figsize=(7, 2.6), layout="constrained")
        ax = fig.subplots()
        ax.bar(range(of + 1), [fell[points] for points in range(of + 1)], width=0.8)
        ax.set(xlabel=f"points, of {of}", ylabel="students", xlim=(-0.6, of + 0.6), title="How the points fell")
        ax.yaxis.get_major_locator().set_params(integer=True)
    return image(fig)


def _tally(marks: list[Mark]) -> tuple[int, ...]:
    """How many answers were correct, not yet, not attempted, and are to be read."""
    n = Counter(mark.outcome for mark in marks)
    return n["correct"], n["not yet"], n["not attempted"] + n["not seen"], n["to be read"]


def _misconceptions(results: list[Result]) -> list[tuple[int, str, str]]:
    """What was wrong, most frequent first: how often, with which question, and the words of the diagnosis."""
    marks = [mark for result in results for mark in result.marks if mark.diagnosis]
    seen = Counter((mark.question, mark.text[0] if mark.text else "") for mark in marks)
    return [(n, question, words) for (question, words), n in seen.most_common(25)]


def _alike(results: list[Result]) -> list[tuple[str, list[str]]]:
    """Answers that are alike: code word for word, texts in most of their runs of words. A hint, and no proof."""
    groups: dict[tuple[str, str], list[str]] = {}
    texts: dict[str, dict[str, str]] = {}
    for result in results:
        for answer in result.codes.items():
            groups.setdefault(answer, []).append(result.student)
        for mark in result.marks:
            texts.setdefault(mark.question, {})[result.student] = mark.answer
    code = [(question, students) for (question, _), students in groups.items() if len(students) > 1]
    return code + [(question, group) for question, said in texts.items() for group in alike_texts(said)]


def alike_texts(said: dict[str, str]) -> list[list[str]]:
    """Groups of students whose texts share most of their runs of four words, each with one other of its group at least.

    Texts of fewer than a dozen words are left out: short sentences are often alike.
    """
    words = {student: re.findall(r"\w+", text.casefold()) for student, text in said.items()}
    runs = {s: {tuple(own[i : i + 4]) for i in range(len(own) - 3)} for s, own in words.items() if len(own) >= 12}
    group = {student: {student} for student in runs}
    for one, other in itertools.combinations(runs, 2):
        if len(runs[one] & runs[other]) > 0.6 * min(len(runs[one]), len(runs[other])):
            joined = group[one] | group[other]
            group |= dict.fromkeys(joined, joined)
    return [list(each) for each in dict.fromkeys(tuple(sorted(g)) for g in group.values()) if len(each) > 1]


def _title(assignment: str) -> str:
    number, _, words = assignment.partition("_")
    return f"Assignment {number}: {words.replace('_', ' ')}" if words else f"The {assignment}"
