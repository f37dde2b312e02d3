"""What the README shows is what happens: its snippet prints what stands below it, and the sizes are those there are."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest
from nearly import nearly

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_snippet_prints_what_stands_below_it():
    code, printed = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", README, re.DOTALL).groups()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "README.md", "exec"), {})
    assert nearly(said.getvalue(), printed)


def test_the_sizes_are_those_there_are():
    said = re.search(r"has ([\d,]+) lines.*adds ([\d,]+), and.*mistake, ([\d,]+)\.", README).groups()
    library, grading, course = (int(number.replace(",", "")) for number in said)

    def lines(folder):
        return sum(len(path.read_text("utf-8").splitlines()) for path in (ROOT / "mialab" / folder).rglob("*.py"))

    assert grading == pytest.approx(lines("instructor"), abs=200)
    assert course == pytest.approx(lines("exercises"), abs=200)
    assert library == pytest.approx(lines("") - lines("instructor") - lines("exercises"), abs=200)


def test_every_part_that_it_leads_to_is_there():
    headings = {re.sub(r"[^\w -]", "", line[3:]).lower().replace(" ", "-") for line in README.splitlines()
                if line.startswith("## ")}  # fmt: skip
    assert set(re.findall(r"\]\(#([\w-]+)\)", README)) <= headings
    for path in re.findall(r"\]\(([\w./-]+)\)", README):
        assert (ROOT / path).exists(), path


def test_the_route_of_three_hours_is_one_and_names_headings_that_are_there():
    route = README[README.index("## Three hours") : README.index("Each notebook runs by itself")]
    assert sum(int(minutes) for minutes in re.findall(r"\((\d+)(?: minutes)?\)", route)) == 180
    for path, heading in re.findall(r"\]\((notebooks/\w+\.ipynb)\)[^*\n]*\*([^*]+)\*", route):
        assert f'"## {heading}' in (ROOT / path).read_text("utf-8"), (path, heading)
