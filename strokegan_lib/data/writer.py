"""Write a SliceSet: beside its final place, then renamed, so that it is whole or absent."""

import csv
import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from strokegan_lib.data.resample import SIZE
from strokegan_lib.data.slices import ARRAYS, COLUMNS, FORMAT_VERSION
from strokegan_lib.data.windows import DARKEST
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.files import hold, sha256

HEADER = 128  # bytes before the numbers of a .npy file, whatever its shape
TEXT = {"encoding": "utf-8", "errors": "backslashreplace"}  # names of files that are not UTF-8 are escaped


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
    orientation: str = (
        "rows from anterior to posterior, columns from the patient's left to right (neurological)"
    )
    limits: tuple[str, ...] = ()  # what the data cannot show, a sentence each


class SliceSetWriter:
    """Write a SliceSet, whole or not at all, as a context manager; *about* is the head of its card.

    Leaving it normally renames the finished folder to *out*; an exception removes what was
    written. What a killed process left behind is cleared by the next writer for the same *out*.
    BadInput where *out* exists, cannot be written, or is being written by another process.
    """

    def __init__(self, out: str | os.PathLike, about: About) -> None:
        self.out, self.about = Path(out), about
        self.partial = self.out.parent / f".{self.out.name}.partial"  # where it lies until it is finished
        self.card: dict = {}  # further entries of the card
        self.rows: list[dict] = []  # of the table

    def __enter__(self) -> "SliceSetWriter":
        with writing(self.out):
            if self.out.exists() or self.out.is_symlink():
                raise BadInput(self.out, "exists already", "choose another --out or delete it first")
            self.lock = hold(self.partial / "lock", self.out)
            for leftover in self.partial.iterdir():  # of a process that was killed
                if leftover.name != "lock":
                    leftover.unlink()
            self.files = [open(self.partial / name, "wb") for name in ARRAYS]  # noqa: SIM115
            for file in self.files:
                file.seek(HEADER)  # it tells the number of slices, and is written last
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
        """Append slices of one case; ValueError where they break the form, BadInput where the disk is full.

        Args:
            images: (n, C, 128, 128) uint8, 8..255 exactly where *foreground*.
            stroke: (n, 128, 128) bool, inside *foreground*.
            foreground: (n, 128, 128) bool.
            plane, z: (n,) numbers of the planes in their scan, from below, and heights, mm.
            spacing: height and width of a pixel, distance of planes, mm.
        """
        arrays = (images, stroke, foreground)
        if images.dtype != np.uint8 or [a.shape for a in arrays] != self._shapes(len(images)):
            raise ValueError(f"images must be uint8, and the three arrays {self._shapes(len(images))}")
        inside = np.broadcast_to(foreground[:, None], images.shape)
        bright = np.array_equal(images >= DARKEST, inside)
        if not bright or images[~inside].any() or (stroke & ~foreground).any():
            raise ValueError("images must be 8..255 in the foreground, 0 elsewhere, strokes inside it")
        with writing(self.out):
            for file, array in zip(self.files, arrays, strict=True):
                file.write(np.ascontiguousarray(array, np.uint8).data)
        sizes = [round(float(size), 6) for size in spacing]
        has_stroke = stroke.any((1, 2))
        for i in range(len(images)):
            place = (int(plane[i]), round(float(z[i]), 4))
            row = (len(self.rows), patient, case, *place, *sizes, source, int(has_stroke[i]), int(synthetic))
            self.rows.append(dict(zip(COLUMNS, row, strict=True)))

    def __exit__(self, kind, error, trace) -> None:
        try:
            if kind is None:
                with writing(self.out):
                    self._finish()
        finally:
            for file in self.files:
                with suppress(OSError):  # a full disk: closing tries once more to write
                    file.close()
            self.lock.release()
            shutil.rmtree(self.partial, ignore_errors=True)

    def _shapes(self, n: int) -> list[tuple[int, ...]]:
        """Shapes of the three arrays for n slices."""
        return [(n, len(self.about.channels), SIZE, SIZE), (n, SIZE, SIZE), (n, SIZE, SIZE)]

    def _finish(self) -> None:
        if not self.rows:
            raise BadInput(self.out, "would hold no slice", "check what --source holds")
        for file, shape in zip(self.files, self._shapes(len(self.rows)), strict=True):
            file.seek(0)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            file.close()
        with open(self.partial / "slices.csv", "w", newline="", **TEXT) as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(self.rows)
        patients = [row["patient"] for row in self.rows]
        lesions = [row["patient"] for row in self.rows if row["has_stroke"]]  # the patient of each such slice
        card = {
            "format_version": FORMAT_VERSION,
            **asdict(self.about),
            "shape": self._shapes(len(self.rows))[0],
            "counts": {
                "slices": len(patients),
                "slices_with_stroke": len(lesions),
                "share_with_stroke": round(len(lesions) / len(patients), 6),
                "patients": len(set(patients)),
                "patients_with_stroke": len(set(lesions)),
            },
            "sha256": {name: sha256(self.partial / name) for name in (*ARRAYS, "slices.csv")},
            **self.card,
        }
        text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
        (self.partial / "dataset.json").write_text(text, **TEXT)
        self.lock.release()
        (self.partial / "lock").unlink(missing_ok=True)
        self.partial.rename(self.out)
