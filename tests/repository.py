"""The files of the kit, as they lie in a clone and in an unpacked archive alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]


def files(root: Path = ROOT) -> Iterator[Path]:
    """Every file below *root* that its .gitignore leaves, whether committed or new; git itself is not asked.

    .gitignore is read as this one is written: names of files and folders, with *, and after '!' paths that stay.
    """
    lines = [line for line in (root / ".gitignore").read_text().splitlines() if line and line[0] != "#"]
    ignored = [".git", *(line.rstrip("/") for line in lines if line[0] != "!")]
    stay = {root / line.strip("!/") for line in lines if line[0] == "!"}
    for folder, folders, names in os.walk(root):
        left = [
            path
            for path in (Path(folder, name) for name in sorted(folders + names))
            if path in stay or not any(fnmatch(path.name, pattern) for pattern in ignored)
        ]
        folders[:] = [path.name for path in left if path.name in folders]
        yield from (path for path in left if path.name not in folders)
