"""From a quality-assurance picture of SOOP back to the FLAIR plane that it shows.

Each picture shows, at the left, one axial slice of the normalised, skull-stripped FLAIR with the
lesion in translucent red. The red can be taken off again, at the price of the lowest bit: left in
place, that bit would tell the label (see :func:`recover_flair`).
"""

from pathlib import Path

import numpy as np

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.formats import AGAIN

WIDTH = 157  # of the axial part of a mosaic
RED = (127, 128)  # R - G under a lesion: half of 255


def read_picture(path: Path) -> np.ndarray:
    """Read the axial part of a mosaic, (189, 157, 3) uint8; BadInput if it is damaged or none of SOOP's."""
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG",)) as picture:
            ours = picture.mode == "RGB" and picture.size == (692, 189)
            picture.verify()  # checks the sums of all chunks, which decoding does not
        with Image.open(path, formats=("PNG",)) as picture:
            axial = np.asarray(picture)[:, :WIDTH] if ours else np.zeros((1, 1, 3))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadInput(path, f"cannot be read as PNG ({error})", AGAIN) from error
    red, green, blue = np.moveaxis(axial.astype(int), -1, 0)  # (189, 157) each
    tint = red - green
    if not ours or (green != blue).any() or tint.min() < 0 or tint.max() > max(RED):
        what = "is not 692x189 pixels of grey with a red overlay of one half"
        raise BadInput(path, what, "give SOOP's own pictures")
    return axial


def recover_flair(picture: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Take the red overlay off.

    An overlay of opacity a = (R - G) / 255 leaves G = (1 - a) FLAIR. Under a lesion a is a
    half, and FLAIR = 2 G is always even: its lowest bit would be the label. So that bit is
    cleared everywhere. At a few blended pixels of the lesion's edge FLAIR is known to a
    multiple of 4 only: there bit 1 is drawn at random by *seed*, as it falls in tissue.

    From (H, W, 3) uint8 to flair (H, W) uint8, even, and red (H, W) bool, where the overlay is
    opaque by a half.
    """
    red, green, _ = np.moveaxis(picture.astype(int), -1, 0)  # (H, W) each
    tint = red - green
    opaque = np.isin(tint, RED)
    blended = (tint > 0) & ~opaque
    flair = np.where(opaque, 2 * green, np.rint(green * 255 / (255 - tint)).astype(int))
    random_bit = np.random.default_rng(seed).integers(0, 2, flair.shape) * 2
    flair = np.where(blended, flair // 4 * 4 + random_bit, flair // 2 * 2)
    return np.clip(flair, 0, 254).astype(np.uint8), opaque
