"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from strokegan_lib.errors import writing


def write_whole(
    file: Path, text: str, remedy: str = "free some space, and check who may write there"
) -> None:
    """Write a text so that the file is new or as it was, even if the disk is full: UTF-8, line ends as given.

    Names of files that are not UTF-8 are escaped, in JSON as in Python.

    Raises:
        BadInput: it cannot be written.
    """
    partial = file.with_name(f".{file.name}.partial")
    with writing(file, remedy):
        try:
            partial.write_bytes(text.encode("utf-8", "backslashreplace"))
            if file.exists():
                shutil.copymode(file, partial)
            os.replace(partial, file)
        finally:
            partial.unlink(missing_ok=True)
