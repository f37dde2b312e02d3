"""A real Chromium on a real JupyterLab: a learner's first minutes, exercises of every kind, both themes."""

import json
from pathlib import Path

import nbformat
import pytest
from browser import WINDOW, contrast, texts
from playwright.sync_api import expect

from mialab._still import STILL, WIDGET

pytestmark = pytest.mark.browser

FIRST = "00_start_here.ipynb"
ENOUGH = 4.5  # contrast that WCAG 2.2 asks of text (level AA)

LETTER = (
    "Test accuracy measures how often strangers get the right label, and nothing else. A leak shows in how members "
    "and strangers are answered differently: the look-up model answers each of its members with exactly 1. Before we "
    "publish I would measure the gap in confidence over many splits."
)
# Everything a panel can hold, in every tone.
PANELS = """\
from IPython.display import display
from mialab.exercises._engine._panel import TONES, Code, Panel

for tone in TONES:
    body = ("Words and `code(words)`.", Code("def answer():\\n    return 1"))
    display(Panel(f"This is {tone}: `title()`", body, tone))
"""
# One of each thing that the tests below must notice.
CONTROLS = [
    """\
from IPython.display import HTML
HTML('<div id="control" style="background:#fff">'
     '<p style="color:#777">4.48</p><p style="color:#767676">4.54</p><p style="color:rgba(0,0,0,0.5)">3.98</p>'
     '<div style="background:rgba(0,0,0,0.5)"><p style="color:#000">5.28</p></div></div>')""",
    'HTML(\'<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=" alt=" ">\')',
    """\
from IPython.display import display
view = {"model_id": "nobody", "version_major": 2, "version_minor": 0}
display({"application/vnd.jupyter.widget-view+json": view}, raw=True)""",
    """\
from ipywidgets import IntSlider
from IPython.display import HTML, display
display(IntSlider(description="a slider that no screen reader can name"), HTML("<button></button>"))""",
    "import warnings; warnings.warn('beware')",
    "1 / 0",
    "'never run'",
]


def progress(lab) -> dict:
    """What the progress file holds."""
    path = lab.workbook / "progress.json"
    return json.loads(path.read_text())["exercises"] if path.exists() else {}


def make_notebook(path: Path, sources: list[str]) -> None:
    """Write a notebook of code cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def test_the_first_exercise_from_a_wrong_answer_to_a_kept_one(notebook, lab):
    notebook.open()  # as `mialab lab` opens it
    expect(notebook.page.get_by_role("heading", name="00 · Start here")).to_be_visible()
    notebook.run(notebook.cell("import start_here as ex"))
    cell = notebook.cell("def is_member")
    expect(notebook.run(cell)).to_contain_text("Not attempted yet.")
    assert "is_member" not in progress(lab)

    notebook.write(cell, "your code here", "return True")
    diagnosis = notebook.run(cell)
    expect(diagnosis).to_contain_text("Not yet.")
    expect(diagnosis).to_contain_text("says True to everyone")
    assert progress(lab)["is_member"]["outcome"] == "not yet"

    notebook.write(cell, "return True", "return record in training_set")
    expect(notebook.run(cell)).to_contain_text("Correct.")
    notebook.save()

    notebook.reload()
    notebook.ready()
    cell = notebook.cell("def is_member")
    expect(cell.locator(".cm-content")).to_contain_text("return record in training_set")
    expect(cell.locator(".mialab-panel")).to_contain_text("Correct.")
    assert "return record in training_set" in (lab.workbook / FIRST).read_text()
    assert progress(lab)["is_member"]["outcome"] == "correct"

    end = notebook.run(notebook.cell("ex.recap()"))
    expect(end).to_contain_text("1 of 3 exercises done")
    notebook.photograph("first-exercise")
    assert notebook.faults() == []
    assert notebook.errors == []


def test_run_all_cells_runs_a_notebook(notebook):
    """One: that each runs from top to bottom is nbval's to say."""
    notebook.open("01_the_flowers.ipynb").run_all().has_run()
    expect(notebook.page.get_by_text("Loading widget")).to_have_count(0)
    assert notebook.faults() == []
    assert notebook.page.locator(".jp-OutputArea-output img").count() > 0, "there is no figure to look at"
    assert notebook.errors == []


