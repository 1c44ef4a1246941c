"""Score a segmentor: ``python -m strokegan_lib.evaluate --data DIR --weights FILE --out results.json``."""

import sys
from argparse import Namespace
from functools import partial

import torch

from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import SPLITS
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.measure import predict
from strokegan_lib.evaluation.scores import full_summary
from strokegan_lib.evaluation.slicewise import score_slices
from strokegan_lib.evaluation.statistics import Interval
from strokegan_lib.evaluation.tables import provenance, write_json
from strokegan_lib.files import sha256
from strokegan_lib.training.weights import load_weights

PROG = "python -m strokegan_lib.evaluate"
BY_SIZE = ("dice", "missed_rate", "lesion_f1", "hd95_mm")  # printed for each size of lesion; the file has all


def parser() -> Parser:
    options = Parser(prog=PROG, description="Score a segmentor, with 95 % intervals over patients.")
    options.add_argument("--data", type=path, required=True, metavar="DIR", help="a prepared data set")
    options.add_argument("--weights", type=path, required=True, metavar="FILE", help="weights.safetensors")
    options.add_argument("--out", type=path, required=True, metavar="FILE", help="results.json to write")
    options.add_argument("--split", choices=[*SPLITS, "all"], default="test", help="default: %(default)s")
    options.add_seed("of the bootstrap (default: 0)")
    return options


def evaluate(options: Namespace) -> None:
    """Write every score at the threshold that validation chose, and print them as a table.

    Weights from a fold of a cross-validation are scored on that fold's part. BadInput for bad data, weights of
    another network or of other channels, and --out in use.
    """
    if options.out.exists():
        raise BadInput(options.out, "exists already", "choose another --out or delete it first")
    segmentor, about = load_weights(options.weights, "segmentor")
    slices = SliceSet.open(options.data)
    channels, held = segmentor.config["channels"], len(slices.channels)
    if channels != held:
        raise BadInput(
            slices.folder, f"holds {held} channel(s), and the weights are for {channels}",
            "give data and weights that were prepared alike",
        )  # fmt: skip
    if "threshold" not in about:
        raise BadInput(options.weights, "names no threshold", "train it with python -m strokegan_lib.train")
    fold = about.get("settings", {}).get("fold")
    rows = slices.of_split(options.split, fold)
    table = {name: column[rows] for name, column in slices.table.items()}
    if not table["has_stroke"].any():
        part = f"holds no slice with stroke in its part '{options.split}'"
        raise BadInput(slices.folder, part, "choose another --split")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    segmentor.to(device, memory_format=torch.channels_last)
    predictions = predict(segmentor, Batches(slices, rows, size=64, device=device), bar=True)
    measured = score_slices(predictions, about["threshold"], table, bar=True)
    probability = segmentor.config["output"] == "probability"
    scores = full_summary(measured, table["patient"], probability=probability, seed=options.seed)
    results = {
        "data": slices.card["name"], "data_sha256": slices.card["sha256"],
        "weights": options.weights.name, "weights_sha256": sha256(options.weights), "made_by": about,
        "split": options.split, "fold": fold, "threshold": about["threshold"], "seed": options.seed,
        **provenance(torch.get_num_threads(), "fp32"), "scores": scores,
    }  # fmt: skip
    write_json(options.out, results)
    print(as_text(scores))


def as_text(scores: dict) -> str:
    """The scores of ``full_summary`` as lines: mean, 95 % interval, and how many it rests on."""

    def line(name: str, score: dict) -> str:
        found = Interval(**score)
        return f"{name:28} {found!s:36} n = {found.n}, {found.patients} patients"

    lines = [line(*item) for item in scores.items() if isinstance(item[1], dict) and "mean" in item[1]]
    for size, part in scores["by_size"].items():
        lines += ["", f"lesions of {size}", *(line(name, part[name]) for name in BY_SIZE)]
    return "\n".join(lines)


def main() -> None:
    sys.exit(run(partial(evaluate, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()
