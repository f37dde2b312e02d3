"""Charts: each draws on `ax` and returns it, or without one is shown with its words; it computes nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks
from mialab.plots._picture import chart
from mialab.plots._style import CHANCE, MEMBER, PLAIN, SPECIES, STRANGER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

    from mialab.metrics import Roc


def _span(values: np.ndarray) -> str:
    """Where values lie, in words."""
    if len(values) == 0:
        return "none"
    low, mean, high = values.min(), values.mean(), values.max()
    return f"all at {low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"from {low:.2f} to {high:.2f}, mean {mean:.2f}"


def _points_in_words(x: Any, y: Any, species: Any, *, labels: tuple[str, str], **_: Any) -> str:
    said = []
    for name in dict.fromkeys(np.asarray(species).tolist()):
        own = np.asarray(species) == name
        said.append(f"{own.sum()} {name} around {np.asarray(x)[own].mean():.1f} and {np.asarray(y)[own].mean():.1f} cm")
    return f"Flowers by {labels[0]} and {labels[1]}: {', '.join(said)}."


def _garden_in_words(x: Any, y: Any, species: Any, exposure: Any, *, n_named: int = 5, **_: Any) -> str:
    exposure = np.asarray(exposure)
    most = [f"{i} ({exposure[i]:.2f})" for i in np.argsort(-exposure, kind="stable")[:n_named]]
    return f"{len(exposure)} flowers, exposed {_span(exposure)}. Most exposed: {', '.join(most)}."


def _groups_in_words(inside: Any, outside: Any, *, label: str, names: Any = ("members", "strangers"), **_: Any) -> str:
    groups = [np.asarray(values) for values in (inside, outside)]
    said = " ".join(f"{len(v)} {name}: {_span(v)}." for v, name in zip(groups, names, strict=True))
    return f"{label[0].upper()}{label[1:]}. {said}"


def _curves_in_words(curves: Mapping[str, Roc], *, log_from: float | None = None, **_: Any) -> str:
    where, said = "Called members where the two shares are furthest apart", []
    if log_from is not None:
        where = "Members caught where one stranger in a hundred is accused at most"
    for name, curve in curves.items():
        fpr, tpr = map(np.asarray, curve[:2])
        best = (tpr - fpr).argmax()
        share = f"{tpr[best]:.2f} of the members and {fpr[best]:.2f} of the strangers"
        if log_from is not None:
            share = f"{tpr[fpr <= 0.01].max(initial=0.0):.2f}"
        said.append(f"{name}: {share}")
    return f"{where}. {'; '.join(said)}."


def _mean_in_words(name: str, value: Any) -> str:
    """A mean and, where there is one, its interval; small ones have a third digit, or they would all be 0.00."""
    mean, low, high = (float(each) for each in _mean_low_high(name, value))
    digits = 3 if abs(mean) < 0.02 else 2
    mean, low, high = (f"{round(each, digits) + 0.0:.{digits}f}" for each in (mean, low, high))  # + 0.0: no -0.00
    return mean if low == mean == high else f"{mean} ({low} to {high})"


def _rows_in_words(means: Mapping[str, Sequence[float]], *, label: str, **_: Any) -> str:
    return f"{label[0].upper()}{label[1:]}. {'; '.join(f'{n}: {_mean_in_words(n, v)}' for n, v in means.items())}."


def _halves_in_words(inside: Mapping[str, Any], outside: Mapping[str, Any], *, label: str, **_: Any) -> str:
    said = [f"{n}: members {_mean_in_words(n, inside[n])}, strangers {_mean_in_words(n, outside[n])}" for n in inside]
    return f"{label[0].upper()}{label[1:]}. {'; '.join(said)}."


def _lines_in_words(x: Sequence[float], lines: Mapping[str, Any], *, along: str, label: str, **_: Any) -> str:
    said = [
        f"{name}: " + ", ".join(f"{_mean_in_words(name, v)} at {at:g}" for at, v in zip(x, means, strict=True))
        for name, means in lines.items()
    ]
    return f"{label[0].upper()}{label[1:]} by {along}. {'; '.join(said)}."


def _bars_in_words(species: Sequence[str], values: Sequence[float]) -> str:
    return f"The model's answer: {', '.join(f'{s} {v:.2f}' for s, v in zip(species, values, strict=True))}."


def _trade_in_words(accuracy: Mapping, leakage: Mapping, on_frontier: Any, *, label: str = "AUC of the attack") -> str:
    front = [name for name, on in zip(accuracy, on_frontier, strict=True) if on]
    said = [f"{n}: {_mean_in_words(n, accuracy[n])} against {_mean_in_words(n, leakage[n])}" for n in accuracy]
    return f"Accuracy on strangers against {label}. {'; '.join(said)}. On the frontier: {', '.join(front)}."


@chart(_points_in_words, height=4.2)
def flowers_on_plane(ax: Axes, x: Any, y: Any, species: Any, *, labels: tuple[str, str], size: float = 32) -> Axes:
    """Draw flowers as points, one colour and one shape for each species, and name the two measurements.

    `x` and `y` (n,) are measurements in cm, `species` (n,) names, `labels` the names of the two measurements, `size`
    the area of a point. It raises ValueError for lengths that differ and for a species that has no colour in SPECIES.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> ax = flowers_on_plane([1.4, 4.7], [0.2, 1.4], ["setosa", "versicolor"], labels=("length", "width"), ax=ax)
    >>> ax.get_xlabel(), ax.get_legend_handles_labels()[1]
    ('length (cm)', ['setosa', 'versicolor'])
    """
    x, y, species = np.asarray(x), np.asarray(y), np.asarray(species)
    if not x.shape == y.shape == species.shape:
        raise ValueError(f"x, y and species have shapes {x.shape}, {y.shape} and {species.shape}; they should be equal")
    _check_species(species.ravel().tolist())
    for name, style in SPECIES.items():
        own = species == name
        if own.any():
            ax.scatter(x[own], y[own], s=size, **style, alpha=0.8, linewidth=0, label=name)
    ax.set(xlabel=f"{labels[0]} (cm)", ylabel=f"{labels[1]} (cm)")
    return ax


@chart(_garden_in_words, height=4.6)
def garden_map(
    ax: Axes, x: Any, y: Any, species: Any, exposure: Any, *, labels: tuple[str, str], n_named: int = 5
) -> Axes:
    """Draw flowers on a plane: the more exposed, the larger and darker, and the most exposed are numbered.

    Each species has its own shape. `x` and `y` (n,) are measurements in cm, `species` (n,) names, `exposure` (n,)
    in/out AUC, 0.5 to 1 (see `mialab.exposure`), `labels` the names of the two measurements, and `n_named` how many
    flowers get their row number. It raises ValueError for a species that has no shape in SPECIES, and for arrays of
    unequal length.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> names = ["setosa", "versicolor"]
    >>> ax = garden_map([1.4, 4.7], [0.2, 1.4], names, [0.5, 0.9], labels=("length", "width"), n_named=1, ax=ax)
    >>> [text.get_text() for text in ax.texts]  # the number of the flower that is exposed most
    ['1']
    """
    x, y, species, exposure = _finite("x", x), _finite("y", y), np.asarray(species), _finite("exposure", exposure)
    if not x.shape == y.shape == species.shape == exposure.shape:
        shapes = f"{x.shape}, {y.shape}, {species.shape} and {exposure.shape}"
        raise ValueError(f"x, y, species and exposure have shapes {shapes}; they should be equal")
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    _check_species(species.tolist())
    n_named = _checks.whole_number("n_named", n_named, 0)
    share = np.clip((exposure - 0.5) / 0.5, 0, 1)
    scale = ScalarMappable(Normalize(0.3, 1.0), "Greys")  # orange would say "member"
    for name, style in SPECIES.items():
        own = species == name
        for level in range(6):  # the more exposed, the nearer to the top, whatever the species
            here = own & (np.floor(share * 5) == level)
            ax.scatter(
                x[here], y[here], s=22 + 170 * share[here], color=scale.to_rgba(exposure[here]), zorder=2 + level / 10,
                marker=style["marker"], edgecolor="#444b57", linewidth=0.7,
            )  # fmt: skip
        if own.any():
            ax.scatter([], [], color="#8d95a1", marker=style["marker"], label=name)
    bar = ax.figure.colorbar(scale, ax=ax, label="exposure (in/out AUC)", ticks=[0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    bar.ax.set_ylim(0.5, 1.0)
    ax.set(xlabel=f"{labels[0]} (cm)", ylabel=f"{labels[1]} (cm)")
    ax.legend(loc="upper left")
    most = np.argsort(-exposure, kind="stable")[:n_named]
    _name_points(ax, np.column_stack([x, y]), most, [f"{i}" for i in most], 4 + 5 * share)
    return ax


def _name_points(
    ax: Axes, points: np.ndarray, which: np.ndarray, names: Sequence[str], reach: np.ndarray, bars: Any = ()
) -> None:
    """Write each name near its point, joined to it by a line: off the other names and lines, and off the marks.

    `points`: (n, 2); `which`: rows to name; `reach`: (n,) how far each mark reaches, in points of print; `bars`:
    (m, 2, 2) ends of lines that are drawn already.
    """
    from matplotlib.patheffects import withStroke

    ax.figure.draw_without_rendering()  # settles the layout, so that places in pixels hold
    place, pixel = ax.transData.transform, ax.figure.dpi / 72
    marks, lines = place(points), [_along(*place(np.asarray(ends))) for ends in bars]
    room = reach[:, None] * pixel
    named: list[np.ndarray] = []
    for i, name in zip(which, names, strict=True):
        size = np.array([7.5 * len(name), 13]) * pixel
        best = None
        for away in (14, 24, 36, 50, 70):  # points of print from the mark
            if best is not None and best[0] <= 0.02 * away:
                break  # no place further off costs less
            for angle in np.linspace(0, 2 * np.pi, 16, endpoint=False):
                at = marks[i] + away * pixel * np.array([1.25 * np.cos(angle), np.sin(angle)])
                box = np.array([at - size / 2, at + size / 2])
                if not (ax.bbox.contains(*box[0]) and ax.bbox.contains(*box[1])):
                    continue
                leader = _along(at, marks[i])
                clashes = sum(_is_in(leader, *other).any() for other in named)
                clashes += sum((box[0] < other[1]).all() and (box[1] > other[0]).all() for other in named)
                covered = _is_in(marks, box[0] - room, box[1] + room).sum()
                apart = np.hypot(*(leader[:, None] - marks).transpose(2, 0, 1))
                covered += (np.delete(apart, i, axis=1) < np.delete(room[:, 0], i)).any(axis=0).sum()
                crossed = sum(_is_in(line, *box).any() for line in lines)
                cost = 20 * clashes + 5 * covered + 2 * crossed + 0.02 * away
                if best is None or cost < best[0]:
                    best = cost, at, box, leader
        if best is None:
            continue
        _, at, box, leader = best
        named.append(box)
        lines.append(leader)
        ax.annotate(
            name, points[i], xytext=(at - marks[i]) / pixel, textcoords="offset points", ha="center", va="center",
            fontweight="bold", zorder=6, path_effects=[withStroke(linewidth=3, foreground="white")],
            arrowprops={"arrowstyle": "-", "color": "#22262e", "linewidth": 0.9, "zorder": 3},
        )  # fmt: skip


def _along(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(30, 2) places on the line between two."""
    return start + np.linspace(0, 1, 30)[:, None] * (end - start)


