"""A real browser on a real JupyterLab: what the browser tests need to act as a learner does."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import figures
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, Playwright, TimeoutError, expect

from mialab.cli._doctor import CHROMIUM

SCREENSHOTS = Path(__file__).resolve().parents[1] / "screenshots"
READ = "read"  # a folder of the tests' workbook: the notebooks with their outputs
PATIENCE = 240  # seconds; how long a condition is waited for before the test fails, on a slow machine
A_WHOLE_NOTEBOOK = 1200  # the same for all cells of a notebook, which shares the machine with others
WINDOW = {"width": 1280, "height": 1400}
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# Errors of JupyterLab's own on the console: (what it says, why it is none of ours).
NOT_OURS = (
    ("Could not restore the debugger state", "the kernel was stopped while it started"),
    ("message before replies were done", "the kernel was stopped while JupyterLab asked it for a subshell"),
)

PANDAS_OWN = ("empty-table-header", "<th></th>", "the corner of a table is empty: good practice, no WCAG criterion")
# What axe-core finds in any notebook, for it is JupyterLab's own: (the rule, the class of the element, what it is).
LABS_OWN = (
    ("aria-input-field-name", "cm-content", "the editor of a code cell has no name"),
    ("scrollable-region-focusable", "cm-scroller", "an editor with a long line scrolls sideways"),
    ("button-name", "jp-collapseHeadingButton", "the button that folds a section has no name"),
    PANDAS_OWN,
    ("aria-required-children", "jp-WindowedPanel-viewport", "the list of cells holds more than cells"),
)

_SETTINGS = {
    # Off-screen cells would otherwise not be in the page.
    "@jupyterlab/notebook-extension/tracker": '{"windowingMode": "none"}',
}


# --- JupyterLab -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, its token, the workbook it was opened on."""

    url: str
    token: str
    workbook: Path


@contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """Start JupyterLab as a learner does, with `mialab lab`, on a new workbook; stop it at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    lab = Lab(f"http://127.0.0.1:{port}", secrets.token_hex(16), folder / "workbook")
    command = [
        sys.executable, "-m", "mialab", "lab", "--workbook", str(lab.workbook), "--", "--no-browser",
        "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
        "--LabApp.expose_app_in_browser=True",  # so that a window can turn to another notebook
        f"--IdentityProvider.token={lab.token}",
        # Should the tests be killed before they can stop it, it stops by itself.
        "--MappingKernelManager.cull_idle_timeout=600", "--ServerApp.shutdown_no_activity_timeout=600",
    ]  # fmt: skip
    log = folder / "jupyterlab.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(folder), stdout=file, stderr=file, start_new_session=True
        )
    try:
        _wait_until_it_answers(lab, process, log)
        yield lab
    finally:
        _stop(process)


def _environment(folder: Path) -> dict[str, str]:
    """An environment in which nobody's own Jupyter settings, kernels or open documents play a part."""
    away = {"PYTHONDONTWRITEBYTECODE", "MIALAB_WORKBOOK"}
    environment = {name: value for name, value in os.environ.items() if name not in away}
    for name in (
        "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR",
    ):  # fmt: skip
        (folder / name).mkdir()
        environment[name] = str(folder / name)
    for name, setting in _SETTINGS.items():
        path = folder / "JUPYTERLAB_SETTINGS_DIR" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(setting)
    return environment | {"OMP_NUM_THREADS": "1"}


