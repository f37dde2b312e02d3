"""Validation that several modules share: return the clean value, or raise a ValueError that names it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from numbers import Integral, Number, Real
from typing import Any

import numpy as np


def generator(random_state: int | np.random.Generator | None) -> np.random.Generator:
    """The generator that `random_state` stands for: an int seeds a new one, None makes an unseeded one."""
    if isinstance(random_state, np.random.Generator):
        return random_state
    is_seed = isinstance(random_state, Integral) and not isinstance(random_state, bool) and random_state >= 0
    if random_state is None or is_seed:
        return np.random.default_rng(random_state)
    raise ValueError(
        f"random_state is {random_state!r}; it should be an int of 0 or more, a numpy.random.Generator, or None"
    )


def whole_number(name: str, value: Any, low: int, high: int | None = None) -> int:
    """`value` as an int between `low` and `high`, both included."""
    wanted = f"a whole number of {low} or more" if high is None else f"a whole number from {low} to {high}"
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or value < low or (high is not None and value > high):
        raise ValueError(f"{name} is {value!r}; it should be {wanted}")
    return int(value)


def number(
    name: str, value: Any, low: float = 0, high: float = np.inf, *, above: bool = False, below: bool = False
) -> float:
    """`value` as a finite float from `low` to `high`; with `above` or `below` that end itself is not in the range."""
    if high == np.inf:
        wanted = f"a finite number above {low:g}" if above else f"a finite number of {low:g} or more"
    elif above or below:
        wanted = f"{'above' if above else 'at least'} {low:g} and {'below' if below else 'at most'} {high:g}"
    else:
        wanted = f"a number from {low:g} to {high:g}"
    is_number = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(value)
    if not is_number or not low <= value <= high or (above and value == low) or (below and value == high):
        raise ValueError(f"{name} is {value!r}; it should be {wanted}")
    return float(value)


def fraction(name: str, value: Any) -> float:
    """`value` as a float between 0 and 1, both included."""
    return number(name, value, 0, 1)


def one_of(name: str, value: Any, allowed: Iterable[str]) -> str:
    """`value`, if it is one of the `allowed` texts."""
    allowed = list(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} is {value!r}; it should be one of {', '.join(map(repr, allowed))}")
    return value


def flag(name: str, value: Any) -> bool:
    """`value` as True or False; "no" is no flag, for every text that is not empty counts as true."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} is {value!r}; it should be True or False")
    return bool(value)


def numbers(name: str, values: Any, wanted: str) -> np.ndarray:
    """`values` as a new float array, refused where NumPy would drop a part or guess; `wanted` ends the message.

    Dropped in silence otherwise: the imaginary part, a mask, the unit of a date, the digits of an integer
    beyond 2**53 (two of them may become one float). Guessed: the number that a text spells.
    """
    refuse_masked(name, values)
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        raise ValueError(f"{name} holds rows of unequal length; {wanted}") from None
    every = array.ravel().tolist() if array.dtype.kind not in "biuf" else []
    strange = [value for value in every if not isinstance(value, Real | np.bool_ | Decimal)]
    if array.dtype.kind not in "biufO" or strange:
        kind = f"{type(strange[0]).__name__} values such as {strange[0]!r}" if strange else f"{array.dtype} values"
        raise ValueError(f"{name} holds {kind}, which are not plain numbers; {wanted}")
    whole = array if array.dtype.kind in "iu" else np.array([v for v in every if isinstance(v, Integral)], object)
    if ((whole > 2**53) | (whole < -(2**53))).any():
        raise ValueError(
            f"{name} holds integers beyond 2**53, some of which are equal as floats; {wanted} (use ranks instead)"
        )
    return array.astype(float)


