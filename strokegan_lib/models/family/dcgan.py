"""DCGAN: a GAN made of convolutions.

Radford, Metz, Chintala, Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks, ICLR 2016 (arXiv 2015). The game is that of Goodfellow et
al. 2014, equation 1::

    min over G, max over D:  E_x[log D(x)] + E_z[log(1 - D(G(z)))]

with z from a normal distribution. What DCGAN found is how to build G and D so that the
game does not collapse: strides in place of pooling, batch normalisation everywhere but in
G's last and D's first layer, ReLU in G and leaky ReLU in D, no hidden linear layers.

Deviations: one stage more (128 x 128, not 64 x 64), an eighth of the widths, a sigmoid in
place of tanh as slices are 0..1, and z normal instead of uniform.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

STAGES = 5  # doublings: 4 -> 8 -> 16 -> 32 -> 64 -> 128
START = 4  # pixels a side of the first features


class DCGAN(nn.Module):
    """The generator: from numbers without a meaning to a slice.

    Args:
        width: channels at 64 x 64; each halving of the size doubles them.
        latent: Z, length of the vector z.
    """

    def __init__(self, width: int = 16, latent: int = 64) -> None:
        super().__init__()
        self.config = {"width": width, "latent": latent}
        self.latent = latent
        widths = [width * 2**stage for stage in range(STAGES)][::-1]  # 256, 128, 64, 32, 16
        self.project = nn.Sequential(
            nn.ConvTranspose2d(latent, widths[0], START, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        # 4x4 and stride 2: every pixel is reached by as many weights as its neighbour, which keeps
        # the checkerboard of transposed convolutions faint
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()
            )
            for a, b in pairwise(widths)
        )
        self.head = nn.ConvTranspose2d(widths[-1], 1, 4, stride=2, padding=1)
        self.apply(small_weights)

    def forward(self, z: Tensor) -> Tensor:
        """(B, Z), normal, to slices (B, 1, 128, 128), 0..1."""
        x = self.project(z[:, :, None, None])  # (B, 16w, 4, 4)
        for up in self.up:
            x = up(x)  # (B, 8w, 8, 8) .. (B, w, 64, 64)
        return self.head(x).sigmoid()  # (B, 1, 128, 128)


class Discriminator(nn.Module):
    """The generator's mirror image: true or fake, in one number a slice.

    Args:
        width: channels after the first halving; each further halving doubles them.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.features = strided(width, STAGES)
        self.head = nn.Conv2d(width * 2 ** (STAGES - 1), 1, START)
        self.apply(small_weights)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, 128, 128) to logits (B, 1, 1, 1)."""
        return self.head(self.features(image))  # (B, 16w, 4, 4), (B, 1, 1, 1)


def strided(width: int, stages: int) -> nn.Module:
    """Convolutions that halve the size: (B, 1, H, W) to (B, 2^(stages-1) w, H/2^stages, W/2^stages)."""
    widths = [1] + [width * 2**stage for stage in range(stages)]
    layers: list[nn.Module] = []
    for stage, (a, b) in enumerate(pairwise(widths)):
        layers += [nn.Conv2d(a, b, 4, stride=2, padding=1, bias=stage == 0)]
        layers += [nn.BatchNorm2d(b)] if stage else []
        layers += [nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


def small_weights(layer: nn.Module) -> None:
    """DCGAN's first weights: normal with a standard deviation of .02, gains around 1."""
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
