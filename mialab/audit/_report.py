"""The report of an audit: one page of HTML that needs nothing else, its first part for a reader who runs no attacks."""

from __future__ import annotations

from typing import Any

from mialab._html import image, render

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
        curves=_curves(found),
    )


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
            style = {"linestyle": DASHES[i % len(DASHES)], "color": f"C{i}"}
            ax.plot(curve.fpr, curve.tpr, label=name, linewidth=2.6 if name == found.best else 1.3, **style)
        ax.set(xscale=scale, yscale=scale, xlim=(start, 1), ylim=(start, 1.02))
        ax.set(xlabel="non-members accused", ylabel="members caught")
        ax.grid(color="#e3e6ea")
    fig.axes[0].legend(loc="lower right", fontsize=8, frameon=False)
    return image(fig)
