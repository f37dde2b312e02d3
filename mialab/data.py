"""This module loads the records (Iris flowers, the patients of a clinic) and splits them into members and strangers.

Notebook 01 meets the flowers and splits them. Data flows one way in this package, and it starts here.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks
from mialab._files import data_folder

if TYPE_CHECKING:
    import pandas as pd

IRIS_SHA256 = "dad19dc3817625a5490ab6be0fdb592efdcd6921badbbaf4275cef90bcfaa994"
CLINIC_SHA256 = "3c9bf5e8cbd245367d459886442dfdc450017d3a83987b97e9e2c080a3b4c6e5"


@dataclass(frozen=True, eq=False)
class Flowers:
    """A `Flowers` holds the 150 Iris flowers: their measurements, and the species of each.

    Attributes
    ----------
    X : (150, 4) float array, in cm; (150, 2) with sepals only.
    y : (150,) int array; each label is a position in `class_names`.
    feature_names, class_names : tuples of plain names, such as "sepal length" and "setosa".

    >>> flowers = load_iris()
    >>> flowers.X.shape, flowers.feature_names[0], flowers.X[0, 0].item()
    ((150, 4), 'sepal length', 5.1)
    >>> flowers.class_names[flowers.y[0]]
    'setosa'
    """

    X: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]

    @property
    def frame(self):
        """Return the same flowers as a pandas DataFrame, with one column a measurement, then `species` by name."""
        import pandas as pd

        frame = pd.DataFrame(self.X, columns=list(self.feature_names))
        frame["species"] = np.array(self.class_names)[self.y]
        return frame

    def __repr__(self) -> str:
        n_species, n_features = len(self.class_names), len(self.feature_names)
        return f"{len(self.X)} flowers of {n_species} species, {n_features} measurements each (cm)"


def load_iris(sepals_only: bool = False) -> Flowers:
    """Load the 150 Iris flowers; with `sepals_only`, keep their two sepal measurements alone (the leaky variant).

    Without their petals versicolor and virginica can hardly be told apart, so a model can fit its members only by
    remembering them. The data card, `data/README.md`, names the source and the licence. A ValueError is raised when the
    data file is not the one that the course ships (its checksum differs).

    >>> load_iris()
    150 flowers of 3 species, 4 measurements each (cm)
    >>> load_iris(sepals_only=True).feature_names
    ('sepal length', 'sepal width')
    """
    n_features = 2 if _checks.flag("sepals_only", sepals_only) else 4
    header, X, y, class_names = _shipped("iris.csv", IRIS_SHA256)
    return Flowers(X[:, :n_features], y, header[:n_features], class_names)


def _shipped(name: str, sha256: str) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, tuple[str, ...]]:
    """A data file of the course: names of the measurements, X, y as positions, names of the classes."""
    text = (data_folder() / name).read_bytes()
    text = text.replace(b"\r\n", b"\n")  # git on Windows may rewrite line ends
    if hashlib.sha256(text).hexdigest() != sha256:
        raise ValueError(f"{name} is not the file that the course ships (its checksum differs); fetch it anew")
    header, *rows = csv.reader(text.decode().splitlines())
    X = np.array([row[:-1] for row in rows], dtype=float)
    class_names, y = np.unique([row[-1] for row in rows], return_inverse=True)
    return tuple(header[:-1]), X, y, tuple(class_names.tolist())


@dataclass(frozen=True, eq=False)
class Patients:
    """A `Patients` holds 7,874 people whose blood was tested, and whether they died in the years that followed.

    Attributes
    ----------
    X : (7874, 6) float array: age (years), female (1 or 0), year (of the sample), kappa and lambda (free light chains
        in the serum, mg/dl), mgus (1 where a monoclonal gammopathy was diagnosed).
    y : (7874,) int array; each label is a position in `class_names`.
    feature_names, class_names : plain names; the classes are "alive" and "died".
    ranges : (6, 2); each measurement has a low and a high bound from general knowledge, looked up in no record.

    >>> clinic = load_clinic()
    >>> clinic.class_names, clinic.ranges[0].tolist()
    (('alive', 'died'), [50.0, 100.0])
    >>> clinic.X[0, 0].item(), round(clinic.scaled[0, 0].item(), 2)  # the age in years, and from -1 to 1
    (97.0, 0.88)
    """

    X: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    ranges: np.ndarray

    @property
    def scaled(self) -> np.ndarray:
        """Return X with `ranges` mapped to -1 to 1, (7874, 6); a few measurements lie beyond.

        The ranges are the same whoever is a member, so that the scaling gives nobody away.
        """
        low, high = self.ranges.T
        return (self.X - (low + high) / 2) / ((high - low) / 2)

    @property
    def frame(self):
        """Return the same patients as a pandas DataFrame, with one column a measurement, then `outcome` by name."""
        import pandas as pd

        frame = pd.DataFrame(self.X, columns=list(self.feature_names))
        frame["outcome"] = np.array(self.class_names)[self.y]
        return frame

    def __repr__(self) -> str:
        return f"{len(self.X)} patients, {len(self.feature_names)} measurements each, {self.y.mean():.0%} died"


# Who is tested for free light chains is mostly between 50 and 100, and a healthy serum has up to 2 or 3 mg/dl of each.
CLINIC_RANGES = ((50, 100), (0, 1), (1995, 2003), (0, 5), (0, 5), (0, 1))


def load_clinic() -> Patients:
    """Load the patients of notebook 19; `data/README.md` names the source and the licence, and what was left out.

    A ValueError is raised when the data file is not the one that the course ships.

    >>> load_clinic()
    7874 patients, 6 measurements each, 28% died
    """
    header, X, y, class_names = _shipped("patients.csv", CLINIC_SHA256)
    return Patients(X, y, header, class_names, np.array(CLINIC_RANGES, dtype=float))


@dataclass(frozen=True, eq=False)
class Split:
    """A `Split` divides records into members, which train the target model, and strangers, which it never sees.

    Attributes
    ----------
    X, y : all records and labels, (n, n_features) and (n,), in the order of the original rows.
    is_member : (n,) bool array, True where the record is a member.
    index : (n,) int array, the row of each record in the data that was split.
    X_in, y_in, index_in and X_out, y_out, index_out : the same for members alone and for strangers alone.

    >>> parts = split([[1.0], [2.0], [3.0], [4.0]], ["a", "a", "b", "b"], n_members=2, random_state=0)
    >>> parts.is_member.sum().item(), parts.y_in.tolist(), parts.y_out.tolist()
    (2, ['a', 'b'], ['a', 'b'])
    >>> sorted([*parts.index_in.tolist(), *parts.index_out.tolist()])
    [0, 1, 2, 3]
    """

    X: np.ndarray
    y: np.ndarray
    is_member: np.ndarray
    index: np.ndarray

    @property
    def X_in(self) -> np.ndarray:
        """Return the members' measurements, (n_members, n_features)."""
        return self.X[self.is_member]

    @property
    def y_in(self) -> np.ndarray:
        """Return the members' labels, (n_members,)."""
        return self.y[self.is_member]

    @property
    def index_in(self) -> np.ndarray:
        """Return the members' rows in the data that was split, (n_members,)."""
        return self.index[self.is_member]

    @property
    def X_out(self) -> np.ndarray:
        """Return the strangers' measurements, (n_strangers, n_features)."""
        return self.X[~self.is_member]

    @property
    def y_out(self) -> np.ndarray:
        """Return the strangers' labels, (n_strangers,)."""
        return self.y[~self.is_member]

    @property
    def index_out(self) -> np.ndarray:
        """Return the strangers' rows in the data that was split, (n_strangers,)."""
        return self.index[~self.is_member]

    def __repr__(self) -> str:
        n_members = int(self.is_member.sum())
        n_strangers, n_classes = len(self.is_member) - n_members, len(np.unique(self.y))
        return f"{n_members} members and {n_strangers} strangers of {n_classes} classes"


