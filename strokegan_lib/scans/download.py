"""Fetch a public file: with progress, resumed where it broke off, no larger than promised."""

from __future__ import annotations

import hashlib
import http.client
import re
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from strokegan_lib.errors import BadInput, writing
from strokegan_lib.scans.archives import SPACE, unpack

BLOCK = 2**18  # bytes read at a time
LATER = "run the same command again; it goes on where it stopped"


@dataclass(frozen=True)
class Remote:
    """A public archive.

    Attributes:
        host: the public place; a mirror may take its place.
        path: of the file there.
        cap: bytes that the file may have at most.
        unpacked_cap, members: limits of what comes out of it.
        size, md5: of the file, where it never changes.
        check: judges the unpacked folder and raises BadInput.
    """

    host: str
    path: str
    cap: int
    unpacked_cap: int
    members: int
    size: int | None = None
    md5: str | None = None
    check: Callable[[Path], None] | None = None


def get(remote: Remote, folder: Path, mirror: str | None = None, pause: float = 1.0) -> None:
    """Bring the contents of an archive into *folder*: whole or not at all.

    A folder that holds something already is left as it is. What a broken download had
    fetched stays beside the folder and is used the next time.

    Args:
        mirror: use this host instead of the public one, such as ``http://127.0.0.1:8000``.
        pause: seconds before the second attempt, doubled each time.

    Raises:
        BadInput: the file cannot be had, is not the one expected, or is not safe to unpack.
    """
    if folder.is_dir() and any(folder.iterdir()):
        print(f"{folder} is there already: nothing is downloaded", flush=True)
        return
    archive = folder.parent / f".{folder.name}.zip"
    with writing(folder, SPACE):
        folder.parent.mkdir(parents=True, exist_ok=True)
    fetch(f"{(mirror or remote.host).rstrip('/')}/{remote.path}", archive, remote.cap, remote.size, pause)
    try:
        if remote.md5 and md5(archive) != remote.md5:
            raise BadInput(
                archive, "is not the file that was published (its md5 differs)", "download it again"
            )
        unpack(archive, folder, remote.unpacked_cap, remote.members, remote.check)
    except BadInput as error:
        if not isinstance(error.__cause__, OSError):  # a full disk is no fault of the archive
            archive.unlink()
        raise
    archive.unlink()


def fetch(
    url: str, target: Path, cap: int, size: int | None = None, pause: float = 1.0, attempts: int = 5
) -> None:
    """Download *url* to *target* by way of *target*.part.

    Args:
        cap: bytes at most.
        size: bytes exactly, if known.
        pause: seconds before the second attempt, doubled each time.
        attempts: how often in a row it may fail without a byte gained.

    Raises:
        BadInput: it cannot be had.
    """
    if not url.startswith(("https://", "http://")):
        raise BadInput(url, "is no web address", "give an address that starts with https://")
    if target.exists():
        return  # fetched before, not yet unpacked
    part = target.with_name(target.name + ".part")
    failures, had, reason = 0, -1, ""
    while failures < attempts:
        with writing(target, SPACE):
            held = part.stat().st_size if part.exists() else 0
        if held > had:
            failures, had = 0, held
        elif failures:
            time.sleep(pause * 2 ** (failures - 1))
        try:
            if _attempt(url, part, held, cap, size):
                with writing(target, SPACE):
                    part.replace(target)
                return
            reason = "the connection broke"
        except urllib.error.HTTPError as error:
            if error.code == 416 and held:  # nothing lies behind what is held: start afresh
                part.unlink()
            elif error.code < 500 and error.code not in (408, 429):
                raise BadInput(
                    url, f"cannot be had (HTTP {error.code})", "see --help for other ways"
                ) from error
            reason = f"HTTP {error.code}"
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        failures += 1
    raise BadInput(url, f"cannot be had ({reason})", LATER)


def _attempt(url: str, part: Path, held: int, cap: int, size: int | None) -> bool:
    """Append what is missing; tell whether the file is now whole."""
    from tqdm import tqdm

    if size is not None and held == size:
        return True
    request = urllib.request.Request(url, headers={"User-Agent": "strokegan_lib"})
    if held:
        request.add_header("Range", f"bytes={held}-")
    with urllib.request.urlopen(request, timeout=30) as answer:
        start = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
        resumed = answer.status == 206 and start is not None and int(start[1]) == held
        if answer.status == 206 and not resumed:  # not the piece that was asked for
            part.unlink(missing_ok=True)
            return False
        if not resumed:
            held = 0  # the server begins at the beginning, and so do we
        length = answer.headers.get("Content-Length")
        total = held + int(length) if length and length.isdigit() else size
        if size is not None and total != size:
            raise BadInput(url, f"has {total:,} bytes, not {size:,}", "see --help for other ways")
        _check_room(url, part, total, held, cap)
        bar = tqdm(
            desc=part.name,
            initial=held,
            total=total,
            unit="B",
            unit_scale=True,
            file=sys.stdout,
            disable=None,
        )
        with bar, writing(part, SPACE), open(part, "ab" if resumed else "wb") as file:
            while block := _read(answer):
                held += len(block)
                if held > min(cap, total or cap):
                    raise BadInput(
                        url, f"is longer than {min(cap, total or cap):,} bytes", "see --help for other ways"
                    )
                file.write(block)
                bar.update(len(block))
    # without a length only the end of the chunks, which http.client watches, tells the end
    return held == total if total is not None else True


def _read(answer: http.client.HTTPResponse) -> bytes:
    """Read a block; faults of the network must not look like faults of the disk."""
    try:
        return answer.read(BLOCK)
    except OSError as error:
        raise ConnectionBroke(str(error)) from error


class ConnectionBroke(http.client.HTTPException):
    """The network failed in the middle of a file."""


def _check_room(url: str, part: Path, total: int | None, held: int, cap: int) -> None:
    if total is not None and total > cap:
        raise BadInput(url, f"has {total:,} bytes, over the limit of {cap:,}", "see --help for other ways")
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - held > free:
        raise BadInput(
            part,
            f"needs {total - held:,} bytes, {free:,} are free",
            "free some space or choose another --source",
        )


def md5(path: Path) -> str:
    """md5 of a file, the sum that the archive publishes: against accidents, not forgery."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
