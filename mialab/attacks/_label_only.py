"""The label-only attack: members keep their label when they are shaken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks
from mialab._threads import one_thread
from mialab.attacks._contract import Attack, ThreatModel, replicas
from mialab.attacks._signals import was_right

if TYPE_CHECKING:
    from mialab.shadows import Shadows

N_CALIBRATING = 16  # shadows: whole pairs, so that a record of their pool was a member of half of them
MOST_TRIED = 2_000  # records of the pool on which the noise is chosen
ROWS_AT_ONCE = 20_000  # copies asked about in one request
SCALES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)  # in standard deviations of each measurement in the pool


class LabelOnlyAttack(Attack):
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

    def __init__(
        self, noise: Any = None, n_questions: int = 100, random_state: int | None = 0, calibrated: bool = True
    ):
        if noise is not None:
            noise = _checks.numbers("noise", noise, "it should be a number, or one for each measurement")
            if noise.ndim > 1 or not (np.isfinite(noise) & (noise >= 0)).all():
                raise ValueError(f"noise is {noise.tolist()}; it should be 0 or more, one number or one a column")
        self.noise = noise
        self.n_questions = _checks.whole_number("n_questions", n_questions, 1)
        self.random_state = None if random_state is None else _checks.whole_number("random_state", random_state, 0)
        self.calibrated = _checks.flag("calibrated", calibrated)

    @property
    def threat_model(self) -> ThreatModel:
        """Return what the attacker must know; of the target's answers labels are enough.

        Calibrating, or choosing the noise, takes shadows and all that it takes to train them.
        """
        trains = self.calibrated or self.noise is None
        return ThreatModel(True, trains, trains, trains, labels_only=True)

    def fit(self, target: Any, shadows: Any = None) -> LabelOnlyAttack:
        """Point the attack at `target`; `shadows` calibrate it, and choose the noise where `noise` is None.

        It raises ValueError where shadows are needed and these are none, or no replicas of the target.
        """
        if self.calibrated or self.noise is None:
            shadows = replicas("a LabelOnlyAttack that calibrates, or has no noise", target, shadows)
        self.columns_ = list(shadows.X.columns) if shadows is not None and _checks.is_frame(shadows.X) else None
        self.noise_ = self._best_noise(shadows) if self.noise is None else self.noise
        self.replicas_ = _first(shadows, N_CALIBRATING) if self.calibrated else []
        return super().fit(target)

    def score_samples(self, X: Any, y: Any, index: Any = None) -> np.ndarray:
        """Return the share of each record's copies that the target gives its recorded label, less what is usual, (n,).

        `index` is ignored. It raises ValueError where `noise` does not hold one number for each column of X.
        """
        target = self._fitted_target()
        if _checks.is_frame(X) and self.columns_ is not None:
            X = X[self.columns_]  # the noise goes by their order
        kept, *usual = (self._steadiness(m, X, y, self.noise_, self.n_questions) for m in (target, *self.replicas_))
        return kept - np.mean(usual, axis=0) if self.calibrated else kept

    def _steadiness(self, model: Any, X: Any, y: Any, noise: np.ndarray, n_questions: int) -> np.ndarray:
        as_given, X = _like(X), _numbers(X)
        if noise.ndim and len(noise) != X.shape[1]:
            raise ValueError(f"noise holds {len(noise)} numbers; it should hold one for each of {X.shape[1]} columns")
        shakes = np.random.default_rng(self.random_state).normal(size=(n_questions, X.shape[1])) * noise
        shakes[0] = 0  # the record as it is
        y = _checks.labels("y", y, len(X))
        at_once = max(1, ROWS_AT_ONCE // len(X))
        kept = np.zeros(len(X))
        with one_thread():
            for some in np.split(shakes, range(at_once, n_questions, at_once)):
                copies = (X + some[:, None]).reshape(-1, X.shape[1])
                right = was_right(model, as_given(copies), np.tile(y, len(some)))
                kept += right.reshape(len(some), len(X)).sum(axis=0)
        return kept / n_questions

    def _best_noise(self, shadows: Shadows, n_tried: int = 8, n_questions: int = 20) -> np.ndarray:
        """The noise at which the first shadows' own members and non-members are told apart best."""
        spread = np.std(_numbers(shadows.X), axis=0)
        few = np.random.default_rng(self.random_state).permutation(len(shadows.y))[:MOST_TRIED]
        few = np.arange(len(shadows.y)) if len(shadows.y) <= MOST_TRIED else np.sort(few)
        X, y = _checks.take(shadows.X, few), shadows.y[few]
        told_apart = {}
        for scale in SCALES:
            wins = []
            for model, members in zip(_first(shadows, n_tried), shadows.in_mask[:, few], strict=False):
                kept = self._steadiness(model, X, y, scale * spread, n_questions)
                member, other = kept[members][:, None], kept[~members]
                wins.append((member > other).mean() + (member == other).mean() / 2)
            told_apart[scale] = np.mean(wins)
        return max(told_apart, key=told_apart.get) * spread


def _numbers(X: Any) -> np.ndarray:
    """The measurements that noise can be added to: all of an array, or the columns of a frame that hold numbers."""
    return _checks.records("X", X.select_dtypes("number") if _checks.is_frame(X) else X)


def _like(X: Any) -> Callable[[np.ndarray], Any]:
    """What gives noisy copies the form of X: its dtype; or a frame, for a pipeline may pick its columns by name.

    The columns of a frame that hold no numbers are as they were in every copy.
    """
    if not _checks.is_frame(X):
        dtype = X.dtype if isinstance(X, np.ndarray) and X.dtype.kind == "f" else float
        return lambda copies: copies.astype(dtype, copy=False)
    import pandas as pd

    names = list(X.select_dtypes("number").columns)
    rest = X.drop(columns=names)

    def shaken(copies: np.ndarray) -> Any:
        again = rest.iloc[np.resize(np.arange(len(X)), len(copies))].reset_index(drop=True)
        return pd.concat([pd.DataFrame(copies, columns=names), again], axis=1)[list(X.columns)]

    return shaken


def _first(shadows: Shadows, n: int) -> list[Any]:
    """The first n shadow models, or all that there are."""
    return [shadows.models[k] for k in range(min(n, len(shadows)))]
