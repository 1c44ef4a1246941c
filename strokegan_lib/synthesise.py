"""Balance a data set: ``python -m strokegan_lib.synthesise --data DIR --weights FILE --out DIR --ratio R``."""

from __future__ import annotations

import sys
from argparse import Namespace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import nn

from experiments.masks import made
from strokegan_lib.balance.carvemix import CarveMix
from strokegan_lib.balance.dataset import Augmenter, Plan, balance
from strokegan_lib.balance.transplant import SMALLEST, STAYS, TRIES, Placement, Transplanter, onto, ventricles
from strokegan_lib.command_line import Parser, command_for_card, integer, number, path, run
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import FOLDS
from strokegan_lib.data.windows import DARKEST
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.models.masks import MaskGenerator
from strokegan_lib.training.weights import GENERATORS, load_weights

PROG = "python -m strokegan_lib.synthesise"
METHODS = ("gan", "carvemix")
PAINTS = ("slice", "lesion")
LOOKED_AT = 16  # masks of a generator before its strokes are asked for one by one


class MadeMasks:
    """Strokes that a mask generator makes, moved onto brains that it has not made.

    Args:
        generator: in eval mode, on the CPU.
        slices: the data set that gets the strokes.
    """

    def __init__(self, generator: MaskGenerator, slices: SliceSet) -> None:
        self.generator, self.slices = generator, slices

    def place(
        self, row: int, rng: np.random.Generator, pixels: tuple[int, int] | None = None
    ) -> Placement | None:
        """A mask for one slice, as ``Transplanter.place``, but of no donor (-1).

        A stroke keeps its place relative to its brain's bounding box; it is drawn anew where too
        little of it lies on tissue or its size is not the one asked for.
        """
        foreground = self.slices.foreground[row] == 1
        tissue = foreground & ~ventricles(self.slices.images[row, 0], foreground)
        if not tissue.any():
            return None
        for _ in range(TRIES):
            try:
                (stroke,), (brain,) = self.generator.sample(1, int(rng.integers(2**31)))
            except ValueError:  # its strokes are rare: no place here, as for a transplant that does not fit
                return None
            moved = onto(stroke, brain, foreground)
            kept = moved & tissue
            size = int(kept.sum())
            low, high = pixels or (SMALLEST, kept.size)
            if size >= STAYS * moved.sum() and low <= size <= high:
                return Placement(kept, -1)
        return None


class Painter(Augmenter):
    """A generator paints a mask, transplanted or made.

    Args:
        generator: in eval mode, on the CPU.
        masks: where strokes come from.
        paint: 'slice' takes the whole slice as painted, which is smooth and nobody's brain;
            'lesion' paints it with the stroke and without, and adds the difference to the real
            slice, near the mask, so that the tissue's own texture stays.
        pixels: smallest and largest lesion; None for sizes as in the data.
    """

    name = "gan"

    def __init__(
        self,
        generator: nn.Module,
        masks: Transplanter | MadeMasks,
        paint: str = "lesion",
        pixels: tuple[int, int] | None = None,
    ) -> None:
        self.generator, self.masks, self.how, self.pixels = generator, masks, paint, pixels

    def plan(self, slices: SliceSet, background: int, rng: np.random.Generator) -> Plan | None:
        placed = self.masks.place(background, rng, self.pixels)
        return placed and Plan(
            background, placed.donor, placed.stroke, detail="made mask" if placed.donor < 0 else ""
        )

    def make(self, slices: SliceSet, plans: list[Plan]) -> np.ndarray:
        rows = np.array([plan.background for plan in plans])
        foreground = torch.from_numpy(slices.foreground[rows]).float()[:, None]  # (n, 1, H, W)
        stroke = torch.from_numpy(np.stack([plan.stroke for plan in plans])).float()[:, None]  # (n, 1, H, W)
        with torch.inference_mode():
            chance = torch.get_rng_state()
            painted = self.generator(stroke, foreground)
            if self.how == "lesion":
                torch.set_rng_state(chance)  # the same styles again, if the generator draws any
                healthy = self.generator(torch.zeros_like(stroke), foreground)
                near = torch.from_numpy(np.stack([_near(plan.stroke) for plan in plans]))[:, None]
                real = torch.from_numpy(slices.images[rows]).float() / 255  # (n, C, H, W)
                painted = real + near * (painted - healthy)  # what the stroke changes, on real tissue
        grey = (255 * painted).round().clamp(DARKEST, 255) * foreground
        return grey.byte().numpy()


