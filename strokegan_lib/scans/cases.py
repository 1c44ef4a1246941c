"""What every real data set becomes before it is resampled: cases of axial planes.

A data set is described by a :class:`Source`, a case on disk by :class:`CaseFiles`, in memory by :class:`Case`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from strokegan_lib.data.windows import Window, percentile_window
from strokegan_lib.errors import BadInput
from strokegan_lib.scans.formats import AGAIN, SKIP
from strokegan_lib.scans.volumes import Volume

OUTSIDE = 0.1  # share of a mask that may lie outside the foreground
COVERED = 0.02  # share of its square that a plane's foreground must cover to be kept


@dataclass(frozen=True)
class CaseFiles:
    """Where a case lies on disk."""

    patient: str  # the unit of every split, with the data set's name in front
    case: str  # one scan of the patient
    images: dict[str, Path]  # a file for each modality that was found
    mask: Path

    def image(self, modality: str) -> Path:
        """The file of a modality; BadInput if the case lacks it."""
        if modality not in self.images:
            what = f"belongs to a case without its {modality} image ({self.case})"
            raise BadInput(self.mask, what, f"complete it, choose other modalities with --modality, {SKIP}")
        return self.images[modality]


@dataclass(frozen=True)
class Case:
    """A case in memory: planes in display orientation, before or after windowing and resampling."""

    patient: str
    case: str
    images: np.ndarray  # (P, C, H, W) float32 in raw units, or uint8
    stroke: np.ndarray  # (P, H, W) bool, inside foreground
    foreground: np.ndarray  # (P, H, W) bool
    plane: np.ndarray  # (P,) numbers of the planes in their scan, from below
    z: np.ndarray  # (P,) heights, mm
    spacing: tuple[float, float, float]  # height and width of a pixel, distance of planes, mm
    windows: tuple[Window, ...]  # one for each channel
    lost_ml: float  # lesion volume that was clipped because it lay outside the foreground
    notes: frozenset[str]  # what had to be assumed to read the files

    @property
    def lesion_ml(self) -> float:
        """Volume of the lesion, mL."""
        return float(self.stroke.sum()) * float(np.prod(self.spacing)) / 1000


class Dropped(Exception):
    """A sound case that the data set's own rules leave out; the text is the reason."""


@dataclass(frozen=True)
class Source:
    """A public data set."""

    name: str  # short, in lower case; it starts every patient's name
    title: str
    channels: tuple[str, ...]
    licence: str
    citation: str
    how_to_get: str
    limits: tuple[str, ...]  # what it cannot show, a sentence each
    foreground_rule: str  # how foreground is found, in words
    find: Callable[[Path], tuple[list[CaseFiles], list[BadInput]]]  # in a folder: cases, and errors of others
    load: Callable[..., Case]  # takes CaseFiles, the modalities and the option; raises BadInput or Dropped
    download: Callable[[Path, str | None], None] | None = None  # to a folder, from a mirror if one is given
    option: tuple[str, tuple[str, ...], str] | None = None  # its name, values (the default first), meaning


def build_case(
    files: CaseFiles,
    volumes: Sequence[Volume],
    images: np.ndarray,
    stroke: np.ndarray,
    foreground: np.ndarray,
    windows: Sequence[Window],
    plane: np.ndarray | None = None,
) -> Case:
    """Clip the mask to the foreground and keep the planes worth keeping.

    A mask that leaves the foreground a little was drawn over an edge and is clipped;
    one that leaves it by more than a tenth belongs to another image: BadInput.

    Args:
        volumes: all that was read; the first one's grid is that of the planes.
        images: (P, C, H, W).
        stroke, foreground: (P, H, W) bool.
        plane: (P,) numbers of the planes; 0 .. P-1 if left out.
    """
    outside = int((stroke & ~foreground).sum())
    if outside > OUTSIDE * stroke.sum():
        what = f"lies outside the brain by {outside / stroke.sum():.0%} (at most {OUTSIDE:.0%} is clipped)"
        raise BadInput(files.mask, what, f"check that image and mask belong together, {SKIP}")
    stroke = stroke & foreground
    x, y, z = volumes[0].spacing
    height, width = foreground.shape[1:]
    square = max(height * y, width * x) ** 2 / (y * x)  # pixels of the padded square
    kept = (foreground.sum((1, 2)) >= COVERED * square) | stroke.any((1, 2))  # (P,)
    if not kept.any():
        raise BadInput(files.mask, "belongs to a case that shows no brain", f"look at its images, {SKIP}")
    plane = (np.arange(len(kept)) if plane is None else plane)[kept]
    return Case(
        files.patient,
        files.case,
        images[kept].astype(np.float32, copy=False),
        stroke[kept],
        foreground[kept],
        plane,
        volumes[0].heights()[plane],
        (y, x, z),
        tuple(windows),
        outside * y * x * z / 1000,
        frozenset(note for volume in volumes for note in volume.notes),
    )


def mr_window(modality: str, planes: np.ndarray, foreground: np.ndarray, path: Path) -> Window:
    """The window of an MR image, whose unit is arbitrary; BadInput if its foreground is of one intensity."""
    try:
        return percentile_window(modality, planes, foreground)
    except ValueError as error:
        raise BadInput(path, f"cannot be windowed ({error})", AGAIN) from error
