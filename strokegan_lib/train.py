"""Train a GAN: ``python -m strokegan_lib.train segmentation --data DIR --out DIR``.

Or ``synthesis``, or ``family``: one of the GANs they descend from, or ``masks``: the masks themselves
from noise. Or ``encoder``: the network by which realism is measured, no GAN.

Run it by ``accelerate launch -m strokegan_lib.train ...`` for several devices or machines.
"""

from __future__ import annotations

import json
import sys
from argparse import SUPPRESS, BooleanOptionalAction
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.mixing import Mixed
from strokegan_lib.data.slices import SliceSet, sha256
from strokegan_lib.data.split import FOLDS
from strokegan_lib.door import Parser, run
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.evaluation.measure import validation_score
from strokegan_lib.losses import ADVERSARIAL, WEIGHTINGS
from strokegan_lib.profiles import PROFILES, profile
from strokegan_lib.training.checkpoint import checkpoints
from strokegan_lib.training.encoder import LIGHT, EncoderTask
from strokegan_lib.training.family import MEMBERS
from strokegan_lib.training.gan import GAN
from strokegan_lib.training.loop import Loop, Settings
from strokegan_lib.training.masks import GENTLE, MaskGAN
from strokegan_lib.training.objectives import OBJECTIVES
from strokegan_lib.training.precision import PRECISIONS, accelerator
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.styled import MIRROR, StyledGAN, StyledRecipe
from strokegan_lib.training.synthesis import Recipe, SynthesisGAN
from strokegan_lib.training.weights import kind_of, load_weights, save_weights

NAME = "python -m strokegan_lib.train"
NOISE, MASK_WIDTH = 64, 16  # of the generator of masks, in every profile: it is small
FEATURES, ENCODER_WIDTH = 32, 16  # of the encoder, in every profile: others' figures are no yardstick
GENERATORS = {"paper": (Recipe, SynthesisGAN), "styled": (StyledRecipe, StyledGAN)}
LESION_SHARE = 0.5  # of the slices in a batch: at the 18 % of the data most of a batch would teach nothing
RECORD = "settings.json"  # in --out: what the run was started with


