"""One synthetic stroke patient: the head, its tissue, its lesion, and the scanner's picture of it.

Each step can be looked at by itself (``layers=True``), which is how notebook 01
opens the phantom. A patient is a function of its number, the seed and the contrast.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch.nn import functional

from strokegan_lib.data.resample import SIZE
from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.data.windows import Window
from strokegan_lib.phantom.anatomy import as_maps, sample, shapes
from strokegan_lib.phantom.epidemiology import Plan, plan_stroke
from strokegan_lib.phantom.lesions import Lesion, grow_lesion
from strokegan_lib.phantom.patient import Head, draw_head
from strokegan_lib.phantom.territories import tissue_points
from strokegan_lib.phantom.tissue import Tissue, draw_tissue

PIXEL = 1.5  # mm: 192 mm across, room for the largest head
BOTTOM, TOP = -51.0, 75.0  # mm: the planes cover brain stem to vertex
EDGE = -1.2  # mm: skull stripping leaves a thin layer of fluid around the brain
FEWEST_PIXELS = 4  # 9 mm2: a lesion smaller than that in a plane is not drawn by a reader


@dataclass(frozen=True)
class Contrast:
    """How bright each tissue is in one kind of MR image; white matter is 1.

    Ranges are (mean, standard deviation) over patients.
    """

    name: str
    fluid: tuple[float, float]
    grey: tuple[float, float]
    deep_grey: float  # how much darker basal ganglia and thalamus are than cortex
    hyperintensity: tuple[float, float]
    lesion: tuple[float, float]  # added by a fresh infarct; some are hardly visible
    skull_base: float  # bright susceptibility artefact next to air
    texture: float  # standard deviation of the tissue's own unevenness
    blur: tuple[float, float]  # pixels, range
    noise: tuple[float, float]  # range, relative to white matter
    white_level: tuple[float, float]  # white matter on the scale from black (0) to the window's top (1)


FLAIR = Contrast(
    name="flair",
    fluid=(0.11, 0.02),
    grey=(1.24, 0.05),
    deep_grey=0.15,
    hyperintensity=(0.55, 0.12),
    lesion=(0.55, 0.22),
    skull_base=0.15,
    texture=0.045,
    blur=(0.525, 0.615),
    noise=(0.060, 0.080),
    white_level=(0.667, 0.072),
)
DWI = Contrast(
    name="dwi",
    fluid=(0.22, 0.05),
    grey=(1.15, 0.05),
    deep_grey=0.05,
    hyperintensity=(0.06, 0.04),  # shine-through of the long T2
    lesion=(0.95, 0.35),
    skull_base=0.55,
    texture=0.06,
    blur=(0.6, 0.9),
    noise=(0.03, 0.06),
    white_level=(0.38, 0.05),
)
CONTRASTS = {contrast.name: contrast for contrast in (FLAIR, DWI)}
THICK_SLICES = 0.22  # share of patients scanned with thick slices, whose pictures are blurred one way

WINDOW = Window("", 0.0, 1.0, "the scanner's own display window; brighter saturates")


@dataclass(frozen=True)
class Patient:
    """A phantom patient's slices.

    Attributes:
        number: which patient.
        head: the anatomy.
        plan, lesion: what was asked for and what grew; None without a stroke.
        images: (P, 128, 128) float32, 0..1 of the display window (before saturation).
        stroke, foreground: (P, 128, 128) bool.
        z: (P,) mm, heights of the planes above the anterior commissure.
        layers: name -> (P, 128, 128) float32, the steps on the way; empty unless asked for.
    """

    number: int
    head: Head
    plan: Plan | None
    lesion: Lesion | None
    images: np.ndarray
    stroke: np.ndarray
    foreground: np.ndarray
    z: np.ndarray
    layers: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return f"phantom-{self.number:05d}"


def plane_heights(planes: int) -> np.ndarray:
    """Heights of equally spaced planes, each in the middle of its share of the head, (planes,) mm."""
    thickness = (TOP - BOTTOM) / planes
    return BOTTOM + thickness * (np.arange(planes) + 0.5)


@one_thread_each()  # the same bytes on every machine, however many cores it has
def make_patient(
    number: int,
    *,
    seed: int = 0,
    contrast: str = "flair",
    z: np.ndarray | None = None,
    layers: bool = False,
) -> Patient:
    """Make one patient.

    Args:
        number: which patient, 0 or more.
        seed: seed of the data set.
        contrast: 'flair' or 'dwi'. The anatomy and the lesion are the same in both.
        z: heights of the planes in mm; default: 30 planes.
        layers: keep the steps on the way.

    Raises:
        ValueError: an unknown contrast.
    """
    if contrast not in CONTRASTS:
        raise ValueError(f"no contrast {contrast!r}: choose from {', '.join(CONTRASTS)}")
    z = plane_heights(30) if z is None else np.asarray(z, float)
    head = head_of(number, seed)
    points = plane_points(z, head.middle())  # (P, 128, 128, 3)
    inside, mni = _inside_head(head, points)
    tissue = draw_tissue(_stream(number, seed, 1), head, mni)

    plan = plan_stroke(number, seed)
    lesion = grow_lesion(_stream(number, seed, 2), plan) if plan else None
    depth_in_lesion = torch.full((len(mni),), -1.0)  # (N,)
    if lesion:
        depth_in_lesion = sample(as_maps([lesion.level]), mni)[0]
    foreground = _paint(inside, tissue.depth > EDGE)
    stroke = _paint(inside, (depth_in_lesion > 0) & (tissue.to_ventricle > 0)) & foreground
    stroke &= stroke.sum((1, 2), keepdims=True) >= FEWEST_PIXELS

    rng = _stream(number, seed, 3)
    clean = _brightness(rng, CONTRASTS[contrast], mni, tissue, depth_in_lesion)
    images = _scan(rng, CONTRASTS[contrast], _paint(inside, clean), foreground)
    kept = {}
    if layers:
        steps = {
            "fluid": tissue.fluid,
            "white": tissue.white,
            "grey": tissue.grey,
            "hyperintensity": tissue.hyperintensity,
            "lesion": torch.sigmoid(depth_in_lesion / 0.08),
            "brightness": clean,
        }
        kept = {name: _paint(inside, value) for name, value in steps.items()}
    return Patient(number, head, plan, lesion, images, stroke, foreground, z, kept)


def head_of(number: int, seed: int = 0) -> Head:
    """The head of patient *number*, before any picture is taken."""
    return draw_head(_stream(number, seed, 0))


def _stream(number: int, seed: int, step: int) -> np.random.Generator:
    """A stream of random numbers for each step, so that a change in one leaves the others as they were."""
    return np.random.default_rng([seed, number, step])


def plane_points(z: np.ndarray, middle: float) -> torch.Tensor:
    """Where the pixels of axial planes lie, (P, 128, 128, 3) mm; rows run from front to back.

    Args:
        z: (P,) heights, mm.
        middle: y of the picture's centre, mm.
    """
    step = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL
    x, y = step[None, None, :], middle - step[None, :, None]
    grids = np.broadcast_arrays(x, y, np.asarray(z)[:, None, None])
    return torch.from_numpy(np.stack(grids, -1).astype(np.float32))


def _inside_head(head: Head, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Which points can belong to the head, (P, 128, 128) bool, and their MNI coordinates, (N, 3)."""
    # the way to MNI space is smooth: follow it from the middle of 2 x 2 pixels, interpolate between
    middles = functional.avg_pool2d(points.movedim(-1, 1), 2).movedim(1, -1)  # (P, 64, 64, 3)
    mni = head.to_mni(middles.reshape(-1, 3)).reshape(middles.shape)
    near = shapes().sample(mni, "depth")[0] > EDGE - 4  # (P, 64, 64)
    near = near.repeat_interleave(2, 1).repeat_interleave(2, 2)  # (P, 128, 128)
    mni = functional.interpolate(mni.movedim(-1, 1), scale_factor=2, mode="bilinear")  # (P, 3, 128, 128)
    mni = mni.movedim(1, -1)[near]  # (M, 3)
    closer = shapes().sample(mni, "depth")[0] > EDGE - 1
    inside = near.clone()
    inside[near] = closer
    return inside, mni[closer]


