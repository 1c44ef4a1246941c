"""The command line of data_scripts/make_phantom.py."""

from __future__ import annotations

import sys
import time
from functools import partial

from strokegan_lib.command_line import Parser, integer, path, run
from strokegan_lib.phantom.dataset import PAPER, make_phantom_set
from strokegan_lib.phantom.phantom import CONTRASTS


def parser() -> Parser:
    options = Parser(
        prog="make_phantom.py",
        description="Make synthetic stroke patients on the MNI152 anatomy: the default data set, no download.",
    )
    options.add_argument("--out", type=path, required=True, metavar="DIR", help="the SliceSet to make")
    options.add_argument(
        "--patients",
        type=integer(1, 100_000),
        default=PAPER["patients"],
        metavar="N",
        help="default: %(default)s",
    )
    options.add_argument(
        "--slices-per-patient",
        type=integer(1, 126),
        default=PAPER["slices_per_patient"],
        metavar="N",
        help="default: %(default)s",
    )
    options.add_argument("--contrast", choices=list(CONTRASTS), default="flair", help="default: %(default)s")
    options.add_seed_and_workers()
    return options


def main(argv: list[str] | None = None) -> None:
    """Run the command and exit."""
    options = parser().parse_args(argv)
    sys.exit(run(partial(_make, options), "make_phantom.py"))


def _make(options) -> None:
    started = time.perf_counter()
    made = make_phantom_set(
        options.out,
        patients=options.patients,
        slices_per_patient=options.slices_per_patient,
        contrast=options.contrast,
        seed=options.seed,
        workers=options.workers,
    )
    seconds = time.perf_counter() - started
    print(card(made.card))
    print(f"Made in {seconds:.0f} s, peak memory {peak_gigabytes()} GB: {options.out}")


def card(about: dict) -> str:
    """The card's counts and its comparison with real strokes, as text."""
    counts = about["counts"]
    lines = [
        f"{about['name']}: {counts['slices']} slices of {counts['patients']} patients; "
        f"{100 * counts['share_with_stroke']:.2f} % of slices and {counts['patients_with_stroke']} patients with a stroke"
    ]
    if about["compared_with_soop"]:
        lines.append(f"{'over patients with a stroke':52s}{'phantom':>9s}{'SOOP':>9s}")
        lines += [
            f"{row['what']:52s}{row['phantom']:9.2f}{row['soop']:9.2f}" for row in about["compared_with_soop"]
        ]
    lines += [f"Limit: {limit}" for limit in about["limits"]]
    return "\n".join(lines)


def peak_gigabytes() -> str:
    """Largest memory that this process has held, GB; 'unknown' where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return "unknown"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{peak / (1e9 if sys.platform == 'darwin' else 1e6):.2f}"  # bytes there, kilobytes elsewhere
