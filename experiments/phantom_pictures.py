"""Two pictures of a comparison: its curves, and a contact sheet for a blinded reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.likeness import LEVELS
from experiments.phantom_comparison import Slices, Yardstick

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL import Image

EACH = 24  # thumbnails of each kind
COLUMNS = 8
BRAIN, TILE = 168, (176, 196)  # pixels: height of a brain; width and height of its place on the sheet
MARGIN = 2  # pixels around the brain, before enlargement


def plot(grey: Yardstick, detail: Yardstick) -> Figure:
    """Grey levels and radial spectrum, phantom against real."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    x = (LEVELS[:-1], np.arange(1, detail.curves.shape[1] + 1))
    axes = (
        ("grey level (8 to 255)", "share of the foreground"),
        ("cycles an image", "log10 of mean power"),
    )
    for ax, yardstick, where, (across, up) in zip((left, right), (grey, detail), x, axes, strict=True):
        phantom, real = yardstick.curves
        ax.plot(where, real, color="black", label="real")
        ax.plot(where, phantom, color="tab:orange", linestyle="--", label="phantom")
        ax.set(xlabel=across, ylabel=up, title=f"{yardstick.name}: {yardstick.ratio:.2f} times the halves")
        ax.legend()
    return figure


def contact_sheet(real: Slices, phantom: Slices, seed: int) -> tuple[Image.Image, list[str]]:
    """Real and phantom brains, equally many, shuffled, with nothing but a number each.

    Returns:
        the sheet; and its key, a line a thumbnail.
    """
    from PIL import Image, ImageDraw

    rng = np.random.default_rng(seed)
    n = min(EACH, len(real), len(phantom))
    drawn = [
        (kind, str(side.patients[i]), side.images[i], side.foreground[i])
        for kind, side in (("real", real), ("phantom", phantom))
        for i in rng.choice(len(side), n, replace=False)
    ]
    order = rng.permutation(len(drawn))
    rows = -(-len(drawn) // COLUMNS)
    sheet = Image.new("L", (COLUMNS * TILE[0], rows * TILE[1]))
    pen = ImageDraw.Draw(sheet)
    key = []
    for place, which in enumerate(order):
        kind, patient, image, foreground = drawn[which]
        row, column = divmod(place, COLUMNS)
        x, y = column * TILE[0], row * TILE[1]
        brain = thumbnail(image, foreground)
        sheet.paste(brain, (x + (TILE[0] - brain.width) // 2, y + TILE[1] - brain.height))
        pen.text((x + 6, y + 4), str(place + 1), fill=255)
        key.append(f"{place + 1} {kind} {patient}")
    return sheet, key


def thumbnail(image: np.ndarray, foreground: np.ndarray) -> Image.Image:
    """The brain alone, enlarged to the same height whatever its size.

    Args:
        image: (H, W) uint8.
        foreground: (H, W) bool, not empty.
    """
    from PIL import Image

    rows, columns = (np.flatnonzero(foreground.any(axis)) for axis in (1, 0))
    box = (columns[0] - MARGIN, rows[0] - MARGIN, columns[-1] + 1 + MARGIN, rows[-1] + 1 + MARGIN)
    brain = Image.fromarray(image).crop(tuple(int(edge) for edge in box))  # black beyond the picture
    width = min(TILE[0], round(brain.width * BRAIN / brain.height))
    return brain.resize((width, BRAIN), Image.Resampling.BICUBIC)
