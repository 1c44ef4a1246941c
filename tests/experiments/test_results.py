"""What README says was measured is what the files in experiments/results say."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

from strokegan_lib.data.split import fold_of, split_of
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.training.weights import load_weights, shipped

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "experiments/results"
Line = dict[str, str]


def read(name: str) -> list[Line]:
    with open(RESULTS / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(text: str | float, digits: int = 3) -> str:
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


def attempt(line: Line) -> list[str]:
    return [line["attempt"], *(number(line[method]) for method in ("masked", "segan", "unet"))]


def control(line: Line) -> list[str]:
    cells = [line["setting"], line["arm"], *(span(line, name) for name in ("dice", "pooled_dice"))]
    return [*cells, number(line["empty_false_positive_rate_mean"]), *difference(line)]


def groups(line: Line) -> list[str]:
    gain, low, high = (number(line[name]) for name in ("gain", "gain_low", "gain_high"))
    means = [number(line[name]) for name in ("first", "other")]
    return [line["arm"], line["group"], line["slices"], *means, f"{gain} ({low} to {high})"]


def candidate(line: Line) -> list[str]:
    names = (
        "validation_dice",
        "pooled_dice",
        "false_alarms",
        "dice_1_to_99",
        "dice_100_to_399",
        "dice_400_or_more",
    )
    return [line["loss"], *(number(line[name]) for name in names)]


def generator(line: Line) -> list[str]:
    """A generator and its scores; the true slices have no interval for most of theirs."""
    names = ("kernel", "precision", "coverage", "recall", "ms_ssim", "painted_dice", "fidelity", "same_masks")
    cells = [line["generator"]]
    for name in names:
        mean, low = line[f"{name}_mean"], line[f"{name}_low"]
        cells.append("" if not mean else span(line, name) if low else number(mean))
    return cells


def member(line: Line) -> list[str]:
    def short(text: str) -> str:
        return f"{float(text) / 1e6:.2f} M" if text else ""

    cells = [
        line["title"],
        line["source"],
        *(short(line[f"parameters_{who}"]) for who in ("generator", "critic")),
    ]
    cells += [line["steps"], f"{float(line['step_seconds']):.2f}" if line["step_seconds"] else ""]
    for name in ("kernel", "coverage", "ms_ssim", "fidelity", "same_masks"):
        mean, low = line[f"{name}_mean"], line[f"{name}_low"]
        cells.append("" if not mean else span(line, name) if low else number(mean))
    return cells


TABLES = {
    "family_soop": member,
    "generators_soop": generator,
    "new_loss_candidates": candidate,
    "new_loss_soop": ablation,
    "new_loss_soop_groups": groups,
    "new_loss_phantom": ablation,
    "new_loss_phantom_groups": groups,
    "attempts_soop": attempt,
    "phantom_start_control": control,
    "table1_soop": table1,
    "ablation_soop": ablation,
    "phantom_to_real": transfer,
    "balancing_soop18": balancing,
    "balancing_tenth": balancing,
    "painters_soop": balancing,
}


BEYOND = (
    "new_loss",
    "generators",
    "family",
    "painters_soop",
)  # how the names of results in docs/beyond.md begin


def page_of(name: str) -> str:
    """The text that shows a table."""
    file = "docs/beyond.md" if name.startswith(BEYOND) else "README.md"
    return (ROOT / file).read_text(encoding="utf-8")


def rows(name: str) -> list[str]:
    """The lines of the table that belong to a file."""
    return [f"| {' | '.join(TABLES[name](line))} |" for line in read(name)]


PAINTED = {
    "kernel": "kernel distance (KID on these features)",
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
    "ms_ssim": "MS-SSIM between two slices",
    "error": "error against the true slice, 0..1 (beside it: of the mean training slice)",
    "memorisation": "distance to training slices over that of held-out patients (1: no nearer)",
}


def painted_rows() -> list[str]:
    """README's table of the two generators, from what their weight files say."""
    scores = [
        load_weights(shipped(f"synthesis-{store}"), "generator")[1]["scores"] for store in ("phantom", "soop")
    ]
    table = []
    for name, label in PAINTED.items():
        cells = [label]
        for of in scores:
            mean, low, high = (number(of[name][part]) for part in ("mean", "low", "high"))
            chance = of["mean_picture_error"]["mean"] if name == "error" else of[name].get("halves")
            cells += [f"{mean} ({low} to {high})", "" if chance is None else number(chance)]
        table.append(f"| {' | '.join(cells)} |")
    return table


def test_the_table_of_generators_is_what_their_files_say():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for row in painted_rows():
        assert row in readme, row


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_of_readme_and_beyond_are_the_files(name):
    page = page_of(name)
    for row in rows(name):
        assert row in page, row
    assert f"{name}.csv" in page


def test_every_result_says_how_it_was_made():
    for file in RESULTS.glob("*.json"):
        card = json.loads(file.read_text(encoding="utf-8"))
        assert card["command"].startswith("python ") and card["date"] and card["hardware"], file.name
    for file in RESULTS.glob("*.csv"):
        assert (RESULTS / f"{file.stem.removesuffix('_slices').removesuffix('_groups')}.json").is_file(), (
            file.name
        )


def test_what_readme_says_of_table_1_without_the_patients_that_chose_the_setting():
    lines = [line for line in read("table1_soop_slices") if split_of(line["patient"]) != "validation"]
    dice = {}
    for arm in ("masked", "segan", "unet"):
        counts = Counts(
            *(torch.tensor([int(line[f"{arm}_{n}"]) for line in lines]) for n in ("tp", "fp", "fn"))
        )
        dice[arm] = counts[counts.lesion()].dice().mean().item()
    found = [f"{dice['masked'] - dice[arm]:+.3f}" for arm in ("segan", "unet")]
    said = " and ".join(found).replace("0.", ".").replace("-", "−")
    assert f"({said})" in (ROOT / "README.md").read_text(encoding="utf-8"), said


def test_what_beyond_says_of_the_folds_and_of_lesions_missed_whole():
    lines = read("new_loss_soop_slices")
    page = " ".join((ROOT / "docs/beyond.md").read_text(encoding="utf-8").split())
    fold = torch.tensor([fold_of(line["patient"]) for line in lines])
    of = {
        arm: Counts(*(torch.tensor([int(line[f"{arm}_{n}"]) for line in lines]) for n in ("tp", "fp", "fn")))
        for arm in ("masked-divergence", "masked", "unet")
    }
    ill = of["masked"].lesion()
    dice = {arm: counts.dice() for arm, counts in of.items()}
    alarm = {arm: (counts.fp > 0).double() for arm, counts in of.items()}

    def by_fold(values: dict, other: str, chosen: torch.Tensor, sign: int) -> list[float]:
        off = sign * (values["masked-divergence"] - values[other])
        return [off[chosen & (fold == k)].mean().item() for k in range(5)]

    gains = [number(gain) for gain in by_fold(dice, "masked", ill, 1)]
    assert f"{', '.join(gains[:-1])} and {gains[-1]}" in page, gains
    gains = [number(gain) for gain in by_fold(alarm, "masked", ~ill, -1)]
    assert f"{', '.join(gains[:-1])} and {gains[-1]}" in page, gains
    assert max(by_fold(dice, "unet", ill, 1)) < 0  # "in every fold"
    missed = [
        number((of[arm].tp[ill] == 0).double().mean().item()) for arm in ("masked-divergence", "masked")
    ]
    assert (
        f"in {missed[0]} of the lesion slices no pixel of the lesion is found, with the paper's loss in {missed[1]}"
        in page
    )


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
