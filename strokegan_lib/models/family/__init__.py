"""The family: the GANs from which painting brain slices descends, a file each. Taught in notebook 11.

Each file holds a method's networks and how they learn. Learning rates are the papers' times a small number: a run
here is some thousand steps, not a hundred thousand, and the loop lets the rates fall to 0 at the end. The dual GAN
(dual.py) makes masks, not slices, and is a task of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strokegan_lib.models.family.dcgan import dcgan
from strokegan_lib.models.family.pix2pix import Pix2PixGAN
from strokegan_lib.models.family.pix2pixhd import Pix2PixHDGAN
from strokegan_lib.models.family.progressive import ProgressiveGAN
from strokegan_lib.models.family.pyramid import dcgan_pyramid
from strokegan_lib.models.family.sagan import sagan
from strokegan_lib.models.gan import GAN


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


MEMBERS = {
    "dcgan": Member("DCGAN", "dcgan", False, 16, lambda width, _: dcgan(width)),
    "dcgan-pyramid": Member(
        "DCGAN with pyramid pooling", "dcgan", False, 16, lambda width, _: dcgan_pyramid(width)
    ),
    "progressive": Member("Progressive growing", "progressive", False, 8, ProgressiveGAN),
    "sagan": Member("SAGAN", "sagan", False, 8, lambda width, _: sagan(width)),
    "pix2pix": Member("pix2pix", "pix2pix", True, 16, lambda width, _: Pix2PixGAN(width)),
    "pix2pixhd": Member("pix2pixHD", "pix2pixhd", True, 16, lambda width, _: Pix2PixHDGAN(width)),
}
