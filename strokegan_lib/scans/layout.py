"""From the folder that a user names to files in order, whatever else lies among them."""

from __future__ import annotations

import os
import re
from collections.abc import Hashable
from pathlib import Path

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.cases import files_below
from strokegan_lib.scans.names import RECOGNISE

SIGNS = (  # what else the name of a file gives away, and what to do then
    (
        r"^(images|stroke|foreground)\.npy$",
        "a prepared SliceSet",
        "give it to --data instead of preparing it again",
    ),
    (r"\.dcm$", "DICOM files", "convert them to .nii.gz first"),
    (r"\.(zip|tar|tgz|tar\.gz|rar|7z)$", "packed archives", "unpack them first"),
)

Cases = dict[Hashable, dict[str, Path]]


def collect(folder: Path, title: str) -> tuple[Cases, dict[Hashable, BadInput]]:
    """Sort a folder's files into cases.

    Args:
        folder: what the user named.
        title: of the data set that it should hold, one of RECOGNISE.

    Returns:
        a dictionary {kind: file} for each case, and complaints: about files of no case,
        and about cases that have two files of one kind; these are not among the first.

    Raises:
        BadInput: the folder is missing, empty or holds another data set.
    """
    try:
        what = "" if folder.is_dir() else "is a file, not a folder" if folder.exists() else "does not exist"
    except OSError as error:  # no right to look, or a name too long
        what = f"cannot be read ({error.strerror})"
    if what:
        raise BadInput(
            folder, what, "give --source the unpacked folder, or see --help for how to get the data"
        )
    folder = Path(os.path.abspath(folder))  # a name such as case_3 may lie above "."
    paths = list(files_below(folder))
    if not paths:
        raise BadInput(folder, "is empty", "see --help for how to get the data")
    cases, bad = _sorted(paths, title)
    if not cases and not bad:
        raise _of_another_kind(folder, title, paths)
    return cases, bad


def _sorted(paths: list[Path], title: str) -> tuple[Cases, dict[Hashable, BadInput]]:
    recognise = RECOGNISE[title]
    cases: Cases = {}
    bad: dict[Hashable, BadInput] = {}
    for path in paths:
        try:
            recognised = recognise(path)
        except BadInput as error:
            bad[path.parent] = error
            continue
        if recognised is None:
            continue
        key, kind = recognised
        first = cases.setdefault(key, {}).setdefault(kind, path)
        if first != path:
            bad[key] = BadInput(
                path, f"is the second {kind} file of its case; the first is {first}", "remove one of them, or leave the case out with --skip-bad"
            )  # fmt: skip
    return {key: kinds for key, kinds in cases.items() if key not in bad}, bad


def _of_another_kind(folder: Path, title: str, paths: list[Path]) -> BadInput:
    """The complaint, with a command as remedy only where that command knows the files."""
    for other in RECOGNISE:
        if _sorted(paths, other)[0]:
            remedy = f"use prepare_{other.replace(' ', '').lower()}.py"
            return BadInput(folder, f"holds no {title} but what looks like {other}", remedy)
    for pattern, what, remedy in SIGNS:
        if any(re.search(pattern, path.name.lower()) for path in paths):
            return BadInput(folder, f"holds no {title} but what looks like {what}", remedy)
    return BadInput(folder, f"holds no file of {title}", "see --help for the layout that is expected")


def without_mask(path: Path, case: str) -> BadInput:
    """The complaint about a case whose mask is missing."""
    return BadInput(path, f"has no mask ({case})", "complete the case, or leave it out with --skip-bad")
