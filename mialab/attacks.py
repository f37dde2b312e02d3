"""The attacks: each turns a model's answers into membership scores, higher for likelier members.

Notebook 05 builds the confidence attack by hand. One contract holds for every attack, now and in later
notebooks: the constructor takes settings, `fit(target, shadows)` takes the model under attack and what the
attacker holds, `score_samples(X, y)` takes the candidate records. An attack asks a model for
`predict_proba(X)` and `classes_` only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mialab import _checks
from mialab.targets import fresh

# Asking a model


def confidence(model: Any, X: Any) -> np.ndarray:
    """How sure the model is of its answer: the largest class probability of each record, (n,)."""
    return _checks.answers(model, X).max(axis=1)


def true_class_confidence(model: Any, X: Any, y: Any) -> np.ndarray:
    """How much probability the model gives to the label that each record really carries, (n,).

    `y` holds the recorded labels as they occur in `model.classes_`: numbers, strings, whatever it was
    trained with.
    """
    probabilities = _checks.answers(model, X)
    return probabilities[np.arange(len(probabilities)), _columns(model, y, len(probabilities))]


def log_likelihood(model: Any, X: Any, y: Any) -> np.ndarray:
    """The negative of the model's loss on each record: log of the true-class confidence, (n,), always finite.

    Probability 0 counts as the smallest positive float. It ranks records as `true_class_confidence` does.
    """
    return np.log(np.maximum(true_class_confidence(model, X, y), np.finfo(float).tiny))


def was_right(model: Any, X: Any, y: Any) -> np.ndarray:
    """1.0 where the model's most probable class is the recorded label, else 0.0, (n,).

    Of equally probable classes the first counts, as in scikit-learn.
    """
    probabilities = _checks.answers(model, X)
    return (probabilities.argmax(axis=1) == _columns(model, y, len(probabilities))).astype(float)


def _columns(model: Any, y: Any, n_records: int) -> np.ndarray:
    """The column of `predict_proba` that belongs to each label, (n,)."""
    column = {label: j for j, label in enumerate(np.asarray(model.classes_).tolist())}
    if y is None:
        raise ValueError("y is missing; this signal needs the recorded label of each record")
    y = _checks.labels("y", y, n_records).tolist()
    unknown = sorted({repr(label) for label in y if label not in column})
    if unknown:
        raise ValueError(
            f"y holds {', '.join(unknown[:3])}, which the model does not know; "
            f"it should hold labels from model.classes_: {list(column)}"
        )
    return np.array([column[label] for label in y])


# The contract


@dataclass(frozen=True)
class ThreatModel:
    """What an attacker is assumed to know; `str` reads as a sentence.

    Everyone may query the model. `true_label`: knows the recorded label of the candidate record.
    `model_type`: knows what kind of model it is. `other_records`: holds other records of the same
    population. `training_procedure`: knows how it was trained, settings included, so can train replicas.
    """

    true_label: bool = False
    model_type: bool = False
    other_records: bool = False
    training_procedure: bool = False

    def __str__(self) -> str:
        known = {
            "the candidate's recorded label": self.true_label,
            "the model's type": self.model_type,
            "other records of the population": self.other_records,
            "the training procedure": self.training_procedure,
        }
        has = _listed([thing for thing, knows in known.items() if knows], "and")
        lacks = _listed([thing for thing, knows in known.items() if not knows], "or")
        sentence = "The attacker may ask the model any question and read its confidences"
        if has:
            sentence += f", and knows {has}"
        if lacks:
            sentence += f"; it does not know {lacks}"
        return sentence + "."


def _listed(things: list[str], joint: str) -> str:
    """'a, b and c'."""
    return f" {joint} ".join(filter(None, [", ".join(things[:-1]), *things[-1:]]))


class Attack(ABC):
    """What every attack shares: `fit` keeps the target, `threat_model` says what the attacker must know.

    A subclass sets `threat_model` and writes `score_samples`; one that reads shadow models overrides `fit`
    too.
    """

    threat_model: ThreatModel

    def fit(self, target: Any, shadows: Any = None) -> Attack:
        """Point the attack at a fitted `target`; `shadows` are replicas of it, for attacks that need them."""
        _checks.fitted("target", target)
        self.target_ = target
        return self

    @abstractmethod
    def score_samples(self, X: Any, y: Any) -> np.ndarray:
        """A membership score for each record, (n,): higher means more likely a member."""

    def _fitted_target(self) -> Any:
        if not hasattr(self, "target_"):
            raise ValueError(f"this {type(self).__name__} has no target yet; call fit(target) before score_samples")
        return self.target_

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.endswith("_"))
        return f"{type(self).__name__}({settings})"


# The threshold attacks


@dataclass(frozen=True)
class Signal:
    """One number that can be read off a model's answer, and whether reading it takes the recorded label."""

    read: Callable[..., np.ndarray]
    needs_label: bool
    question: str


