"""Write the tables into docs/results.md, docs/ethics.md and README.md: ``python -m experiments.results_page``.

A table stands between <!-- table NAME --> and <!-- /table -->; it is made of results/NAME.csv and its card. A part of a
table is NAME:VIEW. The figures that README names stand between <!-- results --> and <!-- /results -->.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from experiments.cards import steps_made
from experiments.new_loss import CANDIDATES
from experiments.runner import RESULTS, Line, flat
from strokegan_lib.classroom.saved import table_of
from strokegan_lib.files import write_whole
from strokegan_lib.training.weights import NETWORKS, SHIPPED, load_weights, shipped

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "docs/results.md", ROOT / "docs/ethics.md", ROOT / "README.md")
OVERLAP = {"": "arm", "Dice, lesion slices": "dice", "pooled Dice": "pooled_dice"}
FALSE_POSITIVES = {"false positives on empty slices": "empty_false_positive_rate"}
AGAINST = {"first − this, Dice": "minus_arm", "p (Holm)": "wilcoxon_holm_p"}
ARMS = {**OVERLAP, "precision": "precision", "sensitivity": "sensitivity", **FALSE_POSITIVES, **AGAINST}
BALANCING = {"": "arm", "slices made": "synthetic_slices", **OVERLAP, **FALSE_POSITIVES, **AGAINST}
GROUPS = {
    "against": "arm",
    "slices": "group",
    "n": "slices",
    "first": "first",
    "other": "other",
    "gain": "gain",
}
REALISM = {
    "KID": "kernel",
    "precision": "precision",
    "coverage": "coverage",
    "recall": "recall",
    "MS-SSIM": "ms_ssim",
}
LESIONS = {
    "Dice found": "painted_dice",
    "over Dice on true slices": "fidelity",
    "MS-SSIM, same masks": "same_masks",
}
# name of the table: header of a column -> its name in the file
TABLES: dict[str, dict[str, str]] = {
    "table1_soop": {**ARMS, "F1 of lesions": "lesion_f1", "HD95, mm": "hd95_mm"},
    "table1_soop:errors": {
        "method": "arm", "invents: something found on a slice without a lesion": "empty_false_positive_rate",
        "erases: nothing found on a slice with one": "missed_rate", "Dice below 100 pixels": "dice_1_to_99_pixels",
    },
    "attempts_soop": {"attempt": "attempt", "masked": "masked", "segan": "segan", "unet": "unet"},
    "ablation_soop": ARMS,
    "phantom_to_real": {"": "arm", "trained on": "trained_on", **OVERLAP, **FALSE_POSITIVES},
    "balancing_soop18:errors": {**OVERLAP, **FALSE_POSITIVES}, "balancing_tenth:errors": {**OVERLAP, **FALSE_POSITIVES},
    "balancing_soop18": BALANCING, "balancing_tenth": BALANCING, "painters_soop": BALANCING,
    "phantom_start_control": {"setting": "setting", **OVERLAP, **FALSE_POSITIVES, **AGAINST},
    "new_loss_candidates": {
        "loss": "loss", "Dice, lesion slices": "validation_dice", "pooled Dice": "pooled_dice",
        "false positives on empty slices": "false_alarms", "1 to 99 pixels": "dice_1_to_99",
        "100 to 399": "dice_100_to_399", "400 or more": "dice_400_or_more",
    },
    "new_loss_soop": ARMS, "new_loss_soop_groups": GROUPS, "new_loss_untouched": ARMS,
    "new_loss_phantom": ARMS, "new_loss_phantom_groups": GROUPS,
    "weights": {"": "generator", **REALISM, "error": "error", "memorisation": "memorisation"},
    "weights:copies": {
        "generator": "generator", "in features": "memorisation", "in pixels": "memorisation_pixels",
        "nearer than all but 5 % of held-out slices": "memorisation_close", "error, new patients": "error",
        "error, training patients": "training_error",
    },
    "generators_soop": {"": "generator", **REALISM, **LESIONS},
    "family_soop": {
        "member": "title", "masks": "source", "parameters": "parameters_generator", "of the critic": "parameters_critic",
        "steps": "steps", "seconds a step": "step_seconds", **REALISM, **LESIONS,
    },
    "masks_soop": {"measure": "measure", "masks": "masks", "value": "mean", "of as many as a half": "as_many", "halves": "halves"},
    "phantom_likeness": {"": "measure", "distance": "phantom", "between two halves of SOOP": "halves", "ratio": "ratio"},
    "steps": {"what": "what", "trainings": "trainings", "steps in all": "steps"},
}  # fmt: skip


def number(value: Any) -> str:
    """'.434' for .4341, '−.021' for -.0207, '57.8', '1,200', '0.96 M'; words as they are."""
    if not isinstance(value, float | int):
        return value or ""
    if value == 0:
        return "0"
    if abs(value) >= 1e5:
        return f"{value / 1e6:.2f} M"
    if abs(value) > 1.5 and float(value).is_integer():
        return f"{value:,.0f}"
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.{1 if abs(value) >= 10 else 3}f}").replace("-", "−")


def cell(line: Line, name: str) -> str:
    """A value, with its interval where there is one."""
    if name == "wilcoxon_holm_p" and line[name] is not None and line[name] < 0.001:
        return "< .001"
    if name == "mean":  # of a table with one measure a line
        line = {f"mean_{end}": line[end] for end in ("mean", "low", "high")}
    low, high = (line.get(f"{name}_{end}") for end in ("low", "high"))
    value = number(line.get(f"{name}_mean", line.get(name)))
    return value if low is None else f"{value} ({number(low)} to {number(high)})"


def lines_of(name: str) -> tuple[list[Line], dict[str, Any]]:
    """The lines of a table and its card, which is empty where they come from the weight files."""
    if name in ("weights", "steps"):
        return {"weights": of_weights, "steps": of_steps}[name](), {}
    return table_of(name.removesuffix("_groups"), RESULTS, part="groups" if name.endswith("_groups") else "")


def of_weights() -> list[Line]:
    """Scores in the files of the generators that are given masks, each beside halves of its true slices."""
    lines = []
    for name in ("synthesis-phantom", "synthesis-soop", "styled-soop"):
        scores = load_weights(shipped(name), tuple(NETWORKS))[1]["scores"]
        lines.append({"generator": name, **flat(scores)})
        if name.startswith("synthesis"):
            halves = {measure: {"mean": of.get("halves")} for measure, of in scores.items()}
            halves["error"] = scores["mean_picture_error"]
            lines.append({"generator": f"true slices of {name.split('-')[1]}", **flat(halves)})
    return lines


def of_steps() -> list[Line]:
    """How long what is reported was trained."""
    made = [steps_made(load_weights(file, tuple(NETWORKS))[1]) for file in SHIPPED.glob("*.safetensors")]
    folds = len(table_of("table1_soop", RESULTS)[1]["seeds"])
    each = [line["steps"] for line in table_of("table1_soop", RESULTS)[0]]
    chosen = len(table_of("new_loss_candidates", RESULTS)[0])
    return [
        {"what": "the shipped files", "trainings": len(made), "steps": sum(made)},
        {"what": "Table 1, five folds", "trainings": folds * len(each), "steps": folds * sum(each)},
        {
            "what": "the divergence, five folds, and all candidates", "trainings": folds + chosen,
            "steps": folds * each[0] + chosen * CANDIDATES.budget["steps"],
        },
    ]  # fmt: skip


def table(name: str) -> str:
    """A table in Markdown, with a line that says how many, how and when."""
    source, _, view = name.partition(":")
    columns, (lines, card) = TABLES[name], lines_of(source)
    rows = [
        [*columns],
        ["---"] * len(columns),
        *([cell(line, key) for key in columns.values()] for line in lines),
    ]
    text = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    if view or not card:
        return text
    counts = [
        f"{n:,} {of.replace('_', ' ')}" for of, n in card.get("counts", {}).items() if isinstance(n, int)
    ]
    seeds = ["seeds " + ", ".join(map(str, card["seeds"]))] if "seeds" in card else []
    said = "; ".join([card["what"], *counts, *seeds, card["date"]])
    files = {f"{source}.csv": f"{source}.csv", "card": f"{source.removesuffix('_groups')}.json"}
    links = ", ".join(f"[{label}](../experiments/results/{file})" for label, file in files.items())
    return f"{text}\n\n*{said}.* {links}"


def ahead(line: Line) -> str:
    """By how much an arm's Dice is above the reference, whose lead its line holds."""
    ends = {"": "", "_low": "_high", "_high": "_low"}
    return cell({f"gain{end}": -line[f"minus_arm{other}"] for end, other in ends.items()}, "gain")