def refuse_masked(name: str, values: Any) -> None:
    """Raise a ValueError for an array with masked values, whose mask NumPy would forget."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):  # pandas arrays have masks that NumPy reads
        raise ValueError(f"{name} holds masked values; leave those records out, or fill them on purpose")


def is_frame(X: Any) -> bool:
    """Whether X is a pandas DataFrame, asked without importing pandas."""
    return hasattr(X, "columns") and hasattr(X, "iloc")


def take(X: Any, rows: Any) -> Any:
    """These rows of an array or of a frame, by position."""
    return X.iloc[rows] if is_frame(X) else X[rows]


def identities(X: Any, y: np.ndarray) -> list[tuple]:
    """Each record as a tuple of its measurements and its label: equal records have equal ones, NaN equal to NaN."""
    rows = X.to_numpy(dtype=object) if is_frame(X) else X
    rows = np.where(_missing(X), None, rows) if rows.dtype.kind in "fO" else rows
    return [(*row, label) for row, label in zip(rows.tolist(), y.tolist(), strict=True)]


def _missing(X: Any) -> np.ndarray:
    """Which cells hold NaN or another missing value."""
    if is_frame(X):
        return X.isna().to_numpy()
    return np.isnan(X) if X.dtype.kind == "f" else X != X


def fingerprint(X: Any, y: np.ndarray) -> str:
    """A hash of records and labels in their order (SHA-256), the same for a frame and for the array of its numbers."""
    columns = [X.iloc[:, j].to_numpy() for j in range(X.shape[1])] if is_frame(X) else list(X.T)
    digest = hashlib.sha256(repr((X.shape, y.tolist())).encode())
    for column in columns:
        plain = column.astype(float).tobytes() if column.dtype.kind in "biuf" else repr(column.tolist()).encode()
        digest.update(plain)
    return digest.hexdigest()


def records(name: str, X: Any) -> np.ndarray:
    """`X` as an (n, n_features) float array of finite numbers."""
    refuse_shapes(name, X)
    X = numbers(name, X, "it should be a table of numbers, (n_records, n_features)")
    refuse_shapes(name, X)
    if not np.isfinite(X).all():
        raise ValueError(f"{name} holds NaN or infinite values; every measurement should be a finite number")
    return X


def candidates(name: str, X: Any) -> Any:
    """Records for a model to read: a frame, or an array (n, n_features) whose dtype stays as it was given.

    A list becomes an array of floats. NaN, infinity, text and categories are the model's to read (see `reading`).
    """
    refuse_shapes(name, X)
    if not is_frame(X):
        given = isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "biufOU"
        if given:
            refuse_masked(name, X)
        X = X if given else numbers(name, X, "it should be a table of numbers, (n_records, n_features)")
        refuse_shapes(name, X)
    return X


def refuse_shapes(name: str, X: Any) -> None:
    """Raise a ValueError for what is no table of one value a cell, and say how to make it one."""
    if hasattr(X, "tocsr"):
        raise ValueError(f"{name} is a sparse matrix; pass an array, {name}.toarray(), or a frame")
    if hasattr(X, "to_pandas") and not hasattr(X, "iloc"):
        raise ValueError(f"{name} is a {type(X).__module__.split('.')[0]} frame; pass a pandas one, {name}.to_pandas()")
    if isinstance(X, list | tuple) and len(X) and isinstance(X[0], str):
        raise ValueError(f"{name} is a list of texts; pass a frame with a column of them, for a pipeline to read")
    if is_frame(X):
        nested = [column for column in X if X[column].dtype == object and X[column].map(_has_parts).any()]
        if nested:
            raise ValueError(f"{name} has cells that hold several values, in {nested}; give each value its own column")
    elif isinstance(X, np.ndarray) and X.ndim > 2:
        raise ValueError(
            f"{name} has shape {X.shape}; it should be (n_records, n_features): pass {name}.reshape(len({name}), -1), "
            "and let the model give it its shape again"
        )
    elif isinstance(X, np.ndarray) and X.ndim < 2:
        raise ValueError(
            f"{name} has shape {X.shape}; it should be (n_records, n_features), "
            "so put a single record in a list: [record]"
        )
    elif isinstance(X, np.ndarray) and X.dtype == object and any(map(_has_parts, X.ravel().tolist())):
        raise ValueError(f"{name} has cells that hold several values; give each value its own column")
    if hasattr(X, "__len__") and len(X) == 0:
        raise ValueError(f"{name} holds no records; it should hold at least one")


def _has_parts(cell: Any) -> bool:
    return isinstance(cell, list | tuple | dict | set | np.ndarray)


@contextmanager
def reading(X: Any) -> Iterator[None]:
    """Where a model fails on missing values or on columns that hold no numbers, raise a ValueError that says so."""
    try:
        yield
    except Exception as error:
        columns = X.items() if is_frame(X) else enumerate(X.T)
        strange = [name for name, column in columns if not _holds_numbers(column)]
        words = f"and the model could not read it ({str(error).partition(chr(10))[0]})"
        if strange:
            raise ValueError(
                f"X has columns that hold no numbers, {strange[:5]}, {words}; "
                "encode them in a pipeline, or leave them out"
            ) from error
        if _missing(X).any() or (X.isin([np.inf, -np.inf]).to_numpy() if is_frame(X) else np.isinf(X)).any():
            raise ValueError(f"X holds NaN or infinite values, {words}; impute them in a pipeline") from error
        raise


def _holds_numbers(column: Any) -> bool:
    """Whether a column's values, but for the missing ones, are numbers."""
    if getattr(column.dtype, "kind", "O") != "O":
        return column.dtype.kind in "biuf"
    return all(isinstance(value, Real) or _is_missing(value) for value in list(column))


def named(name: str, X: Any, model: Any) -> Any:
    """The columns of a frame that the model was trained on, in its order; ValueError where one is missing."""
    if not is_frame(X):
        return X
    known = getattr(model, "feature_names_in_", None)
    if known is None and set(getattr(model, "feature_names_", ())) <= set(X.columns):  # CatBoost's, if it has any
        known = getattr(model, "feature_names_", None)
    if known is None or list(X.columns) == list(known):
        return X
    missing = [column for column in known if column not in X.columns]
    if missing:
        raise ValueError(f"{name} has no column {', '.join(map(repr, missing))}, which the model was trained on")
    return X[list(known)]


