"""What every picture with controls is made of. Each can also be set from code, so that it works without a mouse.

Where no live kernel stands behind a notebook (on GitHub, in the report), the picture of
the last ``set`` stands in for the widget.
"""

from __future__ import annotations

import base64
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
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


def has_anywidget() -> bool:
    """Whether pictures can be painted on and clicked on; without it there are sliders."""
    return find_spec("anywidget") is not None


class Picture(widgets.Image):
    """ipywidgets.Image with words for those who cannot see it: as its title, for it has no ``alt``."""

    description = traitlets.Unicode("").tag(sync=True)  # without one the browser's half stumbles over tooltip

    @property
    def alt(self) -> str:
        return getattr(self, "tooltip", None) or ""  # ipywidgets 7 has no such trait

    @alt.setter
    def alt(self, words: str) -> None:
        self.tooltip = words


@dataclass(frozen=True)
class Grid:
    """The places of a picture that one may point at: a grid, laid over one part of it or several.

    Attributes:
        rows, columns: of places.
        corners: (top, left) of each part, pixels of the picture.
        size: (height, width) of a part, pixels of the picture.
        at: (row, column) of the place that is chosen now.
        help: what a click does, the end of the sentence "Click on ...".
    """

    rows: int
    columns: int
    corners: tuple[tuple[float, float], ...]
    size: tuple[float, float]
    at: tuple[int, int]
    help: str


class Interactive(ABC):
    """A picture, its controls, and a sentence that says what is seen.

    A subclass makes the controls and draws; this class redraws when one changes. An error
    while drawing is shown in place of the sentence and raised, until a drawing succeeds.

    Args:
        controls: name -> widget with a ``value``.
    """

    def __init__(self, **controls: widgets.ValueWidget) -> None:
        self.controls = controls
        self.image, self.words = self._picture(), widgets.Label()
        self.words.add_class("strokegan-words")
        self._held = False
        for control in controls.values():
            control.style.description_width = "initial"  # the whole description, however long
            control.layout.width, control.layout.min_width = "auto", "20rem"
            control.layout.margin = "2px 1rem 2px 2px"
            control.observe(self._changed, names="value")
        narrow = widgets.Layout(flex_flow="row wrap", align_items="center")  # on a small screen several rows
        self.row = widgets.HBox(list(controls.values()), layout=narrow)
        style = widgets.HTML(f"<style>{STYLE}</style>", layout=widgets.Layout(display="none"))
        self.box = widgets.VBox([style, self.row, *self.parts()])
        self._changed()

    def parts(self) -> list[widgets.DOMWidget]:
        """What stands below the controls."""
        return [self.image, self.words]

    @abstractmethod
    def draw(self, **values: Any) -> tuple[bytes, str]:
        """The PNG for these values of the controls, and a sentence about it."""

    def say(self, words: str, failed: bool) -> None:
        """Show a sentence: about the picture, or about what went wrong."""
        self.words.value = words
        (self.words.add_class if failed else self.words.remove_class)("strokegan-failed")

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
            value = values[name]
            try:
                control.value = value
            except traitlets.TraitError as error:
                raise ValueError(f"{name} cannot be {value!r}: {error}") from error
            if control.value != value:  # a slider moves a value that lies beyond its end
                raise ValueError(f"{name} goes from {control.min} to {control.max}; {value!r} lies beyond")
        if self.failed:  # and it was not these values that changed
            self._changed()
        return self

    @contextmanager
    def together(self) -> Iterator[None]:
        """Controls changed inside are drawn once, at the end."""
        try:
            with self.quietly():
                yield
        finally:
            self._changed()

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Controls changed inside are not drawn: for a control that follows another."""
        before, self._held = self._held, True
        try:
            yield
        finally:
            self._held = before

    def _changed(self, _change: Any = None) -> None:
        if self._held:
            return
        values = {name: control.value for name, control in self.controls.items()}
        self.failed = True
        try:
            shown, words = self.draw(**values)
        except Exception as error:  # a callback's error would vanish otherwise
            self.say(f"{type(error).__name__}: {error}", failed=True)
            raise
        self.failed = False
        self.image.value, self.image.alt = shown, words
        self.say(words, failed=False)

    def _picture(self) -> widgets.DOMWidget:
        return Picture(format="png", layout=own_size())

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict, dict]:
        words = self.words.value
        still = base64.b64encode(self.image.value).decode("ascii")
        data, metadata = live(self.box)
        bundle = {**data, "image/png": still, "text/plain": words}
        return bundle, {**metadata, "image/png": {"alt": words}}


class Clickable(Interactive):
    """A picture that can be clicked on, where anywidget is installed; else its controls serve."""

    @abstractmethod
    def grid(self) -> Grid:
        """The places that a click on the picture, as drawn last, may choose."""

    @abstractmethod
    def point(self, row: int, column: int) -> None:
        """Set the controls to a place of the grid."""

    def _changed(self, change: Any = None) -> None:
        super()._changed(change)
        if not self._held and not isinstance(self.image, Picture):
            self.image.lay(self.grid())

    def _picture(self) -> widgets.DOMWidget:
        if not has_anywidget():
            return super()._picture()
        from strokegan_lib.classroom.widgets.canvas import ClickablePicture

        clickable = ClickablePicture(layout=own_size())

        def pointed(change: dict) -> None:
            if (place := tuple(change["new"])) != self.grid().at:  # else it was moved by a slider
                self.point(*place)

        clickable.observe(pointed, names="place")
        return clickable


def own_size() -> widgets.Layout:
    """A picture is not stretched to the width of the page, and shrinks where that is narrower."""
    return widgets.Layout(align_self="flex-start", max_width="100%")
