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
    from pathlib import Path

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
        if isinstance(self.models, Nets):
            return self.models.predict_proba(X)
        X = _checks.candidates("X", X)
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

    def joined(self, others: Shadows) -> Shadows:
        """Return these shadows and `others`, trained on the same pool, as one; so are few extended to many.

        It raises ValueError for shadows of another pool.
        """
        if _checks.fingerprint(self.X, self.y) != _checks.fingerprint(others.X, others.y):
            raise ValueError("others were trained on another pool; only shadows of one pool can be joined")
        in_mask, proba = (
            np.concatenate([getattr(one, part) for one in (self, others)]) for part in ("in_mask", "proba")
        )
        models = [one.models[k] for one in (self, others) for k in range(len(one))]
        return Shadows(self.X, self.y, in_mask, proba, self.classes_, models)

    @property
    def has_models(self) -> bool:
        """Return whether every shadow can be asked anew: one that came from a file cannot."""
        return not any(isinstance(self.models[k], _NotKept) for k in range(len(self)))

    def save(self, path: str | Path) -> None:
        """Write who trained each shadow and what it answers about the pool; no record, no label and no model.

        `load_shadows` reads it again, given the same pool. The file is NumPy's .npz, and holds no pickle. It tells how
        models answer about people: keep it as safe as the records.
        """
        with open(path, "wb") as file:  # under this very name: NumPy would add .npz to a path
            np.savez_compressed(
                file, in_mask=self.in_mask, proba=self.proba, pool=np.array(_checks.fingerprint(self.X, self.y))
            )

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
    **fit_params: Any,
) -> Shadows:
    """Train `n_shadows` fresh copies of `model`, each on `n_members` records drawn from X, y by class.

    Parameters
    ----------
    model : an unfitted estimator (or pipeline), copied for each shadow and given a random_state of its own if it takes
        one, or a function `model(random_state)` that returns one. `mialab.nets.NetClassifier` is trained in batch, all
        shadows at once.
    X, y : the attacker's pool, (n, n_features) and (n,), matched by position. A DataFrame stays one, and an array keeps
        its dtype; NaN is for the model to read or to refuse.
    n_members : half of the pool by default. The draws come in pairs that share as few records as can be, so that with
        half of the pool every record is a member of exactly half of an even number of shadows (Carlini et al. 2022,
        section IV).
    in_mask : (n_shadows, n) bool, who trains each shadow, in place of a draw: see `even_members`.
    random_state : an int, a numpy Generator, or None.
    n_jobs : as in joblib, whose `parallel_config` also hands the work to a cluster. The result does not depend on it.
    progress : whether to write to the standard error how many shadows are trained.
    fit_params : handed to every `fit`, such as `sample_weight`. What has one value for each record of the pool is cut
        to those that train the shadow; the rest is handed on as it is.

    It raises ValueError for bad data, numbers out of range, a pool with one class only, and a shadow whose `fit` fails.
    Interrupted (Ctrl-C), it raises `ShadowsInterrupted`, which keeps the shadows that are trained.

    >>> from mialab import targets
    >>> X, y = np.arange(12.0)[:, None], np.arange(12) % 3
    >>> train_shadows(targets.make("one-nn"), X, y, n_shadows=4, random_state=0)
    4 shadow models, each trained on 6 of 12 records
    """
    X = _checks.candidates("X", X)
    X = X if _checks.is_frame(X) else X.copy()
    y = _checks.labels("y", y, len(X)).copy()
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(f"y holds one class only, {classes.tolist()[0]!r}; at least 2 are needed to train a shadow")
    if isinstance(model, type) or not (hasattr(model, "fit") or callable(model)):
        raise ValueError(f"model is {model!r}; it should be an estimator, or a function of random_state")
    progress = _checks.flag("progress", progress)
    rng = _checks.generator(random_state)
    if in_mask is None:
        n_shadows = _checks.whole_number("n_shadows", n_shadows, 1)
        n_members = len(y) // 2 if n_members is None else n_members
        n_members = _checks.whole_number("n_members", n_members, len(classes), len(y) - 1)
        in_mask = shadow_members(y, n_shadows, n_members, rng)
    in_mask = _checks.member_masks("in_mask", in_mask, len(y))
    seeds = rng.integers(2**31, size=len(in_mask)).tolist()
    if type(model) is NetClassifier and not fit_params:
        settings = model.get_params() | {"random_state": seeds[0]}
        nets = train_nets(X, y, in_mask, progress=progress, **settings)
        return Shadows(X, y, in_mask, nets.predict_proba(X), nets.classes_, nets)
    with one_thread():
        return _train_each(model, X, y, in_mask, seeds, fit_params, n_jobs, progress)


class ShadowsInterrupted(KeyboardInterrupt):
    """A `ShadowsInterrupted` is raised where the training is interrupted; its `shadows` are those that are trained.

    It is a KeyboardInterrupt, so that a program that does not know of it ends as it would. There may be none yet.

    >>> issubclass(ShadowsInterrupted, KeyboardInterrupt)
    True
    """

    def __init__(self, shadows: Shadows):
        super().__init__(f"interrupted after {len(shadows)} shadows")
        self.shadows = shadows


