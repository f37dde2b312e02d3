"""This module trains shadow models: replicas of the target, whose members the attacker knows because they chose them.

Notebook 09 trains one by hand, then many. Everything stronger than a threshold reads the one object that
`train_shadows` returns.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks
from mialab._threads import one_thread
from mialab.nets import NetClassifier, Nets, train_nets
from mialab.search import Climb, climb
from mialab.targets import fresh, seed_names

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Shadows:
    """A `Shadows` holds K shadow models on random parts of one pool, with all that the attacker knows about them.

    Attributes
    ----------
    X, y : the pool, (n, n_features) and (n,).
    in_mask : (K, n) bool, True where the record was a member of that shadow.
    proba : (K, n, C), every shadow's probabilities for every record of the pool.
    classes_ : (C,) labels, one for each column of `proba`. A class that a shadow never saw has probability 0 in it.
    models : the K fitted models.

    >>> from mialab import targets
    >>> X, y = np.arange(12.0)[:, None], np.arange(12) % 3
    >>> shadows = train_shadows(targets.make("one-nn"), X, y, n_shadows=4, random_state=0)
    >>> shadows.proba.shape, shadows.in_mask.sum(axis=0).tolist()  # each record was a member of half of them
    ((4, 12, 3), [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    """

    X: np.ndarray | pd.DataFrame
    y: np.ndarray
    in_mask: np.ndarray
    proba: np.ndarray
    classes_: np.ndarray
    models: Sequence[Any]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return every shadow's probabilities for records that need not be in the pool, (K, n, C).

        It raises ValueError for records that the models cannot read.
        """
        X = _checks.records("X", X, keep_frame=True)
        if isinstance(self.models, Nets):
            return self.models.predict_proba(X)
        return np.stack([_aligned(model, X, self.classes_) for model in self.models])

    def besides(self, k: int) -> Shadows:
        """Return all shadows but number k and the partner it was drawn with, for an attack on shadow k as the target.

        Of every record as many shadows with it as without it are left, so that nothing but model k itself tells which
        of the pool were its members (each model in turn as the target: Carlini et al. 2022, section V-A). It raises
        ValueError for a k that there is not, and where no other shadow would be left.
        """
        k = _checks.whole_number("k", k, 0, len(self) - 1)
        keep = np.arange(len(self)) // 2 != k // 2
        if not keep.any():
            raise ValueError(f"there are {len(self)} shadows; at least 3 are needed to attack one with others")
        return self.subset(keep)

    def subset(self, keep: np.ndarray) -> Shadows:
        """Return the shadows where `keep`, (n_shadows,) bool, is True."""
        nets = isinstance(self.models, Nets)
        models = self.models.subset(keep) if nets else [self.models[j] for j in np.flatnonzero(keep)]
        return Shadows(self.X, self.y, self.in_mask[keep], self.proba[keep], self.classes_, models)

    @property
    def confidence_in_label(self) -> np.ndarray:
        """Return how sure each shadow is of the recorded label of each record of the pool, (n_shadows, n)."""
        return self.proba[:, np.arange(len(self.y)), np.searchsorted(self.classes_, self.y)]

    def __len__(self) -> int:
        return len(self.in_mask)

    def __repr__(self) -> str:
        n_members = round(self.in_mask.sum(axis=1).mean())
        return f"{len(self)} shadow models, each trained on {n_members} of {len(self.y)} records"


def train_shadows(
    model: Any,
    X: Any,
    y: Any,
    n_shadows: int = 64,
    *,
    n_members: int | None = None,
    in_mask: np.ndarray | None = None,
    random_state: int | np.random.Generator | None = None,
    n_jobs: int | None = None,
    progress: bool = False,
) -> Shadows:
    """Train `n_shadows` fresh copies of `model`, each on `n_members` records drawn from X, y by class.

    Parameters
    ----------
    model : an unfitted estimator (or pipeline), copied for each shadow and given a random_state of its own if it takes
        one, or a function `model(random_state)` that returns one. `mialab.nets.NetClassifier` is trained in batch, all
        shadows at once.
    X, y : the attacker's pool, (n, n_features) and (n,), matched by position. A DataFrame stays one.
    n_members : half of the pool by default. The draws come in pairs that share as few records as can be, so that with
        half of the pool every record is a member of exactly half of an even number of shadows (Carlini et al. 2022,
        section IV).
    in_mask : (n_shadows, n) bool, who trains each shadow, where you choose that yourself; nothing is drawn then.
    random_state : an int, a numpy Generator, or None.
    n_jobs : as in joblib, whose `parallel_config` also hands the work to a cluster. The result does not depend on it.
    progress : whether to write to the standard error how many shadows are trained.

    It raises ValueError for bad data, numbers out of range, and a pool with one class only.

    >>> from mialab import targets
    >>> X, y = np.arange(12.0)[:, None], np.arange(12) % 3
    >>> train_shadows(targets.make("one-nn"), X, y, n_shadows=4, random_state=0)
    4 shadow models, each trained on 6 of 12 records
    """
    X = _checks.records("X", X, keep_frame=True)
    y = _checks.labels("y", y, len(X)).copy()
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(f"y holds one class only, {classes.tolist()[0]!r}; at least 2 are needed to train a shadow")
    if isinstance(model, type) or not (hasattr(model, "fit") or callable(model)):
        raise ValueError(f"model is {model!r}; it should be an estimator, or a function of random_state")
    n_shadows = _checks.whole_number("n_shadows", n_shadows, 1)
    progress = _checks.flag("progress", progress)
    rng = _checks.generator(random_state)
    if in_mask is None:
        n_members = len(y) // 2 if n_members is None else n_members
        n_members = _checks.whole_number("n_members", n_members, len(classes), len(y) - 1)
        in_mask = shadow_members(y, n_shadows, n_members, rng)
    in_mask = _checks.member_masks("in_mask", in_mask, len(y))
    seeds = rng.integers(2**31, size=len(in_mask)).tolist()
    if type(model) is NetClassifier:
        settings = model.get_params() | {"random_state": seeds[0]}
        nets = train_nets(X, y, in_mask, progress=progress, **settings)
        return Shadows(X, y, in_mask, nets.predict_proba(X), nets.classes_, nets)
    with one_thread():
        models, proba = _train_each(model, X, y, in_mask, seeds, classes, n_jobs, progress)
    return Shadows(X, y, in_mask, proba, classes, models)


def shadow_members(
    y: Any, n_shadows: int, n_members: int, random_state: int | np.random.Generator | None = None
) -> np.ndarray:
    """Choose who trains each shadow, (n_shadows, n) bool, in pairs of draws that overlap as little as can be.

    Of each pair, the records of a class stand in one random order; the first shadow takes its members from the front,
    the second from the back. Each class gives its share of `n_members`, rounded up or down by lot. It raises ValueError
    for numbers out of range.

    >>> first, second = shadow_members(["a", "a", "b", "b"], n_shadows=2, n_members=2, random_state=0)
    >>> first.sum().item(), (first == ~second).all().item()  # what the one trains on, the other does not
    (2, True)
    """
    y = _checks.labels("y", y)
    n_shadows = _checks.whole_number("n_shadows", n_shadows, 1)
    n_members = _checks.whole_number("n_members", n_members, 1, len(y) - 1)
    rng = _checks.generator(random_state)
    _, of_class, sizes = np.unique(y, return_inverse=True, return_counts=True)
    in_mask = np.zeros((n_shadows, len(y)), dtype=bool)
    for k in range(0, n_shadows, 2):
        lot = int(rng.integers(len(y)))
        from_front = _shares(sizes, n_members, lot)
        up_to_back = _shares(sizes, len(y) - n_members, lot)
        for c in range(len(sizes)):
            queue = rng.permutation(np.flatnonzero(of_class == c))
            in_mask[k, queue[: from_front[c]]] = True
            in_mask[k + 1 : k + 2, queue[up_to_back[c] :]] = True  # an empty slice where the last has no partner
    return in_mask


def _shares(sizes: np.ndarray, n: int, lot: int) -> np.ndarray:
    """`n` shared out in proportion to `sizes`, rounded so that the sum is n; the lot, 0 to sum(sizes) - 1, decides."""
    return np.diff((sizes.cumsum() * n + lot) // sizes.sum(), prepend=0)


def _train_each(
    model: Any, X: Any, y: np.ndarray, in_mask: np.ndarray, seeds: list[int], classes: np.ndarray, n_jobs, progress
) -> tuple[list[Any], np.ndarray]:
    """One fit after the other, or side by side as joblib is set."""
    from joblib import Parallel, delayed

    names = seed_names(model)
    jobs = [delayed(_train_one)(model, X, y, *job, classes, names) for job in zip(in_mask, seeds, strict=True)]
    if not progress:
        trained = Parallel(n_jobs=n_jobs)(jobs)
    else:
        trained = []
        for one in Parallel(n_jobs=n_jobs, return_as="generator")(jobs):  # in order, as each is done
            trained.append(one)
            print(f"\r{len(trained)} of {len(jobs)} shadows trained", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    models, proba = zip(*trained, strict=True)
    return list(models), np.stack(proba)


def _train_one(
    model: Any, X: Any, y: np.ndarray, members: np.ndarray, seed: int, classes: np.ndarray, names: list[str]
) -> tuple[Any, np.ndarray]:
    """One shadow, and its answers for the whole pool."""
    rows = np.flatnonzero(members)
    with one_thread():
        shadow = fresh(model, seed, names)
        with _checks.reading(X):
            shadow.fit(_checks.take(X, rows), y[rows])
        return shadow, _aligned(shadow, X, classes)


def _aligned(model: Any, X: Any, classes: np.ndarray) -> np.ndarray:
    """The model's answers with one column for each of `classes`, zeros where it never saw the class."""
    proba = np.zeros((len(X), len(classes)))
    proba[:, np.searchsorted(classes, model.classes_)] = _checks.answers(model, X)
    return proba


# Where the attacker's pool comes from, when it is not other real records


def noisy_records(X: Any, noise: float = 0.1, random_state: int | np.random.Generator | None = None) -> np.ndarray:
    """Blur real records, each measurement by normal noise of `noise` times its standard deviation, (n, n_features).

    The attacker holds an imprecise copy of such records (noisy real data: Shokri et al. 2017, section V-C, who flip
    binary features instead). It raises ValueError for bad data and for a noise below 0.

    >>> noisy_records([[1.0, 5.0], [3.0, 5.0]], noise=0.1, random_state=0)[:, 1].tolist()  # what never varies stays
    [5.0, 5.0]
    """
    X = _checks.records("X", X)
    noise = _checks.number("noise", noise)
    return X + _checks.generator(random_state).normal(size=X.shape) * noise * X.std(axis=0)


def marginal_records(X: Any, n_records: int, random_state: int | np.random.Generator | None = None) -> np.ndarray:
    """Make up records with each measurement drawn on its own from that column of X, (n_records, n_features).

    The attacker knows how each measurement is distributed, not how they go together, and no label (statistics-based
    synthesis: Shokri et al. 2017, section V-C). It raises ValueError for bad data and for a number below 1.

    >>> made_up = marginal_records([[1, 10], [2, 20], [3, 30]], n_records=5, random_state=0)
    >>> made_up.shape, set(made_up[:, 1].tolist()) <= {10.0, 20.0, 30.0}
    ((5, 2), True)
    """
    X = _checks.records("X", X)
    n_records = _checks.whole_number("n_records", n_records, 1)
    rng = _checks.generator(random_state)
    return np.column_stack([rng.choice(column, n_records) for column in X.T])


def synthetic_records(
    model: Any,
    n_records: int,
    low: Any,
    high: Any,
    *,
    random_state: int | np.random.Generator | None = None,
    **settings: Any,
) -> tuple[np.ndarray, np.ndarray, Climb]:
    """Find records that the model is sure of by asking it: X (m, n_features), y (m,) and the climb they came from.

    Climbers share the classes evenly; those that do not arrive are left out, so m may be below `n_records`. `low`,
    `high` and `settings` are those of `mialab.search.climb`, as are the errors (model-based synthesis: Shokri et al.
    2017, section V-C).

    >>> from mialab import targets
    >>> model = targets.make("one-nn").fit([[0.0], [2.0]], ["a", "b"])
    >>> X, y, found = synthetic_records(model, 4, low=[-1], high=[3], random_state=0)
    >>> y.tolist(), (model.predict(X) == y).all().item()
    (['a', 'b', 'a', 'b'], True)
    """
    _checks.fitted("model", model)
    n_records = _checks.whole_number("n_records", n_records, 1)
    found = climb(model, np.resize(model.classes_, n_records), low, high, random_state=random_state, **settings)
    return found.X[found.arrived], found.y[found.arrived], found
