"""What the panels show, tested without a browser (test_browser.py moves the real ones)."""

from __future__ import annotations

import base64
import gc
import math
import re
import weakref
from dataclasses import replace
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from figures import faults
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.svm import LinearSVC

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from mialab import targets, widgets
from mialab._still import STILL, WIDGET, keep_still
from mialab.attacks import RMIA
from mialab.data import load_iris, split, wrong_labels
from mialab.defences import LabelOnly, Rounded, defence_matrix
from mialab.exposure import exposure
from mialab.metrics import auc
from mialab.nets import NetClassifier
from mialab.shadows import train_shadows
from mialab.widgets import (
    Game,
    answer_view,
    coin_view,
    defence_view,
    describe_answer,
    garden_story,
    overfitting_view,
    shadow_view,
    threshold_view,
)

FLOWERS = load_iris()
PARTS = split(FLOWERS.X, FLOWERS.y, n_members=75, random_state=0)
MODEL = targets.make("logistic").fit(PARTS.X_in, PARTS.y_in)
LOOKUP = targets.make("knn-lookup").fit(PARTS.X_in, PARTS.y_in)
SCORES = LOOKUP.predict_proba(PARTS.X).max(axis=1)
NET = NetClassifier(hidden=8, epochs=20)
NETS = train_shadows(NET, FLOWERS.X, FLOWERS.y, n_shadows=24, random_state=0)
GARDEN = exposure(NETS)
MATRIX = defence_matrix(
    {"none": NET, "rounding": Rounded(NET, 1), "label only": LabelOnly(NET)},
    {"clean": (FLOWERS.X, FLOWERS.y), "wrong": (FLOWERS.X, wrong_labels(FLOWERS.y, 0.2, random_state=0))},
    {"strongest": RMIA(online=False)}, n_shadows=6, n_targets=3, n_seeds=3, fpr=0.1,
)  # fmt: skip

PANELS = {
    "ask_the_model": lambda: widgets.ask_the_model(MODEL, FLOWERS, PARTS.index_in),
    "guess_the_member": lambda: widgets.guess_the_member(LOOKUP, PARTS, FLOWERS, SCORES),
    "garden_panel": lambda: widgets.garden_panel(FLOWERS, GARDEN),
    "threshold_explorer": lambda: widgets.threshold_explorer(SCORES, PARTS.is_member),
    "overfitting_dial": lambda: widgets.overfitting_dial(FLOWERS),
    "shadow_lab": lambda: widgets.shadow_lab(FLOWERS),
    "defence_panel": lambda: widgets.defence_panel(MATRIX),
    "coin_panel": widgets.coin_panel,
}


def move(panel, **values):
    """Set controls as the page does; the answer that comes."""
    panel.values = {**panel.values, **{name.replace("_", " "): value for name, value in values.items()}}
    return panel.answer


# --- every panel ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=list(PANELS))
def panel(request):
    return PANELS[request.param]()


def bundle_of(panel):
    """What a notebook keeps of a panel."""
    bundle = panel._repr_mimebundle_()
    return dict(bundle[0] if isinstance(bundle, tuple) else bundle)


@pytest.mark.long
def test_every_control_changes_what_is_said(panel):
    for control in panel.controls:
        before = panel.answer["text"]
        name, value = control["name"], panel.values[control["name"]]
        if control["kind"] == "button":
            other = value + 1
        elif control["kind"] == "choice":
            other = next(option for option in control["options"] if option != value)
        else:
            other = control["low"] if value != control["low"] else control["high"]
        if name == "depth (tree)":  # a net has no depth
            panel.values = {**panel.values, "model": "tree"}
            before = panel.answer["text"]
        panel.values = {**panel.values, name: other}
        assert panel.answer["text"] != before, name
        if control["kind"] != "button":
            panel.values = {**panel.values, name: value}


@pytest.mark.long
def test_the_ends_of_every_range_can_be_reached_and_are_whole_steps_apart(panel):
    start = panel.values
    for control in panel.controls:
        if control["kind"] == "range":
            steps = (control["high"] - control["low"]) / control["step"]
            assert steps == pytest.approx(round(steps), abs=1e-6)
            assert control["low"] <= start[control["name"]] <= control["high"]
            for end in ("low", "high"):
                panel.values = {**start, control["name"]: control[end]}
                assert panel.answer.get("src"), panel.answer["text"]


