"""Panels about protection: what a defence costs and saves, and the coin of randomised response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks
from mialab.plots import CHANCE, intervals
from mialab.widgets._view import Button, Choice, Range, View

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from mialab.metrics import MeanInterval
    from mialab.widgets._live import Panel


# --- the defence panel ------------------------------------------------------------------------------------------------

ACCURACY = "accuracy on strangers"


def defence_view(matrix: pd.DataFrame, data: str, defence: str) -> View:
    """Show one defence beside none: accuracy on strangers, and what the strongest attack gets.

    `matrix` holds the rows of `mialab.defences.defence_matrix`, with the strongest attack's AUC and TPR beside the
    others' (see `mialab.trials.with_strongest`); `data` and `defence` are names in it. It raises ValueError for other
    names, and for a matrix without a measure or without the defence "none".

    >>> import pandas as pd
    >>> measured = {"test_accuracy": 0.95, "auc_strongest": [0.8, 0.8, 0.6, 0.6], "tpr_strongest": [0.2, 0.2, 0.1, 0.1]}
    >>> defences = {"defence": ["none", "none", "label only", "label only"], "seed": [0, 1, 0, 1]}
    >>> matrix = pd.DataFrame({"data": "iris"} | defences | measured)
    >>> print(defence_view(matrix, "iris", "label only").text)
    label only, on iris, with 95% intervals:
    accuracy on strangers 0.950 (0.950 to 0.950); without a defence 0.950.
    AUC, strongest attack 0.600 (0.600 to 0.600); without a defence 0.800.
    members it catches 0.100 (0.100 to 0.100); without a defence 0.200.
    The attacker knows the defence, and has trained shadows that have it too.
    """
    return _defence_view(_measured(matrix, data), data, defence)


def _measured(matrix: pd.DataFrame, data: str) -> dict[str, dict[str, MeanInterval]]:
    """The mean of each measure over the seeds, for each defence on one data set."""
    from mialab.defences import over_seeds

    measures = {ACCURACY: "test_accuracy", "AUC, strongest attack": "auc_strongest",
                "members it catches": "tpr_strongest"}  # fmt: skip
    missing = {"data", "defence", *measures.values()} - set(getattr(matrix, "columns", ()))
    if missing:
        raise ValueError(
            f"matrix has no {sorted(missing)}; it should be what defence_matrix gives, with the strongest attack"
        )
    if data in set(matrix["data"]) and "none" not in set(matrix["defence"][matrix["data"] == data]):
        raise ValueError(f"matrix has no rows of the defence 'none' on {data!r}, with which the others are compared")
    return {name: over_seeds(matrix, data, measure) for name, measure in measures.items()}


def _defence_view(found: dict[str, dict[str, MeanInterval]], data: str, defence: str) -> View:
    _checks.one_of("defence", defence, found[ACCURACY])
    lines = [f"{defence}, on {data}, with 95% intervals:"]
    for name, values in found.items():
        mean, low, high = values[defence][:3]
        beside = "" if defence == "none" else f"; without a defence {values['none'].mean:.3f}"
        lines.append(f"{name} {mean:.3f} ({low:.3f} to {high:.3f}){beside}.")
    lines.append("The attacker knows the defence, and has trained shadows that have it too.")

    height = 1.2 + 0.28 * len(found[ACCURACY])

    def draw(fig: Figure) -> None:
        axes = fig.subplots(1, 3, sharey=True)
        fig.subplots_adjust(0.19, 0.62 / height, 0.98, 0.96, wspace=0.12)
        for ax, (name, values) in zip(axes, found.items(), strict=True):
            mean, low, high = np.array([value[:3] for value in values.values()]).T
            rows, row = np.arange(len(values)), list(values).index(defence)
            ax.axhspan(row - 0.45, row + 0.45, color="#dbe9ec", zorder=0)
            ax.hlines(rows, low, high, color="#7a8290", linewidth=2.2)
            ax.plot(mean, rows, "o", color="#7a8290", markersize=7)
            ax.plot(mean[row], row, "D", color="#8A1538", markersize=9)
            if "AUC" in name:
                ax.axvline(0.5, **CHANCE)
            ax.set_xlabel(name)
            ax.grid(axis="y", visible=False)
            ax.locator_params(axis="x", nbins=4)
            step = np.diff(ax.get_xticks())[0]
            ax.xaxis.set_major_formatter("{x:.2f}" if step > 0.0099 else "{x:.3f}")
        axes[0].set(yticks=rows, yticklabels=list(values), ylim=(len(rows) - 0.5, -0.5))

    return View("\n".join(lines), draw, (9.0, height))


def defence_panel(matrix: pd.DataFrame) -> Panel:
    """Return a panel on which one chooses a defence, and sees accuracy and leakage together.

    `matrix` holds the rows of `mialab.defences.defence_matrix`. It raises ValueError as `defence_view` does.

    >>> import pandas as pd
    >>> measured = {"test_accuracy": 0.95, "auc_strongest": [0.8, 0.8, 0.6, 0.6], "tpr_strongest": [0.2, 0.2, 0.1, 0.1]}
    >>> defences = {"defence": ["none", "none", "label only", "label only"], "seed": [0, 1, 0, 1]}
    >>> matrix = pd.DataFrame({"data": "iris"} | defences | measured)
    >>> defence_panel(matrix).values
    {'data': 'iris', 'defence': 'label only'}
    """
    from mialab.widgets._live import Panel

    if not len(matrix):
        raise ValueError("matrix has no rows; it should be what defence_matrix gives")
    data = tuple(matrix["data"].unique().tolist())
    found = {name: _measured(matrix, name) for name in data}  # once, for all moves
    everywhere = set.intersection(*(set(each[ACCURACY]) for each in found.values()))
    defences = tuple(name for name in matrix["defence"].unique().tolist() if name in everywhere)
    controls = (Choice("data", data, data[0]), Choice("defence", defences, defences[-1]))
    return Panel(
        "The defence panel", controls, failed="There is no measurement",
        renew=lambda values: _defence_view(found[values["data"]], values["data"], values["defence"]),
    )  # fmt: skip


# --- the coin of randomised response ----------------------------------------------------------------------------------


def coin_view(truth: float, n_pupils: int, share: float, throw: int = 0) -> View:
    """Show randomised response: each pupil tells the truth with probability `truth`, else what a fair coin says.

    `share` is that of the `n_pupils` who copied; `throw` is the seed of the coins (Warner 1965). It raises ValueError
    for numbers out of range.

    >>> print(coin_view(truth=0.5, n_pupils=1000, share=0.3).text)
    The true answer with probability 0.50: epsilon 1.10.
    One pupil: before the answer an onlooker believes with 0.30 that they copied, and after a yes with 0.56. It may have
    been the coin.
    The class of 1000, 300 of whom copied: ...
    """
    if not 0 < _checks.fraction("truth", truth) < 1:
        raise ValueError(f"truth is {truth}; it should be above 0 and below 1")
    share = _checks.fraction("share", share)
    n_pupils, throw = _checks.whole_number("n_pupils", n_pupils, 1), _checks.whole_number("throw", throw, 0)
    rng = np.random.default_rng(throw)
    copied = np.arange(n_pupils) < round(share * n_pupils)
    honest, coin = rng.random(n_pupils) < truth, rng.random(n_pupils) < 0.5
    yes = np.where(honest, copied, coin).mean()
    if_guilty, if_innocent = (1 + truth) / 2, (1 - truth) / 2
    estimate = (yes - if_innocent) / truth
    error = np.sqrt(if_guilty * if_innocent / n_pupils) / truth  # of the coins: who copied is fixed
    suspicion = if_guilty * copied.mean() / (if_innocent + truth * copied.mean())
    text = (
        f"The true answer with probability {truth:.2f}: epsilon {np.log(if_guilty / if_innocent):.2f}.\n"
        f"One pupil: before the answer an onlooker believes with {copied.mean():.2f} that they copied, and after a yes "
        f"with {suspicion:.2f}. It may have been the coin.\n"
        f"The class of {n_pupils}, {copied.sum()} of whom copied: {yes:.2f} say yes, so an estimated {estimate:.2f} "
        f"copied (usual error {error:.2f})."
    )

    def draw(fig: Figure) -> None:
        ax = fig.subplots()
        fig.subplots_adjust(0.22, 0.27, 0.97, 0.96)
        rows = {"said yes": (yes,) * 3, "estimate": (estimate, estimate - 2 * error, estimate + 2 * error)}
        intervals(rows, label="share of the class (bar: two usual errors; line: who copied)", ax=ax)
        ax.axvline(copied.mean(), color="#8A1538", linewidth=2)
        ax.set_xlim(min(-0.05, estimate - 2 * error), max(1.05, estimate + 2 * error))

    return View(text, draw, (7.0, 1.9))


def coin_panel() -> Panel:
    """Return a panel with the coin that lies for you: turn how often it lies, and see what is left.

    It shows what is left of one pupil and of the class, as `coin_view` does.

    >>> coin_panel().values
    {'truth told': 50, 'pupils': 30, 'who copied': 30, 'throw again': 0}
    """
    from mialab.widgets._live import Panel

    controls = (
        Range("truth told", 50, 5, 95, 5, " %"),
        Range("pupils", 30, 10, 3000, 10),
        Range("who copied", 30, 0, 100, 5, " %"),
        Button("throw again"),
    )

    def renew(values: dict[str, Any]) -> View:
        truth, pupils, share, throw = (values[control.name] for control in controls)
        return coin_view(truth / 100, int(pupils), share / 100, int(throw))

    return Panel("The coin of randomised response", controls, renew, failed="The coin could not be thrown")