def findings() -> str:
    """The figures that README names."""
    table1, card = table_of("table1_soop", RESULTS)
    arms, balancing = (
        {line["arm"]: line for line in of} for of in (table1, table_of("balancing_soop18", RESULTS)[0])
    )
    coverage = {
        line["generator"]: number(line["coverage_mean"]) for line in table_of("generators_soop", RESULTS)[0]
    }
    reader = json.loads((RESULTS / "blinded_reading_soop.json").read_text(encoding="utf-8"))
    return f"""- **The paper's margin is not found.** On {card["counts"]["slices"]} real slices, five folds, the paper's segmentor has a Dice {cell(arms["segan"], "minus_arm")}
  above SegAN's, where the paper reports .058; a plain U-Net is ahead of it by {ahead(arms["unet"])}.
- **Synthetic strokes help where strokes are few.** Training with them gives a Dice {ahead(balancing["gan-50"])} above oversampling,
  cutting and pasting strokes (CarveMix) {ahead(balancing["carvemix"])}. One seed.
- **Synthetic slices look real to an encoder, not to a reader.** Their coverage is {coverage["synthesis-soop"]}, that of halves of true slices {coverage["true slices"]};
  one reader, an AI model, told {reader["right"]} of {reader["of"]} slices apart."""


def filled(text: str) -> str:
    """A page with its tables made anew."""
    pattern = r"(<!-- table (\S+) -->\n).*?(<!-- /table -->)"
    text = re.sub(pattern, lambda found: f"{found[1]}{table(found[2])}\n{found[3]}", text, flags=re.S)
    block = r"(<!-- results -->\n).*?(<!-- /results -->)"
    return re.sub(block, lambda found: f"{found[1]}{findings()}\n{found[2]}", text, flags=re.S)


if __name__ == "__main__":
    for page in PAGES:
        write_whole(page, filled(page.read_text(encoding="utf-8")))
