"""Every notebook opened in a real JupyterLab as it is read, and every panel in it operated."""

import json
from pathlib import Path

import pytest
from browser import LABS_OWN, READ, SCREENSHOTS, barriers
from cells import stands_on
from playwright.sync_api import expect

from mialab._files import notebooks_folder
from mialab.glossary import define

pytestmark = pytest.mark.browser

NOTEBOOKS = sorted(path.name for path in notebooks_folder().glob("*.ipynb"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_an_opened_notebook_is_sound_and_axe_finds_nothing_of_ours_in_it(notebook, name):
    notebook.turn_to(f"{READ}/{name}")
    expect(notebook.page.get_by_text("Loading widget")).to_have_count(0)
    assert notebook.page.locator(".jp-OutputArea-output img").count() > 0, "there is no figure to look at"
    assert notebook.faults() == []
    assert notebook.barriers() == []
    notebook.photograph(Path(name).stem)
    notebook.ready()  # a kernel that still starts cannot be shut down without a complaint
    assert notebook.errors == []


def test_a_term_of_an_earlier_notebook_says_its_meaning_under_the_pointer(notebook):
    notebook.turn_to(f"{READ}/10_the_inference_model.ipynb")
    word = notebook.page.locator(".jp-RenderedMarkdown abbr", has_text="target").first
    expect(word).to_have_attribute("title", define("target").means)  # JupyterLab's sanitiser lets it through
    notebook.ready()


# Each panel's title, its notebook, and the function of mialab.widgets that makes it.
LIVE = {
    "Ask the model": ("03_ask_the_model.ipynb", "ask_the_model"),
    "Guess the member": ("06_the_first_attack.ipynb", "guess_the_member"),
    "The threshold explorer": ("07_what_an_accusation_is_worth.ipynb", "threshold_explorer"),
    "The shadow lab": ("09_shadow_models.ipynb", "shadow_lab"),
    "The map of the garden": ("12_who_is_exposed.ipynb", "garden_panel"),
    "The overfitting dial": ("14_why_some_models_leak.ipynb", "overfitting_dial"),
    "The defence panel": ("16_defences.ipynb", "defence_panel"),
    "The coin of randomised response": ("17_differential_privacy.ipynb", "coin_panel"),
}


@pytest.mark.parametrize("title", LIVE)
def test_a_panel_answers_the_keyboard_and_the_mouse(notebook, title):
    name, function = LIVE[title]
    sources = [cell["source"] for cell in json.loads((notebooks_folder() / name).read_text("utf-8"))["cells"]
               if cell["cell_type"] == "code"]  # fmt: skip
    sources = ["".join(source) for source in sources]
    last = next(place for place, source in enumerate(sources) if f"widgets import {function}" in source)
    notebook.open(name)
    for place in [*stands_on(sources, last), last]:
        notebook.run(notebook.page.locator(".jp-CodeCell").nth(place))
    panel = notebook.page.locator(".mialab-live", has=notebook.page.get_by_role("group", name=title))
    expect(panel).to_have_count(1)
    said = panel.get_by_role("status")

    def changes(act):
        before = said.inner_text()
        act()
        expect(said).not_to_have_text(before)

    for slider in panel.get_by_role("slider").all():
        if "depth" in slider.evaluate("e => e.labels[0].textContent"):
            panel.get_by_role("combobox").select_option("tree")
            said.get_by_text("tree").wait_for()
        slider.focus()
        if slider.input_value() == slider.get_attribute("max"):
            changes(lambda slider=slider: slider.press("Home"))
        changes(lambda slider=slider: slider.press("End"))
        box = slider.bounding_box()
        spot = {"x": box["width"] * 0.4, "y": box["height"] / 2}
        changes(lambda slider=slider, spot=spot: slider.click(position=spot))
        changes(lambda slider=slider: slider.press("Home"))
        if "epochs (net)" in slider.evaluate("e => e.labels[0].textContent"):
            continue
    for chooser in panel.get_by_role("combobox").all():
        chooser.focus()
        key = "ArrowUp" if chooser.evaluate("e => e.selectedIndex") else "ArrowDown"
        changes(lambda chooser=chooser, key=key: chooser.press(key))
    for button in panel.get_by_role("button").all():
        button.focus()
        changes(lambda button=button: button.press("Enter"))
        if button.inner_text() != "deal again":
            changes(lambda button=button: button.click())
    for image in panel.locator(".mialab-map img").all():
        box = image.bounding_box()
        changes(lambda image=image, box=box: image.click(position={"x": box["width"] * 0.2, "y": box["height"] * 0.75}))
        changes(lambda image=image, box=box: image.click(position={"x": box["width"] * 0.6, "y": box["height"] * 0.3}))
        expect(panel.get_by_role("slider")).to_have_value(said.inner_text().split()[1].rstrip(","))
    assert len(panel.locator("img:visible").last.get_attribute("alt").split()) > 8
    assert barriers(notebook.page, LABS_OWN, context=".mialab-live") == []
    SCREENSHOTS.mkdir(exist_ok=True)
    panel.screenshot(path=SCREENSHOTS / f"panel-{title.lower().replace(' ', '-')}.png")
    assert notebook.errors == []