def _is_in(places: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n,) True for the places between two corners."""
    return ((places > low) & (places < high)).all(axis=1)


def _check_species(names: Sequence[Any]) -> None:
    """Raise a ValueError for the first name that is not in SPECIES."""
    unknown = [name for name in names if name not in list(SPECIES)]
    if unknown:
        raise ValueError(f"species holds {unknown[0]!r}; it should hold names of species: {', '.join(SPECIES)}")


@chart(_groups_in_words)
def two_groups(
    ax: Axes,
    inside: Any,
    outside: Any,
    *,
    label: str,
    bins: Any = 20,
    names: tuple[str, str] = ("members", "strangers"),
    names_at: str = "left",
    counted: str = "records",
) -> Axes:
    """Draw two histograms, members above the line and strangers below it, so that neither hides the other.

    `inside` and `outside` are the values of the members and of the strangers, (n_members,) and (n_strangers,); `label`
    says what the values are; `bins` is as NumPy takes it. The `names` of the two groups stand at the side `names_at`,
    "left" or "right", whichever has the lower bars; `counted` says what each value belongs to. It raises ValueError for
    another side, and for values that are not finite.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> ax = two_groups([0.9, 0.8, 0.9], [0.4, 0.6], label="confidence", bins=[0, 0.5, 1], ax=ax)
    >>> [bar.get_height().item() for bar in ax.patches]  # members in each bin, then strangers
    [0, 3, -1, -1]
    """
    inside, outside = _finite("inside", inside), _finite("outside", outside)
    if names_at not in ("left", "right"):
        raise ValueError(f"names_at is {names_at!r}; it should be 'left' or 'right'")
    edges = np.histogram_bin_edges(np.concatenate([inside, outside]), bins)
    width = np.diff(edges)
    up, down = np.histogram(inside, edges)[0], np.histogram(outside, edges)[0]
    ax.bar(edges[:-1], up, width, align="edge", color=MEMBER["color"], edgecolor="white", linewidth=0.5)
    hatched = {"color": "white", "edgecolor": STRANGER["color"], "hatch": "////", "linewidth": 0.9}
    ax.bar(edges[:-1], -down, width, align="edge", **hatched)
    ax.axhline(0, color="#22262e", linewidth=1)
    top = max(up.max(), down.max()) * 1.12
    ax.set(ylim=(-top, top), xlabel=label, ylabel=f"number of {counted}")
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    x = {"left": 0.02, "right": 0.98}[names_at]
    bold = {"transform": ax.transAxes, "ha": names_at, "fontweight": "bold"}
    ax.text(x, 0.96, names[0], va="top", color=MEMBER["color"], **bold)
    ax.text(x, 0.04, names[1], va="bottom", color=STRANGER["color"], **bold)
    return ax


def _finite(name: str, values: Any) -> np.ndarray:
    """`values` as an (n,) array of finite numbers."""
    wanted = "it should be (n,) finite numbers, one a record"
    values = _checks.numbers(name, values, wanted)
    if values.ndim != 1 or not np.isfinite(values).all():
        found = "NaN or infinite values" if values.ndim == 1 else f"an array of shape {values.shape}"
        raise ValueError(f"{name} holds {found}; {wanted}")
    return values


@chart(_curves_in_words, width=5.2, height=5.0)
def roc_curve(ax: Axes, curves: Mapping[str, Roc], *, log_from: float | None = None) -> Axes:
    """Draw ROC curves by name, with the line of pure chance; with `log_from`, on two logarithmic axes from there to 1.

    `curves` is {name: what mialab.metrics.roc returns}, or {name: (fpr, tpr)}. It raises ValueError for a `log_from`
    that is not above 0 and at most 1.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> from mialab.metrics import roc
    >>> ax = roc_curve({"loss": roc([3, 1, 2], [1, 0, 0])}, log_from=0.01, ax=ax)
    >>> ax.get_xscale(), ax.get_xlabel()
    ('log', 'strangers called members (FPR)')
    """
    ends = np.array([0.0, 1.0]) if log_from is None else np.array([_checks.fraction("log_from", log_from), 1.0])
    if log_from == 0:
        raise ValueError("log_from is 0; a logarithmic axis begins above 0, at 0.001 for instance")
    ax.plot(ends, ends, **CHANCE)
    for i, (name, curve) in enumerate(curves.items()):
        ax.plot(*curve[:2], label=name, linestyle=["-", "--", "-.", ":"][i % 4])
    around = ends + np.array([-0.01, 0.01]) if log_from is None else ends
    if log_from is not None:
        ax.set(xscale="log", yscale="log")
    ax.set(
        xlim=around, ylim=around, aspect="equal",
        xlabel="strangers called members (FPR)", ylabel="members called members (TPR)",
    )  # fmt: skip
    if len(curves) > 1:
        ax.legend(loc="lower right")
    return ax


@chart(_rows_in_words, height=1.2, row=0.4)
def intervals(
    ax: Axes,
    means: Mapping[str, Sequence[float]],
    *,
    label: str,
    name: str | None = None,
    chance: float | None = None,
    shift: float = 0.0,
    **style: Any,
) -> Axes:
    """Draw one row for each name: the mean as a dot, its 95% interval as a bar.

    `means` is {name: (mean, low, high, …)}, as `mialab.metrics.mean_interval` gives; `label` says what they are;
    `chance` is where a line of pure chance stands. `name` is what the dots are, for a legend; `shift` moves them down
    by that part of a row, beside others. It raises ValueError for a value that does not begin with three numbers.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> ax = intervals({"tree": (0.55, 0.52, 0.58), "net": (0.62, 0.59, 0.65)}, label="AUC", chance=0.5, ax=ax)
    >>> [tick.get_text() for tick in ax.get_yticklabels()]
    ['tree', 'net']
    """
    style = {"color": PLAIN, "marker": "o"} | style
    for i, (key, value) in enumerate(means.items()):
        row = i + shift
        mean, low, high = _mean_low_high(f"means[{key!r}]", value)
        ax.plot([low, high], [row, row], color=style["color"], linewidth=2.2, solid_capstyle="butt", zorder=4)
        ax.plot(mean, row, linestyle="none", markersize=7, zorder=5, label=name if i == 0 else None, **style)
    if chance is not None:
        ax.axvline(chance, **CHANCE)
    ax.set(yticks=range(len(means)), yticklabels=list(means), ylim=(len(means) - 0.5, -0.5), xlabel=label)
    ax.grid(axis="y", visible=False)
    return ax


@chart(_halves_in_words, height=1.3, row=0.5)
def halves(ax: Axes, inside: Mapping[str, Any], outside: Mapping[str, Any], *, label: str) -> Axes:
    """Draw for each name the members' mean and, below it, the strangers'.

    `inside` and `outside` are {name: (mean, low, high, …)}, with the same names in the same order; `label` says what
    the means are. It raises ValueError where the names differ.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> ax = halves({"tree": (1.0, 1.0, 1.0)}, {"tree": (0.95, 0.94, 0.96)}, label="accuracy", ax=ax)
    >>> ax.get_legend_handles_labels()[1]
    ['members', 'strangers']
    """
    if list(inside) != list(outside):
        raise ValueError(f"inside and outside should hold the same names; they hold {[*inside]} and {[*outside]}")
    intervals(inside, label=label, name="members", shift=-0.15, ax=ax, **MEMBER)
    intervals(outside, label=label, name="strangers", shift=0.15, ax=ax, **STRANGER)
    ax.legend(loc="best")
    return ax


def _mean_low_high(name: str, value: Any) -> tuple[float, float, float]:
    """The first three numbers of a `MeanInterval`, or of any sequence like it."""
    try:
        mean, low, high = (float(number) for number in tuple(value)[:3])
    except (TypeError, ValueError):
        raise ValueError(f"{name} is {value!r}; it should be (mean, low, high), as mean_interval gives") from None
    return mean, low, high


@chart(_lines_in_words)
def trends(
    ax: Axes,
    x: Sequence[float],
    lines: Mapping[str, Sequence[Any]],
    *,
    along: str,
    label: str,
    chance: float | None = None,
    log: bool = False,
) -> Axes:
    """Draw what becomes of one or several means as one thing is turned: a line for each name.

    `x` (n,) are the settings, `along` says of what; `lines` is {name: [(mean, low, high, …) for each setting]}, `label`
    says what the means are, and `chance` is where a line of pure chance stands. With `log` the settings stand on a
    logarithmic axis, each with its number.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> means = [(0.9, 0.8, 1.0), (0.6, 0.5, 0.7)]
    >>> ax = trends([10, 100], {"tree": means}, along="members", label="AUC", chance=0.5, ax=ax)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('members', 'AUC')
    """
    for i, (name, means) in enumerate(lines.items()):
        trend(ax, x, means, name=name, marker="os^Dv"[i % 5])
    if chance is not None:
        ax.axhline(chance, **CHANCE)
    ax.set(xlabel=along, ylabel=label)
    if log:
        ax.set_xscale("log")
        ax.set_xticks(x, [f"{setting:g}" for setting in x])
        ax.minorticks_off()
    ax.margins(x=0.18)
    _move_apart(ax, ax.texts[-len(lines) :])
    return ax


def _move_apart(ax: Axes, names: Sequence[Annotation]) -> None:
    """Move names at the right ends of lines up as far as they would cover one another."""
    ax.get_ylim()  # the limits are settled only when somebody asks
    free = -np.inf
    for name in sorted(names, key=lambda name: name.xy[1]):
        end = ax.transData.transform(name.xy)[1] * 72 / ax.figure.dpi
        name.set_position((8, max(0.0, free - end)))
        free = max(end, free) + 1.3 * name.get_fontsize()


def trend(
    ax: Axes,
    x: Sequence[float],
    means: Sequence[Sequence[float]],
    *,
    name: str,
    marker: str = "o",
    color: str | None = None,
) -> Axes:
    """Draw a line of means over `x` with 95% intervals as bars, and name it at its right end.

    `x` (n,) are numbers; `means` holds (mean, low, high, …) for each of them. It raises ValueError for lengths that
    differ.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> ax = trend(ax, [10, 100], [(0.9, 0.8, 1.0), (0.6, 0.5, 0.7)], name="tree")
    >>> ax.texts[0].get_text(), np.array(ax.texts[0].xy).tolist()
    ('tree', [100.0, 0.6])
    """
    x = np.asarray(x)  # a Series has no last element at -1
    triples = [_mean_low_high(f"means[{i}]", value) for i, value in enumerate(means)]
    if x.shape != (len(triples),) or not triples:
        raise ValueError(f"x has shape {x.shape} for {len(triples)} means; it should be one number for each of them")
    mean, low, high = np.array(triples).T
    line = ax.errorbar(x, mean, yerr=[mean - low, high - mean], marker=marker, capsize=3, color=color, label=name)
    look = {"va": "center", "color": line[0].get_color(), "fontweight": "bold"}
    ax.annotate(name, (x[-1], mean[-1]), xytext=(8, 0), textcoords="offset points", **look)
    return ax


@chart(_trade_in_words, height=5.2)
def trade_off(
    ax: Axes,
    accuracy: Mapping[str, Sequence[float]],
    leakage: Mapping[str, Sequence[float]],
    on_frontier: Sequence[bool],
    *,
    label: str = "AUC of the attack",
) -> Axes:
    """Draw accuracy against leakage by name: the best is top left, and steps join the frontier.

    `accuracy` and `leakage` are {name: (mean, low, high, …)}, with the same names in the same order; `on_frontier` (n,)
    bool is what `mialab.defences.frontier` returns; `label` says what the leakage is. It raises ValueError where the
    names differ.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> accuracy = {"none": (0.95, 0.94, 0.96), "label only": (0.95, 0.94, 0.96)}
    >>> leakage = {"none": (0.70, 0.65, 0.75), "label only": (0.55, 0.50, 0.60)}
    >>> ax = trade_off(accuracy, leakage, on_frontier=[False, True], ax=ax)
    >>> sorted(text.get_text() for text in ax.texts)
    ['label only', 'none']
    """
    front = np.asarray(on_frontier, dtype=bool)
    if list(leakage) != list(accuracy) or front.shape != (len(accuracy),) or not len(accuracy):
        raise ValueError("accuracy, leakage and on_frontier should say one thing of each name, in the same order")
    y = np.array([_mean_low_high(f"accuracy[{name!r}]", accuracy[name]) for name in accuracy])
    x = np.array([_mean_low_high(f"leakage[{name!r}]", leakage[name]) for name in accuracy])
    beaten = {"marker": "o", "markersize": 8, "markerfacecolor": "white", "color": "#444b57"}
    for points, style in (
        (front, {"marker": "D", "markersize": 8, "color": PLAIN, "label": "on the frontier"}),
        (~front, beaten | {"label": "another is no worse in both, and better in one"}),
    ):
        across, up = (np.abs(each[points, 1:] - each[points, :1]).T for each in (x, y))
        ax.errorbar(x[points, 0], y[points, 0], up, across, linestyle="none", elinewidth=0.8, **style)
    order = np.flatnonzero(front)[np.lexsort((y[front, 0], x[front, 0]))]
    steps = {"drawstyle": "steps-post", "linewidth": 1, "linestyle": "--", "zorder": 0}
    ax.plot(x[order, 0], y[order, 0], color=PLAIN, **steps)
    ax.set(xlabel=label, ylabel="accuracy on strangers")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14))
    bars = [[(a, b) for a in left[1:]] for left, (b, *_) in zip(x, y, strict=True)]
    bars += [[(a, b) for b in low_high[1:]] for (a, *_), low_high in zip(x, y, strict=True)]
    names, which = _together(list(accuracy), x[:, 0], y[:, 0])
    _name_points(ax, np.column_stack([x[:, 0], y[:, 0]]), which, names, np.full(len(x), 5.0), bars)
    return ax


def _together(names: list[str], x: np.ndarray, y: np.ndarray) -> tuple[list[str], np.ndarray]:
    """One name for points that cover each other, as "none, rounding", and the row of the first of them."""
    near = 0.02 * np.array([np.ptp(x) or 1, np.ptp(y) or 1])
    groups: list[list[int]] = []
    for i, at in enumerate(np.column_stack([x, y])):
        for group in groups:
            if (np.abs(at - (x[group[0]], y[group[0]])) <= near).all():
                group.append(i)
                break
        else:
            groups.append([i])
    return [", ".join(names[i] for i in group) for group in groups], np.array([group[0] for group in groups])


@chart(_bars_in_words, width=5.0, height=2.6)
def probabilities(ax: Axes, species: Sequence[str], values: Sequence[float]) -> Axes:
    """Draw a model's answer: one bar for each species, its probability written at the end.

    `species` and `values` hold the same number of names and of probabilities. It raises ValueError where they do not,
    and for a name that is no species.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> ax = probabilities(["setosa", "virginica"], [0.9, 0.1], ax=ax)
    >>> [text.get_text() for text in ax.texts]
    ['0.90', '0.10']
    """
    species, values = list(species), _finite("values", values)
    _check_species(species)
    if len(values) != len(species):
        raise ValueError(f"values holds {len(values)} numbers for {len(species)} species; it should hold one for each")
    for row, (name, value) in enumerate(zip(species, values, strict=True)):
        ax.barh(row, value, color=SPECIES[name]["color"], height=0.62)
        ax.text(value + 0.015, row, f"{value:.2f}", va="center")
    ax.set(yticks=range(len(species)), yticklabels=species, ylim=(len(species) - 0.5, -0.5))
    ax.set(xlim=(0, 1.12), xticks=np.linspace(0, 1, 6), xlabel="probability")
    ax.grid(axis="y", visible=False)
    return ax
