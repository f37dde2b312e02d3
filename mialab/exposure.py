"""This module measures exposure: how much models with and without a single record give away about it.

Notebook 12 draws the map of the garden from it, notebook 18 takes records out and measures again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mialab import _checks
from mialab.metrics import Z95, auc_error, placements

if TYPE_CHECKING:
    import pandas as pd

    from mialab.shadows import Shadows


@dataclass(frozen=True, eq=False, repr=False)
class Exposure:
    """An `Exposure` says of each of n records how differently K models answer about it with and without it as a member.

    Attributes
    ----------
    in_mask : (K, n) bool, True where the record was a member of that model.
    confidence : (K, n), each model's confidence in the recorded label of each record.
    auc : (n,), how often a model with the record is surer of it than a model without it; 0.5 tells nothing.
    se : (n,) standard error of `auc`, 0 where the two never overlap (DeLong et al. 1988).
    confidence_in, confidence_out : (n,) mean confidence of the models with and without it.

    >>> from mialab import shadows, targets
    >>> X, y = [[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]], ["a", "a", "b", "b", "b", "b"]  # record 2 stands out
    >>> garden = exposure(shadows.train_shadows(targets.make("one-nn"), X, y, n_shadows=8, random_state=0))
    >>> garden.auc.round(2).tolist(), garden.story(2)[0].tolist()
    ([0.5, 0.5, 1.0, 0.5, 0.5, 0.5], [1.0, 1.0, 1.0, 1.0])
    """

    in_mask: np.ndarray
    confidence: np.ndarray
    auc: np.ndarray
    se: np.ndarray
    confidence_in: np.ndarray
    confidence_out: np.ndarray

    def story(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the confidence in record i of the models that had it as a member, and of those that had not.

        These are two arrays, (n_with,) and (n_without,). It raises ValueError for a record that there is not.
        """
        i = _checks.whole_number("i", i, 0, len(self.auc) - 1)
        return self.confidence[self.in_mask[:, i], i], self.confidence[~self.in_mask[:, i], i]

    @property
    def frame(self) -> pd.DataFrame:
        """Return a DataFrame with one row a record, and the columns auc, se, confidence_in and confidence_out."""
        import pandas as pd

        return pd.DataFrame({name: getattr(self, name) for name in ("auc", "se", "confidence_in", "confidence_out")})

    def __repr__(self) -> str:
        most = int(np.argmax(self.auc))
        return (
            f"exposure of {len(self.auc)} records over {len(self.in_mask)} models: on average {self.auc.mean():.3f}, "
            f"most exposed record {most} with {self.auc[most]:.3f}; {(self.auc > 0.9).sum()} above 0.9"
        )


def exposure(shadows: Shadows) -> Exposure:
    """Measure the exposure of each record of the pool on which `shadows` (of any kind of model) were trained.

    This is the in/out AUC of one record over many models, which says who is at risk; the AUC of an attack on one model,
    over many records, is an average that can hide them (Carlini et al. 2022, section VI-D and figure 13).

    It raises ValueError where a record was in fewer than 2 models, or in all but fewer than 2.

    >>> from mialab import shadows, targets
    >>> X, y = [[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]], ["a", "a", "b", "b", "b", "b"]  # record 2 stands out
    >>> exposure(shadows.train_shadows(targets.make("one-nn"), X, y, n_shadows=8, random_state=0))
    exposure of 6 records over 8 models: on average 0.583, most exposed record 2 with 1.000; 1 above 0.9
    """
    from mialab.shadows import Shadows

    if not isinstance(shadows, Shadows):
        kind = type(shadows).__name__
        raise ValueError(f"shadows is {kind}; it should be what mialab.shadows.train_shadows returns")
    return _measured(shadows.in_mask, shadows.confidence_in_label)


def _measured(in_mask: np.ndarray, confidence: np.ndarray) -> Exposure:
    """The exposure of n records, from who trained K models and how sure each is of each record, both (K, n)."""
    n_in = in_mask.sum(axis=0)
    few = np.flatnonzero(np.minimum(n_in, len(in_mask) - n_in) < 2)
    if len(few):
        raise ValueError(
            f"record {few[0]} was a member of {n_in[few[0]]} of the {len(in_mask)} shadows; at least 2 with it and 2 "
            "without it are needed, so train more shadows on about half of the pool"
        )
    pairs = zip(confidence.T, in_mask.T, strict=True)
    each = [placements(seen[inside], seen[~inside]) for seen, inside in pairs]
    auc, se = np.array([(beats.mean(), auc_error((beats, beaten))) for beats, beaten in each]).T
    means = (confidence.mean(axis=0, where=chosen) for chosen in (in_mask, ~in_mask))
    return Exposure(in_mask, confidence, auc, se, *means)