def test_a_panel_says_in_words_what_its_picture_shows(panel):
    answer = panel.answer
    assert answer["alt"].split() == answer["text"].split()
    assert base64.b64decode(answer["src"].split(",")[1]).startswith(b"\x89PNG")


def test_a_panel_without_a_kernel_is_words_and_pictures_and_no_script(panel):
    data = bundle_of(panel)
    assert data["text/plain"] == panel.answer["text"]
    still = data["text/html"]
    assert "<script" not in still and "run this cell" in still and f'<div class="{STILL}">' in still
    alts = re.findall(r'<img alt="([^"]*)"', still)
    assert len(alts) == 1 + bool(panel.map) and all(len(alt.split()) > 8 for alt in alts)
    assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.long
def test_a_view_that_fails_says_a_sentence_and_recovers(panel):
    renew = panel._renew

    def fail(_):
        raise RuntimeError("<the service is asleep>")

    panel._renew = fail
    panel._show()
    assert re.fullmatch(r"[A-Z][a-z ]+: <the service is asleep>", panel.answer["text"])
    assert "&lt;the service is asleep&gt;" in panel.still() and "src" not in panel.answer
    panel._renew = renew
    panel._show()
    assert panel.answer["src"]


def test_a_move_that_is_interrupted_says_so_and_the_next_one_is_answered():
    panel = PANELS["coin_panel"]()
    renew = panel._renew

    def interrupted(_):
        raise KeyboardInterrupt

    panel._renew = interrupted
    assert move(panel, pupils=40)["text"] == "The coin could not be thrown: it was interrupted"
    panel._renew = renew
    assert "The class of 50" in move(panel, pupils=50)["text"]


@pytest.mark.long
def test_panels_leave_the_search_for_garbage_as_it_was_and_keep_nothing_alive():
    class Held:
        """Something in a cycle, as a figure is."""

    for switch, is_on in ((gc.disable, False), (gc.enable, True)):
        switch()
        panel = PANELS["coin_panel"]()
        held = Held()
        held.itself, watch = held, weakref.ref(held)
        del held
        move(panel, pupils=60)
        assert gc.isenabled() == is_on
        gc.collect()
        assert watch() is None and gc.get_freeze_count() == 0


def test_an_answer_is_sent_also_when_it_says_the_same():
    """The page waits for an answer before it sends the next move."""
    panel = PANELS["coin_panel"]()
    turn = panel.answer["turn"]
    panel._show()
    assert panel.answer["turn"] == turn + 1


VIEWS = {
    "answer": lambda: answer_view(MODEL, FLOWERS, [6.0, 2.9, 4.8, 1.6], PARTS.index_in),
    "threshold": lambda: threshold_view(SCORES, PARTS.is_member, 0.9, 100),
    "all accused": lambda: threshold_view(SCORES, PARTS.is_member, 0.0, 2),
    "nobody accused": lambda: threshold_view(SCORES, PARTS.is_member, 1.1, 2),
    "net": lambda: overfitting_view(FLOWERS, "net", 75, 0.2, 20, 4, n_models=6),
    "tree": lambda: overfitting_view(FLOWERS, "tree", 15, 0.4, 20, 12, n_models=6),
    "shadows": lambda: shadow_view(FLOWERS, 8, 75, 20, 83),
    "many shadows": lambda: shadow_view(FLOWERS, 200, 141, 5, 83),
    "garden": lambda: garden_story(FLOWERS, GARDEN, 83),
    "defence": lambda: defence_view(MATRIX, "clean", "label only"),
    "coin": lambda: coin_view(0.5, 30, 0.3),
    "bad coin": lambda: coin_view(0.05, 10, 1.0),
    "game": lambda: Game(LOOKUP, PARTS, FLOWERS, SCORES).view(),
    "game over": lambda: played(True).view(),
}


@pytest.mark.long
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_picture_has_nothing_cut_off_covered_or_faint(view):
    made = view()
    with plt.style.context(["mialab.course", {"figure.constrained_layout.use": False}]):
        fig = Figure(figsize=made.size)
        made.draw(fig)
        assert faults(fig) == []


