"""Two slices side by side, in which one may point at a place with the mouse, a finger or the arrow keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from strokegan_lib.classroom.widgets.interactive import Interactive

HERE = Path(__file__).parent


def script(name: str) -> str:
    """A JavaScript module, after what all of ours share."""
    return "\n".join((HERE / file).read_text(encoding="utf-8") for file in ("shared.js", name))


class ClickablePicture(anywidget.AnyWidget):
    """A PNG of two slices with its words, in which a place is chosen.

    Attributes:
        value: the PNG; *alt* tells it in words.
        shape: H and W of one slice.
        step: pixels that an arrow key moves the place.
        place: row and column, pixels of the slice. It comes back from the browser, and is not echoed: an
            echo may be older than the next click.
    """

    _esm = script("clickable_picture.js")

    value = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    step = traitlets.Int(1).tag(sync=True)
    place = traitlets.List(traitlets.Int()).tag(sync=True, echo_update=False)


class Clickable(Interactive):
    """Two slices whose controls *row* and *column* may also be set by a click on either."""

    def make_picture(self) -> ClickablePicture:
        row, column = self.controls["row"], self.controls["column"]
        picture = ClickablePicture(shape=[row.max + 1, column.max + 1])
        picture.observe(lambda change: self.clicked(*change["new"]), names="place")
        return picture

    def clicked(self, row: int, column: int) -> None:
        """Take a place that the browser sent; one that a slider has chosen is there already."""
        if (row, column) != (self.controls["row"].value, self.controls["column"].value):
            with self.quietly():
                self.set(row=row, column=column)
            self.redraw()

    def redraw(self, change: Any = None) -> None:
        super().redraw(change)
        if not self.quiet:
            self.image.place = [self.controls["row"].value, self.controls["column"].value]
