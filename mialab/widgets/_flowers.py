"""Panels about single flowers: ask the model, guess the member, the map of the garden."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks
from mialab.plots import SPECIES, garden_map, probabilities, show, two_groups
from mialab.widgets._view import Button, Range, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mialab.data import Flowers, Split
    from mialab.exposure import Exposure
    from mialab.widgets._live import Panel


# --- ask the model ----------------------------------------------------------------------------------------------------


def describe_answer(model: Any, flowers: Flowers, measurements: Any, trained_on: Any = None) -> str:
    """Say in sentences what a model answers to one flower: its species, its confidence, the nearest real flower.

    `measurements` (n_features,) are in cm. `trained_on` holds row numbers of the members, to say whether the nearest
    flower is one, and whether the question lies among them; None leaves that out. It raises ValueError for measurements
    of another number, and for a model of other classes.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> parts = data.split(flowers.X, flowers.y, n_members=75, random_state=0)
    >>> model = targets.make("one-nn").fit(parts.X_in, parts.y_in)
    >>> print(describe_answer(model, flowers, [5.1, 3.5, 1.4, 0.2]))
    The model says setosa, with confidence 1.00.
    setosa 1.00, versicolor 0.00, virginica 0.00.
    The nearest of the 150 real flowers, 0.0 cm away, is number 0, a setosa.
    """
    x = _question(flowers, measurements)
    answer, names = _checks.answers(model, x[None])[0], _species_of(model, flowers)
    distance = np.linalg.norm(flowers.X - x, axis=1)
    lines = [f"The model says {names[answer.argmax()]}, with confidence {answer.max():.2f}.", _in_words(names, answer)]
    members, cloud = None, []
    if trained_on is not None:
        rows = _rows("trained_on", trained_on, len(flowers.X))
        members = set(rows.tolist())
        own = distance[rows].min()
        usual = _loneliest(flowers.X[rows])
        place = "inside" if own <= usual else "outside"
        cloud = [f"It lies {place} the cloud of the members: {own:.1f} cm from the nearest. No member is further than "
                 f"{usual:.1f} cm from its own nearest."]  # fmt: skip
    found = []
    for i in np.flatnonzero(distance <= distance.min() + 1e-9).tolist():
        role = "" if members is None else ", a member" if i in members else ", a stranger"
        found.append(f"number {i}, a {flowers.class_names[flowers.y[i]]}{role}")
    lines.append(
        f"The nearest of the {len(flowers.X)} real flowers, {distance.min():.1f} cm away, "
        f"{'is' if len(found) == 1 else 'are'} {'; and '.join(found)}."
    )
    return "\n".join(lines + cloud)


def _question(flowers: Flowers, measurements: Any) -> np.ndarray:
    """The measurements as (n_features,) numbers of a size that a distance can be taken from."""
    wanted = f"measurements should be {flowers.X.shape[1]} numbers, in cm, one for each of {flowers.feature_names}"
    x = _checks.numbers("measurements", measurements, wanted)
    if x.shape != (flowers.X.shape[1],) or not (np.abs(x) < 1e6).all():
        raise ValueError(wanted)
    return x


def _species_of(model: Any, flowers: Flowers) -> list[str]:
    """The name of each class that the model knows."""
    return [flowers.class_names[code] for code in _codes("model.classes_", model.classes_, flowers)]


def _codes(name: str, codes: Any, flowers: Flowers) -> list[int]:
    """Labels, as places in `flowers.class_names`."""
    codes, last = np.asarray(codes), len(flowers.class_names) - 1
    if codes.dtype.kind not in "iu" or codes.min() < 0 or codes.max() > last:
        some = codes.ravel()[:3].tolist()
        raise ValueError(f"{name} holds {some}; it should hold places in class_names, 0 to {last}")
    return codes.tolist()


def _rows(name: str, rows: Any, n: int) -> np.ndarray:
    """Different row numbers, two at least."""
    found = np.unique(np.asarray(rows)) if isinstance(rows, np.ndarray | list | tuple | range) else np.array(rows)
    if found.dtype.kind not in "iu" or found.ndim != 1 or len(found) < 2 or found[0] < 0 or found[-1] >= n:
        raise ValueError(f"{name} should hold row numbers from 0 to {n - 1}, two at least, as parts.index_in does")
    return found


def _in_words(names: list[str], answer: np.ndarray) -> str:
    """Probabilities, one after another."""
    return ", ".join(f"{name} {p:.2f}" for name, p in zip(names, answer, strict=True)) + "."


def _loneliest(X: np.ndarray) -> float:
    """The distance from the loneliest record to the one nearest to it."""
    between = np.linalg.norm(X[:, None] - X[None], axis=2)
    np.fill_diagonal(between, np.inf)
    return float(between.min(axis=1).max())


def answer_view(model: Any, flowers: Flowers, measurements: Any, trained_on: Any = None) -> View:
    """Show the answer in sentences; a figure shows its probabilities, and the question among the flowers.

    The arguments are those of `describe_answer`, as are the errors.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> parts = data.split(flowers.X, flowers.y, n_members=75, random_state=0)
    >>> model = targets.make("one-nn").fit(parts.X_in, parts.y_in)
    >>> print(answer_view(model, flowers, [5.1, 3.5, 1.4, 0.2]).text.splitlines()[0])
    The model says setosa, with confidence 1.00.
    """
    text = describe_answer(model, flowers, measurements, trained_on)
    x = _question(flowers, measurements)
    answer, names = _checks.answers(model, x[None])[0].round(2), _species_of(model, flowers)  # as the words say it
    a, b = (2, 3) if len(x) == 4 else (0, 1)
    here = x[[a, b]]

    def draw(fig: Figure) -> None:
        left, right = fig.subplots(1, 2, width_ratios=[1, 1.25])
        fig.subplots_adjust(0.14, 0.2, 0.98, 0.97, wspace=0.3)
        probabilities(names, answer, ax=left)
        left.set_xticks([0, 0.5, 1])
        right.locator_params(nbins=4)
        for code, name in enumerate(flowers.class_names):
            own = flowers.y == code
            right.plot(flowers.X[own, a], flowers.X[own, b], linestyle="none", markersize=3.5, **SPECIES[name])
        right.plot(*here, marker="X", markersize=12, color="#16181d", markeredgecolor="white", linestyle="none")
        right.set(xlabel=f"{flowers.feature_names[a]} (cm); cross: your flower",
                  ylabel=f"{flowers.feature_names[b]} (cm)")  # fmt: skip

    return View(text, draw, (8.0, 2.7))


def ask_the_model(model: Any, flowers: Flowers, trained_on: Any = None) -> Panel:
    """Return a panel with a slider for each measurement, and the model's answer to them, renewed at every move.

    It raises ValueError as `describe_answer` does.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> parts = data.split(flowers.X, flowers.y, n_members=75, random_state=0)
    >>> model = targets.make("one-nn").fit(parts.X_in, parts.y_in)
    >>> list(ask_the_model(model, flowers).values)
    ['sepal length', 'sepal width', 'petal length', 'petal width']
    """
    from mialab.widgets._live import Panel

    sliders = [
        Range(name, round(float(np.median(flowers.X[:, j])), 1), 0, 16, 0.1, " cm")
        for j, name in enumerate(flowers.feature_names)
    ]
    answer_view(model, flowers, [s.value for s in sliders], trained_on)  # an error belongs here, not in the panel
    return Panel(
        "Ask the model", sliders, failed="The model could not answer",
        renew=lambda values: answer_view(model, flowers, [values[s.name] for s in sliders], trained_on),
    )  # fmt: skip


# --- guess the member -------------------------------------------------------------------------------------------------


@dataclass
class Game:
    """A `Game` shows twenty flowers, ten of them members: you guess each from the model's answer.

    So does the attack. `scores` (n,) are the attack's, one for each record of `parts`; it calls the ten highest of the
    twenty members, and draws lots between equals. It raises ValueError for fewer than ten members or strangers, and for
    scores that are not finite.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> parts = data.split(flowers.X, flowers.y, n_members=75, random_state=0)
    >>> model = targets.make("one-nn").fit(parts.X_in, parts.y_in)
    >>> game = Game(model, parts, flowers, scores=parts.is_member)  # an attack that knows it all
    >>> for _ in range(20):
    ...     game.guess(member=True)
    >>> game.right
    (10, 20)
    """

    model: Any
    parts: Split
    flowers: Flowers
    scores: Any
    random_state: int = 0
    rows: np.ndarray = field(init=False)
    attack_says: np.ndarray = field(init=False)
    guesses: list[bool] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        scores = _checks.numbers("scores", self.scores, "it should be (n,) numbers, one a record of parts")
        truth = np.asarray(self.parts.is_member)
        if scores.shape != truth.shape or min(truth.sum(), (~truth).sum()) < 10:
            raise ValueError(
                f"scores has shape {scores.shape} for {truth.sum()} members and {(~truth).sum()} strangers; it should "
                "be one number a record of parts, with ten members and ten strangers at least"
            )
        if not np.isfinite(scores).all():
            raise ValueError("scores holds NaN or infinite values; it should be (n,) finite numbers")
        _codes("parts.y", self.parts.y, self.flowers)
        _checks.answers(self.model, self.parts.X[:1])
        _species_of(self.model, self.flowers)
        rng = _checks.generator(self.random_state)
        halves = [rng.choice(np.flatnonzero(truth == half), 10, replace=False) for half in (True, False)]
        self.rows = rng.permutation(np.concatenate(halves))
        rank = np.lexsort((rng.random(20), -scores[self.rows]))
        self.attack_says = np.isin(np.arange(20), rank[:10])

    @property
    def truth(self) -> np.ndarray:
        """Return who is a member, (20,) bool."""
        return np.asarray(self.parts.is_member)[self.rows]

    def guess(self, member: bool) -> None:
        """Note your guess about the flower on the table; nothing happens when all twenty are guessed."""
        member = _checks.flag("member", member)
        if len(self.guesses) < 20:
            self.guesses.append(member)

    @property
    def right(self) -> tuple[int, int]:
        """Return how many of the flowers guessed so far you had right, and how many the attack."""
        truth = self.truth[: len(self.guesses)]
        said = np.array(self.guesses, bool), self.attack_says[: len(truth)]
        return tuple(int((each == truth).sum()) for each in said)

    def view(self) -> View:
        """Return the flower on the table, or the result."""
        n, (own, attack) = len(self.guesses), self.right
        last = ""
        if n:
            verdict = "Right" if self.guesses[-1] == self.truth[n - 1] else "Wrong"
            last = f"{verdict}: that was a {'member' if self.truth[n - 1] else 'stranger'}. "
            last += f"Of {n} so far, you have {own} right and the attack {attack}.\n"
        if n == 20:
            words = f"{last}A coin would have about 10 right, and usually between 6 and 14."
            return View(words, lambda fig: _draw_result(fig, (own, attack)))
        record, label = self.parts.X[self.rows[n]], self.parts.y[self.rows[n]]
        answer, names = _checks.answers(self.model, record[None])[0], _species_of(self.model, self.flowers)
        cm = ", ".join(f"{name} {value:.1f}" for name, value in zip(self.flowers.feature_names, record, strict=True))
        lines = [f"{last}Flower {n + 1} of 20, recorded as a {self.flowers.class_names[label]} ({cm} cm).",
                 f"The model answers: {_in_words(names, answer)}",
                 "Was the model trained on it? Ten of the twenty are members."]  # fmt: skip

        def draw(fig: Figure) -> None:
            ax = fig.subplots()
            fig.subplots_adjust(0.17, 0.25, 0.98, 0.97)
            probabilities(names, answer, ax=ax)

        return View("\n".join(lines), draw, (6.0, 2.1))


def _draw_result(fig: Figure, right: tuple[int, int]) -> None:
    ax = fig.subplots()
    fig.subplots_adjust(0.17, 0.25, 0.98, 0.97)
    for row, (each, color) in enumerate(zip(right, ("#0B7285", "#8A1538"), strict=True)):
        ax.barh(row, each, color=color, height=0.6)
        ax.text(each + 0.2, row, f"{each}", va="center")
    ax.axvline(10, color="#5f6672", linestyle="--")
    ax.set(yticks=[0, 1], yticklabels=["you", "the attack"], ylim=(1.6, -0.6), xlim=(0, 21), xticks=range(0, 21, 5),
           xlabel="right, of twenty flowers (a coin: about 10)")  # fmt: skip


def guess_the_member(model: Any, parts: Split, flowers: Flowers, scores: Any) -> Panel:
    """Return a panel of you against the attack: twenty flowers with the model's answers, two buttons, and the score.

    The arguments are those of `Game`, as are the errors.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> parts = data.split(flowers.X, flowers.y, n_members=75, random_state=0)
    >>> model = targets.make("one-nn").fit(parts.X_in, parts.y_in)
    >>> list(guess_the_member(model, parts, flowers, scores=parts.is_member).values)
    ['member', 'stranger', 'deal again']
    """
    from mialab.widgets._live import Panel

    game = Game(model, parts, flowers, scores)
    pressed = {"member": 0, "stranger": 0, "deal again": 0}

    def renew(values: dict[str, Any]) -> View:
        nonlocal game
        for name in pressed:
            times, pressed[name] = values[name] - pressed[name], values[name]
            for _ in range(times):
                if name == "deal again":
                    game = Game(model, parts, flowers, scores, random_state=values[name])
                else:
                    game.guess(name == "member")
        return game.view()

    return Panel("Guess the member", [Button(name) for name in pressed], renew, failed="The game could not go on")


# --- the map of the garden --------------------------------------------------------------------------------------------


def garden_story(flowers: Flowers, garden: Exposure, flower: int) -> View:
    """Tell one flower's story: what the models that had it answer about it, and what the others do.

    `garden` is what `mialab.exposure.exposure` returns for these flowers. It raises ValueError for a garden of another
    size, and for a flower that there is not.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> from mialab import exposure, shadows
    >>> trained = shadows.train_shadows(targets.make("one-nn"), flowers.X, flowers.y, n_shadows=4, random_state=0)
    >>> print(garden_story(flowers, exposure.exposure(trained), flower=106).text)
    Flower 106, a virginica, is clearly exposed: 1.00, where 0.5 tells nothing and 1.0 tells all.
    2 models had it, and are 1.00 sure of its species on average; 2 had not, and are 0.00 sure.
    """
    if len(garden.auc) != len(flowers.y):
        raise ValueError(f"garden has {len(garden.auc)} records for {len(flowers.y)} flowers; it should be of the same")
    flower = _checks.whole_number("flower", flower, 0, len(flowers.y) - 1)
    inside, outside = garden.story(flower)
    if not (len(inside) and len(outside)):
        raise ValueError(
            f"flower {flower} was a member of {len(inside)} models and of {len(outside)} not; it needs both"
        )
    species = flowers.class_names[flowers.y[flower]]
    exposed = garden.auc[flower]
    how = "hardly" if exposed < 0.6 else "clearly" if exposed > 0.9 else "somewhat"
    text = (
        f"Flower {flower}, a {species}, is {how} exposed: {exposed:.2f}, where 0.5 tells nothing and 1.0 tells all.\n"
        f"{len(inside)} models had it, and are {inside.mean():.2f} sure of its species on average; "
        f"{len(outside)} had not, and are {outside.mean():.2f} sure."
    )

    def draw(fig: Figure) -> None:
        ax = fig.subplots()
        fig.subplots_adjust(0.1, 0.22, 0.98, 0.97)
        two_groups(inside, outside, label=f"confidence that flower {flower} is a {species}",
                   bins=np.linspace(0, 1, 17), names=("models with it", "models without it"),
                   names_at=_emptier_side(inside, outside), ax=ax)  # fmt: skip
        ax.set(ylabel="number of models", ylim=1.3 * np.array(ax.get_ylim()))  # room for the names
        ax.locator_params(nbins=4)

    return View(text, draw, (7.0, 2.5))


def _emptier_side(*groups: np.ndarray) -> str:
    """The side of the figure, "left" or "right", where no group has a high bar: the names stand there."""
    bars = [np.histogram(group, bins=26, range=(0, 1))[0] for group in groups]
    left, right = max(each[:9].max() for each in bars), max(each[17:].max() for each in bars)
    return "left" if left <= right else "right"


def garden_panel(flowers: Flowers, garden: Exposure) -> Panel:
    """Return a panel with the map of the garden: click a flower, or choose its number, and read its story.

    `garden` is what `mialab.exposure.exposure` returns for these flowers; of others it raises ValueError.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> from mialab import exposure, shadows
    >>> trained = shadows.train_shadows(targets.make("one-nn"), flowers.X, flowers.y, n_shadows=4, random_state=0)
    >>> garden = exposure.exposure(trained)  # garden_panel(flowers, garden) shows it
    >>> garden_panel(data.Flowers(flowers.X[:9], flowers.y[:9], flowers.feature_names, flowers.class_names), garden)
    Traceback (most recent call last):
    ValueError: x, y, species and exposure have shapes (9,), (9,), (9,) and (150,); they should be equal
    """
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    from mialab.widgets._live import Panel

    x, y = flowers.X[:, -2], flowers.X[:, -1]
    species = np.array(flowers.class_names)[flowers.y]
    with plt.style.context("mialab.course"):
        fig = Figure(figsize=(8.5, 4.6))
        ax = fig.subplots()
        garden_map(x, y, species, garden.auc, labels=tuple(flowers.feature_names[-2:]), ax=ax)
        places = _places(fig, ax, x, y)
        most = np.argsort(-garden.auc, kind="stable")[:5]
        picture = show(fig, alt="Map of the garden. Most exposed: " + ", ".join(
            f"flower {i}, a {species[i]}, {garden.auc[i]:.2f}" for i in most) + ".")  # fmt: skip

    def renew(values: dict[str, Any]) -> View:
        if "click" in values:  # the flower that is nearest to the click
            apart = (places - np.array(values.pop("click"))) * np.array([8.5, 4.6])
            values["flower number"] = int(np.hypot(*apart.T).argmin())
        return garden_story(flowers, garden, int(values["flower number"]))

    slider = Range("flower number", int(most[0]), 0, len(x) - 1)
    return Panel(
        "The map of the garden", [slider], renew,
        failed="There is no story", map=picture,
        spot=lambda values: tuple(places[int(values["flower number"])].tolist()),
    )  # fmt: skip


def _places(fig: Figure, ax: Axes, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n, 2): where points are in a picture, as shares of its width from the left and of its height from the top."""
    fig.draw_without_rendering()
    share = ax.transData.transform(np.column_stack([x, y])) / fig.bbox.size
    return np.column_stack([share[:, 0], 1 - share[:, 1]])
