"""Stroke masks for slices without stroke: another patient's mask, moved over and deformed.

A stroke lies where an artery closes: a mask keeps its place relative to the brain's bounding box (or its
mirror image: left and right have the same arteries), comes from a plane of about the same height, and
stays on tissue, or is refused where too little of it would be left. Taught in notebook 08.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from strokegan_lib.balance.dataset import Plan
from strokegan_lib.data.slices import SliceSet

NEAR = 10.0  # mm: planes so close show the same territories
STAYS = 0.8  # share of a mask that must lie on tissue: less would be another shape
SMALLEST = 4  # pixels; less is lost in the next resampling
TRIES = 12  # donors tried for one slice
DARK = 0.5  # of the tissue's median: cerebrospinal fluid on FLAIR, DWI and CT
DEEP = 8.0  # pixels from the brain's edge: darkness nearer to it is a fold, and strokes cross folds
Pixels = tuple[int, int] | None  # least and most pixels of a mask; None for sizes as they come


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


def ventricles(image: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """Fluid deep inside the brain, (H, W) bool: dark, and not a fold of its surface.

    Args:
        image: (H, W) uint8, a contrast on which fluid is dark (FLAIR, DWI, CT; not ADC).
        foreground: (H, W) bool or 0/1.
    """
    inside = np.asarray(foreground, bool)
    if not inside.any():
        return inside.copy()
    smooth = ndimage.gaussian_filter(image.astype(np.float32), 0.7)
    dark = inside & (smooth < DARK * np.median(image[inside]))
    deep = ndimage.distance_transform_edt(inside) > DEEP
    return ndimage.binary_opening(dark & deep)  # single dark pixels are noise


class MaskSource(ABC):
    """Where the strokes of slices without stroke come from."""

    slices: SliceSet

    @abstractmethod
    def propose(self, row: int, rng: np.random.Generator, pixels: Pixels) -> tuple[np.ndarray, float, int]:
        """A mask, (H, W) bool, at its place in that slice; its area in pixels; the donor's row or -1."""

    def place(self, row: int, rng: np.random.Generator, pixels: Pixels = None) -> Plan | None:
        """A mask for the slice *row*, on its tissue; the same state of *rng* gives the same mask.

        None where none of TRIES masks fits: too little lies on tissue, or the size is not one of *pixels*.
        """
        foreground = self.slices.foreground[row] == 1
        tissue = foreground & ~ventricles(self.slices.images[row, 0], foreground)
        low, high = pixels or (SMALLEST, tissue.size)
        for _ in range(TRIES if tissue.any() else 0):
            mask, area, donor = self.propose(row, rng, pixels)
            kept = mask & tissue
            size = int(kept.sum())
            if size >= STAYS * area and low <= size <= high:
                return Plan(row, donor, kept, detail="" if donor >= 0 else "made mask")
        return None


class Transplanter(MaskSource):
    """Moves masks of the slices *rows*, (n,).

    These must be training slices, or a test would meet the masks again that a network was trained on. ValueError
    without a mask of SMALLEST pixels among them.
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

    def donors_at(self, z: float) -> np.ndarray:
        """Which donors, (n,) bool, lie at about the height *z*, mm; the nearest where none does."""
        away = np.abs(self.z - z)
        return away <= max(NEAR, away.min())

    def propose(self, row: int, rng: np.random.Generator, pixels: Pixels) -> tuple[np.ndarray, float, int]:
        """A donor's mask of about that height and size, deformed."""
        fits, factor = self.donors_at(float(self.slices.table["z"][row])), 1.0
        if pixels is not None:
            alike = (self.area >= pixels[0] / 2) & (self.area <= pixels[1] * 2)  # or the shape would change
            fits = fits & alike if (fits & alike).any() else fits
        k = int(rng.choice(np.flatnonzero(fits)))
        if pixels is not None:  # sizes that are asked for are drawn evenly on a logarithmic scale
            factor = np.sqrt(np.exp(rng.uniform(*np.log(pixels))) / self.area[k])

        donor, how = int(self.donors[k]), self.deformation
        mask = self.slices.stroke[donor]
        old_middle, old_half = _box(self.slices.foreground[donor])
        new_middle, new_half = _box(self.slices.foreground[row])
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
        area = float(self.area[k] * abs(np.linalg.det(forward)))
        return _moved(mask, source), area, donor


def onto(mask: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Move a mask from one brain to another, so that its place relative to the bounding box stays.

    The brains are foregrounds, neither empty. All are (H, W), 0/1 or bool. The mask may come to lie over the
    new brain's edge.
    """
    (old_middle, old_half), (new_middle, new_half) = _box(old), _box(new)
    at = np.indices(mask.shape).reshape(2, -1)  # (2, H*W)
    return _moved(mask, (at - new_middle[:, None]) * (old_half / new_half)[:, None] + old_middle[:, None])


def _moved(mask: np.ndarray, source: np.ndarray) -> np.ndarray:
    """A mask (H, W) each of whose pixels is looked up at (row, column) *source*, (2, H*W), of the old one."""
    return ndimage.map_coordinates(mask.astype(np.float32), source, order=1).reshape(mask.shape) >= 0.5


def _box(foreground: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle and half the size of a mask's bounding box, (row, column) each."""
    rows, columns = (np.flatnonzero(foreground.any(axis)) for axis in (1, 0))
    low, high = np.array([rows[0], columns[0]]), np.array([rows[-1], columns[-1]])
    return (low + high) / 2, (high - low + 1) / 2