def _near(stroke: np.ndarray) -> np.ndarray:
    """A soft mask: 1 in the stroke, falling to 0 within a few pixels around it, (H, W) float32."""
    wide = ndimage.binary_dilation(stroke, iterations=2)
    return np.maximum(ndimage.gaussian_filter(wide.astype(np.float32), 1.0), stroke)


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
        "--weights",
        type=path,
        metavar="FILE",
        help="weights.safetensors of a generator (for --method gan)",
    )
    options.add_argument(
        "--method", choices=METHODS, default="gan",
        help="paint strokes with a generator, or paste real ones (default: %(default)s)",
    )  # fmt: skip
    options.add_argument(
        "--paint", choices=PAINTS,
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

    Raises:
        BadInput: bad use, bad data, or weights of another network or of other channels.
    """
    _check(options)
    slices = SliceSet.open(options.data)
    train = slices.of_split("train", options.fold)
    masks = _masks(options, slices, train)
    facts: dict = {}
    if options.method == "carvemix":
        augmenter: Augmenter = CarveMix(masks)
    else:
        paint = options.paint or ("slice" if options.only_synthetic else "lesion")
        torch.manual_seed(options.seed)  # of the styles, if the generator draws any
        augmenter = Painter(_generator(options.weights, slices), masks, paint, options.pixels)
        facts = {
            "paint": paint,
            "weights_sha256": sha256(options.weights),
            "pixels": options.pixels,
            "masks": "made" if options.mask_weights else "transplanted",
        }
        if options.mask_weights:
            facts["mask_weights_sha256"] = sha256(options.mask_weights)
    balanced = balance(
        slices, options.out, options.ratio, augmenter, made_by=command, seed=options.seed, workers=options.workers,
        only_synthetic=options.only_synthetic, fold=options.fold, card=facts,
    )  # fmt: skip
    told = balanced.card["balanced"]
    (before, total), (after, all_) = zip(
        told["training_slices_with_stroke"], told["training_slices"], strict=True
    )
    print(
        f"{options.out}: {told['synthetic']:,} slices made; stroke in {after:,} of {all_:,} training slices "
        f"({after / all_:.2%}), before {before:,} of {total:,} ({before / total:.2%})"
    )


def _check(options: Namespace) -> None:
    """Raise BadInput for options that do not go together."""
    painting = options.method == "gan"
    if painting and options.weights is None:
        raise BadInput("--weights", "is missing", "name a generator's weights, or give --method carvemix")
    for name in ("weights", "mask_weights", "paint", "only_synthetic", "pixels"):
        if not painting and getattr(options, name):
            raise BadInput(
                f"--{name.replace('_', '-')}",
                "does not go with --method carvemix",
                "leave one of the two out",
            )
    if options.only_synthetic and options.paint not in (None, "slice"):
        raise BadInput(
            f"--paint {options.paint}", "needs real slices, and --only-synthetic leaves none",
            "leave one of the two out",
        )  # fmt: skip
    if options.pixels and not SMALLEST <= options.pixels[0] <= options.pixels[1]:
        raise BadInput(
            f"--pixels {options.pixels[0]} {options.pixels[1]}", "is no range of sizes",
            f"give two rising numbers from {SMALLEST} on",
        )  # fmt: skip


def _masks(options: Namespace, slices: SliceSet, train: np.ndarray) -> Transplanter | MadeMasks:
    """Where strokes come from: the mask generator that is named, or else the training slices."""
    if options.mask_weights:
        generator, _ = load_weights(options.mask_weights, "mask generator")
        made(generator, options.mask_weights, LOOKED_AT)  # refuses one that makes no strokes
        return MadeMasks(generator, slices)
    try:
        return Transplanter(slices, train)
    except ValueError:
        raise BadInput(
            slices.folder,
            "holds no training slice with a stroke large enough to borrow",
            "choose a data set with more patients",
        ) from None


def _generator(weights: Path, slices: SliceSet) -> nn.Module:
    generator, _ = load_weights(weights, GENERATORS)
    painted, held = generator.config.get("channels", 1), len(slices.channels)
    if painted != held:
        raise BadInput(
            slices.folder, f"holds {held} channel(s), and the weights paint {painted}",
            "give data and weights that were prepared alike",
        )  # fmt: skip
    return generator


def main() -> None:
    options = parser().parse_args()
    sys.exit(run(partial(synthesise, options, command_for_card(PROG, sys.argv[1:])), PROG))


if __name__ == "__main__":
    main()
