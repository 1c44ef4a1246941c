"""Sheets of slices: rows with names, and numbered slices for a blinded reader."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 4  # pixels between slices
MARGIN = 176  # to the left, for the names
GREYS = 32  # that the picture keeps: a third of the bytes, and the eye sees no difference
COLUMNS, SIDE, HEAD = 6, 256, 24  # of a numbered sheet: slices a row, pixels of each, pixels for its number


def named_rows(rows: dict[str, np.ndarray]) -> Image.Image:
    """A row of slices, (n, H, W) uint8, for each name; a row with fewer slices ends earlier."""
    height, width = next(iter(rows.values())).shape[1:]
    most = max(map(len, rows.values()))
    sheet = Image.new("L", (MARGIN + most * (width + GAP), len(rows) * (height + GAP) - GAP), 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for line, (name, slices) in enumerate(rows.items()):
        top = line * (height + GAP)
        pen.text((4, top + height // 2 - 8), name, fill=0, font=font)
        for k, plane in enumerate(slices):
            sheet.paste(Image.fromarray(plane), (MARGIN + k * (width + GAP), top))
    return sheet.quantize(GREYS, dither=Image.Dither.NONE)


def numbered(slices: np.ndarray) -> Image.Image:
    """Slices (n, H, W) uint8, enlarged and numbered from 1."""
    lines = -(-len(slices) // COLUMNS)
    sheet = Image.new("L", (COLUMNS * (SIDE + GAP), lines * (SIDE + HEAD)))
    pen = ImageDraw.Draw(sheet)
    for k, plane in enumerate(slices):
        left, top = k % COLUMNS * (SIDE + GAP), k // COLUMNS * (SIDE + HEAD)
        pen.text((left + 3, top + 6), str(k + 1), fill=255)
        sheet.paste(Image.fromarray(plane).resize((SIDE, SIDE), Image.Resampling.BICUBIC), (left, top + HEAD))
    return sheet