def parser() -> Parser:
    options = Parser(prog=NAME, description="Train a GAN on a prepared data set.")
    tasks = options.add_subparsers(
        dest="task", required=True, metavar="segmentation|synthesis|family|masks|encoder"
    )
    seg = tasks.add_parser("segmentation", help="a segmentor and its critic", argument_default=SUPPRESS)
    syn = tasks.add_parser("synthesis", help="a generator and its critic", argument_default=SUPPRESS)
    fam = tasks.add_parser("family", help="an ancestor of the synthesis GAN", argument_default=SUPPRESS)
    mas = tasks.add_parser("masks", help="masks from noise", argument_default=SUPPRESS)
    enc = tasks.add_parser("encoder", help="features that measure realism", argument_default=SUPPRESS)
    enc.add_argument(
        "--data",
        type=Path,
        required=True,
        nargs="+",
        metavar="DIR",
        help="prepared data sets, in equal shares",
    )
    enc.add_argument(
        "--features", type=int, metavar="N", help=f"width of the description (default: {FEATURES})"
    )
    fam.add_argument("--member", choices=list(MEMBERS), help="which of the family (default: dcgan)")
    for task in (seg, syn, fam, mas):
        task.add_argument("--data", type=Path, required=True, metavar="DIR", help="a prepared data set")
    for task in (seg, syn):
        task.add_argument(
            "--attention", action=BooleanOptionalAction, help="self-attention (default: the method's)"
        )
    for task in (seg, syn, fam, mas, enc):
        task.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the run is kept")
        task.add_argument("--profile", choices=list(PROFILES), help="size of the run (default: quick)")
        task.add_argument("--steps", type=int, metavar="N", help="training steps (default: the profile's)")
        task.add_argument("--seed", type=int, metavar="N", help="default: 0")
        task.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
        task.add_argument(
            "--width",
            type=int,
            metavar="N",
            help="of the networks (default: the profile's; family: the member's; masks: 16)",
        )
        task.add_argument(
            "--batch-size", type=int, metavar="N", help="slices a step (default: the profile's)"
        )
        task.add_argument(
            "--rate", type=float, metavar="X", help="multiplies the learning rates (default: 1)"
        )
        task.add_argument(
            "--lesion-share", type=share, metavar="X",
            help=f"share of slices with stroke in the batches, 0..1, or 'data' for what the data hold "
            f"(default: {LESION_SHARE}; masks: 1; family: 1 where no mask asks for it)",
        )  # fmt: skip
        task.add_argument(
            "--precision",
            choices=["auto", *PRECISIONS],
            help="arithmetic (default: auto, the fastest native)",
        )
        task.add_argument(
            "--start", type=Path, metavar="FILE", help="weights to start from, of the same network and width"
        )
        task.add_argument(
            "--fold",
            type=int,
            metavar="K",
            help="hold fold K of five out for testing (default: the plain split)",
        )
        task.add_argument("--compile", action="store_true", help="compile the networks")
        task.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: the profile's)")
        task.add_argument(
            "--checkpoint-seconds", type=float, metavar="X", help="time between checkpoints (default: 60)"
        )
    mas.add_argument("--noise", type=int, metavar="N", help=f"numbers that decide a mask (default: {NOISE})")
    seg.add_argument("--method", choices=list(METHODS), help="default: masked")
    seg.add_argument(
        "--loss", choices=list(OBJECTIVES), help="what masked makes small (default: the paper's)"
    )
    seg.add_argument("--levels", choices=WEIGHTINGS, help="weighting of the multi-scale L1 loss")
    seg.add_argument("--multi-scale", type=float, metavar="X", help="weight of the multi-scale L1 loss")
    seg.add_argument("--dice", type=float, metavar="X", help="weight of the soft Dice loss")
    seg.add_argument("--bce", type=float, metavar="X", help="weight of the binary cross-entropy")
    seg.add_argument(
        "--spectral", action=BooleanOptionalAction, help="spectral normalisation of the critic, or clipping"
    )
    syn.add_argument("--adversarial", choices=ADVERSARIAL, help="adversarial loss (default: hinge)")
    syn.add_argument(
        "--generator",
        choices=list(GENERATORS),
        help="the paper's, or one that draws a style (default: paper)",
    )
    syn.add_argument(
        "--pixel", type=float, metavar="X", help="weight of the pixel L1 loss (default: 100; styled: 30)"
    )
    syn.add_argument("--multi-scale", type=float, metavar="X", help="weight of multi-scale L1 (default: 10)")
    syn.add_argument(
        "--kl", type=float, metavar="X", help="styled: weight of the codes' divergence (default: 0.004)"
    )
    syn.add_argument(
        "--style", type=int, metavar="N", help="styled: numbers in a code, 0 for no styles (default: 64)"
    )
    syn.add_argument("--grain", action=BooleanOptionalAction, help="styled: noise at every size, or none")
    syn.add_argument(
        "--spade",
        action=BooleanOptionalAction,
        help="styled: the masks modulate, or are joined to the features",
    )
    return options


def share(word: str) -> float | None:
    """A number, or None for 'data'."""
    return None if word == "data" else float(word)


LOCAL = ("data", "out", "resume", "checkpoint_seconds", "compile", "threads")  # may change on --resume


