"""Train and compare the ways to segment, at equal budgets: ``python -m experiments.compare --data DIR --out DIR``.

A run that is finished is not repeated, one that was stopped goes on: the command can be
given again, or at once in two processes with half of the arms each, and at last with all
of them for the tables.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.comparison import compare_arms
from strokegan_lib.command_line import LARGEST_SEED, Parser, integer, number, path, run
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import FOLDS
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.groups import compare_groups, groups_of
from strokegan_lib.evaluation.measure import predict
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.scores import full_summary
from strokegan_lib.evaluation.slicewise import SliceScores, score_slices
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json
from strokegan_lib.train import train
from strokegan_lib.training.objectives import OBJECTIVES
from strokegan_lib.training.precision import PRECISIONS, arithmetic
from strokegan_lib.training.tasks import fingerprint, resolve_settings
from strokegan_lib.training.weights import load_weights

PROG = "python -m experiments.compare"
ARMS: dict[str, dict[str, Any]] = {
    "masked": {"method": "masked"},
    "masked-no-attention": {"method": "masked", "attention": False},
    "masked-pixel": {"method": "masked", "levels": "pixel"},
    "segan": {"method": "segan"},
    "segan-released": {"method": "segan-released"},
    "unet": {"method": "unet"},
    **{f"masked-{loss}": {"method": "masked", "loss": loss} for loss in OBJECTIVES if loss != "paper"},
}
TABLE_1 = ("masked", "segan", "unet")
FURTHER = ("missed_rate", "lesion_f1", "hd95_mm", "area_difference_pixels")
TRAINED = "weights.safetensors"


def parser() -> Parser:
    options = Parser(prog=PROG, description="Train and compare the ways to segment, at equal budgets.")
    options.add_argument("--data", type=path, required=True, metavar="DIR", help="a prepared data set")
    options.add_argument(
        "--out", type=path, required=True, metavar="DIR", help="a folder for runs and tables"
    )
    options.add_argument(
        "--arms", default=",".join(TABLE_1), metavar="A,B,...",
        help=f"of {', '.join(ARMS)}; the others are compared with the first (default: %(default)s)",
    )  # fmt: skip
    options.add_argument(
        "--cross-validate", action="store_true", help="five folds; default: the plain split by patient"
    )
    options.add_argument(
        "--start",
        type=path,
        metavar="DIR",
        help="start from DIR/ARM/weights.safetensors (default: afresh)",
    )
    options.add_argument(
        "--steps", type=integer(1, 10**9), default=1200, metavar="N", help="default: %(default)s"
    )
    options.add_argument(
        "--width", type=integer(4, 1024), default=16, metavar="N", help="default: %(default)s"
    )
    options.add_argument(
        "--batch-size", type=integer(2, 4096), default=16, metavar="N", help="default: %(default)s"
    )
    options.add_argument(
        "--lesion-share", type=number(0, 1), default=0.75, metavar="X", help="default: %(default)s"
    )
    options.add_argument(
        "--rate", type=number(0, 1e31, within=True), default=1.0, metavar="X", help="default: %(default)s"
    )
    options.add_seed(
        "of the first fold; each other has one more (default: 0)", largest=LARGEST_SEED - FOLDS
    )  # every fold adds one
    options.add_argument(
        "--threads", type=integer(1, 1024), default=1, metavar="N", help="default: %(default)s"
    )
    options.add_argument("--precision", choices=["auto", *PRECISIONS], default="auto", help="default: auto")
    return options


def compare(options: Namespace) -> None:
    """Train what is not trained yet, score all on test patients, write the tables.

    Left in --out are ``table.csv`` (an arm a line, with intervals and paired differences),
    ``groups.csv`` (where the first arm is better than each other: by size, by contrast, on empty slices),
    ``slices.csv`` (pixel counts of every test slice by arm, from which all of it follows) and
    ``card.json`` (the command, the data, the hardware).

    Raises:
        BadInput: an arm that is not known, or whatever training refuses.
    """
    arms = options.arms.split(",")
    unknown = [arm for arm in arms if arm not in ARMS]
    if unknown or len(set(arms)) < len(arms):
        raise BadInput(
            f"--arms {options.arms}", "is no list of different arms", f"choose of {', '.join(ARMS)}"
        )
    slices = SliceSet.open(options.data)
    folds = list(range(FOLDS)) if options.cross_validate else [None]
    for fold in folds:  # fold by fold, so that all arms have as many when it is stopped
        for arm in arms:
            out, start = _folder(options, arm, fold), options.start and options.start / arm / TRAINED
            # refuses a run that was made with other settings
            settings = resolve_settings("segmentation", _settings(options, arm, fold), out)
            if not (out / TRAINED).is_file():
                train(settings, data=options.data, out=out, resume=True, threads=options.threads, start=start)
    found = {arm: [_score(_folder(options, arm, fold), slices, fold) for fold in folds] for arm in arms}
    rows = np.concatenate([slices.of_split("test", fold) for fold in folds])
    measured = {arm: SliceScores.cat([part for part, _ in parts]) for arm, parts in found.items()}
    counts = {arm: scores.counts for arm, scores in measured.items()}
    made = {arm: _made([about for _, about in parts]) for arm, parts in found.items()}
    patients = slices.table["patient"][rows]
    table = [
        {**line, **_further(measured[line["arm"]], patients), **made[line["arm"]]}
        for line in compare_arms(counts, patients)
    ]
    write_csv(options.out / "table.csv", table)
    write_csv(options.out / "groups.csv", compare_groups(counts, patients, groups_of(slices, rows)))
    write_csv(options.out / "slices.csv", list(by_slice(counts, slices, rows)))
    write_json(options.out / "card.json", _card(options, slices, counts[arms[0]], patients))
    for line in table:
        print("{arm:20} Dice {dice_mean:.3f}  pooled {pooled_dice_mean:.3f}".format(**line))


def _folder(options: Namespace, arm: str, fold: int | None) -> Path:
    return options.out / arm / ("plain-split" if fold is None else f"fold-{fold}")


def _settings(options: Namespace, arm: str, fold: int | None) -> dict[str, Any]:
    """The settings that decide a run."""
    names = ("steps", "width", "batch_size", "lesion_share", "rate", "precision")
    return {
        **{name: getattr(options, name) for name in names}, **ARMS[arm],
        "fold": fold, "seed": options.seed + (fold or 0),
        "start": fingerprint(options.start / arm / TRAINED) if options.start else None,
    }  # fmt: skip


def _score(folder: Path, slices: SliceSet, fold: int | None) -> tuple[SliceScores, dict[str, Any]]:
    """The test slices (N,) at the run's own threshold, and what its file says of its making."""
    segmentor, about = load_weights(folder / TRAINED, "segmentor")
    rows = slices.of_split("test", fold)
    said = predict(segmentor, Batches(slices, rows, size=64))
    scores = score_slices(said, about["threshold"], {name: t[rows] for name, t in slices.table.items()})
    return scores, {**about, "parameters": sum(p.numel() for p in segmentor.parameters())}


