"""Write a SliceSet: beside its final place, then renamed, so that it is whole or absent."""

from __future__ import annotations

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

ORIENTATION = "rows from anterior to posterior, columns from the patient's left to right (neurological)"
NOT_UTF8 = {
    "encoding": "utf-8",
    "errors": "backslashreplace",
}  # names of files that are not UTF-8 are escaped


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


class SliceSetWriter:
    """Write a SliceSet: whole or not at all.

    Use it as a context manager. Leaving it normally renames the finished folder to
    *out*; an exception removes what was written. What a killed process left behind
    is cleared by the next writer for the same *out*.

    Args:
        out: the folder to make; it must not exist.
        about: the head of the card.

    Attributes:
        card: further entries of the card.
        partial: where the folder lies until it is finished.
        rows: rows of the table so far.

    Raises:
        BadInput: *out* exists, cannot be written, or is being written by another process.
    """

    def __init__(self, out: str | os.PathLike, about: About) -> None:
        self.out, self.about = Path(out), about
        self.partial = self.out.parent / f".{self.out.name}.partial"
        self.card: dict = {}
        self.rows: list[tuple] = []

    def __enter__(self) -> SliceSetWriter:
        with writing(self.out):
            if self.out.exists() or self.out.is_symlink():
                raise BadInput(self.out, "exists already", "choose another --out or delete it first")
            self.lock = hold(self.partial / "lock", self.out)
            for leftover in self.partial.iterdir():  # of a process that was killed
                if leftover.name != "lock":
                    leftover.unlink()
            self.files = [open(self.partial / name, "wb") for name in ARRAYS]  # noqa: SIM115
            self._write_headers()
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
            for file, rows in zip(self.files, (images, stroke, foreground), strict=True):
                file.write(np.ascontiguousarray(rows, np.uint8).data)
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
            for file in self.files:
                with suppress(OSError):  # a full disk: closing tries once more to write
                    file.close()
            self.lock.release()
            shutil.rmtree(self.partial, ignore_errors=True)

    def _write_headers(self) -> None:
        """Write the head of each .npy file for as many slices as there are: its length is always the same."""
        n, plane = len(self.rows), (SIZE, SIZE)
        shapes = (n, len(self.about.channels), *plane), (n, *plane), (n, *plane)
        for file, shape in zip(self.files, shapes, strict=True):
            file.seek(0)
            about = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, about)

    def _finish(self) -> None:
        if not self.rows:
            raise BadInput(self.out, "would hold no slice", "check what --source holds")
        self._write_headers()
        for file in self.files:
            file.close()
        with open(self.partial / "slices.csv", "w", newline="", **NOT_UTF8) as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            table.writerows(self.rows)
        card = {
            "format_version": FORMAT_VERSION,
            **asdict(self.about),
            "shape": [len(self.rows), len(self.about.channels), SIZE, SIZE],
            "counts": self._counts(),
            "sha256": {name: sha256(self.partial / name) for name in (*ARRAYS, "slices.csv")},
            **self.card,
        }
        text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
        (self.partial / "dataset.json").write_text(text, **NOT_UTF8)
        self.lock.release()
        (self.partial / "lock").unlink(missing_ok=True)
        self.partial.rename(self.out)

    def _counts(self) -> dict:
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in self.rows]
        ill = [row["patient"] for row in rows if row["has_stroke"]]
        return {
            "slices": len(rows),
            "slices_with_stroke": len(ill),
            "share_with_stroke": round(len(ill) / len(rows), 6),
            "patients": len({row["patient"] for row in rows}),
            "patients_with_stroke": len(set(ill)),
        }