def test_a_saved_notebook_keeps_the_still_picture_of_a_panel_and_other_widgets_as_they_are():
    data = bundle_of(PANELS["coin_panel"]())
    other = {WIDGET: {"model_id": "x"}, "text/plain": "a slider"}
    cells = [{"outputs": [{"data": data}, {"data": other}, {"name": "stdout", "text": "words"}]}, {"source": "text"}]
    keep_still({"type": "notebook", "content": {"nbformat": 4, "cells": cells}})
    assert WIDGET not in data and STILL in data["text/html"] and WIDGET in other
    keep_still({"type": "file", "content": "words"})


# --- ask the model ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [0, 60, 101, 142, 149])
def test_a_real_flower_is_its_own_nearest_flower_and_so_is_its_twin(row):
    text = describe_answer(MODEL, FLOWERS, FLOWERS.X[row], PARTS.index_in)
    twins = np.flatnonzero((FLOWERS.X == FLOWERS.X[row]).all(axis=1))
    assert len(twins) == (2 if row in (101, 142) else 1)
    for twin in twins:
        role = "member" if twin in PARTS.index_in else "stranger"
        assert f"number {twin}, a {FLOWERS.class_names[FLOWERS.y[row]]}, a {role}" in text
    assert text.count("number") == len(twins) and "0.0 cm away" in text


def test_flowers_that_are_equally_near_are_all_named():
    assert "are number 7, a setosa, a " in describe_answer(MODEL, FLOWERS, [5.0, 3.3, 1.5, 0.2], PARTS.index_in)
    assert "and number 49, a setosa, a " in describe_answer(MODEL, FLOWERS, [5.0, 3.3, 1.5, 0.2], PARTS.index_in)


def test_the_answer_in_words_is_the_model_s_answer():
    answer = MODEL.predict_proba([[6.0, 2.9, 4.8, 1.6]])[0]
    text = describe_answer(MODEL, FLOWERS, [6.0, 2.9, 4.8, 1.6])
    assert text.startswith(
        f"The model says {FLOWERS.class_names[answer.argmax()]}, with confidence {answer.max():.2f}."
    )
    assert ", ".join(f"{name} {p:.2f}" for name, p in zip(FLOWERS.class_names, answer, strict=True)) + ".\n" in text
    assert "member" not in text  # nobody said who trained it


def test_a_member_is_inside_the_cloud_and_a_sunflower_outside():
    for row in PARTS.index_in:
        assert "inside the cloud" in describe_answer(MODEL, FLOWERS, FLOWERS.X[row], PARTS.index_in)
    assert "outside the cloud" in describe_answer(MODEL, FLOWERS, [16, 16, 16, 16], PARTS.index_in)
    members = FLOWERS.X[PARTS.index_in]
    usual = max(min(np.linalg.norm(a - b) for j, b in enumerate(members) if j != i) for i, a in enumerate(members))
    assert f"further than {usual:.1f} cm" in describe_answer(MODEL, FLOWERS, FLOWERS.X[0], PARTS.index_in)


@pytest.mark.parametrize(
    "bad", [[1, 2, 3], [1, 2, 3, np.nan], [1, 2, 3, 4, 5], [[1, 2], [3, 4]], ["a", "b", "c", "d"], [1, 2, 3, 1e300]]
)
def test_bad_measurements_are_refused_by_name(bad):
    with pytest.raises(ValueError, match=r"measurements .*should be 4 numbers"):
        describe_answer(MODEL, FLOWERS, bad)


@pytest.mark.parametrize("bad", [[-150, -1], PARTS.is_member, [3], [], [0.5, 1], [0, 150], {1, 2}, PARTS.X_in, PARTS])
def test_rows_that_are_none_are_refused_by_name(bad):
    with pytest.raises(ValueError, match="trained_on should hold row numbers from 0 to 149"):
        describe_answer(MODEL, FLOWERS, FLOWERS.X[0], bad)


