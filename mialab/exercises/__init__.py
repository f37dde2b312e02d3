"""Exercises that know what you did: `check`, `hint`, `solution`, and a record of progress.

Each notebook has a module here with its exercises, e.g. `from mialab.exercises import first_attack as ex`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from mialab.exercises._engine._chapter import Chapter

MODULES = (
    "start_here",
    "the_flowers",
    "train_a_classifier",
    "ask_the_model",
    "members_and_strangers",
    "recorded_label",
    "first_attack",
    "accusations",
    "black_box",
    "shadow_models",
    "inference_model",
    "attacker_knowledge",
    "who_is_exposed",
    "two_strong_attacks",
    "why_models_leak",
    "article_on_trial",
    "defences",
    "differential_privacy",
    "audit_a_promise",
    "hospital_audit",
    "flowers_are_people",
)


def chapters() -> list[Chapter]:
    """Return the chapters of the course, in order; each holds its exercises by name.

    >>> [chapter.notebook for chapter in chapters()][:2]
    ['00_start_here', '01_the_flowers']
    """
    return [import_module(f"{__name__}.{name}").chapter for name in MODULES]


def progress_table() -> pd.DataFrame:
    """Return one row for each exercise of the course: notebook, exercise, outcome, points, of, attempts, runs.

    `runs` says whose function now makes up the learner's attack: "yours", "the course's", or "the course's (yours does
    not load)"; "" where none is asked for.

    A damaged progress file is set aside first; `DataFrame.attrs["note"]` then says where ("" if all is well).

    >>> table = progress_table()
    >>> table.columns.tolist()
    ['notebook', 'exercise', 'outcome', 'points', 'of', 'attempts', 'runs']
    """
    import pandas as pd

    from mialab.exercises._engine import _progress, _yours
    from mialab.exercises._engine._function import FunctionExercise

    (entries, note), (kept, damage) = _progress.load(), _yours.parts()
    rows = []
    for chapter in chapters():
        for exercise in chapter.exercises.values():
            entry = entries["exercises"].get(exercise.id, {})
            outcome = entry.get("outcome", "not attempted")
            points = exercise.points if outcome == exercise.done and exercise.done != "handed in" else 0
            runs = _yours.whose(exercise, kept) if isinstance(exercise, FunctionExercise) else ""
            attempts = entry.get("attempts", 0)
            rows.append((chapter.notebook, exercise.name, outcome, points, exercise.points, attempts, runs))
    table = pd.DataFrame(rows, columns=["notebook", "exercise", "outcome", "points", "of", "attempts", "runs"])
    table.attrs["note"] = " ".join(filter(None, [note, damage]))
    return table
