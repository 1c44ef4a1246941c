"""How like drawn masks are made ones? ``python -m experiments.masks --data DIR --weights FILE --out DIR``.

Two ways to get a stroke for a slice that has none: make it from noise (models/family/dual.py), or move the
stroke of another patient (data/transplant.py). Both know the training patients alone, both are held
against the patients that are left, and so are the training patients' own masks: nothing made from
them can be expected to come nearer.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from experiments.mask_measures import MaskSample, mask_scores
from strokegan_lib.balance.transplant import SMALLEST, Transplanter
from strokegan_lib.command_line import Parser, integer, path, run
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json
from strokegan_lib.files import sha256
from strokegan_lib.models.family.dual import MaskGenerator
from strokegan_lib.training.weights import load_weights

PROG = "python -m experiments.masks"
COUNT = 400  # masks made, about as many as SOOP has to learn from
FEWEST = 12  # patients with a stroke in either part: halves of six still say something
COLUMNS = ("mean", "low", "high", "n", "patients", "as_many", "halves")


def parser() -> Parser:
    options = Parser(prog=PROG, description="Made masks, transplanted ones and those of other patients.")
    options.add_argument("--data", type=path, required=True, metavar="DIR", help="a prepared data set")
    options.add_argument(
        "--weights", type=path, required=True, metavar="FILE",
        help="weights.safetensors of a mask generator that learnt from the training part",
    )  # fmt: skip
    options.add_argument("--out", type=path, required=True, metavar="DIR", help="a folder for the tables")
    options.add_argument(
        "--count",
        type=integer(FEWEST, 10**6),
        default=COUNT,
        metavar="N",
        help="masks made (default: %(default)s)",
    )
    options.add_seed()
    return options


def compare(options: Namespace) -> None:
    """Write table.csv, a line a measure and way, and card.json, and print the table.

    Raises:
        BadInput: bad use, bad data, or weights of another network or one that has not learnt.
    """
    slices = SliceSet.open(options.data)
    generator, about = load_weights(options.weights, "mask generator")
    train, held_out = (masks_of(slices, parts) for parts in (("train",), ("validation", "test")))
    with one_thread_each():
        ways = {
            "made": made(generator, options.weights, options.count, options.seed),
            "transplanted": transplanted(slices, options.count, options.seed),
            "training": train,
        }
        table = [
            {"measure": measure, "masks": way, **{name: score[name] for name in COLUMNS}}
            for way, sample in ways.items()
            for measure, score in mask_scores(sample, held_out, train, seed=options.seed).items()
            if (measure, way) != ("nearest_dice", "training")  # each of them is its own nearest
        ]
    for line in table:
        span = f"({line['low']:.3f} to {line['high']:.3f})"
        print(
            f"{line['masks']:13} {line['measure']:18} {line['mean']:.3f} {span}  halves {line['halves']:.3f}"
        )
    write_csv(options.out / "table.csv", table)
    write_json(options.out / "card.json", _card(options, slices, about, ways | {"held out": held_out}))


def masks_of(slices: SliceSet, parts: tuple[str, ...]) -> MaskSample:
    """The masks of a part's slices with a stroke.

    Raises:
        BadInput: they are of too few patients.
    """
    rows = np.concatenate([slices.of_split(part) for part in parts])
    rows = np.sort(rows[slices.stroke[rows].sum((1, 2), dtype=np.int64) >= SMALLEST])
    patients = slices.table["patient"][rows]
    if len(np.unique(patients)) < FEWEST:
        raise BadInput(
            slices.folder, f"shows stroke in fewer than {FEWEST} {' and '.join(parts)} patients",
            "choose a data set with more patients",
        )  # fmt: skip
    return MaskSample(slices.stroke[rows], slices.foreground[rows], patients)


def made(generator: MaskGenerator, named: str | Path, count: int = COUNT, seed: int = 0) -> MaskSample:
    """Masks from noise; *named* says in an error whose they are.

    Raises:
        BadInput: the network makes no strokes.
    """
    try:
        stroke, foreground = generator.sample(count, seed)
    except ValueError:
        raise BadInput(named, "makes no strokes", "train it longer") from None
    return MaskSample(stroke, foreground, np.array([f"made {number}" for number in range(count)]))


def transplanted(slices: SliceSet, count: int, seed: int) -> MaskSample:
    """Masks of training patients moved to training slices without stroke; a mask's patient is its donor.

    Raises:
        BadInput: there is no slice without stroke, or none where a stroke fits.
    """
    train = slices.of_split("train")
    free = train[slices.table["has_stroke"][train] == 0]
    if not len(free):
        raise BadInput(
            slices.folder, "holds no training slice without stroke", "choose a data set with more patients"
        )
    transplanter = Transplanter(slices, train)
    rng = np.random.default_rng(seed)
    tried = ((row, transplanter.place(int(row), rng)) for row in rng.choice(free, 2 * count))
    found = list(islice(((row, placed) for row, placed in tried if placed), count))
    if len(found) < FEWEST:
        raise BadInput(slices.folder, "offers no place for a stroke", "choose a data set with more patients")
    rows, placements = zip(*found, strict=True)
    donors = [placed.donor for placed in placements]
    strokes = np.stack([placed.stroke for placed in placements])
    return MaskSample(strokes, slices.foreground[list(rows)], slices.table["patient"][donors])


def _card(
    options: Namespace, slices: SliceSet, about: dict[str, Any], samples: dict[str, MaskSample]
) -> dict[str, Any]:
    return {
        "what": "Made, transplanted and training masks against those of held-out (validation and test) patients; "
        "log_area to brain_compactness are distances (0 is best), see evaluation/masks.py; halves: between halves of "
        "the held-out patients, or of these alone; as_many: of as many masks as a half; 95 % intervals: jackknife "
        "over groups of patients for distances, else bootstrap over patients, a made mask being its own",
        "command": f"{PROG} --data DIR --weights FILE --out DIR --count {options.count} --seed {options.seed}",
        "weights_sha256": sha256(options.weights),
        "weights_settings": about.get("settings"),
        "data": slices.card["name"],
        "data_sha256": slices.card["sha256"],
        "counts": {
            name: {"masks": len(sample), "patients": len(np.unique(sample.patients))}
            for name, sample in samples.items()
        },
        **provenance(1, "fp32"),
    }


def main() -> None:
    sys.exit(run(partial(compare, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()
