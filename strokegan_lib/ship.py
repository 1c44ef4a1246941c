"""Make the weights that come with the kit: ``python -m strokegan_lib.ship --phantom DIR [--soop DIR] --runs DIR``.

Each file is trained by one command, rounded to float16, scored as it is then, and written
with a card that says how it was made and what it is worth.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet, sha256
from strokegan_lib.door import Parser, run
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.evaluation.masks import mask_scores
from strokegan_lib.evaluation.measure import measure, validation_score
from strokegan_lib.evaluation.painted import painted_scores
from strokegan_lib.evaluation.scores import summary
from strokegan_lib.evaluation.tables import circumstances
from strokegan_lib.masks import made, with_stroke
from strokegan_lib.train import train
from strokegan_lib.train_settings import settle
from strokegan_lib.training.precision import arithmetic
from strokegan_lib.training.weights import GENERATORS, SHIPPED, kind_of, load_weights, save_weights

NAME = "python -m strokegan_lib.ship"
STORES = ("phantom", "soop")
COMMON = {"width": 32, "batch_size": 16, "threads": 1, "seed": 0}
KINDS = {
    "segmentation": "segmentor", "synthesis": GENERATORS, "masks": "mask generator", "encoder": "encoder",
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How one file is made.

    Attributes:
        task: 'segmentation', 'synthesis', 'masks' or 'encoder'.
        stores: the data sets it learns from.
        settings: of the training door, as its long options.
    """

    task: str
    stores: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)


def _segmentors(store: str, **settings: Any) -> dict[str, Recipe]:
    own = {
        **{method: {"method": method} for method in ("masked", "segan", "unet")},
        "masked-divergence": {"method": "masked", "loss": "divergence"},
    }
    return {
        f"{name}-{store}": Recipe("segmentation", (store,), {**COMMON, **choices, **settings})
        for name, choices in own.items()
    }


RECIPES = {
    **_segmentors("phantom", steps=1500),
    **_segmentors("soop", steps=700, lesion_share=0.75),
    "synthesis-phantom": Recipe("synthesis", ("phantom",), {**COMMON, "steps": 1000, "rate": 4.0}),
    "synthesis-soop": Recipe("synthesis", ("soop",), {**COMMON, "steps": 800, "rate": 4.0}),
    "styled-soop": Recipe(
        "synthesis",
        ("soop",),
        {**COMMON, "generator": "styled", "batch_size": 8, "steps": 900, "rate": 2.0, "lesion_share": 0.75},
    ),
    "masks-soop": Recipe(
        "masks",
        ("soop",),
        {**COMMON, "width": 16, "batch_size": 32, "steps": 600, "precision": "fp32"},
    ),
    "encoder": Recipe(
        "encoder",
        ("phantom", "soop"),
        {"profile": "full", "batch_size": 32, "threads": 1, "seed": 0, "steps": 1500, "rate": 2.0},
    ),
}


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


def command(name: str) -> str:
    """What a reader would type to train the file anew."""
    recipe = RECIPES[name]
    words = [f"--{key.replace('_', '-')} {value:g}" if isinstance(value, float) else f"--{key.replace('_', '-')} {value}"
             for key, value in recipe.settings.items()]  # fmt: skip
    data = " ".join(store.upper() for store in recipe.stores)
    return f"python -m strokegan_lib.train {recipe.task} --data {data} --out RUN {' '.join(words)}"


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
        print(f"{name}: {command(name)}", flush=True)
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
        "command": command(name),
        "scores": scores,
        **circumstances(COMMON["threads"], arithmetic() if precision == "auto" else precision),
    }
    file = options.out / f"{name}.safetensors"
    save_weights(file, network, about, half=True)
    with writing(file):
        (options.out / f"{name}.md").write_text(card(name, file, about), encoding="utf-8")
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
    train, held_out = (with_stroke(slices, parts) for parts in (("train",), ("validation", "test")))
    return mask_scores(made(generator, "the mask generator"), held_out, train)


