"""The label-only attack: members keep their label when they are shaken."""

from __future__ import annotations

from typing import Any

import numpy as np

from mialab.attacks._shaken import ShakenAttack
from mialab.attacks._signals import was_right


class LabelOnlyAttack(ShakenAttack):
    """The label-only attack asks how many noisy copies of a record keep its label, compared with what is usual for it.

    A record far from every border of the model keeps its label under noise. Models push their borders away from their
    members, so a record that is steadier than usual is likelier a member. The target need answer with labels only.

    Parameters
    ----------
    noise : standard deviation of the normal noise, in the units of X: one number, or one for each measurement. With
        None `fit` tries a few multiples of each measurement's standard deviation on some of the shadows and keeps the
        one that tells their members apart best.
    n_questions : how many copies of each candidate are asked about, the record itself among them.
    random_state : an int or None. Each record meets the same noise, whatever stands beside it.
    calibrated : True takes from the share of copies kept the mean of that share over the shadows (16 at most), for how
        typical a record is says nothing of membership. False gives the share itself, as published; with a `noise` of
        your own it takes no shadows.
    online : True calibrates on shadows with and without the record, False on those without it alone. Compare it with
        LiRA and RMIA of the same kind.
    progress : whether to write to the standard error how many models, shadows included, have been asked.

    >>> from mialab import targets
    >>> model = targets.make("one-nn").fit([[0.0], [2.0]], ["a", "b"])  # its border lies at 1
    >>> attack = LabelOnlyAttack(noise=0.2, calibrated=False).fit(model)
    >>> attack.score_samples([[0.0], [0.9], [1.5]], ["a", "a", "a"]).round(1).tolist()
    [1.0, 0.7, 0.0]

    References
    ----------
    Choquette-Choo, Tramèr, Carlini, Papernot, "Label-Only Membership Inference Attacks", ICML 2021, section 3
    (robustness to data augmentation and to random noise). Calibration: Watson, Guo, Cormode, Sablayrolles, "On the
    Importance of Difficulty Calibration in Membership Inference Attacks", ICLR 2022.
    """

    labels_only = True

    def __init__(
        self,
        noise: Any = None,
        n_questions: int = 100,
        random_state: int | None = 0,
        calibrated: bool = True,
        online: bool = True,
        progress: bool = False,
    ):
        super().__init__(noise, n_questions, random_state, calibrated, online, progress)

    def _read(self, model: Any, X: Any, y: Any, noise: np.ndarray, n_questions: int) -> np.ndarray:
        """The share of each record's copies that the model gives its recorded label."""
        return (
            sum(right.sum(axis=0) for right in self._answers(was_right, model, X, y, noise, n_questions)) / n_questions
        )
