"""Paint a lesion, and watch the generator make a slice of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets

from strokegan_lib.classroom.widgets.clickable import script
from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.painting import Answer, Painting
from strokegan_lib.classroom.widgets.pixels import ORANGE, outlined, png
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.synthesis import Generator

Stroke = Sequence[tuple[float, float]]  # (row, column) of the places that the brush passes


class PaintCanvas(anywidget.AnyWidget):
    """A slice to paint a mask on, and beside it the right half of a picture.

    Attributes:
        shape: H and W.
        slice, foreground: H * W bytes, row by row: grey values, and 0/1.
        mask: H * W digits, 0 or 1. It alone comes from the browser, and is not echoed: an echo may be
            older than what has been painted since.
        value: the picture, a PNG; *alt* tells it in words.
    """

    _esm = script("lesion_painter.js")

    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    slice = traitlets.Bytes().tag(sync=True)
    foreground = traitlets.Bytes().tag(sync=True)
    mask = traitlets.Unicode().tag(sync=True, echo_update=False)
    value = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)


class LesionPainter(Interactive):
    """A slice to paint a lesion on, and beside it what the generator makes of it, at once. Used in notebook 04.

    Mouse, finger, pen or keys paint. The generator is given the painted mask and the slice's
    foreground; what is painted outside the foreground is left out, and the sentence says so.

    Args:
        generator: in eval mode, as ``load_weights`` gives it.
        slices: the data set.
        rows: (n,) slices that may be painted on, such as those of held-out patients.

    Example:
        ``LesionPainter(generator, slices, rows).set(strokes=[[(60, 80), (70, 88)]], size=9)``

    Raises:
        ValueError: a generator in training mode.
    """

    def __init__(self, generator: Generator, slices: SliceSet, rows: np.ndarray) -> None:
        self.painting, self.slices, self.rows = Painting(generator, slices), slices, np.asarray(rows)
        self.mask = np.zeros(slices.foreground.shape[1:], bool)
        super().__init__(
            number=widgets.IntSlider(0, 0, len(self.rows) - 1, description="slice"),
            outline=widgets.Checkbox(True, description="outline on the synthetic slice", indent=False),
        )

    def make_picture(self) -> PaintCanvas:
        canvas = PaintCanvas(shape=list(self.mask.shape), mask=digits(self.mask))
        canvas.observe(self._take, names="mask")
        return canvas

    def _take(self, change: dict[str, Any]) -> None:
        """Take a mask from the browser."""
        mask = (np.frombuffer(change["new"].encode(), np.uint8) == ord("1")).reshape(self.mask.shape)
        if not np.array_equal(mask, self.mask):  # else it comes from set
            self.mask = mask
            self.redraw()

    def set(self, strokes: Sequence[Stroke] | None = None, size: int = 9, **values: Any) -> LesionPainter:
        """Paint from code, in place of what was painted before; or set the other controls.

        Args:
            strokes: ways of the brush, see :func:`brushed`.
            size: diameter of that brush, pixels.
            values: of the other controls: number, which counts *rows* from 0, and outline.

        Raises:
            KeyError: no such control.
            ValueError: a value that a control does not offer.
        """
        with self.quietly():
            super().set(**values)
        if strokes is not None:
            self.mask = brushed(strokes, size, self.mask.shape)
            self.image.mask = digits(self.mask)
        self.redraw()
        return self

    def draw(self, number: int, outline: bool) -> tuple[bytes, str]:
        index = int(self.rows[number])
        image, answer = self.slices.images[index, 0], self.painting.answer(index, self.mask)
        with self.image.hold_sync():
            self.image.slice = image.tobytes()
            self.image.foreground = self.slices.foreground[index].astype(np.uint8).tobytes()
        both = np.concatenate([image, answer.picture], axis=1)  # (H, 2 W)
        asked = np.concatenate([self.mask, answer.stroke & outline], axis=1)
        words = f"{self.slices.table['patient'][index]}, slice {index}: {_told(answer)}"
        return png(outlined(both, (asked, ORANGE))), words


def _told(answer: Answer) -> str:
    """What was painted, what was left out, what it changed."""
    painted = int(answer.stroke.sum()) + answer.outside
    if not painted:
        return "nothing is painted yet, so the generator makes the slice without stroke"
    words = f"{painted} {'pixel' if painted == 1 else 'pixels'} painted"
    if answer.outside:
        words += f", {answer.outside} of them outside the foreground and ignored"
    if answer.after is None:
        return f"{words}, so the generator makes the slice without stroke"
    return (
        f"{words}; brightness under the mask {answer.after:.2f}, {answer.after - answer.before:+.2f} "
        f"against the same slice without stroke"
    )


def digits(mask: np.ndarray) -> str:
    """A mask, (H, W) bool, as one digit a pixel, row by row."""
    return (mask.astype(np.uint8) + ord("0")).tobytes().decode("ascii")


def brushed(strokes: Sequence[Stroke], size: float, shape: tuple[int, ...]) -> np.ndarray:
    """The mask that a round brush leaves, as the canvas does it.

    Args:
        strokes: each a way from place to place, (row, column) in pixels; one place is a dab.
        size: diameter of the brush, pixels. A pixel is painted if it lies half of that, or
            less, from the way.
        shape: (H, W).

    Returns:
        (H, W) bool.

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