def labels(name: str, y: Any, n_records: int | None = None) -> np.ndarray:
    """`y` as an (n_records,) array of class labels: all numbers or all strings, none missing."""
    refuse_masked(name, y)
    is_typed = getattr(getattr(y, "dtype", None), "kind", "O") in "biuU"
    try:
        # As they are: NumPy would make the texts "1" and "nan" of a 1 and a NaN in a list with texts.
        each, y = np.asarray(y, dtype=object), np.asarray(y)
    except (TypeError, ValueError):
        raise ValueError(f"{name} holds labels of unequal length; it should be one label a record") from None
    if y.ndim != 1:
        n = "n_records" if n_records is None else n_records
        raise ValueError(f"{name} has shape {y.shape}; it should be one label a record: ({n},)")
    if n_records is not None and len(y) != n_records:
        raise ValueError(f"{name} holds {len(y)} labels for {n_records} records; it should hold one label a record")
    if is_typed and y.dtype.kind in "biuU":
        return y  # all are of one kind, and none can be missing: no need to look at each
    if any(_is_missing(label) for label in each):
        raise ValueError(f"{name} holds missing labels (NaN or None); every record needs a label")
    strange = [label for label in each if not isinstance(label, str | Real | np.bool_)]
    if strange or y.dtype.kind in "mM":
        example = repr(strange[0]) if strange else y.dtype
        raise ValueError(f"{name} holds {example}; every label should be a number or a string")
    if len({isinstance(label, str) for label in each}) > 1:
        raise ValueError(f"{name} mixes numbers and strings; its labels should be all of one kind")
    return y


def member_masks(name: str, masks: Any, n: int, at_least: int = 1) -> np.ndarray:
    """`masks` as a (K, n) bool array with at least so many members in each row."""
    masks = np.asarray(masks)
    if masks.dtype != bool:
        raise ValueError(f"{name} holds {masks.dtype} values; it should hold True for a member, False for any other")
    if masks.ndim != 2 or masks.shape[1] != n or len(masks) == 0:
        raise ValueError(
            f"{name} has shape {masks.shape}; it should be (K, {n}), one row a model and at least one model"
        )
    members = masks.sum(axis=1)
    if members.min() < at_least:
        raise ValueError(f"{name}[{members.argmin()}] has {members.min()} members; it should have {at_least} or more")
    return masks


def _is_missing(label: Any) -> bool:
    """None, NaN, or the missing values of pandas (known by name, for pandas is not imported here)."""
    unequal_to_itself = isinstance(label, Number) and label != label
    return label is None or unequal_to_itself or type(label).__name__ in ("NAType", "NaTType")


def fitted(name: str, model: Any) -> None:
    """Raise a ValueError unless `model` has `predict_proba` and, once fitted, `classes_`."""
    if isinstance(model, type):
        raise ValueError(
            f"{name} is the class {model.__name__}; it should be a fitted model, {model.__name__}().fit(X, y)"
        )
    if not hasattr(model, "predict_proba") and _is_regressor(model):
        raise ValueError(
            f"{name} ({type(model).__name__}) is a regressor, which answers with a number; these attacks judge "
            "classifiers, by the probabilities of their classes"
        )
    if not hasattr(model, "classes_"):
        raise ValueError(
            f"{name} ({type(model).__name__}) has no classes_; it should be a fitted classifier, "
            "so call its fit(X, y) first"
        )
    if not callable(getattr(model, "predict_proba", None)):
        raise ValueError(
            f"{name} ({type(model).__name__}) has no predict_proba; an attack needs class probabilities "
            "(scikit-learn's CalibratedClassifierCV adds them)"
        )


def _is_regressor(model: Any) -> bool:
    from sklearn.base import is_regressor

    try:
        return is_regressor(model)
    except (AttributeError, TypeError):  # whatever has no tags
        return False


def answers(model: Any, X: Any) -> np.ndarray:
    """The model's class probabilities for X, (n, n_classes), checked on the way in and on the way out."""
    fitted("model", model)
    X = named("X", candidates("X", X), model)  # a pipeline may pick its columns by name
    n_features = getattr(model, "n_features_in_", X.shape[1])
    if X.shape[1] != n_features:
        raise ValueError(f"X has {X.shape[1]} columns; the model was trained on {n_features}")
    with reading(X):
        answer = model.predict_proba(X)
    answered, wanted = "model.predict_proba(X)", "it should hold probabilities from 0 to 1"
    probabilities = numbers(answered, answer, wanted)
    expected = (len(X), len(model.classes_))
    if probabilities.shape != expected:
        raise ValueError(
            f"{answered} has shape {probabilities.shape}; it should be {expected}, "
            "one row a record and one column for each of model.classes_"
        )
    if np.isnan(probabilities).any():
        raise ValueError(f"{answered} holds NaN; {wanted}")
    outside = probabilities[(probabilities < -1e-6) | (probabilities > 1 + 1e-6)]  # to within single precision
    if outside.size:
        raise ValueError(f"{answered} holds {outside[0]:.4g}; {wanted} (are these logits?)")
    return probabilities  # a row need not sum to 1: a defence may answer with the largest few only
