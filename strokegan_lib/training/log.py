"""The record of a run: metrics.csv, a row a step."""

import csv
import io
import math
from contextlib import suppress
from pathlib import Path

from strokegan_lib.errors import writing
from strokegan_lib.files import write_whole

Row = dict[str, float]


class Log:
    """Rows of numbers, kept in memory and, where a folder is given, in its metrics.csv.

    Of rows that are there already those of *steps_made* stay; a resumed run makes the later ones again.
    """

    def __init__(self, folder: Path | None, steps_made: int = 0) -> None:
        self.rows: list[Row] = []
        self.columns: dict[str, None] = {}
        self.file = folder and folder / "metrics.csv"
        if self.file:
            with writing(self.file):
                self.file.parent.mkdir(parents=True, exist_ok=True)
            self.add(read_rows(self.file, steps_made))

    def add(self, rows: list[Row]) -> None:
        """Append rows; each has 'step', and what else was measured."""
        self.rows += rows
        known = len(self.columns)
        self.columns |= {name: None for row in rows for name in row}
        if self.file and len(self.columns) > known:  # the first rows, or the first validation score
            write_whole(self.file, ",".join(self.columns) + "\n" + self._text(self.rows))
        elif self.file:
            with writing(self.file), open(self.file, "a", newline="", encoding="utf-8") as file:
                file.write(self._text(rows))

    def _text(self, rows: list[Row]) -> str:
        text = io.StringIO()
        csv.DictWriter(text, self.columns, lineterminator="\n").writerows(rows)
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
