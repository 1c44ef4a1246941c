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

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import critic_loss, generator_loss, r1_penalty
from strokegan_lib.models.gan import OptimiserConfig, Update, adam, frozen

STAGES = 5  # doublings: 4 -> 8 -> 16 -> 32 -> 64 -> 128
START = 4  # pixels a side of the first features


class DCGAN(nn.Module):
    """The generator: from random numbers to a slice.

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
        self.features = strided([1] + [width * 2**stage for stage in range(STAGES)])
        self.head = nn.Conv2d(width * 2 ** (STAGES - 1), 1, START)
        self.apply(small_weights)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, 128, 128) to logits (B, 1, 1, 1)."""
        return self.head(self.features(image))  # (B, 16w, 4, 4), (B, 1, 1, 1)


def strided(widths: list[int]) -> nn.Sequential:
    """Convolutions that halve the size, one for each further width: (B, widths[0], H, W) to (B, widths[-1], H/2^n, W/2^n)."""
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


class UnconditionalGAN:
    """The game of every member that starts from noise.

    Args:
        generator: z (B, Z) to pictures; Z is its attribute ``latent``.
        discriminator: pictures to logits.
        optimisers: of 'generator' and 'critic', as the kit calls every discriminator.
        adversarial: 'logistic' or 'hinge', see losses.py.
        r1: weight of the R1 penalty on a quarter of the batch, 0 for none.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        optimisers: dict[str, OptimiserConfig],
        *,
        adversarial: str,
        r1: float = 0.0,
    ) -> None:
        self.generator, self.discriminator, self.optimisers = generator, discriminator, optimisers
        self.adversarial, self.r1 = adversarial, r1
        self.networks: dict[str, nn.Module] = {"generator": generator, "critic": discriminator}

    def truth(self, batch: Batch) -> Tensor:
        """What the generator learns to make: the slices, (B, 1, 128, 128)."""
        return batch.image

    def scalars(self, fake: Tensor, true: Tensor) -> dict[str, Tensor]:
        """What is recorded beside the losses."""
        return {"spread": fake.std()}

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch, see models.gan.GAN."""
        true = self.truth(batch)
        # drawn in the step, whose number decides the random state: a resumed run draws the same
        z = torch.randn(len(true), self.generator.latent, dtype=true.dtype, device=true.device)  # (B, Z)
        fake = networks["generator"](z)  # as true

        # the discriminator's turn, true and fake apart: batch normalisation must not see them mixed
        critic = networks["critic"]
        loss = critic_loss([critic(true)], [critic(fake.detach())], self.adversarial)
        losses = {"critic": loss}
        if self.r1:  # on a part only: a gradient of a gradient is dear
            losses["slope"] = r1_penalty(lambda x: [critic(x)], true[: max(2, len(true) // 4)])
            loss = loss + self.r1 * losses["slope"]
        update("critic", loss)

        # the generator's turn: be taken for true
        with frozen(self.discriminator):
            losses["generator"] = generator_loss([self.discriminator(fake)], self.adversarial)
        update("generator", losses["generator"])
        return {**losses, **self.scalars(fake, true)}


def make(width: int) -> UnconditionalGAN:
    """DCGAN, untrained; its discriminator learns more slowly, or it wins at once."""
    players = DCGAN(width), Discriminator(width)
    return UnconditionalGAN(*players, adam(1e-3, 4e-4, (0.5, 0.999)), adversarial="logistic")
