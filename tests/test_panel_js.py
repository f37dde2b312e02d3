"""The panel's script against a model whose answers come when the test says: words first, their picture later."""

from pathlib import Path

import pytest

import mialab.widgets

pytestmark = pytest.mark.browser
SCRIPT = (Path(mialab.widgets.__file__).parent / "panel.js").read_text("utf-8")
MODEL = """
const state = {
  title: "A panel", map: {}, values: {member: 0, width: 3}, answer: {turn: 1, text: "flower 1"},
  controls: [{kind: "button", name: "member"}, {kind: "range", name: "width", low: 0, high: 9, step: 1, unit: ""}],
};
const heard = {}, sent = [];
const model = {
  get: (name) => state[name], set: (name, value) => (state[name] = value), on: (event, react) => (heard[event] = react),
  off: () => {}, save_changes: () => sent.push({...state.values}),
};
function answer(turn, pending) {
  state.answer = {turn, text: `flower ${turn}`, pending};
  heard["change:answer"]();
}
"""


@pytest.fixture
def page(browser):
    """A page with the panel on it, which shows the words and the picture of flower 1."""
    page = browser.new_page()
    page.set_content("<div id='panel'></div>")
    script = SCRIPT.replace("export default { render };", "render({ model, el: document.getElementById('panel') });")
    page.add_script_tag(content=MODEL + script)
    yield page
    page.close()


def press(page):
    page.get_by_role("button", name="member").press("Enter")


def comes(page, turn, pending):
    page.evaluate(f"answer({turn}, {str(pending).lower()})")


def told(page):
    """How often "member" was pressed, as the kernel was told, message by message."""
    return page.evaluate("sent.map((values) => values.member)")


def test_a_press_counts_as_soon_as_the_next_words_are_there(page):
    press(page)
    comes(page, 2, pending=True)
    press(page)  # about flower 2, whose picture is still to come
    comes(page, 2, pending=False)
    assert told(page) == [1, 2]
    comes(page, 3, pending=True)
    comes(page, 3, pending=False)
    press(page)
    assert told(page) == [1, 2, 3]


def test_a_second_press_about_the_same_words_does_not_count(page):
    press(page)
    press(page)
    comes(page, 2, pending=True)
    press(page)
    press(page)
    comes(page, 2, pending=False)
    press(page)  # flower 3 is not on the page yet
    assert told(page) == [1, 2]
    comes(page, 3, pending=True)
    press(page)
    comes(page, 3, pending=False)
    assert told(page) == [1, 2, 3]


def test_a_press_while_a_slider_is_answered_is_not_lost(page):
    page.get_by_role("slider").press("ArrowRight")
    press(page)
    page.get_by_role("slider").press("ArrowRight")
    comes(page, 2, pending=False)
    assert page.evaluate("sent") == [{"member": 0, "width": 4}, {"member": 1, "width": 5}]


def test_words_without_a_picture_hold_nothing_up(page):
    for turn in (2, 3, 4):
        press(page)
        comes(page, turn, pending=False)
    assert told(page) == [1, 2, 3]
    assert page.get_by_role("status").inner_text() == "flower 4"