class Model:
    """A model that answers as it is told."""

    def __init__(self, answer, classes=(0, 1, 2)):
        self.answer, self.classes_ = np.array([answer]), np.array(classes)

    def predict_proba(self, X):
        return np.repeat(self.answer, len(X), axis=0)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model([1, 0, 0], (-1, 0, 1)), r"classes_ holds \[-1, 0, 1\]; it should hold places in class_names, 0 to 2"),
        (Model([1, 0, 0], (1, 2, 3)), "model.classes_ holds"),
        (Model([1, 0, 0], ("a", "b", "c")), "model.classes_ holds"),
        (Model([5.0, -2, 1]), "are these logits"),
        (Model([np.nan, 0, 1]), "holds NaN"),
        (Model([0.5, 0.5]), "has shape"),
        (LinearSVC().fit(PARTS.X_in, PARTS.y_in), "no predict_proba"),
    ],
)
def test_a_model_that_answers_oddly_is_refused_before_there_is_a_panel(model, message):
    with pytest.raises(ValueError, match=message):
        widgets.ask_the_model(model, FLOWERS)
    with pytest.raises(ValueError, match=message):
        widgets.guess_the_member(model, PARTS, FLOWERS, SCORES)


def test_a_model_trained_on_some_species_keeps_their_names():
    two = FLOWERS.y > 0
    model = targets.make("logistic").fit(FLOWERS.X[two], FLOWERS.y[two])
    view = answer_view(model, FLOWERS, FLOWERS.X[120])
    assert "virginica" in view.text
    assert "setosa" not in view.text


# --- guess the member -------------------------------------------------------------------------------------------------


def played(by):
    """A game to its end, with the same guess each time, or the true one."""
    game = Game(LOOKUP, PARTS, FLOWERS, SCORES)
    for truth in game.truth:
        game.guess(truth if by == "truth" else by)
    return game


def test_a_game_has_ten_members_and_ten_strangers_in_a_shuffled_order():
    seen = set()
    for seed in range(20):
        game = Game(LOOKUP, PARTS, FLOWERS, SCORES, random_state=seed)
        assert game.truth.sum() == game.attack_says.sum() == 10 and len(set(game.rows.tolist())) == 20
        seen.add(game.truth.tobytes())
    assert len(seen) == 20
    assert (Game(LOOKUP, PARTS, FLOWERS, SCORES).rows == Game(LOOKUP, PARTS, FLOWERS, SCORES).rows).all()


def test_the_score_counts_right_guesses_and_constants_get_ten():
    assert played("truth").right[0] == 20
    assert played(True).right[0] == played(False).right[0] == 10
    game = played("truth")
    game.guess(True)  # after the last flower nothing happens
    assert len(game.guesses) == 20


@pytest.mark.parametrize(("sign", "right"), [(1, 20), (-1, 0)])
def test_the_attack_calls_the_ten_highest_members(sign, right):
    game = Game(LOOKUP, PARTS, FLOWERS, sign * PARTS.is_member.astype(float))
    for _ in range(20):
        game.guess(True)
    assert game.right[1] == right


def test_an_attack_that_knows_nothing_draws_lots():
    wins = []
    for seed in range(200):
        game = Game(LOOKUP, PARTS, FLOWERS, np.ones(150), random_state=seed)
        wins.append((game.attack_says == game.truth).mean())
    assert abs(np.mean(wins) - 0.5) < 0.03


def test_the_truth_is_told_after_the_guess_and_not_before():
    game = Game(LOOKUP, PARTS, FLOWERS, SCORES)
    assert "that was" not in game.view().text
    game.guess(not game.truth[0])
    assert game.view().text.startswith(f"Wrong: that was a {'member' if game.truth[0] else 'stranger'}.")
    assert "Of 1 so far, you have 0 right" in game.view().text


def test_the_buttons_play_the_game_and_deal_again():
    panel = PANELS["guess_the_member"]()
    assert "Flower 1 of 20" in panel.answer["text"]
    assert "Flower 2 of 20" in move(panel, member=1)["text"]
    assert "Flower 3 of 20" in move(panel, stranger=1)["text"]
    assert "Flower 6 of 20" in move(panel, stranger=4)["text"]  # three quick presses that came as one move
    again = move(panel, deal_again=1)["text"]
    assert again.startswith("Flower 1 of 20") and again == Game(LOOKUP, PARTS, FLOWERS, SCORES, 1).view().text


