"""How fast the panels answer: `python tests/bench_panels.py`. Each control is moved; p50 and p95 in milliseconds.

The time is that of the kernel: the view, its picture, and the message for the page. With `--browser`, also the time
from a key press in Chromium to the new words in the page.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")

RETRAINS = ("The overfitting dial", "The shadow lab")


def main() -> None:
    from test_widgets import PANELS

    rng = np.random.default_rng(0)
    print(f"{'panel':<48}{'p50':>7}{'p95':>7}{'limit':>7}")
    for make in PANELS.values():
        panel = make()
        times = [_move(panel, rng) for _ in range(40)][5:]
        _say(panel.title, times)
    if "--browser" in sys.argv:
        _in_the_browser()


def _say(title: str, times: list[float]) -> None:
    p50, p95 = np.percentile(times, [50, 95])
    limit = 500 if title.startswith(RETRAINS) else 100  # milliseconds
    verdict = "" if p95 <= limit else "  above the limit"
    print(f"{title:<48}{p50:7.0f}{p95:7.0f}{limit:7}{verdict}")


def _move(panel, rng) -> float:
    """Set one control at random to another value; milliseconds until the answer is there."""
    control = panel.controls[rng.integers(len(panel.controls))]
    values = dict(panel.values)
    if control["kind"] == "button":
        values[control["name"]] += 1
    elif control["kind"] == "choice":
        values[control["name"]] = str(rng.choice(control["options"]))
    else:
        n_steps = round((control["high"] - control["low"]) / control["step"])
        values[control["name"]] = control["low"] + int(rng.integers(n_steps + 1)) * control["step"]
    start = time.perf_counter()
    panel.values = values
    return 1000 * (time.perf_counter() - start)


def _in_the_browser() -> None:
    from browser import Notebook, find_chromium, launch, running_lab
    from playwright.sync_api import sync_playwright
    from test_browser_notebooks import LIVE

    print("\nfrom the move to the words, and to the picture, in the page")
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder)) as lab, sync_playwright() as playwright:
        browser = launch(playwright, find_chromium())
        for title, (name, _) in LIVE.items():
            notebook = Notebook(browser, lab)
            notebook.open(name).run_all().has_run()
            panel = notebook.page.locator(".mialab-live", has=notebook.page.get_by_role("group", name=title))
            words, pictures = zip(*panel.evaluate(_PRESSES)[3:], strict=True)
            _say(f"{title}: words", words)
            _say(f"{title}: picture", pictures)
            notebook.page.close()


# Moves the first control to and fro; the time until the words change, moves that change none left out.
_PRESSES = """async panel => {
    const said = panel.querySelector("pre[role=status]");
    const control = panel.querySelector("input, select, button");
    const times = [];
    for (let turn = 0; turn < 40; turn++) {
        await new Promise(done => setTimeout(done, 150)); // a move of a hand, after a look at the last answer
        const start = performance.now();
        const change = (element, what) => new Promise(done => {
            const seen = new MutationObserver(() => { seen.disconnect(); done(performance.now() - start); });
            seen.observe(element, what);
            setTimeout(() => { seen.disconnect(); done(0); }, 3000);
        });
        const words = change(said, {childList: true, characterData: true, subtree: true});
        const picture = change(panel.querySelector(":scope > img"), {attributeFilter: ["src"]});
        if (control.tagName === "BUTTON") control.click();
        else if (control.tagName === "SELECT") {
            control.selectedIndex = (control.selectedIndex + 1) % control.options.length;
            control.dispatchEvent(new Event("change"));
        } else {
            const span = control.max - control.min;
            control.value = +control.min + span * ((turn * 7) % 20) / 20;
            control.dispatchEvent(new Event("input"));
        }
        const both = [await words, await picture];
        if (both[0] && both[1]) times.push(both);
    }
    return times;
}"""


if __name__ == "__main__":
    main()
