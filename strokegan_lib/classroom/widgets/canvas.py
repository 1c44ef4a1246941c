"""The widgets that are drawn in the browser: a canvas to paint on, a picture to point at.

Their other half is the JavaScript beside this file. Only those who use them import this
module, as it needs anywidget.
"""

from __future__ import annotations

import base64
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from strokegan_lib.classroom.widgets.interactive import Grid

HERE = Path(__file__).parent


def script(name: str) -> str:
    """A JavaScript module, with what both of ours share before it."""
    return "\n".join((HERE / file).read_text(encoding="utf-8") for file in ("pointing.js", name))


class PaintCanvas(anywidget.AnyWidget):
    """A slice to paint a mask on, and a picture beside it.

    From the browser comes ``mask`` alone, as text: bytes would arrive as a memoryview, which
    ``traitlets.Bytes`` refuses without a word. It is not echoed: an echo may be older than
    what has been painted since.

    Attributes:
        shape: H and W.
        slice, foreground: H * W bytes, row by row: grey values, and 0/1.
        mask: as :func:`pack` makes it.
        size: diameter of the brush, pixels.
        painted: the PNG beside it; *alt* tells it in words.
        words: the sentence below; *failed* says that it is about an error.
        colours: of what is painted inside and outside the foreground.
    """

    _esm = script("lesion_painter.js")
    _css = HERE / "lesion_painter.css"

    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    slice = traitlets.Bytes().tag(sync=True)
    foreground = traitlets.Bytes().tag(sync=True)
    mask = traitlets.Unicode().tag(sync=True, echo_update=False)
    size = traitlets.Int(9).tag(sync=True)
    painted = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    failed = traitlets.Bool(False).tag(sync=True)
    colours = traitlets.List().tag(sync=True)


class ClickablePicture(anywidget.AnyWidget):
    """A picture that may be pointed at, with mouse, finger or arrow keys.

    Attributes:
        value: a PNG; *alt* tells it in words.
        corners, size, shape, place, help: the grid, see :meth:`lay`; ``place`` comes back.
    """

    _esm = script("clickable_picture.js")

    value = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    corners = traitlets.List().tag(sync=True)
    size = traitlets.List().tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    place = traitlets.List(traitlets.Int()).tag(sync=True, echo_update=False)
    help = traitlets.Unicode().tag(sync=True)

    def lay(self, grid: Grid) -> None:
        """Lay a grid over the picture."""
        with self.hold_sync():
            self.corners, self.size = [list(corner) for corner in grid.corners], list(grid.size)
            self.shape, self.place, self.help = [grid.rows, grid.columns], list(grid.at), grid.help


def pack(mask: np.ndarray) -> str:
    """A mask, (H, W) bool, as text: eight pixels a byte, in base64."""
    return base64.b64encode(np.packbits(mask)).decode("ascii")


def unpack(text: str, shape: tuple[int, int]) -> np.ndarray:
    """The mask, (H, W) bool, that :func:`pack` made text of."""
    bits = np.frombuffer(base64.b64decode(text), np.uint8)
    return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).astype(bool)
