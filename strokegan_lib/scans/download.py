"""Fetch a public archive and unpack it: whole or not at all."""

import shutil
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from strokegan_lib.errors import BadInput, writing

CAP = 8 * 2**30  # bytes that may come out of an archive
AGAIN = "run the same command again; if that does not help, see --help for other ways"
# pooch's word for a wrong hash, and zipfile's for a broken file, a packing it does not know, and a password
BROKEN = (ValueError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)


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
        host, path: of the file at its public place.
        mirror: a host to use instead, such as ``http://127.0.0.1:8000``.
        known_hash: of the file, as pooch writes it.
        check: judges the unpacked folder and raises BadInput, as all that goes wrong does.
    """
    import pooch
    from requests import RequestException
    from tqdm import tqdm

    if folder.is_dir() and any(folder.iterdir()):
        print(f"{folder} is there already: nothing is downloaded", flush=True)
        return
    if folder.resolve() == Path.cwd():
        raise BadInput(
            folder, "is the folder you are in, which a download would replace", "name another --source"
        )
    url = f"{(mirror or host).rstrip('/')}/{path}"
    partial = folder.absolute().with_name(f".{folder.name}.partial")  # until all is checked
    pooch.get_logger().setLevel("WARNING")
    bar = tqdm(desc=folder.name, total=1, unit="B", unit_scale=True, file=sys.stdout, disable=None)
    with writing(folder, "free some space, or choose a --source that may be written"), bar:
        shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
        try:
            fetch = pooch.HTTPDownloader(progressbar=bar, chunk_size=2**18)
            archive = pooch.retrieve(url, known_hash, "archive.zip", partial, downloader=fetch)
            contents = partial / "contents"
            with zipfile.ZipFile(archive) as packed:
                size = sum(member.file_size for member in packed.infolist())
                if size > CAP:
                    raise BadInput(url, f"claims {size:,} bytes, over the limit of {CAP:,}", AGAIN)
                packed.extractall(contents)  # never outside; compares the sum of each member
            inner = list(contents.iterdir())
            if len(inner) == 1 and inner[0].is_dir():
                contents = inner[0]  # the one folder that wraps everything
            if check:
                check(contents)
            if folder.is_dir():
                folder.rmdir()  # empty, or the rename would fail
            contents.rename(folder)
        except (RequestException, *BROKEN) as error:  # the first is an OSError too, but not the disk's
            raise BadInput(url, f"cannot be had as it was published ({error})", AGAIN) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
