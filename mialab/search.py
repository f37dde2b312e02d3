"""This module climbs hills: it adjusts a question, asks again, and keeps what makes the model surer of a class.

Notebook 08 takes one climb step by step over the prediction service, then runs many at once. The attacker needs
no records to start from: only the right to ask, and a range for each measurement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mialab import _checks
from mialab._answers import BudgetExhausted

MANNERS = ("large", "subtle")
SMALLEST = 1 / 64  # of the first step, in the subtle manner: below it a climber would ask the same again and again


@dataclass(frozen=True, eq=False)
class Climb:
    """A `Climb` holds what a number of climbers found, and every question that they asked.

    Attributes
    ----------
    X, y : (n, n_features), where each climber stands at the end, and (n,), the class that it wanted.
    confidence : (n,), how sure the model is of that class there; NaN for a climber that never got an answer.
    arrived : (n,) bool, True where the class is the model's answer and its confidence passes the threshold.
    n_asked, n_accepted : (n,) ints, questions and adjustments kept. The first question is counted in both.
    asked_X, asked_confidence, asked_by, accepted : the diary, one entry a question in the order of asking: the record,
        the answer for the wanted class, the climber's number, and whether the climber moved there.
    out_of_budget : True where the climb ended because no question was left.

    >>> from mialab import targets
    >>> model = targets.make("one-nn").fit([[0.0], [2.0]], ["a", "b"])
    >>> found = climb(model, ["a", "b"], low=[-9], high=[9], random_state=0)
    >>> found.arrived.tolist(), model.predict(found.X).tolist(), found.n_queries == len(found.asked_X)
    ([True, True], ['a', 'b'], True)
    """

    X: np.ndarray
    y: np.ndarray
    confidence: np.ndarray
    arrived: np.ndarray
    n_asked: np.ndarray
    n_accepted: np.ndarray
    asked_X: np.ndarray
    asked_confidence: np.ndarray
    asked_by: np.ndarray
    accepted: np.ndarray
    out_of_budget: bool

    @property
    def n_queries(self) -> int:
        """Return how many questions all climbers asked together."""
        return len(self.asked_X)

    @property
    def n_gave_up(self) -> int:
        """Return how many climbers did not arrive."""
        return int((~self.arrived).sum())

    def path(self, climber: int) -> np.ndarray:
        """Return the places where one climber stood, from its start to its end, (n_accepted, n_features).

        It raises ValueError for a climber that there is not.
        """
        climber = _checks.whole_number("climber", climber, 0, len(self.X) - 1)
        return self.asked_X[(self.asked_by == climber) & self.accepted]

    def __repr__(self) -> str:
        end = "; the budget ran out" if self.out_of_budget else ""
        return (
            f"{int(self.arrived.sum())} of {len(self.X)} climbers arrived, {self.n_gave_up} did not; "
            f"{self.n_queries} questions, {int(self.n_accepted.sum())} of them accepted{end}"
        )


def climb(
    model: Any,
    target_class: Any,
    low: Any,
    high: Any,
    *,
    manner: str = "large",
    threshold: float = 0.95,
    n_climbers: int | None = None,
    start: Any = None,
    step: float = 0.1,
    patience: int = 5,
    max_questions: int = 500,
    random_state: int | np.random.Generator | None = None,
) -> Climb:
    """Change each climber's record, and keep the change if the model is at least as sure of the wanted class.

    Parameters
    ----------
    model : anything with `predict_proba` and `classes_`: local, metered or remote.
    target_class : one label, or one for each climber.
    low, high : (n_features,), the range of each measurement that the attacker believes in. No question leaves it.
    manner : "large" draws k measurements anew, from all of them at first; after `patience` refusals in a row k is
        halved, down to one (Shokri et al. 2017, section V-C, algorithm 1; its last step, a lot whether to keep the
        record, is left out). "subtle" adds normal noise to every measurement, with a standard deviation of `step` times
        its range at first, halved in the same way down to 1/64 of that (random local search).
    threshold : the confidence, 0 to 1, at which a climber has arrived, if the class is also the model's answer.
    n_climbers : how many climb at once, by default one for each label in `target_class`.
    start : (n_climbers, n_features) first questions, by default drawn evenly from the ranges.
    max_questions : each climber gives up after so many.
    random_state : an int, a numpy Generator, or None.

    All climbers still on their way ask together: one call of `predict_proba` a round. If the model counts questions
    (`queries_left`) and fewer are left than climbers, as many ask as may; with none left the climb ends and returns
    what it has. It raises ValueError for settings out of range and for a class that the model does not know.

    >>> from mialab import blackbox, targets
    >>> model = targets.make("one-nn").fit([[0.0], [2.0]], ["a", "b"])
    >>> climb(model, "a", low=[-9], high=[9], n_climbers=5, random_state=0)
    5 of 5 climbers arrived, 0 did not; 10 questions, 10 of them accepted
    >>> climb(blackbox.QueryMeter(model, budget=3), "a", low=[-9], high=[9], n_climbers=5, random_state=0)
    2 of 5 climbers arrived, 3 did not; 3 questions, 3 of them accepted; the budget ran out
    """
    _checks.fitted("model", model)
    low, high = _ranges(low, high, getattr(model, "n_features_in_", None))
    classes = np.asarray(model.classes_).tolist()
    wanted = _wanted(target_class, n_climbers, classes)
    column = np.array([classes.index(label) for label in wanted])
    _checks.one_of("manner", manner, MANNERS)
    threshold = _checks.fraction("threshold", threshold)
    step = _checks.fraction("step", step)
    patience = _checks.whole_number("patience", patience, 1)
    max_questions = _checks.whole_number("max_questions", max_questions, 1)
    rng = _checks.generator(random_state)

    n, d = len(wanted), len(low)
    propose = rng.uniform(low, high, (n, d)) if start is None else _start(start, n, low, high)
    climbers, out_of_budget = _Climbers(propose), False
    while len(climbing := np.flatnonzero(~climbers.arrived & (climbers.n_asked < max_questions))):
        answers, asking = _ask_within_budget(model, propose, climbing)
        if not len(asking):
            out_of_budget = True
            break
        climbers.move(propose[asking], answers, asking, column[asking], threshold, patience)
        propose = _adjusted(climbers.X, climbers.halvings, low, high, manner, step, rng)
    return climbers.result(wanted, out_of_budget)


class _Climbers:
    """Where n climbers stand, how often each was refused, and the diary of what they asked."""

    def __init__(self, start: np.ndarray):
        n, d = start.shape
        self.X, self.best = start.copy(), np.full(n, -np.inf)
        self.refused, self.halvings, self.n_asked, self.n_accepted = np.zeros((4, n), int)
        self.arrived = np.zeros(n, bool)
        self.diary = [(np.empty((0, d)), np.empty(0), np.empty(0, int), np.empty(0, bool))]

    def move(
        self, asked: np.ndarray, answers: np.ndarray, asking: np.ndarray, column: np.ndarray, threshold: float,
        patience: int,
    ) -> None:  # fmt: skip
        """Let those who asked go where the answer for their class (a column of `answers`) is at least as sure."""
        sure = answers[np.arange(len(asking)), column]
        better = sure >= self.best[asking]  # equal counts too, or a climber could not cross a plateau
        up, down = asking[better], asking[~better]
        self.X[up], self.best[up] = asked[better], sure[better]
        self.n_asked[asking] += 1
        self.n_accepted[up] += 1
        self.refused[up], self.refused[down] = 0, self.refused[down] + 1
        self.arrived[up] = (sure[better] >= threshold) & (answers[better].argmax(axis=1) == column[better])
        tired = self.refused >= patience
        self.halvings[tired], self.refused[tired] = self.halvings[tired] + 1, 0
        self.diary.append((asked, sure, asking, better))

    def result(self, wanted: list, out_of_budget: bool) -> Climb:
        """What they found."""
        asked = [np.concatenate(column) for column in zip(*self.diary, strict=True)]
        best = np.where(np.isinf(self.best), np.nan, self.best)
        X, y = self.X, np.asarray(wanted)
        return Climb(X, y, best, self.arrived, self.n_asked, self.n_accepted, *asked, out_of_budget)


def _adjusted(
    X: np.ndarray,
    halvings: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    manner: str,
    step: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """A changed copy of each climber's record, within the ranges; the more halvings, the smaller the change."""
    n, d = X.shape
    if manner == "subtle":
        size = step * (high - low) * np.maximum(0.5 ** halvings[:, None], SMALLEST)
        return np.clip(X + rng.normal(size=(n, d)) * size, low, high)
    k = np.maximum(1, np.ceil(d * 0.5**halvings))
    redrawn = rng.random((n, d)).argsort(axis=1).argsort(axis=1) < k[:, None]  # k places a row, at random
    return np.where(redrawn, rng.uniform(low, high, (n, d)), X)


