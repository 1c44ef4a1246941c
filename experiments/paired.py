"""Hold segmentors against each other slice by slice: ``python -m experiments.paired --data DIR --out DIR``.

Nothing is trained. The arms come from comparisons that were made before (``--slices``: their
slices.csv), or from weight files (``--weights``), each scored on the plain split's test patients
at its own threshold. So a new arm can join an old comparison of the same data without
training the others again.
"""

from __future__ import annotations

import csv
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.compare import by_slice
from experiments.comparison import compare_arms
from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.groups import compare_groups, groups_of
from strokegan_lib.evaluation.measure import measure
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json
from strokegan_lib.training.weights import load_weights

PROG = "python -m experiments.paired"
OUTCOMES = ("tp", "fp", "fn")


def parser() -> Parser:
    options = Parser(
        prog=PROG, description="Compare segmentors slice by slice: a table, and where each is better."
    )
    options.add_argument(
        "--data", type=path, required=True, metavar="DIR", help="the data set they were tested on"
    )
    options.add_argument("--out", type=path, required=True, metavar="DIR", help="a folder for the tables")
    arms = options.add_mutually_exclusive_group(required=True)
    arms.add_argument(
        "--slices",
        type=path,
        nargs="+",
        metavar="FILE",
        help="slices.csv of earlier comparisons on this data",
    )
    arms.add_argument(
        "--weights", type=path, nargs="+", metavar="FILE", help="segmentors, scored on the test patients"
    )
    options.add_argument(
        "--arms", metavar="A,B,...", help="which arms, the first against the others (default: all, in order)"
    )
    options.add_argument(
        "--leave-out", choices=["validation"], help="leave out the plain split's validation patients, on whom "
        "candidates were chosen",
    )  # fmt: skip
    return options


def compare(options: Namespace) -> None:
    """Write table.csv, groups.csv, slices.csv and card.json to --out.

    Raises:
        BadInput: files of other data, arms that are not there, or weights of other channels.
    """
    slices = SliceSet.open(options.data)
    rows, counts = (
        _of_files(options.slices, slices) if options.slices else _of_weights(options.weights, slices)
    )
    if options.leave_out:
        kept = ~np.isin(rows, slices.of_split(options.leave_out))
        rows, counts = rows[kept], {arm: c[kept] for arm, c in counts.items()}
    names = options.arms.split(",") if options.arms else list(counts)
    unknown = [name for name in names if name not in counts]
    if unknown or len(set(names)) < max(2, len(names)):
        raise BadInput(
            f"--arms {options.arms}", "is no list of two arms or more", f"choose of {', '.join(counts)}"
        )
    counts = {name: counts[name] for name in names}
    patients = slices.table["patient"][rows]
    table, by_group = (
        compare_arms(counts, patients),
        compare_groups(counts, patients, groups_of(slices, rows)),
    )
    lesions = int(counts[names[0]].lesion().sum())
    write_csv(options.out / "table.csv", table)
    write_csv(options.out / "groups.csv", by_group)
    write_csv(options.out / "slices.csv", list(by_slice(counts, slices, rows)))
    write_json(options.out / "card.json", _card(options, slices, patients, lesions, names))
    for line in by_group:
        gain = (
            "no such slice"
            if line["gain"] is None
            else "gain {gain:+.3f} ({gain_low:+.3f} to {gain_high:+.3f})".format(**line)
        )
        print("{arm:20} {group:20} {slices:4} slices  ".format(**line) + gain)


def _of_files(files: list[Path], slices: SliceSet) -> tuple[np.ndarray, dict[str, Counts]]:
    """Rows (N,) and counts (N,) by arm, from the files of comparisons that tested the same slices.

    An arm that several files hold is taken from the first of them.

    Raises:
        BadInput: a file of no comparison, or of other slices.
    """
    rows, found = None, {}
    for file in files:
        try:
            with open(file, newline="", encoding="utf-8") as stream:
                lines = sorted(csv.DictReader(stream), key=lambda line: int(line["row"]))
            own = np.array([int(line["row"]) for line in lines])
            told = [line["patient"] for line in lines]
            arms = [name.removesuffix("_tp") for name in lines[0] if name.endswith("_tp")]
            counts = {
                arm: Counts(*(torch.tensor([int(line[f"{arm}_{o}"]) for line in lines]) for o in OUTCOMES))
                for arm in arms
            }
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            raise BadInput(
                file, "is no slices.csv of a comparison", "name one that experiments.compare wrote"
            ) from error
        if (
            own.max() >= len(slices)
            or slices.table["patient"][own].tolist() != told
            or (rows is not None and not np.array_equal(rows, own))
        ):
            raise BadInput(
                file, "is of other slices", "name comparisons of this data set with the same split"
            )
        rows = own
        found |= {arm: c for arm, c in counts.items() if arm not in found}
    return rows, found


def _of_weights(files: list[Path], slices: SliceSet) -> tuple[np.ndarray, dict[str, Counts]]:
    """Test rows (N,) and counts (N,) by name of the weight file.

    Raises:
        BadInput: two files of one name, weights of other channels, or without a threshold.
    """
    rows = slices.of_split("test")
    batches, found = Batches(slices, rows, size=64), {}
    for file in files:
        segmentor, about = load_weights(file, "segmentor")
        if file.stem in found:
            raise BadInput(file, "has the name of another file", "give each a name of its own")
        if "threshold" not in about:
            raise BadInput(file, "names no threshold", "name weights that the training door wrote")
        if segmentor.config["channels"] != len(slices.channels):
            raise BadInput(
                file, "is for slices of other channels", "name weights that were trained on such data"
            )
        found[file.stem] = measure(segmentor, batches, torch.tensor([about["threshold"]]))[0]
    return rows, found


def _card(
    options: Namespace, slices: SliceSet, patients: np.ndarray, lesions: int, names: list[str]
) -> dict[str, Any]:
    given = "slices" if options.slices else "weights"
    words = " ".join(file.name for file in getattr(options, given))
    left_out = f" --leave-out {options.leave_out}" if options.leave_out else ""
    return {
        "what": "table.csv: overlap, 95 % patient bootstrap, differences of Dice over lesion slices (first less arm), "
        "Wilcoxon p over patients, Holm-corrected; groups.csv: gain of the first arm by lesion size, by contrast "
        "(terciles) and, for false alarms, on empty slices; its p are not corrected",
        "command": f"{PROG} --data DIR --out DIR --{given} {words} --arms {','.join(names)}{left_out}",
        "data": slices.card["name"],
        "data_sha256": slices.card["sha256"],
        "counts": {
            "slices": len(patients),
            "lesion_slices": lesions,
            "patients": len(set(patients.tolist())),
        },
        **provenance(torch.get_num_threads(), "fp32 scoring"),
    }


def main() -> None:
    sys.exit(run(partial(compare, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()
