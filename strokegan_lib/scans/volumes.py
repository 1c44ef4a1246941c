"""One reader for .nii, .nii.gz and .mha: every image or mask with its axes turned to RAS, in mm.

Taught in notebook 01.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.formats import AGAIN, Volume
from strokegan_lib.scans.metaimage import read_metaimage
from strokegan_lib.scans.nifti import read_nifti

ROUNDING = 1e-3  # the most that two affines of one grid may differ by, in mm
NAN_OUTSIDE = "NaN all around the head was read as 0"
READERS = {".nii": read_nifti, ".nii.gz": read_nifti, ".mha": read_metaimage}


def read_volume(path: str | Path) -> Volume:
    """Read an image.

    Raises:
        BadInput: the file is missing, damaged, too large, not 3-D, not finite, constant,
            or says nothing usable about its geometry.
    """
    volume = _read(Path(path))
    if volume.data.min() == volume.data.max():
        raise BadInput(path, f"is constant ({volume.data.flat[0]:g} in every voxel)", AGAIN)
    return replace(volume, data=volume.data.astype(np.float32, copy=False))


def read_mask(path: str | Path, labels: Sequence[int] = (0, 1)) -> Volume:
    """Read a mask, empty or not, and check its labels.

    Args:
        labels: the values that it may hold.

    Raises:
        BadInput: as for :func:`read_volume`, or other labels.
    """
    volume = _read(Path(path))
    data = volume.data
    known = np.isin(data, labels)
    if not known.all():
        strange = np.unique(data[~known])
        some = ", ".join(f"{v:g}" for v in strange[:5]) + (", ..." if strange.size > 5 else "")
        raise BadInput(
            path,
            f"holds unexpected labels ({some}; expected {', '.join(map(str, labels))})",
            "give the original mask, or leave the case out with --skip-bad",
        )
    return replace(volume, data=data.astype(np.uint8, copy=False))


def check_same_grid(image: Volume, mask: Volume) -> None:
    """Check that two volumes have the same voxels; 1e-3 mm between affines is rounding.

    Raises:
        BadInput: shapes or affines differ; the message shows both.
    """
    what = "shape" if image.data.shape != mask.data.shape else "affine"
    if what == "affine" and np.abs(image.affine - mask.affine).max() <= ROUNDING:
        return
    a, b = (v.data.shape if what == "shape" else v.affine[:3].round(4).tolist() for v in (mask, image))
    remedy = "give files of one scan, or leave the case out with --skip-bad"
    raise BadInput(mask.path, f"has {what} {a}, but {image.path.name} has {b}", remedy)


def _read(path: Path) -> Volume:
    """Read a file of any format, judge voxels and geometry, and turn the axes to RAS."""
    import nibabel as nib

    try:
        if not path.is_file():
            what = "is not a file" if path.exists() else "does not exist"
            raise BadInput(path, what, "check the folder in --source")
        reader = next((READERS[end] for end in READERS if path.name.lower().endswith(end)), None)
        if reader is None:
            raise BadInput(path, "is of an unknown format", "give .nii, .nii.gz or .mha")
        data, affine, notes = reader(path)
    except OSError as error:
        raise BadInput(path, f"cannot be read ({error.strerror or error})", AGAIN) from error
    affine = np.asarray(affine, np.float64)
    geometry = "its header gives no usable geometry"
    if not np.isfinite(affine).all() or np.linalg.matrix_rank(affine[:3, :3]) < 3:
        raise BadInput(path, f"{geometry} (affine {affine[:3].tolist()})", AGAIN)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if spacing.min() < 0.05 or spacing.max() > 50:
        sizes = " x ".join(f"{s:g}" for s in spacing)
        raise BadInput(path, f"{geometry} (voxels of {sizes} mm)", "convert it so that its unit is mm")
    turn = nib.io_orientation(affine)
    affine = affine @ nib.orientations.inv_ornt_aff(turn, data.shape)
    data = nib.apply_orientation(data, turn)  # (X, Y, Z), a view
    if data.dtype.kind == "f":  # integers are finite, and quicker as they are
        with np.errstate(over="ignore", invalid="ignore"):
            data = data.astype(np.float32)  # what float32 cannot hold becomes infinite
        bad = ~np.isfinite(data)
        if bad.any():
            if np.isinf(data).any() or not _all_outside(bad):
                raise BadInput(
                    path,
                    f"holds {bad.sum():,} voxels that are NaN or infinite",
                    "write a number there (0 where there is no head), or leave the case out with --skip-bad",
                )
            data[bad], notes = 0, (*notes, NAN_OUTSIDE)
    return Volume(data, affine, path, notes)


def _all_outside(nan: np.ndarray) -> bool:
    """Whether voxels (X, Y, Z) are the background: one piece around the head, every plane's corners in it."""
    from scipy.ndimage import label

    around = np.pad(nan, ((1, 1), (1, 1), (0, 0)), constant_values=True)  # a head may touch the border
    return not nan.all() and bool(nan[[0, -1]][:, [0, -1]].all()) and label(around)[1] == 1
