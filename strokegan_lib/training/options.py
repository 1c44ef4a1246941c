"""What the training door understands: its tasks and their options."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentTypeError, BooleanOptionalAction

from strokegan_lib.command_line import LARGEST_SEED, Parser, integer, number, path
from strokegan_lib.data.split import FOLDS
from strokegan_lib.losses import ADVERSARIAL, WEIGHTINGS
from strokegan_lib.models.family import MEMBERS
from strokegan_lib.profiles import PROFILES
from strokegan_lib.training.objectives import OBJECTIVES
from strokegan_lib.training.precision import PRECISIONS
from strokegan_lib.training.segmentation import METHODS
from strokegan_lib.training.tasks import FEATURES, LESION_SHARE, NOISE, SYNTHESIS

WEIGHT = number(0, 1e30)  # of a loss
PROG = "python -m strokegan_lib.train"


def parser() -> Parser:
    options = Parser(prog=PROG, description="Train a GAN on a prepared data set.")
    tasks = options.add_subparsers(
        dest="task", required=True, metavar="segmentation|synthesis|family|masks|encoder"
    )
    seg = tasks.add_parser("segmentation", help="a segmentor and its critic", argument_default=SUPPRESS)
    syn = tasks.add_parser("synthesis", help="a generator and its critic", argument_default=SUPPRESS)
    fam = tasks.add_parser("family", help="an ancestor of the synthesis GAN", argument_default=SUPPRESS)
    mas = tasks.add_parser("masks", help="masks from noise", argument_default=SUPPRESS)
    enc = tasks.add_parser("encoder", help="features that measure realism", argument_default=SUPPRESS)
    enc.add_argument(
        "--data",
        type=path,
        required=True,
        nargs="+",
        metavar="DIR",
        help="prepared data sets, in equal shares",
    )
    enc.add_argument(
        "--features",
        type=integer(1, 4096),
        metavar="N",
        help=f"width of the description (default: {FEATURES})",
    )
    fam.add_argument("--member", choices=list(MEMBERS), help="which of the family (default: dcgan)")
    for task in (seg, syn, fam, mas):
        task.add_argument("--data", type=path, required=True, metavar="DIR", help="a prepared data set")
    for task in (seg, syn):
        task.add_argument(
            "--attention", action=BooleanOptionalAction, help="self-attention (default: the method's)"
        )
    for task in (seg, syn, fam, mas, enc):
        task.add_argument("--out", type=path, required=True, metavar="DIR", help="where the run is kept")
        task.add_argument("--profile", choices=list(PROFILES), help="size of the run (default: quick)")
        task.add_argument(
            "--steps", type=integer(1, 10**9), metavar="N", help="training steps (default: the profile's)"
        )
        task.add_argument("--seed", type=integer(0, LARGEST_SEED), metavar="N", help="default: 0")
        task.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
        task.add_argument(
            "--width",
            type=integer(4, 1024),
            metavar="N",
            help="of the networks (default: the profile's; family: the member's; masks: 16)",
        )
        task.add_argument(
            "--batch-size", type=integer(2, 4096), metavar="N", help="slices a step (default: the profile's)"
        )
        task.add_argument(
            "--rate",
            type=number(0, 1e31, within=True),
            metavar="X",
            help="multiplies the learning rates (default: 1)",
        )
        task.add_argument(
            "--lesion-share", type=share, metavar="X",
            help=f"share of slices with stroke in the batches, 0..1, or 'data' for what the data hold "
            f"(default: {LESION_SHARE}; masks: 1; family: 1 where no mask asks for it)",
        )  # fmt: skip
        task.add_argument(
            "--precision",
            choices=["auto", *PRECISIONS],
            help="arithmetic (default: auto, the fastest native)",
        )
        task.add_argument(
            "--start",
            type=path,
            metavar="FILE",
            help="weights to start from, of the same network and width",
        )
        task.add_argument(
            "--fold",
            type=integer(0, FOLDS - 1),
            metavar="K",
            help="hold fold K of five out for testing (default: the plain split)",
        )
        task.add_argument("--compile", action="store_true", help="compile the networks")
        task.add_argument(
            "--threads", type=integer(1, 1024), metavar="N", help="CPU threads (default: the profile's)"
        )
        task.add_argument(
            "--checkpoint-seconds",
            type=number(0, 1e9),
            metavar="X",
            help="time between checkpoints (default: 60)",
        )
    mas.add_argument(
        "--noise", type=integer(1, 65536), metavar="N", help=f"numbers that decide a mask (default: {NOISE})"
    )
    seg.add_argument("--method", choices=list(METHODS), help="default: masked")
    seg.add_argument(
        "--loss", choices=list(OBJECTIVES), help="what masked makes small (default: the paper's)"
    )
    seg.add_argument("--levels", choices=WEIGHTINGS, help="weighting of the multi-scale L1 loss")
    seg.add_argument("--multi-scale", type=WEIGHT, metavar="X", help="weight of the multi-scale L1 loss")
    seg.add_argument("--dice", type=WEIGHT, metavar="X", help="weight of the soft Dice loss")
    seg.add_argument("--bce", type=WEIGHT, metavar="X", help="weight of the binary cross-entropy")
    seg.add_argument(
        "--spectral", action=BooleanOptionalAction, help="spectral normalisation of the critic, or clipping"
    )
    syn.add_argument("--adversarial", choices=ADVERSARIAL, help="adversarial loss (default: logistic)")
    syn.add_argument(
        "--generator",
        choices=list(SYNTHESIS),
        help="the paper's, or one that draws a style (default: paper)",
    )
    syn.add_argument("--pixel", type=WEIGHT, metavar="X", help="weight of the pixel L1 loss (default: 10)")
    syn.add_argument("--multi-scale", type=WEIGHT, metavar="X", help="weight of multi-scale L1 (default: 10)")
    syn.add_argument(
        "--r1", type=WEIGHT, metavar="X", help="weight of the critic's slope at true slices (default: 1)"
    )
    syn.add_argument(
        "--spectral",
        action=BooleanOptionalAction,
        help="spectral normalisation of the critic's convolutions (default: only the attention's)",
    )
    syn.add_argument(
        "--latent",
        type=WEIGHT,
        metavar="X",
        help="styled: weight of finding the drawn code again in what was painted (default: 0.5)",
    )
    syn.add_argument(
        "--kl", type=WEIGHT, metavar="X", help="styled: weight of the codes' divergence (default: 0.004)"
    )
    syn.add_argument(
        "--style", type=integer(1, 65536), metavar="N", help="styled: numbers in a code (default: 64)"
    )
    syn.add_argument("--grain", action=BooleanOptionalAction, help="styled: noise at every size, or none")
    return options


def share(word: str) -> float | None:
    """A number, or None for 'data'."""
    if word == "data":
        return None
    try:
        return number(0, 1)(word)
    except ArgumentTypeError as error:
        raise ArgumentTypeError(f"{error}, or data") from None
