"""SliceSet: the one form in which slices lie on disk.

A folder with three arrays, a table and a card::

    images.npy      uint8 (N, C, 128, 128)   8..255 in the foreground, 0 elsewhere
    stroke.npy      uint8 (N, 128, 128)      0/1, inside the foreground
    foreground.npy  uint8 (N, 128, 128)      0/1
    slices.csv      a row a slice, see COLUMNS
    dataset.json    name, source, licence, citation, channels, windows, counts, sha256, ...

It is written by writer.py. Taught in notebook 01.
"""

import csv
import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from strokegan_lib.data.split import SPLITS, split_of
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256

FORMAT_VERSION = 1
ARRAYS = ("images.npy", "stroke.npy", "foreground.npy")
COLUMNS = {
    "index": int,  # row in the arrays
    "patient": str,  # the unit of every split
    "case": str,  # one scan of the patient
    "plane": int,  # number of the plane in its scan, from below
    "z": float,  # height of the plane, mm
    "row_spacing": float,  # height of a pixel, mm
    "column_spacing": float,  # width of a pixel, mm
    "thickness": float,  # distance between planes, mm
    "source": str,  # the data set that the slice came from
    "has_stroke": int,  # 0/1
    "synthetic": int,  # 0/1: made by a network or by pasting
}


@dataclass(frozen=True)
class SliceSet:
    """Slices on disk, memory-mapped: nothing is read before it is asked for."""

    folder: Path
    images: np.ndarray = field(repr=False)  # (N, C, 128, 128) uint8
    stroke: np.ndarray = field(repr=False)  # (N, 128, 128) uint8, 0/1
    foreground: np.ndarray = field(repr=False)  # (N, 128, 128) uint8, 0/1
    table: dict[str, np.ndarray] = field(repr=False)  # for each of COLUMNS, (N,)
    card: dict = field(repr=False)  # the contents of ``dataset.json``

    @classmethod
    def open(cls, folder: str | os.PathLike, *, verify: bool = True) -> "SliceSet":
        """Open and check a SliceSet; *verify* compares every file with its sha256, which takes a second.

        BadInput where there is no such folder, a file is missing or has changed, or the format is newer.
        """
        folder = Path(os.path.expanduser(folder))
        again = "make the data set again with its data script"
        file = folder / "dataset.json"
        try:
            if not file.is_file():
                what = "is not a SliceSet (no dataset.json)"
                raise BadInput(folder, what, "give --data a folder that a data script made")
            card = json.loads(file.read_text(encoding="utf-8"))
            version, hashes = int(card["format_version"]), dict(card["sha256"])
            n, _, height, width = shape = tuple(int(length) for length in card["shape"])
            if version > FORMAT_VERSION:
                newer = f"has format version {version}, newer than this kit's {FORMAT_VERSION}"
                raise BadInput(file, newer, "update the kit")
            for file in (folder / name for name in (*ARRAYS, "slices.csv")):
                if not file.is_file() or (verify and sha256(file) != hashes.get(file.name)):
                    raise BadInput(file, "is missing or has changed since it was made", again)
            with open(file, newline="", encoding="utf-8") as lines:
                rows = list(csv.DictReader(lines))
            table = {name: np.array([kind(row[name]) for row in rows]) for name, kind in COLUMNS.items()}
            file = folder
            arrays = [np.load(folder / name, mmap_mode="r") for name in ARRAYS]
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise BadInput(file, f"cannot be read ({error})", again) from error
        shapes = [shape, (n, height, width), (n, height, width)]
        # floats might hide a NaN, on which training fails much later
        if [a.shape for a in arrays] != shapes or any(a.dtype != np.uint8 for a in arrays) or len(rows) != n:
            raise BadInput(folder, "holds arrays or a table that differ from its card", again)
        return cls(folder, *arrays, table, card)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def channels(self) -> list[str]:
        return self.card["channels"]

    @cached_property
    def patients(self) -> list[str]:
        """Names of the patients, in the order in which they lie on disk."""
        return list(dict.fromkeys(self.table["patient"].tolist()))

    def of_patient(self, patient: str) -> np.ndarray:
        """Indices of one patient's slices, (n,) int64, in the order on disk."""
        return np.flatnonzero(self.table["patient"] == patient)

    def of_split(self, split: str, fold: int | None = None) -> np.ndarray:
        """Indices of the slices of 'train', 'validation', 'test' or 'all', (n,) int64; *fold* as in ``split_of``.

        ValueError for another word, or no such fold.
        """
        if split == "all":
            return np.arange(len(self))
        if split not in SPLITS:
            raise ValueError(f"no split {split!r}: choose from {', '.join(SPLITS)}, all")
        chosen = {patient for patient in self.patients if split_of(patient, fold) == split}
        return np.flatnonzero([patient in chosen for patient in self.table["patient"].tolist()])

    @cached_property
    def lesion_pixels(self) -> np.ndarray:
        """Size of the stroke in each slice, (N,) int64."""
        return self.stroke.sum((1, 2), dtype=np.int64)

    def lesion_ml(self) -> dict[str, float]:
        """Lesion volume of each patient, mL: pixels x pixel area x distance of planes."""
        t = self.table
        per_pixel = t["row_spacing"] * t["column_spacing"] * t["thickness"] / 1000  # (N,) mL
        ml = dict.fromkeys(self.patients, 0.0)
        for i in np.flatnonzero(t["has_stroke"]):
            ml[str(t["patient"][i])] += float(self.stroke[i].sum() * per_pixel[i])
        return ml
