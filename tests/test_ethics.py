"""What docs/ethics.md says was measured is what the kit's files say, and it leads to every card."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from test_results import number, read, span

from strokegan_lib.training.weights import GENERATORS, load_weights, shipped

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "strokegan_lib/weights"
TEXT = (ROOT / "docs/ethics.md").read_text(encoding="utf-8")
ONE_LINE = " ".join(TEXT.split())


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("name", ["synthesis-phantom", "synthesis-soop", "styled-soop"])
def test_memorisation(name: str):
    scores = load_weights(shipped(name), GENERATORS)[1]["scores"]
    cells = []
    for measure in ("memorisation", "memorisation_pixels", "memorisation_close"):
        mean, low, high = (number(scores[measure][part]) for part in ("mean", "low", "high"))
        cells.append(f"{mean} ({low} to {high})")
    assert row(f"[{name}](../strokegan_lib/weights/{name}.md)", *cells) in TEXT, cells


@pytest.mark.parametrize("line", read("table1_soop"), ids=lambda line: line["arm"])
def test_lesions_invented_and_erased(line: dict[str, str]):
    cells = [span(line, name) for name in ("empty_false_positive_rate", "missed_rate", "dice_1_to_99_pixels")]
    assert row(line["arm"], *cells) in TEXT, cells
    assert float(line["empty_false_positive_rate_mean"]) > 0.5  # "half or more"


@pytest.mark.parametrize(
    ("setting", "file", "arm"), [("soop-18", "soop18", "gan-50"), ("tenth", "tenth", "gan-80")]
)
def test_false_alarms_of_balancing(setting: str, file: str, arm: str):
    lines = {line["arm"]: line for line in read(f"balancing_{file}")}
    painted, reference = lines[arm], lines["oversampling"]
    assert float(painted["stroke_share_in_batches"]) == pytest.approx(
        float(reference["stroke_share_in_batches"]), abs=0.01
    )
    cells = [span(line, "empty_false_positive_rate") for line in (reference, painted)]
    assert row(setting, *cells) in TEXT, cells


def test_from_the_phantom_to_real_slices():
    lines = {(line["arm"], line["trained_on"]): line for line in read("phantom_to_real")}
    arms = ("masked", "segan", "unet")
    pooled = {key: float(line["pooled_dice_mean"]) for key, line in lines.items()}
    shares = [round(100 * pooled[arm, "phantom"] / pooled[arm, "soop"]) for arm in arms]
    assert f"reach {min(shares)} to {max(shares)} % of the pooled Dice" in ONE_LINE, shares
    alarms = [float(lines[arm, "phantom"]["empty_false_positive_rate_mean"]) for arm in arms]
    assert f"({number(min(alarms))} to {number(max(alarms))};" in ONE_LINE, alarms


def test_steps_of_the_trainings():
    steps = []
    for card in WEIGHTS.glob("*-*.md"):
        steps.append(int(re.search(r"^\| steps, batch, seed \| (\d+),", card.read_text(), re.M).group(1)))
    steps.append(int(re.search(r"seed \| (\d+),", (WEIGHTS / "encoder.md").read_text()).group(1)))
    assert row("the shipped files", str(len(steps)), f"{sum(steps):,}") in TEXT, (len(steps), sum(steps))
    folds = len(json.loads((ROOT / "experiments/results/table1_soop.json").read_text())["seeds"])
    each = [int(line["steps"]) for line in read("table1_soop")]
    assert row("Table 1, five folds", str(folds * len(each)), f"{folds * sum(each):,}") in TEXT


def test_every_card_is_linked_and_every_link_leads_somewhere():
    for card in WEIGHTS.glob("*.md"):
        assert f"(../strokegan_lib/weights/{card.name})" in TEXT, card.name
    for target in re.findall(r"\]\(((?!http)[^)#]+)", TEXT):
        assert (ROOT / "docs" / target).exists(), target
