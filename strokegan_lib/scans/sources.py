"""All data sets that the kit reads, and what to say of a folder that holds none of the one asked for."""

from __future__ import annotations

import re
from pathlib import Path

from strokegan_lib.errors import BadInput
from strokegan_lib.scans import brats2015, isles2018, isles2022, soop
from strokegan_lib.scans.cases import Found, Source
from strokegan_lib.scans.layout import files_below

SOURCES = {module.SOURCE.name: module.SOURCE for module in (soop, isles2018, isles2022, brats2015)}
SIGNS = {  # what else the name of a file shows, and the remedy
    r"^(images|stroke|foreground)\.npy$": ("a prepared SliceSet", "give it to --data instead of preparing it again"),
    r"\.dcm$": ("DICOM files", "convert them to .nii.gz first"),
    r"\.(zip|tar|tgz|tar\.gz|rar|7z)$": ("packed archives", "unpack them first"),
}  # fmt: skip


def nothing_found(source: Source, folder: Path, found: Found) -> BadInput:
    """The complaint about a folder without a case, with a command as remedy only where one knows the files."""
    names = [path.name.lower() for path in files_below(folder)]
    if not names:
        return BadInput(folder, "is empty", "see --help for how to get the data")
    for what, n in found.notes.items():
        return BadInput(folder, f"holds nothing but {n:,} {what}", "see --help for what is missing")
    for other in SOURCES.values():
        if other.find(folder).cases:
            what = f"holds no case of {source.name} but what looks like {other.name}"
            return BadInput(folder, what, f"use prepare_{other.name}.py")
    for pattern, (what, remedy) in SIGNS.items():
        if any(re.search(pattern, name) for name in names):
            return BadInput(folder, f"holds no case of {source.name} but what looks like {what}", remedy)
    return BadInput(folder, f"holds no file of {source.name}", "see --help for the layout that is expected")
