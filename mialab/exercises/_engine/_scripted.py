"""Models whose answers are known beforehand, on which the answers of exercises are tried."""

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

    def score(self, X, y):
        return float((self.predict(X) == np.asarray(y)).mean())


class Parrot:
    """A model that has learnt the records X with labels y by heart and answers 0 to all others."""

    classes_ = np.array([0, 1, 2])

    def __init__(self, X, y):
        self.X, self.y = np.asarray(X, dtype=float), np.asarray(y, dtype=int)
        self.known = {tuple(row): label for row, label in zip(self.X.tolist(), self.y.tolist(), strict=True)}

    def predict(self, X):
        return np.array([self.known.get(tuple(row), 0) for row in np.asarray(X).tolist()])

    def predict_proba(self, X):
        return np.eye(3)[self.predict(X)]

    def score(self, X, y):
        return float((self.predict(X) == y).mean())


class ScriptedAttackModel:
    """Says "member" the more surely, the larger a weighted sum of the answer's probabilities is."""

    def __init__(self, weights, member_first=False):
        self.weights = np.asarray(weights, dtype=float)
        self.classes_ = np.array([True, False] if member_first else [False, True])

    def predict_proba(self, rows):
        member = 1 / (1 + np.exp(-(two_dimensional(rows) @ self.weights)))
        return np.column_stack([np.where(truth, member, 1 - member) for truth in self.classes_])

    def predict(self, rows):
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]

    def __repr__(self):
        return "<an attack model>"


def two_dimensional(X):
    """`X` as an array, refused in words where a single record comes without its brackets."""
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(f"a model wants a table of records, not shape {X.shape}; put a single record in a list, [x]")
    return X
