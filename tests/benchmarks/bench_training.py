"""How fast is a training step? The kit's against a plain one (plain_training.py), in turns.

Both train the same networks with the same losses; they differ in how it is computed. The
method ``unet``, which needs no critic, also meets MONAI's U-Nets of the same size, with
MONAI's own loader and transforms, if MONAI is installed.

A step is everything: batch, augmentation, every player's turn, record. The ratio is the
median of the rounds' ratios. Aims: 1.3 times as fast in fp32, 2.5 times where the CPU
computes in bf16.

Run by ``make bench``, or ``python tests/benchmarks/bench_training.py [--data DIR]``; without
--data a set of 1,800 made-up slices is written to a temporary folder.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from bench_batches import write_made_up
from plain_training import device, make_gan, plain_training
from turns import Side, Steps, in_turns, machine, synchronise

from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.training.loop import Loop, Settings
from strokegan_lib.training.precision import accelerator, native_precision

METHODS = ("masked", "synthesis", "unet")
IMAGES = 32  # on the clock in a turn, as a rule
AIMS = {"fp32": 1.3, "bf16": 2.5}  # how many times as fast the kit is to be on a CPU
ROW = "{:10} {:>5}  {:9} {:>8}  {:12} {:>8}  {:>5}  {:>4}  {}"


def kit_training(
    folder: Path, method: str, width: int, size: int, precision: str, compiled: bool
) -> tuple[Steps, str]:
    """The kit's loop, ready to be measured."""
    slices, chosen = SliceSet.open(folder, verify=False), accelerator(precision)
    batches = Batches(
        slices, slices.of_split("all"), size=size, device=chosen.device, augmentation=Augmentation()
    )
    settings = Settings(steps=0, validations=0, compile=compiled)
    loop = Loop(make_gan(method, width), batches, settings, chosen, bar=False)

    def steps(count: int) -> None:
        loop.settings = replace(settings, steps=loop.step + count)
        loop.run()
        synchronise()

    steps(1)
    return steps, ""


def monai_training(folder: Path, name: str, width: int, size: int) -> tuple[Steps, str]:
    """As in monai_training.py, which is slow to import and so left to the process that needs it."""
    from monai_training import monai_training

    return monai_training(folder, name, width, size)


def rivals(method: str, width: int, size: int, folder: Path) -> dict[str, tuple]:
    """What the kit is compared with: a function for ``Side`` and its arguments, by name."""
    found: dict[str, tuple] = {"plain": (plain_training, folder, method, width, size)}
    if method == "unet" and find_spec("monai"):
        found |= {name: (monai_training, folder, name, width, size) for name in ("BasicUNet", "UNet")}
    return found


def compare(method: str, size: int, precision: str, folder: Path, args: argparse.Namespace) -> None:
    """Measure one method at one batch size and print a row for each rival."""
    with ExitStack() as stack:
        kit = Side(kit_training, folder, method, args.width, size, precision, args.compile)
        stack.enter_context(kit)
        others = {
            name: stack.enter_context(Side(*what))
            for name, what in rivals(method, args.width, size, folder).items()
        }
        steps = max(1, IMAGES // size)
        rounds = in_turns([kit, *others.values()], steps, args.rounds)  # seconds
        ms = [1000 * statistics.median(column) for column in zip(*rounds, strict=True)]
        for k, (name, other) in enumerate(others.items(), 1):
            ratio = statistics.median(row[k] / row[0] for row in rounds)
            aim = AIMS.get(precision, "") if device().type == "cpu" and name == "plain" else ""
            row = (method, size, precision, f"{ms[0]:.0f}", name, f"{ms[k]:.0f}", f"{ratio:.2f}", aim)
            print(ROW.format(*row, other.about), flush=True)
        if device().type == "cuda":
            idle = (f"{name} {100 * s.idle_share(10):.0f} %" for name, s in {"kit": kit, **others}.items())
            print(f"{'':10} share of the step in which no kernel runs: {', '.join(idle)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a SliceSet to measure on instead of made-up slices")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS, help="default: all")
    parser.add_argument("--width", type=int, default=32, help="of the networks (default: 32)")
    parser.add_argument(
        "--batches", type=int, nargs="+", default=[16, 32], help="slices a batch (default: 16 32)"
    )
    parser.add_argument(
        "--precision",
        nargs="+",
        default=["auto", "fp32"],
        help="of the kit's step; the plain one is fp32 (default: auto and fp32, once if they are the same)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (default: 5)")
    parser.add_argument("--compile", action="store_true", help="compile the kit's networks")
    args = parser.parse_args()

    native = native_precision(device())
    precisions = dict.fromkeys(native if p == "auto" else p for p in args.precision)
    print(f"Training step: {machine()}; precision of this machine: {native}; width {args.width}")
    if not find_spec("monai"):
        print("MONAI is not installed: its rows are left out (pip install monai)")
    print(
        ROW.format("method", "batch", "precision", "kit, ms", "against", "ms", "ratio", "aim", "its loader")
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.data or Path(scratch) / "made-up"
        if args.data is None:
            write_made_up(folder, patients=60)
        for precision in precisions:
            for method in args.methods:
                for size in args.batches:
                    compare(method, size, precision, folder, args)


if __name__ == "__main__":
    main()
