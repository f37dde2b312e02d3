"""Panels to play with. What a panel says is an ordinary function, so it is tested without a browser."""

from __future__ import annotations

import html
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
        answer.value = f'<pre role="status" style="line-height:1.4">{html.escape(text)}</pre>'

    for slider in sliders:
        slider.observe(renew, "value")
    renew()
    return w.VBox([*sliders, answer])
