"""One synthetic stroke patient: the head, its tissue, its lesion, and the scanner's picture of it.

A patient is a function of its number, the seed and the contrast. Taught in notebook 01.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from strokegan_lib.data.resample import SIZE
from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.phantom.anatomy import as_maps, sample, shapes
from strokegan_lib.phantom.epidemiology import plan_stroke
from strokegan_lib.phantom.head import Head, draw_head, draw_tissue
from strokegan_lib.phantom.lesions import Lesion, grow_lesion
from strokegan_lib.phantom.scanner import CONTRASTS, brightness, scan

PIXEL = 1.5  # mm: 192 mm across, room for the largest head
BOTTOM, TOP = -51.0, 75.0  # mm: the planes cover brain stem to vertex
EDGE = -1.2  # mm: skull stripping leaves a thin layer of fluid around the brain
FEWEST_PIXELS = 4  # 9 mm2: a lesion smaller than that in a plane is not drawn by a reader


@dataclass(frozen=True)
class Patient:
    """A phantom patient's slices, P planes."""

    name: str
    head: Head
    lesion: Lesion | None
    images: np.ndarray  # (P, 128, 128) float32, 0..1 of the display window (before saturation)
    stroke: np.ndarray  # (P, 128, 128) bool
    foreground: np.ndarray  # (P, 128, 128) bool
    layers: dict[str, np.ndarray] = field(repr=False)  # the steps on the way if asked for, (P, 128, 128)

    def facts(self) -> dict:
        """The patient in a few words, for the card: age, and the lesion that grew (MNI space)."""
        facts = {"patient": self.name, "age": round(self.head.age), "stroke": self.lesion is not None}
        if self.lesion:
            facts |= {
                "volume_ml": round(self.lesion.volume, 3),
                "territory": self.lesion.territory,
                "pieces": self.lesion.pieces,
                "right_share": round(self.lesion.right, 3),
            }
        return facts


def plane_heights(planes: int) -> np.ndarray:
    """Heights of equally spaced planes, each in the middle of its share of the head, (planes,) mm."""
    return BOTTOM + (TOP - BOTTOM) / planes * (np.arange(planes) + 0.5)


@one_thread_each()  # the same bytes however many cores; other processors round a few pixels otherwise
def make_patient(
    number: int, *, seed: int = 0, contrast: str = "flair", z: np.ndarray | None = None, layers: bool = False
) -> Patient:
    """Make patient *number*, 0 or more, of the data set of *seed*.

    Args:
        contrast: 'flair' or 'dwi'. The anatomy and the lesion are the same in both.
        z: heights of the planes above the anterior commissure, mm; default: 30 planes.
    """
    head = draw_head(_stream(number, seed, 0))
    z = plane_heights(30) if z is None else np.asarray(z, float)
    inside, mni = _inside_head(head, plane_points(z, head.middle()))
    tissue = draw_tissue(_stream(number, seed, 1), head, mni)

    plan = plan_stroke(number, seed)
    lesion = grow_lesion(_stream(number, seed, 2), plan) if plan else None
    depth_in_lesion = torch.full((len(mni),), -1.0)  # (N,)
    if lesion:
        depth_in_lesion = sample(as_maps([lesion.level]), mni)[0]
    foreground = _in_planes(inside, tissue.depth > EDGE)
    stroke = _in_planes(inside, (depth_in_lesion > 0) & (tissue.to_ventricle > 0)) & foreground
    stroke &= stroke.sum((1, 2), keepdims=True) >= FEWEST_PIXELS

    rng = _stream(number, seed, 3)
    clean = brightness(rng, CONTRASTS[contrast], mni, tissue, depth_in_lesion)
    images = scan(rng, CONTRASTS[contrast], _in_planes(inside, clean), foreground)
    steps = {}
    if layers:
        steps = {name: getattr(tissue, name) for name in ("fluid", "white", "grey", "hyperintensity")}
        steps |= {"lesion": torch.sigmoid(depth_in_lesion / 0.08), "brightness": clean}
    steps = {name: _in_planes(inside, values) for name, values in steps.items()}
    return Patient(f"phantom-{number:05d}", head, lesion, images, stroke, foreground, steps)


def _stream(number: int, seed: int, step: int) -> np.random.Generator:
    """Random numbers of their own for each step, so that a change in one leaves the others as they were."""
    return np.random.default_rng([seed, number, step])


def plane_points(z: np.ndarray, middle: float) -> torch.Tensor:
    """Where the pixels of planes at heights *z*, (P,) mm, lie, (P, 128, 128, 3) mm; rows run from front to back.

    The picture's centre lies at y = *middle*.
    """
    step = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL
    grids = np.broadcast_arrays(step[None, None, :], middle - step[None, :, None], z[:, None, None])
    return torch.from_numpy(np.stack(grids, -1).astype(np.float32))


def _inside_head(head: Head, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Which points can belong to the head, (P, 128, 128) bool, and their MNI coordinates, (N, 3)."""
    # the way to MNI space is smooth: follow it from the middle of 2 x 2 pixels, interpolate between
    middles = functional.avg_pool2d(points.movedim(-1, 1), 2).movedim(1, -1)  # (P, 64, 64, 3)
    mni = head.to_mni(middles.reshape(-1, 3)).reshape(middles.shape)
    near = shapes().sample(mni, "depth")[0] > EDGE - 4  # (P, 64, 64)
    inside = near.repeat_interleave(2, 1).repeat_interleave(2, 2)  # (P, 128, 128)
    mni = functional.interpolate(mni.movedim(-1, 1), scale_factor=2, mode="bilinear")  # (P, 3, 128, 128)
    mni = mni.movedim(1, -1)[inside]  # (M, 3)
    closer = shapes().sample(mni, "depth")[0] > EDGE - 1
    inside[inside.clone()] = closer
    return inside, mni[closer]


def _in_planes(inside: torch.Tensor, values: torch.Tensor) -> np.ndarray:
    """Put (N,) values back into planes, (P, 128, 128); 0 elsewhere."""
    planes = torch.zeros(inside.shape, dtype=values.dtype)
    planes[inside] = values
    return planes.numpy()
