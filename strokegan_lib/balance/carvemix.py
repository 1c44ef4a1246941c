"""CarveMix: a lesion is carved out of one slice, with some tissue around it, and put into another.

Zhang et al., CarveMix: a simple data augmentation method for brain lesion segmentation,
MICCAI 2021. The alternative to a generator that needs no network. Taught in notebook 08.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from strokegan_lib.balance.dataset import Augmenter, Plan
from strokegan_lib.balance.transplant import SMALLEST, STAYS, Transplanter
from strokegan_lib.data.slices import SliceSet


def signed_distance(mask: np.ndarray) -> np.ndarray:
    """Distance to the edge of a mask in pixels: negative inside, positive outside, (H, W)."""
    mask = np.asarray(mask, bool)
    return ndimage.distance_transform_edt(~mask) - ndimage.distance_transform_edt(mask)


def carve_and_mix(
    image: np.ndarray,
    stroke: np.ndarray,
    foreground: np.ndarray,
    donor_image: np.ndarray,
    donor_stroke: np.ndarray,
    donor_foreground: np.ndarray,
    margin: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Replace a region of a slice, image and mask alike, by the same region of another.

    The region is the donor's lesion and what lies nearer to it than *margin* pixels, or, where *margin* is
    below 0, what lies deeper in it; as far as it is brain in both slices: nothing is pasted onto air.

    Images are (C, H, W), masks (H, W) bool or 0/1; returns the mixed image and its stroke mask, bool.
    """
    region = signed_distance(donor_stroke) <= margin  # M
    region &= (np.asarray(foreground) == 1) & (np.asarray(donor_foreground) == 1)
    mixed = np.where(region, donor_image, image)  # X = X_i M + X_j (1 - M)
    return mixed, np.where(region, donor_stroke, stroke) == 1  # and so for Y


@dataclass(frozen=True)
class CarveMix(Augmenter):
    """Paste a donor's lesion, with the tissue around it, at its own place; *donors* are not deformed."""

    donors: Transplanter
    name = "carvemix"

    def plan(self, slices: SliceSet, background: int, rng: np.random.Generator) -> Plan | None:
        z = slices.table["z"][background]
        donor = int(rng.choice(self.donors.donors[self.donors.donors_at(z)]))
        distance = signed_distance(slices.stroke[donor])
        depth = -float(distance.min())  # of the lesion
        margin = rng.uniform(-depth / 2, depth)  # the draw of the authors' released code
        carved = int(((slices.stroke[donor] == 1) & (distance <= margin)).sum())
        arrays = (slices.images, slices.stroke, slices.foreground)
        image, stroke = carve_and_mix(*(a[row] for row in (background, donor) for a in arrays), margin)
        if int(stroke.sum()) < max(SMALLEST, STAYS * carved):
            return None
        return Plan(background, donor, stroke, image, f"margin {margin:.2f} px")

    def make(self, slices: SliceSet, plans: list[Plan]) -> np.ndarray:
        return np.stack([plan.image for plan in plans])
