"""SegAN and the proposal, one difference at a time: ``python -m strokegan_lib.ablation --data DIR --out DIR``.

Every arm gets the same steps, batches, augmentation, threshold search and seed. Arms that
are trained already are only scored; an interrupted one goes on.
"""

from __future__ import annotations

import csv
import datetime
import json
import os
import platform
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.door import Parser, run
from strokegan_lib.errors import writing
from strokegan_lib.evaluation.measure import measure
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.scores import summary
from strokegan_lib.evaluation.statistics import holm, paired
from strokegan_lib.train import train
from strokegan_lib.training.weights import load_weights

NAME = "python -m strokegan_lib.ablation"
REFERENCE = "masked"  # every other arm is compared with it
ARMS: dict[str, dict[str, Any]] = {
    REFERENCE: {"method": "masked"},
    "masked-no-attention": {"method": "masked", "attention": False},
    "masked-pixel": {"method": "masked", "levels": "pixel"},
    "segan": {"method": "segan"},
    "segan-released": {"method": "segan-released"},
    "unet": {"method": "unet"},
}
SCORES = (
    "dice", "precision", "sensitivity", "pooled_dice", "empty_false_positive_rate",
    "empty_false_positive_pixels",
)  # fmt: skip


def parser() -> Parser:
    options = Parser(prog=NAME, description="Train and compare the ways to segment, at equal budgets.")
    options.add_argument("--data", type=Path, required=True, metavar="DIR", help="a prepared data set")
    options.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="a folder for runs and tables"
    )
    options.add_argument("--steps", type=int, default=1200, metavar="N", help="default: %(default)s")
    options.add_argument("--width", type=int, default=16, metavar="N", help="default: %(default)s")
    options.add_argument("--batch-size", type=int, default=16, metavar="N", help="default: %(default)s")
    options.add_argument("--lesion-share", type=float, default=0.75, metavar="X", help="default: %(default)s")
    options.add_argument("--seed", type=int, default=0, metavar="N", help="default: %(default)s")
    options.add_argument("--threads", type=int, default=1, metavar="N", help="default: %(default)s")
    return options


def ablate(options: Namespace) -> None:
    """Train what is not trained yet, score all on the test patients, write ablation.csv and ablation.json."""
    slices = SliceSet.open(options.data)
    common = {
        "task": "segmentation", "profile": "quick", "resume": True, **vars(options),
    }  # fmt: skip
    for name, arm in ARMS.items():
        if not (options.out / name / "weights.safetensors").is_file():
            train({**common, **arm, "out": options.out / name})
    rows = slices.of_split("test")
    batches = Batches(slices, rows, size=64)
    patients = slices.table["patient"][rows]
    found = {name: _score(options.out / name, batches) for name in ARMS}

    reference, _ = found[REFERENCE]
    lesion = reference.lesion()
    others = [name for name in ARMS if name != REFERENCE]
    compared = {
        name: paired(
            reference[lesion].dice().numpy(), found[name][0][lesion].dice().numpy(), patients[lesion.numpy()]
        )
        for name in others
    }
    corrected = dict(zip(others, holm([compared[name].p for name in others]), strict=True))
    table = []
    for name, (counts, about) in found.items():
        line: dict[str, Any] = {"arm": name, **about}
        scores = summary(counts, patients)
        for score in SCORES:
            for part in ("mean", "low", "high"):
                line[f"{score}_{part}"] = scores[score][part]
        if name in compared:
            difference = compared[name].difference
            line["masked_minus_arm"] = difference.mean
            line["masked_minus_arm_low"], line["masked_minus_arm_high"] = difference.low, difference.high
            line["wilcoxon_holm_p"] = corrected[name]
        table.append(line)
    card = {
        "what": "Overlap on test patients at the threshold that validation chose; 95 % patient bootstrap; "
        "differences of Dice over lesion slices, paired; p: Wilcoxon signed-rank over patients, Holm-corrected",
        "command": f"{NAME} --data DIR --out DIR --steps {options.steps} --width {options.width} "
        f"--batch-size {options.batch_size} --lesion-share {options.lesion_share:g} --seed {options.seed} "
        f"--threads {options.threads}",
        "data": slices.card["name"],
        "data_sha256": slices.card["sha256"],
        "counts": {k: scores[k] for k in ("slices", "lesion_slices", "patients")},
        "seeds": [options.seed],
        "date": datetime.date.today().isoformat(),
        "hardware": f"{os.cpu_count()} CPU cores ({platform.machine()}), {options.threads} thread(s) a run, fp32",
        "torch": torch.__version__,
    }
    _write(options.out, table, card)
    for line in table:
        print("{arm:20} Dice {dice_mean:.3f}  pooled {pooled_dice_mean:.3f}".format(**line))


def _score(folder: Path, batches: Batches) -> tuple[Counts, dict[str, Any]]:
    """Counts (N,) at the arm's threshold, and what the weight file says of its making."""
    segmentor, about = load_weights(folder / "weights.safetensors", "segmentor")
    counts = measure(segmentor, batches, torch.tensor([about["threshold"]]))[0]
    size = sum(p.numel() for p in segmentor.parameters())
    kept = {
        "steps": about["settings"]["steps"],
        "parameters": size,
        "threshold": round(about["threshold"], 2),
    }
    return counts, {**kept, "validation_dice": about["validation_dice"]}


def _write(out: Path, table: list[dict[str, Any]], card: dict[str, Any]) -> None:
    names = list(dict.fromkeys(name for line in table for name in line))
    partial_file = out / ".ablation.partial"
    with writing(out):
        with open(partial_file, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names, lineterminator="\n")
            writer.writeheader()
            for line in table:
                writer.writerow({k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()})
        os.replace(partial_file, out / "ablation.csv")
        partial_file.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(partial_file, out / "ablation.json")


def main() -> None:
    sys.exit(run(partial(ablate, parser().parse_args()), NAME))


if __name__ == "__main__":
    main()
