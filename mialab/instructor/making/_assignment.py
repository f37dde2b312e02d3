"""Turn a notebook of the course into an nbgrader assignment, for a class or for each student of one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from mialab._files import notebooks_folder
from mialab.exercises import chapters
from mialab.exercises._engine._base import Exercise, count
from mialab.exercises._engine._calls import observe
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._function import FunctionExercise
from mialab.exercises._engine._kinds import Choice, Prediction, Reading, Written
from mialab.exercises._engine._plain import observed_to_json, to_json
from mialab.instructor.making import _personal
from mialab.workbook import RENAMED

PUBLIC_CASES = 5
HINTS = 2  # the last of three all but gives the answer
RUN = 6  # so many words of an answer in a row give it away
EVERYONE = "everyone"  # the handout of a class without a roster


class Cell(NamedTuple):
    """A cell of an assignment: its source, what nbgrader is to know of it (None: nothing), and a picture in base64."""

    kind: str  # "markdown" or "code"
    source: str
    nbgrader: dict[str, Any] | None = None
    picture: str | None = None


def find_chapter(number: str) -> Chapter:
    """The chapter of a notebook, by its number or file name, also one of before; ValueError if there is none."""
    name = RENAMED.get(number, number)
    found = [c for c in chapters() if name in (c.notebook, c.notebook[:2], c.notebook[:2].lstrip("0"))]
    if not found:
        known = ", ".join(c.notebook[:2] for c in chapters())
        raise ValueError(f"notebook={number!r} is not in the course; give one of {known}, or `challenge`")
    return found[0]


def choose(chapter: Chapter, names: list[str] | None) -> list[Exercise]:
    """The exercises of those names, in the notebook's order; without names all but the guesses, which no one grades."""
    if names is None:
        return [e for e in chapter.exercises.values() if not isinstance(e, Prediction)]
    strange = [name for name in names if name not in chapter.exercises]
    if strange or not names:
        raise ValueError(
            f"exercises={', '.join(strange) or 'nothing'}: not in {chapter.notebook}, "
            f"which has {', '.join(chapter.exercises)}"
        )
    return [e for name, e in chapter.exercises.items() if name in names]


# --- the notebook --------------------------------------------------------------------------------------------------


def cells(
    chapter: Chapter, exercises: list[Exercise], personal: bool, orders: dict[str, dict[str, str]], release: int = 1
) -> list[Cell]:
    """The assignment's cells; `orders` says, per choice, which letter a student sees for each of its own."""
    asked = _personal.questions(int(chapter.notebook[:2])) if personal else []
    parts: list[Cell] = [
        Cell("markdown", _introduction(chapter, exercises, asked) + (_ANEW.format(release) if release > 1 else "")),
        Cell("code", _SETUP, _locked("setup")),
    ]
    lesson = json.loads((notebooks_folder() / f"{chapter.notebook}.ipynb").read_bytes())["cells"]
    for exercise in exercises:
        parts += _prompt(lesson, exercise, orders.get(exercise.name))
        parts += _answer(exercise)
    if asked:
        parts += [Cell("markdown", _OWN), Cell("code", "mine = ex.mine", _locked("own_model"))]
    for question in asked:
        worth = f"*{count(question.points, 'point')} · about {count(question.minutes, 'minute')}*"
        parts.append(Cell("markdown", f"### `{question.name}`\n\n{question.prompt} Give {question.unit}.\n\n{worth}"))
        parts.append(Cell("code", f"{question.name} = ...  # {question.unit}", _solution(question.name)))
        parts.append(_test(question.name, question.name, question.points))
    return parts


def _answer(exercise: Exercise) -> list[Cell]:
    if isinstance(exercise, Written):  # graded by hand: the points are on the answer itself
        by_hand = {**_solution(exercise.name), "grade": True, "points": exercise.points}
        return [Cell("code", exercise.stub, by_hand), _test(exercise.name, exercise.id, 0)]
    return [Cell("code", exercise.stub, _solution(exercise.name)), _test(exercise.name, exercise.id, exercise.points)]