@pytest.mark.parametrize("bad", [np.ones(149), np.full(150, "x"), np.ones((150, 1)), np.full(150, np.nan)])
def test_scores_that_fit_no_record_are_refused(bad):
    with pytest.raises(ValueError, match="scores"):
        Game(LOOKUP, PARTS, FLOWERS, bad)


# --- the map of the garden --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def garden_panel():
    return PANELS["garden_panel"]()


@pytest.mark.long
def test_a_click_chooses_the_flower_there_and_moves_the_slider(garden_panel):
    panel = garden_panel
    for flower in (41, 83, 133):
        panel.values = {**panel.values, "flower number": flower}
        spot = panel.answer["spot"]
        panel.values = {"flower number": 0, "click": list(spot)}
        x = FLOWERS.X[:, 2:]
        assert (x[panel.values["flower number"]] == x[flower]).all()  # some flowers hide others on the map
        assert "click" not in panel.values
        assert f"Flower {panel.values['flower number']}, a " in panel.answer["text"]


@pytest.mark.long
def test_the_ring_stands_on_the_flower(garden_panel):
    """The dot under the ring, found in the picture itself, has the colour of an exposed flower and not of paper."""
    import io

    import matplotlib.image

    panel = garden_panel
    picture = matplotlib.image.imread(io.BytesIO(base64.b64decode(panel.map["src"].split(",")[1])))
    height, width = picture.shape[:2]
    for flower in (22, 83, 118, 131):
        panel.values = {**panel.values, "flower number": flower}
        across, down = panel.answer["spot"]
        assert picture[int(down * height), int(across * width), :3].min() < 0.95


def test_the_story_is_the_answers_of_the_models_with_and_without():
    text = garden_story(FLOWERS, GARDEN, 83).text
    sure = NETS.proba[:, 83, FLOWERS.y[83]]
    own = NETS.in_mask[:, 83]
    assert f"{own.sum()} models had it, and are {sure[own].mean():.2f} sure" in text
    assert f"{(~own).sum()} had not, and are {sure[~own].mean():.2f} sure" in text
    assert f"{auc(sure, own):.2f}, where" in text
    for flower in (150, -1, 1.5):
        with pytest.raises(ValueError, match=f"flower is {flower}; it should be a whole number from 0 to 149"):
            garden_story(FLOWERS, GARDEN, flower)
    fewer = SimpleNamespace(X=FLOWERS.X[:100], y=FLOWERS.y[:100], class_names=FLOWERS.class_names)
    with pytest.raises(ValueError, match="garden has 150 records for 100 flowers"):
        garden_story(fewer, GARDEN, 3)


# --- attacks ----------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.7, 0.9]), st.booleans()), min_size=4, max_size=40),
    st.floats(0, 1),
    st.sampled_from([2, 10, 1000]),
)
@settings(deadline=None, max_examples=60)
def test_the_explorer_counts_by_hand(records, threshold, one_in):
    scores, truth = (list(column) for column in zip(*records, (0.5, True), (0.5, False), strict=True))
    text = threshold_view(scores, truth, threshold, one_in).text
    caught = sum(score >= threshold and member for score, member in zip(scores, truth, strict=True))
    alarms = sum(score >= threshold and not member for score, member in zip(scores, truth, strict=True))
    assert f"{caught} of {sum(truth)} members and {alarms} of {len(truth) - sum(truth)} strangers" in text
    if caught + alarms == 0:
        assert "nobody is called a member" in text
    else:
        right = caught / sum(truth) / one_in
        wrong = alarms / (len(truth) - sum(truth)) * (1 - 1 / one_in)
        share = float(re.search(r"([\d.]+)% of those called members are members", text)[1])
        assert abs(share - 100 * right / (right + wrong)) < 0.05 + 1e-9  # a half goes either way


def test_the_explorer_refuses_what_has_no_threshold():
    with pytest.raises(ValueError, match="is_member"):
        widgets.threshold_explorer([0.1, 0.2], [True, True])
    for changes in ({"is_member": [2, 0, 1, 0]}, {"threshold": np.nan}, {"one_in": 0}, {"one_in": "10"}):
        given = {"scores": [1, 2, 3, 4], "is_member": [1, 0, 1, 0], "threshold": 2.0, "one_in": 10} | changes
        with pytest.raises(ValueError, match=next(iter(changes))):
            threshold_view(**given)


