"""NIfTI files, read no further than their header allows and to the end of their checksum."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.volumes import AGAIN, CAP, check_size

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

    size = path.stat().st_size
    if size == 0:
        raise BadInput(path, "is empty (0 bytes)", AGAIN)
    if size > CAP + EXTENSIONS:
        raise BadInput(path, f"has {size / 2**20:,.0f} MiB, over the limit of {CAP / 2**20:.0f} MiB", AGAIN)
    with open(path, "rb") as file:
        head = file.read(540)
        if head.startswith(GZIP):
            packed = head + file.read()
            header, end = _header(path, _unpack(path, packed, 540, whole=False))
            raw = _unpack(path, packed, end + SLACK, whole=True)
        else:
            header, end = _header(path, head)
            raw = head + file.read(end + SLACK + 1 - len(head))
    if len(raw) < end:
        raise BadInput(path, f"is cut short ({len(raw):,} of {end:,} bytes)", AGAIN)
    if len(raw) > end + SLACK:
        raise BadInput(path, f"holds more data than its header says ({end:,} bytes)", AGAIN)
    kind = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    try:
        with nib.imageglobals.LoggingOutputSuppressor():  # it tells on stderr what it mends
            image = kind.from_bytes(raw)
        shape = image.shape[:3]
        return np.asanyarray(image.dataobj).reshape(shape), *_geometry(header, image)
    except Exception as error:  # nibabel raises many kinds; all of them are the file's fault
        raise BadInput(path, f"cannot be read as NIfTI ({error})", AGAIN) from error


def _geometry(header, image) -> tuple[np.ndarray, tuple[str, ...]]:
    """The affine that the header means, (4, 4), and notes about it.

    Files of ISLES 2018 have the identity as their sform, and the truth in pixdim.

    Args:
        header: as it is in the file, for the image's copy has 1 where pixdim says nothing.
        image: what nibabel made of it; its affine is the sform, or what stands for it.
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


def _header(path: Path, head: bytes):
    """Parse and judge the first 540 bytes; return the header and where the voxels end."""
    import nibabel as nib
    from nibabel.spatialimages import HeaderDataError

    sizes = {int.from_bytes(head[:4], order) for order in ("little", "big")}
    if 348 in sizes and len(head) >= 348:
        kind, length = nib.Nifti1Header, 348
    elif 540 in sizes and len(head) >= 540:
        kind, length = nib.Nifti2Header, 540
    else:
        raise BadInput(path, "is not a NIfTI file", AGAIN)
    try:
        header = kind(head[:length], check=False)
        dtype = header.get_data_dtype()
        axes = int(header["dim"][0])
        offset = float(header["vox_offset"])
        magic = header["magic"].item()
    except (HeaderDataError, KeyError, ValueError, TypeError) as error:
        raise BadInput(path, f"has a header that makes no sense ({error})", AGAIN) from error
    if not magic.startswith(b"n+"):
        raise BadInput(path, "is not a NIfTI file of one piece", "convert .hdr/.img pairs to .nii.gz")
    if not 0 <= axes <= 7:
        raise BadInput(path, f"claims {axes} dimensions", AGAIN)
    if dtype.kind not in "iuf":
        raise BadInput(
            path, f"holds voxels of type {dtype}, not plain numbers", "convert it to one grey channel"
        )
    if not length <= offset <= EXTENSIONS:
        raise BadInput(path, f"says that its voxels begin at byte {offset:g}", AGAIN)
    claimed = [int(n) for n in header["dim"][1 : axes + 1]]
    shape = check_size(path, claimed, dtype.itemsize)
    return header, int(offset) + int(np.prod(shape)) * dtype.itemsize


def _unpack(path: Path, packed: bytes, limit: int, *, whole: bool) -> bytes:
    """Unpack a gzip stream of at most *limit* bytes.

    Args:
        whole: go to the end, where the checksum lies, and refuse a longer stream;
            otherwise stop at *limit* without a complaint.
    """
    parts, room = [], limit + 1
    try:
        while packed.strip(b"\0"):  # a gzip file may have several members, and zeros behind them
            stream = zlib.decompressobj(wbits=31)  # 31: gzip; checks length and CRC at the end
            parts.append(stream.decompress(packed, room))
            room -= len(parts[-1])
            if room <= 0:
                break
            if not stream.eof:
                raise BadInput(path, "is cut short (its gzip stream has no end)", AGAIN)
            packed = stream.unused_data
    except zlib.error as error:
        raise BadInput(path, f"is damaged (gzip: {error})", AGAIN) from error
    if whole and room <= 0:
        raise BadInput(path, f"unpacks to more than its header says ({limit:,} bytes)", AGAIN)
    return b"".join(parts)[:limit]
