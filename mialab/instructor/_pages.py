"""Pages of HTML: one of feedback for each student, and the summary of the class. No scripts, and every word escaped."""

from __future__ import annotations

import base64
import io
from collections import Counter
from html import escape
from pathlib import Path

from mialab._files import write_whole
from mialab.exercises._panel import inline
from mialab.instructor._grading import Result
from mialab.instructor._judge import Mark
from mialab.instructor._strays import Stray

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .35em .6em; vertical-align: top; }
tr { border-bottom: 1px solid #8886; } td.n, th.n { text-align: right; }
section { border-left: .3em solid #7a869a; padding: .2em 1em; margin: 1em 0; }
section.correct { border-color: #2e9e5b; } section.not-yet { border-color: #d9822b; }
code { background: #8882; padding: 0 .2em; } img { max-width: 100%; background: #fff; } p.note { font-style: italic; }
"""
_OUTCOMES = {
    "correct": "✓ Correct",
    "not yet": "→ Not yet",
    "not attempted": "○ Not attempted",
    "not seen": "○ Nothing of this name was there when its check ran",
    "to be read": "✎ Handed in",
    "not handed in": "○ Not handed in",
    "unreadable": "→ Could not be read",
    "not graded": "· Not graded yet",
    "measured": "· Measured",
}


def write_feedback(results: list[Result], comments: dict[tuple[str, str, str], str], folder: Path) -> list[Path]:
    """One page for each student, with all their assignments."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for student in dict.fromkeys(r.student for r in results):
        own = [r for r in results if r.student == student]
        body = "".join(_assignment(result, comments) for result in own)
        path = folder / f"{student}.html"
        write_page(path, f"Feedback for {student}", f"<h1>Feedback for {escape(student)}</h1>{body}")
        pages.append(path)
    return pages


def _assignment(result: Result, comments: dict[tuple[str, str, str], str]) -> str:
    if result.status == "not assigned":
        return f"<h2>{escape(_title(result.assignment))}</h2><p>Not assigned.</p>"
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in result.notes)
    total = f"{result.points:g} of {result.of} points"
    if not result.complete:
        waiting = sum(mark.of for mark in result.marks if mark.points is None)
        total += f" so far; a written answer worth {waiting} is still to be read"
    parts = [f"<h2>{escape(_title(result.assignment))}</h2><p><strong>{total}.</strong></p>{notes}"]
    for mark in result.marks:
        comment = comments.get((result.student, result.assignment, mark.question), "")
        parts.append(_question(mark, comment, result.assignment))
    return "".join(parts)


def _question(mark: Mark, comment: str, assignment: str) -> str:
    points = f"{'–' if mark.points is None else f'{mark.points:g}'} of {mark.of}"
    lines = [f"<h3><code>{escape(mark.question)}</code> · {points}</h3><p>{_OUTCOMES[mark.outcome]}.</p>"]
    if mark.passed is not None and mark.outcome in ("not yet", "correct"):
        lines.append(f"<p>Hidden checks passed: {mark.passed} of {mark.cases}.</p>")
    lines += [f"<p>{inline(text)}</p>" for text in mark.text]
    if comment:
        lines.append(f"<p>Your reader says: {escape(comment)}</p>")
    if mark.outcome in ("not yet", "not attempted", "not seen") and mark.section:
        own = mark.section.startswith("Your own")  # a section of the assignment, which the lesson does not have
        where = "your assignment" if own else f"notebook {assignment[:2]}"
        lines.append(f"<p>Reread “{escape(mark.section)}” in {where}.</p>")
    kind = "correct" if mark.outcome == "correct" else "not-yet" if mark.outcome == "not yet" else ""
    return f'<section class="{kind}">{"".join(lines)}</section>'


def write_summary(results: list[Result], path: Path, strays: list[Stray] | None = None, unmatched: int = 0) -> None:
    """The class at a glance: how the points fell, which questions failed and why, and who needs a look."""
    body = ["<h1>The class</h1>"]
    if unmatched:
        body.append(f"<p>{escape(unmatched_words(unmatched))}</p>")
    if strays:
        places = "".join(f"<li>{escape(str(stray))}</li>" for stray in strays)
        body.append(
            "<h2>Worth a look: in nobody's place</h2><p>These lie in <code>submitted/</code> where no student's "
            f"assignment is looked for, and were not graded.</p><ul>{places}</ul>"
        )
    for assignment in dict.fromkeys(r.assignment for r in results):
        own = [r for r in results if r.assignment == assignment]
        body.append(f"<h2>{escape(_title(assignment))}</h2>{_numbers(own)}{_picture(own)}{_questions(own)}")
        body.append(_misconceptions(own) + _look_at(own) + _alike(own))
    write_page(path, "The class", "".join(body))


def unmatched_words(n: int) -> str:
    """What to say of lines of written.csv whose points go to nobody."""
    lines = "1 line has points but matches" if n == 1 else f"{n} lines have points but match"
    return f"written.csv: {lines} no answer: handed in again since, or an id was changed."


def _numbers(results: list[Result]) -> str:
    handed_in = [r for r in results if r.status not in ("missing", "not assigned")]
    waiting = sum(not r.complete for r in results)
    words = f"{len(handed_in)} of {sum(r.status != 'not assigned' for r in results)} handed in."
    graded = sorted(r.points for r in handed_in if r.status == "graded")
    if graded:
        middle = (graded[(len(graded) - 1) // 2] + graded[len(graded) // 2]) / 2
        words += f" Median {middle:g} of {results[0].of} points."
    if waiting:
        words += f" {waiting} have written answers still to be read (written.csv), so their points will rise."
    return f"<p>{words}</p>"


def _picture(results: list[Result]) -> str:
    """How the points fell, as a bar for each number of points."""
    points = [r.points for r in results if r.status == "graded"]
    if not points:
        return ""
    import matplotlib.pyplot as plt
    import numpy as np

    of = results[0].of
    counts = np.bincount(np.floor(points).astype(int), minlength=of + 1)
    with plt.style.context("mialab.course"):
        fig, ax = plt.subplots(figsize=(7, 2.6))
        ax.bar(np.arange(of + 1), counts, width=0.8)
        ax.set(xlabel=f"points, of {of}", ylabel="students", xlim=(-0.6, of + 0.6), title="How the points fell")
        ax.yaxis.get_major_locator().set_params(integer=True)
        file = io.BytesIO()
        fig.savefig(file, format="png", dpi=110, bbox_inches="tight")
        plt.close(fig)
    said = ", ".join(f"{n} with {p}" for p, n in enumerate(counts.tolist()) if n)
    picture = base64.b64encode(file.getvalue()).decode()
    return f'<p><img alt="Students by points: {said}." src="data:image/png;base64,{picture}"></p>'


def _questions(results: list[Result]) -> str:
    rows = []
    graded = [r for r in results if r.status == "graded"]
    for i, question in enumerate(m.question for m in results[0].marks):
        marks = [r.marks[i] for r in graded]
        tally = Counter(m.outcome for m in marks)
        other = sum(tally[o] for o in ("not attempted", "not seen"))
        cells = (tally["correct"], tally["not yet"], other, tally["to be read"])
        rows.append(
            f"<tr><td><code>{escape(question)}</code></td>{''.join(f'<td class=n>{n}</td>' for n in cells)}</tr>"
        )
    head = "".join(f'<th class="n" scope="col">{w}</th>' for w in ("correct", "not yet", "not attempted", "to be read"))
    return f'<table><thead><tr><th scope="col">question</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _misconceptions(results: list[Result]) -> str:
    """What was wrong, most frequent first, in the words of the diagnosis."""
    seen: Counter = Counter()
    words: dict[tuple[str, str], str] = {}
    for result in results:
        for mark in result.marks:
            if mark.diagnosis:
                seen[mark.question, mark.diagnosis] += 1
                words.setdefault((mark.question, mark.diagnosis), mark.text[0] if mark.text else "")
    if not seen:
        return ""
    rows = "".join(
        f'<tr><td class="n">{n}</td><td><code>{escape(question)}</code></td>'
        f"<td>{inline(words[question, diagnosis])}</td></tr>"
        for (question, diagnosis), n in seen.most_common(25)
    )
    head = "".join(f'<th scope="col">{title}</th>' for title in ("students", "question", "what was wrong"))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<h3>What went wrong, most frequent first</h3>{table}"


def _look_at(results: list[Result]) -> str:
    odd = [(r, " ".join((*r.notes, *r.asides))) for r in results if r.notes or r.asides]
    if not odd:
        return ""
    rows = "".join(
        f"<tr><td>{escape(r.student)}</td><td>{escape(r.status)}</td><td>{escape(words)}</td></tr>" for r, words in odd
    )
    head = '<tr><th scope="col">student</th><th scope="col">status</th><th scope="col">what was odd</th></tr>'
    return f"<h3>Worth a look</h3><table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _alike(results: list[Result]) -> str:
    """Answers that are the same word for word; short answers often are, so this is a hint and no proof."""
    groups: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for question, code in result.codes.items():
            groups.setdefault((question, code), []).append(result.student)
    same = [(question, students) for (question, _), students in groups.items() if len(students) > 1]
    if not same:
        return ""
    rows = "".join(f"<tr><td><code>{escape(q)}</code></td><td>{escape(', '.join(s))}</td></tr>" for q, s in same)
    return (
        "<h3>The same words</h3><p>Answers of some length that agree but for comments and layout. Two people can write "
        f"the same few lines: ask before you accuse.</p><table><tbody>{rows}</tbody></table>"
    )


def _title(assignment: str) -> str:
    number, _, words = assignment.partition("_")
    return f"Assignment {number}: {words.replace('_', ' ')}" if words else f"The {assignment}"


def write_page(path: Path, title: str, body: str) -> None:
    """Write a whole page of HTML, or nothing."""
    write_whole(
        path,
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body>{body}</body></html>\n",
    )
