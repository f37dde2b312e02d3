"""The exercises of one notebook, and what the learner has done of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mialab.exercises._engine import _progress
from mialab.exercises._engine._base import Exercise, count
from mialab.exercises._engine._function import FunctionExercise
from mialab.exercises._engine._kinds import Prediction
from mialab.exercises._engine._panel import Panel, bar


class Chapter:
    """The exercises of the notebook `notebook` (its file name without the ending), in the order they are declared."""

    def __init__(self, notebook: str):
        self.notebook = notebook
        self.exercises: dict[str, Exercise] = {}
        self.retired: dict[str, Exercise] = {}  # no longer in the notebook; in assignments that are out

    def add(self, exercise: Exercise) -> Exercise:
        """Take an exercise into the chapter."""
        if exercise.name in self.exercises:
            raise ValueError(f"exercise: {exercise.name!r} stands twice in {self.notebook}; give each its own name")
        exercise.notebook = self.notebook
        self.exercises[exercise.name] = exercise
        return exercise

    def retire(self, exercise: Exercise) -> Exercise:
        """Keep an exercise for the assignments that have it already; the notebook asks it no more."""
        exercise.notebook = self.notebook
        self.retired[exercise.name] = exercise
        return exercise

    def function(self, **settings: Any) -> Callable[[Callable], FunctionExercise]:
        """Decorator: the reference answer, which becomes the exercise of its name (see FunctionExercise)."""
        return lambda reference: self.add(FunctionExercise(reference, **settings))

    def retired_function(self, **settings: Any) -> Callable[[Callable], FunctionExercise]:
        """Decorator: the reference answer of a function that the notebook asks for no more (see `retire`)."""
        return lambda reference: self.retire(FunctionExercise(reference, **settings))

    def progress(self) -> Panel:
        """How much of this notebook is done, and what is left."""
        entries, note = _progress.load()
        outcomes = [entries["exercises"].get(e.id, {}).get("outcome") for e in self.exercises.values()]
        done = [e for e, o in zip(self.exercises.values(), outcomes, strict=True) if o == e.done]
        left = [f"`{e.name}`" for e in self.exercises.values() if e not in done]
        total = len(outcomes)
        title = f"Notebook {self.notebook[:2]}: {len(done)} of {count(total, 'exercise')} done  {bar(len(done), total)}"
        body = [f"Still open: {', '.join(left)}." if left else "All done."]
        if any(outcomes) and _progress.progress_file() is None:
            body.append(
                "This is kept only until the notebook's kernel stops. Open the course with `make lab` to keep it."
            )
        return Panel(title, (*body, *([note] if note else [])), "correct" if not left else "note")

    def recap(self) -> Panel:
        """Every guess of this notebook beside what was measured, then how much of the notebook is done."""
        guesses = [e for e in self.exercises.values() if isinstance(e, Prediction)]
        done = self.progress()
        return Panel(done.title, (*(f"{e.question} {e.replay()}" for e in guesses), *done.body), done.tone)
