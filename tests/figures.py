"""What a reader could not see in a figure: text that is cut off, covered or faint, marks told apart by colour alone."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Text

TEXT_FLOOR = 4.5  # contrast that WCAG 2.2 asks of text (1.4.3)
MARK_FLOOR = 3.0  # and of graphics (1.4.11)
GREYS_FLOOR = 1.4  # contrast of two lines of one style and shape, below which a photocopy makes them one
LEAST_SIZE = 7.0  # points
WHITE = (1.0, 1.0, 1.0)


def faults(fig: Figure) -> list[str]:
    """Every fault of a figure, each a sentence that names the words or the marks."""
    fig.draw_without_rendering()
    texts = [text for text in fig.findobj(Text) if text.get_text().strip() and _is_seen(text)]
    texts = [text for text in texts if text.get_window_extent().width > 0 and not _is_off_axis(fig, text)]
    found = _cut(fig, texts) + _overlapping(texts) + _small(texts) + _faint_text(fig, texts)
    for ax in fig.axes:
        found += _faint_marks(ax) + _alike_in_grey(ax) + _legend_over_data(ax)
    return found


def watch(path: str) -> None:
    """From now on, write the faults of each figure that is saved as a line of JSON at the end of the file."""
    save = Figure.savefig

    def savefig(fig: Figure, *args, **settings):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(faults(fig)) + "\n")
        return save(fig, *args, **settings)

    Figure.savefig = savefig


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Contrast of two colours, red, green and blue from 0 to 1 each: from 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((float(_luminance(np.array(c))) for c in (one[:3], other[:3])), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance of (…, 3) colours, as WCAG 2.2 defines it."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def _is_seen(artist) -> bool:
    """True unless the artist, or what holds it, is hidden."""
    holder = getattr(artist, "axes", None)
    return artist.get_visible() and (holder is None or holder.get_visible()) and (artist.get_alpha() or 1) > 0.05


def _is_off_axis(fig: Figure, text: Text) -> bool:
    """True for the label of a tick outside the limits, which is not drawn."""
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if text in (tick.label1, tick.label2):
                    drawn = ax.axison and axis.get_visible()
                    return not drawn or not low - 1e-9 <= tick.get_loc() <= high + 1e-9
            if not ax.axison and text is axis.label:
                return True
    return False


def _box(text: Text) -> np.ndarray:
    """Left, bottom, right and top of a text in pixels, without the arrow of an annotation."""
    return np.array(Text.get_window_extent(text).extents)


def _cut(fig: Figure, texts: list[Text]) -> list[str]:
    width, height = fig.bbox.size
    over = lambda box: min(box[0], box[1], width - box[2], height - box[3]) < -1  # noqa: E731
    return [f"text is cut off: {text.get_text()!r}" for text in texts if over(_box(text))]


def _overlapping(texts: list[Text]) -> list[str]:
    found = []
    for one, other in itertools.combinations(texts, 2):
        low, high = np.maximum(_box(one)[:2], _box(other)[:2]), np.minimum(_box(one)[2:], _box(other)[2:])
        if (high - low > 1.5).all():
            found.append(f"texts overlap: {one.get_text()!r} and {other.get_text()!r}")
    return found


def _small(texts: list[Text]) -> list[str]:
    return [f"text is too small: {t.get_text()!r}, {t.get_fontsize():g} pt" for t in texts if t.get_size() < LEAST_SIZE]


def _faint_text(fig: Figure, texts: list[Text]) -> list[str]:
    """Each text against the pixels behind it; a halo (a path effect) is taken for what is behind."""
    shown = [(text, text.get_alpha()) for text in texts]
    for text in texts:
        text.set_alpha(0)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba(), dtype=float)[::-1, :, :3] / 255
    for text, alpha in shown:
        text.set_alpha(alpha)
    found = []
    for text in texts:
        left, bottom, right, top = np.clip(_box(text).round().astype(int), 0, None)
        behind = pixels[bottom : top + 1, left : right + 1].reshape(-1, 3)
        if not len(behind) or text.get_path_effects():
            continue
        box = text.get_bbox_patch()
        if box is not None:
            behind = np.array([to_rgb(box.get_facecolor())])
        own = float(_luminance(np.array(to_rgb(text.get_color()))))
        lights = _luminance(behind)
        ratios = (np.maximum(own, lights) + 0.05) / (np.minimum(own, lights) + 0.05)
        if np.mean(ratios < TEXT_FLOOR) > 0.2:
            found.append(f"text is faint or covers marks: {text.get_text()!r}, contrast {np.median(ratios):.1f}")
    return found


def _blend(colour, alpha: float | None = None) -> tuple[float, ...]:
    """A colour as it looks on white."""
    red, green, blue, own = to_rgba(colour)
    share = own if alpha is None else alpha
    return tuple(share * part + 1 - share for part in (red, green, blue))


def _lines(ax: Axes) -> list[Line2D]:
    return [line for line in ax.get_lines() if _is_seen(line) and len(line.get_xdata())]


def _faint_marks(ax: Axes) -> list[str]:
    found = []
    for line in _lines(ax):
        colours = [line.get_color()] if line.get_linestyle() not in ("None", "none", "", " ") else []
        if line.get_marker() not in ("None", "none", "", " ", None):
            colours += [line.get_markerfacecolor(), line.get_markeredgecolor()]
        colours = [colour for colour in colours if not (isinstance(colour, str) and colour == "none")]
        best = max((contrast(_blend(colour, line.get_alpha()), WHITE) for colour in colours), default=21)
        if best < MARK_FLOOR:
            found.append(f"a line is faint: {line.get_label()!r}, contrast {best:.1f}")
    for points in ax.collections:
        if isinstance(points, PathCollection) and _is_seen(points) and len(points.get_offsets()):
            edges = points.get_edgecolors() if points.get_linewidths().max() > 0.4 else []
            best = [max((contrast(_blend(e), WHITE) for e in edges), default=1)]
            best += [contrast(_blend(face), WHITE) for face in points.get_facecolors()]
            if max(best) < MARK_FLOOR:
                found.append(f"points are faint: {points.get_label()!r}, contrast {max(best):.1f}")
    return found


def _alike_in_grey(ax: Axes) -> list[str]:
    """Lines and clouds that bear a name each, of one shape and one style, and of one grey."""
    looks = []
    for line in _lines(ax):
        dashes = str(line._unscaled_dash_pattern)  # get_linestyle says "--" of any dashes
        looks.append((line.get_label(), str(line.get_marker()), dashes, _blend(line.get_color())))
    for points in ax.collections:
        if isinstance(points, PathCollection) and len(points.get_facecolors()):
            shape = str(points.get_paths()[0].vertices.round(2).tolist())
            looks.append((points.get_label(), shape, "", tuple(points.get_facecolors()[0][:3])))
    for bars in ax.containers:
        if isinstance(bars, ErrorbarContainer) and bars[0] is not None:
            line = bars[0]
            dashes = str(line._unscaled_dash_pattern)
            looks.append((bars.get_label(), str(line.get_marker()), dashes, _blend(line.get_markerfacecolor())))
    named = [look for look in looks if not str(look[0]).startswith("_")]
    return [
        f"told apart by colour alone: {one[0]!r} and {other[0]!r}"
        for one, other in itertools.combinations(named, 2)
        if one[0] != other[0] and one[1:3] == other[1:3] and contrast(one[3], other[3]) < GREYS_FLOOR
    ]


def _legend_over_data(ax: Axes) -> list[str]:
    legend: Legend | None = ax.get_legend()
    if legend is None or not legend.get_visible():
        return []
    box = legend.get_window_extent()
    points = [line.get_transform().transform(line.get_xydata()) for line in _lines(ax) if len(line.get_xydata()) > 2]
    points += [c.get_offset_transform().transform(c.get_offsets()) for c in ax.collections
               if isinstance(c, PathCollection) and len(c.get_offsets())]  # fmt: skip
    covered = sum(int(box.count_contains(p)) for p in points)
    return [f"the legend covers {covered} points"] if covered else []