def load_shadows(path: str | Path, X: Any, y: Any) -> Shadows:
    """Read the shadows that `Shadows.save` wrote, given the pool that they were trained on.

    They have no models: whatever asks a shadow anew, as the label-only attack does, cannot use them. It raises
    ValueError for a file of another kind, and for another pool, which includes the same one in another order.

    >>> from mialab import targets
    >>> X, y = np.arange(12.0)[:, None], np.arange(12) % 3
    >>> train_shadows(targets.make("one-nn"), X, y, n_shadows=4, random_state=0).save("shadows.npz")
    >>> load_shadows("shadows.npz", X, y)
    4 shadow models, each trained on 6 of 12 records
    """
    X, y = _checks.candidates("X", X), _checks.labels("y", y)
    try:
        with np.load(path, allow_pickle=False) as file:
            in_mask, proba, pool = file["in_mask"], file["proba"], str(file["pool"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no file of shadows, as Shadows.save writes them ({error})") from error
    if pool != _checks.fingerprint(X, y):
        raise ValueError(f"the shadows in {path} were trained on another pool; pass theirs, in the same order")
    return Shadows(X, y, in_mask, proba, np.unique(y), [_NotKept(np.unique(y))] * len(in_mask))


@dataclass(frozen=True)
class _NotKept:
    """The place of a model that no file holds."""

    classes_: np.ndarray

    def predict_proba(self, X: Any) -> np.ndarray:
        raise ValueError("these shadows came from a file, without their models; they know of their own pool only")


def even_members(
    y: Any, n_shadows: int, n_members: int, random_state: int | np.random.Generator | None = None
) -> np.ndarray:
    """Choose who trains each shadow so that every record trains equally many, give or take one, (n_shadows, n) bool.

    Records are dealt like cards: a new deck is shuffled when the last is used up, and in a deck each class is spread
    evenly. So a record lacks in at least ⌊n_shadows · (1 - n_members / n)⌋ of the shadows, however large they are. With
    half of the pool these are the pairs of `shadow_members`. It raises ValueError for numbers out of range.

    >>> even_members(["a", "b"] * 5, n_shadows=5, n_members=8, random_state=0).sum(axis=0).tolist()
    [4, 4, 4, 4, 4, 4, 4, 4, 4, 4]
    """
    y = _checks.labels("y", y)
    n_shadows = _checks.whole_number("n_shadows", n_shadows, 1)
    n_members = _checks.whole_number("n_members", n_members, 1, len(y) - 1)
    rng = _checks.generator(random_state)
    if 2 * n_members == len(y):
        return shadow_members(y, n_shadows, n_members, rng)
    in_mask, left = np.zeros((n_shadows, len(y)), dtype=bool), np.array([], dtype=int)
    for k in range(n_shadows):
        hand, left = left[:n_members], left[n_members:]
        if len(hand) < n_members:
            deck = _deck(y, rng)
            more = deck[~np.isin(deck, hand)][: n_members - len(hand)]  # nobody twice in one hand
            hand, left = np.concatenate([hand, more]), deck[~np.isin(deck, more)]
        in_mask[k, hand] = True
    return in_mask


def _deck(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All rows in a random order in which each class is spread evenly."""
    place = np.empty(len(y))
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        place[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return np.argsort(place, kind="stable")


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
    model: Any, X: Any, y: np.ndarray, in_mask: np.ndarray, seeds: list[int], fit_params: dict, n_jobs, progress
) -> Shadows:
    """One fit after the other, or side by side as joblib is set; whoever interrupts keeps what is done."""
    from joblib import Parallel, delayed

    classes, names, trained = np.unique(y), seed_names(model), []
    jobs = [
        delayed(_train_one)(model, X, y, *job, classes, names, fit_params) for job in zip(in_mask, seeds, strict=True)
    ]

    def done() -> Shadows:
        proba = [answers for _, answers in trained]
        empty = np.zeros((0, len(y), len(classes)))
        models = [shadow for shadow, _ in trained]
        return Shadows(X, y, in_mask[: len(trained)], np.stack(proba) if proba else empty, classes, models)

    try:
        for one in Parallel(n_jobs=n_jobs, return_as="generator")(jobs):  # in order, as each is done
            trained.append(one)
            if progress:
                print(f"\r{len(trained)} of {len(jobs)} shadows trained", end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        raise ShadowsInterrupted(done()) from None
    finally:
        if progress:
            print(file=sys.stderr)
    return done()


def _train_one(
    model: Any, X: Any, y: np.ndarray, members: np.ndarray, seed: int, classes: np.ndarray, names: list[str],
    fit_params: dict[str, Any],
) -> tuple[Any, np.ndarray]:  # fmt: skip
    """One shadow, and its answers for the whole pool."""
    rows = np.flatnonzero(members)
    with one_thread():
        shadow = fresh(model, seed, names)
        own = {name: _of_members(value, rows, len(y)) for name, value in fit_params.items()}
        try:
            with _checks.reading(X):
                shadow.fit(_checks.take(X, rows), y[rows], **own)
        except Exception as error:  # whatever a library raises: it knows nothing of shadows
            lacks = [label for label in classes.tolist() if label not in y[rows]]
            unseen = f"; none of these is of class {', '.join(map(repr, lacks[:3]))}" if lacks else ""
            raise ValueError(
                f"a shadow could not be trained on {len(rows)} of {len(y)} records{unseen}: "
                f"{str(error).partition(chr(10))[0]}"
            ) from error
        return shadow, _aligned(shadow, X, classes)


def _of_members(value: Any, rows: np.ndarray, n_records: int) -> Any:
    """These rows of a fit parameter that holds one value for each record; any other as it is."""
    if isinstance(value, str | dict | tuple) or not hasattr(value, "__len__") or len(value) != n_records:
        return value
    return value.iloc[rows] if hasattr(value, "iloc") else np.asarray(value)[rows]


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
