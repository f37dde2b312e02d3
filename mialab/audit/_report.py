"""The report of an audit: one page of HTML that needs nothing else, its first part for a reader who runs no attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mialab._html import image, render

if TYPE_CHECKING:
    import pandas as pd

DASHES = ["-", "--", "-.", ":", (0, (8, 2, 2, 2, 2, 2)), (0, (12, 3))]  # each curve its own, for readers without colour
SHOWN = 20  # of the members most exposed


def report(found: Any) -> str:
    """The HTML of an `Audit`."""
    members, classes = found.members, found.by_class.dropna(subset=["auc"]).to_dict(orient="records")
    return render(
        "audit.html",
        audit=found,
        best=found.attacks[found.best],
        alone=int((members["as_high"] == 0).sum()),
        worst=max(classes, key=lambda row: row["auc"]) if len(classes) > 1 else None,
        with_shadows=members["models"].notna().any(),
        sure=int((members["models"] > 0.9).sum()),
        exposed=members.head(SHOWN).drop(columns="label"),
        tables=[table for table in map(_attacks_of, [found] * 2, ("outsider", "auditor")) if len(table)],
        alarms=_alarms(found),
        evidence=found.evidence.drop(columns=["log_chance"]),
        curves=_curves(found),
    )


def _attacks_of(found: Any, who: str) -> pd.DataFrame:
    """The attacks of one kind of attacker."""
    return found.table[found.table["who"] == who].drop(columns="who").reset_index(names="attack")


def _alarms(found: Any) -> pd.DataFrame:
    """Members caught at few false alarms, one row an attack, one column a rate, with interval and rate reached."""
    import pandas as pd

    rows: dict[str, dict[str, str]] = {}
    for row in found.few_alarms.to_dict(orient="records"):
        cell = f"{row['tpr']:.1%} ({row['low']:.1%} to {row['high']:.1%}), reached {row['fpr']:.2%}"
        if row["next_fpr"] == row["next_fpr"]:
            cell = f"none: the strictest threshold accuses {row['next_fpr']:.1%} and catches {row['next_tpr']:.1%}"
        rows.setdefault(row["attack"], {"attack": row["attack"]})[f"at most {row['rate']:.1%}"] = cell
    return pd.DataFrame(list(rows.values()))


def answer(found: Any) -> str:
    """The outcome in two or three sentences, for a reader who runs no attacks."""
    best = found.attacks[found.best]
    numbers = f"{best.n_members} members and {best.n_non_members} non-members"
    if best.n_members < found.blind.n_members:
        numbers += " in pairs that look alike"
    if found.outcome == "leaks":
        return f"The model gives away who was in its training data. {_strength(found, numbers)}"
    blind = f"in {found.blind.auc:.0%} of pairs (half is chance)"
    if found.outcome == "cannot judge":
        columns = found.giveaways["column"].head(3).tolist()
        by = f"by {', '.join(columns)}" if columns else "by several columns together"
        return (
            f"These strangers cannot judge this model. A classifier that never asks the model tells members from "
            f"non-members {blind}, {by}, and no attack is ahead of it: what the attacks find may be that difference "
            "alone, and may hide a leak. Audit with non-members drawn as the members were."
        )
    if found.outcome == "no leak found":
        return (
            f"None of {len(found.attacks)} attacks told members from non-members better than guessing might, on "
            f"{numbers}. Most likely this audit would have found a leak of AUC {found.smallest_auc:.2f} or more, or "
            f"{found.smallest_count} or more members scored above every non-member. That is no "
            "proof that there is none: a smaller one, or a better attack, may exist, and single people may be exposed "
            "where the average is not."
        )
    return (
        f"There is too little evidence to say. On {numbers} only an AUC of {found.smallest_auc:.2f} or more would "
        f"most likely show, or {found.smallest_count} members above every non-member, and a serious leak can be "
        "smaller than that. Audit with more records."
    )


def _strength(found: Any, numbers: str) -> str:
    """What the strongest attack shows: the AUC, and the members caught at few false alarms."""
    best, row = found.attacks[found.best], found.table.loc[found.best]
    shown = found.evidence[(found.evidence["attack"] == found.best) & found.evidence["leaks"]]
    by = " and ".join(shown["statistic"])
    allowed = int(0.01 * best.n_non_members)
    worth = f"it catches none of the members, so that a single accusation is worth little{_strictest(best)}."
    if row["tpr"] > 0:
        worth = (
            f"it catches {row['tpr']:.1%} of the members; if {100 * found.base_rate:g}% of those suspected were "
            f"members, {row['precision']:.0%} of its accusations would be right."
        )
    return (
        f"For its strongest attack, {found.best}, a member looks more like a member than a non-member does in "
        f"{best.auc:.0%} of pairs (half is chance; {found.blind.auc:.0%} without asking the model), on {numbers}; "
        f"guessing does so well with a probability of {_small(row['chance'])} (judged by: {by}). At 1% false alarms, "
        f"{allowed} of {best.n_non_members}, {worth} Above every non-member stand {row['above']} members."
    )


def _strictest(best: Any) -> str:
    """What the strictest threshold there is does, where it accuses more non-members than 1%."""
    curve = best.roc()
    if curve.fpr[1] <= 0.01:
        return ""
    return f" (its strictest threshold accuses {curve.fpr[1]:.1%} of the non-members and catches {curve.tpr[1]:.1%})"


def _small(probability: float) -> str:
    return "less than one in a thousand" if probability < 0.001 else f"about {probability:.2g}"


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
    if found.outcome == "cannot judge":
        todo.append(
            "Find non-members that were drawn as the members were: of the same time, place and people, for instance "
            "records that were held out at random before the training."
        )
    if found.outcome == "no leak found":
        todo.append("Audit again whenever the model, its data or its interface changes.")
    if any("No shadow models" in note for note in found.notes):
        todo.append("Give the training recipe (estimator=…), so that the strongest attacks can be run as well.")
    return todo


def _curves(found: Any) -> str:
    """The ROC of every attack, on plain and on logarithmic axes, as an image."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 4.2), layout="constrained")
    for ax, scale in zip(fig.subplots(1, 2), ("linear", "log"), strict=True):
        least = 1 / max(2, next(iter(found.attacks.values())).n_non_members)
        start = 0 if scale == "linear" else least / 2
        ax.plot([start, 1], [start, 1], color="#5f6672", linestyle=(0, (1, 3)), linewidth=1.4, label="chance")
        for i, (name, result) in enumerate(found.attacks.items()):
            curve = result.roc()
            style = {"linestyle": DASHES[i % len(DASHES)], "color": f"C{i}", "drawstyle": "steps-post"}
            # In steps: a tie is accused as a whole or not at all, and between two thresholds there is none.
            fpr = np.maximum(curve.fpr, start)
            ax.plot(fpr, curve.tpr, label=name, linewidth=2.6 if name == found.best else 1.3, **style)
        ax.set(xscale=scale, yscale=scale, xlim=(start, 1), ylim=(start, 1.02))
        ax.set(xlabel="non-members accused", ylabel="members caught")
        ax.grid(color="#e3e6ea")
    fig.axes[0].legend(loc="lower right", fontsize=8, frameon=False)
    return image(fig)
