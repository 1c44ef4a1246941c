"""Paint a lesion, and watch the generator make a slice of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import ipywidgets as widgets
import numpy as np

from strokegan_lib.classroom.widgets.interactive import Interactive, has_anywidget
from strokegan_lib.classroom.widgets.lesion_mover import LesionMover
from strokegan_lib.classroom.widgets.painting import Answer, Painting
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, picture
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.synthesis import Generator

Stroke = Sequence[tuple[float, float]]  # (row, column) of the places that the brush passes
MISSING = (
    "Painting with the mouse needs the package anywidget: pip install anywidget, restart the kernel and "
    "run the notebook again. Until then, move a lesion with the sliders."
)


class LesionPainter(Interactive):
    """A slice to paint a lesion on, and beside it what the generator paints for it, at once.

    Mouse, finger, pen or keys paint. The generator is given the painted mask and the slice's
    foreground; what is painted outside the foreground is told and left out. Without the
    package anywidget there are the sliders of :class:`LesionMover` instead, and a sentence
    that says so; ``set`` works all the same.

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
        self.canvas = self._canvas()
        super().__init__(
            number=widgets.IntSlider(0, 0, len(self.rows) - 1, description="slice"),
            outline=widgets.Checkbox(True, description="outline on the painted slice", indent=False),
        )
        if self.canvas is None:
            self._offer_sliders()

    def set(
        self,
        mask: np.ndarray | None = None,
        strokes: Sequence[Stroke] | None = None,
        size: int = 9,
        **values: Any,
    ) -> LesionPainter:
        """Paint from code, in place of what was painted before; or set the other controls.

        Args:
            mask: (H, W) bool or 0/1, what is painted.
            strokes: or ways of the brush, see :func:`brushed`.
            size: diameter of that brush, pixels.
            values: of the other controls: number, which counts *rows* from 0, and outline.

        Raises:
            KeyError: no such control.
            ValueError: mask and strokes at once, a mask of another shape, or a value that a
                control does not offer.
        """
        if mask is not None and strokes is not None:
            raise ValueError("give a mask or strokes, not both")
        if strokes is not None:
            mask = brushed(strokes, size, self.mask.shape)
        if mask is not None and np.shape(mask) != self.mask.shape:
            raise ValueError(f"the mask must be of shape {self.mask.shape}, not {np.shape(mask)}")
        with self.together():
            super().set(**values)
            if mask is not None:
                self.mask = np.asarray(mask, bool)
                if self.canvas is not None:
                    self.canvas.mask = self.pack(self.mask)
        if self.canvas is None:
            self._offer_sliders()
        return self

    def draw(self, number: int, outline: bool) -> tuple[bytes, str]:
        index = int(self.rows[number])
        image = self.slices.images[index, 0]
        answer = self.painting.answer(index, self.mask)
        told = f"{self.slices.table['patient'][index]}, slice {index}: {_told(answer)}"
        outlines = [(answer.stroke, ORANGE)] if outline else []
        if self.canvas is not None:
            with self.canvas.hold_sync():
                self.canvas.slice = image.tobytes()
                self.canvas.foreground = self.slices.foreground[index].astype(np.uint8).tobytes()
                self.canvas.painted = picture(answer.picture, *outlines)
                self.canvas.alt = f"The slice that the generator paints. {told}"
        both = np.concatenate([image, answer.picture], axis=1)  # (H, 2 W)
        asked = np.concatenate([self.mask, answer.stroke & outline], axis=1)
        return picture(both, (asked, ORANGE)), told

    def parts(self) -> list[widgets.DOMWidget]:
        return [self.words] if self.canvas is None else [self.canvas]

    def say(self, words: str, failed: bool) -> None:
        super().say(words, failed)
        if self.canvas is not None:
            with self.canvas.hold_sync():
                self.canvas.words, self.canvas.failed = words, failed

    def _canvas(self) -> widgets.DOMWidget | None:
        """What is painted on in the browser; None without anywidget."""
        if not has_anywidget():
            return None
        from strokegan_lib.classroom.widgets.canvas import PaintCanvas, pack, unpack

        self.pack = pack

        def take(change: dict) -> None:
            mask = unpack(change["new"], self.mask.shape)
            if not np.array_equal(mask, self.mask):  # else it comes from set, which draws by itself
                self.mask = mask
                self._changed()

        canvas = PaintCanvas(shape=list(self.mask.shape), mask=pack(self.mask), colours=[ORANGE, BLUE])
        canvas.observe(take, names="mask")
        return canvas

    def _offer_sliders(self) -> None:
        """In place of the canvas: the painted lesion, or a disc, moved by sliders."""
        height, width = self.mask.shape
        disc = brushed([[(height // 2, width // 2)]], 15, self.mask.shape)
        lesion = self.mask if self.mask.any() else disc
        self.mover = LesionMover(self.painting.generator, self.slices, self.rows, lesion)
        self.mover.set(number=self.controls["number"].value)
        self.box.children = [widgets.HTML(f"<p>{MISSING}</p>"), self.mover.box]


def _told(answer: Answer) -> str:
    """What was painted, what was left out, what it changed."""
    painted = int(answer.stroke.sum()) + answer.outside
    if not painted:
        return "nothing is painted yet, so the generator shows the slice without stroke"
    words = f"{painted} {'pixel' if painted == 1 else 'pixels'} painted"
    if answer.outside:
        words += f", {answer.outside} of them outside the foreground and ignored"
    if answer.after is None or answer.before is None:
        return f"{words}, so the generator shows the slice without stroke"
    return (
        f"{words}; brightness under the mask {answer.after:.2f}, {answer.after - answer.before:+.2f} "
        f"against the same slice without stroke"
    )


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
