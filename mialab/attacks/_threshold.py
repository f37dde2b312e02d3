"""The threshold attacks: one number read off the model's answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mialab import _checks
from mialab.attacks._contract import Attack, ThreatModel
from mialab.attacks._signals import confidence, log_likelihood, true_class_confidence, was_right


@dataclass(frozen=True)
class Signal:
    """A `Signal` is one number that can be read off a model's answer.

    `read(model, X)` or `read(model, X, y)` reads it, (n,); `needs_label` says whether that takes the recorded label,
    and `question` says what it asks.

    >>> SIGNALS["true_class"].question, SIGNALS["true_class"].needs_label
    ('how sure is it of the recorded label?', True)
    """

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
    """The threshold attack says 'member' when one number read off the model's answer is high enough.

    Parameters
    ----------
    signal : "confidence" (largest probability; it needs no label: Salem et al. 2019), "true_class" (probability of the
        recorded label), "loss" (its logarithm, in the same order: Yeom et al. 2018) or "correct" (was it right? whose
        advantage is the generalisation gap: Yeom et al. 2018).

    The score is the number itself; where to put the threshold is left to whoever uses it. No shadow models are needed,
    and any that are passed to `fit` are not used.

    >>> from mialab import targets
    >>> model = targets.make("one-nn").fit([[0.0], [2.0]], ["a", "b"])
    >>> attack = ThresholdAttack("correct").fit(model)
    >>> attack.score_samples([[0.0], [2.0], [1.9]], ["a", "b", "a"]).tolist()  # two members and a stranger
    [1.0, 1.0, 0.0]

    References
    ----------
    Yeom, Giacomelli, Fredrikson, Jha, "Privacy Risk in Machine Learning", IEEE CSF 2018.
    Salem, Zhang, Humbert, Berrang, Fritz, Backes, "ML-Leaks", NDSS 2019.
    """

    def __init__(self, signal: str = "true_class"):
        _checks.one_of("signal", signal, SIGNALS)
        self.signal = signal

    @property
    def threat_model(self) -> ThreatModel:
        """Return what the attacker must know; every signal but "confidence" takes the candidate's recorded label."""
        return ThreatModel(true_label=SIGNALS[self.signal].needs_label)

    def score_samples(self, X: Any, y: Any = None, index: Any = None) -> np.ndarray:
        """Return the signal for each record, (n,); `y` may be left out for "confidence", and `index` is ignored."""
        signal, target = SIGNALS[self.signal], self._fitted_target()
        return signal.read(target, X, y) if signal.needs_label else signal.read(target, X)
