"""Sheets for a blinded reading: ``python -m experiments.blinded --data DIR --weights FILE --out DIR``.

As many true slices as painted ones, in random order, for a reader who does not know which is
which; the answers lie in a file beside them. The sheets show people's slices.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from functools import partial

import numpy as np
from PIL import Image, ImageDraw

from strokegan_lib.command_line import LARGEST_SEED, Parser, integer, path, run
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.evaluation.synthetic import paint, with_stroke
from strokegan_lib.evaluation.tables import write_json
from strokegan_lib.training.weights import GENERATORS, load_weights

PROG = "python -m experiments.blinded"
EACH = 24  # true and painted slices
COLUMNS, ROWS = 6, 4  # of a sheet
SIDE, GAP, HEAD = 256, 14, 24  # pixels: of a slice, between two, and for its number
PAINTED = 5  # seed of what a generator leaves to chance


def parser() -> Parser:
    options = Parser(
        prog=PROG, description="Sheets of true and painted test slices, mixed, and their answers."
    )
    options.add_argument(
        "--data", type=path, required=True, metavar="DIR", help="a prepared data set of one channel"
    )
    options.add_argument(
        "--weights", type=path, required=True, metavar="FILE", help="a generator that paints from masks"
    )
    options.add_argument(
        "--out", type=path, required=True, metavar="DIR", help="new folder; it will show people's slices"
    )
    options.add_argument(
        "--seed",
        type=integer(0, LARGEST_SEED),
        default=7,
        metavar="N",
        help="of the slices and their order (default: %(default)s)",
    )
    return options  # fmt: skip


def make(options: Namespace) -> None:
    """Write sheet-1.png, sheet-2.png and answers.json.

    Raises:
        BadInput: bad data or weights, too few slices, or --out in use.
    """
    slices = SliceSet.open(options.data)
    rows = with_stroke(slices, "test")
    if len(slices.channels) != 1 or len(rows) < 2 * EACH:
        raise BadInput(
            slices.folder, f"holds {len(rows)} test slices with stroke, of {len(slices.channels)} channels",
            f"give a set with {2 * EACH} or more, of one channel",
        )  # fmt: skip
    generator, _ = load_weights(options.weights, GENERATORS)
    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise BadInput(options.out, "already exists", "name another folder")
    chance = np.random.default_rng(options.seed)
    rows = chance.permutation(rows)[: 2 * EACH]
    true, asked = rows[:EACH], rows[EACH:]
    painted = paint(generator, slices.stroke[asked], slices.foreground[asked], seed=PAINTED)[:, 0]
    painted &= 0xFE  # prepared slices have no lowest bit, which would tell
    order = chance.permutation(2 * EACH)
    shown = np.concatenate([slices.images[true][:, 0], painted])[order]  # (48, 128, 128)
    with writing(options.out):
        options.out.mkdir(parents=True, exist_ok=True)
        for number, start in enumerate(range(0, 2 * EACH, COLUMNS * ROWS), 1):
            sheet(shown[start : start + COLUMNS * ROWS], start).save(options.out / f"sheet-{number}.png")
    answers = ["true" if k < EACH else "painted" for k in order]
    write_json(options.out / "answers.json", {"seed": options.seed, "answers": answers})
    print(f"{options.out}: {len(order)} slices on {number} sheets; the answers lie beside them")


def sheet(planes: np.ndarray, start: int) -> Image.Image:
    """Slices (n, 128, 128) uint8, enlarged and numbered from *start* + 1."""
    whole = Image.new("L", (COLUMNS * (SIDE + GAP), ROWS * (SIDE + HEAD + GAP)))
    pen = ImageDraw.Draw(whole)
    for k, plane in enumerate(planes):
        left, top = k % COLUMNS * (SIDE + GAP), k // COLUMNS * (SIDE + HEAD + GAP)
        pen.text((left + 3, top + 6), str(start + k + 1), fill=255)
        whole.paste(Image.fromarray(plane).resize((SIDE, SIDE), Image.Resampling.BICUBIC), (left, top + HEAD))
    return whole


def main() -> None:
    sys.exit(run(partial(make, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()
