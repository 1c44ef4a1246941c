"""MetaImage files (.mha, BRATS 2015): a text header, then the voxels.

SimpleITK reads them; what it would believe of a header that lies is checked before.
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
from strokegan_lib.scans.volumes import AGAIN, check_size

TYPES = {  # bytes of an element
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4,
    "MET_LONG": 4, "MET_ULONG": 4, "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8, "MET_FLOAT": 4, "MET_DOUBLE": 8,
}  # fmt: skip
HEADER = 2**16  # bytes that a header may have


def read_metaimage(path: Path) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Read a .mha file.

    Returns:
        voxels (X, Y, Z) as stored, the (4, 4) affine to RAS millimetres, and no notes.

    Raises:
        BadInput: the file is damaged, too large or no 3-D image, or SimpleITK is missing.
    """
    shape = _check(path)
    try:
        import SimpleITK
    except ImportError:
        raise BadInput(path, "needs SimpleITK to be read", "run: pip install SimpleITK") from None
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)  # or it talks on stderr
    try:
        with _plain_name(path) as name:
            image = SimpleITK.ReadImage(name, imageIO="MetaImageIO")
        data = SimpleITK.GetArrayFromImage(image).transpose()  # (Z, Y, X) -> (X, Y, Z)
        data = data.reshape(data.shape[:3]) if data.shape[3:] == (1,) else data
    except RuntimeError as error:
        raise BadInput(path, f"cannot be read as MetaImage ({str(error).splitlines()[-1]})", AGAIN) from error
    if data.shape != shape:
        raise BadInput(path, f"holds {data.shape} voxels, but its header says {shape}", AGAIN)
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
        link = Path(folder) / "image.mha"
        link.symlink_to(path.absolute())
        yield str(link)


def _check(path: Path) -> tuple[int, ...]:
    """Judge header and length of the file; return the shape."""
    with open(path, "rb") as file:
        head = file.read(HEADER)
        fields, start = _fields(path, head)
        file.seek(start)
        if fields.get("elementdatafile") != "LOCAL":
            raise BadInput(
                path,
                "keeps its voxels in another file",
                "convert it to an .mha file that holds its own voxels",
            )
        try:
            claimed = [int(n) for n in fields["dimsize"].split()]
            itemsize = TYPES[fields["elementtype"]]
        except (KeyError, ValueError) as error:
            raise BadInput(path, f"has a header that makes no sense ({error})", AGAIN) from error
        if fields.get("ndims") != str(len(claimed)):
            raise BadInput(path, f"says NDims {fields.get('ndims')} but DimSize {fields['dimsize']}", AGAIN)
        for key, only in (("elementnumberofchannels", "1"), ("binarydata", "True"), ("headersize", "0")):
            if fields.get(key, only).capitalize() != only:
                raise BadInput(
                    path, f"has {key} {fields[key]}, which the kit does not read", "convert it to .nii.gz"
                )
        shape = check_size(path, claimed, itemsize)
        size = int(np.prod(shape)) * itemsize
        if fields.get("compresseddata", "False").capitalize() == "True":
            held = _unpacked_size(path, file.read(size + HEADER), size)
        else:
            held = path.stat().st_size - start
    if held != size:
        raise BadInput(path, f"holds {held:,} bytes of voxels, but its header says {size:,}", AGAIN)
    return shape


def _fields(path: Path, head: bytes) -> tuple[dict[str, str], int]:
    """The header's 'Key = value' lines, keys in lower case, and where the voxels begin."""
    if not head:
        raise BadInput(path, "is empty (0 bytes)", AGAIN)
    fields: dict[str, str] = {}
    start = 0
    while "elementdatafile" not in fields:  # by definition the last line
        end = head.find(b"\n", start)
        key, sign, value = head[start : max(end, start)].decode("latin-1").partition("=")
        key = key.strip().lower()
        if end < 0 or not sign or not key.isprintable():
            raise BadInput(path, "is not a MetaImage file", AGAIN)
        if key in fields:
            raise BadInput(path, f"says {key} twice in its header", AGAIN)
        fields[key] = value.strip()
        start = end + 1
    return fields, start


def _unpacked_size(path: Path, packed: bytes, size: int) -> int:
    """Length of a zlib stream, checked to its end; stops soon after *size*."""
    stream = zlib.decompressobj()
    try:
        held = len(stream.decompress(packed, size + 1))
    except zlib.error as error:
        raise BadInput(path, f"is damaged (zlib: {error})", AGAIN) from error
    if held <= size and not stream.eof:
        raise BadInput(path, "is cut short (its zlib stream has no end)", AGAIN)
    return held
