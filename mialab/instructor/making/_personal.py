"""What each student has alone: a model on their own split, questions about it, and options in their own order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mialab.exercises._engine._plain import to_json
from mialab.exercises.handout import Own
from mialab.instructor.making import _keys

TARGETS = ("forest-random", "logistic")  # a look-up's AUC would often be a neighbour's too
WRONG = (0.1, 0.15, 0.2)  # shares of wrong labels
MOST_QUESTIONS = 3


class OwnQuestion(NamedTuple):
    """A question about a student's own model, from which notebook on it can be asked, and its answer."""

    name: str
    since: int
    unit: str
    prompt: str
    answer: Callable[[Own], float]
    points: int = 2
    minutes: int = 4
    tolerance: float = 1e-4


def _confidence(own: Own) -> np.ndarray:
    return own.model.predict_proba(own.X).max(axis=1)


def _recorded(own: Own) -> np.ndarray:
    return own.model.predict_proba(own.X)[np.arange(len(own.y)), own.y]


def _auc(scores: np.ndarray, own: Own) -> float:
    from mialab.metrics import auc

    return auc(scores, own.is_member)


def _gap(scores: np.ndarray, own: Own) -> float:
    return float(scores[own.is_member].mean() - scores[~own.is_member].mean())


QUESTIONS = (
    OwnQuestion(
        "my_members_petals",
        0,
        "a length in cm, to at least four digits after the point",
        "How long are the petals of your members, on average? Petal length is the third column of `mine.X`.",
        lambda own: float(own.X[own.is_member, 2].mean()),
        points=1,
        minutes=2,
    ),
    OwnQuestion(
        "my_species_widths",
        1,
        "a difference in cm, to at least four digits after the point",
        "By how much are the sepals of your members wider than those of your strangers, on average? Sepal width is the "
        "second column of `mine.X`; the answer may be negative.",
        lambda own: _gap(own.X[:, 1], own),
        points=1,
        minutes=3,
    ),
    OwnQuestion(
        "my_wrong_petals",
        2,
        "a length in cm, to at least four digits after the point",
        "Take the strangers for whom your model does not predict the recorded label. How long are their petals, on "
        "average?",
        lambda own: float(own.X[~own.is_member & (own.model.predict(own.X) != own.y), 2].mean()),
    ),
    OwnQuestion(
        "my_confidence_gap",
        3,
        "a difference, to at least four digits after the point",
        "Confidence is the largest of a record's probabilities. By how much is your model surer of its members than of "
        "strangers, on average?",
        lambda own: _gap(_confidence(own), own),
    ),
    OwnQuestion(
        "my_recorded_gap",
        4,
        "a difference, to at least four digits after the point",
        "Take the probability of each record's recorded label, whatever the model predicts. By how much is its mean "
        "higher for your model's members than for strangers?",
        lambda own: _gap(_recorded(own), own),
    ),
    OwnQuestion(
        "my_auc",
        6,
        "a number from 0 to 1, to at least four digits after the point",
        "An attacker scores every record by your model's confidence, the largest probability. What is the AUC?",
        lambda own: _auc(_confidence(own), own),
    ),
    OwnQuestion(
        "my_recorded_auc",
        10,
        "a number from 0 to 1, to at least four digits after the point",
        "Another attacker knows the recorded labels and scores by the probability of those. What is that AUC?",
        lambda own: _auc(_recorded(own), own),
    ),
)


def questions(number: int) -> list[OwnQuestion]:
    """The questions that suit notebook `number`: the latest that its reader can answer."""
    return [question for question in QUESTIONS if question.since <= number][-MOST_QUESTIONS:]


def own(key: bytes, assignment: str, student: str) -> dict[str, Any]:
    """What a student's `assignment.json` holds of their own: flowers, a split, and a model's answers.

    The model is trained here, once, so that its answers do not depend on the versions on a student's machine.
    """
    from mialab import targets
    from mialab.data import load_iris, split, wrong_labels

    rng, flowers = _keys.generator(key, "own", assignment, student), load_iris()
    name, share, n_members = str(rng.choice(TARGETS)), float(rng.choice(WRONG)), int(rng.integers(65, 86))
    y = wrong_labels(flowers.y, share, random_state=rng)
    parts = split(flowers.X, y, n_members=n_members, random_state=rng)
    model = targets.make(name, random_state=int(rng.integers(2**31))).fit(parts.X_in, parts.y_in)
    drawn = {"X": parts.X, "y": parts.y, "is_member": parts.is_member, "proba": model.predict_proba(parts.X)}
    return {"target": name} | {what: to_json(values) for what, values in drawn.items()}


def shuffled(key: bytes, assignment: str, student: str, exercise: str, letters: list[str]) -> dict[str, str]:
    """The letter that a student sees for each of an exercise's own letters."""
    order = _keys.generator(key, "options", assignment, student, exercise).permutation(len(letters))
    return {letters[original]: letters[place] for place, original in enumerate(order)}
