"""This module defends: models that say less, models that were trained with more care, and what each costs and brings.

Notebook 16 measures them. An output defence is a classifier around another one, so that an attack, the prediction
service and `train_shadows` take it like any model. An adaptive attacker knows the defence, and their shadows carry it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from mialab import _checks
from mialab._answers import coarsen, keep_largest
from mialab.attacks import RMIA, Attack, LiRA, ThresholdAttack
from mialab.metrics import MeanInterval, mean_interval
from mialab.nets import NetClassifier, train_nets
from mialab.shadows import Shadows, train_shadows
from mialab.trials import attack_each

if TYPE_CHECKING:
    import pandas as pd


class OutputDefence(ClassifierMixin, BaseEstimator):
    """An `OutputDefence` is a classifier that answers like `model`, with every answer changed by its `_change`.

    Around a fitted model, or a remote one, it answers at once. `fit` trains a copy of `model` in its stead, so that a
    copy of the defence can be trained anew, as shadows are.

    >>> from mialab import targets
    >>> model = targets.make("one-nn").fit([[0.0], [2.0]], ["a", "b"])
    >>> class Shy(OutputDefence):  # it says of every class that it may be
    ...     def _change(self, proba, X):
    ...         return np.full_like(proba, 1 / proba.shape[1])
    >>> Shy(model).predict_proba([[0.0]]).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, model: Any):
        self.model = model

    def fit(self, X: Any, y: Any) -> OutputDefence:
        """Train a copy of the model on records X with labels y; return the defence itself.

        It raises ValueError around what cannot be trained.
        """
        if not hasattr(self.model, "fit"):
            raise ValueError(
                f"model ({type(self.model).__name__}) has no fit; the defence answers without being fitted"
            )
        self.model_ = clone(self.model).fit(X, y)
        return self

    @property
    def _inner(self) -> Any:
        return getattr(self, "model_", self.model)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self._inner, "classes_")

    @property
    def classes_(self) -> np.ndarray:
        """Return the labels, (n_classes,), one for each column of the answers."""
        return self._inner.classes_

    @property
    def n_features_in_(self) -> int:
        """Return how many measurements a record has."""
        return self._inner.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Return the names of the measurements, where the model was trained on a table that has them."""
        return self._inner.feature_names_in_

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return what is let out of the model's probabilities for records X, (n, n_classes)."""
        return self._change(_checks.answers(self._inner, X), X)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each record of X, (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _change(self, proba: np.ndarray, X: Any) -> np.ndarray:
        raise NotImplementedError


class Rounded(OutputDefence):
    """A `Rounded` answers with `digits` digits after the point; of classes that are equal then, the first is the label.

    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier().fit([[0], [0], [0]], ["a", "a", "b"])  # it answers 0.667 and 0.333 to all
    >>> Rounded(model, digits=1).predict_proba([[3]]).tolist()
    [[0.7, 0.3]]
    """

    def __init__(self, model: Any, digits: int = 1):
        super().__init__(model)
        self.digits = digits

    def _change(self, proba: np.ndarray, X: Any) -> np.ndarray:
        return coarsen(proba, "rounded", _checks.whole_number("digits", self.digits, 0, 15))


class TopK(OutputDefence):
    """A `TopK` answers with the `k` largest probabilities and 0 for the others; of equal ones the first are kept.

    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier().fit([[0], [0], [0]], ["a", "a", "b"])  # it answers 0.667 and 0.333 to all
    >>> TopK(model, k=1).predict_proba([[3]]).round(3).tolist()
    [[0.667, 0.0]]
    """

    def __init__(self, model: Any, k: int = 1):
        super().__init__(model)
        self.k = k

    def _change(self, proba: np.ndarray, X: Any) -> np.ndarray:
        return keep_largest(proba, _checks.whole_number("k", self.k, 1, proba.shape[1]))


class LabelOnly(OutputDefence):
    """A `LabelOnly` answers 1 for the most probable class and 0 for the others.

    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier().fit([[0], [0], [0]], ["a", "a", "b"])  # it answers 0.667 and 0.333 to all
    >>> LabelOnly(model).predict_proba([[3]]).tolist()
    [[1.0, 0.0]]
    """

    def _change(self, proba: np.ndarray, X: Any) -> np.ndarray:
        return coarsen(proba, "label", 0)


class RandomConfidence(OutputDefence):
    """A `RandomConfidence` keeps the label and invents the rest: a confidence drawn evenly from 1/n_classes to 1.

    The other classes share what is left alike. The draw comes from the record itself and the secret `random_state`:
    asking twice tells no more than asking once.

    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier().fit([[0], [0], [0]], ["a", "a", "b"])  # it answers 0.667 and 0.333 to all
    >>> RandomConfidence(model, random_state=7).predict_proba([[3], [4]]).round(2).tolist()
    [[0.85, 0.15], [0.52, 0.48]]
    """

    def __init__(self, model: Any, random_state: int = 0):
        super().__init__(model)
        self.random_state = random_state

    def _change(self, proba: np.ndarray, X: Any) -> np.ndarray:
        n_classes = proba.shape[1]
        top = (1 + (n_classes - 1) * _own_draws(X, self.random_state)) / n_classes
        return np.where(np.eye(n_classes)[proba.argmax(axis=1)] == 1, top, (1 - top) / max(1, n_classes - 1))


def _own_draws(X: Any, random_state: int) -> np.ndarray:
    """For each record a number between 0 and 1, (n_records, 1), from the secret and what the record says alone.

    The bits are those of a hash, so that they look random to whoever does not know the secret.
    """
    secret = _checks.whole_number("random_state", random_state, 0, 2**64).to_bytes(16, "big")
    rows = X.to_numpy(dtype=object).tolist() if _checks.is_frame(X) else np.asarray(X, dtype=float).tolist()
    spoken = (repr([value if isinstance(value, str) else float(value) + 0.0 for value in row]) for row in rows)
    bits = b"".join(hashlib.shake_256(secret + each.encode()).digest(8) for each in spoken)
    return ((np.frombuffer(bits, ">u8")[:, None] >> 12) + 0.5) * 2.0**-52  # 0.0 above: -0 is 0


def defend(shadows: Shadows, defence: OutputDefence | Callable[[Any], Any]) -> Shadows:
    """Put the same shadows behind a defence: each model answers through it, and none is trained anew.

    An output defence changes no training, so these are the shadows of an attacker who knows it. `defence` is an output
    defence of this module, whose own `model` is not used and of which each shadow gets a copy with a secret of its own;
    or a function that puts a defence around a fitted model.

    It raises ValueError where `defence` is neither, and where the function does not return a classifier.

    >>> from mialab import data, shadows, targets
    >>> flowers = data.load_iris()
    >>> bare = shadows.train_shadows(targets.make("knn-vote"), flowers.X, flowers.y, n_shadows=2, random_state=0)
    >>> behind = defend(bare, LabelOnly(None))
    >>> np.unique(behind.proba).tolist(), len(np.unique(bare.proba)) > 2
    ([0.0, 1.0], True)
    """
    if not isinstance(defence, OutputDefence) and not callable(defence):
        raise ValueError(f"defence is {defence!r}; it should be an output defence, or a function of a fitted model")
    models, proba = [], np.zeros_like(shadows.proba)
    for k in range(len(shadows)):
        bare = shadows.models[k]
        model = _around(defence, k, bare) if isinstance(defence, OutputDefence) else defence(bare)
        _checks.fitted("defence(model)", model)
        columns = np.searchsorted(shadows.classes_, model.classes_)
        known = getattr(type(model), "predict_proba", None) is OutputDefence.predict_proba and model._inner is bare
        answers = model._change(shadows.proba[k][:, columns], shadows.X) if known else _checks.answers(model, shadows.X)
        proba[k][:, columns] = answers
        models.append(model)
    return Shadows(shadows.X, shadows.y, shadows.in_mask, proba, shadows.classes_, models)


def _around(defence: OutputDefence, k: int, model: Any) -> OutputDefence:
    """The defence around shadow k, with a secret of its own."""
    settings = defence.get_params(deep=False) | {"model": model}
    if "random_state" in settings:
        settings["random_state"] = _checks.whole_number("random_state", settings["random_state"], 0, 2**63) + k
    return type(defence)(**settings)


# More care in training

_CARE: dict[str, dict[str, Any]] = {
    "stronger L2": {"l2": 1.0, "alpha": 1.0, "C": 0.1},
    "early stopping": {"early_stopping": True},
    "larger leaves": {"min_samples_leaf": 5},
    "fewer levels": {"max_depth": 3},
}


class BaggedNets(ClassifierMixin, BaseEstimator):
    """A `BaggedNets` gives the mean answer of `n_nets` nets like `net`, each trained on a random half of the members.

    All are trained at once. A half drawn without replacement does much as bagging's redraw of all with replacement
    (Buja and Stuetzle, "Observations on Bagging", Statistica Sinica 16, 2006).

    >>> from mialab import nets
    >>> X, y = [[0], [1], [8], [9]], ["a", "a", "b", "b"]
    >>> bagged = BaggedNets(nets.NetClassifier(hidden=4, epochs=100), n_nets=5, random_state=0).fit(X, y)
    >>> bagged.predict([[0], [9]]).tolist()
    ['a', 'b']
    """

    def __init__(self, net: NetClassifier, n_nets: int = 10, random_state: int | None = 0):
        self.net = net
        self.n_nets = n_nets
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> BaggedNets:
        """Train the nets on records X with labels y; return the bag itself."""
        X, rng = _checks.records("X", X), _checks.generator(self.random_state)
        halves = np.tile(np.arange(len(X)) % 2 == 0, (_checks.whole_number("n_nets", self.n_nets, 1), 1))
        masks = rng.permuted(halves, axis=1)
        self.nets_ = train_nets(X, y, masks, **(self.net.get_params() | {"random_state": rng}))
        self.classes_, self.n_features_in_ = self.nets_.classes_, X.shape[1]
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the mean of the nets' probabilities, (n, n_classes)."""
        return self.nets_.predict_proba(X).mean(axis=0)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each record of X, (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def training_defences(model: Any) -> dict[str, Any]:
    """Return recipes for the same kind of model, trained with more care: unfitted estimators by name.

    There are "stronger L2", "early stopping", "larger leaves" and "fewer levels" for models (or steps of a pipeline)
    that have such a setting; and for any model "bagging" (the mean of 10 copies, each on its own draw of the members)
    and "fewer features" (the better half of those that vary, by an F test on the members). No search was made for the
    best values.

    >>> from mialab import targets
    >>> list(training_defences(targets.make("tree")))
    ['larger leaves', 'fewer levels', 'bagging', 'fewer features']
    """
    from sklearn.ensemble import BaggingClassifier
    from sklearn.feature_selection import SelectPercentile, VarianceThreshold
    from sklearn.pipeline import make_pipeline

    recipes = {}
    for name, settings in _CARE.items():
        params = model.get_params()
        changed = {key: settings[key.split("__")[-1]] for key in params if key.split("__")[-1] in settings}
        private = params.get("clip") is not None  # early stopping would read the held-out records without noise
        if changed and not (private and name == "early stopping"):
            recipes[name] = clone(model).set_params(**changed)
    copies = BaggedNets if type(model) is NetClassifier else BaggingClassifier
    recipes["bagging"] = copies(clone(model), 10, random_state=0)
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
    fpr: float | None = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """Run every attack on every defended model on every data set: one row for each data set, defence and seed.

    Parameters
    ----------
    models : {name: unfitted estimator}, within output defences or not. Those around one and the same estimator object
        are measured on the same trained models, so that their differences are the defence's own.
    data : {name: (X, y)}, or {name: a function of the seed that returns them}.
    attacks : {name: attack}; the recorded-label threshold, offline LiRA and offline RMIA by default.
    n_shadows, n_targets, n_seeds : for each seed, so many models on random halves of the records, of which so many are
        attacked with the help of the others (see `mialab.trials.attack_each`).
    adaptive : whether the attacker's shadows carry the output defence too. An attacker who does not know it has
        undefended shadows; the target is defended in either case. A change of training is always known.
    fpr : adds, for each attack, the share of members caught at this false-positive rate, as in `attack_each`.
    random_state : the first seed; the others follow.

    Returns
    -------
    DataFrame with data, defence, seed, train_accuracy, test_accuracy and `auc_<attack>` (and `tpr_<attack>`), each a
    mean over the targets. `mialab.trials.with_strongest` adds the strongest attack to the seeds of one defence.

    It raises ValueError for models or data that are no dict by name, and as `mialab.trials.attack_each` does.

    >>> from mialab import attacks, data, targets
    >>> flowers, model = data.load_iris(), targets.make("knn-lookup")
    >>> models = {"none": model, "label only": LabelOnly(model)}
    >>> sure = {"confidence": attacks.ThresholdAttack("confidence")}
    >>> found = defence_matrix(models, {"iris": (flowers.X, flowers.y)}, sure, n_shadows=4, n_targets=2, n_seeds=1)
    >>> found.loc[found["defence"] == "label only", "auc_confidence"].tolist()  # all answers are equally sure
    [0.5]
    """
    import pandas as pd

    for name, value in (("models", models), ("data", data)):
        if not isinstance(value, Mapping) or not value:
            raise ValueError(f"{name} is a {type(value).__name__}; it should be a dict by name, and not empty")
    attacks = attacks or {"threshold": ThresholdAttack(), "LiRA": LiRA(online=False), "RMIA": RMIA(online=False)}
    adaptive = _checks.flag("adaptive", adaptive)
    first, n_seeds = _checks.whole_number("random_state", random_state, 0), _checks.whole_number("n_seeds", n_seeds, 1)
    rows = []
    for data_name, source in data.items():
        for seed in range(first, first + n_seeds):
            X, y = source(seed) if callable(source) else source
            trained: dict[int, Shadows] = {}
            for name, model in models.items():
                bare, layers = _layers(model)
                if id(bare) not in trained:
                    trained[id(bare)] = train_shadows(bare, X, y, n_shadows, random_state=seed)
                shadows = trained[id(bare)]
                targets = reduce(defend, layers, shadows)
                held = targets if adaptive else shadows
                found = attack_each(held, attacks, n_targets=n_targets, targets=targets, fpr=fpr)
                measured = found.mean().drop(["confidence_in", "confidence_out"])
                rows.append({"data": data_name, "defence": name, "seed": seed} | measured.to_dict())
    return pd.DataFrame(rows)


def _layers(model: Any) -> tuple[Any, list[OutputDefence]]:
    """What is trained, and the defences around it from the inside out."""
    layers = []
    while isinstance(model, OutputDefence):
        layers.insert(0, model)
        model = model.model
    return model, layers


def over_seeds(matrix: pd.DataFrame, data: str, measure: str) -> dict[str, MeanInterval]:
    """Return the mean of one measure over the seeds with its interval, for each defence on one data set of the matrix.

    It raises ValueError for a data set or a measure that is not in the matrix.

    >>> import pandas as pd
    >>> matrix = pd.DataFrame({"data": "iris", "defence": "none", "seed": [0, 1, 2], "auc_LiRA": [0.6, 0.7, 0.8]})
    >>> over_seeds(matrix, "iris", "auc_LiRA")
    {'none': 0.700 (95% interval 0.452 to 0.948, 3 draws)}
    """
    for name, value, known in (("data", data, set(matrix["data"])), ("measure", measure, set(matrix.columns))):
        _checks.one_of(name, value, sorted(known))
    rows = matrix[matrix["data"] == data]
    return {name: mean_interval(group[measure]) for name, group in rows.groupby("defence", sort=False)}


def frontier(accuracy: Any, leakage: Any) -> np.ndarray:
    """Return which of n models are on the frontier, (n,) bool: no other model beats them.

    One model beats another if it is as accurate and leaks as little, and is strictly better in one of the two.
    `accuracy` and `leakage` are (n,) numbers; two models that are equal in both are on the frontier together. It raises
    ValueError for lengths that differ and numbers that are not finite.

    >>> frontier(accuracy=[0.95, 0.90, 0.85], leakage=[0.70, 0.55, 0.60]).tolist()  # the second beats the third
    [True, True, False]
    """
    accuracy = _checks.numbers("accuracy", accuracy, "it should be one number a model")
    leakage = _checks.numbers("leakage", leakage, "it should be one number a model")
    if accuracy.ndim != 1 or accuracy.shape != leakage.shape or not np.isfinite([accuracy, leakage]).all():
        raise ValueError("accuracy and leakage should be (n,) finite numbers, one of each for every model")
    no_worse = (accuracy[:, None] >= accuracy) & (leakage[:, None] <= leakage)  # [i, j]: i is no worse than j
    better = (accuracy[:, None] > accuracy) | (leakage[:, None] < leakage)
    return ~(no_worse & better).any(axis=0)
