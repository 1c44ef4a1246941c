"""From the options of a training run to every setting of it, and from these to the networks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from strokegan_lib.data.augment import MIRROR, Augmentation
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.models.family import MEMBERS
from strokegan_lib.models.family.dual import MaskGAN
from strokegan_lib.models.gan import GAN
from strokegan_lib.profiles import profile
from strokegan_lib.training.encoder import LIGHT, EncoderSettings, EncoderTask
from strokegan_lib.training.family import FAMILY, GENTLE, MaskSettings
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.settings import Settings
from strokegan_lib.training.styled import StyledGAN, StyledSettings
from strokegan_lib.training.synthesis import SynthesisGAN, SynthesisSettings
from strokegan_lib.training.weights import kind_of, load_weights

NOISE, FEATURES = MaskSettings().noise, EncoderSettings().features
SYNTHESIS = {"paper": SynthesisSettings(), "styled": StyledSettings()}
LESION_SHARE = 0.5  # of the slices in a batch: at the 18 % of the data most of a batch would teach nothing
RECORD = "settings.json"  # in --out: what the run was started with
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
    _settings(settled)
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


def _row(told: dict[str, Any]) -> Settings:
    """The task's own settings with their defaults."""
    task = told["task"]
    if task == "segmentation":
        return METHODS[told.get("method", "masked")]
    if task == "synthesis":
        return SYNTHESIS[told.get("generator", "paper")]
    if task == "family":
        return FAMILY[told.get("member", "dcgan")]
    return MaskSettings() if task == "masks" else EncoderSettings()


def _own(told: dict[str, Any]) -> dict[str, Any]:
    """The settings that a task has for itself, with their defaults."""
    row, base = _row(told), Settings().record()
    own = {name: value for name, value in row.record().items() if name not in base or value != base[name]}
    if row.task == "synthesis":
        for name in {*StyledSettings().record()} - {*row.record()} & {*told}:
            raise BadInput(
                f"--{name}", f"does not go with --generator {row.generator}", "leave one of the two out"
            )
    return own if "width" in row.SIZES else {**own, "width": row.width}


def _settings(settled: dict[str, Any]) -> Settings:
    """As an object, which refuses what does not go together."""
    row = _row(settled)
    return replace(row, **{name: settled[name] for name in row.record() if name in settled})


def build(settings: dict[str, Any], channels: int) -> GAN:
    """The untrained GAN of a run, or encoder; the seed decides its first weights."""
    torch.manual_seed(settings["seed"])
    row = _settings(settings)
    if row.task == "encoder":
        return EncoderTask(row)
    if row.task == "masks":
        return MaskGAN(row.noise, width=row.width)
    if row.task == "family":
        return MEMBERS[row.member].make(row.width, row.steps)
    if row.task == "synthesis":
        return (StyledGAN if row.generator == "styled" else SynthesisGAN)(row, channels)
    return SegmentationGAN(row, channels)


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
