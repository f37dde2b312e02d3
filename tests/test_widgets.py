"""What the panels say, tested without a browser (test_browser.py moves the real ones)."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from mialab import targets
from mialab.data import load_iris, split
from mialab.nets import NetClassifier
from mialab.shadows import train_shadows
from mialab.widgets import _when_still, ask_the_model, describe_answer, describe_shadows, shadow_lab

FLOWERS = load_iris()
PARTS = split(FLOWERS.X, FLOWERS.y, n_members=75, random_state=0)
MODEL = targets.make("logistic").fit(PARTS.X_in, PARTS.y_in)


@pytest.mark.parametrize("row", [0, 60, 101, 149])
def test_a_real_flower_is_its_own_nearest_flower(row):
    text = describe_answer(MODEL, FLOWERS, FLOWERS.X[row], PARTS.index_in)
    twin = {142: 101}.get(row, row)
    assert f"number {twin}, a {FLOWERS.class_names[FLOWERS.y[row]]}, a " in text
    assert ("a member" in text) == (twin in PARTS.index_in)
    assert "0.0 cm away" in text


def test_the_answer_in_words_is_the_model_s_answer():
    answer = MODEL.predict_proba([[6.0, 2.9, 4.8, 1.6]])[0]
    text = describe_answer(MODEL, FLOWERS, [6.0, 2.9, 4.8, 1.6])
    assert text.startswith(
        f"The model says {FLOWERS.class_names[answer.argmax()]}, with confidence {answer.max():.2f}."
    )
    for name, p in zip(FLOWERS.class_names, answer, strict=True):
        assert any(line.startswith(name) and line.endswith(f"{p:.2f}") for line in text.splitlines())
    assert "member" not in text  # nobody said who trained it


@pytest.mark.parametrize("bad", [[1, 2, 3], [1, 2, 3, np.nan], [1, 2, 3, 4, 5]])
def test_bad_measurements_are_refused_by_name(bad):
    with pytest.raises(ValueError, match="measurements should be 4 numbers"):
        describe_answer(MODEL, FLOWERS, bad)


def test_a_model_trained_on_some_species_keeps_their_names():
    two = FLOWERS.y > 0
    model = targets.make("logistic").fit(FLOWERS.X[two], FLOWERS.y[two])
    text = describe_answer(model, FLOWERS, FLOWERS.X[120])
    assert "virginica" in text
    assert "setosa" not in text


def test_moving_a_slider_renews_the_answer():
    panel = ask_the_model(MODEL, FLOWERS, PARTS.index_in)
    *sliders, answer = panel.children
    assert [s.description for s in sliders] == [f"{n} (cm)" for n in FLOWERS.feature_names]
    before = answer.value
    sliders[2].value = 1.2
    sliders[3].value = 0.2
    assert answer.value != before
    assert "setosa" in answer.value.split("with confidence")[0]


def test_a_model_that_fails_shows_a_sentence():
    class Broken:
        classes_ = np.array([0, 1, 2])

        def predict_proba(self, X):
            raise RuntimeError("<the service is asleep>")

    panel = ask_the_model(Broken(), FLOWERS)
    assert "The model could not answer: &lt;the service is asleep&gt;" in panel.children[-1].value


def test_the_shadows_in_words_are_the_shadows_answers():
    words, inside, outside = describe_shadows(FLOWERS, 6, 75, 30, 83)
    shadows = train_shadows(NetClassifier(hidden=16, epochs=30), FLOWERS.X, FLOWERS.y, 6, n_members=75, random_state=0)
    means = {True: [], False: []}
    for k in range(6):
        for i in range(150):
            means[bool(shadows.in_mask[k, i])].append(shadows.proba[k, i, FLOWERS.y[i]])
    assert f"members {np.mean(means[True]):.2f}, strangers {np.mean(means[False]):.2f}" in words
    assert (len(inside), len(outside)) == (6 * 75, 6 * 75)
    of_83 = [shadows.proba[k, 83, FLOWERS.y[83]] for k in range(6) if shadows.in_mask[k, 83]]
    assert f"Flower 83, a versicolor: in 3 nets a member, {np.mean(of_83):.2f}" in words


def test_the_shadow_lab_retrains_at_a_move_and_shows_a_picture_with_its_text():
    panel = shadow_lab(FLOWERS)
    *sliders, text, picture = panel.children
    before = text.value
    sliders[0].value = 8
    assert text.value != before
    assert "8 nets" in text.value
    assert 'alt="8 nets' in picture.value


def test_shadows_that_cannot_be_trained_show_a_sentence(monkeypatch):
    panel = shadow_lab(FLOWERS)

    def fail(*_):
        raise ValueError("<no memory>")

    monkeypatch.setattr("mialab.widgets.describe_shadows", fail)
    panel.children[0].value = 8
    assert "The shadows could not be trained: &lt;no memory&gt;" in panel.children[-2].value
    assert panel.children[-1].value == ""


def test_a_drag_of_many_moves_renews_once():
    renewed = []

    async def drag():
        moved = _when_still(lambda: renewed.append(1), seconds=0.01)
        for _ in range(20):
            moved(None)
        await asyncio.sleep(0.2)

    asyncio.run(drag())
    assert renewed == [1]
