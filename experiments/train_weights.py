"""Make the weights that come with the kit: ``python -m experiments.train_weights --phantom DIR [--soop DIR] --runs DIR``.

Each file is trained by one command (recipes.py), one run a core; what is trained already is not trained again, what
was interrupted goes on. Then it is rounded to float16, scored as it is then, and written with a card.
"""

import os
import subprocess
import sys
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from experiments.cards import card
from experiments.masks import made, mask_scores, masks_of
from experiments.realism import Scores, synthetic_scores
from experiments.recipes import KINDS, RECIPES, STORES, TRAINED, check_names, hours, settings_for, words
from strokegan_lib.command_line import Parser, path, run
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.evaluation.measure import measure, validation_score
from strokegan_lib.evaluation.scores import summary
from strokegan_lib.evaluation.tables import provenance
from strokegan_lib.files import write_whole
from strokegan_lib.train import each
from strokegan_lib.training.precision import arithmetic
from strokegan_lib.training.weights import SHIPPED, kind_of, load_weights, save_weights

PROG = "python -m experiments.train_weights"


def parser() -> Parser:
    options = Parser(prog=PROG, description="Train, score and write the weights that come with the kit.")
    folder = {"type": path, "metavar": "DIR"}
    options.add_argument("names", nargs="*", help=f"of {', '.join(RECIPES)} (default: all but encoder)")
    options.add_argument("--phantom", required=True, help="the default phantom set", **folder)
    options.add_argument("--soop", help="prepared SOOP; without it its files are left", **folder)
    options.add_argument("--runs", required=True, help="where training is kept", **folder)
    options.add_argument("--out", default=SHIPPED, help="default: the kit's own folder", **folder)
    return options


def make(options: Namespace) -> None:
    """Make the files that are asked for; another encoder is another yardstick, so it is made by name only.

    BadInput where a name or a data set is not known, a run was made with other options or data, or training refuses.
    """
    check_names(options.names, RECIPES)
    stores = {store: SliceSet.open(folder) for store in STORES if (folder := getattr(options, store))}
    runs = {}  # folder of a run -> what it learns from
    for name in options.names or [name for name in RECIPES if name != "encoder"]:
        recipe, folder = RECIPES[name], options.runs / name
        missing = [store for store in recipe.stores if store not in stores]
        if missing and options.names:
            raise BadInput(f"--{missing[0]}", f"is missing for {name}", "name the prepared data set")
        if not missing:
            settings_for(recipe.task, recipe.options, folder)  # refuses a run that was made otherwise
            runs[folder] = [stores[store] for store in recipe.stores]
    with writing(options.out):
        options.out.mkdir(parents=True, exist_ok=True)  # now, not after hours
    failed = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for ended in as_completed([pool.submit(train_one, *run) for run in runs.items()]):
                try:
                    write(ended.result(), runs[ended.result()], options.out)
                except BadInput as error:  # the others need not wait
                    failed.append(error)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if failed:
        raise failed[0]


def train_one(folder: Path, sets: list[SliceSet]) -> Path:
    """Train the network of a run's name in a process of its own, or go on; BadInput if it ends without weights."""
    recipe = RECIPES[folder.name]
    if not (folder / TRAINED).is_file():
        data = [str(slices.folder) for slices in sets]
        command = [recipe.task, "--data", *data, "--out", str(folder), *words(recipe.options), "--resume"]
        subprocess.run([sys.executable, "-m", "strokegan_lib.train", *command], check=False)
    if not (folder / TRAINED).is_file():
        raise BadInput(folder, "ended without weights", "mend what was said and give the same command again")
    return folder


def write(folder: Path, sets: list[SliceSet], out: Path) -> None:
    """Round, score, and write the file of a run and its card; BadInput if it learnt from other data."""
    recipe = RECIPES[folder.name]
    network, about = load_weights(folder / TRAINED, KINDS[recipe.task])
    if about["data_sha256"] != each(sets, "sha256"):
        raise BadInput(folder, "learnt from another data set", "give the one it learnt from")
    network.half().float()  # scored as it is shipped
    if recipe.task == "segmentation":
        found = validation_score(network, Batches(sets[0], sets[0].of_split("validation"), size=64))
        about |= {"threshold": found["validation threshold"], "validation_dice": found["validation dice"]}
    about |= {
        "network": kind_of(network), "command": recipe.command, "data": each(sets, "name"),
        "scores": held_out_scores(network, recipe.task, about, sets[0]), "hours": round(hours(folder), 2),
        **provenance(1, arithmetic(about["settings"]["precision"])),
    }  # fmt: skip
    file = out / f"{folder.name}.safetensors"
    save_weights(file, network, about, half=True)
    write_whole(file.with_suffix(".md"), card(folder.name, recipe, file, about))
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB", flush=True)


def held_out_scores(network: nn.Module, task: str, about: dict[str, Any], slices: SliceSet) -> Scores:
    """Scores on patients that the network has not seen; {} for tasks whose networks are scored elsewhere."""
    if task == "segmentation":
        rows = slices.of_split("test")
        counts = measure(network, Batches(slices, rows, size=64), torch.tensor([about["threshold"]]))
        return summary(counts, slices.table["patient"][rows])
    if task == "synthesis":
        return synthetic_scores(network, slices)
    if task == "masks":
        return mask_scores(made(network), masks_of(slices, "validation", "test"), masks_of(slices, "train"))
    return {}


if __name__ == "__main__":
    sys.exit(run(partial(make, parser().parse_args()), PROG))
