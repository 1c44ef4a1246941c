"""NIfTI files: what nibabel does not check is checked before it sees them.

A header of a few bytes can claim gigabytes, and most flipped bits in a .nii.gz change voxels without
an error, because nibabel stops reading before the checksum. Here the header is judged first, and the
stream is read to its end.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.formats import AGAIN, check_size

SLACK = 2**16  # bytes that may follow the voxels
EXTENSIONS = 2**24  # bytes of notes that may lie between header and voxels
GZIP = b"\x1f\x8b"  # how a gzip file begins, whatever its name
SAME = 0.01  # share by which sform and pixdim may differ over the size of a voxel: pixdim is often rounded
SCALED = "the sform has another voxel size than pixdim, which was believed"
UNPLACED = "the header says nothing of side and height (qform_code and sform_code are 0): both are unknown"


def read_nifti(path: Path) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Read a .nii or .nii.gz file.

    A flipped bit in a gzip file breaks its checksum; in a plain one nothing can show it.

    Returns:
        voxels (X, Y, Z) float64 or as stored, the (4, 4) affine, and notes about the header.

    Raises:
        BadInput: the file is damaged, too large or no 3-D image.
    """
    import nibabel as nib

    try:
        with open(path, "rb") as file:
            packed = file.read(2) == GZIP
            file.seek(0)
            with gzip.open(file) if packed else file as stream:
                head = stream.read(540)
                header, end = _judge(path, head)
                raw = head + stream.read(end + SLACK + 1 - len(head))  # at its end gzip checks the sum
    except EOFError as error:
        raise BadInput(path, "is cut short (its gzip stream has no end)", AGAIN) from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(path, f"is damaged (gzip: {error})", AGAIN) from error
    if not end <= len(raw) <= end + SLACK:
        what = "is cut short" if len(raw) < end else "holds more data than its header says"
        raise BadInput(path, f"{what} ({end:,} bytes)", AGAIN)
    kind = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    try:
        with nib.imageglobals.LoggingOutputSuppressor():  # it reports on stderr what it corrects
            image = kind.from_bytes(raw)
        return np.asanyarray(image.dataobj).reshape(image.shape[:3]), *_geometry(header, image)
    except Exception as error:  # nibabel raises many kinds; all of them are the file's fault
        raise BadInput(path, f"cannot be read as NIfTI ({error})", AGAIN) from error


def _judge(path: Path, head: bytes):
    """Parse and judge the first 540 bytes; return the header and the byte where the voxels end."""
    import nibabel as nib

    sizes = {int.from_bytes(head[:4], order) for order in ("little", "big")}
    kind = nib.Nifti1Header if 348 in sizes else nib.Nifti2Header
    length = kind.sizeof_hdr
    if length not in sizes or len(head) < length:
        raise BadInput(path, "is not a NIfTI file" if head else "is empty", AGAIN)
    header = kind(head[:length], check=False)
    axes, offset = int(header["dim"][0]), float(header["vox_offset"])
    try:
        dtype = header.get_data_dtype()
    except KeyError as error:
        raise BadInput(path, f"has a header that makes no sense (datatype {error})", AGAIN) from error
    plain = header["magic"].item().startswith(b"n+") and dtype.kind in "iuf"
    if not (plain and 0 <= axes <= 7 and length <= offset <= EXTENSIONS):
        what = f"magic {header['magic'].item()}, {dtype}, {axes} dimensions, voxels from byte {offset:g}"
        raise BadInput(path, f"is not one file of plain numbers ({what})", "convert it to a grey .nii.gz")
    shape = check_size(path, [int(n) for n in header["dim"][1 : axes + 1]], dtype.itemsize)
    return header, int(offset) + int(np.prod(shape)) * dtype.itemsize


def _geometry(header, image) -> tuple[np.ndarray, tuple[str, ...]]:
    """The affine that the header means, (4, 4), and notes about it.

    Files of ISLES 2018 have the identity as their sform, and the truth in pixdim. It is taken from
    *header*, as it is in the file: in nibabel's *image* it is 1 where the file says nothing.
    """
    affine = image.affine
    pixdim = np.abs(header["pixdim"][1:4].astype(float))  # a size: its sign says nothing
    if not header["sform_code"]:
        return affine, () if header["qform_code"] else (UNPLACED,)
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    usable = np.isfinite(pixdim).all() and (np.r_[pixdim, sizes] > 0).all()
    if not usable or np.allclose(sizes, pixdim, rtol=SAME, atol=0):
        return affine, ()
    if header["qform_code"]:
        affine = image.header.get_qform()  # made of pixdim
    else:
        affine[:3, :3] *= pixdim / sizes  # column by column
    return affine, (SCALED,)
