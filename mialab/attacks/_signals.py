"""What can be read off a model's answer about a record."""

from __future__ import annotations

from typing import Any

import numpy as np

from mialab import _checks


def confidence(model: Any, X: Any) -> np.ndarray:
    """Return how sure the model is of its answer: the largest class probability of each record, (n,).

    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier().fit([[0], [0], [0], [0]], ["a", "a", "a", "b"])  # it answers 0.75, 0.25 to all
    >>> confidence(model, [[1], [2]]).tolist()
    [0.75, 0.75]
    """
    return _checks.answers(model, X).max(axis=1)


def true_class_confidence(model: Any, X: Any, y: Any) -> np.ndarray:
    """Return how much probability the model gives to the label that each record really carries, (n,).

    `y` holds the recorded labels as they occur in `model.classes_`: numbers, strings, whatever it was trained with. A
    label that the model does not know raises ValueError.

    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier().fit([[0], [0], [0], [0]], ["a", "a", "a", "b"])  # it answers 0.75, 0.25 to all
    >>> true_class_confidence(model, [[1], [2]], ["a", "b"]).tolist()
    [0.75, 0.25]
    """
    probabilities = _checks.answers(model, X)
    return probabilities[np.arange(len(probabilities)), columns(model, y, len(probabilities))]


def log_likelihood(model: Any, X: Any, y: Any) -> np.ndarray:
    """Return the negative of the model's loss on each record: the log of the true-class confidence, (n,).

    It is always finite, as probability 0 counts as the smallest positive float. It ranks records as
    `true_class_confidence` does.

    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier().fit([[0], [0], [0], [0]], ["a", "a", "a", "b"])  # it answers 0.75, 0.25 to all
    >>> log_likelihood(model, [[1], [2]], ["a", "b"]).round(2).tolist()
    [-0.29, -1.39]
    """
    return np.log(np.maximum(true_class_confidence(model, X, y), np.finfo(float).tiny))


def was_right(model: Any, X: Any, y: Any) -> np.ndarray:
    """Return 1.0 where the model's most probable class is the recorded label, else 0.0, (n,).

    Of equally probable classes the first counts, as in scikit-learn.

    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier().fit([[0], [0], [0], [0]], ["a", "a", "a", "b"])  # it answers 0.75, 0.25 to all
    >>> was_right(model, [[1], [2]], ["a", "b"]).tolist()
    [1.0, 0.0]
    """
    probabilities = _checks.answers(model, X)
    return (probabilities.argmax(axis=1) == columns(model, y, len(probabilities))).astype(float)


def columns(model: Any, y: Any, n_records: int) -> np.ndarray:
    """The column of `predict_proba` that belongs to each label, (n,)."""
    column = {label: j for j, label in enumerate(np.asarray(model.classes_).tolist())}
    if y is None:
        raise ValueError("y is missing; this signal needs the recorded label of each record")
    known, which = np.unique(_checks.labels("y", y, n_records), return_inverse=True)
    unknown = sorted(repr(label) for label in known.tolist() if label not in column)
    if unknown:
        raise ValueError(
            f"y holds {', '.join(unknown[:3])}, which the model does not know; "
            f"it should hold labels from model.classes_: {list(column)}"
        )
    return np.array([column[label] for label in known.tolist()])[which]


def log_odds(proba: Any) -> np.ndarray:
    """Return log(p / (1 - p)) for probabilities of any shape, which spreads out those near 0 and 1.

    It is finite, as p is kept within 1e-6 of 0 and 1. It raises ValueError for NaN and for numbers outside 0 to 1.

    >>> log_odds([0.5, 0.9, 0.99, 1.0]).round(1).tolist()
    [0.0, 2.2, 4.6, 13.8]
    """
    proba = _checks.numbers("proba", proba, "it should hold probabilities from 0 to 1")
    if not ((proba > -1e-6) & (proba < 1 + 1e-6)).all():
        raise ValueError("proba holds NaN, or numbers outside 0 to 1; it should hold probabilities")
    proba = np.clip(proba, 1e-6, 1 - 1e-6)
    return np.log(proba) - np.log1p(-proba)
