"""Grow a stroke lesion in 3-D on the anatomy, so that neighbouring planes agree.

Each piece starts at a seed and takes the N points of tissue around it that are nearest, in its territory, and lucky.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from strokegan_lib.phantom.anatomy import grid_points, grid_shape, smooth_noise
from strokegan_lib.phantom.epidemiology import Plan
from strokegan_lib.phantom.territories import NAMES, SPACING, parenchyma, territories

POINT_ML = SPACING**3 / 1000  # volume of a grid point, mL
OUTSIDE = -1.0  # level far from any lesion
COUNTED = 30.0  # mm3: pieces smaller than this are not counted, as in the SOOP statistics
CONNECTED = np.ones((3, 3, 3))  # points that touch at a corner belong to one piece


@dataclass(frozen=True)
class Lesion:
    """A grown lesion, and what it turned out to be."""

    # (X, Y, Z) float32 on the 2 mm grid; above 0 inside, and smooth, so that any plane has a smooth outline
    level: np.ndarray
    volume: float  # mL in MNI space
    territory: str  # where most of it lies, one of territories.NAMES
    pieces: int  # separate pieces of 30 mm3 or more
    right: float  # share of the lesion in the right hemisphere, 0..1


def grow_lesion(rng: np.random.Generator, plan: Plan) -> Lesion:
    """Grow the lesion that *plan* asks for."""
    noise = smooth_noise(rng, SPACING, 9, 1)
    free = parenchyma() & (np.abs(grid_points(SPACING)[..., 0]) > 1)  # the midline stays free
    level = np.full(grid_shape(SPACING), OUTSIDE, np.float32)
    for number, (volume, side) in enumerate(_shares(rng, plan)):
        if number:  # a further piece keeps its distance, or the two would be one
            free &= ~ndimage.binary_dilation(level > 0, CONNECTED, iterations=2)
        _grow_piece(rng, level, free, noise, volume, side, plan, first=number == 0)
    inside = level > 0
    territory = np.bincount(territories()[0][inside], minlength=len(NAMES))
    pieces, _ = ndimage.label(inside, CONNECTED)
    size = np.bincount(pieces.ravel())[1:] * SPACING**3  # mm3
    right = inside[grid_points(SPACING)[..., 0] > 0].sum() / max(1, inside.sum())
    volume, counted = float(inside.sum() * POINT_ML), int((size >= COUNTED).sum())
    return Lesion(level, volume, NAMES[int(territory.argmax())], counted, float(right))


def _shares(rng: np.random.Generator, plan: Plan) -> list[tuple[float, int]]:
    """Volume in mL and side of every piece, the largest first."""
    elsewhere = 0 if not plan.other_side else max(1, round(plan.pieces * plan.other_side))
    here = plan.pieces - elsewhere
    pieces = []
    for n, share, side in ((here, 1 - plan.other_side, plan.side), (elsewhere, plan.other_side, -plan.side)):
        if n:
            parts = np.sort(rng.dirichlet(np.r_[4.0, np.full(n - 1, 0.7)]))[::-1]
            pieces += [(plan.volume * share * part, side) for part in parts]
    return [(max(volume, 0.04), side) for volume, side in pieces]


def _grow_piece(rng, level, free, noise, volume, side, plan, first) -> None:
    """Add one piece to *level*, in place; do nothing where there is no room."""
    territory, border = territories()
    points = grid_points(SPACING)
    here = free & (np.sign(points[..., 0]) == side)
    own = territory == NAMES.index(plan.territory)
    start = here & own
    if plan.border_zone:
        start = here & border
    elif not first and rng.random() < 0.35:  # an embolus that went another way
        start = here & (np.char.startswith(NAMES, plan.territory.split(",")[0])[territory] & (territory >= 0))
    choices = np.flatnonzero(start if start.any() else here)
    if not len(choices):
        return
    seed = np.unravel_index(rng.choice(choices), here.shape)

    radius = (volume * 1000 * 3 / (4 * np.pi)) ** (1 / 3)  # mm, of a ball of that volume
    reach = (2.4 * radius + 10) / SPACING  # points, room for a stretched piece and its noise
    box = tuple(slice(max(0, int(c - reach)), int(c + reach) + 1) for c in seed)
    stretch = np.exp(rng.normal(0, 0.18, 3))
    arm = (points[box] - points[seed]) / (radius * stretch / stretch.prod() ** (1 / 3))
    will = -np.sqrt((arm**2).sum(-1)) + rng.uniform(0.15, 0.3) * noise[box]
    will = np.where(own[box], will, will - rng.uniform(0.3, 0.7))  # other territories resist
    room = here[box]
    inside, threshold = _largest_piece(will, room, max(5, round(volume / POINT_ML)), seed, box)
    # just below zero in forbidden tissue, so that the outline runs along its border
    piece = np.where(inside, np.maximum(will - threshold, 1e-3), np.minimum(will - threshold, -0.05))
    piece = np.where(room, piece, np.minimum(piece, -0.3))
    level[box] = np.maximum(level[box], piece.clip(OUTSIDE, None))


def _largest_piece(will, room, n, seed, box) -> tuple[np.ndarray, float]:
    """The connected set of about *n* willing points around the seed, and its threshold."""
    values = np.where(room, will, -np.inf)
    centre = tuple(s - b.start for s, b in zip(seed, box, strict=True))
    wanted = min(n, int(room.sum()))
    for _ in range(4):  # islands that noise made are given up, and the rest grows instead
        threshold = -np.partition(-values.ravel(), wanted - 1)[wanted - 1]
        pieces, _ = ndimage.label(values >= threshold, CONNECTED)
        chosen = pieces[centre] or np.bincount(pieces.ravel())[1:].argmax() + 1
        inside = pieces == chosen
        missing = n - int(inside.sum())
        if missing <= 0.05 * n:
            break
        wanted = min(wanted + missing, int(room.sum()))
    return inside, float(threshold)