def stream_exposure(
    model: Any,
    X: Any,
    y: Any,
    n_shadows: int,
    *,
    batch: int = 1024,
    random_state: int | np.random.Generator | None = None,
    **settings: Any,
) -> Exposure:
    """Measure exposure over so many shadows that they cannot all be kept: train a batch, note its answers, forget it.

    What is kept of each shadow is its confidence in the recorded label of each record, and who its members were: 9
    bytes a record. `model` and `settings` are those of `mialab.shadows.train_shadows`. It raises ValueError as that and
    `exposure` do.

    >>> from mialab import targets
    >>> X, y = [[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]], ["a", "a", "b", "b", "b", "b"]  # record 2 stands out
    >>> stream_exposure(targets.make("one-nn"), X, y, n_shadows=40, batch=10, random_state=0)
    exposure of 6 records over 40 models: on average 0.613, most exposed record 2 with 1.000; 1 above 0.9
    """
    from mialab.shadows import train_shadows

    n_shadows, rng = _checks.whole_number("n_shadows", n_shadows, 4), _checks.generator(random_state)
    kept, batch = [], _checks.whole_number("batch", batch, 1)
    for start in range(0, n_shadows, batch):
        some = train_shadows(model, X, y, min(batch, n_shadows - start), random_state=rng, **settings)
        kept.append((some.in_mask, some.confidence_in_label))
    return _measured(*(np.concatenate(part) for part in zip(*kept, strict=True)))


# When records are taken out


@dataclass(frozen=True, eq=False, repr=False)
class Deletion:
    """A `Deletion` holds the exposure of every record before and after some of them were taken out of every model.

    Attributes
    ----------
    removed : (n,) bool, the records that were taken out.
    before, after : the `Exposure` of all n records. Of the removed it compares models that had the record, and then
        lost it, with models that never had it: 0.5 if nothing is left of it.

    >>> from mialab import targets
    >>> X, y = [[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]], ["a", "a", "b", "b", "b", "b"]  # record 2 stands out
    >>> deletion(targets.make("one-nn"), X, y, removed=[2], n_shadows=16, random_state=0)
    1 of 6 records taken out: their exposure was 1.000 and is 0.500; of those that stay it was 0.537 and is 0.500
    """

    removed: np.ndarray
    before: Exposure
    after: Exposure

    @property
    def frame(self) -> pd.DataFrame:
        """Return a DataFrame with one row a record: removed, before, after, change and se, its standard error.

        `se` takes the two for independent, though they were measured on the same draws of members.
        """
        import pandas as pd

        before, after = self.before, self.after
        table = {"removed": self.removed, "before": before.auc, "after": after.auc, "change": after.auc - before.auc}
        return pd.DataFrame(table | {"se": np.hypot(before.se, after.se)})

    def __repr__(self) -> str:
        def mean(which: np.ndarray) -> str:
            return f"was {self.before.auc[which].mean():.3f} and is {self.after.auc[which].mean():.3f}"

        return (
            f"{self.removed.sum()} of {len(self.removed)} records taken out: their exposure {mean(self.removed)}; of "
            f"those that stay it {mean(~self.removed)}"
        )


def deletion(
    model: Any,
    X: Any,
    y: Any,
    removed: Any,
    unlearn: Callable[[Any, np.ndarray, np.ndarray], Any] | None = None,
    *,
    n_shadows: int = 64,
    random_state: int | np.random.Generator | None = None,
) -> Deletion:
    """Measure the exposure of every record, take some out of every model, and measure it again.

    Many models are trained on random halves of X, y, as in `mialab.shadows.train_shadows`, whose `model` and
    `n_shadows` these are. `removed` are the rows to take out of each. By default every model that had one is trained
    anew without it. `unlearn(model, members, rows)` is a cheaper way under test: it gets a fitted model, (n,) bools of
    its members and the rows of `removed` among them, and returns a model that should have forgotten these.

    Each record is judged by models with and without it, not by an average (U-LiRA: Hayes et al., "Inexact Unlearning
    Needs More Careful Evaluations to Avoid a False Sense of Privacy", arXiv 2403.01218). Those that stay are measured
    too: where the most exposed go, others can become so (Carlini et al., "The Privacy Onion Effect", NeurIPS 2022).

    It raises ValueError for rows that there are not, where all are to go, and as `exposure` does.

    >>> from mialab import targets
    >>> X, y = [[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]], ["a", "a", "b", "b", "b", "b"]  # record 2 stands out
    >>> forgets_nothing = lambda model, members, rows: model
    >>> found = deletion(targets.make("one-nn"), X, y, [2], forgets_nothing, n_shadows=16, random_state=0)
    >>> found.after.auc[2].item()
    1.0
    """
    from mialab.shadows import train_shadows

    rng = _checks.generator(random_state)
    shadows = train_shadows(model, X, y, n_shadows, random_state=rng)
    gone = np.zeros(len(shadows.y), dtype=bool)
    for row in np.atleast_1d(removed).tolist():
        gone[_checks.whole_number("removed", row, 0, len(gone) - 1)] = True
    if gone.all() or not gone.any():
        raise ValueError(f"removed names {gone.sum()} of {len(gone)} records; it should name some of them, and not all")
    before = exposure(shadows)
    if unlearn is None:
        rest = train_shadows(model, shadows.X, shadows.y, in_mask=shadows.in_mask & ~gone, random_state=rng)
    else:
        each = enumerate(shadows.in_mask)
        models = [unlearn(shadows.models[k], members, np.flatnonzero(members & gone)) for k, members in each]
        rest = replace(shadows, models=models)
        rest = replace(rest, proba=rest.predict_proba(rest.X))
    return Deletion(gone, before, exposure(replace(rest, in_mask=shadows.in_mask)))


