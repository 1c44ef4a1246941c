"""Ask the generator for a stroke anywhere, and watch what it makes of it."""

from abc import abstractmethod
from typing import Any

import ipywidgets as widgets
import numpy as np
from scipy import ndimage

from strokegan_lib.classroom.widgets.interactive import Clickable, Interactive
from strokegan_lib.classroom.widgets.pixels import ORANGE, outlined
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.synthetic import paint
from strokegan_lib.models.synthesis import Generator


class MaskToSlice(Interactive):
    """A slice of the data, and the slice that a generator makes of its foreground and of a mask.

    What of the mask lies outside the foreground is left out. The sentence compares the brightness under
    the mask with that of a slice made without any stroke: what the mask alone has changed.

    Args:
        generator: in eval mode, as ``load_weights`` gives it.
        rows: (n,) which of the slices may be chosen; ``number`` counts them from 0.
        controls: those that decide the mask.
    """

    def __init__(
        self, generator: Generator, slices: SliceSet, rows: np.ndarray, **controls: widgets.ValueWidget
    ) -> None:
        self.generator, self.slices, self.rows = generator, slices, rows
        super().__init__(
            number=widgets.IntSlider(0, 0, len(rows) - 1, description="slice"),
            **controls,
            outline=widgets.Checkbox(True, description="outline on the synthetic slice", indent=False),
        )

    @abstractmethod
    def asked(self, **values: Any) -> np.ndarray:
        """The mask, (H, W) bool, for these values of the controls."""

    def draw(self, number: int, outline: bool, **values: Any) -> tuple[np.ndarray, str]:
        index, mask = int(self.rows[number]), self.asked(**values)
        foreground = self.slices.foreground[index].astype(bool)
        stroke = mask & foreground
        strokes = np.stack([np.zeros_like(stroke), stroke])  # (2, H, W)
        without, made = paint(self.generator, strokes, np.stack([foreground] * 2))[:, 0]  # (H, W) each
        both = np.concatenate([self.slices.images[index, 0], made], axis=1)  # (H, 2 W)
        outlines = np.concatenate([mask, stroke & outline], axis=1)

        size, outside = int(mask.sum()), int((mask & ~foreground).sum())
        patient = self.slices.table["patient"][index]
        words = f"{patient}, slice {index}: {size} pixel{'s' * (size != 1)} of stroke"
        if outside:
            words += f", {outside} of them outside the foreground and ignored"
        end = ", so the generator makes the slice without stroke"
        if stroke.any():
            before, after = (picture[stroke].mean() / 255 for picture in (without, made))
            end = f"; brightness under the mask {after:.2f}, {after - before:+.2f} against what it paints there without a stroke"
        return outlined(both, (outlines, ORANGE)), words + end


class LesionMover(MaskToSlice, Clickable):
    """A real and a synthetic slice, whose lesion a click moves and sliders resize and turn. Used in notebook 04.

    Args:
        lesion: (H, W) bool or 0/1, the shape that is moved about; not empty.
    """

    def __init__(self, generator: Generator, slices: SliceSet, rows: np.ndarray, lesion: np.ndarray) -> None:
        self.lesion = np.asarray(lesion, bool)
        row, column = np.argwhere(lesion).mean(0).round().astype(int).tolist()
        super().__init__(
            *(generator, slices, rows),
            row=widgets.IntSlider(row, 0, lesion.shape[0] - 1, description="row (pixels)"),
            column=widgets.IntSlider(column, 0, lesion.shape[1] - 1, description="column (pixels)"),
            size=widgets.FloatSlider(1.0, min=0.0, max=3.0, step=0.1, description="size (times)"),
            angle=widgets.IntSlider(0, -180, 180, description="angle (degrees)"),
        )

    def asked(self, row: int, column: int, size: float, angle: int) -> np.ndarray:
        return moved(self.lesion, row, column, size, angle)


def moved(lesion: np.ndarray, row: int, column: int, size: float, angle: float) -> np.ndarray:
    """A mask, (H, W) bool, with its centre of mass at (row, column), resized and turned about it.

    Each new pixel looks up the old one it comes from, the nearest; what leaves the picture is lost.

    Args:
        lesion: (H, W) bool, not empty.
        row, column: of the new centre, pixels.
        size: factor of its diameter; 0 leaves nothing.
        angle: degrees, anticlockwise as seen on the screen.
    """
    if size == 0:
        return np.zeros_like(lesion)
    cos, sin = np.cos(np.deg2rad(angle)) / size, np.sin(np.deg2rad(angle)) / size
    back = np.array([[cos, sin], [-sin, cos]])  # from a new place to an old one, about the centres
    centre = np.argwhere(lesion).mean(0)
    found = ndimage.affine_transform(lesion.astype(np.uint8), back, centre - back @ [row, column], order=0)
    return found.astype(bool)
