"""What may become of a black box's answer before a stranger reads it: rounded, cut to its largest, or refused.

The service does it as a setting, `mialab.defences` as a defence, and `mialab.search` meets the refusal.
"""

from __future__ import annotations

import numpy as np


class BudgetExhausted(RuntimeError):
    """A `BudgetExhausted` is raised where more records are asked about than the budget still covers.

    A request is refused whole.

    Attributes
    ----------
    left : how many records may still be asked about, or None where the service does not say.
    renews_in : seconds until the budget is whole again, or None where it never is.
    answers : (k, n_classes), the answers about the first k records where some batches were answered, and paid for,
        before one was refused; else None.

    >>> from mialab import targets
    >>> model = targets.make("one-nn").fit([[0.0], [2.0]], ["a", "b"])
    >>> QueryMeter(model, budget=1).predict_proba([[0.0], [1.0]])
    Traceback (most recent call last):
    mialab._answers.BudgetExhausted: 2 records and 1 queries are left: none was asked; ask about at most 1
    """

    def __init__(
        self,
        message: str,
        left: int | None = None,
        renews_in: float | None = None,
        answers: np.ndarray | None = None,
    ):
        super().__init__(message)
        self.left, self.renews_in, self.answers = left, renews_in, answers

    @classmethod
    def of(cls, n_records: int, left: int, renews_in: float | None = None) -> BudgetExhausted:
        """Return the refusal of a request about more records than are left."""
        sentence = f"{n_records} records and {left} queries are left: none was asked; ask about at most {left}"
        return cls(sentence, left, renews_in)


def coarsen(proba: np.ndarray, output: str, digits: int) -> np.ndarray:
    """What the service lets out of the model's probabilities, (n, n_classes).

    "probabilities": all, as they are; "rounded": to `digits` digits; "top-1": the largest of each row, the others 0;
    "label": 1 for the most probable class, the others 0. Of equally probable classes the first counts.
    """
    if output == "probabilities":
        return proba
    if output == "rounded":
        return np.round(proba, digits)
    if output == "top-1":
        return keep_largest(proba, 1)
    return np.eye(proba.shape[1])[proba.argmax(axis=1)]


def keep_largest(proba: np.ndarray, k: int) -> np.ndarray:
    """The k largest probabilities of each row and 0 for the others; of equal ones the first columns are kept."""
    rank = np.argsort(np.argsort(-proba, axis=1, kind="stable"), axis=1)
    return np.where(rank < k, proba, 0.0)
