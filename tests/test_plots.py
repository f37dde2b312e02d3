"""Figures draw on the ax they get, give it back, and carry their alt text."""

from __future__ import annotations

import os
import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
from conftest import left_as_found
from figures import GREYS_FLOOR, TEXT_FLOOR, WHITE, contrast, faults

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from mialab import plots
from mialab.data import load_iris
from mialab.exercises import chapters
from mialab.metrics import MeanInterval, roc

FLOWERS = load_iris()
SPECIES = np.array(FLOWERS.class_names)[FLOWERS.y]


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


GOOD_MEANS = [(0.5, 0.4, 0.6), (0.7, 0.6, 0.8)]
DRAWINGS = {
    "steps": lambda ax: plots.steps(now=["train", "infer"], ax=ax),
    "story": lambda ax: plots.story("shadow models", ax=ax),
    "flowers_on_plane": lambda ax: plots.flowers_on_plane(*FLOWERS.X[:, 2:].T, SPECIES, labels=("a", "b"), ax=ax),
    "two_groups": lambda ax: plots.two_groups([0.9, 1.0], [0.4, 0.5], label="confidence", ax=ax),
    "garden_map": lambda ax: plots.garden_map(
        *FLOWERS.X[:, 2:].T, SPECIES, np.linspace(0.4, 1, 150), labels=("a", "b"), n_named=12, ax=ax
    ),
    "log roc_curve": lambda ax: plots.roc_curve({"x": roc([1, 2, 3, 4], [0, 1, 0, 1])}, log_from=0.01, ax=ax),
    "roc_curve": lambda ax: plots.roc_curve({"x": roc([1, 2, 3, 4], [0, 1, 0, 1])}, ax=ax),
    "intervals": lambda ax: plots.intervals({"x": (0.5, 0.4, 0.6)}, label="AUC", chance=0.5, ax=ax),
    "halves": lambda ax: plots.halves({"x": (1.0, 1.0, 1.0)}, {"x": (0.9, 0.8, 1.0)}, label="accuracy", ax=ax),
    "trends": lambda ax: plots.trends(
        [1, 2],
        {"net": GOOD_MEANS, "tree": [(0.9, 0.8, 1.0), (0.8, 0.7, 0.9)]},
        along="k",
        label="AUC",
        chance=0.5,
        log=True,
        ax=ax,
    ),
    "trend": lambda ax: plots.trend(ax, [1, 2], GOOD_MEANS, name="net"),
    "trade_off": lambda ax: plots.trade_off({"x": (0.9, 0.8, 1.0)}, {"x": (0.6, 0.5, 0.7)}, [True], ax=ax),
    "probabilities": lambda ax: plots.probabilities(FLOWERS.class_names, [0.2, 0.3, 0.5], ax=ax),
}


@pytest.mark.long
@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_a_drawing_returns_its_ax_and_opens_no_other_figure(ax, draw):
    before = plt.get_fignums()
    assert draw(ax) is ax
    assert plt.get_fignums() == before
    assert ax.has_data() or ax.texts


# What a chart says where it stands on its own: every number that it drew, or where they lie.
WORDS = {
    "story": "The article's steps in this notebook: ",
    "flowers_on_plane": "Flowers by a and b: 50 setosa around 1.5 and 0.2 cm, 50 versicolor around 4.3 and 1.3 cm, 50",
    "two_groups": "Confidence. 2 members: from 0.90 to 1.00, mean 0.95. 2 strangers: from 0.40 to 0.50, mean 0.45.",
    "garden_map": "150 flowers, exposed from 0.40 to 1.00, mean 0.70. Most exposed: 149 (1.00), 148 (1.00)",
    "roc_curve": "where the two shares are furthest apart. x: 0.50 of the members and 0.00 of the strangers.",
    "intervals": "AUC. x: 0.50 (0.40 to 0.60).",
    "halves": "Accuracy. x: members 1.00, strangers 0.90 (0.80 to 1.00).",
    "trends": "AUC by k. net: 0.50 (0.40 to 0.60) at 1, 0.70 (0.60 to 0.80) at 2; tree: 0.90 (0.80 to 1.00) at 1, 0.80",
    "log roc_curve": "Members caught where one stranger in a hundred is accused at most. x: 0.50.",
    "trade_off": "against AUC of the attack. x: 0.90 (0.80 to 1.00) against 0.60 (0.50 to 0.70). On the frontier: x.",
    "probabilities": "The model's answer: setosa 0.20, versicolor 0.30, virginica 0.50.",
}


