"""MetaImage files (.mha, BRATS 2015): a text header, then the voxels.

SimpleITK reads them. What it believes without a check is checked before: the size that the header
claims, the length of the voxels, and that they lie in the file itself.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.formats import AGAIN, check_size

SIZES = {  # bytes of an element
    b"CHAR": 1, b"UCHAR": 1, b"SHORT": 2, b"USHORT": 2, b"INT": 4, b"UINT": 4, b"LONG": 4, b"ULONG": 4,
    b"LONG_LONG": 8, b"ULONG_LONG": 8, b"FLOAT": 4, b"DOUBLE": 8,
}  # fmt: skip
HEADER = 2**16  # bytes that a header may have
LAST = re.compile(
    rb"^ElementDataFile *= *LOCAL *\r?\n", re.MULTILINE
)  # the header's last line, by definition
FIELD = re.compile(rb"^(\w+) *= *(.*?)\s*$", re.MULTILINE)
NOT_READ = {b"BinaryData": b"[^Tt1]", b"ElementNumberOfChannels": b"[^1]", b"HeaderSize": b"[^0]"}


def read_metaimage(path: Path) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Read a .mha file.

    Returns:
        voxels (X, Y, Z) as stored, the (4, 4) affine to RAS millimetres, and no notes.

    Raises:
        BadInput: the file is damaged, too large or no 3-D image, or SimpleITK is missing.
    """
    shape = _judge(path)
    try:
        import SimpleITK
    except ImportError:
        raise BadInput(path, "needs SimpleITK to be read", "run: pip install SimpleITK") from None
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)  # it would print on stderr
    try:
        with TemporaryDirectory() as folder:
            name = path
            if re.search("[\ud800-\udfff]", str(path)):  # SimpleITK ends the process over a name not in UTF-8
                name = Path(folder, "image.mha")
                name.symlink_to(path.absolute())
            image = SimpleITK.ReadImage(str(name), imageIO="MetaImageIO")
        data = SimpleITK.GetArrayFromImage(image).transpose().reshape(shape)  # (Z, Y, X) -> (X, Y, Z)
    except (RuntimeError, ValueError) as error:  # its own words say no more
        raise BadInput(path, "cannot be read as MetaImage", AGAIN) from error
    axes = image.GetDimension()
    direction = np.array(image.GetDirection()).reshape(axes, axes)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(image.GetSpacing())[:3]
    affine[:3, 3] = image.GetOrigin()[:3]
    return data, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine, ()  # LPS, as ITK has it, to RAS


def _judge(path: Path) -> tuple[int, ...]:
    """Check that the header makes sense and that just its voxels follow; return the shape."""
    with open(path, "rb") as file:
        head = file.read(HEADER)
        last = LAST.search(head)
        fields = dict(FIELD.findall(head[: last.start()])) if last else {}
        try:
            claimed = [int(n) for n in fields[b"DimSize"].split()]
            itemsize = SIZES[fields[b"ElementType"].removeprefix(b"MET_")]
            plain = int(fields[b"NDims"]) == len(claimed)
        except (KeyError, ValueError):
            plain = False
        if not plain or any(re.match(value, fields.get(key, b"")) for key, value in NOT_READ.items()):
            what = "is not a MetaImage file of one channel that holds its own binary voxels"
            raise BadInput(path, what, f"convert it to .nii.gz, or {AGAIN}")
        shape = check_size(path, claimed, itemsize)
        size = int(np.prod(shape)) * itemsize
        file.seek(last.end())
        voxels = file.read(size + HEADER)
    if re.match(b"[Tt1]", fields.get(b"CompressedData", b"")):
        stream = zlib.decompressobj()
        try:
            voxels = stream.decompress(voxels, size + 1)
        except zlib.error as error:
            raise BadInput(path, f"is damaged (zlib: {error})", AGAIN) from error
        if len(voxels) <= size and not stream.eof:
            raise BadInput(path, "is cut short (its zlib stream has no end)", AGAIN)
    if len(voxels) != size:
        raise BadInput(path, f"does not hold the {size:,} bytes of voxels that its header claims", AGAIN)
    return shape
