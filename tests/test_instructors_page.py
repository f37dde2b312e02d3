"""INSTRUCTORS.md: what is generated is up to date, times add up, and the commands and the example work as printed."""

from __future__ import annotations

import json
import re
import shlex
import textwrap

import numpy as np
import pytest
from refresh_instructors import NOTES, known_mistakes, refreshed

from mialab import cli
from mialab._files import notebooks_folder
from mialab.exercises import chapters
from mialab.exercises._engine._chapter import Chapter
from mialab.instructor.making import _assignment, _personal

TEXT = (notebooks_folder().parent / "INSTRUCTORS.md").read_text("utf-8")


def prose(notebook):
    cells = json.loads((notebooks_folder() / f"{notebook}.ipynb").read_text("utf-8"))["cells"]
    return " ".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def part(heading):
    """The page from a heading to the next of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    start = TEXT.index(f"\n{heading}\n") + 1
    following = re.search(rf"\n#{{1,{level}}} ", TEXT[start + level :])
    return TEXT[start : start + level + following.start()] if following else TEXT[start:]


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.notebook[:2])
def test_the_notes_on_a_notebook_are_up_to_date_and_name_every_known_mistake(chapter):
    words = (NOTES / f"{chapter.notebook[:2]}.md").read_text("utf-8")
    assert refreshed(chapter) == words, "run: python tests/refresh_instructors.py"
    for exercise in chapter.exercises.values():
        assert f"**`{exercise.name}`**" in words
        assert all(diagnosis in words for diagnosis in known_mistakes(exercise))
    assert re.search(r"^## When time is short\n\n\w|^## When time is short\n\n“", words, re.MULTILINE)
    assert len(re.findall(r"^- .*\?", words.split("## To talk about")[1], re.MULTILINE)) >= 3
    assert f"](mialab/instructor/notes/{chapter.notebook[:2]}.md) |" in TEXT
    headings = prose(chapter.notebook)
    for name in re.findall(r"“([^”]+)”", words.split("## When time is short")[1].split("## To talk about")[0]):
        assert f"## {name}" in headings, name


def test_the_guide_is_a_guide():
    assert len(TEXT.encode()) < 36_000 and "<details>" not in TEXT
    assert TEXT.index("## From roster to grades") < TEXT.index("## The course") < TEXT.index("## Three plans")


@pytest.mark.parametrize(("heading", "total"), [("### Ninety minutes", 90), ("### Half a day", 240)])
def test_the_minutes_of_a_plan_add_up(heading, total):
    assert sum(map(int, re.findall(r"^\| (\d+) \|", part(heading), re.MULTILINE))) == total


def test_the_weeks_hold_every_notebook_once_and_its_minutes():
    minutes = {n: int(m) for n, m in re.findall(r"^\| \[(\d\d) .*\| (\d+) \| \[\d+\].*$", TEXT, re.MULTILINE)}
    row = r"^\| \d \| ([\d, ]+) \| (\d+) \| (\d+) \| (?:(\d+): `mialab assign (\d\d)`|`mialab assign challenge`)"
    weeks = re.findall(row, part("### Six weeks"), re.MULTILINE)
    assert [n for numbers, *_ in weeks for n in numbers.split(", ")] == sorted(minutes)
    for numbers, together, homework, assignment, number in weeks:
        assert int(together) + int(homework) == sum(minutes[n] for n in numbers.split(", "))
        assert int(together) <= 90 and (int(homework) == 0 or int(together) == 90)
        if number:
            chosen = _assignment.choose(_assignment.find_chapter(number), None)
            own = _personal.questions(int(number))
            assert int(assignment) == sum(e.minutes for e in [*chosen, *own])


def test_sections_that_the_plans_name_are_in_their_notebooks():
    headings = {}
    for path in notebooks_folder().glob("*.ipynb"):
        headings[path.name[:2]] = prose(path.stem)
    for row in re.findall(r"^\| \d+ \| (Notebook \d\d.*) \|$", part("## Three plans"), re.MULTILINE):
        for name in re.findall(r"“([^”]+)”", row):
            assert f"## {name}" in headings[row[9:11]], (row, name)


def test_the_guide_says_how_to_begin_in_the_middle():
    assert "Run All Above Selected Cell" in part("## Three plans")
    assert "“Words first”" in part("### Ninety minutes")


@pytest.mark.parametrize(
    "words",
    [
        "--missing-zero",
        "--only 06",
        "--accept STUDENT",
        "--again STUDENT",
        "### Someone joins or leaves",
        "all or nothing",
        "GDPR",
        "FERPA",
        "least number of words",
        "before the last student has handed in",
        "the right sentence is public",
        "nobody else's;",
    ],
)
def test_the_guide_says_what_an_instructor_stumbled_over(words):
    assert words in TEXT


def test_trying_it_out_does_not_collide_with_the_class():
    outs = [re.search(r"--out (\w+/)", line)[1] for line in re.findall(r"mialab assign 06 .*", TEXT)
            if "--out" in line and "--mend" not in line]  # fmt: skip
    assert set(outs) == {"course/", "try/"}, outs


def commands():
    for block in re.findall(r"```\n(.*?)```", TEXT, re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "mialab":
                yield pytest.param(words[1:], id=" ".join(words[:4]))


@pytest.mark.parametrize("words", list(commands()))
def test_every_command_is_one_that_the_program_takes(words):
    assert cli._parser().parse_args(words).run


def test_the_example_of_an_exercise_works_as_it_is_printed(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code = re.search(r"<!-- example -->\n```python\n(.*?)```", TEXT, re.DOTALL)[1]
    path = tmp_path / "example.py"  # an exercise reads its own source
    imports = "from mialab.exercises._engine._chapter import Chapter\n"
    path.write_text(imports + "chapter = Chapter('06_the_first_attack')\n" + code)
    space: dict = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    exercise = space["caught_for_sure"]
    assert isinstance(space["chapter"], Chapter)
    assert exercise.check(exercise.right_answer, random_state=0).outcome == "correct"
    assert (
        exercise.check(lambda members, strangers: np.mean(members > max(strangers)), random_state=1).outcome
        == "correct"
    )
    for name, wrong in exercise.wrong.items():
        assert exercise.check(wrong.answer, random_state=0).diagnosis == name
    assert len(textwrap.dedent(code).split("@caught_for_sure")[0].strip().splitlines()) <= 11


def test_nothing_is_left_to_be_filled_in():
    assert not re.search(r"<!-- (hub|lms|grading) -->|TODO|in preparation", TEXT)
