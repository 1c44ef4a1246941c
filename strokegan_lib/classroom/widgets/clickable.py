"""A picture that one may point at, with the mouse, a finger or the arrow keys."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from strokegan_lib.classroom.widgets.interactive import Interactive

HERE = Path(__file__).parent


def script(name: str) -> str:
    """A JavaScript module, after what all of ours share."""
    return "\n".join((HERE / file).read_text(encoding="utf-8") for file in ("shared.js", name))


@dataclass(frozen=True)
class Grid:
    """The places of a picture that may be chosen: a grid, laid over one part of it or several.

    Attributes:
        rows, columns: of places.
        corners: (top, left) of each part, pixels of the picture.
        size: (height, width) of a part, pixels of the picture.
        at: (row, column) of the place that is chosen now.
        help: the end of the sentence "Click on ...".
    """

    rows: int
    columns: int
    corners: tuple[tuple[float, float], ...]
    size: tuple[float, float]
    at: tuple[int, int]
    help: str


class ClickablePicture(anywidget.AnyWidget):
    """A PNG with its words and its grid; ``place``, (row, column), comes back from the browser."""

    _esm = script("clickable_picture.js")

    value = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    grid = traitlets.Dict().tag(sync=True)
    place = traitlets.List(traitlets.Int()).tag(sync=True, echo_update=False)  # an echo may be out of date


class Clickable(Interactive):
    """A picture with controls, two of which may also be set by a click."""

    @abstractmethod
    def grid(self) -> Grid:
        """The places that a click on the picture, as drawn last, may choose."""

    @abstractmethod
    def point(self, row: int, column: int) -> dict[str, Any]:
        """The values of the controls for a place of the grid."""

    def make_picture(self) -> ClickablePicture:
        picture = ClickablePicture()
        picture.observe(lambda change: self.clicked(*change["new"]), names="place")
        return picture

    def clicked(self, row: int, column: int) -> None:
        """Take a place that the browser sent; one that a slider has chosen is there already."""
        if (row, column) != self.grid().at:
            with self.quietly():
                self.set(**self.point(row, column))
            self.redraw()

    def redraw(self, change: Any = None) -> None:
        super().redraw(change)
        if not self.quiet:
            grid = self.grid()
            with self.image.hold_sync():
                self.image.grid, self.image.place = asdict(grid), list(grid.at)