SIGNALS: dict[str, Signal] = {
    "confidence": Signal(confidence, False, "how sure is the model of its answer?"),
    "true_class": Signal(true_class_confidence, True, "how sure is it of the recorded label?"),
    "loss": Signal(log_likelihood, True, "how small is its loss on the recorded label?"),
    "correct": Signal(was_right, True, "was it right?"),
}


class ThresholdAttack(Attack):
    """Say 'member' when one number read off the model's answer is high enough.

    Parameters
    ----------
    signal : "confidence" (largest probability; needs no label: Salem et al. 2019), "true_class"
        (probability of the recorded label), "loss" (its logarithm, in the same order: Yeom et al. 2018) or
        "correct" (was it right? whose advantage is the generalisation gap: Yeom et al. 2018).

    The score is the number itself; where to put the threshold is left to whoever uses it. No shadow models
    are needed, and any that are passed to `fit` are not used.

    References
    ----------
    Yeom, Giacomelli, Fredrikson, Jha, "Privacy Risk in Machine Learning", IEEE CSF 2018.
    Salem, Zhang, Humbert, Berrang, Fritz, Backes, "ML-Leaks", NDSS 2019.
    """

    def __init__(self, signal: str = "true_class"):
        if not isinstance(signal, str) or signal not in SIGNALS:
            raise ValueError(f"signal is {signal!r}; it should be one of {', '.join(map(repr, SIGNALS))}")
        self.signal = signal

    @property
    def threat_model(self) -> ThreatModel:
        """Queries only; every signal but "confidence" takes the candidate's recorded label as well."""
        return ThreatModel(true_label=SIGNALS[self.signal].needs_label)

    def score_samples(self, X: Any, y: Any = None) -> np.ndarray:
        """The signal for each record, (n,); `y` may be left out for "confidence"."""
        signal, target = SIGNALS[self.signal], self._fitted_target()
        return signal.read(target, X, y) if signal.needs_label else signal.read(target, X)


# The inference model


