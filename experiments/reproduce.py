"""Remake the tables: ``python -m experiments.reproduce --data SOOP --runs DIR [NAMES]``, behind ``make results``.

Hours on two CPU cores. What is trained already is kept, so it can be stopped and started.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path

from experiments import (
    balancing,
    blinded,
    generators,
    masks,
    memorisation,
    new_loss,
    phantom_likeness,
    runner,
    table1,
    transfer,
)
from experiments.runner import RESULTS, Place, Result
from strokegan_lib.classroom.saved import TABLES
from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json
from strokegan_lib.training.precision import arithmetic

PROG = "python -m experiments.reproduce"
EXPERIMENTS: dict[str, Callable[[Place], Result]] = {
    "table1_soop": partial(runner.run, table1.TABLE_1),
    "attempts_soop": table1.attempts,
    "ablation_soop": partial(runner.run, table1.ABLATION),
    "new_loss_candidates": new_loss.candidates,
    "new_loss_soop": partial(runner.run, new_loss.NEW_LOSS),
    "new_loss_untouched": partial(runner.run, new_loss.UNTOUCHED),
    "new_loss_phantom": new_loss.on_the_phantom,
    "phantom_to_real": transfer.transfer,
    "balancing_soop18": partial(balancing.balancing, balancing.SOOP_18),
    "balancing_tenth": partial(balancing.balancing, balancing.TENTH),
    "balancing_phantom": balancing.on_the_phantom,
    "phantom_start_control": balancing.phantom_start,
    "painters_soop": balancing.generators,
    "generators_soop": generators.generators,
    "family_soop": generators.family,
    "masks_soop": masks.masks,
    "memorisation_soop": memorisation.copies,
    "blinded_soop": blinded.blinded,
    "phantom_likeness": phantom_likeness.likeness,
}
# shown by lessons, so they travel with the library; of their parts only those that are small
LESSONS = (
    "table1_soop", "attempts_soop", "new_loss_candidates", "new_loss_soop", "new_loss_phantom", "phantom_to_real",
    "balancing_soop18", "balancing_tenth", "balancing_phantom", "family_soop",
)  # fmt: skip


def parser() -> Parser:
    options = Parser(prog=PROG, description="Remake the reported tables, one experiment after the other.")
    options.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(EXPERIMENTS)} (default: all)"
    )
    options.add_argument("--data", type=path, required=True, metavar="DIR", help="prepared SOOP, FLAIR")
    options.add_argument(
        "--phantom", type=path, default=Path("build/phantom"), metavar="DIR", help="the default phantom set"
    )
    options.add_argument("--runs", type=path, required=True, metavar="DIR", help="where trainings are kept")
    options.add_argument(
        "--out", type=path, default=RESULTS, metavar="DIR", help="default: the kit's own folder"
    )
    return options


def reproduce(options: Namespace) -> None:
    """Run experiments and write their tables and cards.

    Raises:
        BadInput: a name that is not known, other data than before, or whatever an experiment refuses.
    """
    if unknown := [name for name in options.names if name not in EXPERIMENTS]:
        raise BadInput(
            f"results {', '.join(unknown)}", "are not known", f"choose of {', '.join(EXPERIMENTS)}"
        )
    data = SliceSet.open(options.data)
    sha256 = data.card["sha256"]
    for name in options.names or EXPERIMENTS:
        print(f"{name}: {options.runs / name}", flush=True)
        place = Place(data, options.runs / name, options.phantom)
        if runner.cached(place.runs / "data.json", None, lambda: sha256) != sha256:
            raise BadInput(place.runs, "was made of other data", "choose another --runs")
        result = EXPERIMENTS[name](place)
        card = {
            "what": result.what,
            "command": f"{PROG} --data SOOP --runs DIR {name}",
            "data": data.card["name"],
            "data_sha256": sha256,
        }
        card |= {**result.facts, **provenance(1, arithmetic())}
        shown = name in LESSONS and options.out == RESULTS
        for folder in (options.out, TABLES)[: 1 + shown]:
            write_json(folder / f"{name}.json", card)
            for part, lines in result.tables.items():
                if folder != TABLES or part != "slices":
                    write_csv(folder / f"{'_'.join(filter(None, (name, part)))}.csv", lines)


if __name__ == "__main__":
    sys.exit(run(partial(reproduce, parser().parse_args()), PROG))
