"""The neighbourhood attack: adjust a candidate's measurements, ask again, and watch how the confidence moves."""

from __future__ import annotations

from typing import Any

import numpy as np

from mialab import _checks
from mialab.attacks._shaken import ShakenAttack
from mialab.attacks._signals import true_class_confidence


class NeighbourhoodAttack(ShakenAttack):
    """The neighbourhood attack asks how far the confidence falls when a candidate's measurements are adjusted a little.

    Training pulls the confidence up where the members lie, so a record at which the confidence in its recorded label is
    higher than all around may be a member. The attacker needs the candidate, its label and the right to ask.

    Parameters
    ----------
    noise : standard deviation of the normal noise with which measurements are adjusted, in the units of X: one number,
        or one for each measurement. With None `fit` chooses it on shadows, as in `LabelOnlyAttack`.
    n_questions : how many questions are asked about each candidate: the record as it is, and n_questions - 1 copies.
    measure : "fall", by how much the confidence at the record exceeds the mean of that at the copies; or "share", the
        share of copies at which it is lower (Merlin, as published; an equal confidence is not lower).
    random_state : an int or None. Each record meets the same noise, whatever stands beside it.
    calibrated, online, progress : as in `LabelOnlyAttack`, but by default the attack takes no shadows.

    >>> from mialab import targets
    >>> model = targets.make("knn-lookup").fit(np.arange(20.0)[:, None], ["a", "b"] * 10)  # it knows its members
    >>> attack = NeighbourhoodAttack(noise=0.5).fit(model)
    >>> member, stranger = attack.score_samples([[8.0], [8.5]], ["a", "a"])
    >>> bool(member > stranger)
    True

    References
    ----------
    Jayaraman, Wang, Knipmeyer, Gu, Evans, "Revisiting Membership Inference Under Realistic Assumptions", PoPETs 2021
    (the attack Merlin: a member's loss is near a local minimum).
    """

    fewest = 2

    def __init__(
        self,
        noise: Any = None,
        n_questions: int = 100,
        measure: str = "fall",
        random_state: int | None = 0,
        calibrated: bool = False,
        online: bool = True,
        progress: bool = False,
    ):
        super().__init__(noise, n_questions, random_state, calibrated, online, progress)
        self.measure = _checks.one_of("measure", measure, ("fall", "share"))

    def _read(self, model: Any, X: Any, y: Any, noise: np.ndarray, n_questions: int) -> np.ndarray:
        """The mean fall from each record to its copies, or the share of copies that lie lower."""
        own, total = None, 0
        for sure in self._answers(true_class_confidence, model, X, y, noise, n_questions):
            own = sure[0] if own is None else own
            total = total + (own - sure if self.measure == "fall" else own > sure).sum(axis=0)  # of itself it is 0
        return total / (n_questions - 1)
