"""Paint a lesion, and watch the generator make a slice of it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import traitlets

from strokegan_lib.classroom.widgets.interactive import Canvas, script
from strokegan_lib.classroom.widgets.lesion_mover import MaskToSlice
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.synthesis import Generator

Stroke = Sequence[tuple[float, float]]  # (row, column) of the places that the brush passes


class PaintCanvas(Canvas):
    """A slice to paint a mask on, and beside it the right half of a picture."""

    _esm = script("lesion_painter.js")

    slice = traitlets.Bytes().tag(sync=True)  # H * W grey values, row by row
    foreground = traitlets.Bytes().tag(sync=True)  # 0/1 each
    # digits 0 and 1; from the browser, and not echoed: an echo may be older than what is painted since
    mask = traitlets.Unicode().tag(sync=True, echo_update=False)


class LesionPainter(MaskToSlice):
    """A slice to paint a lesion on, with mouse, finger, pen or keys, and the answer. Used in notebook 04."""

    def __init__(self, generator: Generator, slices: SliceSet, rows: np.ndarray) -> None:
        self.mask = np.zeros(slices.foreground.shape[1:], bool)
        super().__init__(generator, slices, rows)

    def make_picture(self) -> PaintCanvas:
        canvas = PaintCanvas(shape=list(self.mask.shape), mask=digits(self.mask))
        canvas.observe(self._painted, names="mask")
        return canvas

    def _painted(self, change: dict[str, Any]) -> None:
        """Take a mask from the browser; one that ``set`` has painted is there already."""
        mask = (np.frombuffer(change["new"].encode(), np.uint8) == ord("1")).reshape(self.mask.shape)
        if not np.array_equal(mask, self.mask):
            self.mask = mask
            self.redraw()

    def set(self, strokes: Sequence[Stroke] | None = None, size: int = 9, **values: Any) -> "LesionPainter":
        """Paint from code, in place of what was painted before, see :func:`brushed`; or set other controls."""
        if strokes is not None:
            self.mask = brushed(strokes, size, self.mask.shape)
            self.image.mask = digits(self.mask)
        return super().set(**values)

    def asked(self) -> np.ndarray:
        return self.mask

    def draw(self, number: int, **values: Any) -> tuple[np.ndarray, str]:
        row = self.rows[number]
        with self.image.hold_sync():
            self.image.slice = self.slices.images[row, 0].tobytes()
            self.image.foreground = self.slices.foreground[row].tobytes()
        return super().draw(number, **values)


def digits(mask: np.ndarray) -> str:
    """A mask, (H, W) bool, as one digit a pixel, row by row."""
    return (mask.astype(np.uint8) + ord("0")).tobytes().decode("ascii")


def brushed(strokes: Sequence[Stroke], size: float, shape: tuple[int, ...]) -> np.ndarray:
    """The mask that a round brush leaves, (H, W) bool, as the canvas does it.

    Args:
        strokes: each a way from place to place, (row, column) in pixels; one place is a dab.
        size: diameter of the brush, pixels: what lies half of that, or less, from the way is painted.
        shape: (H, W).

    Example:
        >>> brushed([[(1, 1), (1, 3)]], size=1, shape=(3, 5)).sum()
        3
    """
    mask = np.zeros(shape, bool)
    places = np.stack(np.indices(shape), -1).astype(float)  # (H, W, 2)
    for stroke in strokes:
        way = np.floor(np.asarray([*stroke, stroke[-1]], float) + 0.5)  # (n, 2) whole pixels; one is a dab
        for start, end in pairwise(way):
            step = end - start
            t = ((places - start) @ step / (step @ step or 1.0)).clip(0, 1)  # (H, W) nearest on the way
            mask |= np.hypot(*np.moveaxis(places - start - t[..., None] * step, -1, 0)) <= size / 2
    return mask