@pytest.mark.long
@pytest.mark.parametrize("name", WORDS)
def test_a_chart_on_its_own_is_shown_with_its_words_and_leaves_no_figure_open(name):
    picture = DRAWINGS[name](None)
    assert WORDS[name] in picture.alt and picture.png[:4] == b"\x89PNG" and plt.get_fignums() == []


def test_a_title_is_drawn_and_said_and_limits_are_set(ax):
    look = {"title": "The tree remembers", "xlim": (0.9, 1.0)}
    said = plots.intervals({"tree": (1.0, 1.0, 1.0)}, label="accuracy", **look).alt
    assert said == "The tree remembers. Accuracy. tree: 1.00."
    assert plots.intervals(means={"tree": (1.0, 1.0, 1.0)}, label="accuracy", **look).alt == said
    small = plots.intervals({"net": (0.004, -0.0001, 0.008)}, label="gap").alt
    assert small == "Gap. net: 0.004 (0.000 to 0.008)."  # not 0.00, and nothing below nought that is none
    drawn = plots.intervals({"tree": (1.0, 1.0, 1.0)}, label="accuracy", ax=ax, **look)
    assert drawn is ax and ax.get_title() == look["title"] and ax.get_xlim() == look["xlim"]


def test_a_style_that_one_file_sets_is_gone_in_the_next(request):
    assert "_left_as_found" in request.fixturenames
    with left_as_found():
        plt.style.use("mialab.course")
        os.environ["MIALAB_SEEN"] = "1"
    assert matplotlib.rcParams["axes.titlelocation"] == "center" and "MIALAB_SEEN" not in os.environ


def test_two_groups_counts_every_record_once(ax):
    rng = np.random.default_rng(0)
    inside, outside = rng.random(75), rng.random(60)
    plots.two_groups(inside, outside, label="x", ax=ax)
    heights = [p.get_height() for p in ax.patches]
    assert sum(h for h in heights if h > 0) == 75
    assert sum(h for h in heights if h < 0) == -60
    low, high = ax.get_ylim()
    assert low == -high  # both groups at one scale


def test_intervals_accepts_means_with_a_count(ax):
    plots.intervals({"a": MeanInterval(0.5, 0.4, 0.6, 50), "b": (0.7, 0.6, 0.8)}, label="AUC", ax=ax)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first name is on top


def test_roc_is_drawn_with_the_line_of_chance(ax):
    plots.roc_curve({"x": roc([1, 2, 3, 4], [0, 1, 0, 1])}, ax=ax)
    chance = ax.lines[0]
    assert chance.get_xdata().tolist() == chance.get_ydata().tolist() == [0, 1]


@pytest.mark.long
@pytest.mark.parametrize("name", plots.STORIES)
def test_a_story_is_drawn_with_nothing_cut_or_covered_and_every_word_of_it_is_in_the_alt_text(name):
    with plt.style.context("mialab.course"):
        fig, ax = plt.subplots(figsize=(8.5, 4))
        plots.story(name, ax=ax)
        assert faults(fig) == []
    told = plots.STORIES[name]
    words = plots.story_in_words(name)
    drawn = {re.sub(r"^[●□] ", "", text.get_text()) for text in ax.texts}
    for subject, verb, target in told.says:
        assert {subject, verb, target} <= drawn
        assert " ".join(f"{subject} {verb} {target}.".split()).lower() in words.lower()
    assert all(" ".join(step.split()) in words for step in told.now)
    plt.close(fig)


def test_there_is_one_story_for_each_notebook_and_together_they_take_every_step():
    titles = [chapter.notebook[3:].replace("_", " ") for chapter in chapters()]
    assert list(plots.STORIES) == titles
    taken = {step for told in plots.STORIES.values() for step in told.now}
    assert taken == {*plots.OWNER_STEPS, *plots.ATTACKER_STEPS}


