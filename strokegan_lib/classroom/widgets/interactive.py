"""A picture with controls, drawn again when a control changes, with the mouse or from code.

Where no live kernel stands behind a notebook (on GitHub, in a page), the picture of the last
``set`` stands in for the widget. ``ipywidgets.interact`` is not used: it shows an error only as
output of the cell, and tools that run notebooks without a browser do not know its output areas.
"""

from __future__ import annotations

import base64
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import traitlets

VIEW = "application/vnd.jupyter.widget-view+json"
STYLE = Path(__file__).with_name("widgets.css").read_text(encoding="utf-8")


def live(box: widgets.Widget) -> tuple[dict[str, dict], dict[str, dict]]:
    """Data and metadata that let a browser show *box*, with ipywidgets 8 and with 7, which Colab has.

    Colab shows what is made with anywidget only where the metadata name the manager that anywidget has
    switched on. Colab itself adds that to what ``display`` shows, not to the value of a cell's last line.
    """
    output = sys.modules.get("google.colab.output")
    url = getattr(getattr(output, "_widgets", None), "_installed_url", None)
    metadata = {VIEW: {"colab": {"custom_widget_manager": {"url": url}}}} if url else {}
    return {VIEW: box.get_view_spec()}, metadata


def status(words: str, kind: str = "") -> str:
    """A sentence as HTML that a screen reader reads out; *kind* is a further class of ``widgets.css``."""
    return f'<div role="status" class="strokegan-words {kind}">{escape(words)}</div>'


def framed(*children: widgets.Widget) -> widgets.VBox:
    """Widgets one under the other, in the kit's style."""
    style = widgets.HTML(f"<style>{STYLE}</style>", layout=widgets.Layout(display="none"))
    return widgets.VBox([style, *children])


class Picture(widgets.Image):
    """ipywidgets.Image with words for those who cannot see it: as its title, for it has no ``alt``."""

    description = traitlets.Unicode("").tag(sync=True)  # the browser's half needs one beside a tooltip

    @property
    def alt(self) -> str:
        return self.tooltip

    @alt.setter
    def alt(self, words: str) -> None:
        self.tooltip = words  # in ipywidgets 7 an attribute that is not sent


class Interactive(ABC):
    """A picture, its controls, and a sentence that says what is seen.

    A subclass makes the controls and draws. An error while drawing is shown in place of the
    sentence and raised.

    Args:
        controls: name -> widget with a ``value``.

    Attributes:
        image: the picture's widget; its ``value`` is a PNG.
        sentence: what is said of it.
    """

    def __init__(self, **controls: widgets.ValueWidget) -> None:
        self.controls, self.sentence, self.quiet = controls, "", False
        self.image, self.words = self.make_picture(), widgets.HTML()
        # not stretched to the width of the page, and smaller where that is narrower
        self.image.layout.align_self, self.image.layout.max_width = "flex-start", "100%"
        for control in controls.values():
            control.style.description_width = "initial"  # the whole description, however long
            control.layout.width, control.layout.min_width = "auto", "20rem"
            control.layout.margin = "2px 1rem 2px 2px"
            control.observe(self.redraw, names="value")
        wrapping = widgets.Layout(flex_flow="row wrap", align_items="center")
        self.row = widgets.HBox(list(controls.values()), layout=wrapping)
        self.box = framed(self.row, self.image, self.words)
        self.redraw()

    @abstractmethod
    def draw(self, **values: Any) -> tuple[bytes, str]:
        """The PNG for these values of the controls, and a sentence about it."""

    def make_picture(self) -> widgets.DOMWidget:
        return Picture(format="png")

    def set(self, **values: Any) -> Interactive:
        """Set controls by name, as the mouse would, and return the widget itself.

        Raises:
            KeyError: no such control.
            ValueError: a value that the control does not offer.
            Exception: whatever went wrong while drawing.
        """
        if unknown := values.keys() - self.controls.keys():
            raise KeyError(f"no control named {', '.join(unknown)}: there are {', '.join(self.controls)}")
        for name, control in self.controls.items():  # in this order: a patient decides what planes there are
            if name not in values:
                continue
            try:
                control.value = values[name]
            except traitlets.TraitError as error:
                raise ValueError(f"{name} cannot be {values[name]!r}: {error}") from error
            if control.value != values[name]:  # a slider moves a value that lies beyond its end
                raise ValueError(f"{name} goes from {control.min} to {control.max}, not to {values[name]!r}")
        return self

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Controls that change inside are not drawn."""
        before, self.quiet = self.quiet, True
        try:
            yield
        finally:
            self.quiet = before

    def redraw(self, _change: Any = None) -> None:
        """Draw for the present values of the controls."""
        if self.quiet:
            return
        try:
            shown, words = self.draw(**{name: control.value for name, control in self.controls.items()})
        except Exception as error:  # the error of a callback would be seen nowhere else
            self.words.value = status(f"{type(error).__name__}: {error}", "strokegan-failed")
            raise
        self.image.value, self.image.alt, self.sentence = shown, words, words
        self.words.value = status(words)

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict, dict]:
        data, metadata = live(self.box)
        still = base64.b64encode(self.image.value).decode("ascii")
        bundle = {**data, "image/png": still, "text/plain": self.sentence}
        return bundle, {**metadata, "image/png": {"alt": self.sentence}}
