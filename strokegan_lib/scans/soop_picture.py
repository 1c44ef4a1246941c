"""From a quality-assurance picture of SOOP back to the FLAIR plane that it shows.

Each picture shows, at the left, one axial slice of the normalised, skull-stripped FLAIR with the
lesion in translucent red. The red can be taken off again, at the price of the lowest bit: left in
place, that bit would tell the label (see :func:`recover_flair`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.formats import AGAIN

PICTURE = (692, 189)  # width and height of a mosaic
WIDTH = 157  # of its axial part
RED = (127, 128)  # R - G under a lesion: half of 255
OWN = "give SOOP's own pictures"


def read_picture(path: Path) -> np.ndarray:
    """Read the axial part of a mosaic, (189, 157, 3) uint8.

    Raises:
        BadInput: the file is no such picture, or damaged.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG",)) as picture:
            if picture.size != PICTURE or picture.mode != "RGB":
                size = "x".join(map(str, picture.size))
                raise BadInput(path, f"is {picture.mode} {size}, not RGB 692x189", OWN)
            picture.verify()  # checks the sums of all chunks, which decoding does not
        with Image.open(path, formats=("PNG",)) as picture:
            return np.asarray(picture)[:, :WIDTH]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadInput(path, f"cannot be read as PNG ({error})", AGAIN) from error


def recover_flair(
    picture: np.ndarray, seed: int, path: Path | str = "picture"
) -> tuple[np.ndarray, np.ndarray]:
    """Take the red overlay off.

    An overlay of opacity a = (R - G) / 255 leaves G = (1 - a) FLAIR. Under a lesion a is a
    half, and FLAIR = 2 G is always even: its lowest bit would be the label. So that bit is
    cleared everywhere. At a few blended pixels of the lesion's edge FLAIR is known to a
    multiple of 4 only: there bit 1 is drawn by lot, as it falls in tissue.

    Args:
        picture: (H, W, 3) uint8.
        seed: of the lots, one number for each picture.

    Returns:
        flair (H, W) uint8, even; red (H, W) bool, where the overlay is opaque by a half.

    Raises:
        BadInput: colours that such an overlay cannot make.
    """
    red, green, blue = np.moveaxis(picture.astype(np.int64), -1, 0)  # (H, W) each
    tint = red - green
    if (green != blue).any() or tint.min() < 0 or tint.max() > max(RED):
        raise BadInput(path, "is not grey with a red overlay of one half", OWN)
    opaque = np.isin(tint, RED)
    blended = (tint > 0) & ~opaque
    flair = np.where(opaque, 2 * green, np.rint(green * 255 / (255 - tint)).astype(np.int64))
    lots = np.random.default_rng(seed).integers(0, 2, flair.shape) * 2
    flair = np.where(blended, flair // 4 * 4 + lots, flair // 2 * 2)
    return np.clip(flair, 0, 254).astype(np.uint8), opaque