def _further(measured: SliceScores, patients: np.ndarray) -> dict[str, Any]:
    """What overlap does not see, and Dice by the size of the lesion."""
    scores = full_summary(measured, patients, probability=False)
    found = {name: scores[name] for name in FURTHER}
    found |= {f"dice_{size.replace(' ', '_')}": of["dice"] for size, of in scores["by_size"].items()}
    return {f"{name}_{part}": s[part] for name, s in found.items() for part in ("mean", "low", "high")}


def _made(abouts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How the runs of one arm were made, in a line."""
    return {
        "steps": abouts[0]["settings"]["steps"],
        "parameters": abouts[0]["parameters"],
        "thresholds": " ".join(f"{about['threshold']:.2f}" for about in abouts),
        "validation_dice": float(np.mean([about["validation_dice"] for about in abouts])),
    }


def by_slice(counts: dict[str, Counts], slices: SliceSet, rows: np.ndarray) -> Iterator[dict[str, Any]]:
    """A line for every slice: its patient, its row, and the pixels of each arm by outcome."""
    for k, row in enumerate(rows):
        line = {"patient": str(slices.table["patient"][row]), "row": int(row)}
        for arm, c in counts.items():
            line |= {f"{arm}_{name}": int(getattr(c, name)[k]) for name in ("tp", "fp", "fn")}
        yield line


def _card(options: Namespace, slices: SliceSet, counts: Counts, patients: np.ndarray) -> dict[str, Any]:
    folds = " --cross-validate" if options.cross_validate else ""
    start = " --start DIR" if options.start else ""
    return {
        "what": "Overlap on test patients at the threshold that validation chose; 95 % patient bootstrap; "
        "differences of Dice over lesion slices, paired; p: Wilcoxon signed-rank over patients, Holm-corrected",
        "command": f"{PROG} --data DIR --out DIR --arms {options.arms}{folds}{start} --steps {options.steps} "
        f"--width {options.width} --batch-size {options.batch_size} --lesion-share {options.lesion_share:g} "
        f"--rate {options.rate:g} --seed {options.seed} --threads {options.threads}",
        "start": f"weights in {options.start.name}" if options.start else "afresh",
        "data": slices.card["name"],
        "data_sha256": slices.card["sha256"],
        "counts": {
            "slices": len(patients),
            "lesion_slices": int(counts.lesion().sum()),
            "patients": len(set(patients.tolist())),
        },
        "seeds": [options.seed + fold for fold in range(FOLDS if options.cross_validate else 1)],
        **provenance(options.threads, arithmetic(options.precision)),
    }


def main() -> None:
    sys.exit(run(partial(compare, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()
