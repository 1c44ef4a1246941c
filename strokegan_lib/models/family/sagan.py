"""SAGAN: a GAN whose players look at the whole slice.

Zhang, Goodfellow, Metaxas, Odena, Self-Attention Generative Adversarial Networks, ICML 2019. Residual blocks with
self-attention in both players (models/attention.py), spectral normalisation in both (Miyato et al. 2018), which
divides every weight matrix by its largest singular value::

    W_used = W / sigma(W)

the hinge loss (equation 4)::

    L_D = E_x[max(0, 1 - D(x))] + E_z[max(0, 1 + D(G(z)))],    L_G = -E_z[D(G(z))]

and two learning rates, the discriminator's four times the generator's (Heusel et al. 2017).

The matrices start orthogonal (as in BigGAN, Brock et al. 2019): all their singular values are equal, so dividing by
the largest takes nothing away. A normalised random matrix halves what tells one slice from another at every stage.

Deviations: attention at 16 x 16 (the paper's best is 32 x 32, at sixteen times the cost); no classes, hence neither
conditional batch normalisation nor a projection in D; narrow; a sigmoid in place of tanh as slices are 0..1.
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from strokegan_lib.models.attention import SelfAttention
from strokegan_lib.models.family.game import Game
from strokegan_lib.models.gan import adam

STAGES = 5  # doublings: 4 -> 8 -> 16 -> 32 -> 64 -> 128
START = 4  # pixels a side of the first features
AT_16 = 2  # doublings from 4 to 16 pixels a side, where both players attend


class SAGAN(nn.Module):
    """The generator: *width* channels at 128 x 128, doubled at each halving of the size, up to 16 times as many."""

    def __init__(self, width: int, latent: int = 64) -> None:
        super().__init__()
        self.config = {"width": width, "latent": latent}
        self.latent = latent
        widths = [width * min(16, 2**halved) for halved in range(STAGES, -1, -1)]  # 128, 128, 64, 32, 16, 8
        self.project = _normalised(nn.Linear(latent, widths[0] * START**2))
        self.blocks = nn.Sequential()
        for stage, (a, b) in enumerate(pairwise(widths), 1):
            self.blocks.append(UpBlock(a, b))
            if stage == AT_16:
                self.blocks.append(SelfAttention(b))
        self.head = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), _conv(width, 1))

    def forward(self, z: Tensor) -> Tensor:
        """(B, Z), normal, to slices (B, 1, 128, 128), 0..1."""
        x = self.project(z).unflatten(1, (-1, START, START))  # (B, 16w, 4, 4)
        x = self.blocks(x)  # (B, w, 128, 128)
        return self.head(x).sigmoid()  # (B, 1, 128, 128)


class Discriminator(nn.Module):
    """Residual blocks downwards, a sum over all places, and a linear layer: true or fake."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [1] + [width * 2**halved for halved in range(STAGES)]  # 1, 8, 16, 32, 64, 128
        self.blocks = nn.Sequential()
        for stage, (a, b) in enumerate(pairwise(widths), 1):
            self.blocks.append(DownBlock(a, b))
            if stage == STAGES - AT_16:
                self.blocks.append(SelfAttention(b))
        self.head = _normalised(nn.Linear(widths[-1], 1))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, 128, 128) to logits (B, 1)."""
        # -1..1, as tanh would give: what is normalised spectrally sees no more than its input's range
        x = self.blocks(2 * image - 1)  # (B, 16w, 4, 4)
        return self.head(F.relu(x).sum((2, 3)))  # (B, 16w), (B, 1)


class UpBlock(nn.Module):
    """Twice the size: x enlarged and mixed, plus what two convolutions make of it.

    The convolutions have no biases: a normalisation follows, which would take them away.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1, self.conv2 = _conv(inputs, outputs, bias=False), _conv(outputs, outputs, bias=False)
        self.skip = _normalised(nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        y = F.interpolate(F.relu(self.norm1(x)), scale_factor=2.0)  # (B, inputs, 2H, 2W)
        y = self.conv2(F.relu(self.norm2(self.conv1(y))))  # (B, outputs, 2H, 2W)
        # a 1x1 convolution and enlarging may change places: this order is four times cheaper
        return y + F.interpolate(self.skip(x), scale_factor=2.0)


class DownBlock(nn.Module):
    """Half the size; the slice itself, of one channel, gets no ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.activation = nn.ReLU() if inputs > 1 else nn.Identity()
        self.conv1, self.conv2 = _conv(inputs, outputs), _conv(outputs, outputs)
        self.skip = _normalised(nn.Conv2d(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H/2, W/2)."""
        y = self.conv1(self.activation(x))  # (B, outputs, H, W)
        y = F.avg_pool2d(self.conv2(F.relu(y)), 2)  # (B, outputs, H/2, W/2)
        return y + self.skip(F.avg_pool2d(x, 2))


def _normalised(layer: nn.Module) -> nn.Module:
    nn.init.orthogonal_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return spectral_norm(layer)


def _conv(inputs: int, outputs: int, bias: bool = True) -> nn.Module:
    return _normalised(nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias))


def make(width: int, _: int) -> Game:
    """SAGAN, untrained."""
    return Game(SAGAN(width), Discriminator(width), adam(2e-4, 8e-4, (0.0, 0.9)), "hinge")
