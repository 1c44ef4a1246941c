"""One reader for .nii, .nii.gz and .mha: every image or mask with its axes turned to RAS, in mm.

Taught in notebook 01.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.formats import AGAIN, SKIP, read_metaimage, read_nifti

ROUNDING = 1e-3  # the most that two affines of one grid may differ by, in mm
SMALLEST, LARGEST = 0.05, 50.0  # mm: voxels beyond are given in another unit
NAN_OUTSIDE = "NaN all around the head was read as 0"


@dataclass(frozen=True)
class Volume:
    """A 3-D image whose axes run to the patient's right, front and top."""

    data: np.ndarray  # (X, Y, Z) in the file's own unit: float32 for an image, uint8 for a mask
    affine: np.ndarray  # (4, 4) float64, voxel indices to RAS millimetres
    path: Path  # the file it came from
    notes: tuple[str, ...] = ()  # what had to be assumed to read it, for the card

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of voxels along x, y, z in mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    def planes(self) -> np.ndarray:
        """All axial planes in display orientation, (Z, Y, X): anterior on top, left on the left."""
        return self.data.transpose(2, 1, 0)[:, ::-1, :]  # (X, Y, Z) -> (Z, Y, X), front row first

    def heights(self) -> np.ndarray:
        """Heights of the middles of the axial planes, (Z,) mm."""
        x, y, z = self.data.shape
        lowest = self.affine[2] @ [(x - 1) / 2, (y - 1) / 2, 0, 1]
        return lowest + self.affine[2, 2] * np.arange(z)


def read_volume(path: str | Path) -> Volume:
    """Read an image; BadInput if it is missing, damaged, too large, not 3-D, not finite or constant."""
    volume = _read(Path(path))
    if volume.data.min() == volume.data.max():
        raise BadInput(path, f"is constant ({volume.data.flat[0]:g} in every voxel)", AGAIN)
    return replace(volume, data=volume.data.astype(np.float32, copy=False))


def read_mask(path: str | Path, labels: Sequence[int] = (0, 1)) -> Volume:
    """Read a mask, empty or not; BadInput as for an image, or if it holds other values than *labels*."""
    volume = _read(Path(path))
    strange = np.unique(volume.data[~np.isin(volume.data, labels)])
    if strange.size:
        some = ", ".join(f"{label:g}" for label in strange[:5])
        what = f"holds unexpected labels ({some}; expected {', '.join(map(str, labels))})"
        raise BadInput(path, what, f"give the original mask, {SKIP}")
    return replace(volume, data=volume.data.astype(np.uint8, copy=False))


def check_same_grid(image: Volume, mask: Volume) -> None:
    """Raise BadInput if two volumes differ in shape, or in affine by more than rounding."""
    if image.data.shape != mask.data.shape:
        what, theirs, ours = "shape", mask.data.shape, image.data.shape
    elif np.abs(image.affine - mask.affine).max() > ROUNDING:
        what, theirs, ours = "affine", *(v.affine[:3].round(4).tolist() for v in (mask, image))
    else:
        return
    what = f"has {what} {theirs}, but {image.path.name} has {ours}"
    raise BadInput(mask.path, what, f"give files of one scan, {SKIP}")


def _read(path: Path) -> Volume:
    """Read a file of any format, judge its geometry and voxels, and turn the axes to RAS."""
    import nibabel as nib

    read = read_metaimage if path.suffix.lower() == ".mha" else read_nifti
    try:
        data, affine, notes = read(path)
    except OSError as error:
        raise BadInput(path, f"cannot be read ({error.strerror or error})", AGAIN) from error
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    usable = np.isfinite(affine).all() and np.linalg.matrix_rank(affine[:3, :3]) == 3
    if not usable or sizes.min() < SMALLEST or sizes.max() > LARGEST:
        what = f"has a header without usable geometry in mm (affine {affine[:3].tolist()})"
        raise BadInput(path, what, f"convert it again, {SKIP}")
    turn = nib.io_orientation(affine)
    affine = affine @ nib.orientations.inv_ornt_aff(turn, data.shape)
    data = nib.apply_orientation(data, turn)  # (X, Y, Z), a view
    if data.dtype.kind == "f":  # integers are finite, and quicker as they are
        with np.errstate(over="ignore", invalid="ignore"):
            data = data.astype(np.float32)  # what float32 cannot hold becomes infinite
        bad = ~np.isfinite(data)
        if bad.any():
            if np.isinf(data).any() or not _all_outside(bad):
                what = f"holds {bad.sum():,} voxels that are NaN or infinite"
                raise BadInput(path, what, f"write a number there (0 where there is no head), {SKIP}")
            data[bad], notes = 0, (*notes, NAN_OUTSIDE)
    return Volume(data, affine, path, notes)


def _all_outside(nan: np.ndarray) -> bool:
    """Whether voxels (X, Y, Z) are the background: one piece around the head, every plane's corners in it."""
    from scipy.ndimage import label

    around = np.pad(nan, ((1, 1), (1, 1), (0, 0)), constant_values=True)  # a head may touch the border
    return not nan.all() and bool(nan[[0, -1]][:, [0, -1]].all()) and label(around)[1] == 1
