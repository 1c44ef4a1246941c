"""The record of a run: metrics.csv, a row a step, and TensorBoard where it is installed."""

from __future__ import annotations

import csv
import io
import math
from contextlib import suppress
from pathlib import Path

from strokegan_lib.errors import SPACE, writing
from strokegan_lib.files import write_whole

Row = dict[str, float]


class Log:
    """Rows of numbers, kept in memory and, where a folder is given, on disk.

    A resumed run passes the number of steps already made: rows after that are dropped, as
    those steps are made again.

    Args:
        folder: for ``metrics.csv`` and TensorBoard's files; None for memory only.
        steps_made: steps whose rows are kept.
        board: write TensorBoard's files as well, if it is installed.
    """

    def __init__(self, folder: Path | None, steps_made: int = 0, board: bool = True) -> None:
        self.rows: list[Row] = []
        self.file = folder and folder / "metrics.csv"
        self.board = None
        if folder is None:
            return
        self.rows = kept_rows(self.file, steps_made)
        self._rewrite()
        if not board:
            return
        with suppress(ImportError):
            from torch.utils.tensorboard import SummaryWriter

            self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=steps_made)

    def add(self, rows: list[Row]) -> None:
        """Append rows; each has 'step', and what else was measured."""
        if not rows:
            return
        known = set(self._columns())
        self.rows += rows
        if self.file is not None:
            if known >= {name for row in rows for name in row}:
                with writing(self.file), open(self.file, "a", newline="", encoding="utf-8") as file:
                    csv.DictWriter(file, self._columns(), lineterminator="\n").writerows(rows)
            else:  # a column more, such as the first validation score
                self._rewrite()
        if self.board is not None:
            for row in rows:
                for name, value in row.items():
                    if name != "step":
                        self.board.add_scalar(name, value, int(row["step"]))

    def close(self) -> None:
        if self.board is not None:
            self.board.close()

    def _columns(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def _rewrite(self) -> None:
        text = io.StringIO()
        table = csv.DictWriter(text, self._columns(), lineterminator="\n")
        table.writeheader()
        table.writerows(self.rows)
        with writing(self.file):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            if self.file.is_file() and self.file.read_bytes() == text.getvalue().encode():
                return  # a resume that loses nothing writes nothing, and so can lose nothing
        write_whole(self.file, text.getvalue(), SPACE)


def kept_rows(file: Path, steps_made: float = math.inf) -> list[Row]:
    """Rows of steps before *steps_made*, up to the first that a power cut or a spreadsheet has spoilt."""
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
