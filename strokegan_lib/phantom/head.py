"""A phantom patient's head: a distortion of the average brain, and the tissue at each of its points.

The average has no gyri of its own near the surface: 152 different ones were averaged away. Each
patient gets furrows of its own, the zero crossings of a band-pass random field, which run inwards
from the surface and branch as sulci do.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from strokegan_lib.phantom.anatomy import as_maps, sample, shapes, smooth_noise, tissues

CENTRE = np.array([0.0, -18.0, 8.0])  # the middle of the brain, MNI mm
PUSH_REACH = 14.0  # mm: how far from the ventricles their growth still moves tissue
FOLD_SIZE = 13.0  # mm: gyri of about 10 mm between two furrows
SHELL = 68.0  # mm: radius at which the pattern of furrows is drawn


@dataclass(frozen=True)
class Head:
    """One patient's anatomy."""

    age: float  # years
    atrophy: float  # 0 in a young adult, about 1 at 90: how far furrows and ventricles have opened
    ventricle_growth: float  # mm by which the walls of the ventricles moved outwards
    affine: np.ndarray  # (3, 3), patient to MNI space around CENTRE
    shift: np.ndarray  # (3,) mm
    warp: np.ndarray  # (3, X, Y, Z) mm, smooth displacement on the 4 mm grid

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
    """Draw a head: age, size, tilt, shape, atrophy."""
    age = float(np.clip(rng.normal(68, 13), 25, 97))  # as stroke patients
    ageing = np.clip((age - 45) / 45, 0, 1.1)
    # around MNI152's own size; the largest still fits into the picture
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


@dataclass(frozen=True)
class Tissue:
    """What lies at each of N points of a patient, (N,) each; fluid, white and grey add up to 1."""

    fluid: torch.Tensor
    white: torch.Tensor
    grey: torch.Tensor
    hyperintensity: torch.Tensor  # of white matter, 0..1
    depth: torch.Tensor  # distance to the surface of the brain, mm; negative outside
    to_ventricle: torch.Tensor  # distance to the ventricles, mm; negative inside
    coarse: torch.Tensor  # random field of mean 0 and deviation 1, for the bias of the coils
    fine: torch.Tensor  # another, for texture


def draw_tissue(rng: np.random.Generator, head: Head, mni: torch.Tensor) -> Tissue:
    """Draw the tissue of a head at (N, 3) points in MNI mm, from :meth:`Head.to_mni`."""
    depth, to_ventricle = shapes().sample(mni, "depth", "to_ventricle")  # (N,) each
    white, fluid, furrow = tissues().sample(mni, "white", "fluid", "furrow")
    # random fields, each on a grid as fine as it needs, no finer
    (fine,) = sample(as_maps([smooth_noise(rng, 2, 3.2, 2)]), mni)
    (spots,) = sample(as_maps([smooth_noise(rng, 4, 7, 1)]), mni)
    coarse, reach = sample(as_maps([smooth_noise(rng, 4, 30), smooth_noise(rng, 4, 16)]), mni)
    (folds,) = sample(as_maps([smooth_noise(rng, 4, FOLD_SIZE, 4)]), _towards_shell(mni))

    # where the patient's own gyri replace the average's: the outer side of the cerebrum
    height = mni[:, 2] + 18 + 0.5 * (mni[:, 1] + 45).clamp(min=0)  # mm above the cerebellum
    outer = torch.sigmoid((24 - depth) / 3) * torch.sigmoid((to_ventricle - 8) / 2)
    own = outer * torch.sigmoid(height / 3) * torch.sigmoid((mni[:, 0].abs() - 12) / 3)
    deep = torch.sigmoid((19 + 5 * reach - depth) / 2.5)  # how deep an own furrow goes differs along it
    width = 0.22 + 0.10 * max(0.0, head.atrophy) + 0.06 * coarse.clamp(-1, 2)
    width = width + 0.25 * torch.exp(-depth.clamp(min=0) / 5)  # a furrow opens towards the surface
    line = torch.exp(-((folds / width) ** 2)) * deep * own  # 1 in the middle of an own furrow
    ribbon = torch.exp(-((folds / 0.8) ** 2)) * deep * own  # the cortex on its two sides

    # fluid: furrows (the average's and the patient's own), the layer under the skull, ventricles
    valley = 1.0 * furrow + 1.9 * fluid + 0.3 * head.atrophy + 0.25 * coarse + 0.1 * fine
    in_average = torch.sigmoid((valley - 1.0) / 0.22) * outer * (1 - 0.7 * white)
    layer = 0.4 + 0.9 * head.atrophy + 0.9 * coarse + 0.3 * fine + 3.5 * line + 1.5 * furrow  # mm
    in_layer = torch.sigmoid((layer - 1.4 - depth) / 2.0)
    in_cistern = torch.sigmoid((fluid - 0.5) / 0.09) * (1 - outer)
    in_ventricle = torch.sigmoid(-to_ventricle / 0.55)
    fluid = torch.stack([0.9 * line, in_average, in_layer, in_cistern, in_ventricle]).amax(0)

    core = (1 - 0.6 * own) * white + 0.6 * own * torch.sigmoid((depth - 9) / 2.5)
    white_share = torch.sigmoid((core - 0.5 - 0.45 * ribbon) / 0.09)
    load = float(np.clip(rng.gamma(1.2, 0.5) * (0.35 + head.atrophy), 0, 3))
    bright = _hyperintensity(mni, to_ventricle, white_share, spots, coarse, fine, load)
    tissue = 1 - fluid
    white, grey, bright = tissue * white_share, tissue * (1 - white_share), bright * tissue
    return Tissue(fluid, white, grey, bright, depth, to_ventricle, coarse, fine)


def _towards_shell(mni: torch.Tensor) -> torch.Tensor:
    """Move points outwards to a sphere in each hemisphere, so that furrows run inwards."""
    centre = torch.tensor([0.0, -18.0, 6.0]).repeat(len(mni), 1)
    centre[:, 0] = 24 * torch.tanh(mni[:, 0] / 10)  # (N, 3): the middle of the point's own hemisphere
    arm = mni - centre
    length = arm.norm(dim=-1, keepdim=True).clamp(min=1)
    return centre + arm * (0.4 + 0.6 * SHELL / length)


def _hyperintensity(mni, to_ventricle, white, spots, coarse, fine, load) -> torch.Tensor:
    """White-matter hyperintensities: caps and rims on the ventricles, and spots; (N,) 0..1."""
    y = mni[:, 1]
    horns = torch.exp(-(((y - 28) / 14) ** 2)) + 0.8 * torch.exp(-(((y + 52) / 16) ** 2))
    width = 1.1 + (0.7 + 2.4 * load) * (0.2 + 1.1 * horns) * (1 + 0.4 * coarse) + 1.0 * fine  # mm
    cap = torch.sigmoid((width - to_ventricle) / 0.7) * torch.sigmoid((to_ventricle + 0.3) / 0.5)
    needed = 3.3 - 0.75 * load + to_ventricle.clamp(min=0) / 30  # standard deviations
    spot = torch.sigmoid((spots + 0.25 * fine - needed) / 0.12) * white
    return torch.maximum(cap * white.clamp(min=0.4), spot)