class ShadowAttack(Attack):
    """Learn from shadow models what members' answers look like, then judge the target's answers by it.

    An attack model, a classifier of "in" against "out", is trained on the shadows' answers about every record of
    their pool: the attacker knows who was a member of each shadow. What it reads of an answer is the log-odds of
    every class, and the recorded label. The score is the probability of "in" that it gives to the target's answer.

    Parameters
    ----------
    attack_model : an unfitted classifier, or a function of random_state that returns one; by default a net with 16
        hidden units.
    per_class : train one attack model for each recorded label (as published), or one for all, which is told the label.
    random_state : an int or None, for attack models that take one.

    `fit` asks the target nothing; `score_samples` asks it each candidate once.

    References
    ----------
    Shokri, Stronati, Song, Shmatikov, "Membership Inference Attacks Against Machine Learning Models", IEEE S&P 2017,
    sections V-B (shadow models) and V-D (attack model).
    """

    threat_model = ThreatModel(true_label=True, model_type=True, other_records=True, training_procedure=True)

    def __init__(self, attack_model: Any = None, per_class: bool = True, random_state: int | None = 0):
        if isinstance(attack_model, type) or not (
            attack_model is None or hasattr(attack_model, "fit") or callable(attack_model)
        ):
            raise ValueError(
                f"attack_model is {attack_model!r}; it should be an unfitted classifier, "
                "a function of random_state that returns one, or None"
            )
        self.attack_model = attack_model
        self.per_class = _checks.flag("per_class", per_class)
        self.random_state = None if random_state is None else _checks.whole_number("random_state", random_state, 0)

    def fit(self, target: Any, shadows: Any = None) -> ShadowAttack:
        """Train the attack models on `shadows`, as `mialab.shadows.train_shadows` makes them."""
        from mialab.nets import NetClassifier
        from mialab.shadows import Shadows

        _checks.fitted("target", target)
        if not isinstance(shadows, Shadows):
            raise ValueError(
                f"shadows is {type(shadows).__name__}; a ShadowAttack learns from shadow models, "
                "so pass what mialab.shadows.train_shadows returns"
            )
        known, asked = shadows.classes_.tolist(), np.asarray(target.classes_).tolist()
        if sorted(known) != sorted(asked):
            raise ValueError(f"shadows know the classes {known}; they should know those of the target, {asked}")
        label = np.tile(np.searchsorted(shadows.classes_, shadows.y), len(shadows))
        features = self._features(shadows.proba.reshape(-1, len(known)), label)
        is_member = shadows.in_mask.ravel()
        model = NetClassifier(hidden=16, epochs=200) if self.attack_model is None else self.attack_model
        attack_models = {}
        for group in np.unique(self._groups(label)).tolist():
            rows = self._groups(label) == group
            if len(np.unique(is_member[rows])) < 2:
                kind = "members" if is_member[rows][0] else "non-members"
                raise ValueError(f"shadows have only {kind} of class {known[group]!r}; train more, or per_class=False")
            attack_models[group] = fresh(model, self.random_state)
            attack_models[group].fit(features[rows], is_member[rows])
            _checks.fitted("attack_model", attack_models[group])
        self.classes_, self.column_ = shadows.classes_, np.array([asked.index(label) for label in known])
        self.attack_models_ = attack_models
        return super().fit(target)

    def score_samples(self, X: Any, y: Any) -> np.ndarray:
        """The probability of "member" that the attack model gives to the target's answer about each record, (n,)."""
        target = self._fitted_target()
        proba = _checks.answers(target, X)
        label = np.argsort(self.column_)[_columns(target, y, len(proba))]
        features, groups = self._features(proba[:, self.column_], label), self._groups(label)
        scores = np.empty(len(proba))
        for group in np.unique(groups).tolist():
            if group not in self.attack_models_:
                label = self.classes_.tolist()[group]
                raise ValueError(f"y holds {label!r}, a class of which the shadows' pool had no record")
            rows, model = groups == group, self.attack_models_[group]
            # Each different answer once: equal ones must tie, and a matrix product may round by a row's place.
            different, which = np.unique(features[rows], axis=0, return_inverse=True)
            scores[rows] = model.predict_proba(different)[which.ravel(), model.classes_.tolist().index(True)]
        return scores

    def _groups(self, label: np.ndarray) -> np.ndarray:
        """Which attack model a record belongs to, (n,)."""
        return label if self.per_class else np.zeros_like(label)

    def _features(self, proba: np.ndarray, label: np.ndarray) -> np.ndarray:
        """The log-odds of every class; and, where one attack model serves all labels, the label as zeros and a one."""
        odds = log_odds(proba)
        return odds if self.per_class else np.hstack([odds, np.eye(odds.shape[1])[label]])


def log_odds(proba: Any) -> np.ndarray:
    """log(p / (1 - p)), which spreads out the probabilities near 0 and 1; finite, as p is kept within 1e-6 of them."""
    proba = _checks.numbers("proba", proba, "it should hold probabilities from 0 to 1")
    if not ((proba > -1e-6) & (proba < 1 + 1e-6)).all():
        raise ValueError("proba holds NaN, or numbers outside 0 to 1; it should hold probabilities")
    proba = np.clip(proba, 1e-6, 1 - 1e-6)
    return np.log(proba) - np.log1p(-proba)
