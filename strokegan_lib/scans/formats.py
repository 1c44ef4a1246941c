"""NIfTI and MetaImage files: the header is judged before memory is taken, and the file is read to its end.

A header of a few bytes can claim gigabytes, and most flipped bits in a .nii.gz change voxels without
an error, because nibabel stops reading before the checksum; SimpleITK reads a broken .mha likewise.
"""

import gzip
import math
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from strokegan_lib.errors import BadInput

CAP = 512 * 2**20  # bytes of voxels, as float32 or as stored: a head at 0.5 mm has 400 MiB
SLACK = 2**16  # bytes that may follow the voxels, or precede them in a .mha
SKIP = "or leave the case out with --skip-bad"
AGAIN = f"download or copy it again, {SKIP}"
SAME = 0.01  # share by which sform and pixdim may differ over the size of a voxel: pixdim is often rounded
SCALED = "the sform has another voxel size than pixdim, which was believed"
UNPLACED = "the header says nothing of side and height (qform_code and sform_code are 0): both are unknown"
TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
FIELD = re.compile(r"^(\w+) *= *(.*?)\s*$", re.MULTILINE)  # of a .mha
LAST = re.compile(rb"^ElementDataFile *= *LOCAL *\r?\n", re.MULTILINE)  # its last one: the voxels follow
EXPECTED = {"BinaryData": "True", "ElementNumberOfChannels": "1", "HeaderSize": "0"}  # where they are given
Read = tuple[np.ndarray, np.ndarray, tuple[str, ...]]


def read_nifti(path: Path) -> Read:
    """Read a .nii, packed by gzip or not: voxels (X, Y, Z), the (4, 4) affine to RAS millimetres, and notes.

    Raises:
        BadInput: the file is damaged, too large or no 3-D image.
        OSError: it cannot be opened.
    """
    import nibabel as nib

    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"  # how gzip begins, whatever the name
            file.seek(0)
            with gzip.open(file) if packed else file as stream:
                head = stream.read(nib.Nifti2Header.sizeof_hdr)
                kind, header, end = _judge(path, head)
                raw = head + stream.read(end + SLACK + 1 - len(head))  # at its end gzip checks the sum
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(path, f"is damaged or cut short ({error})", AGAIN) from error
    if not end <= len(raw) <= end + SLACK:
        raise BadInput(path, f"does not hold the {end:,} bytes that its header claims", AGAIN)
    nib.imageglobals.logger.setLevel("CRITICAL")  # or it reports on stderr what it corrects
    try:
        image = kind.from_bytes(raw)
        return np.asanyarray(image.dataobj).reshape(image.shape[:3]), *_geometry(header, image)
    except Exception as error:  # nibabel raises many kinds; the file is the cause of all
        raise BadInput(path, f"cannot be read as NIfTI ({error})", AGAIN) from error


def _judge(path: Path, head: bytes) -> tuple[type, np.ndarray, int]:
    """The kind of image, its header, and the byte where the voxels end, from the first bytes of a file."""
    import nibabel as nib

    kinds = nib.Nifti1Image, nib.Nifti2Image
    kind = next((kind for kind in kinds if kind.header_class.may_contain_header(head)), None)
    if kind is None:
        raise BadInput(path, "is not a NIfTI file", AGAIN)
    length = kind.header_class.sizeof_hdr
    header = kind.header_class(head[:length], check=False)
    axes, offset = int(header["dim"][0]), float(header["vox_offset"])
    try:
        dtype = header.get_data_dtype()
    except KeyError:
        dtype = np.dtype(object)  # an undefined code
    one_file = header["magic"].item().startswith(b"n+") and length <= offset <= CAP
    if not one_file or dtype.kind not in "iuf" or not 0 <= axes <= 7:
        what = f"magic {header['magic'].item()}, {dtype}, {axes} dimensions, voxels from byte {offset:g}"
        raise BadInput(path, f"is not one file of plain numbers ({what})", "convert it to a grey .nii.gz")
    shape = _checked(path, header["dim"][1 : axes + 1].tolist(), dtype.itemsize)
    return kind, header, int(offset) + math.prod(shape) * dtype.itemsize


