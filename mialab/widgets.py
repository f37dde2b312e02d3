"""Panels to play with. What a panel says is an ordinary function, so it is tested without a browser."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import ipywidgets

    from mialab.data import Flowers


def describe_answer(model: Any, flowers: Flowers, measurements: Any, trained_on: Any = None) -> str:
    """What a model answers to one flower, in sentences: its species, its confidence, the nearest real flower.

    `measurements`: (n_features,) in cm. `trained_on`: row numbers of the members, to say whether the nearest flower is
    one; None leaves that out.
    """
    x = np.asarray(measurements, float).reshape(1, -1)
    if x.shape[1] != flowers.X.shape[1] or not np.isfinite(x).all():
        raise ValueError(
            f"measurements should be {flowers.X.shape[1]} numbers, in cm, one for each of {flowers.feature_names}"
        )
    answer = model.predict_proba(x)[0]
    distance = np.linalg.norm(flowers.X - x, axis=1)
    nearest = int(distance.argmin())
    names = np.asarray(flowers.class_names)[np.asarray(model.classes_)]
    lines = [f"The model says {names[answer.argmax()]}, with confidence {answer.max():.2f}."]
    lines += [f"{name:<11} {'█' * round(20 * p):<20} {p:.2f}" for name, p in zip(names, answer, strict=True)]
    member = (
        ""
        if trained_on is None
        else f", a {'member' if nearest in set(np.asarray(trained_on).tolist()) else 'stranger'}"
    )
    lines.append(
        f"The nearest of the {len(flowers.X)} real flowers is number {nearest}, a "
        f"{flowers.class_names[flowers.y[nearest]]}"
        f"{member}, {distance[nearest]:.1f} cm away."
    )
    return "\n".join(lines)


def ask_the_model(model: Any, flowers: Flowers, trained_on: Any = None) -> ipywidgets.VBox:
    """A slider for each measurement, and the model's answer to them below, renewed at every move."""
    import ipywidgets as w

    sliders = [
        w.FloatSlider(
            value=float(np.median(flowers.X[:, j])), min=0, max=16, step=0.1, description=f"{name} (cm)",
            style={"description_width": "9.5em"}, layout={"width": "34em", "max_width": "100%"},
        )
        for j, name in enumerate(flowers.feature_names)
    ]  # fmt: skip
    answer = w.HTML()

    def renew(_: Any = None) -> None:
        try:
            text = describe_answer(model, flowers, [s.value for s in sliders], trained_on)
        except Exception as trouble:  # a panel must never fall silent
            text = f"The model could not answer: {trouble}"
        answer.value = _status(text)

    for slider in sliders:
        slider.observe(renew, "value")
    renew()
    return w.VBox([*sliders, answer])


def describe_shadows(
    flowers: Flowers, n_shadows: int, n_members: int, epochs: int, flower: int
) -> tuple[str, np.ndarray, np.ndarray]:
    """Train nets on random parts of the flowers, and say what they answer members and strangers, and one `flower`.

    Returns the sentences, and the confidence in the recorded species of every member and of every stranger of every
    net: two arrays of numbers. The same settings always give the same answer.
    """
    from mialab.nets import NetClassifier
    from mialab.shadows import train_shadows

    net = NetClassifier(hidden=16, epochs=epochs)
    shadows = train_shadows(net, flowers.X, flowers.y, n_shadows, n_members=n_members, random_state=0)
    sure = shadows.proba[:, np.arange(len(flowers.y)), flowers.y]
    inside, outside = sure[shadows.in_mask], sure[~shadows.in_mask]
    own = shadows.in_mask[:, flower]
    species = flowers.class_names[flowers.y[flower]]
    lines = [
        f"{n_shadows} nets, each trained on {n_members} of {len(flowers.y)} flowers for {epochs} epochs.",
        f"Confidence in the recorded species, on average: members {inside.mean():.2f}, strangers {outside.mean():.2f}.",
        f"Flower {flower}, a {species}: in {own.sum()} nets a member, {_mean(sure[own, flower])}; "
        f"in {(~own).sum()} a stranger, {_mean(sure[~own, flower])}.",
    ]
    return "\n".join(lines), inside, outside


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():.2f}" if len(values) else "no answer"


def shadow_lab(flowers: Flowers) -> ipywidgets.VBox:
    """Sliders for how many nets, on how many flowers, for how long: they are all trained anew at every move."""
    import ipywidgets as w
    import matplotlib.pyplot as plt

    from mialab.plots import show, two_groups

    sliders = [
        w.IntSlider(
            value=value, min=low, max=high, step=step, description=name,
            style={"description_width": "11em"}, layout={"width": "34em", "max_width": "100%"},
        )
        for name, value, low, high, step in (
            ("shadow models", 64, 2, 256, 2),
            ("members of each", 75, 9, 141, 3),
            ("epochs", 200, 10, 500, 10),
            ("flower number", 83, 0, len(flowers.y) - 1, 1),
        )
    ]  # fmt: skip
    text, picture = w.HTML(), w.HTML()

    def renew() -> None:
        try:
            story, inside, outside = describe_shadows(flowers, *(s.value for s in sliders))
            fig, ax = plt.subplots(figsize=(6, 2.6))
            two_groups(ax, inside, outside, label="confidence in the recorded species", bins=np.linspace(0, 1, 21))
            picture.value = show(fig, alt=story)._repr_html_()
        except Exception as trouble:
            story, picture.value = f"The shadows could not be trained: {trouble}", ""
        text.value = _status(story)

    moved = _when_still(renew)  # one for all sliders: the last move counts
    for slider in sliders:
        slider.observe(moved, "value")
    renew()
    return w.VBox([*sliders, text, picture])


def _status(text: str) -> str:
    """Text that a screen reader speaks when it changes."""
    return f'<pre role="status" style="line-height:1.4;white-space:pre-wrap">{html.escape(text)}</pre>'


def _when_still(renew: Callable[[], None], seconds: float = 0.05) -> Callable[[Any], None]:
    """A callback that runs `renew` once the moves have paused, so that a drag does not queue up work.

    Where no event loop runs, which is to say outside a notebook, it runs at once.
    """
    waiting: list[asyncio.TimerHandle] = []

    def moved(_: Any) -> None:
        for handle in waiting:
            handle.cancel()
        waiting.clear()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            renew()
            return
        waiting.append(loop.call_later(seconds, renew))

    return moved
