"""What README says was measured is what the files in strokegan_lib/results say."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from strokegan_lib.compare import ARMS

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "strokegan_lib/results"


def number(text: str) -> str:
    """'.434' for '0.4341', '−.021' for '-0.0207'."""
    return f"{float(text):.3f}".replace("0.", ".").replace("-", "−")


def span(line: dict[str, str], name: str) -> str:
    return f"{number(line[f'{name}_mean'])} ({number(line[f'{name}_low'])} to {number(line[f'{name}_high'])})"


def row(line: dict[str, str]) -> str:
    """The line of README's table that belongs to a line of ablation_soop.csv."""
    cells = [span(line, name) for name in ("dice", "pooled_dice")]
    cells += [number(line[f"{name}_mean"]) for name in ("precision", "sensitivity")]
    cells += [number(line["empty_false_positive_rate_mean"])]
    if line["arm"] == "masked":
        cells += ["", ""]
    else:
        low, high = line["minus_arm_low"], line["minus_arm_high"]
        cells += [f"{number(line['minus_arm'])} ({number(low)} to {number(high)})"]
        cells += [number(line["wilcoxon_holm_p"])]
    return f"| {line['arm']} | {' | '.join(cells)} |"


def test_the_table_of_methods_is_the_file():
    with open(RESULTS / "ablation_soop.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["arm"] for line in lines] == list(ARMS)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in lines:
        assert row(line) in readme, row(line)


def test_every_result_says_how_it_was_made():
    for file in RESULTS.glob("*.json"):
        card = json.loads(file.read_text(encoding="utf-8"))
        assert card["command"].startswith("python ") and card["date"] and card["hardware"], file.name
    for file in RESULTS.glob("*.csv"):
        assert file.with_suffix(".json").is_file(), file.name
