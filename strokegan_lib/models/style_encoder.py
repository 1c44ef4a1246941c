"""From a slice to the code of its style: what a generator with styles learns from, and is done with once it has."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from strokegan_lib.models.critic import critic_level
from strokegan_lib.models.synthesis import CONDITION

SIDE = 8  # positions a side from which the code is read


class StyleEncoder(nn.Module):
    """What a slice looks like apart from its stroke: the mean and log variance of its code.

    The stroke's pixels are taken out of the picture first, so that no code tells of a lesion
    which the masks of another slice do not ask for.

    Args:
        channels: C of the slices.
        width: of the first level.
        style: Z.
    """

    def __init__(self, channels: int = 1, *, width: int = 32, style: int = 64) -> None:
        super().__init__()
        widths = [channels + CONDITION, width, 2 * width, 2 * width, 2 * width]
        self.levels = nn.Sequential(
            *(critic_level(a, b, spectral=False, norm=n > 0) for n, (a, b) in enumerate(pairwise(widths)))
        )
        self.pool = nn.AdaptiveAvgPool2d(SIDE)
        self.tell = nn.Linear(widths[-1] * SIDE**2, 2 * style)

    def forward(self, image: Tensor, stroke: Tensor, foreground: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W), (B, 1, H, W), (B, 1, H, W) to mean and log variance, (B, Z) each."""
        shown = torch.cat([image * (1 - stroke), stroke, foreground], 1)  # (B, C + 2, H, W)
        found = self.pool(self.levels(shown)).flatten(1)  # (B, 2w * 64)
        return self.tell(found).chunk(2, 1)
