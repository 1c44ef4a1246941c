"""A phantom patient's head: a distortion of the average brain, from the patient's points to MNI space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from strokegan_lib.phantom.anatomy import as_maps, sample, shapes
from strokegan_lib.phantom.noise import smooth_noise

CENTRE = np.array([0.0, -18.0, 8.0])  # the middle of the brain, MNI mm
PUSH_REACH = 14.0  # mm: how far from the ventricles their growth still moves tissue


@dataclass(frozen=True)
class Head:
    """One patient's anatomy.

    Attributes:
        age: years.
        atrophy: 0 in a young adult, about 1 at 90: how far furrows and ventricles have opened.
        ventricle_growth: mm by which the walls of the ventricles moved outwards.
        affine: (3, 3), patient to MNI space around CENTRE.
        shift: (3,) mm.
        warp: (3, X, Y, Z) mm, smooth displacement on the 4 mm grid.
    """

    age: float
    atrophy: float
    ventricle_growth: float
    affine: np.ndarray
    shift: np.ndarray
    warp: np.ndarray

    def to_mni(self, points: torch.Tensor) -> torch.Tensor:
        """Carry points of the patient, (N, 3) float32 in mm, to the average brain, (N, 3) MNI mm."""
        centre, shift, affine = (torch.from_numpy(v).float() for v in (CENTRE, self.shift, self.affine))
        mni = (points - centre - shift) @ affine.T + centre  # (N, 3)
        mni = mni + sample(as_maps(self.warp), mni).T
        # growing ventricles push the tissue around them away, and less the farther it lies;
        # seen from the patient, each point looks up the average brain closer to the ventricles
        distance, *away = shapes().sample(mni, "to_ventricle", "away_x", "away_y", "away_z")  # (N,) each
        push = self.ventricle_growth * torch.exp(-distance.clamp(min=0) / PUSH_REACH)  # (N,) mm
        push = torch.minimum(push, (distance + 1).clamp(min=0))  # not through to the opposite wall
        return mni - push[:, None] * torch.stack(away, -1)

    def middle(self) -> float:
        """Where the middle of the head lies between front and back, mm in y: the picture's centre."""
        y = torch.arange(-130.0, 110.0, 2.0)
        x, z = torch.tensor([-36.0, -20.0, 0.0, 20.0, 36.0]), torch.arange(-25.0, 41.0, 11.0)
        points = torch.cartesian_prod(x, y, z)  # (n, 3)
        inside = points[shapes().sample(self.to_mni(points), "depth")[0] > 0]
        return float(inside[:, 1].min() + inside[:, 1].max()) / 2


def draw_head(rng: np.random.Generator) -> Head:
    """Draw a head: age, size, tilt, shape, atrophy.

    Ages follow those of stroke patients (mean 68, standard deviation 13 years). Sizes lie
    around MNI152's, and the largest still fits into the picture.
    """
    age = float(np.clip(rng.normal(68, 13), 25, 97))
    ageing = np.clip((age - 45) / 45, 0, 1.1)
    scale = np.clip(rng.normal([0.985, 0.97, 1.0], [0.025, 0.015, 0.03]), 0.92, [1.05, 0.99, 1.06])
    tilt = np.deg2rad(rng.normal(0, [2.5, 1.2, 1.5]))  # nod, lean, turn
    # two scales of shape: lobes and gyri. People are nearly, not quite, symmetric
    warp = _displacement(rng, 60, (1.8, 2.0, 2.5), 0.25) + _displacement(rng, 22, (1.0, 1.0, 1.6), 0.4)
    return Head(
        age=age,
        atrophy=float(0.9 * ageing + rng.normal(-0.1, 0.3)),
        ventricle_growth=float(np.clip(rng.normal(0.9 + 5.0 * ageing, 2.4), -2.5, 11)),
        affine=np.diag(1 / scale) @ Rotation.from_euler("xyz", tilt).as_matrix(),
        shift=rng.normal(0, [1.5, 1.0, 2.0]),
        warp=warp.astype(np.float32),
    )


def _displacement(rng: np.random.Generator, size: float, mm: tuple, asymmetry: float) -> np.ndarray:
    """Smooth displacement, (3, X, Y, Z) mm, of which a share is mirrored at the midline."""
    fields = []
    for axis, amplitude in enumerate(mm):
        field = smooth_noise(rng, 4, size)
        mirrored = field[::-1] * (-1 if axis == 0 else 1)  # the box is symmetric in x
        fields.append(amplitude * ((1 - asymmetry) * (field + mirrored) / np.sqrt(2) + asymmetry * field))
    return np.stack(fields)
