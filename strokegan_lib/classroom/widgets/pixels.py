"""Slices and charts as pixels on the screen: slices enlarged, with masks outlined; packed as PNG."""

import io
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from scipy import ndimage

SCALE = 3  # screen pixels a side for each pixel of a slice: 128 becomes 384
ORANGE, BLUE = (230, 159, 0), (86, 180, 233)  # told apart by colour-blind eyes too
ORANGE_HEX, BLUE_HEX = "#e69f00", "#56b4e9"  # the same for charts


def outlined(image: np.ndarray, *outlines: tuple[np.ndarray, tuple[int, int, int]]) -> np.ndarray:
    """A slice, SCALE times as large, with masks outlined, (H * SCALE, W * SCALE, 3) uint8.

    Args:
        image: (H, W) uint8.
        outlines: pairs of a mask, (H, W) bool or 0/1, and its colour; later ones lie on top.
    """
    block = np.ones((SCALE, SCALE), np.uint8)
    colour = np.repeat(np.kron(image, block)[..., None], 3, axis=-1)  # (H*SCALE, W*SCALE, 3)
    for mask, paint in outlines:
        large = np.kron(np.asarray(mask, np.uint8), block).astype(bool)
        colour[large & ~ndimage.binary_erosion(large)] = paint
    return colour


def chart(size: tuple[float, float], columns: int = 1, dpi: int = 96, **margins: float) -> tuple[Figure, Any]:
    """A Matplotlib figure, width and height in inches, with nothing in it, and its axes."""
    figure = Figure(figsize=size, dpi=dpi)
    figure.subplots_adjust(**margins)
    return figure, figure.subplots(1, columns)


def rendered(figure: Figure) -> np.ndarray:
    """The pixels of a Matplotlib figure, (h, w, 3) uint8."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def png(pixels: np.ndarray) -> bytes:
    """Pixels, (h, w, 3) uint8, as PNG: packed a little less tightly, in half the time."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png", compress_level=1)
    return file.getvalue()
