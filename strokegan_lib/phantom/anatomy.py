"""The average brain of which every phantom patient is a distortion, and smooth noise that distorts it.

The maps are the ICBM 152 (2009) non-linear average of 152 young adults that ships inside nilearn,
so nothing is downloaded (Fonov et al., NeuroImage 54 (2011) 313-327, doi:10.1016/j.neuroimage.2010.07.033).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy import fft, ndimage
from torch.nn import functional as F

# the box of MNI space that holds the brain, mm: x to the right, y forward, z up
LOW = np.array([-76.0, -112.0, -72.0])
HIGH = np.array([76.0, 80.0, 88.0])


@dataclass(frozen=True)
class Grid:
    """Named maps on a regular grid over the box LOW..HIGH of MNI space, (C, X, Y, Z) float32."""

    maps: torch.Tensor
    names: tuple[str, ...]

    def __getitem__(self, name: str) -> np.ndarray:
        """One map, (X, Y, Z)."""
        return self.maps[self.names.index(name)].numpy()

    def sample(self, points: torch.Tensor, *names: str) -> torch.Tensor:
        """Interpolate K maps, which must be neighbours in ``self.names``, at points (..., 3) in mm -> (K, ...)."""
        first = self.names.index(names[0])
        # a view: a copy of the maps would cost more than sampling
        return sample(self.maps[first : first + len(names)], points)


def as_maps(fields: Sequence[np.ndarray]) -> torch.Tensor:
    """K fields of (X, Y, Z) as maps, (K, X, Y, Z) float32, with x fastest in memory, as pixels are sampled."""
    return torch.from_numpy(np.stack([np.asarray(f, np.float32).T for f in fields])).permute(0, 3, 2, 1)


def sample(maps: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Interpolate (C, X, Y, Z) maps at (..., 3) points in MNI mm -> (C, ...); beyond the box, its edge."""
    low, high = (torch.from_numpy(v).to(points) for v in (LOW, HIGH))
    unit = (points - low) / (high - low) * 2 - 1  # (..., 3) in -1..1
    grid = unit.flip(-1).reshape(1, 1, 1, -1, 3)  # grid_sample names the last axis first: z, y, x
    out = F.grid_sample(maps[None], grid, mode="bilinear", padding_mode="border", align_corners=True)
    return out.reshape(maps.shape[0], *points.shape[:-1])


def grid_shape(spacing: float) -> tuple[int, int, int]:
    """Points of a grid over the box, (X, Y, Z)."""
    return tuple(int(n) for n in np.rint((HIGH - LOW) / spacing).astype(int) + 1)