@pytest.mark.parametrize("scale", [1e-4, 0.3, 1, 40, 1e6])
def test_the_slider_of_the_explorer_fits_the_scores(scale):
    scores = scale * np.linspace(-0.35, 1, 150)
    slider = widgets.threshold_explorer(scores, PARTS.is_member).controls[0]
    steps = (slider["high"] - slider["low"]) / slider["step"]
    assert 10 < steps < 400 and slider["low"] <= scores.min() and slider["high"] >= scores.max()
    assert float(f"{slider['low']:.12g}") == slider["low"]  # 0.35, not 0.35000000000000003


def test_the_dial_measures_what_it_says():
    text = overfitting_view(FLOWERS, "tree", 75, 0.2, 100, 12, n_models=8).text
    from sklearn.tree import DecisionTreeClassifier

    y = wrong_labels(FLOWERS.y, 0.2, random_state=0)
    trained = train_shadows(DecisionTreeClassifier(max_depth=12), FLOWERS.X, y, 8, n_members=75, random_state=0)
    inside, outside, areas = [], [], []
    for k in range(8):
        right = [trained.proba[k, i].argmax() == y[i] for i in range(150)]
        sure = [trained.proba[k, i, y[i]] for i in range(150)]
        inside.append(np.mean([r for r, m in zip(right, trained.in_mask[k], strict=True) if m]))
        outside.append(np.mean([r for r, m in zip(right, trained.in_mask[k], strict=True) if not m]))
        areas.append(auc(sure, trained.in_mask[k]))
    assert f"name {np.mean(inside):.2f} of their members and {np.mean(outside):.2f} of strangers" in text
    assert f"AUC {np.mean(areas):.2f} (95%" in text and text.endswith("it leaks.")


def test_a_model_that_cannot_overfit_shows_no_leak_and_a_negative_control_none_either():
    stump = overfitting_view(FLOWERS, "tree", 120, 0.0, 10, 1).text
    assert "no leak is seen" in stump or "it leaks a little" in stump
    with pytest.raises(ValueError, match="model is 'forest'; it should be 'net' or 'tree'"):
        overfitting_view(FLOWERS, "forest", 75, 0.2, 10, 4)
    with pytest.raises(ValueError, match=r"share_wrong is 1\.2"):
        overfitting_view(FLOWERS, "net", 75, 1.2, 10, 4)
    with pytest.raises(ValueError, match="depth is 0"):
        overfitting_view(FLOWERS, "tree", 75, 0.2, 10, 0)


def test_the_gap_is_the_difference_of_the_numbers_beside_it():
    said = re.compile(r"name ([\d.]+) of .* and ([\d.]+) of strangers.* a gap of (-?[\d.]+)\.\n")
    for share_wrong in (0.1, 0.2, 0.3):
        text = overfitting_view(FLOWERS, "tree", 75, share_wrong, 10, 3, n_models=6).text
        inside, outside, gap = said.search(text).groups()
        assert float(gap) == pytest.approx(float(inside) - float(outside))


@pytest.mark.long
def test_other_flowers_than_the_hundred_and_fifty_have_their_dial_and_their_lab():
    some = np.flatnonzero(np.arange(150) % 3 == 0)
    two = np.flatnonzero(FLOWERS.y > 0)
    for rows in (some, two):
        few = replace(FLOWERS, X=FLOWERS.X[rows], y=FLOWERS.y[rows])
        for make in (widgets.overfitting_dial, widgets.shadow_lab):
            panel = make(few)
            assert panel.answer.get("src"), panel.answer["text"]
    lab = shadow_view(few, 4, 30, 20, 60)
    trained = train_shadows(NetClassifier(hidden=16, epochs=20), few.X, few.y, 4, n_members=30, random_state=0)
    own = trained.proba[:, np.arange(100), few.y - 1][trained.in_mask]
    assert f"members {own.mean():.2f}, strangers" in lab.text and "Flower 60, a virginica" in lab.text


