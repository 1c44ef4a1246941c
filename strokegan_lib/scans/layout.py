"""From the folder that a user names to the files of each case, whatever else lies among them."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.cases import CaseFiles
from strokegan_lib.scans.formats import SKIP


class Name(NamedTuple):
    """What a file's name says: its patient, its case and the kind of file."""

    patient: str
    case: str
    kind: str


def find(
    folder: Path, recognise: Callable[[Path], Name | None], mask: str
) -> tuple[list[CaseFiles], list[BadInput]]:
    """Sort the files below a folder into cases, in the order of their numbers, and errors of other cases.

    Args:
        recognise: takes a path and returns its Name, or None for a file of no interest; for a file
            whose patient is unknown it raises BadInput.
        mask: the kind of file that is the mask; all others are images.
    """
    cases: dict[tuple[str, str], dict[str, list[Path]]] = {}
    unknown: dict[str, BadInput] = {}  # one a folder
    for path in files_below(folder.absolute()):  # a name such as case_3 may lie above "."
        try:
            name = recognise(path)
        except BadInput as error:
            unknown[error.where] = error
            continue
        if name:
            cases.setdefault((name.patient, name.case), {}).setdefault(name.kind, []).append(path)

    def natural(case: tuple[str, str]) -> list[str | int]:  # case_2 comes before case_10
        return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", " ".join(case))]

    found, bad = [], list(unknown.values())
    for case in sorted(cases, key=natural):
        first, *more = max(cases[case].values(), key=len)
        files = {kind: paths[0] for kind, paths in cases[case].items()}
        if more:
            what = f"is the second of its kind in its case; the first is {first}"
            bad.append(BadInput(more[0], what, f"remove one of them, {SKIP}"))
        elif mask not in files:
            bad.append(BadInput(first, f"has no mask ({case[1]})", f"complete the case, {SKIP}"))
        else:
            found.append(CaseFiles(*case, files, files.pop(mask)))
    return found, bad


def case_folder(path: Path, pattern: str) -> Path:
    """The closest folder above a file that is named like a case; BadInput if there is none."""
    for folder in path.parents:
        if re.fullmatch(pattern, folder.name, re.IGNORECASE):
            return folder
    what = f"lies in no folder named like a case ({pattern}), so its patient is unknown"
    raise BadInput(path.parent, what, "restore the folder's name, or see --help if this is another data set")


def files_below(folder: Path) -> Iterator[Path]:
    """All files below a folder in the order of their names, without ``.DS_Store``, ``._x`` and ``__MACOSX``.

    Links to folders are followed, each folder once. BadInput if one is missing or cannot be read.
    """
    seen = set()

    def unreadable(error: OSError) -> None:
        remedy = "give --source the unpacked folder, with the right to read it"
        raise BadInput(error.filename, f"cannot be read ({error.strerror})", remedy) from error

    for root, folders, files in os.walk(folder, followlinks=True, onerror=unreadable):
        real = os.path.realpath(root)
        folders[:] = sorted(f for f in folders if real not in seen and f[0] != "." and f != "__MACOSX")
        if real not in seen:
            yield from (Path(root, name) for name in sorted(files) if not name.startswith("."))
        seen.add(real)
