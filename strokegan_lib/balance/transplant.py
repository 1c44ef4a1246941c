"""Stroke masks for slices without stroke: another patient's mask, moved over and deformed.

A stroke lies where an artery closes, so a mask must not land anywhere. It keeps its place
relative to the brain's bounding box (or takes the mirror image of it: left and right have
the same arteries), comes from a plane of about the same height, stays inside the brain and
out of the ventricles, and a place is refused where too little of the mask would be left.
Taught in notebook 08.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from strokegan_lib.data.slices import SliceSet

NEAR = 10.0  # mm: planes so close show the same territories
STAYS = 0.8  # share of a mask that must lie on tissue: less would be another shape
SMALLEST = 4  # pixels; less is lost in the next resampling
TRIES = 12  # donors tried for one slice
DARK = 0.5  # of the tissue's median: cerebrospinal fluid on FLAIR, DWI and CT
DEEP = 8.0  # pixels from the brain's edge: darkness nearer to it is a fold, and strokes cross folds


@dataclass(frozen=True)
class Deformation:
    """How far a mask may be changed before it is put down."""

    mirror: float = 0.5  # probability
    rotation: float = 15.0  # +- degrees, around the mask's own centre
    scale: float = 0.25  # between 1/1.25 and 1.25 times the length
    shear: float = 0.15  # +-
    shift: float = 0.06  # +- share of half the brain's height and width: within a territory
    bend: float = 1.5  # pixels, standard deviation of an elastic displacement
    wave: float = 8.0  # pixels, smoothness of it


@dataclass(frozen=True)
class Placement:
    """A stroke mask for a slice that had none.

    Attributes:
        stroke: (H, W) bool, inside the slice's tissue.
        donor: row of the slice whose mask it was.
    """

    stroke: np.ndarray
    donor: int


def ventricles(image: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """Fluid deep inside the brain: dark, and not a fold of its surface.

    Args:
        image: (H, W) uint8, a contrast on which fluid is dark (FLAIR, DWI, CT; not ADC).
        foreground: (H, W) bool or 0/1.

    Returns:
        (H, W) bool; empty where nothing is dark.
    """
    inside = np.asarray(foreground, bool)
    if not inside.any():
        return inside.copy()
    smooth = ndimage.gaussian_filter(image.astype(np.float32), 0.7)
    dark = inside & (smooth < DARK * np.median(image[inside]))
    deep = ndimage.distance_transform_edt(inside) > DEEP
    return ndimage.binary_opening(dark & deep)  # single dark pixels are noise


class Transplanter:
    """Finds stroke masks for slices without stroke.

    Args:
        slices: the data set.
        rows: (n,) slices whose masks may be used: training slices only, or a test would
            meet the masks again that a network was trained on.
        deformation: how far a mask may be changed.

    Raises:
        ValueError: no slice with stroke among *rows*.
    """

    def __init__(self, slices: SliceSet, rows: np.ndarray, deformation: Deformation | None = None) -> None:
        rows = np.asarray(rows)
        area = slices.stroke[rows].sum((1, 2), dtype=np.int64)  # (n,)
        usable = area >= SMALLEST
        if not usable.any():
            raise ValueError("no slice with stroke to take a mask from")
        self.slices, self.deformation = slices, deformation or Deformation()
        self.donors, self.area = rows[usable], area[usable]
        self.z = slices.table["z"][self.donors]

    def place(
        self, row: int, rng: np.random.Generator, pixels: tuple[int, int] | None = None
    ) -> Placement | None:
        """A mask for one slice; the same state of *rng* gives the same mask.

        Args:
            row: the slice that gets the mask.
            pixels: smallest and largest size of the mask; None takes sizes as they come
                among the donors.

        Returns:
            the mask, or None where none of TRIES donors fits.
        """
        image, foreground = self.slices.images[row, 0], self.slices.foreground[row] == 1
        tissue = foreground & ~ventricles(image, foreground)
        candidates = self._candidates(float(self.slices.table["z"][row]), pixels)
        if not tissue.any():
            return None
        for _ in range(TRIES):
            k = int(rng.choice(candidates))
            factor = 1.0
            if pixels is not None:  # sizes that are asked for are drawn evenly on a logarithmic scale
                factor = np.sqrt(np.exp(rng.uniform(*np.log(pixels))) / self.area[k])
            donor = int(self.donors[k])
            mask, area = self._move(donor, foreground, rng, factor)
            kept = mask & tissue
            size = int(kept.sum())
            low, high = pixels or (SMALLEST, kept.size)
            if size >= STAYS * area and low <= size <= high:
                return Placement(kept, donor)
        return None

    def _candidates(self, z: float, pixels: tuple[int, int] | None) -> np.ndarray:
        """Donors at about the height *z*, if there are any, and of about the size asked for."""
        away = np.abs(self.z - z)
        fits = away <= max(NEAR, away.min())
        if pixels is not None:
            low, high = pixels
            alike = (self.area >= low / 2) & (self.area <= high * 2)  # more stretch would change the shape
            fits = fits & alike if (fits & alike).any() else fits
        return np.flatnonzero(fits)

    def _move(
        self, donor: int, foreground: np.ndarray, rng: np.random.Generator, factor: float
    ) -> tuple[np.ndarray, float]:
        """The donor's mask, deformed, at its place in another brain; and the area it should have."""
        how = self.deformation
        mask = self.slices.stroke[donor]
        old_middle, old_half = _box(self.slices.foreground[donor])
        new_middle, new_half = _box(foreground)
        centre = np.array(ndimage.center_of_mass(mask))
        mirror = np.array([1.0, -1.0 if rng.random() < how.mirror else 1.0])  # rows, columns
        place = (centre - old_middle) / old_half * mirror  # relative to the brain, -1..1
        place = new_middle + (place + rng.uniform(-how.shift, how.shift, 2)) * new_half

        angle = np.deg2rad(rng.uniform(-how.rotation, how.rotation))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shear = np.array([[1.0, rng.uniform(-how.shear, how.shear)], [0.0, 1.0]])
        size = factor * (1 + how.scale) ** rng.uniform(-1, 1)
        forward = turn @ shear @ np.diag(mirror * size * (1 if factor != 1 else new_half / old_half))

        at = np.indices(mask.shape).reshape(2, -1) - place[:, None]  # (2, H*W) from the new place
        waves = ndimage.gaussian_filter(rng.standard_normal((2, *mask.shape)), (0, how.wave, how.wave))
        waves *= how.bend / waves.std()
        source = np.linalg.inv(forward) @ (at + waves.reshape(2, -1)) + centre[:, None]
        moved = ndimage.map_coordinates(mask.astype(np.float32), source, order=1)  # (H*W,)
        area = float(mask.sum(dtype=np.int64) * abs(np.linalg.det(forward)))
        return moved.reshape(mask.shape) >= 0.5, area


def onto(mask: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Move a mask from one brain to another, so that its place relative to the bounding box stays.

    Args:
        mask: (H, W), 0/1.
        old, new: (H, W), 0/1, the foregrounds of the two brains, neither empty.

    Returns:
        (H, W) bool; it may reach over the new brain's edge, and cover its ventricles.
    """
    (old_middle, old_half), (new_middle, new_half) = _box(old), _box(new)
    at = np.indices(mask.shape).reshape(2, -1)  # (2, H*W)
    source = (at - new_middle[:, None]) * (old_half / new_half)[:, None] + old_middle[:, None]
    moved = ndimage.map_coordinates(mask.astype(np.float32), source, order=1)  # (H*W,)
    return moved.reshape(mask.shape) >= 0.5


def _box(foreground: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle and half the size of a mask's bounding box, (row, column) each."""
    rows, columns = (np.flatnonzero(foreground.any(axis)) for axis in (1, 0))
    low, high = np.array([rows[0], columns[0]]), np.array([rows[-1], columns[-1]])
    return (low + high) / 2, (high - low + 1) / 2
