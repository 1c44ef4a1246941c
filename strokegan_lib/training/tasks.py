"""From the options of a training run to every setting of it, and from these to the networks."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from strokegan_lib.data.augment import MIRROR, Augmentation
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.models.gan import GAN
from strokegan_lib.profiles import profile
from strokegan_lib.training.encoder import LIGHT, EncoderTask
from strokegan_lib.training.family import MEMBERS
from strokegan_lib.training.masks import GENTLE, MaskGAN
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.styled import StyledGAN, StyledRecipe
from strokegan_lib.training.synthesis import Recipe, SynthesisGAN
from strokegan_lib.training.weights import kind_of, load_weights

NOISE, MASK_WIDTH = 64, 16  # of the generator of masks, in every profile: it is small
FEATURES, ENCODER_WIDTH = 32, 16  # of the encoder, in every profile: others' figures are no yardstick
SYNTHESIS = {"paper": (Recipe, SynthesisGAN), "styled": (StyledRecipe, StyledGAN)}
LESION_SHARE = 0.5  # of the slices in a batch: at the 18 % of the data most of a batch would teach nothing
RECORD = "settings.json"  # in --out: what the run was started with
AVERAGE = 0.995  # of generators: the last 200 steps, over which the players circle each other
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
        return _kept(record, told)
    size = profile(told.get("profile", "quick"))
    common = {
        "task": told["task"], "profile": size.name, "steps": size.steps, "seed": 0, "width": size.width,
        "batch_size": size.batch_size, "rate": 1.0, "lesion_share": LESION_SHARE, "precision": "auto",
        "fold": None, "start": None, "average": 0.99,
    }  # fmt: skip
    settled = {**common, **_own(told), **told}
    _check(settled)
    return settled


def _kept(record: Path, told: dict[str, Any]) -> dict[str, Any]:
    """The settings of the run that is to go on; what is told must agree with them."""
    try:
        kept = json.loads(record.read_text(encoding="utf-8"))
        missing = {"average", *_own(kept)} - {*kept}
        differences = (
            [] if missing else [f"{n} was {kept[n]}, now {told[n]}" for n in told if kept[n] != told[n]]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(record, "cannot be read", "choose another --out") from error
    if missing:
        raise BadInput(
            record, f"does not say {', '.join(sorted(missing))}: another version of the kit wrote it", "choose another --out"
        )  # fmt: skip
    if differences:
        raise BadInput(
            record, f"says otherwise: {'; '.join(differences)}",
            "resume with the same settings or choose another --out",
        )  # fmt: skip
    return kept


def _own(told: dict[str, Any]) -> dict[str, Any]:
    """The settings that a task has for itself, with their defaults."""
    task = told["task"]
    if task == "segmentation":
        method = told.get("method", "masked")
        return {"method": method, **asdict(METHODS[method])}
    if task == "synthesis":
        generator = told.get("generator", "paper")
        own = {
            "generator": generator,
            **asdict(SYNTHESIS[generator][0]()),
            "attention": True,
            "average": AVERAGE,
        }
        for name in {*StyledRecipe.__dataclass_fields__} - {*own} & {*told}:
            raise BadInput(
                f"--{name}", f"does not go with --generator {generator}", "leave one of the two out"
            )
        return own
    if task == "family":
        member = MEMBERS[name := told.get("member", "dcgan")]
        return {
            "member": name,
            "width": member.width,
            "lesion_share": member.lesion_share,
            "average": AVERAGE,
        }
    if task == "masks":
        return {"noise": NOISE, "width": MASK_WIDTH, "lesion_share": 1.0}
    return {"features": FEATURES, "width": ENCODER_WIDTH}


def _check(settled: dict[str, Any]) -> None:
    """Raise BadInput for settings that do not go together; the parser knows their ranges."""
    if settled["width"] % 4:
        raise BadInput(f"--width {settled['width']}", "is not a multiple of 4", "give 8, 16, 32 or 64")
    if settled.get("loss", "paper") != "paper":
        served = settled["method"] == "masked" and settled["multi_scale"] and settled["levels"] == "equal"
        if not served:
            raise BadInput(
                f"--loss {settled['loss']}", "needs what masked paints and its critic",
                "choose --method masked, and leave --multi-scale 0 and --levels out",
            )  # fmt: skip
    weights = [settled.get(name, 0) for name in ("multi_scale", "dice", "bce", "pixel", "kl", "latent")]
    if not any(weights) and settled["task"] in ("segmentation", "synthesis"):
        raise BadInput("every weight of a loss", "is 0", "give one above 0")


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
        kind, gan = SYNTHESIS[settings["generator"]]
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
    return MIRROR if settings["task"] in ("synthesis", "family") else Augmentation()


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
