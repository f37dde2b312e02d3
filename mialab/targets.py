"""This module is the zoo: named target models, among them pairs that are equally accurate and leak very differently.

Notebook 04 compares them. Every maker imports its part of scikit-learn only when it is called.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from mialab import _checks
from mialab.data import split


class Target(NamedTuple):
    """A `Target` is a named recipe for a model: its `make(random_state)` returns the model unfitted.

    >>> TARGETS["one-nn"].description
    'repeats the label of the nearest member'
    """

    name: str
    description: str
    make: Callable[[int], Any]


def _scaled(model: Any) -> Any:
    """`model` behind standardised measurements, so that no measurement counts more for being longer."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), model)


def _neighbours(n_neighbors: int, weights: str) -> Callable[[int], Any]:
    def make_model(random_state: int) -> Any:
        from sklearn.neighbors import KNeighborsClassifier

        return _scaled(KNeighborsClassifier(n_neighbors, weights=weights))

    return make_model


def _logistic(random_state: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return _scaled(LogisticRegression(max_iter=1000))


def _tree(random_state: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=random_state)


def _forest(**settings: Any) -> Callable[[int], Any]:
    def make_model(random_state: int) -> Any:
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(n_estimators=25, random_state=random_state, **settings)

    return make_model


def _net(random_state: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    # on so small a problem lbfgs arrives in a tenth of the time that adam takes; wrong labels take it longest
    return _scaled(MLPClassifier((64,), solver="lbfgs", tol=1e-3, max_iter=5000, random_state=random_state))


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target(
            "knn-lookup",
            "asks the 15 nearest members, the nearer the louder; a member finds itself at distance nought",
            _neighbours(15, "distance"),
        ),
        Target("knn-vote", "asks the 15 nearest members, one vote each", _neighbours(15, "uniform")),
        Target("one-nn", "repeats the label of the nearest member", _neighbours(1, "uniform")),
        Target("logistic", "logistic regression: straight borders between the species", _logistic),
        Target("tree", "a decision tree, grown until every member is sorted", _tree),
        Target("forest", "25 trees, each grown on a random redraw of the members", _forest()),
        Target("forest-no-bootstrap", "25 trees, each grown on all the members", _forest(bootstrap=False)),
        Target(
            "forest-random",
            "25 trees, each grown on all the members, each question about a measurement drawn at random",
            _forest(bootstrap=False, max_features=1),
        ),
        Target("net", "a neural network with 64 hidden units, trained to the end", _net),
    )
}


def make(name: str, random_state: int = 0) -> Any:
    """Return the target called `name`, unfitted; `random_state` is an int, used where the model has chance in it.

    It raises ValueError for a name that is not in `TARGETS`.

    >>> model = make("one-nn").fit([[0.0], [1.0]], ["a", "b"])
    >>> model.predict([[0.9]]).tolist()
    ['b']
    """
    return TARGETS[_checks.one_of("name", name, TARGETS)].make(random_state)


def fresh(model: Any, random_state: int, seeds: list[str] | None = None) -> Any:
    """Return an unfitted copy of `model` with this random_state wherever it, or a step of it, takes one.

    Who makes many copies may pass `seeds`, the names of what to set, as `seed_names` finds them. A function
    `model(random_state)` is called instead. A model of a class without scikit-learn's `get_params` is made anew from
    its attributes that bear the names of its constructor's arguments. A ValueError is raised where the function returns
    no estimator, and where the class needs arguments that the model does not keep.

    >>> from sklearn.tree import DecisionTreeClassifier
    >>> fresh(DecisionTreeClassifier(max_depth=2), random_state=7)
    DecisionTreeClassifier(max_depth=2, random_state=7)
    """
    if not hasattr(model, "fit"):
        made = model(random_state)
        if isinstance(made, type) or not hasattr(made, "fit"):
            raise ValueError(f"model(random_state) returned {made!r}; it should return an unfitted estimator")
        return made
    if not hasattr(model, "get_params"):
        return _anew(model)
    from sklearn.base import clone

    try:
        made = clone(model)
    except (RuntimeError, TypeError):  # CatBoost, for one, keeps a copy of an argument in its place
        made = type(model)(**copy.deepcopy(model.get_params()))
    seeds = seed_names(model) if seeds is None else seeds
    if any("__" in name for name in seeds) or not all(hasattr(made, name) for name in seeds):
        made.set_params(**dict.fromkeys(seeds, random_state))
    else:  # what set_params would do, but for looking up all that it might set
        for name in seeds:
            setattr(made, name, random_state)
    return made


def seed_names(model: Any) -> list[str]:
    """Return the names under which an estimator and its steps take a random_state; a function has none.

    >>> seed_names(make("net"))
    ['mlpclassifier__random_state']
    """
    params = model.get_params() if hasattr(model, "get_params") else {}
    return [name for name in params if name.split("__")[-1] in ("random_state", "random_seed")]


def _anew(model: Any) -> Any:
    """An unfitted model of the same class; a deep copy would go on from what the members taught it."""
    named = [one for one in inspect.signature(type(model)).parameters.values() if one.kind not in (2, 4)]  # *a, **b
    settings = {one.name: getattr(model, one.name) for one in named if hasattr(model, one.name)}
    lost = [one.name for one in named if one.default is one.empty and one.name not in settings]
    lost += [name for name, value in settings.items() if not _is_setting(value)]  # a trained part, perhaps
    if lost:
        raise ValueError(
            f"a {type(model).__name__} cannot be made anew: its constructor takes {', '.join(lost)}, which the model "
            "does not keep as a plain value; pass a function of random_state that returns an unfitted one"
        )
    return type(model)(**settings)


def _is_setting(value: Any) -> bool:
    """Whether a constructor's argument is plain: a number, a text, a function or class, or a list of such."""
    if isinstance(value, list | tuple):
        return all(map(_is_setting, value))
    return value is None or isinstance(value, str | Real | type) or inspect.isroutine(value)


@dataclass(frozen=True, eq=False, repr=False)
class Sealed:
    """A `Sealed` is a target whose members are in an envelope: `model` may be asked, and `reveal()` opens the envelope.

    It keeps an attack honest, not a secret safe: whoever reads the attributes of a Python object finds everything.

    >>> envelope = sealed("one-nn", [[0], [1], [2], [3]], ["a", "a", "b", "b"], n_members=2, random_state=0)
    >>> envelope.model.predict([[0]]).tolist()
    ['a']
    >>> envelope.reveal().sum().item()
    2
    """

    model: Any
    _is_member: np.ndarray

    def reveal(self) -> np.ndarray:
        """Return who trained the model, (n,) bool, one for each record that `sealed` was given."""
        return self._is_member.copy()

    def __repr__(self) -> str:
        return (
            f"a model trained on {int(self._is_member.sum())} of {len(self._is_member)} records; which ones is sealed"
        )


def sealed(name: str, X: Any, y: Any, n_members: int, random_state: int | np.random.Generator | None = None) -> Sealed:
    """Train the target called `name` on `n_members` of the records X, y, drawn by class, and do not say which.

    It raises ValueError as `make` and `mialab.data.split` do.

    >>> sealed("one-nn", [[0], [1], [2], [3]], ["a", "a", "b", "b"], n_members=2, random_state=0)
    a model trained on 2 of 4 records; which ones is sealed
    """
    rng = _checks.generator(random_state)
    parts = split(X, y, n_members, rng)
    model = make(name, int(rng.integers(2**31))).fit(parts.X_in, parts.y_in)
    return Sealed(model, parts.is_member)