def test_a_story_that_is_none_is_refused(ax):
    with pytest.raises(ValueError, match="name is 'a fairy tale'; it should be one of"):
        plots.story("a fairy tale", ax=ax)
    with pytest.raises(ValueError, match="which is none of the boxes"):
        plots.Story((), {"a": ("thing", 0, 0)}, (("a", "eats", "b"),))


def plane(species, ax):
    return plots.flowers_on_plane([1, 2], [1, 2], species, labels=("a", "b"), ax=ax)


def garden(x, y, species, exposure, ax):
    return plots.garden_map(x, y, species, exposure, labels=("a", "b"), ax=ax)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda ax: plots.steps("ask", ax=ax), "now is 'ask'; now should be a list of steps"),
        (lambda ax: plots.steps(None, ax=ax), "now is None; now should be a list of steps"),
        (lambda ax: plots.steps(["attack"], ax=ax), "now names 'attack', which is no step"),
        (lambda ax: plane([0, 1], ax), "holds 0; it should hold names of species: setosa, versicolor, virginica"),
        (lambda ax: plane(["setosa", "rose"], ax), "species holds 'rose'"),
        (lambda ax: plane(["setosa"], ax), r"x, y and species have shapes \(2,\), \(2,\) and \(1,\)"),
        (lambda ax: garden([1, 2], [1, 1], ["setosa"], [0.5, 0.6], ax), "species and exposure have shapes"),
        (lambda ax: garden([1], [1], ["rose"], [0.5], ax), "species holds 'rose'"),
        (lambda ax: garden([1], [1], ["setosa"], [np.nan], ax), "exposure holds NaN"),
        (lambda ax: plots.probabilities(["rose"], [1.0], ax=ax), "species holds 'rose'; it should hold names"),
        (lambda ax: plots.probabilities(["setosa"], [0.5, 0.5], ax=ax), "values holds 2 numbers for 1 species"),
        (lambda ax: plots.probabilities(["setosa"], ["all"], ax=ax), "values holds str values"),
        (lambda ax: plots.two_groups([0.5, np.nan], [0.5], label="x", ax=ax), "inside holds NaN or infinite values"),
        (lambda ax: plots.two_groups([0.5], [np.inf], label="x", ax=ax), "outside holds NaN or infinite values"),
        (lambda ax: plots.two_groups([0.5], [[0.5]], label="x", ax=ax), r"outside holds an array of shape \(1, 1\)"),
        (lambda ax: plots.trend(ax, [1, 2], [0.5, 0.6], name="x"), r"means\[0\] is 0\.5; it should be \(mean, low"),
        (lambda ax: plots.trend(ax, [1], GOOD_MEANS, name="x"), r"x has shape \(1,\) for 2 means"),
        (lambda ax: plots.trend(ax, [], [], name="x"), r"x has shape \(0,\) for 0 means"),
        (lambda ax: plots.intervals({"a": 0.5}, label="x", ax=ax), r"means\['a'\] is 0\.5; it should be \(mean, low"),
    ],
)
def test_bad_input_is_named_and_nothing_is_drawn(ax, draw, message):
    with pytest.raises(ValueError, match=message):
        draw(ax)
    assert not ax.has_data()


def test_a_trend_may_come_as_a_series(ax):
    plots.trend(ax, pd.Series([10, 20], [5, 6]), pd.Series(GOOD_MEANS, [5, 6]), name="net")
    assert ax.lines[0].get_xdata().tolist() == [10, 20]
    assert ax.texts[0].xy == (20, 0.7)


def test_members_and_strangers_differ_in_shape_and_in_grey():
    assert plots.MEMBER["marker"] != plots.STRANGER["marker"]
    assert len({s["marker"] for s in plots.SPECIES.values()}) == 3
    assert contrast(to_rgb(plots.MEMBER["color"]), to_rgb(plots.STRANGER["color"])) > GREYS_FLOOR
    with plt.style.context("mialab.course"):
        cycle = [each["color"] for each in matplotlib.rcParams["axes.prop_cycle"]]
    kept = {plots.MEMBER["color"], plots.STRANGER["color"], *plots.PALETTE.values()}
    assert not kept & {f"#{c.strip('#')}" for c in cycle}, "a colour of members, strangers or species means only that"
    for colour in [*kept, *(f"#{c.strip('#')}" for c in cycle)]:
        assert contrast(to_rgb(colour), WHITE) >= TEXT_FLOOR


