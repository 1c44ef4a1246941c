"""The family: the GANs from which painting brain slices descends, a file each. Taught in notebook 11.

Each file holds a method's networks and how they learn. Learning rates are the papers' times a small number: a run
here is some thousand steps, not a hundred thousand, and the loop lets the rates fall to 0 at the end. The dual GAN
(dual.py) makes masks, not slices, and is a task of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from strokegan_lib.models.family import dcgan, pix2pix, pix2pixhd, progressive, pyramid, sagan
from strokegan_lib.models.gan import GAN


@dataclass(frozen=True)
class Member:
    """One member of the family."""

    title: str  # its name in the literature
    network: str  # the kind of its generator in weight files, see training/weights.py
    conditional: bool  # it paints what two masks ask for; else what a random z makes of itself
    width: int  # of its networks
    make: Callable[[int, int], GAN]  # from width and number of steps (what grows needs it), untrained

    @property
    def lesion_share(self) -> float:
        """Share of slices with stroke that it learns from: all, unless masks say which have one."""
        return 0.5 if self.conditional else 1.0


MEMBERS = {
    "dcgan": Member("DCGAN", "dcgan", False, 16, dcgan.make),
    "dcgan-pyramid": Member("DCGAN with pyramid pooling", "dcgan", False, 16, pyramid.make),
    "progressive": Member("Progressive growing", "progressive", False, 8, progressive.ProgressiveGame),
    "sagan": Member("SAGAN", "sagan", False, 8, sagan.make),
    "pix2pix": Member("pix2pix", "pix2pix", True, 16, pix2pix.make),
    "pix2pixhd": Member("pix2pixHD", "pix2pixhd", True, 16, pix2pixhd.make),
}