def test_the_shadows_in_words_are_the_shadows_answers():
    words = shadow_view(FLOWERS, 6, 75, 30, 83).text
    shadows = train_shadows(NetClassifier(hidden=16, epochs=30), FLOWERS.X, FLOWERS.y, 6, n_members=75, random_state=0)
    means = {True: [], False: []}
    for k in range(6):
        for i in range(150):
            means[bool(shadows.in_mask[k, i])].append(shadows.proba[k, i, FLOWERS.y[i]])
    assert f"members {np.mean(means[True]):.2f}, strangers {np.mean(means[False]):.2f}" in words
    of_83 = [shadows.proba[k, 83, FLOWERS.y[83]] for k in range(6) if shadows.in_mask[k, 83]]
    assert f"Flower 83, a versicolor: in 3 nets a member, {np.mean(of_83):.2f}" in words


# --- protection -------------------------------------------------------------------------------------------------------


def test_a_defence_is_shown_with_the_measured_means_beside_none():
    text = defence_view(MATRIX, "wrong", "label only").text
    rows = MATRIX[MATRIX["data"] == "wrong"].groupby("defence").mean(numeric_only=True)
    for name, measure in (("accuracy on strangers", "test_accuracy"), ("AUC, strongest attack", "auc_strongest")):
        mean, none = rows.loc["label only", measure], rows.loc["none", measure]
        assert re.search(rf"{name} {mean:.3f} \([\d.-]+ to [\d.-]+\); without a defence {none:.3f}", text)
    assert "without" not in defence_view(MATRIX, "wrong", "none").text
    with pytest.raises(ValueError, match="defence is 'prayer'; it should be one of"):
        defence_view(MATRIX, "wrong", "prayer")
    with pytest.raises(ValueError, match="matrix has no rows of the defence 'none' on 'clean'"):
        widgets.defence_panel(MATRIX[MATRIX["defence"] != "none"])
    with pytest.raises(ValueError, match=r"matrix has no \['auc_strongest'\]"):
        defence_view(MATRIX.drop(columns="auc_strongest"), "clean", "none")
    uneven = MATRIX[(MATRIX["data"] == "clean") | (MATRIX["defence"] != "rounding")]
    assert widgets.defence_panel(uneven).controls[1]["options"] == ("none", "label only")


@given(st.floats(0.05, 0.95), st.floats(0.0, 1.0))
@settings(deadline=None, max_examples=30)
def test_the_coin_s_epsilon_and_suspicion_are_those_of_bayes(truth, share):
    text = coin_view(truth, 1000, share).text
    yes = {True: truth + (1 - truth) / 2, False: (1 - truth) / 2}
    assert abs(float(re.search(r"epsilon (\d+\.\d+)", text).group(1)) - math.log(yes[True] / yes[False])) < 0.005 + 1e-9
    prior = round(share * 1000) / 1000
    believed = prior * yes[True] / (prior * yes[True] + (1 - prior) * yes[False])
    said = float(re.search(r"after a yes with (\d\.\d+)", text).group(1))
    assert abs(said - believed) < 0.005 + 1e-9  # a half is rounded either way


@pytest.mark.parametrize(("truth", "n", "share"), [(0.5, 200, 0.3), (0.3, 100, 0.9), (0.8, 50, 0.5)])
def test_the_estimate_of_the_class_is_right_on_average_and_misses_by_the_usual_error(truth, n, share):
    found = [coin_view(truth, n, share, throw).text for throw in range(400)]
    estimates = np.array([float(re.search(r"estimated (-?[\d.]+)", text).group(1)) for text in found])
    usual = float(re.search(r"usual error ([\d.]+)", found[0]).group(1))
    assert abs(estimates.mean() - share) < 4 * usual / 20
    assert estimates.std() == pytest.approx(usual, rel=0.2)  # usual is rounded
    assert f"The class of {n}, {round(n * share)} of whom copied" in found[0]


@pytest.mark.parametrize(
    "bad",
    [{"truth": 0}, {"truth": 1}, {"truth": np.nan}, {"share": 1.2}, {"n_pupils": 0}, {"n_pupils": 2.5}, {"throw": -1}],
)
def test_a_coin_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))} is"):
        coin_view(**{"truth": 0.5, "n_pupils": 30, "share": 0.3} | bad)
