"""What every attack shares: its shape, and the threat model that it states."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks

if TYPE_CHECKING:
    from mialab.shadows import Shadows


@dataclass(frozen=True)
class ThreatModel:
    """What an attacker is assumed to know; `str` reads as a sentence.

    Everyone may query the model. `true_label`: knows the recorded label of the candidate record.
    `model_type`: knows what kind of model it is. `other_records`: holds other records of the same
    population. `training_procedure`: knows how it was trained, settings included, so can train replicas.
    `labels_only`: reads the most probable class and no confidences.
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
        has = _listed([thing for thing, knows in known.items() if knows], "and")
        lacks = _listed([thing for thing, knows in known.items() if not knows], "or")
        answer = "the label that it answers, not its confidences" if self.labels_only else "its confidences"
        sentence = f"The attacker may ask the model any question and read {answer}"
        if has:
            sentence += f", and knows {has}"
        if lacks:
            sentence += f"; they do not know {lacks}"
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