def _paint(inside: torch.Tensor, values: torch.Tensor) -> np.ndarray:
    """Put (N,) values back into planes, (P, 128, 128); 0 elsewhere."""
    planes = torch.zeros(inside.shape, dtype=values.dtype)
    planes[inside] = values
    return planes.numpy()


def _brightness(rng, contrast: Contrast, mni, tissue: Tissue, depth_in_lesion) -> torch.Tensor:
    """What an ideal scanner would see, (N,); white matter is about 1."""
    fluid = max(0.02, rng.normal(*contrast.fluid))
    grey = rng.normal(*contrast.grey)
    deep = torch.sigmoid((tissue.depth - 28) / 3)
    image = fluid * tissue.fluid + tissue.white + (grey - contrast.deep_grey * deep) * tissue.grey
    image = image + rng.normal(*contrast.hyperintensity) * tissue.hyperintensity
    image = _old_lesions(rng, image, mni, tissue, fluid)

    # a fresh infarct: a soft edge, uneven, swollen furrows keep some of their fluid
    strength = max(0.03, rng.normal(*contrast.lesion))
    uneven = (1 + 0.22 * tissue.fine + 0.12 * tissue.coarse).clamp(0.3, 1.7)
    edge = rng.uniform(0.05, 0.15)
    image = image + strength * torch.sigmoid(depth_in_lesion / edge) * uneven * (1 - 0.75 * tissue.fluid)

    image = image + contrast.skull_base * _near_air(rng, mni)
    texture = 1 + contrast.texture * tissue.fine
    bias = torch.exp(0.04 * tissue.coarse + 0.004 * (16 - tissue.depth) * rng.uniform(0, 1))
    return image * texture * bias


