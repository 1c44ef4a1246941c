"""The family: the GANs from which painting brain slices descends, a file each. Taught in notebook 11.

Each file holds a method's networks and how they learn. Learning rates are the papers' times a small number: a run
here is some thousand steps, not a hundred thousand, and the loop lets the rates fall to 0 at the end. The dual GAN
(dual.py) makes masks, not slices, and is a task of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strokegan_lib.models.family import dcgan, pix2pix, pix2pixhd, progressive, pyramid, sagan
from strokegan_lib.models.gan import GAN


@dataclass(frozen=True)
class Member:
    """One member of the family.

    Attributes:
        title: its name in the literature.
        network: the kind of its generator in weight files, see training/weights.py.
        conditional: it paints what two masks ask for; else what a random z makes of itself.
        width: of its networks.
        make: from width and number of steps to the GAN, untrained; only what grows needs to know the steps.
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


# name: title, network, conditional, width, make
MEMBERS = {
    "dcgan": Member("DCGAN", "dcgan", False, 16, lambda width, _: dcgan.make(width)),
    "dcgan-pyramid": Member(
        "DCGAN with pyramid pooling", "dcgan", False, 16, lambda width, _: pyramid.make(width)
    ),
    "progressive": Member("Progressive growing", "progressive", False, 8, progressive.ProgressiveGAN),
    "sagan": Member("SAGAN", "sagan", False, 8, lambda width, _: sagan.make(width)),
    "pix2pix": Member("pix2pix", "pix2pix", True, 16, lambda width, _: pix2pix.Pix2PixGAN(width)),
    "pix2pixhd": Member("pix2pixHD", "pix2pixhd", True, 16, lambda width, _: pix2pixhd.Pix2PixHDGAN(width)),
}