def settle(given: dict[str, Any]) -> dict[str, Any]:
    """Every setting of a run: what was given, and defaults for the rest.

    With ``--resume`` the defaults are those of the run in --out.

    Raises:
        BadInput: a number out of range, --out in use, or other settings than the run's.
    """
    out, resume = given["out"], given.get("resume", False)
    record = out / RECORD
    if "start" in given:  # known by its contents: a file may be overwritten or moved
        given = {**given, "start": named(given["start"])}
    if record.is_file() and not resume:
        raise BadInput(out, "holds a run already", "give --resume to go on, or choose another --out")
    told = {name: value for name, value in given.items() if name not in LOCAL}
    if record.is_file():
        try:
            kept = json.loads(record.read_text(encoding="utf-8"))
            differences = [f"{n} was {kept[n]}, now {told[n]}" for n in told if kept[n] != told[n]]
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(record, "cannot be read", "choose another --out") from error
        if differences:
            raise BadInput(
                record, f"says otherwise: {'; '.join(differences)}",
                "resume with the same settings or choose another --out",
            )  # fmt: skip
        return kept
    size = profile(told.get("profile", "quick"))
    common = {
        "task": told["task"], "profile": size.name, "steps": size.steps, "seed": 0, "width": size.width,
        "batch_size": size.batch_size, "rate": 1.0, "lesion_share": LESION_SHARE, "precision": "auto",
        "fold": None, "start": None,
    }  # fmt: skip
    if told["task"] == "segmentation":
        method = told.get("method", "masked")
        own = {"method": method, **asdict(METHODS[method])}
    elif told["task"] == "synthesis":
        generator = told.get("generator", "paper")
        own = {"generator": generator, **asdict(GENERATORS[generator][0]()), "attention": True}
        for name in {*StyledRecipe.__dataclass_fields__} - {*own} & {*told}:
            raise BadInput(
                f"--{name}", f"does not go with --generator {generator}", "leave one of the two out"
            )
    elif told["task"] == "family":
        name = told.get("member", "dcgan")
        own = {"member": name, "width": MEMBERS[name].width, "lesion_share": MEMBERS[name].lesion_share}
    elif told["task"] == "masks":
        own = {"noise": NOISE, "width": MASK_WIDTH, "lesion_share": 1.0}
    else:
        own = {"features": FEATURES, "width": ENCODER_WIDTH}
    settled = {**common, **own, **told}
    for name, bound in (
        ("steps", 1),
        ("seed", 0),
        ("batch_size", 2),
        ("features", 1),
        ("style", 0),
        ("noise", 1),
    ):
        if settled.get(name, bound) < bound:
            raise BadInput(
                f"--{name.replace('_', '-')} {settled[name]}", "is too small", f"give {bound} or more"
            )
    if settled["width"] < 4 or settled["width"] % 4:
        raise BadInput(f"--width {settled['width']}", "is not a multiple of 4", "give 8, 16, 32 or 64")
    if settled["fold"] not in (None, *range(FOLDS)):
        raise BadInput(f"--fold {settled['fold']}", "is not a fold", f"give a number from 0 to {FOLDS - 1}")
    if settled["lesion_share"] is not None and not 0 <= settled["lesion_share"] <= 1:
        raise BadInput(
            f"--lesion-share {settled['lesion_share']}",
            "is not a share",
            "give a number from 0 to 1, or 'data'",
        )
    if settled.get("loss", "paper") != "paper":
        served = settled["method"] == "masked" and settled["multi_scale"] and settled["levels"] == "equal"
        if not served:
            raise BadInput(
                f"--loss {settled['loss']}", "needs what masked paints and its critic",
                "choose --method masked, and leave --multi-scale 0 and --levels out",
            )  # fmt: skip
    weights = [settled.get(name, 0) for name in ("multi_scale", "dice", "bce", "pixel", "kl")]
    if (
        settled["rate"] <= 0
        or min(weights) < 0
        or not (any(weights) or settled["task"] in ("encoder", "family", "masks"))
    ):
        raise BadInput("--rate or the weight of a loss", "is not positive", "give numbers above 0")
    return settled


def build(settings: dict[str, Any], channels: int) -> GAN:
    """The untrained GAN of a run, or encoder; the seed decides its first weights."""
    torch.manual_seed(settings["seed"])
    if settings["task"] == "encoder":
        return EncoderTask(settings["features"], width=settings["width"])
    if settings["task"] == "masks":
        return MaskGAN(settings["noise"], width=settings["width"])
    if settings["task"] == "family":
        return MEMBERS[settings["member"]].make(settings["width"], settings["steps"])
    if settings["task"] == "synthesis":
        kind, gan = GENERATORS[settings.get("generator", "paper")]  # older records name none
        recipe = kind(*(settings[name] for name in kind.__dataclass_fields__))
        return gan(recipe, channels, width=settings["width"], attention=settings["attention"])
    method = METHODS[settings["method"]]
    method = replace(method, **{name: settings[name] for name in asdict(method) if name in settings})
    return SegmentationGAN(method, channels, width=settings["width"])


def augmentation(settings: dict[str, Any]) -> Augmentation:
    """How far the training slices of a run are changed."""
    if settings["task"] == "encoder":
        return LIGHT
    if settings["task"] == "masks":
        return GENTLE
    mirror = settings.get("generator") == "styled" or settings["task"] == "family"
    return MIRROR if mirror else Augmentation()


def begin(gan: GAN, path: Path) -> None:
    """Give the GAN's first network the weights of a file; its critic starts afresh.

    Raises:
        BadInput: the file is of another network, or of another width or other channels.
    """
    network = next(iter(gan.networks.values()))
    held, _ = load_weights(path, kind_of(network))
    if held.config != network.config:
        differ = [k for k in network.config if held.config[k] != network.config[k]]
        raise BadInput(
            path, f"differs from the run in {', '.join(differ)}", "start from weights of the same network"
        )
    network.load_state_dict(held.state_dict())


