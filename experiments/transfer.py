"""From the phantom to real slices: ``python -m experiments.transfer --data DIR --out DIR``.

The shipped segmentors trained on the phantom alone meet real test patients, beside those trained on
such patients. (The phantom's grey levels were once tuned on SOOP's slices, these test patients
among them: see results/phantom_likeness.json.) Nothing is trained or chosen here: each keeps the threshold
that its own validation patients gave it.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from functools import partial
from typing import Any

import torch

from experiments.compare import TABLE_1
from experiments.comparison import SCORES
from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.measure import measure
from strokegan_lib.evaluation.scores import summary
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json
from strokegan_lib.training.weights import load_weights, shipped

PROG = "python -m experiments.transfer"
TRAINED_ON = ("phantom", "soop")


def parser() -> Parser:
    options = Parser(prog=PROG, description="Score the shipped segmentors on real test patients.")
    options.add_argument("--data", type=path, required=True, metavar="DIR", help="prepared SOOP, FLAIR")
    options.add_argument("--out", type=path, required=True, metavar="DIR", help="a folder for the tables")
    return options


def transfer(options: Namespace) -> None:
    """Write table.csv and card.json to --out.

    Raises:
        BadInput: bad data, or data with more than the one channel that the weights know.
    """
    slices = SliceSet.open(options.data)
    if len(slices.channels) != 1:
        raise BadInput(slices.folder, f"holds {len(slices.channels)} channels, and the weights are for one",
                       "prepare it with one channel")  # fmt: skip
    rows = slices.of_split("test")
    patients = slices.table["patient"][rows]
    batches = Batches(slices, rows, size=64)
    table = []
    for method in TABLE_1:
        for store in TRAINED_ON:
            segmentor, about = load_weights(shipped(f"{method}-{store}"), "segmentor")
            counts = measure(segmentor, batches, torch.tensor([about["threshold"]]))
            scores = summary(counts, patients)
            line: dict[str, Any] = {"arm": method, "trained_on": store, "threshold": about["threshold"]}
            line |= {
                f"{score}_{part}": scores[score][part] for score in SCORES for part in ("mean", "low", "high")
            }
            table.append(line)
            print(
                f"{method:8} trained on {store:8} Dice {line['dice_mean']:.3f}  pooled {line['pooled_dice_mean']:.3f}"
            )
    write_csv(options.out / "table.csv", table)
    card = {
        "what": "Shipped segmentors on real test patients, each at the threshold of its own validation "
        "patients; 95 % patient bootstrap",
        "command": f"{PROG} --data DIR --out DIR",
        "data": slices.card["name"],
        "data_sha256": slices.card["sha256"],
        "counts": {name: scores[name] for name in ("slices", "lesion_slices", "patients")},
        **provenance(torch.get_num_threads(), "fp32"),
    }
    write_json(options.out / "card.json", card)


def main() -> None:
    sys.exit(run(partial(transfer, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()
