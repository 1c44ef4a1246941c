"""DCGAN whose discriminator looks through a pyramid: spatial pyramid pooling.

He, Zhang, Ren, Sun, Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition, TPAMI 2015. A map
of features x, (C, H, W), is divided into n x n bins for several n, and the largest value of every bin is kept::

    p_n[c, i, j] = max over (h, w) in bin (i, j) of x[c, h, w]
    answer       = linear(concatenation of p_1, p_2, p_4)

1 x 1 asks whether something is there at all, 4 x 4 where. The answer has one length for every size of the slice.

The generator is DCGAN's. Deviation: pooling follows four halvings (8 x 8), not five, so that the finest bins still
have something to choose from.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.models.critic import strided
from strokegan_lib.models.family.dcgan import DCGAN, small_weights
from strokegan_lib.models.family.game import Game
from strokegan_lib.models.gan import adam

BINS = (1, 2, 4)  # n of the n x n bins, coarse to fine
HALVINGS = 4  # before the pyramid: 128 -> 8


class PyramidDiscriminator(nn.Module):
    """DCGAN's convolutions, then the pyramid, then one linear layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.features = strided([1] + [width * 2**stage for stage in range(HALVINGS)])
        self.head = nn.Linear(width * 2 ** (HALVINGS - 1) * sum(n * n for n in BINS), 1)
        self.apply(small_weights)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, H, W), of 64 x 64 or more, to logits (B, 1)."""
        x = self.features(image)  # (B, 8w, H/16, W/16)
        return self.head(pyramid_pool(x))  # (B, 8w * 21), (B, 1)


def pyramid_pool(x: Tensor) -> Tensor:
    """(B, C, H, W) to (B, C * (1 + 4 + 16)): the largest value of every bin, level after level."""
    return torch.cat([F.adaptive_max_pool2d(x, n).flatten(1) for n in BINS], dim=1)


def make(width: int, _: int) -> Game:
    """DCGAN's generator and game, untrained, with this discriminator."""
    return Game(DCGAN(width), PyramidDiscriminator(width), adam(1e-3, 4e-4, (0.5, 0.999)))
