"""Point at a place in a slice and see where self-attention takes from."""

import math

import ipywidgets as widgets
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from strokegan_lib.classroom.widgets.interactive import Clickable
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, SCALE, outlined

DIM = 0.6  # brightness of the slice under the weights, so that orange stands out


class AttentionExplorer(Clickable):
    """A slice, the chosen position framed in blue, and in orange what it takes from. Used in notebook 02.

    Args:
        image: (H, W) uint8.
        maps: name of a layer -> its map, (N, N), rows that sum to 1, as ``SelfAttention.map`` returns it for
            one picture. The N positions are square blocks of pixels, along the rows of the image.
    """

    def __init__(self, image: np.ndarray, maps: dict[str, Tensor]) -> None:
        self.slice = image
        self.maps = {name: weights.detach().float().cpu() for name, weights in maps.items()}
        height, width = image.shape
        super().__init__(
            row=widgets.IntSlider(height // 2, 0, height - 1, description="row (pixels)"),
            column=widgets.IntSlider(width // 2, 0, width - 1, description="column (pixels)"),
            layer=widgets.Dropdown(options=list(maps), description="layer"),
        )

    def draw(self, row: int, column: int, layer: str) -> tuple[np.ndarray, str]:
        f = self.image.step = math.isqrt(self.slice.size // len(self.maps[layer]))  # pixels a position
        height, width = (side // f for side in self.slice.shape)  # positions
        r, c = row // f, column // f
        weights = self.maps[layer][r * width + c].reshape(height, width)

        block = np.ones((f * SCALE, f * SCALE), np.float32)  # the screen pixels of a position
        left = outlined(self.slice)  # (H*SCALE, W*SCALE, 3)
        share = np.kron(weights / weights.max(), block)[..., None]
        right = np.rint((1 - share) * DIM * left + share * np.float32(ORANGE)).astype(np.uint8)
        here = np.zeros((height, width), bool)
        here[r, c] = True
        here = np.kron(here, block) > 0
        frame = ndimage.binary_dilation(here, np.ones((5, 5))) & ~here  # two screen pixels wide
        left[frame] = right[frame] = BLUE

        other_half = (torch.arange(width) < width / 2) != (c < width / 2)  # (width,)
        effective = torch.special.entr(weights).sum().exp()  # e to the entropy
        far = divmod(int(weights.argmax()), width)
        return np.concatenate([left, right], axis=1), (
            f"{layer}, position ({r}, {c}) of {height} x {width}: takes from about {effective:.0f} of "
            f"{height * width} positions, {100 * weights[:, other_half].sum():.0f} % from the other half of the "
            f"picture, most from ({far[0]}, {far[1]})"
        )
