"""What the files of each public data set are called.

Data sets are told apart by modality and layout, not by the prefix of a name: one archive hands out
tumours and strokes, and the same file as ``VSD.Brain...`` and as ``SMIR.Brain...``.

Each function takes a path and gives (case, kind of file), or None for a file of no interest;
for a file of the data set that belongs to no case it raises BadInput.
"""

from __future__ import annotations

import re
from pathlib import Path

from strokegan_lib.errors import BadInput

SOOP = re.compile(
    r"(?:r(?P<picture>sub)|bwsr(?P<mask>sub)|w(?P<volume>sub))-(?P<id>\d+)_"
    r"(?(picture)lesion\.nii\.png|(?(mask)lesion|flair)\.nii(?:\.gz)?)$",
    re.IGNORECASE,
)
# the folders differ between two layouts, the names of files do not (but for FLAIR's case);
# BIDS allows more pairs such as run-1 or acq-b1000 in between
ISLES_2022 = re.compile(
    r"sub-strokecase(\d+)_ses-(\w+?)_(?:[\w-]+_)?(dwi|adc|flair|msk)\.nii(?:\.gz)?$", re.IGNORECASE
)
ISLES_2018 = re.compile(
    r"\w+\.brain.*\.(?:(?:ct|mr)_(cbf|cbv|mtt|tmax)|(ct|ot))\.(?:.+\.)?nii(?:\.gz)?$", re.IGNORECASE
)
ISLES_2018_FOLDER = re.compile(r"case_(\d+)$", re.IGNORECASE)
BRATS = re.compile(
    r"\w+\.brain.*\.(?:mr_(flair|t1c|t1|t2)|(ot))\.(?:.+\.)?(?:mha|nii|nii\.gz)$", re.IGNORECASE
)
BRATS_FOLDER = re.compile(r"brats_(2013|tcia)_pat(\d+)_(\d+)$", re.IGNORECASE)


def soop(path: Path) -> tuple[int, str] | None:
    match = SOOP.match(path.name)
    return (int(match["id"]), next(k for k in ("picture", "mask", "volume") if match[k])) if match else None


def isles2022(path: Path) -> tuple[tuple[str, str], str] | None:
    match = ISLES_2022.match(path.name)
    return ((match[1], match[2]), match[3].lower()) if match else None


def isles2018(path: Path) -> tuple[tuple[bool, int, str], str] | None:
    match = ISLES_2018.match(path.name)
    if not match:
        return None
    for parent in path.parents:
        case = ISLES_2018_FOLDER.match(parent.name)
        if case:
            is_test = parent.parent.name.lower() in ("test", "testing")
            return (is_test, int(case[1]), str(parent)), (match[1] or match[2]).lower()
    return _homeless(path, match, "case_N")


def brats2015(path: Path) -> tuple[tuple[str, str, str, str], str] | None:
    match = BRATS.match(path.name)
    if not match:
        return None
    for parent in path.parents:
        case = BRATS_FOLDER.match(parent.name)
        if case:
            grade = next((p.name.upper() for p in parent.parents if p.name.upper() in ("HGG", "LGG")), "")
            return (case[1].lower(), case[2], grade, parent.name.lower()), (match[1] or match[2]).lower()
    return _homeless(path, match, "brats_..._patN_N")


def _homeless(path: Path, match: re.Match, folder: str) -> None:
    if (match[2] or "").lower() == "ot":  # a label may be the other data set's
        return
    raise BadInput(
        path,
        f"lies in no folder {folder}, so its patient is unknown",
        "restore the folder's name, or see --help if this is another data set",
    )


RECOGNISE = {"SOOP": soop, "ISLES 2018": isles2018, "ISLES 2022": isles2022, "BRATS 2015": brats2015}
