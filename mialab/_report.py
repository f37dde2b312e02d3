"""The report of an audit: one page of HTML that needs nothing else, its first part for a reader who runs no attacks."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

CSS = """
:root { color-scheme: light dark; --ink: #1c2027; --soft: #5a6270; --paper: #fff; --line: #d9dde3; --panel: #f4f6f8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaee; --soft: #a8b0bd; --paper: #16181d; --line: #3a404a; --panel: #20242b; } }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  max-width: 52rem; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; }
p, ul { margin: .5rem 0; }
.soft { color: var(--soft); }
.answer { background: var(--panel); border-left: 6px solid var(--mark); padding: 1rem 1.25rem; border-radius: 4px; }
.answer strong { display: block; font-size: 1.15rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; background: #fff; border-radius: 4px; }
dt { font-weight: 600; margin-top: .5rem; } dd { margin: 0; }
code { font-size: .9em; overflow-wrap: anywhere; white-space: pre-wrap; }
.next { break-before: page; border-top: 1px solid var(--line); margin-top: 3rem; }
@media print { :root { --ink: #000; --soft: #444; --paper: #fff; --line: #bbb; --panel: #f2f2f2; }
  body { max-width: none; padding: 0; font-size: 11pt; } .next { border: 0; margin-top: 0; }
  tr, figure { break-inside: avoid; } }
@page { size: A4; margin: 18mm; }
"""
DASHES = ["-", "--", "-.", ":", (0, (8, 2, 2, 2, 2, 2)), (0, (12, 3))]  # each curve its own, for readers without colour
MARKS = {"leaks": "#B34A00", "no leak found": "#5a6270", "too little evidence": "#7B6A1E"}  # never green: no all-clear
TITLES = {
    "leaks": "The model gives away members.",
    "no leak found": "No leak was found. That is no proof that there is none.",
    "too little evidence": "Too little evidence to say.",
}
SHOWN = 20  # of the members most exposed


def report(found: Any) -> str:
    """The HTML of an `Audit`."""
    name, best = escape(found.name), found.attacks[found.best]
    rows = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Membership audit of {name}</title>",
        f"<style>{CSS}:root {{ --mark: {MARKS[found.outcome]}; }}</style></head><body>",
        "<header>",
        f"<h1>Membership audit of {name}</h1>",
        '<p class="soft">Can someone who may only ask this model questions find out whose records trained it?</p>',
        "<p><strong>Confidential.</strong> Row numbers in this report and in the .json beside it are about individual "
        "people, and can be linked to the audited records. Treat both like those records: same access, same retention, "
        "not to be forwarded.</p>",
        "</header><main>",
        f'<div class="answer"><strong>{TITLES[found.outcome]}</strong><p>{escape(found.answer)}</p></div>',
        "<h2>Who is affected</h2>",
        *(f"<p>{sentence}</p>" for sentence in _who(found)),
        "<h2>What to do next</h2>",
        _list(found.advice()),
        "<h2>What this does not prove</h2>",
        _list(
            [
                "It says what these attacks found on these records. An attack that was not tried may find more.",
                "An average over people can hide a few who are fully exposed, and a few who are exposed do not mean "
                "that all are.",
                "The auditor knows who the members are and trained models on all records given. A real attacker may "
                "know less, or something that was not thought of here.",
                f"One model was audited, on {best.n_members} members and {best.n_non_members} non-members. Another "
                "training run of the same kind may leak more or less.",
                "It does not decide whether the model is anonymous or is itself personal data, nor whether any law is "
                "complied with, and it does not measure how serious it would be for a person to be known as a member: "
                "a risk assessment needs both. It is no legal advice.",
            ]
        ),
        *(["<h2>Notes</h2>", _list(found.notes)] if found.notes else []),
        '<section class="next"><h2>For engineers: the attacks</h2>',
        f"<p>Accuracy {found.accuracy[0]:.3f} on members and {found.accuracy[1]:.3f} on non-members. AUC is how often "
        "a member outranks a non-member; 0.5 is chance, with the standard deviation in the column “null sd”. "
        f"“chance” is the probability that guessing does as well, times the {len(found.attacks)} attacks looked at. "
        "TPR is the share of members caught at 1% false alarms, and the precision is what an accusation is then "
        f"worth if {100 * found.base_rate:g}% of the suspects are members.</p>",
        _table(found.table.reset_index(names="attack"), "Every attack on the model."),
        _figure(found),
        "<h2>What each attacker knows</h2><dl>",
        *(f"<dt>{escape(attack)}</dt><dd>{escape(knows)}</dd>" for attack, knows in found.threats.items()),
        "</dl>",
        "<h2>By class</h2>",
        _table(found.by_class, f"AUC of {found.best} within each class (empty: too few records)."),
        f"<h2>The {min(SHOWN, len(found.members))} members most exposed</h2>",
        "<p>Rows are counted from 0 in the members given; what the records hold is not shown here. “as high” is the "
        "share of non-members that the strongest attack scores as high: 0 means that none is. “models” is how often a "
        "model trained with this record is surer of it than one trained without it.</p>",
        _table(found.members.head(SHOWN).drop(columns="label"), "Most exposed first."),
        "<h2>Output defences</h2>",
        "<p>The same model behind coarser answers, against attackers who know that. Accuracy is on non-members.</p>",
        _table(found.defences, "The strongest attack that is left, of those that were run."),
        *(["<h2>Training-time defences to try</h2>", _list(_to_try(found))] if _to_try(found) else []),
        "<h2>To repeat it</h2><dl>",
        *(f"<dt>{escape(key)}</dt><dd><code>{escape(str(value))}</code></dd>" for key, value in found.settings.items()),
        "</dl></section></main></body></html>",
    ]
    return "\n".join(rows) + "\n"


def _who(found: Any) -> list[str]:
    """Who is exposed, in words."""
    members = found.members
    alone = int((members["as_high"] == 0).sum())
    sentences = []
    if found.outcome == "leaks":
        sentences.append(
            f"{alone} of {len(members)} members are scored above every non-member by the strongest attack. That line "
            "was drawn afterwards, by someone who knew the members: a real attacker has to guess it, and accuses "
            "others too."
        )
        known = found.by_class.dropna(subset=["auc"])
        if len(known) > 1:
            worst = known["auc"].idxmax()
            sentences.append(
                f"By class, members of “{escape(str(known['class'][worst]))}” are told apart best (in "
                f"{known['auc'][worst]:.0%} of pairs)."
            )
    else:
        sentences.append("This audit did not show that anybody is exposed; it cannot show that nobody is.")
    if members["models"].notna().any():
        sentences.append(
            "This is the worst case: the strongest attacks used models trained on random parts of the very records "
            "that were audited, which most attackers do not have."
        )
    sure = int((members["models"] > 0.9).sum())
    if members["models"].notna().any():
        sentences.append(
            f"For {sure} of {len(members)} members, models trained with the record are nearly always surer of it than "
            "models trained without it. That is about models of this kind, and from few of them: a hint where to look."
        )
    return sentences


def advice(found: Any) -> list[str]:
    """What to do next, one sentence each."""
    todo = []
    if found.outcome == "too little evidence":
        todo.append("Repeat the audit with more members and non-members before you decide anything on it.")
    if found.outcome == "leaks":
        full, coarser = found.defences["auc"].iloc[0], found.defences.iloc[1:]
        if "label only" not in found.attacks:  # what gets past labels alone was not tried
            coarser = coarser[coarser["defence"] != "label only"]
        helps = coarser.sort_values("auc", kind="stable").iloc[0]
        if full - helps["auc"] > 0.02:
            todo.append(
                f"Of the coarser answers that were tried, “{helps['defence']}” left the attacks the least: right in "
                f"{helps['auc']:.0%} of pairs in place of {full:.0%}. Other attacks may get past it; it is no "
                "substitute for training with care."
            )
        else:
            todo.append("Coarser answers alone hardly change what the attacks find; the training has to change.")
        if found.recipes:
            todo.append("Train anew with more care and audit again; what to try stands in the second part.")
        todo.append(
            "For a promise that holds against every attack, train with differential privacy, and compare the accuracy."
        )
        todo.append(
            "Until then limit who may ask, how often, and in what detail, and keep a log of the questions; that log "
            "holds people's records, so limit who may read it, and for how long it is kept."
        )
    if found.outcome == "no leak found":
        todo.append("Audit again whenever the model, its data or its interface changes.")
    if any("No shadow models" in note for note in found.notes):
        todo.append("Give the training recipe (estimator=…), so that the strongest attacks can be run as well.")
    return todo


def _to_try(found: Any) -> list[str]:
    """The training-time defences for this kind of model, as a list; none is measured."""
    if found.outcome != "leaks":
        return []
    private = "differential privacy: mialab.nets with a clip and noise, see mialab.privacy"
    return [f"{recipe} (not measured here)" for recipe in [*found.recipes, private]]


def _list(items: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def _table(table: pd.DataFrame, caption: str) -> str:
    head = "".join(f'<th scope="col">{escape(str(name).replace("_", " "))}</th>' for name in table.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in table.itertuples(index=False)
    )
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.3f}"
    return str(value)


def _figure(found: Any) -> str:
    """The ROC of every attack, on plain and on logarithmic axes, as an image in the page."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 4.2), layout="constrained")
    for ax, scale in zip(fig.subplots(1, 2), ("linear", "log"), strict=True):
        least = 1 / max(2, next(iter(found.attacks.values())).n_non_members)
        start = 0 if scale == "linear" else least / 2
        ax.plot([start, 1], [start, 1], color="#5f6672", linestyle=(0, (1, 3)), linewidth=1.4, label="chance")
        for i, (name, result) in enumerate(found.attacks.items()):
            curve = result.roc()
            style = {"linestyle": DASHES[i % len(DASHES)], "color": f"C{i}"}
            ax.plot(curve.fpr, curve.tpr, label=name, linewidth=2.6 if name == found.best else 1.3, **style)
        ax.set(xscale=scale, yscale=scale, xlim=(start, 1), ylim=(start, 1.02))
        ax.set(xlabel="non-members accused", ylabel="members caught")
        ax.grid(color="#e3e6ea")
    fig.axes[0].legend(loc="lower right", fontsize=8, frameon=False)
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=130, metadata={"Software": None})
    data = base64.b64encode(file.getvalue()).decode("ascii")
    best = found.attacks[found.best]
    alt = (
        f"Members caught against non-members accused, for {len(found.attacks)} attacks, on plain and on logarithmic "
        f"axes. The strongest, {found.best}, has AUC {best.auc:.2f}."
    )
    return f'<figure style="margin:1rem 0"><img alt="{escape(alt)}" src="data:image/png;base64,{data}"></figure>'