def test_a_panel_bears_haste_lets_you_save_and_says_when_its_kernel_is_gone(notebook, lab):
    path = lab.workbook / "panel.ipynb"
    make_notebook(path, ["from mialab.widgets import coin_panel", "coin_panel()"])
    notebook.open(path.name).run_all().has_run()
    panel = notebook.page.locator(".mialab-live")
    pupils, said = panel.get_by_role("slider", name="pupils"), panel.get_by_role("status")
    pupils.focus()
    for _ in range(5):  # back to where it was, before the first answer is there
        for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
            pupils.press(key)
    expect(said).to_contain_text(f"The class of {pupils.input_value()},")
    notebook.page.set_viewport_size({"width": 700, "height": 900})
    assert panel.evaluate("e => e.scrollWidth <= e.clientWidth")
    notebook.page.set_viewport_size(WINDOW)

    expect(notebook.page.locator(".jp-mod-dirty")).not_to_have_count(0)
    pupils.focus()
    notebook.save()  # Ctrl + S, with the slider in focus
    saved = json.loads(path.read_text())["cells"][1]["outputs"][0]["data"]
    assert WIDGET not in saved and STILL in "".join(saved["text/html"])

    notebook.menu("Kernel", "Restart Kernel…")
    notebook.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(panel.locator(".mialab-note")).to_have_text("The kernel that answered is gone. Run the cell again.")
    notebook.stop_kernel()
    notebook.reload()
    expect(notebook.page.locator(f".{STILL}")).to_contain_text("run this cell to use it")
    assert [fault for fault in notebook.faults() if fault.startswith("widget")] == []


def test_one_exercise_of_each_other_kind_wrong_and_right(notebook, lab):
    answers = {
        "04_members_and_strangers": [
            ("equal_accuracy = ", '"b"', "It says nothing about how members are answered", '"d"', "Correct."),
        ],
        "05_the_recorded_label": [
            ("which_confidence = ", '"the loudest"', "is not one of", '"recorded label"', "Your guess is noted"),
            ("few_rounds = ", "500", "not yet what is asked for", "20", "Correct."),
            ("tell_a_colleague = ", '"""It is fine."""', "words", '"""' + LETTER + '"""', "rubric"),
        ],
        "01_the_flowers": [
            ("shortest_virginica = ", "6.9", "the virginica with the longest petals", "4.5", "Correct."),
        ],
    }
    for name, asked in answers.items():
        notebook.open(f"{name}.ipynb")
        notebook.run(notebook.cell(" as ex"))
        for stub, wrong, diagnosis, right, verdict in asked:
            cell = notebook.cell(stub)
            for answer, reply in ((wrong, diagnosis), (right, verdict)):
                notebook.replace(cell, f"{stub}{answer}\n\nex.{stub.split()[0]}.check({stub.split()[0]})")
                expect(notebook.run(cell)).to_contain_text(reply)
    kept = progress(lab)
    assert kept["equal_accuracy"]["outcome"] == kept["shortest_virginica"]["outcome"] == "correct"
    assert notebook.errors == []


def test_panels_can_be_read_in_both_themes(notebook, lab):
    make_notebook(lab.workbook / "panels.ipynb", [PANELS])
    notebook.open("panels.ipynb").run_all().has_run()
    for theme in ("Light", "Dark"):
        notebook.set_theme(f"JupyterLab {theme}")
        notebook.photograph(f"panels-{theme.lower()}")
        found = texts(notebook.page.locator(".mialab-panel"))
        for tone in ("correct", "not yet", "not attempted", "note"):
            assert any(f"This is {tone}:" in text.words for text in found)
        for code in ("title()", "code(words)", "def answer"):
            assert sum(code in text.words for text in found) == 4
        assert not [text for text in found if text.veiled]
        assert [text for text in found if contrast(text.colour, text.backgrounds) < ENOUGH] == []


def test_the_checks_above_notice_what_they_should(notebook, lab):
    make_notebook(lab.workbook / "controls.ipynb", CONTROLS)
    notebook.open("controls.ipynb").run_all().has_run()
    painted = texts(notebook.page.locator("#control"))
    assert len(painted) == 4
    for text in painted:
        assert contrast(text.colour, text.backgrounds) == pytest.approx(float(text.words), abs=0.01)
    rules = {barrier.split(":")[0] for barrier in notebook.barriers()}
    assert {"aria-input-field-name", "button-name", "image-alt"} <= rules
    faults = notebook.faults()
    assert [fault.split(":")[0] for fault in faults] == ["no alt text", "widget", *["error or warning"] * 2]
    assert "UserWarning: beware" in faults[2]
    assert "ZeroDivisionError" in faults[3]
    notebook.page.evaluate("console.error('ours'); setTimeout(() => { throw new Error('thrown') })")
    notebook.page.wait_for_function("new Promise(done => setTimeout(() => done(true), 10))")
    errors = [error for error in notebook.errors if "jupyterlab-manager" not in error]  # it may complain of the widget
    assert [error.split()[-1] for error in errors] == ["ours", "thrown"]


def test_contrast_of_known_colours():
    assert contrast("rgb(0, 0, 0)", []) == pytest.approx(21)
    assert contrast("rgb(255, 255, 255)", ["rgba(0, 0, 0, 0)"]) == pytest.approx(1)
    assert contrast("rgba(0, 0, 0, 0)", ["rgb(9, 8, 7)"]) == pytest.approx(1)
    assert contrast("rgb(255, 0, 0)", ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]) == pytest.approx(4.0, abs=0.01)
    with pytest.raises(ValueError, match="colour='red' is not rgb"):
        contrast("red", [])
