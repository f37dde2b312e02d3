"""The attacks: each turns a model's answers into membership scores, higher for likelier members.

Notebook 06 builds the confidence attack by hand, notebook 08 the neighbourhood attack, notebook 10 the shadow attack,
notebook 13 LiRA and RMIA, and runs the quantile attack, notebook 16 the label-only attack. One contract holds for all:
the constructor takes settings, `fit(target, shadows)` takes the model under attack and what the attacker holds,
`score_samples(X, y, index=None)` takes the candidate records. An attack asks a model for `predict_proba(X)` and
`classes_` only.
"""

from mialab.attacks._calibrated import RMIA, CalibratedAttack, LiRA
from mialab.attacks._contract import Attack, ThreatModel
from mialab.attacks._label_only import LabelOnlyAttack
from mialab.attacks._neighbourhood import NeighbourhoodAttack
from mialab.attacks._quantile import QuantileAttack
from mialab.attacks._shadow import ShadowAttack
from mialab.attacks._signals import confidence, log_likelihood, log_odds, true_class_confidence, was_right
from mialab.attacks._threshold import SIGNALS, Signal, ThresholdAttack

__all__ = [
    "RMIA",
    "SIGNALS",
    "Attack",
    "CalibratedAttack",
    "LabelOnlyAttack",
    "LiRA",
    "NeighbourhoodAttack",
    "QuantileAttack",
    "ShadowAttack",
    "Signal",
    "ThreatModel",
    "ThresholdAttack",
    "confidence",
    "log_likelihood",
    "log_odds",
    "true_class_confidence",
    "was_right",
]
