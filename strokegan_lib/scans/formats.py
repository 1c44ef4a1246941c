"""What the readers of all file formats share: the volume that they make, and the largest that they accept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from strokegan_lib.errors import BadInput

CAP = 512 * 2**20  # bytes of voxels, as float32 or as stored: a head at 0.5 mm has 400 MiB
AGAIN = "download or copy it again, or leave the case out with --skip-bad"


@dataclass(frozen=True)
class Volume:
    """A 3-D image whose axes run to the patient's right, front and top.

    Attributes:
        data: (X, Y, Z) in the file's own unit: float32 for an image, uint8 for a mask.
        affine: (4, 4) float64, voxel indices to RAS millimetres.
        path: the file it came from.
        notes: what had to be assumed to read it, for the card.
    """

    data: np.ndarray
    affine: np.ndarray
    path: Path
    notes: tuple[str, ...] = ()

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of voxels along x, y, z in mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    def planes(self) -> np.ndarray:
        """All axial planes as they are shown, (Z, Y, X): anterior on top, left on the left."""
        return shown(self.data)


def shown(data: np.ndarray) -> np.ndarray:
    """Turn (X, Y, Z) in RAS order into planes (Z, rows, columns) in display orientation."""
    return data.transpose(2, 1, 0)[:, ::-1, :]  # (X, Y, Z) -> (Z, Y, X), front row first


def check_size(path: Path, shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """The shape that a header claims, squeezed to three dimensions, before memory is taken for it.

    Raises:
        BadInput: not three dimensions, an axis without a voxel, or more bytes than CAP.
    """
    claim = "x".join(map(str, shape))
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if len(shape) != 3:
        raise BadInput(path, f"has {len(shape)} dimensions ({claim}), not 3", "give one 3-D volume a file")
    if min(shape) < 1:
        raise BadInput(path, f"claims a shape of {claim}", AGAIN)
    mib = int(np.prod(shape, dtype=object)) * max(itemsize, 4) / 2**20
    if mib > CAP / 2**20:
        limit = f"the limit is {CAP / 2**20:.0f} MiB"
        raise BadInput(path, f"claims {mib:,.0f} MiB of voxels ({claim}); {limit}", AGAIN)
    return tuple(int(n) for n in shape)