def _geometry(header, image) -> tuple[np.ndarray, tuple[str, ...]]:
    """The affine that the header means, (4, 4), and notes about it.

    Files of ISLES 2018 have the identity as their sform, and the truth in pixdim. It is taken from
    *header*, as it is in the file: in nibabel's *image* it is 1 where the file says nothing.
    """
    affine = image.affine
    if not header["sform_code"]:
        return affine, () if header["qform_code"] else (UNPLACED,)
    pixdim = np.abs(header["pixdim"][1:4].astype(float))  # a size: its sign says nothing
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    usable = np.isfinite(pixdim).all() and (np.r_[pixdim, sizes] > 0).all()
    if not usable or np.allclose(sizes, pixdim, rtol=SAME, atol=0):
        return affine, ()
    if header["qform_code"]:
        affine = image.header.get_qform()  # made of pixdim
    else:
        affine[:3, :3] *= pixdim / sizes  # column by column
    return affine, (SCALED,)


def read_metaimage(path: Path) -> Read:
    """Read a .mha, whose voxels are packed by zlib or not; returns and raises as :func:`read_nifti`."""
    with open(path, "rb") as file:
        head = file.read(SLACK)
        last = LAST.search(head)
        fields = dict(FIELD.findall(head[: last.start()].decode("latin-1"))) if last else {}
        try:
            dtype = np.dtype(TYPES[fields["ElementType"]])
            claimed = [int(n) for n in fields["DimSize"].split()]
            axes = len(claimed)
            spacing = np.array(fields["ElementSpacing"].split(), float).reshape(axes)
            origin = np.array(fields["Offset"].split(), float).reshape(axes)
            directions = np.array(fields["TransformMatrix"].split(), float).reshape(axes, axes)
            usual = all(fields.get(name, value) == value for name, value in EXPECTED.items())
            usable = usual and fields["NDims"] == str(axes)
        except (KeyError, ValueError):
            usable = False
        if not usable:
            raise BadInput(path, "is no MetaImage file of one grey volume", "convert it to .nii.gz")
        shape = _checked(path, claimed, dtype.itemsize)
        size = math.prod(shape) * dtype.itemsize
        file.seek(last.end())
        voxels = file.read(size + SLACK)
    if fields.get("CompressedData") == "True":
        stream = zlib.decompressobj()
        try:
            voxels = stream.decompress(voxels, size + 1)
        except zlib.error as error:
            raise BadInput(path, f"is damaged ({error})", AGAIN) from error
        if not stream.eof:
            voxels = b""  # the end with the checksum is missing, or more than the voxels is packed
    if len(voxels) != size:
        raise BadInput(path, f"does not hold the {size:,} bytes of voxels that its header claims", AGAIN)
    if fields.get("BinaryDataByteOrderMSB") == "True":
        dtype = dtype.newbyteorder(">")
    affine = np.eye(4)
    affine[:3, :3] = directions[:3, :3].T * spacing[:3]  # a row of TransformMatrix for each axis
    affine[:3, 3] = origin[:3]
    to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])  # from axes to the left, back and top
    return np.frombuffer(voxels, dtype).reshape(shape, order="F"), to_ras @ affine, ()


def _checked(path: Path, shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """The shape (X, Y, Z) that a header claims; BadInput if it is not 3-D or needs more bytes than CAP."""
    claim = "x".join(map(str, shape))
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if len(shape) != 3 or min(shape) < 1:
        raise BadInput(path, f"claims a shape of {claim}, which is no 3-D volume", f"convert it, {SKIP}")
    if math.prod(shape) * max(itemsize, 4) > CAP:
        raise BadInput(path, f"claims more than {CAP >> 20} MiB of voxels ({claim})", AGAIN)
    return tuple(shape)
