"""What every real data set becomes before it is resampled: cases of axial planes.

A data set is described once, by a :class:`Source`; a case on disk by :class:`CaseFiles`;
a case in memory by :class:`Case`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from strokegan_lib.data.windows import Window, percentile_window
from strokegan_lib.errors import BadInput
from strokegan_lib.scans.formats import AGAIN, Volume

OUTSIDE = 0.1  # share of a mask that may lie outside the foreground
COVERED = 0.02  # share of its square that a plane's foreground must cover to be kept
SKIP = "or leave the case out with --skip-bad"


@dataclass(frozen=True)
class CaseFiles:
    """Where a case lies on disk.

    Attributes:
        patient: the unit of every split, with the data set's name in front.
        case: one scan of the patient.
        images: a file for each modality that was found.
        mask: the lesion or tumour mask.
    """

    patient: str
    case: str
    images: dict[str, Path]
    mask: Path

    def image(self, modality: str) -> Path:
        """The file of a modality.

        Raises:
            BadInput: the case lacks it.
        """
        if modality not in self.images:
            what = f"belongs to a case without its {modality} image ({self.case})"
            raise BadInput(self.mask, what, f"complete it, choose other modalities with --modality, {SKIP}")
        return self.images[modality]


@dataclass
class Found:
    """What a folder holds: cases, faults of single cases, and how many of what else is worth a line."""

    cases: list[CaseFiles] = field(default_factory=list)
    bad: list[BadInput] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Case:
    """A case in memory: planes in display orientation, before or after windowing and resampling.

    Attributes:
        images: (P, C, H, W) float32 in raw units, or uint8.
        stroke: (P, H, W) bool, inside *foreground*.
        foreground: (P, H, W) bool.
        plane: (P,) numbers of the planes in their scan, from below.
        z: (P,) heights, mm.
        spacing: height and width of a pixel, distance of planes, mm.
        windows: one for each channel.
        lost_ml: lesion volume that was clipped because it lay outside the foreground.
        notes: what had to be assumed to read its files.
    """

    patient: str
    case: str
    images: np.ndarray
    stroke: np.ndarray
    foreground: np.ndarray
    plane: np.ndarray
    z: np.ndarray
    spacing: tuple[float, float, float]
    windows: tuple[Window, ...]
    lost_ml: float = 0.0
    notes: frozenset[str] = frozenset()

    @property
    def lesion_ml(self) -> float:
        """Volume of the lesion, mL."""
        return float(self.stroke.sum()) * float(np.prod(self.spacing)) / 1000


class Dropped(Exception):
    """A sound case that the data set's own rules leave out; the text is the reason."""


@dataclass(frozen=True)
class Source:
    """A public data set.

    Attributes:
        name: short, in lower case; it starts every patient's name.
        title: for people.
        channels: the modalities, in the order of the channels.
        licence, citation, how_to_get, limits: what a user must know.
        foreground_rule: how foreground is found, in words.
        find: from a folder to its cases.
        load: from a case's files and the modalities to a Case; may raise Dropped.
        download: fetches the data set into a folder, from the public place or a mirror of
            it; None where a registration is needed.
        option: an option of its own: 'find' or 'load', which takes it; its name, its values (the
            first is the default) and what it is.
    """

    name: str
    title: str
    channels: tuple[str, ...]
    licence: str
    citation: str
    how_to_get: str
    limits: tuple[str, ...]
    foreground_rule: str
    find: Callable[..., Found]
    load: Callable[..., Case]
    download: Callable[[Path, str | None], None] | None = None
    option: tuple[str, str, tuple[str, ...], str] | None = None


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
    one that leaves it by more than a tenth belongs to another image.

    Args:
        volumes: all that was read; the first one's grid is that of the planes.
        images: (P, C, H, W).
        stroke, foreground: (P, H, W) bool.
        plane: (P,) numbers of the planes; 0 .. P-1 if left out.

    Raises:
        BadInput: no foreground, or more than a tenth of the mask outside it.
    """
    if not foreground.any():
        raise BadInput(next(iter(files.images.values())), "shows no brain", f"look at it, {SKIP}")
    outside = int((stroke & ~foreground).sum())
    if outside > OUTSIDE * stroke.sum():
        what = f"lies outside the brain by {outside / stroke.sum():.0%} (at most {OUTSIDE:.0%} is clipped)"
        raise BadInput(files.mask, what, f"check that image and mask belong together, {SKIP}")
    x, y, z = volumes[0].spacing
    height, width = foreground.shape[1:]
    square = max(height * y, width * x) ** 2 / (y * x)  # pixels of the padded square
    stroke = stroke & foreground
    kept = (foreground.sum((1, 2)) >= COVERED * square) | stroke.any((1, 2))  # (P,)
    if not kept.any():
        raise BadInput(files.mask, "belongs to a case without a usable plane", "leave it out with --skip-bad")
    plane = (np.arange(len(kept)) if plane is None else plane)[kept]
    return Case(
        files.patient,
        files.case,
        images[kept].astype(np.float32, copy=False),
        stroke[kept],
        foreground[kept],
        plane,
        heights(volumes[0])[plane],
        (y, x, z),
        tuple(windows),
        outside * y * x * z / 1000,
        frozenset(note for volume in volumes for note in volume.notes),
    )


def heights(volume: Volume) -> np.ndarray:
    """Heights of the middles of a volume's axial planes, (P,) mm."""
    x, y, planes = volume.data.shape
    middle = np.array([(x - 1) / 2, (y - 1) / 2, 0.0])
    return volume.affine[2, :3] @ middle + volume.affine[2, 3] + volume.affine[2, 2] * np.arange(planes)


def mr_window(modality: str, planes: np.ndarray, foreground: np.ndarray, path: Path) -> Window:
    """The window of an MR image, whose unit is arbitrary; see :func:`~strokegan_lib.data.windows.percentile_window`.

    Raises:
        BadInput: the foreground is empty or of one intensity.
    """
    try:
        return percentile_window(modality, planes, foreground)
    except ValueError as error:
        raise BadInput(path, f"cannot be windowed ({error})", AGAIN) from error
