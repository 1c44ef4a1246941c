"""What the files of each public data set are called, and from a folder to its files, case by case.

Data sets are told apart by modality and layout, not by the prefix of a name: one archive hands out
tumours and strokes, and the same file as ``VSD.Brain...`` and as ``SMIR.Brain...``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path

from strokegan_lib.errors import BadInput

SOOP = re.compile(
    r"(?=r.*lesion\.nii\.png$|bwsr.*lesion\.nii(\.gz)?$|w.*flair\.nii(\.gz)?$)"
    r"(?P<kind>r|bwsr|w)sub-(?P<number>\d+)_[^_]+$",
    re.IGNORECASE,
)
SOOP_KINDS = {"r": "picture", "bwsr": "mask", "w": "volume"}
# the folders differ between two layouts, the names of files do not (but for FLAIR's case);
# BIDS allows more pairs such as run-1 or acq-b1000 in between
ISLES_2022 = re.compile(
    r"sub-strokecase(\d+)_ses-(\w+?)_(?:[\w-]+_)?(dwi|adc|flair|msk)\.nii(?:\.gz)?$", re.IGNORECASE
)
ISLES_2018 = re.compile(
    r"\w+\.brain.*\.(?:(?:ct|mr)_)?(cbf|cbv|mtt|tmax|ct|ot)\.(?:.+\.)?nii(?:\.gz)?$", re.IGNORECASE
)
ISLES_2018_FOLDER = re.compile(r"case_(\d+)$", re.IGNORECASE)
BRATS_2015 = re.compile(
    r"\w+\.brain.*\.(?:mr_)?(flair|t1c|t1|t2|ot)\.(?:.+\.)?(?:mha|nii|nii\.gz)$", re.IGNORECASE
)
BRATS_2015_FOLDER = re.compile(r"brats_(2013|tcia)_pat(\d+)_\d+$", re.IGNORECASE)

SIGNS = {  # what else a name can be a sign of, and the remedy
    r"^(images|stroke|foreground)\.npy$": ("a prepared SliceSet", "give it to --data instead of preparing it again"),
    r"\.dcm$": ("DICOM files", "convert them to .nii.gz first"),
    r"\.(zip|tar|tgz|tar\.gz|rar|7z)$": ("packed archives", "unpack them first"),
}  # fmt: skip

Cases = dict[Hashable, dict[str, Path]]


# Each of these takes a path and returns (case, kind of file), or None for a file of no interest;
# for a file of the data set that belongs to no case it raises BadInput.


def soop(path: Path) -> tuple[int, str] | None:
    match = SOOP.match(path.name)
    return (int(match["number"]), SOOP_KINDS[match["kind"].lower()]) if match else None


def isles2022(path: Path) -> tuple[tuple[str, str], str] | None:
    match = ISLES_2022.match(path.name)
    return ((match[1], match[2]), match[3].lower()) if match else None


def isles2018(path: Path) -> tuple[tuple[bool, int, str], str] | None:
    found = _in_folder(path, ISLES_2018, ISLES_2018_FOLDER, "case_N")
    if not found:
        return None
    kind, folder, number = found
    is_test = folder.parent.name.lower() in ("test", "testing")
    return (is_test, int(number[1]), str(folder)), kind


def brats2015(path: Path) -> tuple[tuple[str, str, str, str], str] | None:
    found = _in_folder(path, BRATS_2015, BRATS_2015_FOLDER, "brats_..._patN_N")
    if not found:
        return None
    kind, folder, patient = found
    grade = next((p.name.upper() for p in folder.parents if p.name.upper() in ("HGG", "LGG")), "")
    return (patient[1].lower(), patient[2], grade, folder.name.lower()), kind


def _in_folder(
    path: Path, file: re.Pattern, folder: re.Pattern, example: str
) -> tuple[str, Path, re.Match] | None:
    """Kind of a file, the folder of its case and the match of that folder's name; None for another file."""
    match = file.match(path.name)
    if not match:
        return None
    for parent in path.parents:
        case = folder.match(parent.name)
        if case:
            return match[1].lower(), parent, case
    if match[1].lower() == "ot":  # a label may be the other data set's
        return None
    raise BadInput(
        path,
        f"lies in no folder {example}, so its patient is unknown",
        "restore the folder's name, or see --help if this is another data set",
    )


RECOGNISE: dict[str, Callable] = {
    "SOOP": soop, "ISLES 2018": isles2018, "ISLES 2022": isles2022, "BRATS 2015": brats2015
}  # fmt: skip


def collect(folder: Path, title: str) -> tuple[Cases, list[BadInput]]:
    """Sort a folder's files into cases.

    Args:
        folder: what the user named.
        title: of the data set that it should hold, one of RECOGNISE.

    Returns:
        a dictionary {kind: file} for each case, in order, and complaints: about files of no case,
        and about cases that have two files of one kind; these are not among the first.

    Raises:
        BadInput: the folder is missing, empty or holds another data set.
    """
    try:
        what = "" if folder.is_dir() else "is a file, not a folder" if folder.exists() else "does not exist"
    except OSError as error:  # no right to look, or a name too long
        what = f"cannot be read ({error.strerror})"
    if what:
        raise BadInput(folder, what, "give --source the unpacked folder; --help says how to get the data")
    paths = list(files_below(Path(os.path.abspath(folder))))  # a name such as case_3 may lie above "."
    if not paths:
        raise BadInput(folder, "is empty", "see --help for how to get the data")
    cases, bad = _sorted(paths, title)
    if cases or bad:
        return dict(sorted(cases.items())), bad
    for other in RECOGNISE:
        if _sorted(paths, other)[0]:
            remedy = f"use prepare_{other.replace(' ', '').lower()}.py"
            raise BadInput(folder, f"holds no {title} but what looks like {other}", remedy)
    for pattern, (what, remedy) in SIGNS.items():
        if any(re.search(pattern, path.name.lower()) for path in paths):
            raise BadInput(folder, f"holds no {title} but what looks like {what}", remedy)
    raise BadInput(folder, f"holds no file of {title}", "see --help for the layout that is expected")


def _sorted(paths: list[Path], title: str) -> tuple[Cases, list[BadInput]]:
    cases: Cases = {}
    bad: dict[Hashable, BadInput] = {}  # one complaint a case or folder
    for path in paths:
        try:
            recognised = RECOGNISE[title](path)
        except BadInput as error:
            bad[path.parent] = error
            continue
        if recognised is None:
            continue
        key, kind = recognised
        first = cases.setdefault(key, {}).setdefault(kind, path)
        if first != path:
            what = f"is the second {kind} file of its case; the first is {first}"
            bad[key] = BadInput(path, what, "remove one of them, or leave the case out with --skip-bad")
    return {key: kinds for key, kinds in cases.items() if key not in bad}, list(bad.values())


def files_below(folder: Path) -> Iterator[Path]:
    """All files below a folder in the order of their names, without what computers leave behind.

    Links to folders are followed, each folder once; ``.DS_Store``, ``._x`` and ``__MACOSX`` are left out.

    Raises:
        BadInput: a folder cannot be read.
    """
    seen = set()

    def unreadable(error: OSError) -> None:
        what = f"cannot be read ({error.strerror})"
        raise BadInput(error.filename, what, "ask for the right to read it") from error

    for root, folders, files in os.walk(folder, followlinks=True, onerror=unreadable):
        real = os.path.realpath(root)
        folders[:] = sorted(f for f in folders if real not in seen and f[0] != "." and f != "__MACOSX")
        if real not in seen:
            yield from (Path(root, name) for name in sorted(files) if not name.startswith("."))
        seen.add(real)
