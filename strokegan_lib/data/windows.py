"""From scanner units to bytes: foreground to 8..255, everything else to 0.

No tissue pixel is 0, so a masked image (image x mask) never hides one.
"""

from dataclasses import dataclass

import numpy as np

DARKEST = 8  # the byte of the darkest tissue: visible, yet nearly black on a screen


@dataclass(frozen=True)
class Window:
    """The range of intensities that is spread over the bytes 8..255. Taught in notebook 01."""

    channel: str  # name of the image channel, as in ``dataset.json``
    low: float  # in the image's own unit; beyond the limits the image saturates
    high: float
    rule: str  # how the limits were found, in words

    def to_bytes(self, image: np.ndarray, foreground: np.ndarray) -> np.ndarray:
        """An image (..., H, W) as bytes, uint8: 8..255 inside the foreground (..., H, W) bool, 0 outside."""
        unit = np.clip((image - self.low) / (self.high - self.low), 0, 1)
        grey = np.rint(DARKEST + (255 - DARKEST) * unit)
        return np.where(foreground, grey, 0).astype(np.uint8)


def percentile_window(channel: str, image: np.ndarray, foreground: np.ndarray) -> Window:
    """The window that MR needs, whose unit is arbitrary: 0.5 to 99.5 % of the foreground of a whole volume.

    ValueError where the foreground is empty or its intensities do not differ.
    """
    if not foreground.any():
        raise ValueError("no foreground to take a window from")
    low, high = np.percentile(image[foreground], (0.5, 99.5))
    if high <= low:
        raise ValueError("the foreground is of one constant intensity")
    return Window(channel, float(low), float(high), "0.5 to 99.5 percentile of the volume's foreground")
