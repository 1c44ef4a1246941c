"""Fetch a public archive and unpack it: whole or not at all."""

from __future__ import annotations

import shutil
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from strokegan_lib.errors import BadInput, writing

SPACE = "free some space, or choose a --source that may be written"
LATER = "run the same command again, or see --help for other ways"
AGAIN = "download it again; if that does not help, see --help for other ways"
CAP = 8 * 2**30  # bytes that may come out of an archive


def download(
    host: str,
    path: str,
    folder: Path,
    mirror: str | None = None,
    *,
    known_hash: str | None = None,
    check: Callable[[Path], None] | None = None,
) -> None:
    """Bring the contents of a .zip into *folder*; a folder that holds something already is left as it is.

    Args:
        host: the public place.
        path: of the file there.
        mirror: a host to use instead, such as ``http://127.0.0.1:8000``.
        known_hash: of the file, as pooch writes it.
        check: judges the unpacked folder and raises BadInput.

    Raises:
        BadInput: the file cannot be had, is not the one expected, or is not safe to unpack.
    """
    import pooch
    from requests import RequestException
    from tqdm import tqdm

    if folder.is_dir() and any(folder.iterdir()):
        print(f"{folder} is there already: nothing is downloaded", flush=True)
        return
    folder = folder.absolute()
    url = f"{(mirror or host).rstrip('/')}/{path}"
    archive = folder.with_name(f".{folder.name}.zip")
    pooch.get_logger().setLevel("WARNING")
    bar = tqdm(desc=folder.name, total=1, unit="B", unit_scale=True, file=sys.stdout, disable=None)
    try:
        with bar, writing(folder, SPACE):
            fetch = pooch.HTTPDownloader(progressbar=bar, chunk_size=2**18)
            try:
                pooch.retrieve(url, known_hash, archive.name, folder.parent, downloader=fetch)
            except RequestException as error:  # an OSError too, but the network's and not the disk's
                what = str(getattr(error.response, "status_code", "")) or type(error).__name__
                raise BadInput(url, f"cannot be had ({what})", LATER) from error
            except ValueError as error:
                raise BadInput(url, "is not the file that was published (its hash differs)", AGAIN) from error
            unpack(archive, folder, check)
    except BadInput as error:
        if not isinstance(error.__cause__, OSError):  # a full disk is no fault of the archive, which is kept
            archive.unlink(missing_ok=True)
        raise
    archive.unlink()


def unpack(archive: Path, folder: Path, check: Callable[[Path], None] | None = None) -> None:
    """Unpack a .zip into *folder*, which must not exist or be empty, less the one folder that wraps everything.

    Raises:
        BadInput: the archive is damaged, too large, or reaches outside the folder.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        with zipfile.ZipFile(archive) as packed:
            for member in packed.infolist():
                if not (partial / member.filename).resolve().is_relative_to(partial.resolve()):
                    raise BadInput(archive, f"holds a path outside its folder ({member.filename!r})", AGAIN)
            size = sum(member.file_size for member in packed.infolist())
            if size > CAP:
                raise BadInput(archive, f"claims {size:,} bytes, over the limit of {CAP:,}", AGAIN)
            shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
            packed.extractall(partial)  # compares the checksum of each member
        inner = list(partial.iterdir())
        content = inner[0] if len(inner) == 1 and inner[0].is_dir() else partial
        if check:
            check(content)
        if folder.is_dir():
            folder.rmdir()  # empty, or the rename would fail
        content.rename(folder)
    # zipfile's own words for a broken file, a packing it does not know, and a password
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadInput(archive, f"cannot be unpacked ({error})", AGAIN) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
