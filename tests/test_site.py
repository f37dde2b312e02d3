"""`make site`: pages without a warning, links that lead somewhere, and nothing that comes from elsewhere."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
from browser import PANDAS_OWN, WINDOW, barriers
from playwright.sync_api import expect
from test_run import ROOT

from mialab import targets
from mialab._still import STILL
from mialab.data import load_iris, split
from mialab.exercises import chapters
from mialab.exercises._engine._function import FunctionExercise
from mialab.exercises._engine._kinds import Choice, Written
from mialab.glossary import TERMS, define
from mialab.widgets import Game

sys.path.insert(0, str(ROOT / ".ci" / "site"))
import play

pytest.importorskip("sphinx")
pytestmark = pytest.mark.long
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
PLACES = {name: path.stem for name, path in play.panels(ROOT / "notebooks").items()}


class Page(HTMLParser):
    """What a page links to, what it loads, and the anchors in it."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loads, self.anchors = [], [], set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        about = dict(attrs)
        self.anchors |= {about[name] for name in ("id", "name") if about.get(name)}
        if tag == "a" and about.get("href"):
            self.links.append(about["href"])
        if tag in ("script", "img", "iframe", "source") and about.get("src"):
            self.loads.append(about["src"])
        if tag == "link" and about.get("href") and about.get("rel") != "canonical":
            self.loads.append(about["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    build = [sys.executable, str(ROOT / ".ci" / "site" / "build.py"), str(out), "--few"]
    away = os.environ | {"MIALAB_SITE_URL": "https://example.org/mia/"}
    done = subprocess.run(build, capture_output=True, text=True, check=False, env=away)
    assert done.returncode == 0, done.stderr
    return out / "html"


@pytest.fixture(scope="module")
def pages(site):
    return {path.resolve(): Page(path) for path in site.rglob("*.html") if "_static" not in path.parts}


@pytest.fixture(scope="module")
def window(site, browser):
    """A browser window, and all that its pages ask for."""
    page = browser.new_page()
    page.asked, page.errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    page.close()
    assert page.errors == []
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []


def test_a_folder_with_files_of_others_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    build = [sys.executable, str(ROOT / ".ci" / "site" / "build.py"), str(tmp_path)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "choose an empty or a new folder" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_every_notebook_and_module_has_its_page(site):
    assert all((site / "notebooks" / f"{name}.html").exists() for name in NOTEBOOKS)
    assert "roc" in (site / "library" / "metrics.html").read_text("utf-8")
    assert (site / "searchindex.js").exists()
    for name in NOTEBOOKS:
        text = (site / "notebooks" / f"{name}.html").read_text("utf-8")
        assert "data:image/png;base64" in text or "<img" in text


def test_nothing_is_loaded_from_elsewhere(site, pages):
    for path, page in pages.items():
        away = [source for source in page.loads if re.match(r"(https?:)?//", source)]
        assert not away, (path.name, away)
    for path in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", path.read_text("utf-8")), path


def test_every_link_inside_leads_somewhere(pages):
    for path, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            target, anchor = urldefrag(unquote(link))
            there = (path.parent / target).resolve() if target else path
            assert there.exists(), (path.name, link)
            if anchor and there in pages:
                assert anchor in pages[there].anchors, (path.name, link)


# What axe-core finds on every page, for it is the theme's own: (the rule, a part of the element, what it is).
THEMES_OWN = (
    PANDAS_OWN,
    ("region", "sidebar-primary-item", "the site's name stands outside every landmark"),
    ("summary-name", "<summary>", "the arrow that unfolds a list has no name"),
)


PHONE = {"width": 390, "height": 844}
ONE_OF_EACH_KIND = ("index", "play", "glossary", "instructors", "library", "attacks", "06_the_first_attack")
CONTRAST = "color-contrast"  # axe-core's slowest rule by far, and all pages have one style sheet


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_of_ours_on_a_page(pages, browser, theme):
    """One page of each kind in each theme: its colours, and in one theme all else. The notebooks' own texts and figures
    are looked at in JupyterLab; here every one must fit a phone."""
    page = browser.new_page()
    page.emulate_media(color_scheme=theme)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    found = {}
    for path in pages:
        if path.stem not in ONE_OF_EACH_KIND and (theme == "dark" or path.parent.name != "notebooks"):
            continue
        page.goto(path.as_uri())
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        found[path.name] = []
        if path.stem in ONE_OF_EACH_KIND:
            found[path.name] += barriers(page, THEMES_OWN, runOnly=[CONTRAST])
            if theme == "light":
                found[path.name] += barriers(page, THEMES_OWN, rules={CONTRAST: {"enabled": False}})
        for width in (PHONE, WINDOW):
            page.set_viewport_size(width)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found[path.name].append(f"the page scrolls sideways in a window of {width}")
    page.set_content('<p style="color:#999;background:#fff">hardly to be read</p><img src="x.png">')
    control = [barriers(page, (), runOnly=[CONTRAST]), barriers(page, (), rules={CONTRAST: {"enabled": False}})]
    page.close()
    assert [each[0].split(":")[0] for each in control[:1]] == [CONTRAST]
    assert "image-alt" in {barrier.split(":")[0] for barrier in control[1]}
    assert {name: barrier for name, barrier in found.items() if barrier} == {}
    assert set(ONE_OF_EACH_KIND) <= {path.stem for path in pages}
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_the_glossary_has_every_term_and_leads_to_where_it_is_defined(site, pages):
    path = next(path for path in pages if path.name == "glossary.html")
    text = html.unescape(path.read_text("utf-8"))
    for term in TERMS:
        assert f"<strong>{term.name}</strong>" in text
        assert " ".join(term.means.split()) in " ".join(re.sub(r"<[^>]*>", "", text).replace("“", '"').replace("”", '"')
                                                       .replace("’", "'").split())  # fmt: skip
    linked = {link.split("#")[0] for link in pages[path].links}
    assert {f"notebooks/{name}.html" for name in NOTEBOOKS if name[:2] in {t.notebook for t in TERMS}} <= linked


# --- the panels, without a kernel ------------------------------------------------------------------------------------


def shown(panel):
    """What a panel says; its picture is there, and says the same."""
    said, picture = panel.get_by_role("status").inner_text(), panel.locator("> img")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > 100)")
    assert picture.get_attribute("alt").split() == said.split()
    return said


@pytest.mark.browser
def test_each_panel_answers_each_of_its_controls_on_a_page_from_a_folder(site, window):
    window.goto((site / "play.html").as_uri())
    panels = window.locator("[data-panel]")
    expect(window.locator(".mialab-live")).to_have_count(len(PLACES))
    assert sorted(panels.evaluate_all("all => all.map(one => one.dataset.panel)")) == sorted(PLACES)
    for panel in panels.all():
        for control in panel.locator("input, select, button").all():
            before, kind = shown(panel), control.evaluate("e => e.tagName")
            if kind == "SELECT":
                control.select_option(index=1 if control.evaluate("e => e.selectedIndex") == 0 else 0)
            elif kind == "BUTTON":
                control.press("Enter")
            else:
                control.press("ArrowRight" if control.input_value() == "0" else "ArrowLeft")
                assert control.get_attribute("aria-valuetext") in panel.inner_text()
            if "epochs (net)" not in control.locator("..").inner_text():  # it has turned to trees before
                assert shown(panel) != before


@pytest.mark.browser
def test_a_click_on_the_map_tells_of_the_nearest_flower_that_is_told_of(site, window):
    window.goto((site / f"notebooks/{PLACES['garden_panel']}.html").as_uri())
    panel = window.locator(".mialab-live")
    told = [shown(panel)]
    picture = panel.locator(".mialab-map img")
    box = picture.bounding_box()
    for x, y in ((5, 5), (box["width"] - 5, 5), (5, box["height"] - 5), (box["width"] - 5, box["height"] - 5)):
        picture.click(position={"x": x, "y": y})
        told.append(shown(panel))
        assert panel.get_by_role("slider").get_attribute("aria-valuetext") in told[-1]
    assert len(set(told)) == 2  # the build for the tests tells of so few


@pytest.mark.browser
def test_the_game_on_the_first_page_is_the_game(site, window):
    """Played by the keyboard, against the same game in Python."""
    flowers = load_iris()
    parts = split(flowers.X, flowers.y, n_members=75, random_state=5)
    target = targets.make("knn-lookup").fit(parts.X_in, parts.y_in)
    score = target.predict_proba(parts.X).max(axis=1)
    window.goto((site / "index.html").as_uri())
    panel = window.locator(".mialab-live")
    for hand in (0, 1):
        game = Game(target, parts, flowers, score, random_state=hand)
        for number in range(21):
            assert shown(panel) == game.view().text
            panel.get_by_role("button", name="member" if number % 3 else "stranger").press("Enter")
            game.guess(bool(number % 3))
        panel.get_by_role("button", name="deal again").press("Enter")


def test_without_scripts_a_panel_stands_still_on_its_page(site):
    for name, place in PLACES.items():
        text = (site / "notebooks" / f"{place}.html").read_text("utf-8")
        assert f'<div data-panel="{name}"><div class="{STILL}">' in text and "run this cell to use it" in text


def test_a_panel_that_says_another_thing_than_its_notebook_s_output_stops_the_build(tmp_path):
    book = nbformat.read(ROOT / "notebooks" / f"{PLACES['coin_panel']}.ipynb", as_version=4)
    for output in (output for cell in book.cells for output in cell.get("outputs", ()) if "data" in output):
        if STILL in output.data.get("text/html", ""):
            output.data["text/plain"] += " And more."
    nbformat.write(book, tmp_path / "coin.ipynb")
    with pytest.raises(ValueError, match=r"coin.ipynb: coin_panel says .*; run the notebook"):
        play.work_out(tmp_path / "coin.ipynb", tmp_path / "out", few=True)


def test_a_shared_link_has_its_picture(site):
    for page in ("index", "notebooks/06_the_first_attack"):
        text = (site / f"{page}.html").read_text("utf-8")
        assert '<meta property="og:image" content="https://example.org/mia/_static/share.png">' in text
    assert (site / "_static" / "share.png").read_bytes().startswith(b"\x89PNG")


def test_hover_text_reaches_the_page(site):
    text = (site / "notebooks" / "10_the_inference_model.html").read_text("utf-8")
    assert f'<abbr title="{define("target").means}">target</abbr>' in text


def test_the_guide_for_instructors_holds_no_answers(site):
    pages = [site / "instructors.html", *(site / "instructors").glob("*.html")]
    assert len(pages) == len(NOTEBOOKS) + 1
    text = "".join(html.unescape(path.read_text("utf-8")) for path in pages)
    assert "without the answers" in text
    for exercise in (e for chapter in chapters() for e in chapter.exercises.values()):
        if isinstance(exercise, Written):
            assert exercise.example[:60] not in text
        if isinstance(exercise, Choice | FunctionExercise):
            assert all(wrong.diagnosis[:60] not in text for wrong in exercise.wrong.values())
