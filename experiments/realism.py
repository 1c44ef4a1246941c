"""Judge painted slices: ``python -m experiments.realism --real DIR --fake DIR --out FILE.json``."""

from __future__ import annotations

import sys
from argparse import Namespace
from functools import partial

import numpy as np

from experiments.pairs import nearest_pairs, picture_of
from experiments.realism_measures import Sample, realism
from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import SPLITS
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.evaluation.tables import write_json
from strokegan_lib.models.encoder import Encoder
from strokegan_lib.training.weights import ENCODER_SHA256, shipped_encoder

PROG = "python -m experiments.realism"
FEWEST = 24  # slices a set: halves of 12 still have five neighbours and more
CAUTION = (
    "The encoder was trained by this kit, on faults and lesions that the kit's makers thought of: "
    "it is no independent judge. No number here says that a picture is fit for anything clinical."
)


def parser() -> Parser:
    options = Parser(prog=PROG, description="Realism and diversity of painted slices.")
    options.add_argument("--real", type=path, required=True, metavar="DIR", help="a data set of real slices")
    options.add_argument(
        "--fake", type=path, required=True, metavar="DIR", help="a data set of painted slices"
    )
    options.add_argument("--out", type=path, required=True, metavar="FILE", help="JSON file to write")
    options.add_argument(
        "--split", choices=[*SPLITS, "all"], default="test",
        help="of the real slices (default: %(default)s); memorisation needs validation or test",
    )  # fmt: skip
    options.add_argument(
        "--pairs", type=path, metavar="PNG",
        help="draw the painted slices nearest to training slices above these; it shows people's slices",
    )  # fmt: skip
    options.add_seed("of chance and intervals (default: 0)")
    return options


def compare(options: Namespace) -> None:
    """Write every yardstick and print the table.

    Of the fake set those slices count that a network painted, and all of them where none is
    marked so: then two data sets are compared. Where all of them show a stroke, so do the real
    slices that they are compared with.

    Raises:
        BadInput: bad data, too few slices, or --out in use.
    """
    for file in filter(None, (options.out, options.pairs)):
        if file.exists():
            raise BadInput(file, "exists already", "choose another name or delete it first")
    if options.pairs and options.split not in ("validation", "test"):
        raise BadInput("--pairs", "needs training slices to compare with", "give --split validation or test")
    encoder = shipped_encoder()
    real, fake = (SliceSet.open(folder) for folder in (options.real, options.fake))
    painted = np.flatnonzero(fake.table["synthetic"])
    rows = {
        "real": _with_tissue(real, real.of_split(options.split)),
        "fake": _with_tissue(fake, painted if len(painted) else fake.of_split("all")),
    }
    ill = {name: data.table["has_stroke"][rows[name]] == 1 for name, data in (("real", real), ("fake", fake))}
    if ill["fake"].all() and ill["real"].any():  # slices without a stroke would count as a difference
        rows["real"] = rows["real"][ill["real"]]
    samples = {name: _sample(encoder, data, rows[name]) for name, data in (("real", real), ("fake", fake))}
    train = None
    if options.split in ("validation", "test"):
        train = _sample(encoder, real, _with_tissue(real, real.of_split("train")))
    results = {
        "real": real.card["name"], "real_sha256": real.card["sha256"],
        "fake": fake.card["name"], "fake_sha256": fake.card["sha256"],
        "split": options.split,
        "slices": {name: len(sample) for name, sample in samples.items()},
        "patients": {name: len(np.unique(sample.patients)) for name, sample in samples.items()},
        "encoder": {"name": "encoder", "sha256": ENCODER_SHA256, "features": encoder.config["features"]},
        "caution": CAUTION,
        "measures": realism(samples["real"], samples["fake"], train, seed=options.seed),
    }  # fmt: skip
    if options.pairs:
        drawn = picture_of(nearest_pairs(samples["fake"], train), samples["fake"], train)
        with writing(options.pairs):
            options.pairs.parent.mkdir(parents=True, exist_ok=True)
            drawn.save(options.pairs, "png")
    write_json(options.out, results)
    print(table(results["measures"]))
    print(CAUTION)


def table(measures: dict[str, dict]) -> str:
    """The measures as lines of text."""
    lines = [f"{'':26} {'painted':>9}  {'95 %':18} {'as many as a half':>17} {'real halves':>11}  aim"]
    for name, m in measures.items():
        span = "" if m["low"] is None else f"{m['low']:.3f} to {m['high']:.3f}"
        beside = ("" if m[key] is None else f"{m[key]:.3f}" for key in ("fake_as_many", "halves"))
        value = "" if m["mean"] is None else f"{m['mean']:.3f}"
        few = "" if m["reliable"] else "  (unreliable: few slices)"
        lines.append(
            "{:26} {:>9}  {:18} {:>17} {:>11}  {}{}".format(name, value, span, *beside, m["aim"], few)
        )
    return "\n".join(lines)


def _sample(encoder: Encoder, slices: SliceSet, rows: np.ndarray) -> Sample:
    if len(slices.channels) != 1:
        raise BadInput(slices.folder, "holds several channels", "give slices of one channel")
    if len(rows) < FEWEST or len(np.unique(slices.table["patient"][rows])) < 4:
        raise BadInput(
            slices.folder, f"holds {len(rows)} slices of the chosen part, too few to compare",
            f"give {FEWEST} slices of 4 patients or more, or choose another --split",
        )  # fmt: skip
    return Sample.of(encoder, np.asarray(slices.images[rows]), slices.table["patient"][rows])


def _with_tissue(slices: SliceSet, rows: np.ndarray) -> np.ndarray:
    return rows[[bool(slices.foreground[row].any()) for row in rows]]


def main() -> None:
    sys.exit(run(partial(compare, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()
