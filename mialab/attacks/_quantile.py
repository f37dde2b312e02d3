"""The quantile attack: one regression says how sure the model would be of each record, had it been a stranger."""

from __future__ import annotations

from typing import Any

import numpy as np

from mialab import _checks
from mialab._threads import one_thread
from mialab.attacks._contract import Attack, ThreatModel
from mialab.attacks._signals import columns, log_odds, true_class_confidence
from mialab.targets import fresh


class QuantileAttack(Attack):
    """The quantile attack asks: is the model surer of this record than of all but few strangers that look like it?

    It asks the target about records that were no members, and trains one regression on the log-odds of their recorded
    labels: from measurements and label it estimates the value that only a share `fpr` of such strangers exceeds. The
    score is by how much the candidate's own log-odds exceed that value: above 0 it is called a member, at about that
    false-positive rate, wherever among the records it lies. No model is trained but this one.

    Parameters
    ----------
    fpr : the false-positive rate at which the regression aims, between 0 and 1. About 1 / fpr strangers or more are
        needed to see it. Ranked by score, records may be called at any other rate.
    regressor : an unfitted regressor of that quantile, or a function of random_state that returns one; by default
        scikit-learn's HistGradientBoostingRegressor with loss="quantile" and quantile=1 - fpr.
    random_state : an int or None, for regressors that take one.

    `fit(target, strangers=(X, y))` takes records that were no members, with their labels; they should not be among the
    candidates, whose scores they would lower. In `mialab.trials.run_trials` they are those that `n_others` sets aside.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> parts = data.split(flowers.X, flowers.y, n_members=75, random_state=0)
    >>> model = targets.make("knn-lookup").fit(parts.X_in, parts.y_in)
    >>> attack = QuantileAttack(fpr=0.2).fit(model, strangers=(parts.X_out[::2], parts.y_out[::2]))
    >>> members = attack.score_samples(parts.X_in, parts.y_in)
    >>> others = attack.score_samples(parts.X_out[1::2], parts.y_out[1::2])
    >>> bool(members.mean() > others.mean() + 1)
    True

    References
    ----------
    Bertran, Tang, Kearns, Morgenstern, Roth, Wu, "Scalable Membership Inference Attacks via Quantile Regression",
    NeurIPS 2023. There the regression reads the measurements alone; here it is told the recorded label as well.
    """

    threat_model = ThreatModel(true_label=True, other_records=True)

    def __init__(self, fpr: float = 0.1, regressor: Any = None, random_state: int | None = 0):
        self.fpr = _checks.number("fpr", fpr, 0, 1, above=True, below=True)
        if isinstance(regressor, type) or not (regressor is None or hasattr(regressor, "fit") or callable(regressor)):
            raise ValueError(f"regressor is {regressor!r}; it should be an unfitted regressor, or None")
        self.regressor = regressor
        self.random_state = None if random_state is None else _checks.whole_number("random_state", random_state, 0)

    def fit(self, target: Any, shadows: Any = None, strangers: tuple[Any, Any] | None = None) -> QuantileAttack:
        """Ask `target` about the `strangers`, (X, y), and train the regression; `shadows` are not used.

        It raises ValueError where `strangers` are missing, and for labels that the target does not know.
        """
        super().fit(target)
        if not isinstance(strangers, tuple | list) or len(strangers) != 2:
            raise ValueError(
                f"strangers is {type(strangers).__name__}; a QuantileAttack learns from records that were no members, "
                "so pass a pair (X, y) of them and their labels (in run_trials, set n_others)"
            )
        regressor = self._default() if self.regressor is None else self.regressor
        self.regressor_ = fresh(regressor, self.random_state)
        with one_thread():
            self.regressor_.fit(*self._read(*strangers))
        return self

    def score_samples(self, X: Any, y: Any, index: Any = None) -> np.ndarray:
        """Return by how much each record's log-odds exceed what strangers like it seldom reach, (n,)."""
        features, odds = self._read(X, y)
        with one_thread():
            return odds - self.regressor_.predict(features)

    def _default(self) -> Any:
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(loss="quantile", quantile=1 - self.fpr)

    def _read(self, X: Any, y: Any) -> tuple[Any, np.ndarray]:
        """What the regression reads of each record, measurements and label; and the target's log-odds of the label."""
        target = self._fitted_target()
        odds = log_odds(true_class_confidence(target, X, y))
        X = _checks.candidates("X", X)
        label = np.eye(len(target.classes_))[columns(target, y, len(X))]
        if not _checks.is_frame(X):
            return np.hstack([X, label]), odds
        names = {f"label is {name}": label[:, j] for j, name in enumerate(np.asarray(target.classes_).tolist())}
        text = [column for column, kind in X.dtypes.items() if kind.kind not in "biuf"]
        return X.astype(dict.fromkeys(text, "category")).assign(**names), odds