@lru_cache(maxsize=2)
def grid_points(spacing: float) -> np.ndarray:
    """MNI coordinates of every grid point, (X, Y, Z, 3) mm."""
    axes = [np.linspace(a, b, n) for a, b, n in zip(LOW, HIGH, grid_shape(spacing), strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    points.setflags(write=False)  # shared by the cache
    return points


@lru_cache(maxsize=8)
def _filter(spacing: float, size: float, power: int) -> np.ndarray:
    shape = grid_shape(spacing)
    axes = [fft.fftfreq(n, spacing) for n in shape[:2]] + [fft.rfftfreq(shape[2], spacing)]
    squared = sum(k**2 for k in np.meshgrid(*axes, indexing="ij")) * size**2  # (X, Y, Z//2+1)
    weights = squared ** (power / 2) * np.exp(-squared * np.pi)
    weights[0, 0, 0] = 0  # no mean
    return weights.astype(np.float32)


def smooth_noise(rng: np.random.Generator, spacing: float, size: float, power: int = 0) -> np.ndarray:
    """Gaussian random field of mean 0 and deviation 1 on the grid of *spacing* mm, (X, Y, Z) float32.

    White noise is filtered in Fourier space by ``|k|^power exp(-pi |k|^2 size^2)``.

    Args:
        size: size of the blobs, mm; larger is smoother.
        power: 0 for blobs of *size* and larger, 2 and more for blobs of about *size* only.
    """
    shape = grid_shape(spacing)
    spectrum = fft.rfftn(rng.standard_normal(shape, dtype=np.float32)) * _filter(spacing, size, power)
    field = fft.irfftn(spectrum, shape)
    return field / field.std()


@lru_cache(maxsize=1)
def tissues() -> Grid:
    """Tissue maps at 1 mm, 0..1: probabilities of ``white`` and ``fluid``, grey matter being what is left of
    the brain, and ``furrow``, high in sulci, which the average T1 shows as dark valleys.
    """
    t1, grey, white, brain = _template()
    fluid = np.clip(brain - grey - white, 0, 1)
    # a sulcus is darker than the cortex on its two sides, even where the average blurs it
    furrow = np.clip((ndimage.gaussian_filter(t1, 3.0) - t1) / 0.12, 0, 1)
    furrow = np.maximum(furrow, np.clip((0.60 - t1) / 0.25, 0, 1)) * (brain > 0)
    return Grid(as_maps([white, fluid, furrow]), ("white", "fluid", "furrow"))


@lru_cache(maxsize=1)
def shapes() -> Grid:
    """Smooth maps of shape at 2 mm.

    ``depth``: distance to the brain's surface, mm, negative outside.
    ``to_ventricle``: distance to the lateral and third ventricles, mm, negative inside;
    ``away_x``, ``away_y``, ``away_z``: its gradient, which points away from them.
    """
    depth = _signed_distance(_template()[3] > 0)
    to_ventricle = ndimage.gaussian_filter(-_signed_distance(_ventricles()), 1.5)
    fields = (depth, to_ventricle, *np.gradient(to_ventricle))
    names = ("depth", "to_ventricle", "away_x", "away_y", "away_z")
    return Grid(as_maps([field[::2, ::2, ::2] for field in fields]), names)


@lru_cache(maxsize=1)
def _template() -> np.ndarray:
    """T1, grey, white (0..1) and brain mask (0/1) in the box at 1 mm, (4, X, Y, Z)."""
    from nilearn import datasets

    kinds = ("template", "gm_template", "wm_template", "brain_mask")
    images = [getattr(datasets, f"load_mni152_{kind}")(resolution=1) for kind in kinds]
    start = np.rint(LOW - images[0].affine[:3, 3]).astype(int)  # voxels; the affine is 1 mm, unrotated
    box = tuple(slice(a, a + n) for a, n in zip(start, grid_shape(1.0), strict=True))
    return np.stack([np.asarray(image.dataobj)[box].astype(np.float32) for image in images])


def _ventricles() -> np.ndarray:
    """Lateral and third ventricles in the box at 1 mm, bool: fluid far below the surface."""
    _, grey, white, brain = _template()
    x, y, z = np.moveaxis(grid_points(1.0), -1, 0)
    fluid = (brain - grey - white) > 0.5
    deep = (np.abs(x) < 42) & (y > -62) & (y < 42) & (z > -16) & (z < 34)
    cistern = (np.abs(x) < 16) & (y < -22) & (z < 13)  # around the pineal gland, outside the brain
    midline = (np.abs(x) < 4) & ((y > 22) | (y < -28)) & (z > 10)  # the fissure between the hemispheres
    pieces, _ = ndimage.label(fluid & deep & ~cistern & ~midline)
    large = np.bincount(pieces.ravel()) > 300  # mm3: crumbs are sulci
    large[0] = False  # what is no piece
    return large[pieces]


def _signed_distance(inside: np.ndarray) -> np.ndarray:
    """Distance to the border, mm at 1 mm voxels: positive inside, negative outside."""
    distance = -ndimage.distance_transform_edt(~inside)
    (box,) = ndimage.find_objects(inside.astype(np.uint8))  # the inside may be small: look no farther
    distance[box] += ndimage.distance_transform_edt(np.pad(inside[box], 1))[1:-1, 1:-1, 1:-1]
    return distance
