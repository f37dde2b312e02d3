"""A panel in the page: controls, and a view that is renewed at every move."""

from __future__ import annotations

import base64
import gc
import html
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from mialab._still import STILL
from mialab.plots import Picture
from mialab.widgets._view import Control, View

HERE = Path(__file__).parent


class Panel(anywidget.AnyWidget):
    """Controls above, sentences and pictures below; without a kernel, a still picture of its first state.

    `renew` gets the values of the controls by name, and gives the view. A view that fails is said in a sentence.
    """

    _esm = HERE / "panel.js"
    _css = HERE / "panel.css"
    title = traitlets.Unicode().tag(sync=True)
    controls = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)
    map = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        title: str,
        controls: Sequence[Control],
        renew: Callable[[dict[str, Any]], View],
        *,
        failed: str,
        map: Picture | None = None,
        spot: Callable[[dict[str, Any]], tuple[float, float]] | None = None,
    ) -> None:
        self._renew, self._failed, self._spot = renew, failed, spot
        super().__init__(
            title=title,
            controls=[asdict(control) for control in controls],
            values={control.name: control.value for control in controls},
            map=_as_image(map) if map else {},
        )
        self._show()
        self.observe(self._show, "values")

    def _show(self, _: Any = None) -> None:
        # Figures are garbage in cycles. Python would look for it among everything that the kernel has loaded, which
        # takes longer than a move may: it looks among the move's own objects, and afterwards.
        was_on = gc.isenabled()
        gc.disable()
        try:
            self._renew_answer()
        finally:
            gc.collect(0)
            if was_on:
                gc.enable()

    def _renew_answer(self) -> None:
        values = dict(self.values)
        turn = self.answer.get("turn", 0) + 1  # an answer is an answer, also when it is the same
        try:
            view = self._renew(values)
            said = {"text": view.text, "turn": turn, "spot": self._spot(values) if self._spot else None}
            self.answer = said | {"pending": True}  # the words need not wait for their picture
            said |= _as_image(view.picture())
        except (Exception, KeyboardInterrupt) as trouble:  # a panel must never fall silent
            why = "it was interrupted" if isinstance(trouble, KeyboardInterrupt) else trouble
            said = {"text": f"{self._failed}: {why}", "turn": turn}
        self.answer = said
        if values != self.values:  # a click on the map has moved a slider
            self.unobserve(self._show, "values")
            self.values = values
            self.observe(self._show, "values")

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live panel, and for pages without a kernel its sentences and pictures."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"] = self.answer["text"]
        data["text/html"] = self.still()
        return bundle

    def still(self) -> str:
        """The panel as it stands, as HTML without any script."""
        images = [image for image in (self.map, self.answer) if image.get("src")]
        pictures = "".join(
            f'<img alt="{html.escape(i["alt"])}" width="{i["width"]}" style="max-width:100%;background:white" '
            f'src="{i["src"]}">' for i in images
        )  # fmt: skip
        words = f'<pre style="white-space:pre-wrap">{html.escape(self.answer["text"])}</pre>'
        title = f"<p><em>{html.escape(self.title)}: run this cell to use it.</em></p>"
        return f'<div class="{STILL}">{title}{words}{pictures}</div>'


def _as_image(picture: Picture) -> dict[str, Any]:
    data = base64.b64encode(picture.png).decode("ascii")
    return {"src": f"data:image/png;base64,{data}", "alt": picture.alt, "width": picture.width}
