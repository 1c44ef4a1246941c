"""From the folder that a user names to files in order, whatever else lies among them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable
from pathlib import Path

from strokegan_lib.data.cases import files_below
from strokegan_lib.errors import BadInput

SIGNS = (  # what the name of a file gives away, and what to do then
    (
        r"^(rsub-\d+_lesion\.nii\.png|bwsrsub-\d+_lesion\.nii|wsub-\d+_flair\.nii)",
        "SOOP",
        "use prepare_soop.py",
    ),
    (r"smir\.brain\.", "ISLES 2018", "use prepare_isles2018.py"),
    (r"^sub-strokecase\d+_", "ISLES 2022", "use prepare_isles2022.py"),
    (r"^vsd\.brain|brats_(2013|tcia)_pat", "BRATS 2015", "use prepare_brats2015.py"),
    (
        r"^(images|stroke|foreground)\.npy$",
        "a prepared SliceSet",
        "give it to --data instead of preparing it again",
    ),
    (r"\.dcm$", "DICOM files", "convert them to .nii.gz first"),
    (r"\.(zip|tar|tgz|tar\.gz|rar|7z)$", "packed archives", "unpack them first"),
)

Recognise = Callable[[Path], tuple[Hashable, str] | None]


def collect(
    folder: Path, title: str, recognise: Recognise
) -> tuple[dict[Hashable, dict[str, Path]], dict[Hashable, BadInput]]:
    """Sort a folder's files into cases.

    Args:
        folder: what the user named.
        title: of the data set that it should hold.
        recognise: from a path to (case, kind of file), or None for a file of no interest;
            it may raise BadInput for a file of the data set that belongs to no case.

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
    cases: dict[Hashable, dict[str, Path]] = {}
    bad: dict[Hashable, BadInput] = {}
    anything = False
    for path in files_below(folder):
        anything = True
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
                path, f"is the second {kind} file of its case; the first is {first}", "remove the copy, or leave the case out with --skip-bad"
            )  # fmt: skip
    if not anything:
        raise BadInput(folder, "is empty", "see --help for how to get the data")
    if not cases and not bad:
        raise _of_another_kind(folder, title)
    return {key: kinds for key, kinds in cases.items() if key not in bad}, bad


def _of_another_kind(folder: Path, title: str) -> BadInput:
    for pattern, what, remedy in SIGNS:
        if what != title and any(re.search(pattern, path.name.lower()) for path in files_below(folder)):
            return BadInput(folder, f"holds no {title} but what looks like {what}", remedy)
    return BadInput(folder, f"holds no file of {title}", "see --help for the layout that is expected")


def without_mask(path: Path, case: str) -> BadInput:
    """The complaint about a case whose mask is missing."""
    return BadInput(path, f"has no mask ({case})", "complete the case, or leave it out with --skip-bad")
