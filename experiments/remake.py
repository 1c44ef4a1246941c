"""Remake the tables of experiments: ``python -m experiments.remake --soop DIR --runs DIR``, behind ``make results``.

The attempts and candidates before them and the control from the phantom are single runs of the training
door; their cards in results/ name the commands.

Hours on two CPU cores. What is trained already is kept, so it can be stopped and started.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path

from experiments import balancing, compare, family, masks, transfer
from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.training.weights import SHIPPED, shipped

PROG = "python -m experiments.remake"
RESULTS = Path(__file__).parent / "results"
ABLATED = "masked,masked-no-attention,masked-pixel,segan,segan-released,unet"
BUDGET = "--steps 700 --width 32 --lesion-share 0.75"
BALANCING = "--steps 800 --generator-steps 300 --width 16 --generator-width 32"
START = f"--start {shlex.quote(str(shipped('synthesis-phantom')))}"
BESIDE = ("slices.csv", "groups.csv")  # lie beside the table under a longer name

# name of the result: the door's parser and function, its options, the files it leaves
EXPERIMENTS: dict[str, tuple[Callable[[], Parser], Callable[[Namespace], None], str, str]] = {
    "table1_soop": (
        compare.parser, compare.compare,
        f"--cross-validate {BUDGET}", "table.csv card.json slices.csv",
    ),
    "new_loss_soop": (
        compare.parser, compare.compare, f"--arms masked-divergence,masked,unet --cross-validate {BUDGET}",
        "table.csv card.json slices.csv groups.csv",
    ),
    "ablation_soop": (
        compare.parser, compare.compare, f"--arms {ABLATED} --steps 1200 --width 16", "table.csv card.json",
    ),
    "phantom_to_real": (transfer.parser, transfer.transfer, "", "table.csv card.json"),
    "masks_soop": (
        masks.parser, masks.compare, f"--weights {shlex.quote(str(shipped('masks-soop')))}",
        "table.csv card.json",
    ),
    "balancing_soop18": (
        balancing.parser, balancing.compare, f"--setting soop-18 {BALANCING} {START}",
        "balancing.csv balancing.json",
    ),
    "balancing_tenth": (
        balancing.parser, balancing.compare, f"--setting tenth {BALANCING} {START}",
        "balancing.csv balancing.json",
    ),
    "family_soop": (
        family.parser, family.compare, f"--weights {shlex.quote(str(SHIPPED))}", "table.csv card.json",
    ),
}  # fmt: skip


def parser() -> Parser:
    options = Parser(prog=PROG, description="Remake the reported figures, one experiment after the other.")
    options.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(EXPERIMENTS)} (default: all)"
    )
    options.add_argument("--soop", type=path, required=True, metavar="DIR", help="prepared SOOP")
    options.add_argument("--runs", type=path, required=True, metavar="DIR", help="where training is kept")
    options.add_argument(
        "--out", type=path, default=RESULTS, metavar="DIR", help="default: the kit's own folder"
    )
    return options


def remake(options: Namespace) -> None:
    """Run the experiments and copy their tables and cards to --out.

    Raises:
        BadInput: a name that is not known, or whatever the experiment refuses.
    """
    unknown = [name for name in options.names if name not in EXPERIMENTS]
    if unknown:
        raise BadInput(
            f"results {', '.join(unknown)}", "are not known", f"choose of {', '.join(EXPERIMENTS)}"
        )
    for name in options.names or EXPERIMENTS:
        parse, door, words, files = EXPERIMENTS[name]
        print(f"{name}: {words}", flush=True)
        folder = options.runs / name
        door(parse().parse_args(["--data", str(options.soop), "--out", str(folder), *shlex.split(words)]))
        with writing(options.out):
            options.out.mkdir(parents=True, exist_ok=True)
            for file in files.split():
                part = f"_{file[:-4]}" if file in BESIDE else ""
                shutil.copyfile(folder / file, options.out / f"{name}{part}{Path(file).suffix}")


def main() -> None:
    sys.exit(run(partial(remake, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()