def _prompt(lesson: list[dict], exercise: Exercise, order: dict[str, str] | None) -> list[Cell]:
    """What the notebook says from the exercise's heading to its cell, with the figure that it is read from."""
    at = next(
        i for i, c in enumerate(lesson) if "".join(c["source"]).endswith(f"ex.{exercise.name}.check({exercise.name})")
    )
    start = max(
        i for i in range(at) if lesson[i]["cell_type"] == "markdown" and "### Exercise" in "".join(lesson[i]["source"])
    )
    heading = "".join(lesson[start]["source"])
    before, _, text = heading.rpartition("### Exercise")
    title, _, text = text.partition("\n")
    text = "\n\n".join(filter(None, [f"### Exercise{title}", _leading_up(before), text.strip()]))
    if order:
        text = _reorder(text, exercise, order)
    figure = _figure(lesson[:at]) if isinstance(exercise, Reading) else None
    parts = [Cell("markdown", text + ("\n\n![the figure](attachment:figure.png)" if figure else ""), None, figure)]
    for cell in lesson[start + 1 : at]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            source = re.sub(r"^from mialab\.exercises import .*\n?", "", source, flags=re.MULTILINE).strip()
        if source:
            locked = _locked(f"{exercise.name}_given") if cell["cell_type"] == "code" else None
            parts.append(Cell(cell["cell_type"], source, locked))
    return parts


def _leading_up(before: str) -> str:
    """What the lesson says just before an exercise: since its last heading, or else in the last paragraph."""
    since = re.split(r"^## .*$", before, flags=re.MULTILINE)
    return since[-1].strip() if len(since) > 1 else before.strip().rpartition("\n\n")[2]


def _reorder(text: str, exercise: Choice, order: dict[str, str]) -> str:
    options = {order[letter]: words for letter, (words, _) in exercise.options.items()}
    lines = iter(f"- **{letter})** {options[letter]}" for letter in sorted(options))
    return re.sub(r"^- \*\*[a-z]\)\*\* .*$", lambda _: next(lines), text, flags=re.MULTILINE)


def _figure(before: list[dict]) -> str:
    for cell in reversed(before):
        for output in cell.get("outputs", []):
            page = "".join(output.get("data", {}).get("text/html", ""))
            found = re.search(r'src="data:image/png;base64,([^"]+)"', page)
            if found:
                return found[1]
    raise ValueError("there is no figure to read before this exercise")


def _introduction(chapter: Chapter, exercises: list[Exercise], asked: list) -> str:
    points = sum(e.points for e in [*exercises, *asked])
    minutes = sum(e.minutes for e in [*exercises, *asked])
    title = chapter.notebook[3:].replace("_", " ")
    written = any(isinstance(e, Written) for e in exercises)
    partly = " A person reads what you write, and gives a point for each line of its rubric." if written else ""
    return f"""# Assignment {chapter.notebook[:2]}: {title}

{count(len(exercises) + len(asked), "question")}, {count(points, "point")}, about {count(minutes, "minute")}. \
The lesson is notebook {chapter.notebook[:2]} of the course: read it first, and keep it open beside this.

- To open it in the course: `make lab ARGS="--assignment PATH"`, or `mialab lab --assignment PATH`, with the folder or \
the ZIP that you were given. It is copied into `assignments/` in your workbook, once; hand in that copy.
- Put your answers where the three dots are. Leave the other cells, and the names, as they are.
- The check below an answer tries it on data that you may see. It says how many of these *public* checks passed. \
Points are given by hidden checks on other data, after you have handed in: all of a question's points or none.{partly}
- A function must need nothing but its arguments and what this notebook imports above it.
- Keep `assignment.json` beside this notebook. Before you hand in: Kernel, Restart Kernel and Run All Cells.
- Hand in this file alone, under its own name."""


_ANEW = """

**This is release {}.** There was a fault in an earlier one. If you have handed that in, it is graded as it was given \
to you; hand in this one, and this one counts."""

_SETUP = """import numpy as np

from mialab.exercises.handout import load_assignment

ex = load_assignment()"""

_OWN = """## Your own model

The next cell loads flowers and a trained model that nobody else in the class has. `mine.X` holds 150 records, \
`mine.y` their labels as recorded (a few of them are wrong), and `mine.is_member` says who trained \
`mine.model`. Ask the model with `mine.model.predict_proba(mine.X)`. A neighbour's numbers are right for \
your neighbour only."""


def _nbgrader(grade_id: str, **more: Any) -> dict[str, Any]:
    return {"grade_id": grade_id, "schema_version": 3, "grade": False, "solution": False, "locked": False,
            "task": False} | more  # fmt: skip


