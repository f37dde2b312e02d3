"""Panels about attacks: the threshold explorer, the overfitting dial, the shadow lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks
from mialab.plots import MEMBER, STRANGER, roc_curve, two_groups
from mialab.widgets._view import Choice, Range, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mialab.data import Flowers
    from mialab.metrics import MeanInterval
    from mialab.shadows import Shadows
    from mialab.widgets._live import Panel


# --- the threshold explorer -------------------------------------------------------------------------------------------


def threshold_view(scores: Any, is_member: Any, threshold: float, one_in: int) -> View:
    """Show what a threshold does: whom it calls a member, the point on the ROC curve, the precision in a crowd.

    `scores` and `is_member` are (n,); one of `one_in` people in the crowd is a member. It raises ValueError for bad
    scores, and for a threshold that is not finite.

    >>> threshold_view([0.9, 0.6, 0.7, 0.2], [1, 1, 0, 0], threshold=0.65, one_in=10)
    Threshold 0.65: 1 of 2 members and 1 of 2 strangers are called members.
    TPR 0.50, FPR 0.50, advantage 0.00.
    In a crowd where one in 10 is a member, 10.0% of those called members are members (the precision).
    """
    from mialab.metrics import precision, roc

    curve = roc(scores, is_member)  # refuses what no threshold can be put to
    scores, is_member = np.asarray(scores, float), np.asarray(is_member, bool)
    if not np.isfinite(threshold):
        raise ValueError(f"threshold is {threshold}; it should be one finite number")
    one_in = _checks.whole_number("one_in", one_in, 1)
    digits = _step(scores)[1]
    called = scores >= threshold
    caught, alarms = int(called[is_member].sum()), int(called[~is_member].sum())
    n_in, n_out = int(is_member.sum()), int((~is_member).sum())
    tpr, fpr = caught / n_in, alarms / n_out
    right = precision(tpr, fpr, 1 / one_in) if caught + alarms else None
    crowd = "nobody is called a member" if right is None else f"{right:.1%} of those called members are members"
    text = (
        f"Threshold {threshold:.{digits}f}: {caught} of {n_in} members and {alarms} of {n_out} strangers are called "
        "members.\n"
        f"TPR {tpr:.2f}, FPR {fpr:.2f}, advantage {round(tpr, 2) - round(fpr, 2):.2f}.\n"
        f"In a crowd where one in {one_in} is a member, {crowd} (the precision)."
    )

    def draw(fig: Figure) -> None:
        left, right = fig.subplots(1, 2, width_ratios=[1.8, 1])
        fig.subplots_adjust(0.08, 0.2, 0.99, 0.97, wspace=0.3)
        low, high = min(scores.min(), threshold), max(scores.max(), threshold)
        two_groups(
            scores[is_member], scores[~is_member], label="score", bins=np.linspace(low, high + 1e-9, 17), ax=left
        )
        left.axvline(threshold, color="#16181d", linestyle="--")
        left.locator_params(nbins=4)
        roc_curve({"attack": curve}, ax=right)
        right.plot(fpr, tpr, marker="D", markersize=9, color="#16181d", linestyle="none", clip_on=False)
        right.set(xlabel="FPR", ylabel="TPR", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])

    return View(text, draw, (8.5, 2.9))


def threshold_explorer(scores: Any, is_member: Any) -> Panel:
    """Return a panel that moves the threshold of an attack, and the rarity of members, and shows who is accused.

    It raises ValueError for scores that `mialab.metrics.evaluate` refuses.

    >>> panel = threshold_explorer([0.9, 0.6, 0.7, 0.2], [1, 1, 0, 0])
    >>> panel.title, list(panel.values)
    ('The threshold explorer', ['threshold', 'members in the crowd'])
    """
    from mialab.metrics import evaluate
    from mialab.widgets._live import Panel

    evaluate(scores, is_member)  # refuses what no threshold can be put to
    step, digits = _step(scores)
    low, high = (round(end * step, digits) for end in (np.floor(np.min(scores) / step), np.ceil(np.max(scores) / step)))
    middle = round(low + round((high - low) / step / 2) * step, digits)
    slider = Range("threshold", middle, low, max(high, round(low + step, digits)), step)
    crowd = Choice("members in the crowd", ("1 in 2", "1 in 10", "1 in 100", "1 in 1000"), "1 in 2")
    return Panel(
        "The threshold explorer", [slider, crowd], failed="There is no answer",
        renew=lambda now: threshold_view(scores, is_member, now["threshold"], int(now[crowd.name].split()[-1])),
    )  # fmt: skip


def _step(scores: Any) -> tuple[float, int]:
    """A step of the threshold, a hundredth of the range of the scores or so, and its digits after the point."""
    spread = float(np.ptp(np.asarray(scores, float)))
    power = int(np.clip(np.floor(np.log10(spread / 20)) if spread else -2, -6, 15))
    return 10.0**power, max(0, -power)


# --- the overfitting dial ---------------------------------------------------------------------------------------------


def overfitting_view(
    flowers: Flowers, model: str, n_members: int, share_wrong: float, epochs: int, depth: int, n_models: int = 24
) -> View:
    """Train models on random members, a share of all labels wrong, and attack each with the recorded label.

    `model` is "net" (then `epochs` counts) or "tree" (then `depth` does). Shown are means over `n_models` with 95%
    intervals. It raises ValueError for settings out of range.

    >>> from mialab import data
    >>> flowers = data.load_iris()
    >>> print(overfitting_view(flowers, "tree", 75, 0.2, epochs=10, depth=12, n_models=4).text)
    4 models (tree, a depth of up to 12), each trained on 75 of 150 flowers, 20% of all labels wrong...
    """
    from mialab.data import wrong_labels
    from mialab.nets import NetClassifier
    from mialab.shadows import train_shadows

    if model not in ("net", "tree"):
        raise ValueError(f"model is {model!r}; it should be 'net' or 'tree'")
    depth = _checks.whole_number("depth", depth, 1)
    y = wrong_labels(flowers.y, _checks.fraction("share_wrong", share_wrong), random_state=0)
    estimator, dial = NetClassifier(hidden=16, epochs=epochs), f"{epochs} epochs"
    if model == "tree":
        from sklearn.tree import DecisionTreeClassifier

        estimator, dial = DecisionTreeClassifier(max_depth=depth), f"a depth of up to {depth}"
    trained = train_shadows(estimator, flowers.X, y, n_models, n_members=n_members, random_state=0)
    means = _gap_and_auc(trained)
    inside, outside, area = means.values()
    leak = "no leak is seen" if area.low <= 0.5 else "it leaks" if area.low > 0.55 else "it leaks a little"
    text = (
        f"{n_models} models ({model}, {dial}), each trained on {n_members} of {len(y)} flowers, "
        f"{share_wrong:.0%} of all labels wrong.\n"
        f"They name {inside.mean:.2f} of their members and {outside.mean:.2f} of strangers as recorded: "
        f"a gap of {round(inside.mean, 2) - round(outside.mean, 2):.2f}.\n"
        f"The attack on the recorded label has AUC {area.mean:.2f} "
        f"(95% interval {area.low:.2f} to {area.high:.2f}): {leak}."
    )
    return View(text, lambda fig: _draw_gap(fig, means), (7.5, 2.2))


def _gap_and_auc(trained: Shadows) -> dict[str, MeanInterval]:
    """How often the models are right about members and strangers, and what the attack on the recorded label gains."""
    from mialab.metrics import auc, mean_interval

    right = trained.classes_[trained.proba.argmax(axis=2)] == trained.y
    each = list(zip(trained.confidence_in_label, right, trained.in_mask, strict=True))
    return {
        "right about members": mean_interval([hits[inside].mean() for _, hits, inside in each]),
        "right about strangers": mean_interval([hits[~inside].mean() for _, hits, inside in each]),
        "AUC of the attack": mean_interval([auc(sure, inside) for sure, _, inside in each]),
    }


def _draw_gap(fig: Figure, means: dict[str, MeanInterval]) -> None:
    ax = fig.subplots()
    fig.subplots_adjust(0.25, 0.22, 0.98, 0.97)
    styles = (MEMBER, STRANGER, {"color": "#8A1538", "marker": "D"})
    for row, (mean, style) in enumerate(zip(means.values(), styles, strict=True)):
        ax.plot(mean[1:3], [row] * 2, color=style["color"], linewidth=2.2)
        ax.plot(mean.mean, row, linestyle="none", markersize=8, **style)
    ax.axvline(0.5, color="#5f6672", linestyle="--", linewidth=1.3)
    ax.set(yticks=range(3), yticklabels=list(means), ylim=(2.6, -0.6), xlim=(0.28, 1.02),
           xlabel="share, or AUC (dashed: an attack by coin)")  # fmt: skip
    ax.grid(axis="y", visible=False)


def overfitting_dial(flowers: Flowers) -> Panel:
    """Return a panel that turns records, wrong labels, epochs and depth.

    Two dozen models are trained and attacked anew at every move, as `overfitting_view` does.

    >>> from mialab import data
    >>> flowers = data.load_iris()
    >>> overfitting_dial(flowers).values
    {'model': 'net', 'members': 75, 'wrong labels': 20, 'epochs (net)': 100, 'depth (tree)': 4}
    """
    from mialab.widgets._live import Panel

    tenth = len(flowers.y) // 10
    controls = (
        Choice("model", ("net", "tree"), "net"),
        Range("members", 5 * tenth, tenth, 8 * tenth, tenth),
        Range("wrong labels", 20, 0, 40, 5, " %"),
        Range("epochs (net)", 100, 10, 400, 10),
        Range("depth (tree)", 4, 1, 12, 1),
    )

    def renew(values: dict[str, Any]) -> View:
        model, members, wrong, epochs, depth = (values[control.name] for control in controls)
        return overfitting_view(flowers, model, int(members), wrong / 100, int(epochs), int(depth))

    return Panel("The overfitting dial", controls, renew, failed="The models could not be trained")


# --- the shadow lab ---------------------------------------------------------------------------------------------------


def shadow_view(flowers: Flowers, n_shadows: int, n_members: int, epochs: int, flower: int) -> View:
    """Train nets on random parts of the flowers: show what they answer members and strangers, and one `flower`.

    The same settings always give the same answer. It raises ValueError for settings out of range.

    >>> from mialab import data
    >>> flowers = data.load_iris()
    >>> print(shadow_view(flowers, n_shadows=4, n_members=75, epochs=10, flower=83).text)
    4 nets, each trained on 75 of 150 flowers for 10 epochs...
    Flower 83, a versicolor: in 2 nets a member, ...; in 2 a stranger, ...
    """
    from mialab.nets import NetClassifier
    from mialab.shadows import train_shadows

    net = NetClassifier(hidden=16, epochs=epochs)
    flower = _checks.whole_number("flower", flower, 0, len(flowers.y) - 1)
    shadows = train_shadows(net, flowers.X, flowers.y, n_shadows, n_members=n_members, random_state=0)
    sure = shadows.confidence_in_label
    inside, outside = sure[shadows.in_mask], sure[~shadows.in_mask]
    own = shadows.in_mask[:, flower]
    species = flowers.class_names[flowers.y[flower]]
    text = (
        f"{n_shadows} nets, each trained on {n_members} of {len(flowers.y)} flowers for {epochs} epochs.\n"
        f"Confidence in the recorded species, on average: members {inside.mean():.2f}, "
        f"strangers {outside.mean():.2f}.\n"
        f"Flower {flower}, a {species}: in {own.sum()} nets a member, {_mean(sure[own, flower])}; "
        f"in {(~own).sum()} a stranger, {_mean(sure[~own, flower])}."
    )

    def draw(fig: Figure) -> None:
        ax = fig.subplots()
        fig.subplots_adjust(0.14, 0.22, 0.98, 0.97)
        two_groups(inside, outside, label="confidence in the recorded species", bins=np.linspace(0, 1, 21), ax=ax)
        ax.set_ylabel("number of answers")
        ax.locator_params(nbins=5)

    return View(text, draw)


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():.2f}" if len(values) else "no answer"


def shadow_lab(flowers: Flowers) -> Panel:
    """Return a panel with sliders for how many nets, on how many flowers, for how long.

    The nets are all trained anew at every move, as `shadow_view` does.

    >>> from mialab import data
    >>> flowers = data.load_iris()
    >>> list(shadow_lab(flowers).values)
    ['shadow models', 'members of each', 'epochs', 'flower number']
    """
    from mialab.widgets._live import Panel

    n = len(flowers.y)
    controls = (
        Range("shadow models", 64, 2, 200, 2),
        Range("members of each", n // 6 * 3, 9, 9 + (n - 18) // 3 * 3, 3),
        Range("epochs", 200, 10, 300, 10),
        Range("flower number", min(83, n - 1), 0, n - 1),
    )
    return Panel(
        "The shadow lab", controls, failed="The shadows could not be trained",
        renew=lambda values: shadow_view(flowers, *(int(values[control.name]) for control in controls)),
    )  # fmt: skip
