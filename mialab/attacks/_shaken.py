"""What the attacks share that shake a candidate: they ask about noisy copies of it."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks
from mialab._threads import one_thread
from mialab.attacks._contract import Attack, ThreatModel, replicas
from mialab.attacks._pool import rows_in_pool

if TYPE_CHECKING:
    from mialab.shadows import Shadows

N_CALIBRATING = 16  # shadows: whole pairs, so that a record of their pool was a member of half of them
MOST_TRIED = 2_000  # records of the pool on which the noise is chosen
ROWS_AT_ONCE = 20_000  # copies asked about in one request
SCALES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)  # in standard deviations of each measurement in the pool


class ShakenAttack(Attack):
    """A `ShakenAttack` reads one number off the answers to noisy copies of a record, and takes off what is usual.

    A subclass writes `_read(model, X, y, noise, n_questions)`, (n,); `labels_only` and `fewest` are its own.
    """

    labels_only = False
    fewest = 1  # questions

    def __init__(
        self, noise: Any, n_questions: int, random_state: int | None, calibrated: bool, online: bool, progress: bool
    ):
        if noise is not None:
            noise = _checks.numbers("noise", noise, "it should be a number, or one for each measurement")
            if noise.ndim > 1 or not (np.isfinite(noise) & (noise >= 0)).all():
                raise ValueError(f"noise is {noise.tolist()}; it should be 0 or more, one number or one a column")
        self.noise = noise
        self.n_questions = _checks.whole_number("n_questions", n_questions, self.fewest)
        self.random_state = None if random_state is None else _checks.whole_number("random_state", random_state, 0)
        self.calibrated = _checks.flag("calibrated", calibrated)
        self.online = _checks.flag("online", online)
        self.progress = _checks.flag("progress", progress)

    @property
    def threat_model(self) -> ThreatModel:
        """Return what the attacker must know.

        Calibrating, or choosing the noise, takes shadows and all that it takes to train them.
        """
        trains = self.calibrated or self.noise is None
        return ThreatModel(True, trains, trains, trains, labels_only=self.labels_only)

    def fit(self, target: Any, shadows: Any = None) -> ShakenAttack:
        """Point the attack at `target`; `shadows` calibrate it, and choose the noise where `noise` is None.

        It raises ValueError where shadows are needed and these are none, or no replicas of the target.
        """
        if self.calibrated or self.noise is None:
            shadows = replicas(f"a {type(self).__name__} that calibrates, or has no noise", target, shadows)
        self.columns_ = list(shadows.X.columns) if shadows is not None and _checks.is_frame(shadows.X) else None
        self.noise_ = self._best_noise(shadows) if self.noise is None else self.noise
        self.shadows_ = shadows if self.calibrated else None
        return super().fit(target)

    def score_samples(self, X: Any, y: Any, index: Any = None) -> np.ndarray:
        """Return what the target's answers to each record's copies say, less what is usual for that record, (n,).

        `index` (n,) may give the candidates' rows in the shadows' pool; an attack that is calibrated offline reads it.
        It raises ValueError where `noise` does not hold one number for each column of X, and offline for a record that
        was a member of every shadow.
        """
        target = self._fitted_target()
        if _checks.is_frame(X) and self.columns_ is not None:
            X = X[self.columns_]  # the noise goes by their order
        models, read = [target, *(_first(self.shadows_, N_CALIBRATING) if self.calibrated else [])], []
        for model in models:
            read.append(self._read(model, X, y, self.noise_, self.n_questions))
            if self.progress:
                print(f"\r{len(read)} of {len(models)} models asked", end="", file=sys.stderr, flush=True)
        if self.progress:
            print(file=sys.stderr)
        own, *theirs = read
        return own - np.mean(theirs, axis=0, where=self._asked(len(theirs), X, y, index)) if theirs else own

    def _asked(self, n_shadows: int, X: Any, y: Any, index: Any) -> np.ndarray:
        """Which of the first shadows say what is usual for each record, (n_shadows, n)."""
        if self.online:
            return np.ones((n_shadows, len(X)), dtype=bool)
        rows = rows_in_pool(self.shadows_, X, y, index)
        without = ~(self.shadows_.in_mask[:n_shadows, rows] & (rows >= 0))
        if not without.any(axis=0).all():
            raise ValueError(
                f"record {int(np.argmin(without.any(axis=0)))} of X was a member of all {n_shadows} shadows that "
                f"calibrate; {type(self).__name__}(online=False) needs at least 1 without it"
            )
        return without

    @abstractmethod
    def _read(self, model: Any, X: Any, y: Any, noise: np.ndarray, n_questions: int) -> np.ndarray:
        """One number for each record, (n,), from the answers to its copies."""

    def _answers(
        self, signal: Callable[..., np.ndarray], model: Any, X: Any, y: Any, noise: np.ndarray, n_questions: int
    ) -> Iterator[np.ndarray]:
        """The signal of some copies of every record at a time, (some, n); the first copy is the record as it is."""
        as_given, X = _like(X), _numbers(X)
        if noise.ndim and len(noise) != X.shape[1]:
            raise ValueError(f"noise holds {len(noise)} numbers; it should hold one for each of {X.shape[1]} columns")
        shakes = np.random.default_rng(self.random_state).normal(size=(n_questions, X.shape[1])) * noise
        shakes[0] = 0
        y = _checks.labels("y", y, len(X))
        at_once = max(1, ROWS_AT_ONCE // len(X))
        for some in np.split(shakes, range(at_once, n_questions, at_once)):
            copies = (X + some[:, None]).reshape(-1, X.shape[1])
            with one_thread():
                read = signal(model, as_given(copies), np.tile(y, len(some)))
            yield read.reshape(len(some), len(X))

    def _best_noise(self, shadows: Shadows, n_tried: int = 8, n_questions: int = 20) -> np.ndarray:
        """The noise at which the first shadows' own members and non-members are told apart best."""
        spread = np.std(_numbers(shadows.X), axis=0)
        few = np.arange(len(shadows.y))
        if len(few) > MOST_TRIED:
            few = np.sort(np.random.default_rng(self.random_state).permutation(few)[:MOST_TRIED])
        X, y, told_apart = _checks.take(shadows.X, few), shadows.y[few], {}
        if self.progress:
            print(f"choosing among {len(SCALES)} sizes of noise", file=sys.stderr, flush=True)
        for scale in SCALES:
            read = [self._read(m, X, y, scale * spread, n_questions) for m in _first(shadows, n_tried)]
            told_apart[scale] = np.mean([_wins(*pair) for pair in zip(read, shadows.in_mask[:, few], strict=False)])
        return max(told_apart, key=told_apart.get) * spread


def _wins(values: np.ndarray, is_member: np.ndarray) -> float:
    """How often a member's value is the larger of a pair, a tie counting half."""
    from scipy.stats import rankdata

    m, n = is_member.sum(), len(values)
    return float((rankdata(values)[is_member].sum() - m * (m + 1) / 2) / (m * (n - m)))


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
