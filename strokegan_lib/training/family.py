"""The family's members: how each is made and how it learns.

Learning rates are the papers' times a small number: a run here is some thousand steps, not
a hundred thousand, and the loop lets the rates fall to 0 at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strokegan_lib.models.family import dcgan, pyramid, sagan
from strokegan_lib.models.family.progressive import ProgressiveDiscriminator, ProgressiveGenerator
from strokegan_lib.models.gan import GAN, Rate
from strokegan_lib.training.translation import Pix2PixGAN, Pix2PixHDGAN
from strokegan_lib.training.unconditional import ProgressiveGAN, UnconditionalGAN


@dataclass(frozen=True)
class Member:
    """One member of the family.

    Attributes:
        title: its name in the literature.
        network: the kind of its generator in weight files, see training/weights.py.
        conditional: it paints what two masks ask for; else what a random z makes of itself.
        width: of its networks.
        make: from width and number of steps to the GAN, untrained.
    """

    title: str
    network: str
    conditional: bool
    width: int
    make: Callable[[int, int], GAN]

    @property
    def lesion_share(self) -> float:
        """Share of slices with stroke that it learns from: all, unless masks say which have one."""
        return 0.5 if self.conditional else 1.0


def rates(
    generator: float, discriminator: float, first: float = 0.5, second: float = 0.999
) -> dict[str, Rate]:
    """Adam for the two players: their peak rates and its two memories."""
    betas = (first, second)
    return {"generator": Rate(generator, betas), "critic": Rate(discriminator, betas)}


def _dcgan(width: int, steps: int) -> GAN:
    players = dcgan.DCGAN(width), dcgan.Discriminator(width)
    return UnconditionalGAN(*players, rates(1e-3, 4e-4), adversarial="logistic")


def _pyramid(width: int, steps: int) -> GAN:
    players = dcgan.DCGAN(width), pyramid.PyramidDiscriminator(width)
    return UnconditionalGAN(*players, rates(1e-3, 4e-4), adversarial="logistic")


def _progressive(width: int, steps: int) -> GAN:
    players = ProgressiveGenerator(width), ProgressiveDiscriminator(width)
    return ProgressiveGAN(*players, rates(2e-3, 2e-3, 0.0, 0.99), r1=2.0, steps=steps, growing=0.6)


def _sagan(width: int, steps: int) -> GAN:
    players = sagan.SAGAN(width), sagan.Discriminator(width)
    return UnconditionalGAN(*players, rates(2e-4, 8e-4, 0.0, 0.9), adversarial="hinge")


def _pix2pix(width: int, steps: int) -> GAN:
    return Pix2PixGAN(width, rates(1e-3, 2e-4))


def _pix2pixhd(width: int, steps: int) -> GAN:
    return Pix2PixHDGAN(width, rates(1e-3, 2e-3))


MEMBERS = {
    "dcgan": Member("DCGAN", "dcgan", False, 16, _dcgan),
    "dcgan-pyramid": Member("DCGAN with pyramid pooling", "dcgan", False, 16, _pyramid),
    "progressive": Member("Progressive growing", "progressive", False, 8, _progressive),
    "sagan": Member("SAGAN", "sagan", False, 8, _sagan),
    "pix2pix": Member("pix2pix", "pix2pix", True, 16, _pix2pix),
    "pix2pixhd": Member("pix2pixHD", "pix2pixhd", True, 16, _pix2pixhd),
}