def _wait_until_it_answers(lab: Lab, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{lab.url}/api?token={lab.token}", timeout=5).close()
            return
        except (urllib.error.URLError, OSError) as error:
            if process.poll() is not None or time.monotonic() > end:
                said = log.read_text()
                raise RuntimeError(f"JupyterLab does not answer ({error}); it said:\n{said}") from error
            time.sleep(0.1)


def _stop(process: subprocess.Popen) -> None:
    process.terminate()  # JupyterLab then stops its kernels
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


# --- Chromium -------------------------------------------------------------------------------------


def find_chromium() -> str | None:
    """The path of a Chromium, or None."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


def launch(playwright: Playwright, chromium: str) -> BrowserContext:
    """Start a Chromium without a screen; its windows are pages of one size."""
    expect.set_options(timeout=PATIENCE * 1000)
    browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
    return browser.new_context(viewport=WINDOW)


class Notebook:
    """A notebook open in JupyterLab, in a browser window of its own."""

    def __init__(self, browser: BrowserContext, lab: Lab):
        self.lab = lab
        self.page: Page = browser.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.path = ""
        self.errors: list[str] = []
        self.page.on(
            "console",
            lambda message: (
                self._note(f"{message.text} {message.location.get('url', '')}") if message.type == "error" else None
            ),
        )
        self.page.on("pageerror", lambda error: self._note(str(error)))

    def _note(self, text: str) -> None:
        if not any(theirs in text for theirs, _ in NOT_OURS):
            self.errors.append(text)

    def open(self, name: str = "") -> Notebook:
        """Open a notebook of the workbook, or whatever `mialab lab` opens by itself; wait for its kernel.

        Where the window has JupyterLab already, it is not loaded anew.
        """
        if name and self.path:
            return self.turn_to(name).ready()
        address = f"/lab/tree/{name}" if name else "/"
        self.page.goto(f"{self.lab.url}{address}?token={self.lab.token}&reset")
        self.ready()
        self.path = urllib.parse.urlparse(self.page.url).path.rpartition("/tree/")[2]
        return self

    def turn_to(self, name: str) -> Notebook:
        """Close what is open and open another notebook; its kernel is starting when this returns."""
        if not self.path:
            return self.open(name)
        self.page.wait_for_function(_SHOWN, arg=self.page.evaluate(_TURN_TO, name))
        self.path = name
        expect(self.page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
        return self

    def reload(self) -> Notebook:
        """Load the page anew. JupyterLab then restores its tabs, and may bring one to the front late: so whatever is
        opened next is opened by an address of its own."""
        self.page.reload()
        self.path = ""
        return self

    def ready(self) -> Notebook:
        """Wait until the notebook is shown and its kernel is idle."""
        expect(self.page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
        # The status bar tells; the toolbar's round indicator looks idle before there is a kernel, and what is
        # run then is lost.
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
        return self

    def cell(self, text: str) -> Locator:
        """The code cell whose source contains `text`."""
        return self.page.locator(".jp-CodeCell", has=self.page.locator(".cm-content", has_text=text))

    def run(self, cell: Locator) -> Locator:
        """Click into a cell, press Shift + Enter, wait until it has run; return its output."""
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        expect(prompt).not_to_have_text(before)
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))
        return cell.locator(".jp-OutputArea-output").first

    def write(self, cell: Locator, old: str, new: str) -> None:
        """Type `new` over the line of a cell that contains `old`."""
        cell.locator(".cm-line", has_text=old).click()
        self.page.keyboard.press("Home")
        self.page.keyboard.press("Shift+End")
        self.page.keyboard.type(new)

    def replace(self, cell: Locator, source: str) -> None:
        """Put `source` in the place of all that a cell holds, as a paste does: no bracket is closed for the typist."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)

    def menu(self, *words: str) -> None:
        """Choose from the menus, one word a level."""
        self.page.get_by_role("menubar").get_by_role("menuitem", name=words[0], exact=True).click()
        for word in words[1:]:
            self.page.locator(".lm-Menu-itemLabel").get_by_text(word, exact=True).click()

    def run_all(self) -> Notebook:
        """Choose Run All Cells, and wait for the first to run: until then the counts of the last run are shown."""
        self.page.evaluate(_WATCH_STARS)
        self.menu("Run", "Run All Cells")
        self.page.wait_for_function("window.mialabStars.seen")
        return self

    def has_run(self) -> Notebook:
        """Wait until every cell has run, or one has failed and the rest wait no more.

        AssertionError that says what is still waiting, should that take longer than the slowest machine needs.
        """
        try:
            self.page.wait_for_function(_HAS_RUN, timeout=1000 * A_WHOLE_NOTEBOOK)
        except TimeoutError as late:
            prompts = self.page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").all_inner_texts()
            status = self.page.locator("#jp-main-statusbar").inner_text()
            raise AssertionError(f"{self.path} has not run: {prompts}, {status!r}, {self.errors}") from late
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
        return self

    def save(self) -> None:
        """Press Ctrl + S; wait until nothing is unsaved."""
        self.page.keyboard.press("Control+s")
        expect(self.page.locator(".jp-mod-dirty")).to_have_count(0)

    def faults(self) -> list[str]:
        """What a reader would see go wrong: errors, warnings, dead widgets, pictures that have no words."""
        return self.page.evaluate(_FAULTS)

    def barriers(self) -> list[str]:
        """What axe-core finds in the notebook that would keep somebody out, Lab's own rules excepted."""
        return barriers(self.page, LABS_OWN, context=".jp-Notebook")

    def set_theme(self, name: str) -> None:
        """Choose "JupyterLab Light" or "JupyterLab Dark" and wait for it."""
        self.menu("Settings", "Theme", name)
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-name", name)
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)  # it veils the page for a moment

    def photograph(self, name: str) -> None:
        """Where MIALAB_SCREENSHOTS is set, write the whole notebook to screenshots/NAME-1.png, NAME-2.png, …, a
        window's height each."""
        if not os.environ.get("MIALAB_SCREENSHOTS"):
            return
        SCREENSHOTS.mkdir(exist_ok=True)
        for old in SCREENSHOTS.glob(f"{name}-*.png"):
            old.unlink()
        here = self.page.locator(".jp-WindowedPanel-outer")
        here.evaluate("e => e.scrollTo(0, 0)")
        height, window = here.evaluate(
            """e => [[...e.querySelectorAll(".jp-Cell")].at(-1).getBoundingClientRect().bottom
                     - e.getBoundingClientRect().top, e.clientHeight]"""
        )
        for number, top in enumerate(range(0, round(height), window), start=1):
            here.evaluate("(e, top) => e.scrollTo(0, top)", top)
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{number}.png")

    def stop_kernel(self) -> None:
        """Stop the notebook's kernel behind the page's back."""
        sessions = f"{self.lab.url}/api/sessions"
        headers = {"Authorization": f"token {self.lab.token}"}
        for session in self.page.request.get(sessions, headers=headers).json():
            if session["path"] == self.path:
                self.page.request.delete(f"{sessions}/{session['id']}", headers=headers)


