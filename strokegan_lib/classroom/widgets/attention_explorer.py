"""Point at a place in a slice and see where self-attention takes from."""

from __future__ import annotations

import math

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from strokegan_lib.classroom.widgets.clickable import Clickable
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, SCALE, outlined, png

DIM = 0.6  # brightness of the slice under the weights, so that orange stands out


class AttentionExplorer(Clickable):
    """A slice, and the weights with which one of its positions takes from all others. Used in notebook 02.

    Left: the slice, the chosen position framed in blue. Right: the slice again, the more orange
    the larger the weight, relative to the largest.

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
        f = self.image.step = self.blocks[layer]
        height, width = (side // f for side in self.slice.shape)  # positions
        r, c = row // f, column // f
        weights = self.maps[layer][r * width + c]  # (N,)
        columns = torch.arange(height * width) % width
        other_half = (columns < width / 2) != (c < width / 2)
        effective = torch.special.entr(weights).sum().exp()  # e to the entropy
        far = divmod(int(weights.argmax()), width)
        return png(self._pictures(r, c, weights.reshape(height, width).numpy(), f)), (
            f"{layer}, position ({r}, {c}) of {height} x {width}: takes from about {effective:.0f} of "
            f"{height * width} positions, {100 * weights[other_half].sum():.0f} % from the other half of the "
            f"picture, most from ({far[0]}, {far[1]})"
        )

    def _pictures(self, r: int, c: int, weights: np.ndarray, f: int) -> np.ndarray:
        """Position (r, c) framed in the slice, and in the slice under its weights (h, w)."""
        left = outlined(self.slice)  # (H*SCALE, W*SCALE, 3)
        share = np.kron(weights / weights.max(), np.ones((f * SCALE, f * SCALE), np.float32))[..., None]
        right = np.rint((1 - share) * DIM * left + share * np.float32(ORANGE)).astype(np.uint8)
        top, start, side = r * f * SCALE, c * f * SCALE, f * SCALE
        for picture in (left, right):  # a frame two screen pixels wide
            block = picture[top : top + side, start : start + side].copy()
            picture[max(0, top - 2) : top + side + 2, max(0, start - 2) : start + side + 2] = BLUE
            picture[top : top + side, start : start + side] = block
        return np.concatenate([left, right], axis=1)


def _block(name: str, weights: Tensor, shape: tuple[int, ...]) -> int:
    """Side in pixels of the block that is one position of a map."""
    n, (height, width) = len(weights), shape
    f = math.isqrt(height * width // n)
    if weights.shape != (n, n) or not f or height % f or width % f or n * f * f != height * width:
        raise ValueError(f"map {name!r} of shape {tuple(weights.shape)} does not tile a picture of {shape}")
    return f
