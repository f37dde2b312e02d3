"""Put into the instructors' notes what the course itself says: objectives, exercises, known mistakes, rubrics.

`python tests/refresh_instructors.py`; tests/test_instructors_page.py says whether it is up to date.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from mialab._files import notebooks_folder
from mialab.exercises import chapters
from mialab.exercises._engine._base import Exercise, count
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Prediction, Written

NOTES = Path(__file__).resolve().parent.parent / "mialab" / "instructor" / "notes"  # one a notebook
# Answers that are no answers to the question: every exercise of a kind meets them alike.
MECHANICAL = {"wrong_type", "not_a_number", "not_an_option", "several_options", "too_high", "too_low", "a_sentence",
              "a_share", "off", "too_short", "same_words", "the_rubric"}  # fmt: skip


def known_mistakes(exercise: Exercise) -> list[str]:
    """The diagnoses of an exercise's known wrong answers, but for what is no answer at all."""
    if isinstance(exercise, Prediction):
        return []
    return [wrong.diagnosis for name, wrong in exercise.wrong.items() if name not in MECHANICAL]


def section(chapter: Chapter) -> str:
    """What is generated for one notebook."""
    return "\n".join([_objectives(chapter), "", _exercises(chapter), "", *_rubrics(chapter)]).rstrip()


def _objectives(chapter: Chapter) -> str:
    cells = json.loads((notebooks_folder() / f"{chapter.notebook}.ipynb").read_text("utf-8"))["cells"]
    head = "".join(cells[0]["source"])
    title = re.match(r"# \d\d · (.*)", head)[1]
    aims = re.findall(r"^- (.*)$", head.split("**Time:**")[0], re.MULTILINE)
    minutes = re.search(r"\*\*Time:\*\* about (\d+) minutes", head)[1]
    heading = f"# Notebook {chapter.notebook[:2]} for instructors: {title[0].lower()}{title[1:]}\n\n"
    return f"{heading}About {minutes} minutes. Afterwards a learner can\n\n" + "\n".join(f"- {aim}" for aim in aims)


def _exercises(chapter: Chapter) -> str:
    lines = ["## Exercises and known mistakes", ""]
    for exercise in chapter.exercises.values():
        worth = f"{count(exercise.points, 'point')}, about {count(exercise.minutes, 'minute')}"
        lines.append(f"- **`{exercise.name}`** ({exercise.kind}, {worth})")
        lines += [f"  - {diagnosis}" for diagnosis in known_mistakes(exercise)]
    return "\n".join(lines)


def _rubrics(chapter: Chapter) -> list[str]:
    lines = []
    for exercise in chapter.exercises.values():
        if isinstance(exercise, Written):
            lines += [f"## Rubric of `{exercise.name}`", ""]
            lines += [f"- {point}" for point in exercise.rubric]
            lines += ["", f"*An answer that earns every point:* {exercise.example}", ""]
    return lines or ["There is no written answer to assign here."]


def refreshed(chapter: Chapter) -> str:
    """The notes on a notebook, with what is generated made anew; what is written by hand stays."""
    path = NOTES / f"{chapter.notebook[:2]}.md"
    written = path.read_text("utf-8").partition("<!-- end -->")[2] if path.exists() else "\n"
    return f"<!-- generated: do not edit above the end -->\n{section(chapter)}\n\n<!-- end -->{written}"


if __name__ == "__main__":
    for each in chapters():
        (NOTES / f"{each.notebook[:2]}.md").write_text(refreshed(each), "utf-8")