LIMITS = {
    "phantom": "The phantom's brains are distortions of one average brain; scores on it say little about patients.",
    "soop": "One hospital group's FLAIR images, one slice a patient; lesions were drawn on diffusion images, and some "
    "cannot be seen on FLAIR.",
}
NOTES = {
    "encoder": (
        "An encoder trained by the kit is no independent judge of the kit's pictures: distances in its features "
        "compare sets with each other, and with figures made by this very file only.",
    ),
    "generator": ("Paints smooth pictures: the right outline and lesion, little of a brain's detail.",),
    "mask generator": (
        "Makes brains of the height it learnt from only, and smoother, fewer pieces of stroke than people draw.",
    ),
    "styled generator": (
        "A style is drawn at random for every picture, so its error against the one true slice says little. Size of the "
        "ventricles, contrast and grain vary; the folds of the cortex are texture, not anatomy, and "
        "some pictures are far too coarse.",
    ),
}
LICENCES = {
    "phantom": "CC BY 4.0, as the text of the kit.",
    "soop": "CC BY 4.0. Trained on SOOP (Absher et al., OpenNeuro ds004889, CC0).",
}


def card(name: str, file: Path, about: dict[str, Any]) -> str:
    """The model card of a file, Markdown."""
    recipe, settings = RECIPES[name], about["settings"]
    facts = [
        ("network", about["network"]),
        ("learnt from", f"the training patients of {' and '.join(recipe.stores)}"),
        ("made by", f"`{about['command']}`"),
        ("steps, batch, seed", f"{settings['steps']}, {settings['batch_size']}, {settings['seed']}"),
        ("on", f"{about['hardware']}; PyTorch {about['torch']}; {about['date']}"),
        ("file", f"float16, {file.stat().st_size / 1e6:.1f} MB, sha256 `{sha256(file)}`"),
        ("licence", LICENCES[recipe.stores[-1]]),
        ("intended use", "teaching and tests only; never for clinical use"),
        ("limits", " ".join([*(LIMITS[store] for store in recipe.stores), *NOTES.get(about["network"], ())])),
    ]  # fmt: skip
    if "threshold" in about:
        facts.insert(5, ("threshold", f"{about['threshold']:.2f}, chosen on validation patients"))
    lines = [f"# {name}", "", "| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in facts), ""]
    if not about["scores"]:
        return "\n".join(lines)
    painted, masks = recipe.task == "synthesis", recipe.task == "masks"
    against = "Made masks against those of validation and test patients (see evaluation/masks.py)"
    lines += [f"{against if masks else 'Scores on test patients'}, with 95 % intervals over patients:", ""]
    lines += [
        "| score | value | of |"
        + " halves of true slices | half against as many painted |" * painted
        + " halves of true masks | half against as many made |" * masks
    ]
    lines += ["|---|---|---|" + "---|---|" * (painted or masks)]
    for key, score in about["scores"].items():
        if isinstance(score, dict) and score["mean"] is not None:
            span = "" if score["low"] is None else f" ({score['low']:.3f} to {score['high']:.3f})"
            basis = f"{score['n']} slices, {score['patients']} patients"
            chance = [score.get("halves"), score.get("as_many" if masks else "fake_as_many")]
            cells = [f"{score['mean']:.3f}{span}", basis]
            cells += ["" if value is None else f"{value:.3f}" for value in chance] if painted or masks else []
            lines.append(f"| {key} | {' | '.join(cells)} |")
    if painted:
        lines += ["", *_verdict(about["scores"])]
    return "\n".join(lines) + "\n"


def _verdict(scores: dict[str, Any]) -> list[str]:
    """What the numbers of a generator do not say by themselves."""
    better = scores["error"]["mean"] < scores["mean_picture_error"]["mean"]
    said = [
        f"The generator's error is {'less' if better else 'NOT less'} than that of the mean training slice."
    ]
    if not scores["kernel"]["reliable"]:
        said.append("Fewer than ten slices a feature: the distances are unreliable.")
    said.append(
        "`memorisation` near 0 would betray copies; above 1 it says only that the pictures lie far from the training "
        "slices, which blurred copies do as well."
    )
    return said


def main() -> None:
    sys.exit(run(partial(ship, parser().parse_args()), NAME))


if __name__ == "__main__":
    main()
