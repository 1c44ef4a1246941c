"""DCGAN: a GAN made of convolutions.

Radford, Metz, Chintala, Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks,
ICLR 2016. The game is that of Goodfellow et al. 2014, equation 1::

    min over G, max over D:  E_x[log D(x)] + E_z[log(1 - D(G(z)))]

with z from a normal distribution. What DCGAN found is how to build G and D so that the game does not collapse:
strides in place of pooling, batch normalisation everywhere but in G's last and D's first layer, ReLU in G and leaky
ReLU in D, no hidden linear layers.

Deviations: one stage more (128 x 128, not 64 x 64), an eighth of the widths, a sigmoid in place of tanh as slices are
0..1, and z normal instead of uniform.
"""

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from strokegan_lib.models.critic import strided
from strokegan_lib.models.family.game import Game
from strokegan_lib.models.gan import adam

STAGES = 5  # doublings: 4 -> 8 -> 16 -> 32 -> 64 -> 128
START = 4  # pixels a side of the first features


class DCGAN(nn.Module):
    """The generator: from Z = *latent* numbers to a slice; *width* channels at 64 x 64, doubled at each halving."""

    def __init__(self, width: int, latent: int = 64) -> None:
        super().__init__()
        self.config = {"width": width, "latent": latent}
        self.latent = latent
        widths = [width * 2**stage for stage in range(STAGES)][::-1]  # 256, 128, 64, 32, 16
        first = nn.ConvTranspose2d(latent, widths[0], START, bias=False)
        self.project = nn.Sequential(first, nn.BatchNorm2d(widths[0]), nn.ReLU())
        self.up = nn.ModuleList(doubled(a, b) for a, b in pairwise(widths))
        self.head = nn.ConvTranspose2d(widths[-1], 1, 4, stride=2, padding=1)
        self.apply(small_weights)

    def forward(self, z: Tensor) -> Tensor:
        """(B, Z), normal, to slices (B, 1, 128, 128), 0..1."""
        x = self.project(z[:, :, None, None])  # (B, 16w, 4, 4)
        for up in self.up:
            x = up(x)  # (B, 8w, 8, 8) .. (B, w, 64, 64)
        return self.head(x).sigmoid()  # (B, 1, 128, 128)


class Discriminator(nn.Module):
    """The generator's mirror image: true or fake, in one number a slice."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.features = strided([1] + [width * 2**stage for stage in range(STAGES)])
        self.head = nn.Conv2d(width * 2 ** (STAGES - 1), 1, START)
        self.apply(small_weights)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, 128, 128) to logits (B, 1, 1, 1)."""
        return self.head(self.features(image))  # (B, 16w, 4, 4), (B, 1, 1, 1)


def doubled(inputs: int, outputs: int, norm: Callable[[int], nn.Module] = nn.BatchNorm2d) -> nn.Sequential:
    """(B, inputs, H, W) to (B, outputs, 2H, 2W).

    4x4 and stride 2: every pixel is reached by as many weights as its neighbour, which keeps the checkerboard of
    transposed convolutions faint.
    """
    conv = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, norm(outputs), nn.ReLU())


def small_weights(layer: nn.Module) -> None:
    """DCGAN's first weights: normal with a standard deviation of .02, gains around 1."""
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)


def make(width: int, _: int) -> Game:
    """DCGAN, untrained; its discriminator learns more slowly, or it wins at once."""
    return Game(DCGAN(width), Discriminator(width), adam(1e-3, 4e-4, (0.5, 0.999)))