def barriers(
    page: Page, not_ours: tuple[tuple[str, str, str], ...], context: str | None = None, **options: object
) -> list[str]:
    """What axe-core finds that would keep somebody out.

    `not_ours`: (rule, part of the element, why) of others; `options`: axe-core's own, as which rules are run.
    """
    options = {"resultTypes": ["violations"], **options}
    return [
        f"{rule['id']}: {node['target']} {node['html'][:200]}"
        for rule in Axe().run(page, context=context, options=options).response["violations"]
        for node in rule["nodes"]
        if not any(rule["id"] == theirs and element in node["html"] for theirs, element, _ in not_ours)
    ]


_TURN_TO = """async name => {
    await window.jupyterapp.restored;
    for (const open of [...window.jupyterapp.shell.widgets("main")]) {
        await open.sessionContext?.shutdown();
        open.dispose();
    }
    const opened = await window.jupyterapp.commands.execute("docmanager:open", {path: name});
    await opened.context.ready;
    await opened.revealed;
    return opened.id;
}"""

# Where the last tab was closed JupyterLab opens a launcher, and may do so late: in front of what was opened meanwhile.
_SHOWN = """id => {
    const shell = window.jupyterapp.shell;
    if (shell.currentWidget?.id !== id) shell.activateById(id);
    return shell.currentWidget?.id === id && document.getElementById(id)?.checkVisibility();
}"""

