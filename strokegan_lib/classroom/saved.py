"""Results that were computed once and come with the kit."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strokegan_lib.errors import BadInput

TABLES = Path(__file__).parents[1] / "weights"  # copies of the experiments' tables that lessons show


def table_of(
    name: str, folder: Path = TABLES, *, part: str = ""
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A saved table, numbers as floats and empty entries as None, and the card that says how it was made.

    BadInput where there are no such files.

    Args:
        name: of the files, such as 'table1_soop'.
        part: of a result with several tables and one card, such as 'groups'; '' for its first.
    """
    table, card = folder / f"{name}{part and f'_{part}'}.csv", folder / f"{name}.json"
    if not (table.is_file() and card.is_file()):
        names = ", ".join(sorted(file.stem for file in folder.glob("*.csv"))) or "none"
        raise BadInput(f"results {table.stem}", "do not come with the kit", f"choose one of: {names}")
    with open(table, newline="", encoding="utf-8") as file:
        lines = [{key: _value(word) for key, word in line.items()} for line in csv.DictReader(file)]
    return lines, json.loads(card.read_text(encoding="utf-8"))


def _value(word: str) -> Any:
    try:
        return float(word) if word else None
    except ValueError:
        return word


@dataclass(frozen=True)
class Comparison:
    """One comparison of ways to balance: a line for each arm, and the card."""

    lines: list[dict[str, Any]]
    card: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.card['data']}, {self.card['setting']}"

    def arm(self, name: str) -> dict[str, Any]:
        """The line of an arm."""
        return {line["arm"]: line for line in self.lines}[name]


def saved_comparisons(folder: Path = TABLES) -> dict[str, Comparison]:
    """The comparisons of ways to balance that lie in a folder, by title: those of SOOP, and the phantom's last."""
    files = sorted(folder.glob("balancing_*.csv"), key=lambda file: ("phantom" in file.stem, file.stem))
    found = [Comparison(*table_of(file.stem, folder)) for file in files]
    return {comparison.title: comparison for comparison in found}
