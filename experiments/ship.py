"""Make the weights that come with the kit: ``python -m experiments.ship --phantom DIR [--soop DIR] --runs DIR``.

Each file is trained by one command, one run a core at low priority; what is trained already is
not trained again, what was interrupted goes on. Then it is rounded to float16, scored as it is
then, and written with a card that says how it was made and what it is worth.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from experiments.cards import card
from experiments.mask_measures import mask_scores
from experiments.masks import made, masks_of
from experiments.realism_measures import synthetic_scores
from experiments.recipes import COMMON, KINDS, RECIPES, STORES, Recipe
from experiments.training_queue import Run, hours, trained
from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.measure import measure, validation_score
from strokegan_lib.evaluation.scores import summary
from strokegan_lib.evaluation.tables import provenance
from strokegan_lib.files import write_whole
from strokegan_lib.train import each
from strokegan_lib.training.checkpoint import checkpoints, load_checkpoint
from strokegan_lib.training.precision import arithmetic
from strokegan_lib.training.tasks import RECORD, build, resolve_settings, settings_of
from strokegan_lib.training.weights import SHIPPED, kind_of, load_weights, save_weights

PROG = "python -m experiments.ship"


def parser() -> Parser:
    options = Parser(prog=PROG, description="Train, score and write the weights that come with the kit.")
    options.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(RECIPES)} (default: all but encoder)"
    )
    options.add_argument("--phantom", type=path, required=True, metavar="DIR", help="the default phantom set")
    options.add_argument(
        "--soop", type=path, metavar="DIR", help="prepared SOOP; without it its files are left"
    )
    options.add_argument(
        "--so-far", action="store_true",
        help="train nothing: write the best that unfinished runs have reached so far, and say so in the cards",
    )  # fmt: skip
    options.add_argument("--runs", type=path, required=True, metavar="DIR", help="where training is kept")
    options.add_argument(
        "--out", type=path, default=SHIPPED, metavar="DIR", help="default: the kit's own folder"
    )
    return options


def ship(options: Namespace) -> None:
    """Make the files that are asked for, one run a core; a finished run is not repeated.

    Raises:
        BadInput: a name or a data set that is not known, a run that was made with other settings or
            data than these, or whatever training refuses.
    """
    unknown = [name for name in options.names if name not in RECIPES]
    if unknown:
        raise BadInput(f"weights {', '.join(unknown)}", "are not known", f"choose of {', '.join(RECIPES)}")
    folders = {store: folder for store in STORES if (folder := getattr(options, store))}
    stores = {store: SliceSet.open(folder) for store, folder in folders.items()}
    # another encoder is another yardstick: it is made only when asked for by name, and its sha256
    # then belongs in evaluation/features.py
    default = [name for name, recipe in RECIPES.items() if recipe.task != "encoder"]
    chosen: dict[str, Recipe] = {}
    for name in options.names or default:
        missing = [store for store in RECIPES[name].stores if store not in stores]
        if missing and name in options.names:
            raise BadInput(f"--{missing[0]}", f"is missing for {name}", "name the prepared data set")
        if not missing:
            chosen[name] = RECIPES[name]
    runs = {name: _run(name, recipe, folders, options.runs) for name, recipe in chosen.items()}
    for name, recipe in chosen.items():
        given = {key: value for key, value in recipe.settings.items() if key != "threads"}
        resolve_settings(
            recipe.task, given, runs[name].folder
        )  # refuses one that was made with other settings
    if options.so_far:
        ready = [run for run in runs.values() if run.done or checkpoints(run.folder)]
    else:
        ready = trained([*runs.values()])
    for ended in ready:
        _write(ended, chosen[ended.name], stores, options.out)


def _run(name: str, recipe: Recipe, folders: dict[str, Path], runs: Path) -> Run:
    """The process that trains one file."""
    options = [f"--{key.replace('_', '-')}={value}" for key, value in recipe.settings.items()]
    data = [str(folders[store]) for store in recipe.stores]
    command = (
        "python", "-m", "strokegan_lib.train", recipe.task, "--data", *data, "--out", str(runs / name), *options,
        "--resume",
    )  # fmt: skip
    return Run(name, command, runs / name, recipe.settings["steps"])


def _write(ended: Run, recipe: Recipe, stores: dict[str, SliceSet], out: Path) -> None:
    """Round, score, and write a file and its card."""
    kind, slices = KINDS[recipe.task], stores[recipe.stores[0]]
    learnt_from = [stores[store] for store in recipe.stores]
    if ended.done:
        network, about = load_weights(ended.folder / "weights.safetensors", kind)
    else:
        network, about = so_far(ended.folder, len(slices.channels))
        about["data"] = each(learnt_from, "name")
    if about["data_sha256"] != each(learnt_from, "sha256"):
        raise BadInput(
            ended.folder, "learnt from another data set than the one given", "give the one it learnt from"
        )
    network.half().float()  # scored as it is shipped
    if recipe.task == "segmentation":
        validation = Batches(slices, slices.of_split("validation"), size=64)
        found = validation_score(network, validation)
        about |= {"threshold": found["validation threshold"], "validation_dice": found["validation dice"]}
        scores = overlap_scores(network, slices, about["threshold"])
    elif recipe.task == "masks":
        scores = made_scores(network, slices)
    else:
        scores = synthetic_scores(network, slices) if recipe.task == "synthesis" else {}
    precision = about["settings"]["precision"]
    about |= {
        "network": kind_of(network),
        "command": recipe.command,
        "scores": scores,
        "hours": round(hours(ended.folder / "metrics.csv"), 2),
        **provenance(COMMON["threads"], arithmetic() if precision == "auto" else precision),
    }
    file = out / f"{ended.name}.safetensors"
    save_weights(file, network, about, half=True)
    write_whole(out / f"{ended.name}.md", card(ended.name, recipe, file, about))
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB", flush=True)


def so_far(folder: Path, channels: int = 1) -> tuple[nn.Module, dict[str, Any]]:
    """The network of a run that has not ended: the best on validation, or its present average.

    Args:
        folder: of the run.
        channels: of the slices it learns from.

    Returns:
        as ``load_weights``.

    Raises:
        BadInput: there is no sound checkpoint.
    """
    settings = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    state = load_checkpoint(folder)
    if state is None:
        raise BadInput(folder, "holds no sound checkpoint", "train it first")
    network = next(iter(build(settings_of(settings), channels).networks.values()))
    network.load_state_dict(state["best"].get("network", state["average"]))
    about = {"settings": settings, "data_sha256": state["about"]["data"], "so_far": state["step"]}
    if state["best"]:
        about["kept_step"] = state["best"]["step"]
    return network.eval().requires_grad_(False), about


def overlap_scores(segmentor: nn.Module, slices: SliceSet, threshold: float) -> dict[str, Any]:
    """Overlap on the test patients, with intervals."""
    rows = slices.of_split("test")
    counts = measure(segmentor, Batches(slices, rows, size=64), torch.tensor([threshold]))
    return summary(counts, slices.table["patient"][rows])


def made_scores(generator: nn.Module, slices: SliceSet) -> dict[str, Any]:
    """Made masks against those of validation and test patients, with intervals.

    Raises:
        BadInput: too few patients, or a network that makes no strokes.
    """
    train, held_out = (masks_of(slices, parts) for parts in (("train",), ("validation", "test")))
    return mask_scores(made(generator, "the mask generator"), held_out, train)


def main() -> None:
    sys.exit(run(partial(ship, parser().parse_args()), PROG))


if __name__ == "__main__":
    main()
