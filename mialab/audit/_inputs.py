"""The sets that an audit is given: read, checked against the model, and stacked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks

if TYPE_CHECKING:
    from mialab.shadows import Shadows

FEWEST = 10  # records on either side, below which nothing is attempted
FEWEST_PAIRS = 50  # of a member and a non-member that look alike, below which they are not judged
LEAST_LACKING = 4  # a quarter of the shadows lacks each record, or more
MOST_ROWS = 10_000_000  # that the label-only attack asks about, the shadows' answers included
FEWEST_QUESTIONS = 10  # about a record, below which it is not run


def read_set(name: str, records: Any, model: Any) -> tuple[Any, np.ndarray]:
    """One of the two sets, checked against the model."""
    _checks.fitted("model", model)
    if not isinstance(records, tuple | list) or len(records) != 2:
        raise ValueError(f"{name} should be a pair (X, y): the records and their recorded labels")
    X, y = records
    if X is None and isinstance(model, Recorded):
        X = np.empty((len(y), 0))
    else:
        X = _checks.named(name, _checks.candidates(f"the X of {name}", X), model)
    y = _checks.labels(f"the y of {name}", y, len(X))
    if len(y) < FEWEST:
        raise ValueError(f"{name} holds {len(y)} records; fewer than {FEWEST} say nothing")
    classes = np.asarray(model.classes_).tolist()
    strange = sorted({label for label in y.tolist() if label not in classes}, key=str)
    if strange:
        raise ValueError(f"{name} has labels that the model does not know, {strange[:5]}; it knows {classes}")
    return X, y


def overlap(X_in: Any, y_in: np.ndarray, X_out: Any, y_out: np.ndarray, allowed: bool) -> list[str]:
    """A note if some records are in both sets, for a twin may be another person; a ValueError if many are."""
    if not X_in.shape[1]:
        return ["Only answers and labels were given, so that nobody can say whether the two sets share records."]
    inside = {key: i for i, key in reversed(list(enumerate(_checks.identities(X_in, y_in))))}
    both = [(inside[key], j) for j, key in enumerate(_checks.identities(X_out, y_out)) if key in inside]
    if not both:
        return []
    rows = ", ".join(f"{i} = {j}" for i, j in both[:3])
    found = f"{len(both)} of {len(y_out)} non-members are equal to a member (rows {rows}, counted from 0)"
    many = len(both) > 0.05 * len(y_out)
    if many and not allowed:
        raise ValueError(
            f"members and non_members overlap: {found}; take from each what is in the other, or, where equal records "
            "are of different people, pass allow_overlap=True"
        )
    more = " That is above 5%, and was allowed by whoever ran the audit: it hides a part of any leak." if many else ""
    return [f"{found}. They were left in: equal records may be of two people, and no attack can tell them apart.{more}"]


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


def read_groups(groups: Any, members: Any, non_members: Any, n_in: int, n_out: int) -> np.ndarray | None:
    """One group a record, members first: from the column of that name in both frames, or from a pair of arrays."""
    if groups is None:
        return None
    if isinstance(groups, str):
        frames = members[0], non_members[0]
        if not all(_checks.is_frame(X) and groups in X.columns for X in frames):
            raise ValueError(f"groups is {groups!r}; both sets should be frames with a column of that name")
        groups = tuple(X[groups].astype(str).to_numpy() for X in frames)
    if not isinstance(groups, tuple | list) or len(groups) != 2:
        raise ValueError("groups should be a column's name, or a pair: one group for each member, and non-member")
    names = ("groups of members", "groups of non_members")
    return np.concatenate([_checks.labels(*each) for each in zip(names, groups, (n_in, n_out), strict=True)])


class Remembered:
    """The model, which is asked about the audited records once and remembers."""

    def __init__(self, model: Any, X: Any):
        self.model, self.X = model, X
        self.classes_ = model.classes_
        self.proba = _checks.answers(model, X)
        if hasattr(model, "n_features_in_"):
            self.n_features_in_ = model.n_features_in_

    def predict_proba(self, X: Any) -> np.ndarray:
        frames = _checks.is_frame(X) and _checks.is_frame(self.X)
        same = X is self.X or (X.equals(self.X) if frames else np.array_equal(X, self.X))
        return self.proba if same else self.model.predict_proba(X)


class Recorded:
    """Answers that were recorded, in the place of a model: two tables of probabilities, one column a class."""

    def __init__(self, answers: tuple[Any, Any], labels: tuple[Any, Any]):
        columns = [list(table.columns) for table in answers if _checks.is_frame(table)]
        if len(columns) == 2 and columns[0] != columns[1]:
            raise ValueError(f"the two tables of answers have different columns, {columns[0]} and {columns[1]}")
        known = [_checks.labels("y", y) for y in labels]
        self.classes_ = np.asarray(columns[0]) if columns else np.unique(np.concatenate(known))
        tables = [_checks.numbers("the answers", table, "they should be probabilities") for table in answers]
        for table, y in zip(tables, known, strict=True):
            wanted = (len(y), len(self.classes_))
            if table.shape != wanted:
                raise ValueError(
                    f"a table of answers has shape {table.shape}; it should be {wanted}, one row a record and one "
                    f"column a class, {self.classes_.tolist()}; a frame names its classes by its columns"
                )
        self.table = np.concatenate(tables)

    def predict_proba(self, X: Any) -> np.ndarray:
        return self.table


def recipe(model: Any, estimator: Any) -> tuple[Any, str]:
    """How to train such a model, an unfitted estimator or a function of random_state; or None, and why not."""
    from mialab.targets import fresh

    if estimator is not None:
        if isinstance(estimator, type) or not (hasattr(estimator, "fit") or callable(estimator)):
            raise ValueError(f"estimator is {estimator!r}; it should be an unfitted estimator, or a function of a seed")
        return estimator, ""
    if not hasattr(model, "fit"):
        return None, "the model cannot be trained here, and no estimator was given"
    try:
        return fresh(model, 0), ""
    except ValueError as error:
        return None, str(error)


def shadow_size(n_members: int | None, n_in: int, n: int, n_shadows: int) -> int:
    """How many records train each shadow: as many as trained the model, as far as each record can be in and out.

    A quarter of the shadows lacks each record, or more, and two at the least; as many have it.
    """
    least = max(2, n_shadows // LEAST_LACKING)
    smallest, largest = -(-least * n // n_shadows), n - -(-least * n // n_shadows)
    if n_members is None:
        return int(np.clip(n_in, smallest, largest))
    smallest, largest = -(-2 * n // n_shadows), n - -(-2 * n // n_shadows)
    return _checks.whole_number("n_members", n_members, smallest, largest)


def label_only(model: Any, X: Any, n_questions: int, shadows: Shadows) -> tuple[int, str]:
    """How many questions about a record the label-only attack may ask, and why none or fewer than was wished."""
    if not n_questions:
        return 0, "n_questions is 0"
    if not hasattr(model, "fit"):
        return 0, "it would ask the remote model about every record many times"
    if not shadows.has_models:
        return 0, "the shadows came from a file, without their models"
    numbers = X.select_dtypes("number") if _checks.is_frame(X) else X
    if not numbers.shape[1]:
        return 0, "it adds noise to numbers, and the columns hold none"
    try:
        _checks.records("X", numbers)
    except ValueError:
        return 0, "it adds noise to numbers, and some are missing or none"
    affordable = MOST_ROWS // (len(X) * (1 + min(16, len(shadows))))
    if n_questions <= affordable:
        return n_questions, ""
    if affordable < FEWEST_QUESTIONS:
        return 0, f"{len(X):,} records would take more than {MOST_ROWS:,} questions"
    return affordable, f"asked {affordable} times about a record, not {n_questions}, to stay below {MOST_ROWS:,} rows"
