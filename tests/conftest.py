"""How the tests are shared out between the workers and told of, and the browser that some of them need.

What takes long is begun first, so that no worker is left with it alone at the end; a file stays on one worker, for
its tests share what was made for them, but each answered notebook is a piece of its own.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager

import pytest

from mialab._files import notebooks_folder
from mialab.instructor.grading import _sandbox

# Seconds on two quiet cores of what takes more than fifteen; all else together takes REST.
SECONDS = {
    "test_grading.py": 300, "test_browser_notebooks.py": 290, "test_site.py": 255, "test_claims.py": 240,
    "test_exercises.py": 150, "test_class_reports.py": 185, "test_assign.py": 170, "test_yours.py": 140,
    "test_plain.py": 100, "test_browser.py": 95, "test_privacy.py": 75, "test_challenge.py": 60,
    "test_one_alone.py": 65, "test_plots.py": 55, "test_widgets.py": 45, "test_slips.py": 55, "test_service.py": 50,
    "test_audit_cli.py": 35, "18_audit_a_promise.ipynb": 35, "test_audit.py": 30, "08_probing_the_black_box.ipynb": 30,
    "11_what_the_attacker_must_know.ipynb": 30, "test_mutants.py": 30, "13_two_strong_attacks.ipynb": 30,
    "16_defences.ipynb": 25, "test_blackbox.py": 25, "20_when_flowers_are_people.ipynb": 25,
    "10_the_inference_model.ipynb": 20, "19_audit_a_hospital_model.ipynb": 20, "test_shadow_attack.py": 20,
    "test_trials.py": 20, "17_differential_privacy.ipynb": 20, "test_recipes.py": 20, "test_search.py": 20,
    "14_why_some_models_leak.ipynb": 15, "test_calibrated.py": 15, "06_the_first_attack.ipynb": 15,
    "05_the_recorded_label.ipynb": 15,
}  # fmt: skip
ANSWERED = 20  # each answered notebook
REST = 330


def piece_of(nodeid: str) -> str:
    """What goes to a worker as a whole: a file, or one answered notebook."""
    return nodeid if "[answered-" in nodeid else nodeid.split("::")[0]


def seconds(piece: str) -> int:
    """How long a piece takes, if that is long."""
    return ANSWERED if "[answered-" in piece else SECONDS.get(piece.rpartition("/")[2], 0)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: -seconds(piece_of(item.nodeid)))
    boxed = [item for item in items if item.get_closest_marker("sandbox")]
    if boxed and (missing := _sandbox.missing()):
        for item in boxed:
            item.add_marker(pytest.mark.skip(reason=missing))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Pieces(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return piece_of(nodeid)

    config.option.loadscopereorder = False  # it would begin with the piece of the most tests
    return Pieces(config, log)


class Teller:
    """Say at the start how long it will take, and once in a while how far it is."""

    def __init__(self, config):
        self.config, self.worth, self.done, self.now, self.told = config, {}, 0.0, {}, time.monotonic()
        self.began = self.told

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        if self.worth:
            return
        pieces: dict[str, list[str]] = {}
        for nodeid in ids:
            pieces.setdefault(piece_of(nodeid), []).append(nodeid)
        for piece, members in pieces.items():
            for nodeid in members:
                self.worth[nodeid] = (seconds(piece) or REST / 60) / len(members)
        minutes = sum(self.worth.values()) / 60 / self.config.getoption("numprocesses")
        self._say(f"{len(ids)} tests, longest first: about {max(minutes, 1):.0f} min on two quiet cores.")

    def pytest_runtest_logreport(self, report):
        if report.when != "teardown" or not self.worth:
            return
        self.done += self.worth.get(report.nodeid, 0)
        self.now[getattr(report, "worker_id", "")] = piece_of(report.nodeid).rpartition("/")[2]
        if time.monotonic() - self.told > 30:
            share, minutes = self.done / sum(self.worth.values()), (time.monotonic() - self.began) / 60
            self._say(f"{minutes:.1f} min: {share:.0%} done; now in {', '.join(sorted(set(self.now.values())))}")

    def _say(self, words):
        self.told = time.monotonic()
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        reporter.ensure_newline()
        reporter.write_line(words)


def pytest_configure(config):
    if not hasattr(config, "workerinput") and config.getoption("numprocesses", None):
        config.pluginmanager.register(Teller(config))


# --- what a file leaves behind ------------------------------------------------------------------------------------


@contextmanager
def left_as_found():
    """Put the style of figures and the environment back: some tests run a notebook's cells in their own process, and
    which file a worker takes next hangs on how fast the machine is.
    """
    import matplotlib

    environment = dict(os.environ)
    with matplotlib.rc_context():
        yield
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture(scope="module", autouse=True)
def _left_as_found():
    with left_as_found():
        yield


# --- grading without a sandbox ------------------------------------------------------------------------------------


@pytest.fixture
def walled(monkeypatch):
    """As if this machine had a sandbox: for what starts none."""
    monkeypatch.setattr(_sandbox, "missing", lambda: "")


# --- answers that are nobody's ------------------------------------------------------------------------------------


@pytest.fixture
def no_workbook(tmp_path, monkeypatch):
    """Answers of the tests are nobody's progress."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIALAB_WORKBOOK", raising=False)
    monkeypatch.setattr("mialab.exercises._engine._progress._in_memory", {"version": 1, "exercises": {}})


# --- a browser, and in it a learner's JupyterLab ------------------------------------------------------------------


# Not for the whole session: Playwright keeps an event loop running, in which nbval's kernels could not be driven.
@pytest.fixture(scope="module")
def browser():
    """One Chromium for all tests of a file."""
    from browser import find_chromium, launch
    from playwright.sync_api import sync_playwright

    if find_chromium() is None:
        missing = "Chromium was not found on the path"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing}: install it (see .ci/run)")
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = launch(playwright, find_chromium())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """JupyterLab on a new workbook, and beside it, in `read`, the notebooks as they are read: with their outputs."""
    from browser import READ, running_lab

    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        shutil.copytree(notebooks_folder(), lab.workbook / READ)
        yield lab


@pytest.fixture(scope="module")
def window(browser, lab):
    """One window, for JupyterLab takes seconds to load."""
    from browser import Notebook

    return Notebook(browser, lab)


@pytest.fixture
def notebook(window):
    """The window, for the test to open a notebook in; when it turns to another, the kernel is shut down."""
    window.errors.clear()
    return window
