"""Make the weights that come with the kit: ``python -m experiments.train_weights --phantom DIR [--soop DIR] --runs DIR``.

Each file is trained by one command (recipes.py), one run a core at low priority; what is trained already is not trained
again, what was interrupted goes on. Then it is rounded to float16, scored as it is then, and written with a card.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

from experiments.cards import card
from experiments.mask_measures import mask_scores
from experiments.masks import made, masks_of
from experiments.realism_measures import synthetic_scores
from experiments.recipes import KINDS, RECIPES, STORES, TRAINED, Recipe, settings_for, words
from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.measure import measure, validation_score
from strokegan_lib.evaluation.scores import summary
from strokegan_lib.evaluation.tables import provenance
from strokegan_lib.files import write_whole
from strokegan_lib.training.checkpoint import checkpoints, load_checkpoint
from strokegan_lib.training.log import read_rows
from strokegan_lib.training.precision import arithmetic
from strokegan_lib.training.tasks import build, settings_in
from strokegan_lib.training.weights import SHIPPED, kind_of, load_weights, save_weights

PROG = "python -m experiments.train_weights"
Stores = dict[str, SliceSet]


def parser() -> Parser:
    options = Parser(prog=PROG, description="Train, score and write the weights that come with the kit.")
    options.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(RECIPES)} (default: all but encoder)"
    )
    options.add_argument("--phantom", type=path, required=True, metavar="DIR", help="the default phantom set")
    options.add_argument(
        "--soop", type=path, metavar="DIR", help="prepared SOOP; without it its files are left"
    )
    options.add_argument("--runs", type=path, required=True, metavar="DIR", help="where training is kept")
    options.add_argument(
        "--so-far", action="store_true", help="train nothing: write what unfinished runs have reached"
    )
    options.add_argument(
        "--out", type=path, default=SHIPPED, metavar="DIR", help="default: the kit's own folder"
    )
    return options


def make(options: Namespace) -> None:
    """Make the files that are asked for.

    Raises:
        BadInput: a name or a data set that is not known, a run that was made with other options or data than
            these, or whatever training refuses.
    """
    if unknown := [name for name in options.names if name not in RECIPES]:
        raise BadInput(f"weights {', '.join(unknown)}", "are not known", f"choose of {', '.join(RECIPES)}")
    stores = {store: SliceSet.open(folder) for store in STORES if (folder := getattr(options, store))}
    runs = []
    # another encoder is another yardstick, so it is made only when asked for by name
    for name in options.names or [name for name in RECIPES if name != "encoder"]:
        missing = [store for store in RECIPES[name].stores if store not in stores]
        if missing and options.names:
            raise BadInput(f"--{missing[0]}", f"is missing for {name}", "name the prepared data set")
        if not missing:
            # refuses a run that was made otherwise
            settings_for(RECIPES[name].task, RECIPES[name].options, options.runs / name)
            runs.append(options.runs / name)
    begun = [run for run in runs if (run / TRAINED).is_file() or checkpoints(run)]
    for ended in begun if options.so_far else trained(runs, stores):
        write(ended, RECIPES[ended.name], stores, options.out)


def trained(runs: list[Path], stores: Stores) -> Iterator[Path]:
    """Train what is not trained yet, a run a core, and yield each run as it ends.

    Raises:
        BadInput: a run ended without weights; the others end first, and finished ones are kept.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for ended in as_completed([pool.submit(train_one, run, stores) for run in runs]):
            yield ended.result()


def train_one(run: Path, stores: Stores) -> Path:
    """Train the network of a run's name in a process of its own, or go on with it."""
    recipe = RECIPES[run.name]
    if not (run / TRAINED).is_file():
        data = [str(stores[store].folder) for store in recipe.stores]
        command = [
            "strokegan_lib.train",
            recipe.task,
            "--data",
            *data,
            "--out",
            str(run),
            *words(recipe.options),
        ]
        print(f"{run.name}: python -m {' '.join(command)}; see {run / 'log.txt'}", flush=True)
        run.mkdir(parents=True, exist_ok=True)
        low = ["nice"] if hasattr(os, "nice") else []
        with open(run / "log.txt", "ab") as log:
            subprocess.run(
                [*low, sys.executable, "-m", *command, "--resume"], stdout=log, stderr=log, check=False
            )
    if not (run / TRAINED).is_file():
        raise BadInput(
            run / "log.txt", f"says why {run.name} ended", "mend it and give the same command again"
        )
    return run


def write(run: Path, recipe: Recipe, stores: Stores, out: Path) -> None:
    """Round, score, and write a file and its card.

    Raises:
        BadInput: it learnt from another data set.
    """
    learnt_from = [stores[store] for store in recipe.stores]
    slices, several = learnt_from[0], len(learnt_from) > 1
    hashes, names = ([data.card[key] for data in learnt_from] for key in ("sha256", "name"))
    if (run / TRAINED).is_file():
        network, about = load_weights(run / TRAINED, KINDS[recipe.task])
    else:
        network, about = so_far(run, len(slices.channels))
    if about["data_sha256"] != (hashes if several else hashes[0]):
        raise BadInput(run, "learnt from another data set than the one given", "give the one it learnt from")
    network.half().float()  # scored as it is shipped
    scores: dict[str, Any] = {}
    if recipe.task == "segmentation":
        found = validation_score(network, Batches(slices, slices.of_split("validation"), size=64))
        about |= {"threshold": found["validation threshold"], "validation_dice": found["validation dice"]}
        rows = slices.of_split("test")
        counts = measure(network, Batches(slices, rows, size=64), torch.tensor([about["threshold"]]))
        scores = summary(counts, slices.table["patient"][rows])
    elif recipe.task == "synthesis":
        scores = synthetic_scores(network, slices)
    elif recipe.task == "masks":
        scores = mask_scores(made(network), masks_of(slices, "validation", "test"), masks_of(slices, "train"))
    precision = about["settings"]["precision"]
    about |= {
        "network": kind_of(network), "command": recipe.command, "data": names if several else names[0],
        "scores": scores, "hours": round(hours(run), 2),
        **provenance(1, arithmetic(precision)),
    }  # fmt: skip
    file = out / f"{run.name}.safetensors"
    save_weights(file, network, about, half=True)
    write_whole(file.with_suffix(".md"), card(run.name, recipe, file, about))
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB", flush=True)


def so_far(run: Path, channels: int) -> tuple[nn.Module, dict[str, Any]]:
    """The network of a run that has not ended, as ``load_weights``: the best on validation, or its present average."""
    settings, state = settings_in(run), load_checkpoint(run)
    if settings is None or state is None:
        raise BadInput(run, "holds no sound checkpoint", "train it first")
    network = next(iter(build(settings, channels).networks.values()))
    network.load_state_dict(state["best"].get("network", state["average"]))
    about = {"settings": settings.record(), "data_sha256": state["about"]["data"], "so_far": state["step"]}
    if state["best"]:
        about["kept_step"] = state["best"]["step"]
    return network.eval().requires_grad_(False), about


def hours(run: Path) -> float:
    """Hours of training according to a run's record, pauses left out: the clock begins at 0 again after each."""
    seconds = [row["seconds"] for row in read_rows(run / "metrics.csv") if "seconds" in row]
    return sum(b - a for a, b in pairwise(seconds) if b >= a) / 3600


if __name__ == "__main__":
    sys.exit(run(partial(make, parser().parse_args()), PROG))
