"""Make the weights that come with the kit: ``python -m strokegan_lib.ship --phantom DIR [--soop DIR] --runs DIR``.

Each file is trained by one command, rounded to float16, scored as it is then, and written
with a card that says how it was made and what it is worth.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from strokegan_lib.cards import card
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.door import Parser, run
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.evaluation.masks import mask_scores
from strokegan_lib.evaluation.measure import measure, validation_score
from strokegan_lib.evaluation.painted import painted_scores
from strokegan_lib.evaluation.scores import summary
from strokegan_lib.evaluation.tables import circumstances
from strokegan_lib.masks import made, masks_of
from strokegan_lib.recipes import COMMON, KINDS, RECIPES, STORES, Recipe
from strokegan_lib.train import train
from strokegan_lib.train_settings import settle
from strokegan_lib.training.precision import arithmetic
from strokegan_lib.training.weights import SHIPPED, kind_of, load_weights, save_weights

NAME = "python -m strokegan_lib.ship"


def parser() -> Parser:
    options = Parser(prog=NAME, description="Train, score and write the weights that come with the kit.")
    options.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(RECIPES)} (default: all but encoder)"
    )
    options.add_argument("--phantom", type=Path, required=True, metavar="DIR", help="the default phantom set")
    options.add_argument(
        "--soop", type=Path, metavar="DIR", help="prepared SOOP; without it its files are left"
    )
    options.add_argument("--runs", type=Path, required=True, metavar="DIR", help="where training is kept")
    options.add_argument(
        "--out", type=Path, default=SHIPPED, metavar="DIR", help="default: the kit's own folder"
    )
    return options


def ship(options: Namespace) -> None:
    """Make the files that are asked for, one after the other; a finished run is not repeated.

    Raises:
        BadInput: a name or a data set that is not known, or whatever training refuses.
    """
    unknown = [name for name in options.names if name not in RECIPES]
    if unknown:
        raise BadInput(f"weights {', '.join(unknown)}", "are not known", f"choose of {', '.join(RECIPES)}")
    folders = {store: folder for store in STORES if (folder := getattr(options, store))}
    stores = {store: SliceSet.open(folder) for store, folder in folders.items()}
    # another encoder is another yardstick: it is made only when asked for by name, and its sha256
    # then belongs in evaluation/features.py
    default = [name for name, recipe in RECIPES.items() if recipe.task != "encoder"]
    for name in options.names or default:
        recipe = RECIPES[name]
        missing = [store for store in recipe.stores if store not in stores]
        if missing and name in options.names:
            raise BadInput(f"--{missing[0]}", f"is missing for {name}", "name the prepared data set")
        if not missing:
            _make(name, recipe, stores, options)


def _make(name: str, recipe: Recipe, stores: dict[str, SliceSet], options: Namespace) -> None:
    run_folder, kind = options.runs / name, KINDS[recipe.task]
    trained = run_folder / "weights.safetensors"
    folders = [stores[store].folder for store in recipe.stores]
    asked = {
        "task": recipe.task, "data": folders if recipe.task == "encoder" else folders[0],
        "out": run_folder, "resume": True, **recipe.settings,
    }  # fmt: skip
    settle(asked)  # refuses a run that was made with other settings
    if not trained.is_file():
        print(f"{name}: {recipe.command}", flush=True)
        train(asked)
    network, about = load_weights(trained, kind)
    network.half().float()  # scored as it is shipped
    slices = stores[recipe.stores[0]]
    if recipe.task == "segmentation":
        validation = Batches(slices, slices.of_split("validation"), size=64)
        found = validation_score(network, validation)
        about |= {"threshold": found["validation threshold"], "validation_dice": found["validation dice"]}
        scores = overlap_scores(network, slices, about["threshold"])
    elif recipe.task == "masks":
        scores = made_scores(network, slices)
    else:
        scores = painted_scores(network, slices) if recipe.task == "synthesis" else {}
    precision = about["settings"]["precision"]
    about |= {
        "network": kind_of(network),
        "command": recipe.command,
        "scores": scores,
        **circumstances(COMMON["threads"], arithmetic() if precision == "auto" else precision),
    }
    file = options.out / f"{name}.safetensors"
    save_weights(file, network, about, half=True)
    with writing(file):
        (options.out / f"{name}.md").write_text(card(name, recipe, file, about), encoding="utf-8")
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


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
    sys.exit(run(partial(ship, parser().parse_args()), NAME))


if __name__ == "__main__":
    main()