def split(
    X: Any,
    y: Any,
    n_members: int,
    random_state: int | np.random.Generator | None = None,
    n_strangers: int | None = None,
) -> Split:
    """Choose `n_members` records at random as members; the others are strangers (or `n_strangers` of them).

    Each class gets its share of the members, as even as whole records allow (largest remainders, equal ones drawn by
    lot), so that members and strangers differ by luck alone and no class is missing from training.

    Parameters
    ----------
    X, y : (n, n_features) measurements and (n,) labels, all numbers or all strings, matched by position. A DataFrame of
        numbers becomes an array; to keep it, take its rows with `frame.iloc[parts.index_in]`.
    n_members : an int from 1 to n - 1.
    random_state : an int, a numpy Generator, or None.
    n_strangers : an int from 1 to n - n_members, or None for all the rest.

    It raises ValueError for missing values, lengths that disagree, a number out of range, and a class that is too small
    to have a member and a stranger in the data or that would get no member.

    >>> flowers = load_iris()
    >>> parts = split(flowers.X, flowers.y, n_members=75, random_state=0)
    >>> parts
    75 members and 75 strangers of 3 classes
    >>> np.bincount(parts.y_in).tolist()  # each species has its share
    [25, 25, 25]
    """
    X = _checks.records("X", X)
    y = _checks.labels("y", y, len(X))
    n_members = _checks.whole_number("n_members", n_members, 1, len(X) - 1)
    n_rest = len(X) - n_members
    if n_strangers is None:
        n_strangers = n_rest
    n_strangers = _checks.whole_number("n_strangers", n_strangers, 1, n_rest)
    rng = _checks.generator(random_state)

    members = _draw_stratified(y, np.arange(len(y)), n_members, rng)
    for label in np.unique(y).tolist():
        n_of_class = int((y == label).sum())
        if n_of_class < 2:
            raise ValueError(
                f"y has {n_of_class} record of class {label!r}; "
                "at least 2 are needed, one to be a member and one to be a stranger"
            )
        if not (y[members] == label).any():
            raise ValueError(
                f"n_members={n_members} leaves class {label!r} ({n_of_class} of {len(y)} records) "
                "without a member; choose more members or leave that class out"
            )
    strangers = _draw_stratified(y, np.setdiff1d(np.arange(len(y)), members), n_strangers, rng)
    index = np.sort(np.concatenate([members, strangers]))
    return Split(X[index], y[index], np.isin(index, members), index)


