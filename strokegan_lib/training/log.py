"""The record of a run: metrics.csv, a row a step."""

from __future__ import annotations

import csv
import io
import math
from contextlib import suppress
from pathlib import Path

from strokegan_lib.errors import writing
from strokegan_lib.files import write_whole

Row = dict[str, float]


class Log:
    """Rows of numbers, kept in memory and, where a folder is given, on disk.

    Args:
        folder: for ``metrics.csv``; None for memory only.
        steps_made: steps whose rows are kept; a resumed run makes the later ones again.
    """

    def __init__(self, folder: Path | None, steps_made: int = 0) -> None:
        self.file = folder and folder / "metrics.csv"
        self.rows = read_rows(self.file, steps_made) if folder else []
        self.columns = list(dict.fromkeys(name for row in self.rows for name in row))
        if folder:
            with writing(self.file):
                folder.mkdir(parents=True, exist_ok=True)
                # a resume that drops nothing writes nothing: no full disk can cost the record
                unchanged = self.file.is_file() and self.file.read_bytes() == self._text(self.rows).encode()
            if not unchanged:
                write_whole(self.file, self._text(self.rows))

    def add(self, rows: list[Row]) -> None:
        """Append rows; each has 'step', and what else was measured."""
        self.rows += rows
        new = [name for row in rows for name in row if name not in self.columns]
        self.columns += dict.fromkeys(new)
        if self.file is None:
            return
        if new:  # such as the first validation score
            write_whole(self.file, self._text(self.rows))
        else:
            with writing(self.file), open(self.file, "a", newline="", encoding="utf-8") as file:
                file.write(self._text(rows, header=False))

    def _text(self, rows: list[Row], header: bool = True) -> str:
        text = io.StringIO()
        table = csv.DictWriter(text, self.columns, lineterminator="\n")
        if header:
            table.writeheader()
        table.writerows(rows)
        return text.getvalue()


def read_rows(file: Path, steps_made: float = math.inf) -> list[Row]:
    """Rows of a metrics.csv before step *steps_made*, up to the first damaged one; none where there is no file."""
    rows: list[Row] = []
    with (
        suppress(OSError, ValueError, KeyError, TypeError, csv.Error),
        open(file, newline="", encoding="utf-8") as lines,
    ):
        for line in csv.DictReader(lines):
            row = {name: float(value) for name, value in line.items() if value}
            row["step"] = int(row["step"])
            if row["step"] >= steps_made or (rows and row["step"] <= rows[-1]["step"]):
                break
            rows.append(row)
    return rows
