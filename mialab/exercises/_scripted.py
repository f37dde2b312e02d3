"""A model whose answers are written down beforehand, on which answers of notebooks 06 and 07 are tried."""

from __future__ import annotations

import numpy as np


class ScriptedModel:
    """Gives the row of `answers` that the first measurement of a record tells; one column for each of `classes`."""

    def __init__(self, answers, classes=(0, 1, 2)):
        self.answers = np.asarray(answers, dtype=float)
        self.classes_ = np.asarray(classes)

    def predict_proba(self, X):
        return self.answers[two_dimensional(X)[:, 0].astype(int)]

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def two_dimensional(X):
    """`X` as an array, refused in words where a single record comes without its brackets."""
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(f"a model wants a table of records, not shape {X.shape}; put a single record in a list, [x]")
    return X