# What predicts it


def surroundings(X: Any, y: Any, n_neighbours: int = 10) -> pd.DataFrame:
    """Describe each record without any model, measurements standardised; the table has one row a record.

    Its columns are `others_near`, the share of other labels among its `n_neighbours` nearest records; `to_own` and
    `to_other`, the distance to the nearest record of its own label and of another; `rarity`, the mean distance to its
    `n_neighbours` nearest. A twin of a record counts as a neighbour at distance 0.

    It raises ValueError for bad data, a column that never varies, a label that only one record has, and too few
    records.

    >>> around = surroundings([[0.0], [1.0], [2.0], [9.0]], ["a", "a", "b", "b"], n_neighbours=2)
    >>> around["others_near"].tolist(), around["rarity"].idxmax()  # the last flower has the fewest neighbours
    ([0.5, 0.5, 1.0, 0.5], 3)
    """
    import pandas as pd
    from scipy.spatial.distance import cdist

    X = _checks.records("X", X)
    y = _checks.labels("y", y, len(X))
    n_neighbours = _checks.whole_number("n_neighbours", n_neighbours, 1, len(X) - 1)
    labels, counts = np.unique(y, return_counts=True)
    if len(labels) < 2 or counts.min() < 2:
        raise ValueError(f"y holds {labels.tolist()}, {counts.tolist()} times; it should hold 2 labels, each 2 times")
    spread = X.std(axis=0)
    if not spread.all():
        raise ValueError(f"column {int(np.argmin(spread))} of X never varies; leave it out")
    distance = cdist(X / spread, X / spread)
    np.fill_diagonal(distance, np.inf)  # a record is no neighbour of itself
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :n_neighbours]
    same = y[:, None] == y
    return pd.DataFrame(
        {
            "others_near": (y[nearest] != y[:, None]).mean(axis=1),
            "to_own": np.where(same, distance, np.inf).min(axis=1),
            "to_other": np.where(same, np.inf, distance).min(axis=1),
            "rarity": np.take_along_axis(distance, nearest, axis=1).mean(axis=1),
        }
    )


class RankCorrelation(NamedTuple):
    """A `RankCorrelation` is Spearman's rank correlation of n pairs with its 95% interval: rho, low, high and n.

    >>> found = rank_correlation([1, 2, 3, 4, 5], [2, 1, 3, 4, 5])
    >>> round(found.rho, 2), found.n
    (0.9, 5)
    """

    rho: float
    low: float
    high: float
    n: int

    def __repr__(self) -> str:
        return f"{self.rho:+.2f} (95% interval {self.low:+.2f} to {self.high:+.2f}, {self.n} records)"


def rank_correlation(a: Any, b: Any) -> RankCorrelation:
    """Say whether the same records come first by `a` as by `b`, (n,) each.

    A rho of 1 is the same order, -1 the reverse, 0 no relation. The interval is of Fisher's z with Bonett and Wright's
    variance (Psychometrika 2000). It raises ValueError for numbers that are not finite, unequal lengths, fewer than 4
    records, and numbers that never vary.

    >>> rank_correlation([1, 2, 3, 4, 5], [2, 1, 3, 4, 5])  # five records say little
    +0.90 (95% interval -0.17 to +1.00, 5 records)
    """
    from scipy.stats import spearmanr

    pair = []
    for name, values in (("a", a), ("b", b)):
        values = _checks.numbers(name, values, "it should be one number a record")
        if values.ndim != 1 or len(values) < 4 or not np.isfinite(values).all() or np.ptp(values) == 0:
            raise ValueError(f"{name} should be (n,) finite numbers that differ, for at least 4 records")
        pair.append(values)
    if len(pair[0]) != len(pair[1]):
        raise ValueError(f"a holds {len(pair[0])} numbers and b {len(pair[1])}; they should be as many")
    n, rho = len(pair[0]), float(spearmanr(*pair).statistic)
    z, half = np.arctanh(np.clip(rho, -1 + 1e-12, 1 - 1e-12)), Z95 * sqrt((1 + rho**2 / 2) / (n - 3))
    low, high = float(np.tanh(z - half)), float(np.tanh(z + half))
    return RankCorrelation(rho, min(low, rho), max(high, rho), n)  # at ±1 the clip above would leave rho outside
