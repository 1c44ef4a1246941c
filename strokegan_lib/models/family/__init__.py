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

    network: str  # the kind of its generator in weight files, see training/weights.py
    lesion_share: float  # of slices with stroke that it learns from: all, unless masks say which have one
    width: int  # of its networks
    make: Callable[[int, int], GAN]  # from width and number of steps (what grows needs it), untrained


MEMBERS = {
    "dcgan": Member("dcgan", 1.0, 16, dcgan.make),
    "dcgan-pyramid": Member("dcgan", 1.0, 16, pyramid.make),
    "progressive": Member("progressive", 1.0, 8, progressive.ProgressiveGame),
    "sagan": Member("sagan", 1.0, 8, sagan.make),
    "pix2pix": Member("pix2pix", 0.5, 16, pix2pix.make),
    "pix2pixhd": Member("pix2pixhd", 0.5, 16, pix2pixhd.make),
}
