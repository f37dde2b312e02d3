"""What every attack shares: its shape, and the threat model that it states."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks

if TYPE_CHECKING:
    from mialab.shadows import Shadows


@dataclass(frozen=True)
class ThreatModel:
    """A `ThreatModel` states what an attacker is assumed to know; `str` reads as a sentence.

    Everyone may query the model. With `true_label` the attacker knows the recorded label of the candidate record, with
    `model_type` what kind of model it is. With `other_records` they hold other records of the same population, with
    `training_procedure` they know how it was trained, settings included, so they can train replicas. With `labels_only`
    they read the most probable class and no confidences.

    >>> print(ThreatModel(true_label=True, other_records=True))
    The attacker may ask the model any question and read its confidences, and knows the candidate's recorded label and
    other records of the population; they do not know the model's type or the training procedure.
    """

    true_label: bool = False
    model_type: bool = False
    other_records: bool = False
    training_procedure: bool = False
    labels_only: bool = False

    def __str__(self) -> str:
        known = {
            "the candidate's recorded label": self.true_label,
            "the model's type": self.model_type,
            "other records of the population": self.other_records,
            "the training procedure": self.training_procedure,
        }
        has = listed([thing for thing, knows in known.items() if knows], "and")
        lacks = listed([thing for thing, knows in known.items() if not knows], "or")
        answer = "the label that it answers, not its confidences" if self.labels_only else "its confidences"
        sentence = f"The attacker may ask the model any question and read {answer}"
        if has:
            sentence += f", and knows {has}"
        if lacks:
            sentence += f"; they do not know {lacks}"
        return sentence + "."


def listed(things: Iterable[str], joint: str) -> str:
    """'a, b and c'."""
    things = list(things)
    return f" {joint} ".join(filter(None, [", ".join(things[:-1]), *things[-1:]]))


class Attack(ABC):
    """An `Attack` keeps its target from `fit`, and says in its `threat_model` what the attacker must know.

    Every attack is a subclass of it, which sets `threat_model` and writes `score_samples`; one that reads shadow models
    overrides `fit` too.

    >>> class LongestSepal(Attack):  # it never asks the target, so it is a poor attack
    ...     threat_model = ThreatModel()
    ...     def score_samples(self, X, y, index=None):
    ...         return np.asarray(X)[:, 0]
    >>> LongestSepal().score_samples([[5.1, 3.5], [4.9, 3.0]], [0, 0]).tolist()
    [5.1, 4.9]
    """

    threat_model: ThreatModel

    def fit(self, target: Any, shadows: Any = None) -> Attack:
        """Point the attack at a fitted `target`; `shadows` are replicas of it, for attacks that need them.

        It returns the attack itself. It raises ValueError for a target that is not fitted or has no `predict_proba`.
        """
        _checks.fitted("target", target)
        self.target_ = target
        return self

    @abstractmethod
    def score_samples(self, X: Any, y: Any, index: Any = None) -> np.ndarray:
        """Return a membership score for each record, (n,): the higher, the more likely it is a member.

        `X` (n, n_features) and `y` (n,) are the candidates and their recorded labels. `index` (n,) are the candidates'
        rows in the shadows' pool, where they are in it: it tells twins apart. An attack that reads no single record of
        the pool takes it all the same and ignores it, so that nobody need ask what kind of attack they hold. It raises
        ValueError before `fit`, and for labels that the target does not know.
        """

    def _fitted_target(self) -> Any:
        if not hasattr(self, "target_"):
            raise ValueError(f"this {type(self).__name__} has no target yet; call fit(target) before score_samples")
        return self.target_

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.endswith("_"))
        return f"{type(self).__name__}({settings})"


def replicas(attack: str, target: Any, shadows: Any) -> Shadows:
    """`shadows`, if they are replicas of `target` that `attack` can read; else a ValueError says what is wrong."""
    from mialab.shadows import Shadows

    _checks.fitted("target", target)
    if not isinstance(shadows, Shadows):
        raise ValueError(
            f"shadows is {type(shadows).__name__}; {attack} learns from shadow models, "
            "so pass what mialab.shadows.train_shadows returns"
        )
    known, asked = shadows.classes_.tolist(), np.asarray(target.classes_).tolist()
    if sorted(known) != sorted(asked):
        raise ValueError(f"shadows know the classes {known}; they should know those of the target, {asked}")
    return shadows
