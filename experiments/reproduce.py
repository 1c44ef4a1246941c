"""Remake the tables: ``python -m experiments.reproduce --data SOOP --runs DIR [NAMES]``, behind ``make results``.

Many hours on two CPU cores. What is trained already is kept, so it can be stopped and started; what has scores of every
slice beside the tables is not trained again, unless ``--anew``. After a change of the networks choose another --runs, too.
"""

import shutil
import sys
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path

from experiments import (
    ablation,
    balancing,
    ensemble,
    family,
    likeness,
    masks,
    pictures,
    runner,
    segmentors,
    styles,
)
from experiments.recipes import check_names
from experiments.runner import RESULTS, Place, Result
from strokegan_lib.classroom.saved import TABLES
from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json
from strokegan_lib.training.precision import arithmetic

PROG = "python -m experiments.reproduce"
EXPERIMENTS: dict[str, Callable[[Place], Result]] = {
    "phantom_likeness": likeness.likeness,
    "table1_soop": partial(runner.run, segmentors.TABLE_1),
    "table1_phantom": segmentors.table_1_on_the_phantom,
    "seeds_soop": partial(runner.run, segmentors.SEEDS),
    "twice_soop": partial(runner.run, ensemble.TWICE),
    "ensemble_soop": partial(runner.run, ensemble.ENSEMBLE),
    "ablation_soop": partial(runner.run, segmentors.ABLATION),
    "ablation_synthesis": ablation.ablation,
    "new_loss_candidates": partial(runner.run, segmentors.CANDIDATES),
    "new_loss_soop": partial(runner.run, segmentors.NEW_LOSS),
    "new_loss_untouched": partial(runner.run, segmentors.UNTOUCHED),
    "new_loss_phantom": segmentors.new_loss_on_the_phantom,
    "phantom_to_real": segmentors.transfer,
    "balancing_soop18": partial(balancing.balancing, balancing.SOOP_18),
    "balancing_tenth": partial(balancing.balancing, balancing.TENTH),
    "balancing_phantom": balancing.on_the_phantom,
    "family_soop": family.family,
    "styles_soop": styles.styles,
    "masks_soop": masks.side_by_side,
    "memorisation_soop": pictures.copies,
}


def parser() -> Parser:
    options = Parser(prog=PROG, description="Remake the reported tables, one experiment after the other.")
    folder, phantom = {"type": path, "metavar": "DIR"}, Path("build/phantom")
    options.add_argument("names", nargs="*", help=f"of {', '.join(EXPERIMENTS)} (default: all)")
    options.add_argument("--data", required=True, help="prepared SOOP, FLAIR", **folder)
    options.add_argument("--phantom", default=phantom, help="the default phantom set", **folder)
    options.add_argument("--runs", required=True, help="where trainings are kept", **folder)
    options.add_argument("--anew", action="store_true", help="train even what has scores beside the tables")
    options.add_argument("--out", default=RESULTS, help="default: the kit's own folder", **folder)
    return options


def reproduce(options: Namespace) -> None:
    """Run experiments and write their tables and cards.

    BadInput for a name that is not known, trainings from other data, or whatever an experiment refuses.
    """
    check_names(options.names, EXPERIMENTS)
    data = SliceSet.open(options.data)
    for name in options.names or EXPERIMENTS:
        place = Place(data, options.runs / name, options.phantom, options.out / "scores", anew=options.anew)
        print(f"{name}: {place.runs}", flush=True)
        place.runs.mkdir(parents=True, exist_ok=True)
        result = EXPERIMENTS[name](place)
        card = {"what": result.what, "command": f"{PROG} --data SOOP --runs DIR {name}"}
        card |= {"data": data.card["name"], "data_sha256": data.card["sha256"]}
        card |= {**result.facts, **provenance(1, arithmetic())}
        write_json(options.out / f"{name}.json", card)
        for part, lines in result.tables.items():
            write_csv(options.out / f"{'_'.join(filter(None, (name, part)))}.csv", lines)
        for file in options.out.glob(f"{name}*"):
            if options.out.resolve() == RESULTS and (TABLES / file.name).is_file():  # lessons show it
                shutil.copy(file, TABLES)


if __name__ == "__main__":
    sys.exit(run(partial(reproduce, parser().parse_args()), PROG))
