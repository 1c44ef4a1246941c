"""Which artery feeds which part of the brain: the kit's own regions in MNI space.

A point belongs to the territory of the nearest landmark, where each has a reach in mm that it can claim
(a power diagram). Left and right are mirror images. Placed by hand from descriptions of the supply
areas (Tatu et al., Neurology 50 (1998) 1699-1708, and Cerebrovascular Diseases 30 (2010) 1-12).
"""

from functools import lru_cache

import numpy as np

from strokegan_lib.phantom.anatomy import grid_points, shapes, tissues

SPACING = 2.0  # mm: the grid on which lesions grow

# artery: landmarks (|x|, y, z, reach), mm
LANDMARKS: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "anterior cerebral": (
        (7, 50, 5, 16), (7, 45, 28, 16), (9, 25, 48, 17), (8, -2, 58, 16), (8, -28, 62, 15),
        (7, -45, 48, 13), (6, 15, 30, 14), (6, -15, 36, 13), (9, 40, -16, 14), (5, -35, 30, 9), (16, 58, 18, 13),
    ),
    "medial lenticulostriate": ((10, 12, -6, 9),),
    "lateral lenticulostriate": (
        (26, 2, 4, 13), (25, -12, 8, 9), (16, 12, 12, 9), (23, -4, 20, 12), (22, 14, 2, 8), (25, -22, 22, 8),
    ),
    "middle cerebral, frontal": (
        (46, 22, 14, 18), (40, 38, 14, 18), (38, 22, 40, 18), (46, 2, 34, 18), (38, -8, 54, 15),
        (32, 48, 0, 15), (40, 32, -10, 15), (28, 40, 26, 13), (50, -8, 22, 11), (32, 24, 22, 12), (30, 2, 44, 13),
    ),
    "middle cerebral, parietal": (
        (52, -30, 32, 17), (46, -46, 42, 17), (40, -32, 54, 17), (36, -56, 48, 13), (34, -34, 32, 14), (56, -42, 24, 11),
    ),
    "middle cerebral, temporal": (
        (56, -18, -8, 18), (48, 4, -22, 18), (58, -34, 6, 15), (40, 10, -34, 14), (56, -46, 0, 13), (44, -30, 2, 10),
        (54, -12, -26, 13),
    ),
    "middle cerebral, occipital": ((46, -64, 16, 15), (40, -74, 24, 13), (42, -76, 4, 11), (36, -60, 20, 10)),
    "middle cerebral, insular": ((39, 4, -2, 9), (39, -10, 6, 9), (37, 16, 4, 7)),
    "anterior choroidal": ((24, -16, -14, 9), (26, -30, -8, 7)),
    "posterior cerebral": (
        (12, -82, 4, 19), (20, -70, -6, 16), (26, -48, -12, 15), (32, -30, -20, 13), (14, -62, 16, 14),
        (40, -52, -18, 11), (14, -82, 24, 13), (24, -88, -4, 13), (8, -48, 6, 9), (38, -22, -28, 8), (22, -62, 6, 10),
    ),
    "thalamoperforating": ((11, -18, 8, 11), (9, -26, 2, 7), (8, -12, -2, 6)),
    "basilar": ((5, -26, -32, 12), (5, -24, -18, 10), (4, -36, -46, 9)),
    "superior cerebellar": ((18, -54, -20, 16), (36, -52, -28, 14), (5, -58, -14, 12), (20, -72, -24, 12)),
    "inferior cerebellar": ((14, -62, -46, 17), (32, -60, -46, 17), (8, -66, -36, 12), (38, -70, -38, 12)),
}  # fmt: skip
NAMES = tuple(LANDMARKS)
BORDER_WIDTH = 15.0  # mm: root of the difference of two arteries' costs below which they share a point


@lru_cache(maxsize=1)
def territories() -> tuple[np.ndarray, np.ndarray]:
    """The territory of every point of the 2 mm grid, and whether it lies in a border zone.

    Returns:
        (X, Y, Z) int8, an index into NAMES, -1 where there is no brain tissue; and (X, Y, Z) bool,
        where two of the three large cerebral arteries reach almost equally far (watershed).
    """
    x, y, z = np.moveaxis(grid_points(SPACING), -1, 0)
    points = np.stack([np.abs(x), y, z], -1)  # (X, Y, Z, 3)

    def cost(names: list[str]) -> np.ndarray:
        """Squared distance less squared reach, of the nearest landmark of these arteries, (X, Y, Z)."""
        marks = [mark for name in names for mark in LANDMARKS[name]]
        return np.min([((points - mark[:3]) ** 2).sum(-1) - mark[3] ** 2 for mark in marks], axis=0)

    nearest = np.where(parenchyma(), np.argmin([cost([name]) for name in NAMES], axis=0), -1)
    large = [
        cost([name for name in NAMES if name.startswith(artery)])
        for artery in ("anterior cerebral", "middle", "posterior cerebral")
    ]
    first, second = np.sort(large, 0)[:2]
    near = np.sqrt(np.maximum(second - first, 0)) < BORDER_WIDTH
    border = near & (shapes()["depth"] > 2) & (z > 5) & (nearest >= 0)
    return nearest.astype(np.int8), border


@lru_cache(maxsize=1)
def parenchyma() -> np.ndarray:
    """Brain tissue that can infarct, (X, Y, Z) bool on the 2 mm grid: no ventricle, no cistern."""
    fluid = tissues()["fluid"][::2, ::2, ::2]
    return (shapes()["depth"] > 0) & (shapes()["to_ventricle"] > 0.5) & (fluid < 0.6)
