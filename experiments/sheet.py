"""Rows of slices with their names, as one picture."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from experiments.pairs import GAP

MARGIN = 176  # pixels to the left, for the names
GREYS = 32  # that the picture keeps: a third of the bytes, and the eye sees no difference


def sheet(rows: dict[str, np.ndarray]) -> Image.Image:
    """A row of pictures for each name.

    Args:
        rows: name -> (n, H, W) uint8, of one H and W.

    Returns:
        8-bit grey or palette, white between the slices; a row with fewer slices ends earlier.
    """
    height, width = next(iter(rows.values())).shape[1:]
    most = max(map(len, rows.values()))
    whole = Image.new("L", (MARGIN + most * (width + GAP), len(rows) * (height + GAP) - GAP), 255)
    pen, font = ImageDraw.Draw(whole), ImageFont.load_default(14)
    for line, (name, slices) in enumerate(rows.items()):
        top = line * (height + GAP)
        pen.text((4, top + height // 2 - 8), name, fill=0, font=font)
        for k, plane in enumerate(slices):
            whole.paste(Image.fromarray(plane), (MARGIN + k * (width + GAP), top))
    return whole.quantize(GREYS, dither=Image.Dither.NONE)
