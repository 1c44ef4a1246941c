"""MetaImage files (.mha, BRATS 2015): a text header, then the voxels.

SimpleITK reads them. What it believes without a check is checked here before: the sizes in the
header, the length of the voxels, and that they lie in the file itself.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.formats import AGAIN, check_size

TYPES = {  # bytes of an element
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4,
    "MET_LONG": 4, "MET_ULONG": 4, "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8, "MET_FLOAT": 4, "MET_DOUBLE": 8,
}  # fmt: skip
HEADER = 2**16  # bytes that a header may have
LINE = re.compile(rb"([ -~]*?)[ \t]*=[ \t]*([^\n]*)\n")
ONLY = {"elementdatafile": "Local", "elementnumberofchannels": "1", "binarydata": "True", "headersize": "0"}


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
        with _plain_name(path) as name:
            image = SimpleITK.ReadImage(name, imageIO="MetaImageIO")
        data = SimpleITK.GetArrayFromImage(image).transpose().reshape(shape)  # (Z, Y, X) -> (X, Y, Z)
    except (RuntimeError, ValueError) as error:
        raise BadInput(path, f"cannot be read as MetaImage ({str(error).splitlines()[-1]})", AGAIN) from error
    axes = image.GetDimension()
    direction = np.array(image.GetDirection()).reshape(axes, axes)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(image.GetSpacing())[:3]
    affine[:3, 3] = image.GetOrigin()[:3]
    return data, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine, ()  # LPS, as ITK has it, to RAS


@contextmanager
def _plain_name(path: Path) -> Iterator[str]:
    """A name of the file that is UTF-8: with another one SimpleITK ends the whole process."""
    if not re.search("[\ud800-\udfff]", str(path)):
        yield str(path)
        return
    with TemporaryDirectory() as folder:
        link = Path(folder, "image.mha")
        link.symlink_to(path.absolute())
        yield str(link)


def _judge(path: Path) -> tuple[int, ...]:
    """Judge the header and the length of the voxels; return the shape."""
    with open(path, "rb") as file:
        fields, start = _fields(path, file.read(HEADER))
        for key, only in ONLY.items():
            if fields.get(key, only).capitalize() != only:
                what = f"has {key} {fields[key]}, which the kit does not read"
                raise BadInput(path, what, "convert it to .nii.gz")
        try:
            claimed = [int(n) for n in fields["dimsize"].split()]
            itemsize = TYPES[fields["elementtype"]]
            axes = int(fields["ndims"])
        except (KeyError, ValueError) as error:
            raise BadInput(path, f"has a header that makes no sense ({error})", AGAIN) from error
        if axes != len(claimed):
            raise BadInput(path, f"says NDims {axes} but DimSize {fields['dimsize']}", AGAIN)
        shape = check_size(path, claimed, itemsize)
        size = int(np.prod(shape)) * itemsize
        file.seek(start)
        voxels = file.read(size + HEADER)
    if fields.get("compresseddata", "False").capitalize() == "True":
        voxels = _unpacked(path, voxels, size + 1)
    if len(voxels) != size:
        raise BadInput(path, f"does not hold the {size:,} bytes of voxels that its header claims", AGAIN)
    return shape


def _fields(path: Path, head: bytes) -> tuple[dict[str, str], int]:
    """The header's 'Key = value' lines, keys in lower case, and the byte where the voxels begin."""
    fields: dict[str, str] = {}
    start = 0
    while "elementdatafile" not in fields:  # by definition the last line
        line = LINE.match(head, start)
        if not line:
            raise BadInput(path, "is not a MetaImage file" if head else "is empty", AGAIN)
        key = line[1].decode().strip().lower()
        if key in fields:
            raise BadInput(path, f"says {key} twice in its header", AGAIN)
        fields[key] = line[2].decode("latin-1").strip()
        start = line.end()
    return fields, start


def _unpacked(path: Path, packed: bytes, most: int) -> bytes:
    """The first bytes of a zlib stream; if they are fewer than *most* it was checked to its end."""
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(packed, most)
    except zlib.error as error:
        raise BadInput(path, f"is damaged (zlib: {error})", AGAIN) from error
    if len(raw) < most and not stream.eof:
        raise BadInput(path, "is cut short (its zlib stream has no end)", AGAIN)
    return raw
