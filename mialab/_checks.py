"""Validation that several modules share: return the clean value, or raise a ValueError that names it."""

from __future__ import annotations

from numbers import Integral, Real
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


def fraction(name: str, value: Any) -> float:
    """`value` as a float between 0 and 1, both included."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= 1:
        raise ValueError(f"{name} is {value!r}; it should be a number from 0 to 1")
    return float(value)


def records(name: str, X: Any, keep_frame: bool = False) -> Any:
    """`X` as an (n, n_features) float array without NaN; `keep_frame` leaves a pandas DataFrame as it is."""
    if keep_frame and hasattr(X, "columns") and hasattr(X, "isna"):
        missing = bool(X.isna().to_numpy().any())
    else:
        try:
            X = np.asarray(X, dtype=float)
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} is not a table of numbers; it should have shape (n_records, n_features)"
            ) from None
        if X.ndim != 2:
            raise ValueError(
                f"{name} has shape {X.shape}; it should be (n_records, n_features), "
                "so put a single record in a list: [record]"
            )
        missing = not np.isfinite(X).all()
    if missing:
        raise ValueError(f"{name} holds NaN or infinite values; every measurement should be a finite number")
    if len(X) == 0:
        raise ValueError(f"{name} holds no records; it should hold at least one")
    return X


def labels(name: str, y: Any, n_records: int) -> np.ndarray:
    """`y` as an (n_records,) array of class labels (numbers or strings), none missing."""
    y = np.asarray(y)
    if y.ndim != 1:
        raise ValueError(f"{name} has shape {y.shape}; it should be one label a record: ({n_records},)")
    if len(y) != n_records:
        raise ValueError(f"{name} holds {len(y)} labels for {n_records} records; it should hold one label a record")
    if any(label is None or label != label for label in y.tolist()):  # NaN alone differs from itself
        raise ValueError(f"{name} holds missing labels (NaN or None); every record needs a label")
    return y