def named(start: Path) -> dict[str, str]:
    """A weight file to start from, by name and contents.

    Raises:
        BadInput: there is none.
    """
    if not start.is_file():
        raise BadInput(start, "is not there", "name a weights.safetensors to start from")
    return {"file": start.name, "sha256": sha256(start)}


def train(given: dict[str, Any]) -> None:
    """Train as the options say and leave weights.safetensors, metrics.csv and settings.json in --out.

    Raises:
        BadInput: bad use, bad data, or training that diverged.
    """
    out, settings = given["out"], settle(given)
    size = replace(profile(settings["profile"]), **{k: given[k] for k in ("threads",) if k in given})
    size.use_threads()
    encoder = settings["task"] == "encoder"
    sets = [SliceSet.open(folder) for folder in (given["data"] if encoder else [given["data"]])]
    slices = sets[0]
    machine = accelerator(settings["precision"])
    how = {"device": machine.device, "seed": settings["seed"]}
    fold = settings["fold"]
    for data in sets:
        if settings["task"] in ("encoder", "family") and len(data.channels) != 1:
            raise BadInput(data.folder, "holds several channels", "give slices of one channel")
    parts = [
        Batches(
            data, data.of_split("train", fold), size=max(1, settings["batch_size"] // len(sets)), **how,
            augmentation=augmentation(settings), lesion_share=settings["lesion_share"],
        ) for data in sets
    ]  # fmt: skip
    batches = Mixed(parts) if len(parts) > 1 else parts[0]
    gan = build(settings, len(slices.channels))
    if "start" in given:
        begin(gan, given["start"])
    elif settings["start"] and not checkpoints(out):
        raise BadInput(out, "holds no checkpoint yet", f"give --start {settings['start']['file']} again")
    validate = None
    if settings["task"] == "segmentation":
        rows = slices.of_split("validation", fold)
        if not slices.table["has_stroke"][rows].any():
            raise BadInput(
                slices.folder, "holds no slice with stroke in its validation part",
                "choose a data set with more patients",
            )  # fmt: skip
        validate = partial(validation_score, batches=Batches(slices, rows, size=64, **how))
    if machine.num_processes > 1 and settings.get("member") == "progressive":
        raise BadInput("--member progressive", "learns in one process only", "start it without accelerate")
    if machine.is_main_process:
        _note(out, settings)
    local = {k: given[k] for k in ("checkpoint_seconds", "compile") if k in given}
    loop = Loop(
        gan, batches,
        Settings(settings["steps"], settings["seed"], settings["rate"], **local),
        machine, validate, out, {**settings, "data": _each(sets, "sha256")},
    )  # fmt: skip
    done = loop.run(given.get("resume", False))
    if done.step < settings["steps"]:
        machine.print(f"stopped after step {done.step}; the same command with --resume goes on from there")
        raise KeyboardInterrupt
    if machine.is_main_process:
        finish(out, settings, sets, done)


def finish(out: Path, settings: dict[str, Any], sets: list[SliceSet], done: Any) -> None:
    """Write the averaged network with what made it, and say where it lies."""
    about = {"settings": settings, "data": _each(sets, "name"), "data_sha256": _each(sets, "sha256")}
    last = done.rows[-1]
    if "validation threshold" in last:
        about["threshold"] = last["validation threshold"]
        about["validation_dice"] = last["validation dice"]
    save_weights(out / "weights.safetensors", done.network, about)
    for leftover in checkpoints(out)[1:]:
        leftover.unlink()
    print(f"{out / 'weights.safetensors'}: the network after {done.step} steps, averaged")
    if "threshold" in about:
        print(f"validation Dice {about['validation_dice']:.3f} at threshold {about['threshold']:.2f}")


def _each(sets: list[SliceSet], entry: str) -> Any:
    """An entry of the data's card; a list of them where there are several data sets."""
    found = [slices.card[entry] for slices in sets]
    return found if len(found) > 1 else found[0]


def _note(out: Path, settings: dict[str, Any]) -> None:
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        (out / RECORD).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    given = vars(parser().parse_args())
    sys.exit(run(partial(train, given), NAME))


if __name__ == "__main__":
    main()