# --- show -------------------------------------------------------------------------------------------------------------


def test_show_gives_an_image_with_alt_text_and_closes_the_figure():
    fig, _ = plt.subplots()
    picture = plots.show(fig, alt='Members score   higher:\n 1.00 > "0.9" & <0.8>.')
    assert fig.number not in plt.get_fignums()
    html = picture._repr_html_()
    assert html.startswith('<img alt="Members score higher: 1.00 &gt; &quot;0.9&quot; &amp; &lt;0.8&gt;."')
    assert re.search(r'src="data:image/png;base64,[A-Za-z0-9+/=]+">$', html)
    assert repr(picture) == 'Figure: Members score higher: 1.00 > "0.9" & <0.8>.'
    assert picture.png.startswith(b"\x89PNG")


@pytest.mark.parametrize("alt", ["", "ROC curve", None, 3, "   "])
def test_show_refuses_a_figure_without_a_sentence(alt):
    fig, _ = plt.subplots()
    with pytest.raises(ValueError, match="alt should be a sentence"):
        plots.show(fig, alt=alt)
    plt.close(fig)


def test_show_refuses_what_is_no_figure(ax):
    with pytest.raises(ValueError, match="fig should be a matplotlib figure"):
        plots.show(ax, alt="An axes is not a figure, alas.")


def test_the_same_figure_gives_the_same_bytes():
    def draw():
        fig, ax = plt.subplots()
        plots.intervals({"x": (0.5, 0.4, 0.6)}, label="AUC", ax=ax)
        return plots.show(fig, alt="One interval from 0.4 to 0.6.").png

    first = draw()
    assert draw() == first
    assert b"Software" not in first


@pytest.mark.long
def test_the_most_exposed_flowers_are_named_and_no_name_covers_another(ax):
    exposure = np.full(150, 0.5)
    crowd = np.flatnonzero((FLOWERS.X[:, 2] > 4.7) & (FLOWERS.X[:, 2] < 5.2))[:14]  # all in one corner of the map
    exposure[crowd] = np.linspace(0.8, 1.0, 14)
    plots.garden_map(*FLOWERS.X[:, 2:].T, SPECIES, exposure, labels=("a", "b"), n_named=14, ax=ax)
    assert {text.get_text() for text in ax.texts} == {str(i) for i in crowd}
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]  # without the line to the flower
    for i, box in enumerate(boxes):
        assert ax.bbox.contains(box.x0, box.y0)
        assert ax.bbox.contains(box.x1, box.y1)
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_a_more_exposed_flower_is_drawn_larger_darker_and_above(ax):
    garden([1, 2, 3], [1, 1, 1], ["virginica", "setosa", "virginica"], [0.5, 0.75, 0.99], ax)
    drawn = {}
    for points in ax.collections:
        looks = points.get_offsets(), points.get_sizes(), points.get_facecolors()
        for (x, _), size, colour in zip(*looks, strict=False):
            drawn[int(x)] = (size, -colour[:3].sum(), points.get_zorder())
    assert sorted(drawn) == [1, 2, 3]
    for measure in range(3):
        assert drawn[1][measure] < drawn[2][measure] < drawn[3][measure]


def test_a_logarithmic_roc_begins_where_it_is_told_and_not_at_zero(ax):
    curve = {"x": roc([1, 2, 3, 4], [0, 1, 0, 1])}
    plots.roc_curve(curve, log_from=0.01, ax=ax)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlim() == ax.get_ylim() == (0.01, 1.0)
    with pytest.raises(ValueError, match="log_from is 0"):
        plots.roc_curve(curve, log_from=0, ax=ax)


def test_the_names_of_two_groups_stand_where_they_are_told(ax):
    plots.two_groups([0.1], [0.2], label="x", names_at="right", ax=ax)
    assert [text.get_ha() for text in ax.texts] == ["right", "right"]
    with pytest.raises(ValueError, match="names_at is 'middle'"):
        plots.two_groups([0.1], [0.2], label="x", names_at="middle", ax=ax)


