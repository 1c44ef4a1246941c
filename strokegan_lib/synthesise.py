"""Balance a data set: ``python -m strokegan_lib.synthesise --data DIR --weights FILE --out DIR --ratio R``."""

import sys
from argparse import Namespace
from functools import partial

import numpy as np
import torch

from strokegan_lib.balance.carvemix import CarveMix
from strokegan_lib.balance.dataset import balance
from strokegan_lib.balance.lesion_synthesis import LesionSynthesiser, MadeMasks
from strokegan_lib.balance.transplant import SMALLEST, MaskSource, Transplanter
from strokegan_lib.command_line import Parser, command_for_card, integer, number, path, run
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import FOLDS
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.training.weights import GENERATORS, load_weights

PROG = "python -m strokegan_lib.synthesise"
FIRST_LOOK = 16  # masks of a generator before its strokes are asked for one by one


def parser() -> Parser:
    options = Parser(
        prog=PROG, description="Make a data set in which a chosen share of the training slices shows stroke."
    )
    options.add_argument("--data", type=path, required=True, metavar="DIR", help="a prepared data set")
    options.add_argument("--out", type=path, required=True, metavar="DIR", help="the data set to make")
    options.add_argument(
        "--ratio", type=number(0, 1, within=True), required=True, metavar="R",
        help="share of the training slices that show stroke, between 0 and 1",
    )  # fmt: skip
    options.add_argument(
        "--weights", type=path, metavar="FILE", help="weights.safetensors of a generator (for --method gan)"
    )
    options.add_argument(
        "--method", choices=("gan", "carvemix"), default="gan",
        help="paint strokes with a generator, or paste real ones (default: %(default)s)",
    )  # fmt: skip
    options.add_argument(
        "--paint", choices=("slice", "lesion"),
        help="take the painted slice whole, or keep the real slice and add what the stroke changes "
        "(default: lesion; slice with --only-synthetic)",
    )  # fmt: skip
    options.add_argument(
        "--mask-weights", type=path, metavar="FILE",
        help="weights.safetensors of a mask generator that makes the strokes (default: strokes of training "
        "slices, moved)",
    )  # fmt: skip
    options.add_argument(
        "--only-synthetic", action="store_true",
        help="leave the real training slices out and paint as many in their place",
    )  # fmt: skip
    options.add_argument(
        "--pixels", type=integer(1, 128**2), nargs=2, metavar=("LOW", "HIGH"),
        help="size of the lesions (default: as in the training slices)",
    )  # fmt: skip
    options.add_argument(
        "--fold", type=integer(0, FOLDS - 1), metavar="K",
        help="the training part of fold K of five (default: of the plain split)",
    )  # fmt: skip
    options.add_seed_and_workers()
    return options


def synthesise(options: Namespace, command: str) -> None:
    """Write the balanced data set and print its counts.

    BadInput for bad use, bad data, or weights of another network or of other channels.
    """
    _check(options)
    slices = SliceSet.open(options.data)
    masks = _masks(options, slices, slices.of_split("train", options.fold))
    if options.method == "carvemix":
        augmenter, facts = CarveMix(masks), {}
    else:
        augmenter, facts = _synthesiser(options, slices, masks)
    balanced = balance(
        slices, options.out, options.ratio, augmenter, made_by=command, seed=options.seed, workers=options.workers,
        only_synthetic=options.only_synthetic, fold=options.fold, card=facts,
    )  # fmt: skip
    card = balanced.card["balanced"]
    before, after = card["training_slices_with_stroke"]
    total, new_total = card["training_slices"]
    print(
        f"{options.out}: {card['synthetic']:,} slices made; stroke in {after:,} of {new_total:,} training slices "
        f"({after / new_total:.2%}), before {before:,} of {total:,} ({before / total:.2%})"
    )


def _check(options: Namespace) -> None:
    """Raise BadInput for options that do not go together."""
    painting = options.method == "gan"
    if painting and options.weights is None:
        raise BadInput("--weights", "is missing", "name a generator's weights, or give --method carvemix")
    for name in ("weights", "mask_weights", "paint", "only_synthetic", "pixels"):
        if not painting and getattr(options, name):
            option = f"--{name.replace('_', '-')}"
            raise BadInput(option, "does not go with --method carvemix", "leave one of the two out")
    if options.only_synthetic and options.paint == "lesion":
        what = "needs real slices, and --only-synthetic leaves none"
        raise BadInput("--paint lesion", what, "leave one of the two out")
    if options.pixels and not SMALLEST <= options.pixels[0] <= options.pixels[1]:
        raise BadInput(
            f"--pixels {options.pixels[0]} {options.pixels[1]}", "is no range of sizes",
            f"give two rising numbers from {SMALLEST} on",
        )  # fmt: skip


def _masks(options: Namespace, slices: SliceSet, train: np.ndarray) -> MaskSource:
    """Where strokes come from: the mask generator that is named, or else the training slices."""
    if options.mask_weights:
        generator, _ = load_weights(options.mask_weights, "mask generator")
        try:
            generator.sample(FIRST_LOOK, 0)
        except ValueError:
            raise BadInput(options.mask_weights, "makes no strokes", "train it longer") from None
        return MadeMasks(generator.sample, slices)
    try:
        return Transplanter(slices, train)
    except ValueError:
        what = "holds no training slice with a stroke large enough to borrow"
        raise BadInput(slices.folder, what, "choose a data set with more patients") from None


def _synthesiser(options: Namespace, slices: SliceSet, masks: MaskSource) -> tuple[LesionSynthesiser, dict]:
    """The generator with its masks, and what the card says of it."""
    torch.manual_seed(options.seed)  # of the styles, if the generator draws any
    generator, _ = load_weights(options.weights, GENERATORS)
    channels = generator.config.get("channels", 1)
    if channels != len(slices.channels):
        raise BadInput(
            slices.folder, f"holds {len(slices.channels)} channel(s), and the weights paint {channels}",
            "give data and weights that were prepared alike",
        )  # fmt: skip
    paint = options.paint or ("slice" if options.only_synthetic else "lesion")
    facts = {"paint": paint, "weights_sha256": sha256(options.weights), "pixels": options.pixels}
    facts["masks"] = "made" if options.mask_weights else "transplanted"
    if options.mask_weights:
        facts["mask_weights_sha256"] = sha256(options.mask_weights)
    return LesionSynthesiser(generator, masks, paint, options.pixels), facts


def main() -> None:
    options = parser().parse_args()
    sys.exit(run(partial(synthesise, options, command_for_card(PROG, sys.argv[1:])), PROG))


if __name__ == "__main__":
    main()
