"""The sets that an audit is given: read, checked against the model, and stacked."""

from __future__ import annotations

from typing import Any

import numpy as np

from mialab import _checks

FEWEST = 10  # records on either side, below which nothing is attempted


def read_set(name: str, records: Any, model: Any) -> tuple[Any, np.ndarray]:
    """One of the two sets, checked against the model."""
    if not isinstance(records, tuple | list) or len(records) != 2:
        raise ValueError(f"{name} should be a pair (X, y): the records and their recorded labels")
    X = _checks.records(f"the X of {name}", records[0], keep_frame=True)
    y = _checks.labels(f"the y of {name}", records[1], len(X))
    known = getattr(model, "feature_names_in_", None)
    if _checks.is_frame(X) and known is not None:
        missing = [column for column in known if column not in X.columns]
        if missing:
            raise ValueError(f"{name} has no column {', '.join(map(repr, missing))}, which the model was trained on")
        X = X[list(known)]
    if len(y) < FEWEST:
        raise ValueError(f"{name} holds {len(y)} records; fewer than {FEWEST} say nothing")
    classes = np.asarray(model.classes_).tolist()
    strange = sorted({label for label in y.tolist() if label not in classes}, key=str)
    if strange:
        raise ValueError(f"{name} has labels that the model does not know, {strange[:5]}; it knows {classes}")
    return X, y


def overlap(X_in: Any, y_in: np.ndarray, X_out: Any, y_out: np.ndarray) -> list[str]:
    """A note if some records are in both sets, for a twin may be another person; a ValueError if many are."""
    inside = {key: i for i, key in reversed(list(enumerate(_checks.identities(X_in, y_in))))}
    both = [(inside[key], j) for j, key in enumerate(_checks.identities(X_out, y_out)) if key in inside]
    if not both:
        return []
    rows = ", ".join(f"{i} = {j}" for i, j in both[:3])
    found = f"{len(both)} of {len(y_out)} non-members are equal to a member (rows {rows}, counted from 0)"
    if len(both) > 0.05 * len(y_out):
        raise ValueError(f"members and non_members overlap: {found}; take from each what is in the other")
    return [f"{found}. They were left in: equal records may be of two people, and no attack can tell them apart."]


def stack(X_in: Any, X_out: Any) -> Any:
    if not _checks.is_frame(X_in) or not _checks.is_frame(X_out):
        if np.shape(X_in)[1] != np.shape(X_out)[1]:
            raise ValueError(f"members have {np.shape(X_in)[1]} columns and non_members {np.shape(X_out)[1]}")
        return np.concatenate([np.asarray(X_in), np.asarray(X_out)])
    import pandas as pd

    if set(X_in.columns) != set(X_out.columns):
        only = sorted(set(X_in.columns) ^ set(X_out.columns), key=str)
        raise ValueError(f"members and non_members should have the same columns; only one of them has {only}")
    return pd.concat([X_in, X_out[list(X_in.columns)]], ignore_index=True)


class Remembered:
    """The model, which is asked about the audited records once and remembers."""

    def __init__(self, model: Any, X: Any):
        self.model, self.X = model, X
        self.classes_ = model.classes_
        self.proba = _checks.answers(model, X)
        if hasattr(model, "n_features_in_"):
            self.n_features_in_ = model.n_features_in_

    def predict_proba(self, X: Any) -> np.ndarray:
        same = X.equals(self.X) if _checks.is_frame(X) and _checks.is_frame(self.X) else np.array_equal(X, self.X)
        return self.proba if same else self.model.predict_proba(X)


def recipe(model: Any, estimator: Any) -> Any:
    """An unfitted estimator of the model's kind, or None."""
    from sklearn.base import BaseEstimator, clone

    if estimator is not None:
        if isinstance(estimator, type) or not hasattr(estimator, "fit"):
            raise ValueError(f"estimator is {estimator!r}; it should be an unfitted estimator")
        return estimator
    return clone(model) if isinstance(model, BaseEstimator) and hasattr(model, "fit") else None


def why_no_label_only(model: Any, X: Any, n_questions: int) -> str:
    """Why the label-only attack cannot ask about noisy copies of the records; empty where it can."""
    if not n_questions:
        return "n_questions is 0"
    if not hasattr(model, "fit"):
        return "it would ask the remote model about every record many times"
    if _checks.is_frame(X) and any(kind.kind not in "iuf" for kind in X.dtypes):
        return "it adds noise to numbers, and some columns hold none"
    return ""