ACCURACY = {"none": (0.6, 0.5, 0.7), "L2": (0.7, 0.6, 0.8), "label": (0.6, 0.55, 0.65), "noise": (0.4, 0.3, 0.5)}
LEAKAGE = {"none": (0.9, 0.8, 1.0), "L2": (0.7, 0.6, 0.8), "label": (0.75, 0.7, 0.8), "noise": (0.55, 0.5, 0.6)}


def test_a_trade_off_marks_the_frontier_by_shape_and_joins_it_from_left_to_right(ax):
    plots.trade_off(ACCURACY, LEAKAGE, [False, True, False, True], label="AUC of RMIA", ax=ax)
    drawn = {line.get_marker(): set(map(tuple, line.get_xydata())) for line in ax.lines if line.get_marker() in "Do"}
    assert drawn == {"D": {(0.7, 0.7), (0.55, 0.4)}, "o": {(0.9, 0.6), (0.75, 0.6)}}
    (joined,) = (line for line in ax.lines if line.get_linestyle() == "--")
    assert joined.get_xydata().tolist() == [[0.55, 0.4], [0.7, 0.7]] and joined.get_drawstyle() == "steps-post"
    bars = {tuple(np.ravel(bar).round(9)) for bars in ax.collections for bar in bars.get_segments()}
    assert {(0.8, 0.6, 1.0, 0.6), (0.9, 0.5, 0.9, 0.7)} <= bars and len(bars) == 8
    assert ax.get_xlabel() == "AUC of RMIA" and len(ax.get_legend().get_texts()) == 2


def test_the_names_of_a_trade_off_cover_no_point_and_no_other_name(ax):
    plots.trade_off(ACCURACY, LEAKAGE, [False, True, False, True], ax=ax)
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    points = ax.transData.transform([(LEAKAGE[name][0], ACCURACY[name][0]) for name in ACCURACY])
    assert [text.get_text() for text in ax.texts] == list(ACCURACY)
    assert not any(box.contains(*point) for box in boxes for point in points)
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


@pytest.mark.parametrize(
    ("leakage", "on_frontier", "message"),
    [
        (LEAKAGE, [True], "same order"),
        ({"none": LEAKAGE["none"]}, [True] * 4, "same order"),
        (dict(reversed(LEAKAGE.items())), [True] * 4, "same order"),
        (LEAKAGE | {"L2": 0.7}, [True] * 4, r"leakage\['L2'\] is 0.7"),
    ],
)
def test_a_trade_off_refuses_what_it_cannot_draw(ax, leakage, on_frontier, message):
    with pytest.raises(ValueError, match=message):
        plots.trade_off(ACCURACY, leakage, on_frontier, ax=ax)


def test_a_dial_on_a_logarithmic_axis_has_each_setting_as_a_tick_and_no_other():
    with plt.style.context("mialab.course"):
        fig, ax = plt.subplots()
        settings = [20, 50, 100, 200, 500]
        plots.trends(settings, {"net": GOOD_MEANS[:1] * 5}, along="rounds", label="AUC", log=True, ax=ax)
        assert faults(fig) == []
    assert [text.get_text() for text in ax.get_xticklabels()] == ["20", "50", "100", "200", "500"]
    assert ax.get_xticks(minor=True).size == 0
    plt.close(fig)


def test_names_of_lines_that_end_at_one_place_do_not_cover_one_another():
    lines = {name: [(0.5, 0.4, 0.6), (end, end - 0.1, end + 0.1)] for name, end in
             {"net": 0.7, "tree": 0.7, "forest": 0.705, "far away": 0.2}.items()}  # fmt: skip
    with plt.style.context("mialab.course"):
        fig, ax = plt.subplots(figsize=(7.0, 3.8))
        plots.trends([1, 2], lines, along="k", label="AUC", ax=ax)
        assert not [fault for fault in faults(fig) if "overlap" in fault]
    assert [text.get_position()[1] == 0 for text in ax.texts] == [True, False, False, True]  # no further than need be
    plt.close(fig)
