"""Where candidates stand in the pool on which shadows were trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks

if TYPE_CHECKING:
    from mialab.shadows import Shadows


def rows_in_pool(shadows: Shadows, X: Any, y: Any, index: Any = None) -> np.ndarray:
    """The row of each candidate in the shadows' pool, (n,), or -1 where it is not in it.

    A record is found by its measurements and its label; of twins the first is meant, unless `index` names the rows.
    """
    X = _checks.candidates("X", X)
    if _checks.is_frame(X) and _checks.is_frame(shadows.X) and set(X.columns) >= set(shadows.X.columns):
        X = X[list(shadows.X.columns)]
    y = _checks.labels("y", y, len(X))
    if X.shape[1] != shadows.X.shape[1]:
        raise ValueError(f"X has {X.shape[1]} columns; the records of the shadows' pool have {shadows.X.shape[1]}")
    if index is not None:
        return _named_rows(shadows, X, y, np.asarray(index))
    n, which = len(shadows.y), np.zeros(len(shadows.y) + len(y), dtype=int)
    for of_pool, own in (*zip(_columns(shadows.X), _columns(X), strict=True), (shadows.y, y)):
        value = _numbered(np.concatenate([of_pool, own]))
        which = np.unique(which * (value.max() + 1) + value, return_inverse=True)[1]  # equal so far: equal numbers
    first = np.unique(which, return_index=True)[1][which[n:]]
    return np.where(first < n, first, -1)


def _named_rows(shadows: Shadows, X: Any, y: np.ndarray, index: np.ndarray) -> np.ndarray:
    """`index`, if it names the rows of these very records."""
    if index.dtype.kind not in "iu" or index.shape != (len(y),):
        raise ValueError("index names rows of the shadows' pool; it should be one whole number a record")
    for i in (index.min(), index.max()):
        _checks.whole_number("index", int(i), 0, len(shadows.y) - 1)
    pool = _columns(_checks.take(shadows.X, index))
    if not all(_equal(a, b) for a, b in ((shadows.y[index], y), *zip(pool, _columns(X), strict=True))):
        raise ValueError("index names rows of the shadows' pool that are not the records of X, y in their order")
    return index


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether all values are the same, a missing one as another."""
    return bool(((a == b) | ((a != a) & (b != b))).all())


def _columns(X: Any) -> list[np.ndarray]:
    """Each column of an array or of a frame."""
    return [X.iloc[:, j].to_numpy() for j in range(X.shape[1])] if _checks.is_frame(X) else list(X.T)


def _numbered(values: np.ndarray) -> np.ndarray:
    """A whole number for each value, the same for equal ones."""
    if values.dtype.kind != "O":
        return np.unique(values, return_inverse=True)[1]
    import pandas as pd  # values of several kinds have no order

    return pd.factorize(values, use_na_sentinel=False)[0]
