"""From MNI space to one patient's tissue: fluid, white and grey matter, point by point.

The average brain has no gyri of its own near the surface: 152 different ones were
averaged away. Each patient therefore gets furrows of its own, the zero crossings of
a band-pass random field, which run inwards from the surface and branch as sulci do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from strokegan_lib.phantom.anatomy import as_maps, sample, shapes, tissues
from strokegan_lib.phantom.head import Head
from strokegan_lib.phantom.noise import smooth_noise

FOLD_SIZE = 13.0  # mm: gyri of about 10 mm between two furrows
SHELL = 68.0  # mm: radius at which the pattern of furrows is drawn


@dataclass(frozen=True)
class Tissue:
    """What lies at each of N points of a patient. Fractions of 0..1 sum to 1.

    Attributes:
        fluid, white, grey: fractions, (N,).
        hyperintensity: white-matter hyperintensity, 0..1, (N,).
        depth: distance to the surface of the brain, mm, (N,); negative outside.
        to_ventricle: distance to the ventricles, mm, (N,).
        coarse, fine: random fields, mean 0 and deviation 1, for bias and texture, (N,).
    """

    fluid: torch.Tensor
    white: torch.Tensor
    grey: torch.Tensor
    hyperintensity: torch.Tensor
    depth: torch.Tensor
    to_ventricle: torch.Tensor
    coarse: torch.Tensor
    fine: torch.Tensor


def draw_tissue(rng: np.random.Generator, head: Head, mni: torch.Tensor) -> Tissue:
    """Draw a patient's tissue.

    Args:
        head: whose tissue.
        mni: (N, 3) MNI mm, from :meth:`Head.to_mni`.
    """
    depth, to_ventricle = shapes().sample(mni, "depth", "to_ventricle")  # (N,) each
    white, fluid, furrow = tissues().sample(mni, "white", "fluid", "furrow")
    (fine,) = _noise_at(mni, smooth_noise(rng, 2, 3.2, 2))  # a grid as fine as the field needs, no finer
    (spots,) = _noise_at(mni, smooth_noise(rng, 4, 7, 1))
    coarse, reach = _noise_at(mni, smooth_noise(rng, 4, 30), smooth_noise(rng, 4, 16))
    (folds,) = _noise_at(_towards_shell(mni), smooth_noise(rng, 4, FOLD_SIZE, 4))

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
    return Tissue(
        fluid=fluid,
        white=(1 - fluid) * white_share,
        grey=(1 - fluid) * (1 - white_share),
        hyperintensity=bright * (1 - fluid),
        depth=depth,
        to_ventricle=to_ventricle,
        coarse=coarse,
        fine=fine,
    )


def _noise_at(points: torch.Tensor, *fields: np.ndarray) -> torch.Tensor:
    """Values of K fields on one grid at (N, 3) points, (K, N)."""
    return sample(as_maps(fields), points)


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
