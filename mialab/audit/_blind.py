"""The blind baseline: how well members and strangers are told apart by whoever never asks the model.

Where the two sets differ of themselves, whatever a model answers differs too, and an attack seems to find a leak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 5
MOST = 4000  # records that train a fold
CALIPER = 0.1  # standard deviations of the blind score by which a pair may differ
BINS = 10


def plain_table(X: Any, y: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Every column, and the label, as ranks from -1/2 to 1/2, (n, n_columns + 1), and their names.

    Equal values have equal ranks; texts stand in the order of the alphabet, what is missing stands last.
    """
    frame = _checks.is_frame(X)
    columns = [X.iloc[:, j].to_numpy() for j in range(X.shape[1])] if frame else list(X.T)
    names = [str(name) for name in X.columns] if frame else [f"column {j}" for j in range(X.shape[1])]
    ranks = [_ranks(column) for column in [*columns, y]]
    return np.column_stack(ranks), [*names, "the label"]


def _ranks(column: np.ndarray) -> np.ndarray:
    if column.dtype.kind not in "biuf":
        column = np.array([str(value) for value in column.tolist()])
    _, rank, counts = np.unique(column, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    return middle[rank] / max(1, len(column) - 1) - 0.5


def blind_scores(table: np.ndarray, is_member: np.ndarray, random_state: int) -> np.ndarray:
    """The probability of "member" by boosted trees and a logistic regression that read the records alone, (n,).

    Each record is judged by classifiers that did not see it (cross-validation in five parts).
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    rng, scores = np.random.default_rng(random_state), np.empty(len(table))
    parts = StratifiedKFold(min(FOLDS, np.bincount(is_member).min()), shuffle=True, random_state=random_state)
    for known, judged in parts.split(table, is_member):
        known = rng.permutation(known)[:MOST]
        trees = HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=30, max_leaf_nodes=4, random_state=random_state
        )
        models = [one.fit(table[known], is_member[known]) for one in (trees, LogisticRegression(C=0.1, max_iter=300))]
        scores[judged] = np.mean([one.predict_proba(table[judged])[:, 1] for one in models], axis=0)
    return scores


def giveaways(table: np.ndarray, names: list[str], is_member: np.ndarray) -> pd.DataFrame:
    """Columns whose values are spread differently among members and strangers, the most different first.

    `apart` is the share by which the two spreads differ (total variation, over tenths of the records), `chance` the
    probability of so large a difference by luck (χ², times the number of columns); those below 5% are listed.
    """
    import pandas as pd
    from scipy.stats import chi2_contingency

    rows = []
    for name, column in zip(names, table.T, strict=True):
        edges = np.unique(np.quantile(column, np.arange(1, BINS) / BINS))
        bins = np.searchsorted(edges, column, side="left")
        counts = np.array([np.bincount(bins[group], minlength=len(edges) + 1) for group in (is_member, ~is_member)])
        counts = counts[:, counts.sum(axis=0) > 0]
        if counts.shape[1] > 1:
            shares = counts / counts.sum(axis=1, keepdims=True)
            chance = min(1.0, len(names) * chi2_contingency(counts).pvalue)
            rows.append({"column": name, "apart": float(abs(shares[0] - shares[1]).sum() / 2), "chance": chance})
    found = pd.DataFrame(rows, columns=["column", "apart", "chance"])
    return found[found["chance"] < 0.05].sort_values("apart", ascending=False, kind="stable", ignore_index=True)


def matched(blind: np.ndarray, is_member: np.ndarray, random_state: int) -> np.ndarray:
    """Rows of members and strangers in pairs that the blind score cannot tell apart, sorted."""
    order = np.random.default_rng(random_state).permutation(len(blind))
    near, waiting, kept = CALIPER * blind.std(), [], []
    for i in order[np.argsort(blind[order], kind="stable")].tolist():
        if waiting and is_member[waiting[-1]] != is_member[i]:
            j = waiting.pop()
            if blind[i] - blind[j] <= near:
                kept += [i, j]
                continue
            waiting.clear()  # those that wait longer are further still
        waiting.append(i)
    return np.array(sorted(kept), dtype=int)
