"""Score a segmentor: ``python -m strokegan_lib.evaluate --data DIR --weights FILE --out results.json``."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path

import torch

from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import SPLITS
from strokegan_lib.door import Parser, run
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.evaluation.measure import measure
from strokegan_lib.evaluation.scores import summary
from strokegan_lib.training.weights import load_weights

NAME = "python -m strokegan_lib.evaluate"


def parser() -> Parser:
    options = Parser(prog=NAME, description="Score a segmentor, with 95 % intervals over patients.")
    options.add_argument("--data", type=Path, required=True, metavar="DIR", help="a prepared data set")
    options.add_argument("--weights", type=Path, required=True, metavar="FILE", help="weights.safetensors")
    options.add_argument("--out", type=Path, required=True, metavar="FILE", help="results.json to write")
    options.add_argument("--split", choices=[*SPLITS, "all"], default="test", help="default: %(default)s")
    options.add_argument("--seed", type=int, default=0, metavar="N", help="of the bootstrap (default: 0)")
    return options


def evaluate(options: Namespace) -> None:
    """Write the scores at the threshold that validation chose, and print the first of them.

    Raises:
        BadInput: bad data, weights of another network or of other channels, --out in use.
    """
    if options.out.exists():
        raise BadInput(options.out, "exists already", "choose another --out or delete it first")
    segmentor, about = load_weights(options.weights, "segmentor")
    slices = SliceSet.open(options.data)
    painted, held = segmentor.config["channels"], len(slices.channels)
    if painted != held:
        raise BadInput(
            slices.folder, f"holds {held} channel(s), and the weights are for {painted}",
            "give data and weights that were prepared alike",
        )  # fmt: skip
    if "threshold" not in about:
        raise BadInput(options.weights, "names no threshold", "train it with python -m strokegan_lib.train")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = slices.of_split(options.split)
    batches = Batches(slices, rows, size=64, device=device)
    if not slices.table["has_stroke"][rows].any():
        raise BadInput(
            slices.folder,
            f"holds no slice with stroke in its part '{options.split}'",
            "choose another --split",
        )
    segmentor.to(device, memory_format=torch.channels_last)
    counts = measure(segmentor, batches, torch.tensor([about["threshold"]]))
    results = {
        "data": slices.card["name"],
        "data_sha256": slices.card["sha256"],
        "weights": options.weights.name,
        "made_by": about,
        "split": options.split,
        "threshold": about["threshold"],
        "scores": summary(counts, slices.table["patient"][rows], seed=options.seed),
    }
    partial_file = options.out.with_name(f".{options.out.name}.partial")
    with writing(options.out):
        options.out.parent.mkdir(parents=True, exist_ok=True)
        partial_file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        os.replace(partial_file, options.out)
    print(table(results["scores"]))


def table(scores: dict) -> str:
    """The scores as lines of text: mean, interval, how many it rests on."""
    lines = []
    for name, score in scores.items():
        if not isinstance(score, dict) or score["mean"] is None:
            continue
        span = f"{score['low']:.3f} to {score['high']:.3f}" if score["low"] is not None else "no interval"
        lines.append(
            f"{name:28} {score['mean']:9.3f}   {span}   n = {score['n']}, {score['patients']} patients"
        )
    return "\n".join(lines)


def main() -> None:
    sys.exit(run(partial(evaluate, parser().parse_args()), NAME))


if __name__ == "__main__":
    main()
