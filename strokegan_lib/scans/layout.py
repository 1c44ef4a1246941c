"""From the folder that a user names to the files of each case, whatever else lies among them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.cases import SKIP, CaseFiles, Found


class Name(NamedTuple):
    """What a file's name says: its patient, its case and the kind of file; no kind for a case to leave aside."""

    patient: str
    case: str
    kind: str | None


def find(folder: Path, recognise: Callable[[Path], Name | None], mask: str, aside: str = "") -> Found:
    """Sort the files below a folder into cases, in the order of the numbers in their names.

    Args:
        recognise: takes a path and returns its Name, or None for a file of no interest; for a file
            whose patient is unknown it raises BadInput.
        mask: the kind of file that is the mask; all others are images.
        aside: what the cases are that are left aside, for the card.

    Raises:
        BadInput: the folder is missing, empty or cannot be read.
    """
    try:
        what = "" if folder.is_dir() else "is a file, not a folder" if folder.exists() else "does not exist"
    except OSError as error:  # no right to look, or a name too long
        what = f"cannot be read ({error.strerror})"
    if what:
        raise BadInput(folder, what, "give --source the unpacked folder; --help says how to get the data")
    cases: dict[str, dict[str | None, tuple[Path, Name]]] = {}
    bad: dict[str, BadInput] = {}
    for path in files_below(Path(os.path.abspath(folder))):  # a name such as case_3 may lie above "."
        try:
            name = recognise(path)
        except BadInput as error:
            bad[error.where] = error  # one a folder
            continue
        if name is None:
            continue
        key = f"{name.patient} {name.case}"
        first, _ = cases.setdefault(key, {}).setdefault(name.kind, (path, name))
        if first != path and name.kind:
            what = f"is the second {name.kind} file of its case; the first is {first}"
            bad[key] = BadInput(path, what, f"remove one of them, {SKIP}")
    found = Found(bad=list(bad.values()))
    for key in sorted(cases.keys() - bad.keys(), key=_natural):
        files = {kind: path for kind, (path, _) in cases[key].items()}
        name = next(name for _, name in cases[key].values())
        path = files.pop(mask, None)
        if name.kind is None:
            found.notes[aside] += 1
        elif path:
            found.cases.append(CaseFiles(name.patient, name.case, files, path))
        else:
            image = next(iter(files.values()))
            found.bad.append(BadInput(image, f"has no mask ({name.case})", f"complete the case, {SKIP}"))
    return found


def _natural(text: str) -> list[str | int]:
    """A sort key by which case_2 comes before case_10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", text)]


def in_folder(
    path: Path, file: re.Pattern, folder: re.Pattern, example: str
) -> tuple[str, Path, re.Match] | None:
    """For a file of a data set whose folders name the case: its kind, that folder and the match of its name.

    Raises:
        BadInput: no folder above is one of a case.
    """
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
        path.parent,
        f"lies in no folder {example}, so its patient is unknown",
        "restore the folder's name, or see --help if this is another data set",
    )


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