def _near_air(rng: np.random.Generator, mni: torch.Tensor) -> torch.Tensor:
    """Bright blobs above the frontal sinus and the petrous bones, (N,) 0..1."""
    low = mni[:, 2] < 0  # (N,); all of them lie there, and the exponential costs time
    points, bright = mni[low], 0.0  # (L, 3)
    for x, y, z in ((10, 42, -20), (-10, 42, -20), (46, -20, -34), (-46, -20, -34)):
        centre = torch.tensor([x, y, z]) + torch.from_numpy(rng.normal(0, 3, 3)).float()
        size = torch.tensor([9.0, 9.0, 5.0]) * float(rng.uniform(0.7, 1.2))
        bright = bright + float(rng.uniform(0, 1)) * torch.exp(-(((points - centre) / size) ** 2).sum(-1))
    blobs = torch.zeros(len(mni))
    blobs[low] = bright
    return blobs


def _old_lesions(rng, image, mni, tissue: Tissue, fluid: float) -> torch.Tensor:
    """Cavities that old strokes left: dark inside, with a bright scar around."""
    anywhere = tissue_points()  # (M, 3), the same whatever planes are looked at
    for _ in range(rng.poisson(0.7)):
        centre = torch.from_numpy(anywhere[rng.integers(len(anywhere))]).float()
        radius = float(np.clip(rng.lognormal(1.3, 0.6), 2, 16))  # mm
        away = (mni - centre).norm(dim=-1) / radius * (1 + 0.2 * tissue.fine)  # (N,); 1 on the wall
        cavity = torch.sigmoid((1 - away) / 0.12)
        scar = torch.exp(-(((away - 1.25) / 0.2) ** 2)) * (1 - tissue.fluid)
        image = image * (1 - cavity) + fluid * cavity + 0.25 * scar
    return image


def _scan(rng, contrast: Contrast, clean: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """The scanner: blur, Rician noise, brightness of the window; (P, 128, 128) float32."""
    blur = np.full(2, rng.uniform(*contrast.blur))
    quiet = 1.0
    if rng.random() < THICK_SLICES:
        blur = blur + rng.permutation([rng.uniform(0.15, 0.5), rng.uniform(0.0, 0.15)])
        quiet = 0.6  # a thick slice holds more signal
    image = gaussian_filter(clean, (0, *blur))
    # noise in the real and in the imaginary channel, smoothed as by the scanner's interpolation
    sigma = quiet * rng.uniform(*contrast.noise)
    real, imaginary = (
        2.8 * sigma * gaussian_filter(rng.standard_normal(image.shape, dtype=np.float32), (0, 0.75, 0.75))
        for _ in range(2)
    )
    image = np.hypot(image + real, imaginary)  # the magnitude: Rician
    return (image * rng.normal(*contrast.white_level) * foreground).astype(np.float32)