def _ask_within_budget(model: Any, records: np.ndarray, climbing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The answers for as many of the climbers as may still ask, and which those are; the first in line go first."""
    left = getattr(model, "queries_left", None)
    asking = climbing if left is None else climbing[:left]
    while len(asking):
        try:
            return _checks.answers(model, records[asking]), asking
        except BudgetExhausted as spent:  # somebody else asks with the same key
            if spent.answers is not None:  # the first batches were answered, and paid for
                return spent.answers, asking[: len(spent.answers)]
            asking = asking[: min(spent.left or 0, len(asking) - 1)]
    return np.empty((0, len(model.classes_))), asking


def _ranges(low: Any, high: Any, n_features: int | None) -> tuple[np.ndarray, np.ndarray]:
    wanted = "low and high should each be one finite number a measurement"
    low, high = _checks.numbers("low", low, wanted), _checks.numbers("high", high, wanted)
    if low.ndim != 1 or low.shape != high.shape or not len(low):
        raise ValueError(f"low and high have shapes {low.shape} and {high.shape}; {wanted}, (n_features,)")
    if n_features is not None and len(low) != n_features:
        raise ValueError(f"low and high hold {len(low)} numbers; the model was trained on {n_features} measurements")
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ValueError(f"low or high holds NaN or infinite values; {wanted}")
    if (low > high).any():
        j = int(np.argmax(low > high))
        raise ValueError(f"low[{j}] is {low[j]:g}, above high[{j}], {high[j]:g}; low should be the smaller of the two")
    return low, high


def _wanted(target_class: Any, n_climbers: int | None, classes: list) -> list:
    """The class that each climber wants."""
    if n_climbers is not None:
        n_climbers = _checks.whole_number("n_climbers", n_climbers, 1)
    if np.isscalar(target_class):
        target_class = [target_class] * (n_climbers or 1)
    wanted = _checks.labels("target_class", target_class).tolist()
    if not wanted or (n_climbers is not None and len(wanted) != n_climbers):
        raise ValueError(f"target_class holds {len(wanted)} labels for {n_climbers} climbers; it should hold one each")
    unknown = [label for label in wanted if label not in classes]
    if unknown:
        raise ValueError(f"target_class is {unknown[0]!r}, which the model does not know; it should be from {classes}")
    return wanted


def _start(start: Any, n_climbers: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    start = _checks.records("start", start)
    if start.shape != (n_climbers, len(low)):
        raise ValueError(f"start has shape {start.shape}; it should be {(n_climbers, len(low))}, one row a climber")
    if ((start < low) | (start > high)).any():
        raise ValueError("start leaves the ranges; every first question should lie between low and high")
    return start
