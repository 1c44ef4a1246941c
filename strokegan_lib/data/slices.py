"""SliceSet: the one form in which slices lie on disk, written by one class and read by another.

A folder with three arrays, a table and a card::

    images.npy      uint8 (N, C, 128, 128)   8..255 in the foreground, 0 elsewhere
    stroke.npy      uint8 (N, 128, 128)      0/1, inside the foreground
    foreground.npy  uint8 (N, 128, 128)      0/1
    slices.csv      a row a slice, see COLUMNS
    dataset.json    name, source, licence, citation, channels, windows, counts, sha256, ...

It is written beside its final place and renamed, so it is whole or absent.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from strokegan_lib.data.resample import SIZE
from strokegan_lib.data.split import SPLITS, part_of, split_of
from strokegan_lib.data.windows import DARKEST
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.files import hold

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
    "synthetic": int,  # 0/1: painted by a network
}
ORIENTATION = "rows from anterior to posterior, columns from the patient's left to right (neurological)"


@dataclass(frozen=True)
class About:
    """What a reader must know of a data set; it becomes the head of ``dataset.json``."""

    name: str
    source: str  # where the data come from, in words
    licence: str
    citation: str
    channels: tuple[str, ...]
    made_by: str  # the command
    windows: tuple[dict, ...] = ()  # the windows shared by all cases, see windows.Window
    orientation: str = ORIENTATION
    limits: tuple[str, ...] = ()  # what the data cannot show, a sentence each


class _Array:
    """An .npy file that grows: a fixed-size header first, its row count filled in at the end."""

    HEADER = 128  # bytes; numpy pads a header of this kind to just that

    def __init__(self, path: Path, row_shape: tuple[int, ...]) -> None:
        self.path, self.row_shape = path, row_shape
        self.file = open(path, "wb")  # noqa: SIM115 (closed by finish or abandon)
        self.file.write(b"\0" * self.HEADER)

    def append(self, rows: np.ndarray) -> None:
        self.file.write(np.ascontiguousarray(rows).tobytes())

    def finish(self, n: int) -> None:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "|u1", "fortran_order": False, "shape": (n, *self.row_shape)}
        )
        assert header.tell() == self.HEADER
        self.file.seek(0)
        self.file.write(header.getvalue())
        self.file.close()


class SliceSetWriter:
    """Write a SliceSet: whole or not at all.

    Use it as a context manager. Leaving it normally renames the finished folder to
    *out*; an exception removes what was written. What a killed process left behind
    is cleared by the next writer for the same *out*.

    Args:
        out: the folder to make; it must not exist.
        about: the head of the card.

    Raises:
        BadInput: *out* exists, cannot be written, or is being written by another process.
    """

    def __init__(self, out: str | os.PathLike, about: About) -> None:
        self.out, self.about = Path(out), about
        self.partial = self.out.parent / f".{self.out.name}.partial"
        self.card: dict = {}  # whatever else the maker wants to say
        self.rows: list[tuple] = []

    def __enter__(self) -> SliceSetWriter:
        with writing(self.out):
            if self.out.exists() or self.out.is_symlink():
                raise BadInput(self.out, "exists already", "choose another --out or delete it first")
            self.lock = hold(self.partial / "lock", self.out)
            for leftover in self.partial.iterdir():  # of a process that was killed
                if leftover.name != "lock":
                    leftover.unlink()
            shapes = ((len(self.about.channels), SIZE, SIZE), (SIZE, SIZE), (SIZE, SIZE))
            self.arrays = [
                _Array(self.partial / name, shape) for name, shape in zip(ARRAYS, shapes, strict=True)
            ]
        return self

    def add(
        self,
        images: np.ndarray,
        stroke: np.ndarray,
        foreground: np.ndarray,
        *,
        patient: str,
        case: str,
        plane: np.ndarray,
        z: np.ndarray,
        spacing: tuple[float, float, float],
        source: str,
        synthetic: bool = False,
    ) -> None:
        """Append slices of one case.

        Args:
            images: (n, C, 128, 128) uint8, 8..255 exactly where *foreground*.
            stroke: (n, 128, 128) bool, inside *foreground*.
            foreground: (n, 128, 128) bool.
            plane: (n,) numbers of the planes in their scan.
            z: (n,) heights, mm.
            spacing: height and width of a pixel, distance of planes, mm.

        Raises:
            ValueError: the arrays break the form.
            BadInput: the disk does not take them.
        """
        n = len(images)
        shape = (n, len(self.about.channels), SIZE, SIZE)
        if images.dtype != np.uint8 or images.shape != shape:
            raise ValueError(f"images must be uint8 {shape}, not {images.dtype} {images.shape}")
        if stroke.shape != (n, SIZE, SIZE) or foreground.shape != (n, SIZE, SIZE):
            raise ValueError(f"masks must be {(n, SIZE, SIZE)}")
        if (stroke & ~foreground).any():
            raise ValueError("stroke must lie inside the foreground")
        inside = np.broadcast_to(foreground[:, None], shape)
        if not np.array_equal(images != 0, inside) or ((images != 0) & (images < DARKEST)).any():
            raise ValueError("images must be 8..255 inside the foreground and 0 outside")
        with writing(self.out):
            for array, rows in zip(self.arrays, (images, stroke, foreground), strict=True):
                array.append(rows.astype(np.uint8, copy=False))
        sizes = tuple(round(float(s), 6) for s in spacing)
        for i in range(n):
            height, flags = (int(plane[i]), round(float(z[i]), 4)), (int(stroke[i].any()), int(synthetic))
            self.rows.append((len(self.rows), patient, case, *height, *sizes, source, *flags))

    def __exit__(self, kind, error, trace) -> None:
        try:
            if kind is None:
                with writing(self.out):
                    self._finish()
        finally:
            if self.partial.exists():
                for array in self.arrays:
                    with suppress(OSError):  # a full disk: closing tries once more to write
                        array.file.close()
                self.lock.release()
                shutil.rmtree(self.partial, ignore_errors=True)

    def _finish(self) -> None:
        if not self.rows:
            raise BadInput(self.out, "would hold no slice", "check what --source holds")
        for array in self.arrays:
            array.finish(len(self.rows))
        # names of files that are not UTF-8 are escaped
        with open(
            self.partial / "slices.csv", "w", newline="", encoding="utf-8", errors="backslashreplace"
        ) as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            table.writerows(self.rows)
        names = (*ARRAYS, "slices.csv")
        card = {
            "format_version": FORMAT_VERSION,
            **{k: getattr(self.about, k) for k in self.about.__dataclass_fields__},
            "shape": [len(self.rows), len(self.about.channels), SIZE, SIZE],
            "counts": self._counts(),
            "sha256": {name: sha256(self.partial / name) for name in names},
            **self.card,
        }
        (self.partial / "dataset.json").write_text(
            json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", errors="backslashreplace"
        )
        self.lock.release()
        (self.partial / "lock").unlink(missing_ok=True)
        self.partial.rename(self.out)

    def _counts(self) -> dict:
        patient, stroke = list(COLUMNS).index("patient"), list(COLUMNS).index("has_stroke")
        with_stroke = sum(row[stroke] for row in self.rows)
        return {
            "slices": len(self.rows),
            "slices_with_stroke": with_stroke,
            "share_with_stroke": round(with_stroke / len(self.rows), 6),
            "patients": len({row[patient] for row in self.rows}),
            "patients_with_stroke": len({row[patient] for row in self.rows if row[stroke]}),
        }


@dataclass(frozen=True)
class SliceSet:
    """Slices on disk, memory-mapped: nothing is read before it is asked for.

    Attributes:
        images: (N, C, 128, 128) uint8.
        stroke: (N, 128, 128) uint8, 0/1.
        foreground: (N, 128, 128) uint8, 0/1.
        table: a NumPy array for each of COLUMNS, (N,) each.
        card: the contents of ``dataset.json``.
    """

    folder: Path
    images: np.ndarray = field(repr=False)
    stroke: np.ndarray = field(repr=False)
    foreground: np.ndarray = field(repr=False)
    table: dict[str, np.ndarray] = field(repr=False)
    card: dict = field(repr=False)

    @classmethod
    def open(cls, folder: str | os.PathLike, *, verify: bool = True) -> SliceSet:
        """Open and check a SliceSet.

        Args:
            folder: the folder that a data script wrote.
            verify: compare every file with its sha256 (about a second for 13,200 slices).

        Raises:
            BadInput: no such folder, a file missing or changed, or a newer format.
        """
        folder = Path(os.path.expanduser(folder))
        again = "make the data set again with its data script"
        card_file = folder / "dataset.json"
        try:
            if not card_file.is_file():
                raise BadInput(
                    folder,
                    "is not a SliceSet (no dataset.json)",
                    "give --data a folder that a data script made",
                )
            card = json.loads(card_file.read_text(encoding="utf-8"))
            version, hashes = int(card["format_version"]), dict(card["sha256"])
            n, _, height, width = shape = tuple(int(length) for length in card["shape"])
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise BadInput(card_file, f"cannot be read ({error})", again) from error
        if version > FORMAT_VERSION:
            raise BadInput(
                card_file,
                f"has format version {version}, newer than this kit's {FORMAT_VERSION}",
                "update the kit",
            )
        try:
            for name in (*ARRAYS, "slices.csv"):
                if not (folder / name).is_file():
                    raise BadInput(folder / name, "is missing", again)
                if verify and sha256(folder / name) != hashes.get(name):
                    raise BadInput(folder / name, "has changed since it was made (its sha256 differs)", again)
            images, stroke, foreground = (np.load(folder / name, mmap_mode="r") for name in ARRAYS)
            table = _read_table(folder / "slices.csv")
        except (ValueError, KeyError, OSError) as error:
            raise BadInput(folder, f"cannot be read ({error})", again) from error
        for name, array in zip(ARRAYS, (images, stroke, foreground), strict=True):
            if array.dtype != np.uint8:  # floats might hide a NaN, on which training breaks much later
                raise BadInput(folder / name, f"holds {array.dtype} numbers, not bytes (uint8)", again)
        flat = (n, height, width)
        if (
            images.shape != shape
            or stroke.shape != flat
            or foreground.shape != flat
            or len(table["index"]) != n
        ):
            raise BadInput(folder, "holds arrays whose shapes differ from its card", again)
        return cls(folder, images, stroke, foreground, table, card)

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
        """Indices of a split's slices, (n,) int64.

        Args:
            split: 'train', 'validation', 'test' or 'all'.
            fold: 0..4, the fold of a five-fold cross-validation that is held out for testing;
                None for the plain split.

        Raises:
            ValueError: another word, or no such fold.
        """
        if split == "all":
            return np.arange(len(self))
        if split not in SPLITS:
            raise ValueError(f"no split {split!r}: choose from {', '.join(SPLITS)}, all")
        chosen = {p for p in self.patients if (split_of(p) if fold is None else part_of(p, fold)) == split}
        return np.flatnonzero([p in chosen for p in self.table["patient"].tolist()])

    def lesion_ml(self) -> dict[str, float]:
        """Lesion volume of each patient, mL: pixels x pixel area x distance of planes."""
        t = self.table
        per_pixel = t["row_spacing"] * t["column_spacing"] * t["thickness"] / 1000  # (N,) mL
        rows = np.flatnonzero(t["has_stroke"])
        ml = dict.fromkeys(self.patients, 0.0)
        for i in rows:
            ml[str(t["patient"][i])] += float(self.stroke[i].sum() * per_pixel[i])
        return ml


def sha256(path: Path) -> str:
    """sha256 of a file's bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read_table(path: Path) -> dict[str, np.ndarray]:
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    if not reader.fieldnames or set(COLUMNS) - set(reader.fieldnames):
        raise ValueError(f"{path.name} lacks columns")
    return {name: np.array([kind(row[name]) for row in rows]) for name, kind in COLUMNS.items()}
