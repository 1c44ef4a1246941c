"""Ask the generator for a stroke anywhere, and watch what it makes of it."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np
from scipy import ndimage

from strokegan_lib.classroom.widgets.clickable import Clickable
from strokegan_lib.classroom.widgets.painting import Painting
from strokegan_lib.classroom.widgets.pixels import ORANGE, outlined, png
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.synthesis import Generator


class LesionMover(Clickable):
    """A real slice beside a synthetic one, whose lesion is moved, resized and turned. Used in notebook 04.

    A click on either moves the lesion there. The sentence compares the brightness under the mask
    with that of a slice made without any stroke: what the mask alone has changed.

    Args:
        generator: in eval mode, as ``load_weights`` gives it.
        slices: the data set.
        rows: (n,) slices whose foreground may be chosen, such as those of a test patient.
        lesion: (H, W) bool or 0/1, the shape that is moved about; not empty.

    Example:
        ``LesionMover(generator, slices, rows, lesion).set(row=50, column=80, size=1.5, angle=30)``;
        ``number`` counts *rows* from 0, and a size of 0 asks for no stroke.

    Raises:
        ValueError: a generator in training mode, or an empty lesion.
    """

    def __init__(self, generator: Generator, slices: SliceSet, rows: np.ndarray, lesion: np.ndarray) -> None:
        if not lesion.any():
            raise ValueError("the lesion must not be empty")
        self.painting, self.slices, self.rows = Painting(generator, slices), slices, np.asarray(rows)
        self.lesion = np.asarray(lesion, bool)
        row, column = (round(float(place.mean())) for place in np.nonzero(lesion))
        height, width = lesion.shape
        super().__init__(
            number=widgets.IntSlider(0, 0, len(self.rows) - 1, description="slice"),
            row=widgets.IntSlider(row, 0, height - 1, description="row (pixels)"),
            column=widgets.IntSlider(column, 0, width - 1, description="column (pixels)"),
            size=widgets.FloatSlider(1.0, min=0.0, max=3.0, step=0.1, description="size (times)"),
            angle=widgets.IntSlider(0, -180, 180, description="angle (degrees)"),
            outline=widgets.Checkbox(True, description="outline"),
        )

    def draw(
        self, number: int, row: int, column: int, size: float, angle: int, outline: bool
    ) -> tuple[bytes, str]:
        index = int(self.rows[number])
        answer = self.painting.answer(index, moved(self.lesion, row, column, size, angle))
        both = np.concatenate([self.slices.images[index, 0], answer.picture], axis=1)  # (H, 2 W)
        masks = np.concatenate([self.slices.stroke[index].astype(bool), answer.stroke], axis=1)
        shown = png(outlined(both, (masks & outline, ORANGE)))
        words = f"{self.slices.table['patient'][index]}, slice {index}: left real, right synthetic"
        if answer.after is None:
            return shown, f"{words} without stroke (no pixel of the mask lies in the foreground)"
        return shown, (
            f"{words} for {answer.stroke.sum()} pixels of stroke; brightness under the mask "
            f"{answer.after:.2f}, and {answer.before:.2f} when no stroke is asked for"
        )


def moved(lesion: np.ndarray, row: int, column: int, size: float, angle: float) -> np.ndarray:
    """A mask with its centre of mass at (row, column), resized and turned about it.

    Each new pixel looks up the old one it comes from, the nearest; what leaves the picture is lost.

    Args:
        lesion: (H, W) bool, not empty.
        row, column: of the new centre, pixels.
        size: factor of its diameter; 0 leaves nothing.
        angle: degrees, anticlockwise as seen on the screen.

    Returns:
        (H, W) bool.
    """
    if size == 0:
        return np.zeros_like(lesion)
    cos, sin = np.cos(np.deg2rad(angle)) / size, np.sin(np.deg2rad(angle)) / size
    back = np.array([[cos, sin], [-sin, cos]])  # from a new place to an old one, about the centres
    centre = np.argwhere(lesion).mean(0)
    found = ndimage.affine_transform(lesion.astype(np.uint8), back, centre - back @ [row, column], order=0)
    return found.astype(bool)
