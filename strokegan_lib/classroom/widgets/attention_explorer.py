"""Point at a place in a slice and see where self-attention takes from."""

from __future__ import annotations

import math

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from strokegan_lib.classroom.widgets.interactive import Clickable, Grid
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, SCALE, png

GAP = 8  # screen pixels between the two pictures
DIM = 0.6  # brightness of the slice under the weights, so that orange stands out


class AttentionExplorer(Clickable):
    """A slice, and the weights with which one of its positions takes from all others.

    Left: the slice, the chosen position framed in blue. Right: the slice again, the more orange
    the larger the weight, relative to the largest. A click on either chooses the position. Controls:
    ``row`` and ``column``, pixels of the slice from the upper left; ``layer``, whose map is shown.

    Args:
        image: (H, W) uint8.
        maps: name of a layer -> its map, (N, N), rows that sum to 1, as ``SelfAttention.map``
            returns it for one picture. The N positions are blocks of f x f pixels of the
            image, along its rows; maps may differ in f.

    Raises:
        ValueError: no map, or one whose positions do not tile the image.

    Example:
        ``AttentionExplorer(image, {"untrained": layer.map(x)[0]}).set(row=40, column=90)``
    """

    def __init__(self, image: np.ndarray, maps: dict[str, Tensor]) -> None:
        if not maps:
            raise ValueError("there is no map to explore")
        self.slice = image
        self.maps = {name: weights.detach().float().cpu() for name, weights in maps.items()}
        self.blocks = {name: _block(name, weights, image.shape) for name, weights in self.maps.items()}
        height, width = image.shape
        super().__init__(
            row=widgets.IntSlider(height // 2, 0, height - 1, description="row (pixels)"),
            column=widgets.IntSlider(width // 2, 0, width - 1, description="column (pixels)"),
            layer=widgets.Dropdown(options=list(maps), description="layer"),
        )

    def draw(self, row: int, column: int, layer: str) -> tuple[bytes, str]:
        f = self.blocks[layer]
        height, width = (side // f for side in self.slice.shape)  # positions
        r, c = row // f, column // f
        weights = self.maps[layer][r * width + c]  # (N,)
        shown = _side_by_side(self.slice, (r * f, c * f), weights.reshape(height, width).numpy(), f)

        columns = torch.arange(height * width) % width
        other_half = (columns < width / 2) != (c < width / 2)
        spread = torch.special.entr(weights).sum().exp()  # e to the entropy
        far = divmod(int(weights.argmax()), width)
        return shown, (
            f"{layer}, position ({r}, {c}) of {height} x {width}: takes from about {spread:.0f} of "
            f"{height * width} positions, {100 * weights[other_half].sum():.0f} % from the other half of the "
            f"picture, most from ({far[0]}, {far[1]})"
        )

    def grid(self) -> Grid:
        row, column, f = (self.controls["row"].value, self.controls["column"].value, self._f())
        height, width = self.slice.shape
        return Grid(
            rows=height // f,
            columns=width // f,
            corners=((0, 0), (0, SCALE * width + GAP)),
            size=(SCALE * height, SCALE * width),
            at=(row // f, column // f),
            help="either picture to choose a position",
        )

    def point(self, row: int, column: int) -> None:
        f = self._f()
        with self.together():
            self.controls["row"].value, self.controls["column"].value = row * f + f // 2, column * f + f // 2

    def _f(self) -> int:
        return self.blocks[self.controls["layer"].value]


def _block(name: str, weights: Tensor, shape: tuple[int, ...]) -> int:
    """Side in pixels of the block that is one position of a map."""
    n, (height, width) = len(weights), shape
    f = math.isqrt(height * width // n)
    if weights.shape != (n, n) or not f or height % f or width % f or n * f * f != height * width:
        raise ValueError(f"map {name!r} of shape {tuple(weights.shape)} does not tile a picture of {shape}")
    return f


def _side_by_side(image: np.ndarray, corner: tuple[int, int], weights: np.ndarray, f: int) -> bytes:
    """PNG of the slice with a framed block, and of the slice under the weights (h, w) of its blocks."""
    grey = np.kron(image, np.ones((SCALE, SCALE), np.uint8))  # (H*SCALE, W*SCALE)
    left = np.repeat(grey[..., None], 3, axis=-1)  # (H*SCALE, W*SCALE, 3)
    share = np.kron(weights / weights.max(), np.ones((f * SCALE, f * SCALE), np.float32))[..., None]
    right = np.rint((1 - share) * DIM * left + share * np.float32(ORANGE)).astype(np.uint8)
    for picture in (left, right):
        _frame(picture, *(SCALE * start for start in corner), f * SCALE)
    gap = np.full((len(grey), GAP, 3), 255, np.uint8)
    return png(np.concatenate([left, gap, right], axis=1))


def _frame(picture: np.ndarray, top: int, start: int, side: int) -> None:
    """Paint, in place, a blue frame two screen pixels wide around the square of that side."""
    rows, columns = (slice(max(0, at - 2), at + side + 2) for at in (top, start))
    inside = picture[top : top + side, start : start + side].copy()
    picture[rows, columns] = BLUE
    picture[top : top + side, start : start + side] = inside
