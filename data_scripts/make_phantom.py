"""Make the default data set: synthetic stroke patients, nothing to download."""

import sys
from argparse import Namespace
from functools import partial

from strokegan_lib.command_line import Parser, integer, path, run
from strokegan_lib.phantom.dataset import PATIENTS, PLANES, make_phantom_set
from strokegan_lib.phantom.scanner import CONTRASTS

PROG = "make_phantom.py"


def parser() -> Parser:
    options = Parser(
        prog=PROG,
        description="Make synthetic stroke patients on the MNI152 anatomy: the default data set, no download.",
    )
    shown = {"help": "default: %(default)s"}
    options.add_argument("--out", type=path, required=True, metavar="DIR", help="the SliceSet to make")
    options.add_argument("--patients", type=integer(1, 100_000), default=PATIENTS, metavar="N", **shown)
    options.add_argument("--slices-per-patient", type=integer(1, 126), default=PLANES, metavar="N", **shown)
    options.add_argument("--contrast", choices=list(CONTRASTS), default="flair", **shown)
    options.add_seed_and_workers()
    return options


def make(options: Namespace) -> None:
    """Make the data set and print its card: counts, a comparison with real strokes, limits."""
    card = make_phantom_set(**vars(options)).card
    counts, comparison = card["counts"], card["compared_with_soop"]
    print(
        f"{options.out}: {counts['slices']} slices of {counts['patients']} patients; "
        f"{100 * counts['share_with_stroke']:.2f} % of slices and "
        f"{counts['patients_with_stroke']} patients with a stroke"
    )
    if comparison:
        print(f"{'over patients with a stroke':52s}{'phantom':>9s}{'SOOP':>9s}")
    for row in comparison:
        print(f"{row['what']:52s}{row['phantom']:9.2f}{row['soop']:9.2f}")
    for limit in card["limits"]:
        print(f"Limit: {limit}")


def main() -> None:
    """Run the command and exit."""
    options = parser().parse_args()
    sys.exit(run(partial(make, options), PROG))


if __name__ == "__main__":
    main()
