"""What can be read off a model's answer about a record."""

from __future__ import annotations

from typing import Any

import numpy as np

from mialab import _checks


def confidence(model: Any, X: Any) -> np.ndarray:
    """How sure the model is of its answer: the largest class probability of each record, (n,)."""
    return _checks.answers(model, X).max(axis=1)


def true_class_confidence(model: Any, X: Any, y: Any) -> np.ndarray:
    """How much probability the model gives to the label that each record really carries, (n,).

    `y` holds the recorded labels as they occur in `model.classes_`: numbers, strings, whatever it was
    trained with.
    """
    probabilities = _checks.answers(model, X)
    return probabilities[np.arange(len(probabilities)), columns(model, y, len(probabilities))]


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
    return (probabilities.argmax(axis=1) == columns(model, y, len(probabilities))).astype(float)


def columns(model: Any, y: Any, n_records: int) -> np.ndarray:
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


def log_odds(proba: Any) -> np.ndarray:
    """log(p / (1 - p)), which spreads out the probabilities near 0 and 1; finite, as p is kept within 1e-6 of them."""
    proba = _checks.numbers("proba", proba, "it should hold probabilities from 0 to 1")
    if not ((proba > -1e-6) & (proba < 1 + 1e-6)).all():
        raise ValueError("proba holds NaN, or numbers outside 0 to 1; it should hold probabilities")
    proba = np.clip(proba, 1e-6, 1 - 1e-6)
    return np.log(proba) - np.log1p(-proba)
