"""The hidden test of a graded cell. In a grading sandbox it only writes down what it sees; elsewhere it judges."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

SANDBOX = "MIALAB_SANDBOX"  # the folder of the run: cases.json in it, seen/ for what is seen
WORK = "work"  # in it the notebook, and what was handed out with it
LATE = "late.txt"  # there, if a cell was interrupted because its time was up


def hidden_test(exercise_id: str, answer: Any) -> None:
    """Try an answer on data that its author has not seen.

    In the sandbox of `mialab grade` the answers to hidden cases are written to a file, and a judge outside compares:
    nothing that a student's code does here can give a point. Under nbgrader alone the exercise itself judges.

    Raises
    ------
    AssertionError : the answer is not correct (under nbgrader alone).

    >>> hidden_test("guess_members", lambda confidence, threshold: confidence >= threshold)
    >>> hidden_test("guess_members", lambda confidence, threshold: confidence > threshold)
    Traceback (most recent call last):
    AssertionError: ...
    """
    folder = os.environ.get(SANDBOX)
    if folder:
        see(Path(folder), exercise_id, answer)
        return
    from mialab.exercises import chapters
    from mialab.exercises._engine._progress import plain_id

    name = plain_id(exercise_id)
    exercise = {e.id: e for chapter in chapters() for e in (chapter.exercises | chapter.retired).values()}.get(name)
    assert exercise is not None, f"{name} is a question of its student's own: only `mialab grade` can judge it"
    verdict = exercise.judge(answer)
    assert verdict.outcome == "correct", " ".join((verdict.title, *verdict.body))


def see(folder: Path, exercise_id: str, answer: Any) -> None:
    """Write what is seen of an answer: its calls on the hidden cases, or its value."""
    from mialab.exercises._engine._calls import observe
    from mialab.exercises._engine._plain import from_json, observed_to_json, to_json
    from mialab.exercises._engine._progress import plain_id

    exercise_id = plain_id(exercise_id)  # an assignment may have been handed out by an earlier version
    bench = json.loads((folder / "cases.json").read_text("utf-8")).get(exercise_id)
    if bench is None:
        seen = to_json(answer)
    else:
        cases = [tuple(map(from_json, case)) for case in bench["cases"]]
        seen = observed_to_json(observe(answer, cases, bench["seconds"]))
    (folder / "seen" / f"{exercise_id}.json").write_text(json.dumps(seen), "utf-8")