def _draw_stratified(y: np.ndarray, rows: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `n` of `rows` at random, each class in proportion to its number among them."""
    classes, sizes = np.unique(y[rows], return_counts=True)
    share = sizes * n / len(rows)
    quota = np.floor(share).astype(int)
    lot = rng.random(len(classes))
    largest_remainder_first = np.lexsort((lot, -np.round(share - quota, 9)))  # rounded: equal remainders must tie
    quota[largest_remainder_first[: n - quota.sum()]] += 1
    rows_of = [rows[y[rows] == label] for label in classes]
    return np.concatenate([rng.choice(r, size=q, replace=False) for r, q in zip(rows_of, quota, strict=True)])


def wrong_labels(y: Any, fraction: float, random_state: int | np.random.Generator | None = None) -> np.ndarray:
    """Return a copy of `y`, (n,), in which round(fraction × n) records, chosen at random, carry a different class.

    The different class is drawn evenly from the others that occur in `y`. It raises ValueError for missing or mixed
    labels, a fraction outside 0 to 1, and fewer than two classes.

    >>> y = np.array(["a", "b", "b", "a"])
    >>> (wrong_labels(y, 0.5, random_state=0) != y).sum().item()
    2
    """
    y = _checks.labels("y", y)
    fraction = _checks.fraction("fraction", fraction)
    classes, position = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y holds {len(classes)} class; at least 2 are needed for a label to be wrong")
    rng = _checks.generator(random_state)
    chosen = rng.choice(len(y), size=round(fraction * len(y)), replace=False)
    step = rng.integers(1, len(classes), size=len(chosen))  # 1 … C-1 classes further on: never the same one
    position[chosen] = (position[chosen] + step) % len(classes)
    return classes[position]


# What notebooks 14 and 15 turn to see what makes a model leak


def few_of_each(
    X: Any,
    y: Any,
    n_per_class: int,
    random_state: int | np.random.Generator | None = None,
    n_classes: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw `n_per_class` records at random from each class, or from each of `n_classes` random classes: new X and y.

    It raises ValueError for bad data, and for more classes, or more records of a class, than there are.

    >>> flowers = load_iris()
    >>> X, y = few_of_each(flowers.X, flowers.y, n_per_class=4, random_state=0)
    >>> X.shape, y.tolist()
    ((12, 4), [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    """
    X = _checks.records("X", X)
    y = _checks.labels("y", y, len(X))
    classes, counts = np.unique(y, return_counts=True)
    n_classes = _checks.whole_number("n_classes", len(classes) if n_classes is None else n_classes, 1, len(classes))
    n_per_class = _checks.whole_number("n_per_class", n_per_class, 1, int(counts.min()))
    rng = _checks.generator(random_state)
    chosen = np.sort(rng.choice(classes, n_classes, replace=False))
    rows = np.concatenate([rng.choice(np.flatnonzero(y == label), n_per_class, replace=False) for label in chosen])
    return X[rows], y[rows]


def noise_columns(X: Any, n_columns: int, random_state: int | np.random.Generator | None = None) -> np.ndarray:
    """Add `n_columns` measurements to X that say nothing, standard normal noise: (n, n_features + n_columns).

    It raises ValueError for bad data and for a number below 0.

    >>> noise_columns([[5.1], [4.9]], n_columns=2, random_state=0).shape
    (2, 3)
    """
    X = _checks.records("X", X)
    n_columns = _checks.whole_number("n_columns", n_columns, 0)
    return np.hstack([X, _checks.generator(random_state).normal(size=(len(X), n_columns))])


def load_on_trial() -> pd.DataFrame:
    """Load the experiments of notebook 15, over more draws than a learner would wait for: one row a draw of each.

    The data card, `data/README.md`, says what each column means and how the file was made.

    >>> load_on_trial().columns.tolist()
    ['claim', 'experiment', 'score', 'seed', 'more', 'less']
    """
    import pandas as pd

    return pd.read_csv(data_folder() / "on_trial.csv")
