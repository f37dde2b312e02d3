"""Short messages that read well in a notebook (light or dark), in plain text, and to a screen reader."""

from __future__ import annotations

import html
import re
import sys
import textwrap
from dataclasses import dataclass
from typing import Self

# Each tone has a mark and an edge colour; the words carry the meaning, the colour only repeats it.
TONES = {
    "correct": ("✓", "#2e9e5b"),
    "not yet": ("→", "#d9822b"),
    "not attempted": ("○", "#7a869a"),
    "note": ("·", "#4b83c4"),
}

# JupyterLab's own theme variables: text colour on panel colour is theirs in both themes. The second value of each
# serves pages outside JupyterLab.
_BOX = (
    "border-left:0.35em solid {edge};padding:0.6em 1em;margin:0.4em "
    "0;max-width:48em;line-height:1.45;background:var(--jp-layout-color2,#f0f1f3);color:var(--jp-content-font-color0,#16181d)"
)
_CODE = "background:transparent;color:inherit;padding:0;margin:0.4em 0;white-space:pre-wrap"


class Code(str):
    """A paragraph that is code: shown with its line breaks, in a fixed-width face."""


@dataclass(frozen=True, repr=False)
class Panel:
    """A title and paragraphs; `text between back-ticks` is code."""

    title: str
    body: tuple[str, ...] = ()
    tone: str = "note"

    def __repr__(self) -> str:
        """The panel as plain text, for terminals and for readers without HTML."""
        mark, _ = TONES[self.tone]
        paragraphs = [f"{mark} {self.title}"]
        for text in self.body:
            if isinstance(text, Code):
                paragraphs.append(textwrap.indent(text, "    "))
            else:
                paragraphs.append(textwrap.fill(text, 96, initial_indent="  ", subsequent_indent="  "))
        return "\n".join(paragraphs)

    def _repr_html_(self) -> str:
        mark, edge = TONES[self.tone]
        parts = [
            f'<div role="status" class="mialab-panel" style="{_BOX.format(edge=edge)}">'
            f'<p style="margin:0"><strong><span aria-hidden="true">{mark}</span> {inline(self.title)}</strong></p>'
        ]
        for text in self.body:
            if isinstance(text, Code):
                parts.append(f'<pre style="{_CODE}">{html.escape(text)}</pre>')
            else:
                parts.append(f'<p style="margin:0.4em 0 0">{inline(text)}</p>')
        return "".join(parts) + "</div>"

    def said(self) -> Self:
        """Show the panel now, wherever its call stands in a cell, and return it, to be silent once as a last line."""
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        if shell is not None:
            from IPython.display import display

            display({"text/plain": repr(self), "text/html": self._repr_html_()}, raw=True)
            object.__setattr__(self, "_silent", True)
        elif not hasattr(sys, "ps1"):  # a prompt shows what is returned, a script does not
            print(self)
        return self

    def _ipython_display_(self) -> None:
        if not vars(self).pop("_silent", False):
            raise NotImplementedError  # so that the notebook shows it as it shows any object


@dataclass(frozen=True, repr=False)
class Verdict(Panel):
    """What a check says: one of three outcomes and, for a wrong answer, the name of the diagnosis."""

    exercise: str = ""
    diagnosis: str | None = None

    @property
    def outcome(self) -> str:
        """`"correct"`, `"not yet"` or `"not attempted"`."""
        return self.tone


def bar(done: int, total: int) -> str:
    """Text progress bar: filled squares for what is done, hollow ones for the rest."""
    return "■" * done + "□" * (total - done)


def inline(text: str) -> str:
    """Escape for HTML, then turn `code` between back-ticks into code."""
    style = "background:transparent;color:inherit;padding:0"
    return re.sub(r"`([^`]+)`", rf'<code style="{style}">\1</code>', html.escape(text, quote=False))
