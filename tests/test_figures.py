"""The checks of figures notice what they should, and nothing in a good figure."""

from __future__ import annotations

import json

import matplotlib
import pytest
from figures import contrast, faults, watch
from matplotlib.figure import Figure

matplotlib.use("Agg")


def figure():
    """A figure with nothing wrong."""
    fig = Figure(figsize=(6, 3.5), layout="constrained")
    ax = fig.subplots()
    ax.plot([0, 1, 2], [0, 1, 4], color="#1B3A6B", marker="s", label="one")
    ax.plot([0, 1, 2], [4, 1, 0], color="#BF4E00", marker="o", label="other")
    ax.set(xlabel="x", ylabel="y", title="Two lines that cross")
    return fig, ax


def test_a_good_figure_has_no_faults():
    assert faults(figure()[0]) == []


def cut(fig, ax):
    ax.text(2.0, 2, "a label that runs out of the picture", fontsize=16)
    fig.set_layout_engine("none")


def overlapping(fig, ax):
    ax.text(0.2, 2.0, "one label")
    ax.text(0.25, 2.05, "another")


def small(fig, ax):
    ax.text(0.5, 2, "fine print", fontsize=5)


def faint_text(fig, ax):
    ax.text(0.5, 2.5, "hardly there", color="#b0b0b0")


def text_on_a_bar(fig, ax):
    ax.bar([0.5], [3], color="#444b57")
    ax.text(0.5, 2, "dark on dark", ha="center", color="#22262e")


def faint_line(fig, ax):
    ax.plot([0, 2], [1, 1], color="#cccccc", marker="^", label="third")


def see_through_points(fig, ax):
    ax.scatter([0, 1], [2, 3], color="#BF4E00", alpha=0.3, label="ghosts", linewidth=0)


def alike(fig, ax):
    ax.plot([0, 2], [1, 1], color="#8F6310", marker="o", label="third")


def legend_over_data(fig, ax):
    ax.legend(loc="upper right", fontsize=14)


@pytest.mark.long
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut, "text is cut off: 'a label"),
        (overlapping, "texts overlap: 'one label' and 'another'"),
        (small, "text is too small: 'fine print', 5 pt"),
        (faint_text, "text is faint or covers marks: 'hardly there'"),
        (text_on_a_bar, "text is faint or covers marks: 'dark on dark'"),
        (faint_line, "a line is faint: 'third'"),
        (see_through_points, "points are faint: 'ghosts'"),
        (alike, "told apart by colour alone: 'other' and 'third'"),
        (legend_over_data, "the legend covers"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_fault_is_named(spoil, message):
    fig, ax = figure()
    spoil(fig, ax)
    found = faults(fig)
    assert any(fault.startswith(message) for fault in found), found


@pytest.mark.long
def test_shape_or_style_or_grey_is_enough_to_tell_lines_apart():
    for look in ({"marker": "D", "color": "#BF4E00"}, {"linestyle": ":", "color": "#BF4E00"}, {"color": "#111111"}):
        fig, ax = figure()
        ax.plot([0, 2], [1, 1], **{"marker": "o"} | look, label="third")
        assert faults(fig) == []


@pytest.mark.long
def test_a_watched_figure_leaves_its_faults_in_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(Figure, "savefig", Figure.savefig)
    watch(str(tmp_path / "found.jsonl"))
    for spoil in (lambda *_: None, small):
        fig, ax = figure()
        spoil(fig, ax)
        fig.savefig(tmp_path / "figure.png")
    good, bad = (json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines())
    assert good == [] and len(bad) == 1


def test_contrast_of_known_colours():
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast((1, 1, 1), (1, 1, 1)) == pytest.approx(1)
    assert contrast((0x76 / 255,) * 3, (1, 1, 1)) == pytest.approx(4.54, abs=0.01)
