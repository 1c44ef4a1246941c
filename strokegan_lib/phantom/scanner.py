"""From tissue to picture: how bright each tissue is in a contrast, and what a scanner makes of it."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from strokegan_lib.data.windows import Window
from strokegan_lib.phantom.anatomy import grid_points
from strokegan_lib.phantom.head import Tissue
from strokegan_lib.phantom.territories import SPACING, parenchyma

THICK_SLICES = 0.22  # share of patients scanned with thick slices, whose pictures are blurred one way
WINDOW = Window("", 0.0, 1.0, "the scanner's own display window; brighter saturates")


@dataclass(frozen=True)
class Contrast:
    """How bright each tissue is: (mean, standard deviation) over patients; white matter is 1."""

    fluid: tuple[float, float]
    grey: tuple[float, float]
    deep_grey: float  # how much darker basal ganglia and thalamus are than cortex
    hyperintensity: tuple[float, float]
    lesion: tuple[float, float]  # added by a fresh infarct; some are hardly visible
    skull_base: float  # bright susceptibility artefact next to air
    texture: float  # standard deviation of the tissue's own unevenness
    blur: tuple[float, float]  # least and most, pixels
    noise: tuple[float, float]  # least and most, relative to white matter
    white_level: tuple[float, float]  # white matter on the scale from black (0) to the window's top (1)


FLAIR = Contrast(
    fluid=(0.11, 0.02), grey=(1.24, 0.05), deep_grey=0.15, hyperintensity=(0.55, 0.12), lesion=(0.55, 0.22),
    skull_base=0.15, texture=0.045, blur=(0.525, 0.615), noise=(0.060, 0.080), white_level=(0.667, 0.072),
)  # fmt: skip
DWI = Contrast(  # hyperintensities shine through: their T2 is long
    fluid=(0.22, 0.05), grey=(1.15, 0.05), deep_grey=0.05, hyperintensity=(0.06, 0.04), lesion=(0.95, 0.35),
    skull_base=0.55, texture=0.06, blur=(0.6, 0.9), noise=(0.03, 0.06), white_level=(0.38, 0.05),
)  # fmt: skip
CONTRASTS = {"flair": FLAIR, "dwi": DWI}


def brightness(
    rng: np.random.Generator, contrast: Contrast, mni: torch.Tensor, tissue: Tissue, lesion: torch.Tensor
) -> torch.Tensor:
    """What an ideal scanner would see at points *mni*, (N, 3) mm, of a *tissue*, (N,); white matter is about 1.

    The level of the *lesion*, (N,), is above 0 inside it.
    """
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
    image = image + strength * torch.sigmoid(lesion / edge) * uneven * (1 - 0.75 * tissue.fluid)

    image = image + contrast.skull_base * _near_air(rng, mni)
    texture = 1 + contrast.texture * tissue.fine
    bias = torch.exp(0.04 * tissue.coarse + 0.004 * (16 - tissue.depth) * rng.uniform(0, 1))
    return image * texture * bias


def _near_air(rng: np.random.Generator, mni: torch.Tensor) -> torch.Tensor:
    """Bright blobs above the frontal sinus and the petrous bones, (N,) 0..1."""
    low = mni[:, 2] < 0  # (N,); all of them lie there, and the exponential costs time
    points, bright = mni[low], 0.0  # (L, 3)
    for place in ((10, 42, -20), (-10, 42, -20), (46, -20, -34), (-46, -20, -34)):
        centre = torch.tensor(place) + torch.from_numpy(rng.normal(0, 3, 3)).float()
        size = torch.tensor([9.0, 9.0, 5.0]) * float(rng.uniform(0.7, 1.2))
        bright = bright + float(rng.uniform(0, 1)) * torch.exp(-(((points - centre) / size) ** 2).sum(-1))
    blobs = torch.zeros(len(mni))
    blobs[low] = bright
    return blobs


def _old_lesions(rng, image, mni, tissue: Tissue, fluid: float) -> torch.Tensor:
    """Cavities that old strokes left: dark inside, with a bright scar around."""
    anywhere = grid_points(SPACING)[parenchyma()]  # (M, 3), the same whatever planes are looked at
    for _ in range(rng.poisson(0.7)):
        centre = torch.from_numpy(anywhere[rng.integers(len(anywhere))]).float()
        radius = float(np.clip(rng.lognormal(1.3, 0.6), 2, 16))  # mm
        away = (mni - centre).norm(dim=-1) / radius * (1 + 0.2 * tissue.fine)  # (N,); 1 on the wall
        cavity = torch.sigmoid((1 - away) / 0.12)
        scar = torch.exp(-(((away - 1.25) / 0.2) ** 2)) * (1 - tissue.fluid)
        image = image * (1 - cavity) + fluid * cavity + 0.25 * scar
    return image


def scan(
    rng: np.random.Generator, contrast: Contrast, clean: np.ndarray, foreground: np.ndarray
) -> np.ndarray:
    """The scanner's picture of *clean*, the :func:`brightness` in planes: blur, Rician noise, window.

    Shapes are (P, 128, 128), foreground bool; returns float32, 0 outside the foreground.
    """
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
