"""What README says was measured is what the files in strokegan_lib/results say."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

from strokegan_lib.evaluation.overlap import Counts

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "strokegan_lib/results"
Line = dict[str, str]


def read(name: str) -> list[Line]:
    with open(RESULTS / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(text: str, digits: int = 3) -> str:
    """'.434' for '0.4341', '−.021' for '-0.0207', '12.3' for '12.31' with one digit."""
    word = f"{float(text):.{digits}f}"
    return word.removeprefix("0").replace("-0.", "−.").replace("-", "−") if digits == 3 else word


def span(line: Line, name: str, digits: int = 3) -> str:
    mean, low, high = (number(line[f"{name}_{part}"], digits) for part in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def difference(line: Line) -> list[str]:
    """The two cells of a comparison with the first arm."""
    if not line["minus_arm"]:
        return ["", ""]
    low, high = number(line["minus_arm_low"]), number(line["minus_arm_high"])
    return [f"{number(line['minus_arm'])} ({low} to {high})", number(line["wilcoxon_holm_p"])]


def table1(line: Line) -> list[str]:
    cells = [line["arm"], *(span(line, name) for name in ("dice", "pooled_dice"))]
    cells += [number(line[f"{name}_mean"]) for name in ("precision", "sensitivity", "lesion_f1")]
    cells += [number(line["hd95_mm_mean"], 1), number(line["empty_false_positive_rate_mean"])]
    return [*cells, *difference(line)]


def ablation(line: Line) -> list[str]:
    cells = [line["arm"], *(span(line, name) for name in ("dice", "pooled_dice"))]
    cells += [
        number(line[f"{name}_mean"]) for name in ("precision", "sensitivity", "empty_false_positive_rate")
    ]
    return [*cells, *difference(line)]


def balancing(line: Line) -> list[str]:
    made = f"{float(line['synthetic_slices']):.0f}"
    cells = [line["arm"], made, *(span(line, name) for name in ("dice", "pooled_dice"))]
    return [*cells, number(line["empty_false_positive_rate_mean"]), *difference(line)]


def transfer(line: Line) -> list[str]:
    cells = [line["arm"], line["trained_on"], *(span(line, name) for name in ("dice", "pooled_dice"))]
    return [*cells, number(line["empty_false_positive_rate_mean"])]


TABLES = {
    "table1_soop": table1,
    "ablation_soop": ablation,
    "phantom_to_real": transfer,
    "balancing_soop18": balancing,
    "balancing_tenth": balancing,
}


def rows(name: str) -> list[str]:
    """The lines of README's table that belong to a file."""
    return [f"| {' | '.join(TABLES[name](line))} |" for line in read(name)]


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_of_readme_are_the_files(name):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for row in rows(name):
        assert row in readme, row
    assert f"{name}.csv" in readme


def test_every_result_says_how_it_was_made():
    for file in RESULTS.glob("*.json"):
        card = json.loads(file.read_text(encoding="utf-8"))
        assert card["command"].startswith("python ") and card["date"] and card["hardware"], file.name
    for file in RESULTS.glob("*.csv"):
        assert (RESULTS / f"{file.stem.removesuffix('_slices')}.json").is_file(), file.name


def test_table_1_follows_from_its_slices():
    lines = read("table1_soop_slices")
    for arm in read("table1_soop"):
        counts = Counts(
            *(
                torch.tensor([int(line[f"{arm['arm']}_{name}"]) for line in lines])
                for name in ("tp", "fp", "fn")
            )
        )
        dice = counts[counts.lesion()].dice()
        assert float(arm["dice_mean"]) == pytest.approx(float(dice.mean()), abs=1e-4)
        assert float(arm["pooled_dice_mean"]) == pytest.approx(float(counts.pool().dice()), abs=1e-4)
