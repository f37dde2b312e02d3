"""A model in this process as a stranger sees it, with every question counted."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from mialab import _checks
from mialab._answers import BudgetExhausted


class Counted:
    """What the two counted black boxes share."""

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each record, (n,), of equally probable ones the first.

        It costs as many queries as `predict_proba`.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _told(self, of: str, left: int | None) -> str:
        """How many questions were asked of what, and how many are left."""
        queries = "query" if self.n_queries == 1 else "queries"
        return f"{self.n_queries:,} {queries} asked of {of}" + ("" if left is None else f", {left:,} left")


class QueryMeter(Counted):
    """A `QueryMeter` shows a model as a stranger sees it, and counts every record that is asked about.

    It has `predict_proba`, `predict` and `classes_` only.

    Parameters
    ----------
    model : anything with `predict_proba` and `classes_`.
    budget : how many records may be asked about, or None for any number.
    name : what its repr calls the model; by default the model's type.

    A call about more records than are left raises `BudgetExhausted` and counts none of them; a call that the model
    fails to answer counts none either. A record that is asked twice counts twice. Counts are per process: a copy in
    another process counts by itself.

    >>> from mialab import targets
    >>> model = targets.make("one-nn").fit([[0.0], [2.0]], ["a", "b"])
    >>> metered = QueryMeter(model, budget=10, name="the target")
    >>> metered.predict([[0.1], [1.9]]).tolist()
    ['a', 'b']
    >>> metered
    2 queries asked of the target, 8 left
    """

    def __init__(self, model: Any, budget: int | None = None, name: str | None = None):
        _checks.fitted("model", model)
        self._model = model
        self.budget = None if budget is None else _checks.whole_number("budget", budget, 0)
        self.name = type(model).__name__ if name is None else str(name)
        self.n_queries = 0
        self._lock = threading.Lock()

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the model's own answer, (n, n_classes), and count its n records."""
        n_records = len(X)
        with self._lock:
            left = self.queries_left
            if left is not None and n_records > left:
                raise BudgetExhausted.of(n_records, left)
            self.n_queries += n_records
        try:
            return self._model.predict_proba(X)
        except BaseException:
            with self._lock:
                self.n_queries -= n_records
            raise

    @property
    def classes_(self) -> np.ndarray:
        """Return the model's classes, (n_classes,), one for each column of `predict_proba`."""
        return self._model.classes_

    @property
    def queries_left(self) -> int | None:
        """Return how many records may still be asked about; None is any number."""
        return None if self.budget is None else self.budget - self.n_queries

    def __repr__(self) -> str:
        return self._told(self.name, self.queries_left)

    def __getattr__(self, name: str) -> Any:
        # Nothing else: a tree's nodes or a neighbour's records are not what a stranger sees.
        if name in ("n_features_in_", "feature_names_in_"):
            return getattr(self._model, name)
        raise AttributeError(f"a QueryMeter has no {name!r}; it shows what a stranger may see of the model")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())
