"""Files that are written whole or not at all, by one process at a time."""

import hashlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from strokegan_lib.errors import BadInput, writing

FOR_ALL = 0o666  # mode of a lock file: other accounts may want to hold it too


def hold(lock: Path, out: Path) -> FileLock:
    """Hold a lock file, which is made, so that no second process writes *out*; release() ends it.

    BadInput where another process holds it, or it cannot be made.
    """
    held = FileLock(lock, timeout=0, mode=FOR_ALL)
    with writing(out):
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            held.acquire()
        except Timeout:
            what, remedy = "is being written by another process", "wait for it, or choose another --out"
            raise BadInput(out, what, remedy) from None
    return held


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file so that it is new or as it was, even if the disk is full; a text in UTF-8, line ends as given.

    Names of files that are not UTF-8 are escaped, in JSON as in Python. BadInput where it cannot be written.
    """
    partial = file.with_name(f".{file.name}.partial")
    with writing(file):
        try:
            text = isinstance(content, str)
            partial.write_bytes(content.encode("utf-8", "backslashreplace") if text else content)
            os.replace(partial, file)
        finally:
            partial.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """sha256 of a file's bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
