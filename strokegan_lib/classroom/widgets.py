"""Pictures with sliders. Each can also be set from code, so that it works without a mouse.

Where no live kernel stands behind a notebook (on GitHub, in the report), the picture of
the last ``set`` stands in for the widget.
"""

from __future__ import annotations

import base64
import io
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import traitlets
from PIL import Image
from scipy import ndimage

from strokegan_lib.data.slices import SliceSet

SCALE = 3  # screen pixels a side for each pixel of a slice: 128 becomes 384
ORANGE, BLUE = (230, 159, 0), (86, 180, 233)  # told apart by colour-blind eyes too
VIEW = "application/vnd.jupyter.widget-view+json"
STYLE = Path(__file__).with_name("widgets.css").read_text(encoding="utf-8")


def outlined(image: np.ndarray, *outlines: tuple[np.ndarray, tuple[int, int, int]]) -> np.ndarray:
    """A slice, SCALE times as large, with masks outlined.

    Args:
        image: (H, W) uint8.
        outlines: pairs of a mask, (H, W) bool or 0/1, and its colour; later ones lie on top.

    Returns:
        (H * SCALE, W * SCALE, 3) uint8.
    """
    block = np.ones((SCALE, SCALE), np.uint8)
    grey = np.kron(image, block)  # (H*SCALE, W*SCALE)
    colour = np.repeat(grey[..., None], 3, axis=-1)  # (H*SCALE, W*SCALE, 3)
    for mask, paint in outlines:
        large = np.kron(np.asarray(mask, np.uint8), block).astype(bool)
        colour[large & ~ndimage.binary_erosion(large)] = paint
    return colour


def png(pixels: np.ndarray) -> bytes:
    """Pixels, (h, w, 3) uint8, as PNG: packed a little less tightly, in half the time."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png", compress_level=1)
    return file.getvalue()


def picture(image: np.ndarray, *outlines: tuple[np.ndarray, tuple[int, int, int]]) -> bytes:
    """A slice with masks outlined, see :func:`outlined`, as PNG."""
    return png(outlined(image, *outlines))


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
    while drawing is shown in place of the sentence and raised, until a drawing succeeds. If
    the subclass has a grid, the picture can be clicked on, where anywidget is installed.

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

    def grid(self) -> Grid | None:
        """The places that a click on the picture, as drawn last, may choose; None for none."""
        return None

    def point(self, row: int, column: int) -> None:
        """Set the controls to a place of the grid."""
        raise NotImplementedError("a widget with a grid says what its places mean")

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
        if (grid := self.grid()) and not isinstance(self.image, Picture):
            self.image.lay(grid)

    def _picture(self) -> widgets.DOMWidget:
        own_size = widgets.Layout(align_self="flex-start", max_width="100%")  # not as wide as the page
        if type(self).grid is Interactive.grid or not has_anywidget():
            return Picture(format="png", layout=own_size)
        from strokegan_lib.classroom.canvas import ClickablePicture

        clickable = ClickablePicture(layout=own_size)

        def pointed(change: dict) -> None:
            if (place := tuple(change["new"])) != self.grid().at:  # else it was moved by a slider
                self.point(*place)

        clickable.observe(pointed, names="place")
        return clickable

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict, dict]:
        words = self.words.value
        still = base64.b64encode(self.image.value).decode("ascii")
        data, metadata = live(self.box)
        bundle = {**data, "image/png": still, "text/plain": words}
        return bundle, {**metadata, "image/png": {"alt": words}}


class PatientBrowser(Interactive):
    """Leaf through the planes and channels of the patients of a data set, lesions outlined.

    Args:
        slices: the data set.

    Example:
        ``PatientBrowser(slices).set(patient=3, plane=14, channel="flair")``; patients and
        planes are counted from 0 in the order on disk.
    """

    def __init__(self, slices: SliceSet) -> None:
        self.slices = slices
        self.rows = [slices.of_patient(patient) for patient in slices.patients]  # made once: set stays quick
        planes = len(self.rows[0])
        self.plane = widgets.IntSlider(planes // 2, 0, planes - 1, description="plane")
        super().__init__(
            patient=widgets.IntSlider(0, 0, len(self.rows) - 1, description="patient"),
            plane=self.plane,
            channel=widgets.Dropdown(options=slices.channels, description="channel"),
        )

    def draw(self, patient: int, plane: int, channel: str) -> tuple[bytes, str]:
        rows = self.rows[patient]
        if self.plane.max != len(rows) - 1:  # patients may differ in their number of planes
            with self.quietly():
                self.plane.max = len(rows) - 1
            plane = self.plane.value
        row = rows[plane]
        stroke = self.slices.stroke[row]
        shown = picture(self.slices.images[row, self.slices.channels.index(channel)], (stroke, ORANGE))
        pixels = int(stroke.sum())
        lesion = f"{pixels} pixels of stroke, outlined in orange" if pixels else "no stroke"
        if not pixels and (others := np.flatnonzero(self.slices.table["has_stroke"][rows])).size:
            lesion += f" (this patient's lies between planes {others[0]} and {others[-1]})"
        where = f"{self.slices.patients[patient]}, plane {plane} (0 to {len(rows) - 1}), {channel}"
        return shown, f"{where}: {lesion}"


class MaskComparison(Interactive):
    """A reader's mask beside one drawn a little larger or smaller, and their agreement.

    Args:
        image: (H, W) uint8.
        mask: (H, W) bool, the first reader's, drawn in orange.
        redraw: (mask, pixels) -> the second reader's mask, drawn in blue.
        score: (first, second) -> their agreement.
        reach: the slider goes from -reach to reach pixels.

    Example:
        ``MaskComparison(image, mask, redraw, dice).set(pixels=1)``
    """

    def __init__(
        self,
        image: np.ndarray,
        mask: np.ndarray,
        redraw: Callable[[np.ndarray, int], np.ndarray],
        score: Callable[[np.ndarray, np.ndarray], float],
        reach: int = 3,
    ) -> None:
        self.slice, self.mask, self.redraw, self.score = image, mask, redraw, score
        super().__init__(pixels=widgets.IntSlider(0, -reach, reach, description="edge moved by (pixels)"))

    def draw(self, pixels: int) -> tuple[bytes, str]:
        second = self.redraw(self.mask, pixels)
        return picture(self.slice, (self.mask, ORANGE), (second, BLUE)), (
            f"first reader {self.mask.sum()} pixels (orange), second reader {second.sum()} pixels (blue), "
            f"edge moved by {pixels:+d}: Dice {self.score(self.mask, second):.3f}"
        )
