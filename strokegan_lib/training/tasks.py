"""What can be trained: the tasks, the settings that each begins from, and the networks that these describe."""

import json
from dataclasses import asdict, dataclass, replace
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
from strokegan_lib.training.checkpoint import check_same
from strokegan_lib.training.encoder import LIGHT, EncoderSettings, EncoderTask
from strokegan_lib.training.family import FAMILY, GENTLE, FamilySettings, MaskSettings
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN, SegmentationSettings
from strokegan_lib.training.settings import Settings
from strokegan_lib.training.styled import StyledGAN, StyledSettings
from strokegan_lib.training.synthesis import SynthesisGAN, SynthesisSettings
from strokegan_lib.training.weights import kind_of, load_weights

RECORD = "settings.json"  # in the folder of a run: what it was started with


@dataclass(frozen=True)
class Task:
    """Something that can be trained."""

    help: str
    choice: str  # the setting that chooses a row
    rows: dict[str, Settings]  # what a run begins from, the default first
    augmentation: Augmentation = MIRROR  # how far training slices are changed


GENERATORS = {"paper": SynthesisSettings(), "styled": StyledSettings()}
TASKS = {
    "segmentation": Task("a segmentor and its critic", "method", METHODS, Augmentation()),
    "synthesis": Task("a generator and its critic", "generator", GENERATORS),
    "family": Task("an ancestor of the synthesis GAN", "member", FAMILY),
    "masks": Task("masks from noise", "task", {"masks": MaskSettings()}, GENTLE),
    "encoder": Task("features that measure realism", "task", {"encoder": EncoderSettings()}, LIGHT),
}


def build(settings: Settings, channels: int = 1) -> GAN:
    """The untrained networks of a run; the seed decides their first weights."""
    torch.manual_seed(settings.seed)
    match settings:
        case SegmentationSettings():
            return SegmentationGAN(settings, channels)
        case StyledSettings():
            return StyledGAN(settings, channels)
        case SynthesisSettings():
            return SynthesisGAN(settings, channels)
        case FamilySettings():
            return MEMBERS[settings.member].make(settings.width, settings.steps)
        case MaskSettings():
            return MaskGAN(settings.noise, width=settings.width)
        case EncoderSettings():
            return EncoderTask(settings)


def task_defaults(task: str, given: dict[str, Any]) -> Settings:
    """The settings that a run of a task begins from: the row that is asked for, or the first."""
    rows = TASKS[task].rows
    return rows[given.get(TASKS[task].choice, next(iter(rows)))]


def settings_of(record: dict[str, Any]) -> Settings:
    """The settings that settings.json or a weight file tells of; what an older one does not has its default."""
    row = task_defaults(record["task"], record)
    return replace(row, **{name: record[name] for name in asdict(row) if name in record})


def settings_in(folder: Path) -> Settings | None:
    """What the run in a folder was started with, None where there is none; BadInput if it cannot be read."""
    file = folder / RECORD
    if not file.is_file():
        return None
    try:
        return settings_of(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(file, "cannot be read", "choose another --out") from error


def resolve_settings(task: str, given: dict[str, Any], resumed: Path | None = None) -> Settings:
    """Every setting of a run of a task in TASKS: what was given, by name, and defaults for the rest.

    If there is a run in *resumed*, which is to go on, the defaults are its settings. BadInput where they do
    not go together, or are others than those of that run.
    """
    before = settings_in(resumed) if resumed else None
    if before and before.task == task:
        defaults = before
    else:
        row, chosen = task_defaults(task, given), profile(given.get("profile", "quick"))
        defaults = replace(row, profile=chosen.name, **{name: getattr(chosen, name) for name in row.SIZES})
    for name in {*given} - {*asdict(defaults)}:
        row = f"--{TASKS[task].choice} {getattr(defaults, TASKS[task].choice)}"
        raise BadInput(f"--{name}", f"does not go with {row}", "leave one of the two out")
    settings = replace(defaults, **given)
    if before:
        check_same(resumed, before.record(), settings.record())
    return settings


def load_initial_weights(gan: GAN, path: Path) -> None:
    """Give the GAN's first network the weights of a file, of the same settings or BadInput; its critic starts afresh."""
    network = next(iter(gan.networks.values()))
    held, _ = load_weights(path, kind_of(network))
    if differ := [name for name in network.config if held.config[name] != network.config[name]]:
        remedy = "start from weights of the same network"
        raise BadInput(path, f"differs from the run in {', '.join(differ)}", remedy)
    network.load_state_dict(held.state_dict())


def fingerprint(file: Path) -> dict[str, str]:
    """A weight file by name and contents, as it may be overwritten or moved; BadInput where there is none."""
    if not file.is_file():
        raise BadInput(file, "is not there", "name a weights.safetensors to start from")
    return {"file": file.name, "sha256": sha256(file)}