_HAS_RUN = """() => {
    const all = [...document.querySelectorAll(".jp-Notebook .jp-CodeCell .jp-InputPrompt")];
    const prompts = all.map(prompt => prompt.textContent.trim());
    const failed = document.querySelector('[data-mime-type="application/vnd.jupyter.stderr"]');
    if (failed && !prompts.includes("[*]:")) return true;
    return prompts.every(prompt => prompt === "" || /^\\[\\d+\\]:$/.test(prompt));  // "": a folded cell
}"""

_WATCH_STARS = """() => {
    const notebook = document.querySelector(".jp-Notebook");
    const stars = window.mialabStars = {seen: false};
    const look = () => {
        for (const prompt of notebook.querySelectorAll(".jp-InputPrompt"))
            stars.seen ||= prompt.textContent.trim() === "[*]:";
    };
    new MutationObserver(look).observe(notebook, {subtree: true, childList: true, characterData: true});
}"""

_FAULTS = """() => {
    const faults = [];
    const outputs = [...document.querySelectorAll(".jp-Notebook .jp-OutputArea-output")];
    for (const output of outputs) {
        const words = output.textContent.trim().slice(0, 300);
        const mime = output.dataset.mimeType || "";
        // JupyterLab shows an error's traceback as it shows warnings: as standard error.
        if (/vnd.jupyter.(error|stderr)/.test(mime)) faults.push(`error or warning: ${words}`);
        if (/Error displaying widget|Loading widget/.test(words)) faults.push(`widget: ${words}`);
        for (const image of output.querySelectorAll("img"))
            if (!(image.alt || "").trim()) faults.push(`no alt text: ${image.src.slice(0, 60)}`);
    }
    return faults;
}"""


# --- contrast -------------------------------------------------------------------------------------


class Text(NamedTuple):
    """A piece of text as the browser paints it: its colour, and the backgrounds behind it, nearest first."""

    words: str
    colour: str
    backgrounds: list[str]
    veiled: bool  # a picture or an opacity lies between, so that colours alone do not tell


def texts(where: Locator) -> list[Text]:
    """Every piece of text inside the elements, with its computed colours."""
    return [Text(*found) for found in where.evaluate_all(_TEXTS)]


_TEXTS = """elements => elements.flatMap(element => {
    const found = [];
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const words = walker.currentNode.textContent.trim();
        if (!words) continue;
        const backgrounds = [];
        let veiled = false;
        for (let e = walker.currentNode.parentElement; e; e = e.parentElement) {
            const style = getComputedStyle(e);
            backgrounds.push(style.backgroundColor);
            veiled ||= style.opacity !== "1" || style.backgroundImage !== "none";
        }
        found.push([words, getComputedStyle(walker.currentNode.parentElement).color, backgrounds, veiled]);
    }
    return found;
})"""


def contrast(colour: str, backgrounds: list[str]) -> float:
    """Contrast of text against what is behind it, from 1 to 21 (WCAG 2.2); `backgrounds`: nearest first.

    Colours are as `getComputedStyle` gives them; see-through ones are blended with what lies behind them, at
    last with white.
    ValueError for a colour written in another way.
    """
    behind = (255.0, 255.0, 255.0)
    for background in reversed(backgrounds):
        behind = _over(background, behind)
    return figures.contrast(*([part / 255 for part in each] for each in (_over(colour, behind), behind)))


def _over(colour: str, behind: tuple[float, ...]) -> tuple[float, ...]:
    """A colour painted over an opaque one, as red, green and blue from 0 to 255."""
    match = re.fullmatch(r"rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)", colour)
    if not match:
        raise ValueError(f"colour={colour!r} is not rgb(r, g, b) or rgba(r, g, b, a)")
    *above, alpha = [1.0 if part is None else float(part) for part in match.groups()]
    return tuple(alpha * a + (1 - alpha) * b for a, b in zip(above, behind, strict=True))
