"""Unpack a .zip that nobody has vouched for: inside its folder, within limits, whole or not at all."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from strokegan_lib.errors import BadInput, writing

SPACE = "free some space, or choose a --source that may be written"
AGAIN = "download it again; if that does not help, do not use it"


def unpack(
    archive: Path, folder: Path, cap: int, members: int, check: Callable[[Path], None] | None = None
) -> None:
    """Unpack *archive* into *folder*, which must not exist or be empty.

    The one folder that most archives wrap everything in is taken off.

    Args:
        cap: bytes that may come out.
        members: files and folders that it may hold.
        check: judges the unpacked folder before it gets its name; raises BadInput.

    Raises:
        BadInput: the archive is damaged, too large, or reaches outside the folder.
    """
    partial = folder.parent / f".{folder.name}.partial"
    try:
        with zipfile.ZipFile(archive) as packed:
            infos = packed.infolist()
            _judge(archive, infos, cap, members)
            with writing(folder, SPACE):
                shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
                partial.mkdir()
            room = cap
            for info in infos:
                room -= _unpack_one(archive, packed, info, partial, room)
        inner = list(partial.iterdir())
        content = inner[0] if len(inner) == 1 and inner[0].is_dir() else partial
        if check:
            check(content)
        with writing(folder, SPACE):
            if folder.is_dir():
                folder.rmdir()  # empty, or the rename would fail
            content.rename(folder)
    # zipfile's own words for a broken file, a packing it does not know, and a password
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadInput(archive, f"cannot be unpacked ({error})", AGAIN) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _judge(archive: Path, infos: list[zipfile.ZipInfo], cap: int, members: int) -> None:
    """Refuse the archive as a whole for one bad member, before anything is written."""
    if len(infos) > members:
        raise BadInput(archive, f"holds {len(infos):,} members, over the limit of {members:,}", AGAIN)
    size = sum(info.file_size for info in infos)
    if size > cap:
        raise BadInput(archive, f"claims {size:,} bytes, over the limit of {cap:,}", AGAIN)
    seen = set()
    for info in infos:
        name = info.orig_filename  # zipfile mends names; what was meant counts
        path = PurePosixPath(name)
        if path.is_absolute() or "\\" in name or ":" in name or "\0" in name:
            raise BadInput(archive, f"holds a member with an absolute or foreign path ({name!r})", AGAIN)
        if ".." in path.parts:
            raise BadInput(archive, f"holds a member that climbs out of its folder ({name!r})", AGAIN)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise BadInput(archive, f"holds a link or device ({name!r})", AGAIN)
        if name.lower() in seen:
            raise BadInput(archive, f"holds a member twice ({name!r})", AGAIN)
        seen.add(name.lower())


def _unpack_one(
    archive: Path, packed: zipfile.ZipFile, info: zipfile.ZipInfo, partial: Path, room: int
) -> int:
    """Write one member and return its length; zipfile checks its CRC at the end."""
    target = partial.joinpath(*PurePosixPath(info.filename).parts)
    with writing(target, SPACE):
        if info.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            return 0
        target.parent.mkdir(parents=True, exist_ok=True)
        length = 0
        with packed.open(info) as member, open(target, "xb") as file:
            while block := member.read(2**18):
                length += len(block)
                if length > room:
                    raise BadInput(archive, "unpacks to more than it claims", AGAIN)
                file.write(block)
    return length