def _locked(grade_id: str) -> dict[str, Any]:
    return _nbgrader(grade_id, locked=True)


def _solution(name: str) -> dict[str, Any]:
    return _nbgrader(name, solution=True)


def _test(name: str, exercise_id: str, points: int) -> Cell:
    source = f"""ex.{name}.check({name})
### BEGIN HIDDEN TESTS
from mialab.instructor import hidden_test

hidden_test("{exercise_id}", {name})
### END HIDDEN TESTS"""
    return Cell("code", source, _nbgrader(f"{name}_test", grade=True, locked=True, points=points))


# --- assignment.json ----------------------------------------------------------------------------------------------


def handout(
    chapter: Chapter,
    exercises: list[Exercise],
    rng: np.random.Generator,
    *,
    hints: bool,
    student: str,
    key: bytes | None,
) -> dict[str, Any]:
    """The content of a student's `assignment.json`: public cases and their values, no way to get them."""
    questions = {e.name: _question(e, rng, hints) for e in exercises}
    plain: dict[str, Any] = {"format": 1, "assignment": chapter.notebook, "student": student, "hints": hints}
    if key is not None:
        plain["own"] = _personal.own(key, chapter.notebook, student)
        for own in _personal.questions(int(chapter.notebook[:2])):
            questions[own.name] = {"kind": "number", "unit": own.unit, "points": own.points, "minutes": own.minutes}
    return {**plain, "exercises": questions}


def _question(exercise: Exercise, rng: np.random.Generator, hints: bool) -> dict[str, Any]:
    common = {"points": exercise.points, "minutes": exercise.minutes}
    if hints:
        common["hints"] = [hint for hint in exercise.hints[:HINTS] if not gives_away(hint)]
    match exercise:
        case FunctionExercise():
            return {"kind": "function", **common, **_public_cases(exercise, rng)}
        case Choice():
            return {"kind": "choice", **common, "options": list(exercise.options)}
        case Prediction():
            given = {"question": exercise.question, "options": exercise.options, "between": exercise.between}
            return {"kind": "prediction", **common, **given}
        case Written():
            return {"kind": "written", **common, "rubric": exercise.rubric, "words": exercise.words}
        case _:
            return {"kind": "number", **common, "unit": exercise.unit}


def gives_away(text: str) -> bool:
    """True if a text repeats a run of words of an answer of the course, or of the explanation of one."""
    return not _runs(text).isdisjoint(_answers())


@cache
def _answers() -> set[tuple[str, ...]]:
    """Every run of words of every worked answer."""
    runs = set()
    for exercise in (e for chapter in chapters() for e in chapter.exercises.values()):
        match exercise:
            case FunctionExercise():
                runs |= _runs(exercise.right_code.rpartition('"""')[2])
            case Choice():
                runs |= set().union(*(_runs(why) for _, why in exercise.options.values()))
            case Written():
                runs |= _runs(exercise.example)
    return runs


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|[^\s\w]", text)
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


_LATER = "This is a known mistake. Its diagnosis says too much for a graded assignment; it comes with your feedback."


def _public_cases(exercise: FunctionExercise, rng: np.random.Generator) -> dict[str, Any]:
    """The first cases, which are small enough to read, and what comes of them: rightly, and with each known mistake."""
    bench = exercise.bench(rng)
    cases = bench.cases[:PUBLIC_CASES]
    return {
        "parameters": bench.parameters,
        "seconds": bench.seconds,
        "tolerance": bench.tolerance,
        "cases": [[to_json(value) for value in case] for case in cases],
        "expected": [to_json(value) for value in bench.expected[:PUBLIC_CASES]],
        "mistakes": [_mistake(exercise, name, cases) for name in exercise.wrong],
    }


def _mistake(exercise: FunctionExercise, name: str, cases: list[tuple]) -> list:
    """A known mistake's name, what to tell who makes it, and what comes of it; not its code."""
    text = exercise.wrong[name].diagnosis
    seen = observe(exercise.wrong[name].answer, cases, exercise.seconds)
    calls = tuple(replace(call, line="") for call in seen.calls)  # where it stopped is a line of its code
    return [name, _LATER if gives_away(text) else text, observed_to_json(replace(seen, calls=calls))]
