"""Defences: models that say less, models that were trained with more care, and what each costs and brings.

Notebook 11 measures them. An output defence is a classifier around another one, so that an attack, the prediction
service and `train_shadows` take it like any model. An adaptive attacker knows the defence, and their shadows carry it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from mialab import _checks
from mialab._wire import coarsen
from mialab.attacks import RMIA, Attack, LiRA, ThresholdAttack
from mialab.metrics import MeanInterval, mean_interval
from mialab.shadows import Shadows, train_shadows
from mialab.trials import attack_each

if TYPE_CHECKING:
    import pandas as pd


class OutputDefence(ClassifierMixin, BaseEstimator):
    """A classifier that answers like `model`, changed by `_change`.

    Around a fitted model, or a remote one, it answers at once. `fit` trains a copy of `model` in its stead, so that a
    copy of the defence can be trained anew, as shadows are.
    """

    def __init__(self, model: Any):
        self.model = model

    def fit(self, X: Any, y: Any) -> OutputDefence:
        """Train a copy of the model on records X with labels y."""
        self.model_ = clone(self.model).fit(X, y)
        return self

    @property
    def _inner(self) -> Any:
        return getattr(self, "model_", self.model)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self._inner, "classes_")

    @property
    def classes_(self) -> np.ndarray:
        """The labels, one a column of the answers."""
        return self._inner.classes_

    @property
    def n_features_in_(self) -> int:
        """How many measurements a record has."""
        return self._inner.n_features_in_

    def predict_proba(self, X: Any) -> np.ndarray:
        """What is let out of the model's probabilities for records X, (n, n_classes)."""
        return self._change(_checks.answers(self._inner, X), X)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each record of X, (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _change(self, proba: np.ndarray, X: Any) -> np.ndarray:
        raise NotImplementedError


class Rounded(OutputDefence):
    """Answers with `digits` digits after the point; 0 leaves little more than the label."""

    def __init__(self, model: Any, digits: int = 1):
        super().__init__(model)
        self.digits = digits

    def _change(self, proba: np.ndarray, X: Any) -> np.ndarray:
        return coarsen(proba, "rounded", _checks.whole_number("digits", self.digits, 0, 15))


class TopK(OutputDefence):
    """Answers with the `k` largest probabilities and 0 for the others; of equal ones the first columns are kept."""

    def __init__(self, model: Any, k: int = 1):
        super().__init__(model)
        self.k = k

    def _change(self, proba: np.ndarray, X: Any) -> np.ndarray:
        k = _checks.whole_number("k", self.k, 1, proba.shape[1])
        rank = np.argsort(np.argsort(-proba, axis=1, kind="stable"), axis=1)
        return np.where(rank < k, proba, 0.0)


class LabelOnly(OutputDefence):
    """Answers 1 for the most probable class and 0 for the others."""

    def _change(self, proba: np.ndarray, X: Any) -> np.ndarray:
        return coarsen(proba, "label", 0)


class Temperature(OutputDefence):
    """Answers with p^(1/temperature), scaled to a sum of 1: above 1 the model seems less sure, and its label stays.

    As every answer is changed by one rising function of all its probabilities, an attacker who knows the temperature
    can undo it (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2, for another purpose).
    """

    def __init__(self, model: Any, temperature: float = 2.0):
        super().__init__(model)
        self.temperature = temperature

    def _change(self, proba: np.ndarray, X: Any) -> np.ndarray:
        power = proba ** (1 / _above_nought("temperature", self.temperature))
        return power / power.sum(axis=1, keepdims=True)


class NoisyInput(OutputDefence):
    """Blurs each question before the model sees it, by normal noise of `noise` standard deviations a measurement.

    The noise of a record comes from the record itself and the secret `random_state`, so that asking twice tells no
    more than asking once. A record changed by a hair gets another noise: who may ask often can still average. `scale`
    (n_features,) are the standard deviations; None takes those of the members in `fit`.
    """

    def __init__(self, model: Any, noise: float = 0.05, scale: Any = None, random_state: int = 0):
        super().__init__(model)
        self.noise = noise
        self.scale = scale
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> NoisyInput:
        """Train a copy of the model on records X, unblurred, with labels y."""
        super().fit(X, y)
        self.scale_ = _checks.records("X", X).std(axis=0)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """The model's probabilities for the blurred records, (n, n_classes)."""
        noise, X = _above_nought("noise", self.noise), _checks.records("X", X)
        scale = getattr(self, "scale_", None) if self.scale is None else self.scale
        if scale is None:
            raise ValueError(
                "scale is None; around a model that is fitted already it should be the standard deviation of each "
                "measurement, (n_features,)"
            )
        scale = np.broadcast_to(_checks.numbers("scale", scale, "it should be (n_features,)"), X.shape[1:])
        blur = np.stack([rng.normal(size=X.shape[1]) for rng in _own_generators(X, self.random_state)])
        return _checks.answers(self._inner, X + noise * scale * blur)


class RandomConfidence(OutputDefence):
    """Keeps the label and invents the rest: a confidence drawn evenly from 1/n_classes to 1, the others alike.

    The draw comes from the record itself and the secret `random_state`: asking twice tells no more than asking once.
    """

    def __init__(self, model: Any, random_state: int = 0):
        super().__init__(model)
        self.random_state = random_state

    def _change(self, proba: np.ndarray, X: Any) -> np.ndarray:
        n_classes = proba.shape[1]
        top = np.array([rng.uniform(1 / n_classes, 1) for rng in _own_generators(X, self.random_state)])[:, None]
        return np.where(np.eye(n_classes)[proba.argmax(axis=1)] == 1, top, (1 - top) / max(1, n_classes - 1))


def _own_generators(X: Any, random_state: int) -> list[np.random.Generator]:
    """For each record a generator of its own, which knows the secret and what the record says and nothing else."""
    secret = _checks.whole_number("random_state", random_state, 0).to_bytes(16, "big")
    rows = X.to_numpy(dtype=object) if _checks.is_frame(X) else np.asarray(X, dtype=float) + 0.0  # -0 is 0
    hashes = (hashlib.blake2b(repr(row).encode(), digest_size=16, key=secret).digest() for row in rows.tolist())
    return [np.random.default_rng(int.from_bytes(each, "big")) for each in hashes]


def _above_nought(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < np.inf:
        raise ValueError(f"{name} is {value!r}; it should be a finite number above 0")
    return float(value)


def defend(shadows: Shadows, defence: OutputDefence) -> Shadows:
    """The same shadows behind a defence: each model answers through a copy of `defence`, and none is trained anew.

    An output defence changes no training, so these are the shadows of an attacker who knows it. The `model` of
    `defence` is not used; each copy has a secret of its own.

    Raises ValueError where `defence` is no output defence of this module.
    """
    if not isinstance(defence, OutputDefence):
        raise ValueError(f"defence is {defence!r}; it should be an output defence, Rounded(model) for instance")
    settings = defence.get_params(deep=False)
    models = []
    for k in range(len(shadows)):
        own = settings | {"model": shadows.models[k]}
        if "random_state" in own:
            own["random_state"] += k
        if "scale" in own and own["scale"] is None:
            own["scale"] = _checks.records("shadows.X", shadows.X)[shadows.in_mask[k]].std(axis=0)
        models.append(type(defence)(**own))
    if isinstance(defence, NoisyInput):
        columns = [np.searchsorted(shadows.classes_, model.classes_) for model in models]
        proba = np.zeros_like(shadows.proba)
        for k, model in enumerate(models):
            proba[k][:, columns[k]] = model.predict_proba(shadows.X)
    else:
        proba = np.stack([m._change(each, shadows.X) for m, each in zip(models, shadows.proba, strict=True)])
    return Shadows(shadows.X, shadows.y, shadows.in_mask, proba, shadows.classes_, models)


# More care in training

_CARE: dict[str, dict[str, Any]] = {
    "stronger L2": {"l2": 1.0, "alpha": 1.0, "C": 0.1},
    "early stopping": {"early_stopping": True},
    "larger leaves": {"min_samples_leaf": 5},
    "fewer levels": {"max_depth": 3},
}


def training_defences(model: Any) -> dict[str, Any]:
    """Recipes for the same kind of model, trained with more care: unfitted estimators by name.

    "stronger L2", "early stopping", "larger leaves" and "fewer levels" for models (or a last step of a pipeline) that
    have such a setting; "bagging" (the mean of 10 copies, each on a random redraw of the members) and "fewer features"
    (the better half of those measurements that vary, by an F test on the members) for any. No search was made for the
    best values.
    """
    from sklearn.ensemble import BaggingClassifier
    from sklearn.feature_selection import SelectPercentile, VarianceThreshold
    from sklearn.pipeline import make_pipeline

    recipes = {}
    for name, settings in _CARE.items():
        params = model.get_params()
        changed = {key: settings[key.split("__")[-1]] for key in params if key.split("__")[-1] in settings}
        if changed:
            recipes[name] = clone(model).set_params(**changed)
    recipes["bagging"] = BaggingClassifier(clone(model), n_estimators=10, random_state=0)
    recipes["fewer features"] = make_pipeline(VarianceThreshold(), SelectPercentile(percentile=50), clone(model))
    return recipes


# What each costs and brings


def defence_matrix(
    models: Mapping[str, Any],
    data: Mapping[str, tuple[Any, Any] | Callable[[int], tuple[Any, Any]]],
    attacks: Mapping[str, Attack] | None = None,
    *,
    n_shadows: int = 16,
    n_targets: int = 8,
    n_seeds: int = 5,
    adaptive: bool = True,
) -> pd.DataFrame:
    """Every attack on every defended model on every data set: one row for each data set, defence and seed.

    Parameters
    ----------
    models : {name: unfitted estimator}, an `OutputDefence` or not. Those around one and the same estimator object are
        measured on the same trained models, so that their differences are the defence's own.
    data : {name: (X, y)}, or a function of the seed that returns them.
    attacks : {name: attack}; the recorded-label threshold, offline LiRA and offline RMIA by default.
    n_shadows, n_targets, n_seeds : for each seed, so many models on random halves of the records, of which so many are
        attacked with the help of the others (see `mialab.trials.attack_each`).
    adaptive : whether the attacker's shadows carry the output defence too. An attacker who does not know it has
        undefended shadows; the target is defended in either case.

    Returns
    -------
    DataFrame with data, defence, seed, train_accuracy, test_accuracy and `auc_<attack>`, each a mean over the targets.
    """
    import pandas as pd

    attacks = attacks or {"threshold": ThresholdAttack(), "LiRA": LiRA(online=False), "RMIA": RMIA(online=False)}
    adaptive = _checks.flag("adaptive", adaptive)
    n_seeds = _checks.whole_number("n_seeds", n_seeds, 1)
    rows = []
    for data_name, source in data.items():
        for seed in range(n_seeds):
            X, y = source(seed) if callable(source) else source
            trained: dict[int, Shadows] = {}
            for name, model in models.items():
                bare = model.model if isinstance(model, OutputDefence) else model
                if id(bare) not in trained:
                    trained[id(bare)] = train_shadows(bare, X, y, n_shadows, random_state=seed)
                shadows = trained[id(bare)]
                targets = defend(shadows, model) if bare is not model else shadows
                found = attack_each(targets if adaptive else shadows, attacks, n_targets=n_targets, targets=targets)
                measured = found.mean().drop(["confidence_in", "confidence_out"])
                rows.append({"data": data_name, "defence": name, "seed": seed} | measured.to_dict())
    return pd.DataFrame(rows)


def over_seeds(matrix: pd.DataFrame, data: str, measure: str) -> dict[str, MeanInterval]:
    """The mean of one measure over the seeds with its interval, for each defence on one data set of the matrix."""
    for name, value, known in (("data", data, set(matrix["data"])), ("measure", measure, set(matrix.columns))):
        if value not in known:
            raise ValueError(f"{name} is {value!r}; it should be one of {sorted(known)}")
    rows = matrix[matrix["data"] == data]
    return {name: mean_interval(group[measure]) for name, group in rows.groupby("defence", sort=False)}


def frontier(accuracy: Any, leakage: Any) -> np.ndarray:
    """Which of n models are on the frontier: no other is as accurate and leaks as little, and one of both strictly.

    `accuracy`, `leakage`: (n,) numbers. (n,) bool; two that are equal in both are on it together.
    """
    accuracy = _checks.numbers("accuracy", accuracy, "it should be one number a model")
    leakage = _checks.numbers("leakage", leakage, "it should be one number a model")
    if accuracy.ndim != 1 or accuracy.shape != leakage.shape or not np.isfinite([accuracy, leakage]).all():
        raise ValueError("accuracy and leakage should be (n,) finite numbers, one of each for every model")
    no_worse = (accuracy[:, None] >= accuracy) & (leakage[:, None] <= leakage)  # [i, j]: i is no worse than j
    better = (accuracy[:, None] > accuracy) | (leakage[:, None] < leakage)
    return ~(no_worse & better).any(axis=0)
