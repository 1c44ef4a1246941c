"""A picture with controls, drawn again when a control changes, with the mouse or from code.

Without a live kernel the picture of the last ``set`` stands in for the widget. ``interactive_output`` of ipywidgets
is not used: tools that run notebooks without a browser do not know its output areas.
"""

import base64
import sys
from abc import ABC, abstractmethod
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets
from matplotlib import style

from strokegan_lib.classroom.widgets.pixels import png

VIEW = "application/vnd.jupyter.widget-view+json"
STYLE = Path(__file__).with_name("widgets.css").read_text(encoding="utf-8")


def live(box: widgets.Widget) -> tuple[dict[str, dict], dict[str, dict]]:
    """Data and metadata that let a browser show *box*, with ipywidgets 8 and with 7, which Colab has.

    Colab adds the manager that anywidget has switched on to what ``display`` shows, not to a cell's last value.
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
    # in ipywidgets 7 the tooltip is an attribute that is not sent
    alt = property(lambda self: self.tooltip, lambda self, words: setattr(self, "tooltip", words))


class Interactive(ABC):
    """A picture, its controls (name -> widget with a ``value``), and a sentence that says what is seen.

    An error while drawing is shown in place of the sentence and raised.
    """

    def __init__(self, **controls: widgets.ValueWidget) -> None:
        self.controls, self.sentence, self.quiet = controls, "", False
        self.image, self.words = self.make_picture(), widgets.HTML()
        # not stretched to the width of the page, and smaller where that is narrower
        self.image.layout = widgets.Layout(align_self="flex-start", max_width="100%")
        for control in controls.values():
            control.style.description_width = "initial"  # the whole description, however long
            control.layout = widgets.Layout(width="auto", min_width="20rem", margin="2px 1rem 2px 2px")
            control.observe(self.redraw, names="value")
        wrapping = widgets.Layout(flex_flow="row wrap", align_items="center")
        self.row = widgets.HBox(list(controls.values()), layout=wrapping)
        self.box = framed(self.row, self.image, self.words)
        self.redraw()

    @abstractmethod
    def draw(self, **values: Any) -> tuple[np.ndarray, str]:
        """Pixels, (h, w, 3) uint8, for these values of the controls, and a sentence about them."""

    def make_picture(self) -> widgets.DOMWidget:
        return Picture(format="png")

    def set(self, **values: Any) -> "Interactive":
        """Set controls by name, as the mouse would, draw once, and return the widget itself.

        KeyError where there is no such control, TraitError or ValueError for a value that it does not offer.
        """
        if unknown := values.keys() - self.controls.keys():
            raise KeyError(f"no control named {', '.join(unknown)}: there are {', '.join(self.controls)}")
        self.quiet = True
        try:
            for name, control in self.controls.items():  # in this order: a patient decides the planes
                if name in values:
                    control.value = values[name]
                    if control.value != values[name]:  # a slider moves a value that lies beyond its end
                        raise ValueError(f"{name} goes from {control.min} to {control.max}")
        finally:
            self.quiet = False
            self.redraw()
        return self

    def redraw(self, _change: Any = None) -> None:
        """Draw for the present values of the controls."""
        if self.quiet:
            return
        try:
            with style.context("default"):  # a lesson's large letters do not fit beside pictures
                shown, words = self.draw(**{name: control.value for name, control in self.controls.items()})
        except Exception as error:  # the error of a callback would be seen nowhere else
            self.words.value = status(f"{type(error).__name__}: {error}", "strokegan-failed")
            raise
        self.image.value, self.image.alt, self.sentence = png(shown), words, words
        self.words.value = status(words)

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict, dict]:
        data, metadata = live(self.box)
        still = {"image/png": base64.b64encode(self.image.value).decode("ascii"), "text/plain": self.sentence}
        return data | still, metadata | {"image/png": {"alt": self.sentence}}


def script(name: str) -> str:
    """A JavaScript module, after what all of ours share."""
    return "\n".join(Path(__file__).with_name(file).read_text("utf-8") for file in ("shared.js", name))


class Canvas(anywidget.AnyWidget):
    """Two slices side by side, a PNG, with words for those who cannot see it; and H and W of one slice."""

    value = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)


class ClickablePicture(Canvas):
    """Two slices in which a place, (row, column), is chosen by mouse, finger or arrow keys."""

    _esm = script("clickable_picture.js")

    step = traitlets.Int(1).tag(sync=True)  # pixels that an arrow key moves the place
    # from the browser, and not echoed: an echo may be older than the next click
    place = traitlets.List(traitlets.Int()).tag(sync=True, echo_update=False)


class Clickable(Interactive):
    """Two slices whose controls *row* and *column* may also be set by a click on either."""

    def make_picture(self) -> ClickablePicture:
        row, column = self.controls["row"], self.controls["column"]
        picture = ClickablePicture(shape=[row.max + 1, column.max + 1])
        picture.observe(self._clicked, names="place")
        return picture

    def _clicked(self, change: dict[str, Any]) -> None:
        """Take a place that the browser sent; one that a slider has chosen is there already."""
        row, column = change["new"]
        if (row, column) != (self.controls["row"].value, self.controls["column"].value):
            self.set(row=row, column=column)

    def redraw(self, change: Any = None) -> None:
        super().redraw(change)
        self.image.place = [self.controls["row"].value, self.controls["column"].value]
