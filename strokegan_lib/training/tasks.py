"""What can be trained: the tasks, the settings that each begins from, and the networks that these describe."""

from __future__ import annotations

import json
from collections.abc import Callable
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
from strokegan_lib.training.checkpoint import differences
from strokegan_lib.training.encoder import LIGHT, EncoderSettings, EncoderTask
from strokegan_lib.training.family import FAMILY, GENTLE, MaskSettings
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.settings import Settings
from strokegan_lib.training.styled import StyledGAN, StyledSettings
from strokegan_lib.training.synthesis import SynthesisGAN, SynthesisSettings
from strokegan_lib.training.weights import kind_of, load_weights

RECORD = "settings.json"  # in the folder of a run: what it was started with


@dataclass(frozen=True)
class Task:
    """Something that can be trained.

    Attributes:
        help: what it is.
        choice: the setting that chooses a row.
        rows: settings that a run begins from.
        gan: from settings and number of channels to the untrained networks.
        augmentation: how far training slices are changed.
    """

    help: str
    choice: str
    rows: dict[str, Settings]
    gan: Callable[[Any, int], GAN]
    augmentation: Augmentation

    @property
    def options(self) -> Settings:
        """The row with the most options; the command line offers them all."""
        return max(self.rows.values(), key=lambda row: len(asdict(row)))


PAINTERS = {"paper": SynthesisSettings(), "styled": StyledSettings()}
TASKS = {
    "segmentation": Task("a segmentor and its critic", "method", METHODS, SegmentationGAN, Augmentation()),
    "synthesis": Task(
        "a generator and its critic", "generator", PAINTERS,
        lambda s, channels: (StyledGAN if s.generator == "styled" else SynthesisGAN)(s, channels), MIRROR,
    ),
    "family": Task(
        "an ancestor of the synthesis GAN", "member", FAMILY,
        lambda s, _: MEMBERS[s.member].make(s.width, s.steps), MIRROR,
    ),
    "masks": Task(
        "masks from noise", "task", {"masks": MaskSettings()},
        lambda s, _: MaskGAN(s.noise, width=s.width), GENTLE,
    ),
    "encoder": Task(
        "features that measure realism", "task", {"encoder": EncoderSettings()},
        lambda s, _: EncoderTask(s), LIGHT,
    ),
}  # fmt: skip


def task_defaults(task: str, given: dict[str, Any]) -> Settings:
    """The settings that a run of a task begins from: the row that is asked for, or the first."""
    rows = TASKS[task].rows
    return rows[given.get(TASKS[task].choice, next(iter(rows)))]


def resolve_settings(task: str, given: dict[str, Any], resumed: Path | None = None) -> Settings:
    """Every setting of a run: what was given, and defaults for the rest.

    Args:
        task: a name in TASKS.
        given: values of some settings, by name.
        resumed: folder of a run that is to go on; where there is one, the defaults are its settings.

    Raises:
        BadInput: settings that do not go together, or others than those of the run.
    """
    record = read_record(resumed) if resumed else None
    if record:
        defaults = replace(settings_of(record), task=task)
    else:
        defaults = task_defaults(task, given).sized(given.get("profile", "quick"))
    for name in {*given} - {*asdict(defaults)}:
        row = f"--{TASKS[task].choice} {getattr(defaults, TASKS[task].choice)}"
        raise BadInput(f"--{name}", f"does not go with {row}", "leave one of the two out")
    settings = replace(defaults, **given)
    if record:
        check_unchanged(resumed, record, settings)
    return settings


def read_record(folder: Path) -> dict[str, Any] | None:
    """What a run was started with; None where the folder holds none.

    Raises:
        BadInput: it cannot be read.
    """
    file = folder / RECORD
    if not file.is_file():
        return None
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        settings_of(record)
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(file, "cannot be read", "choose another --out") from error
    return record


def settings_of(record: dict[str, Any]) -> Settings:
    """The settings that settings.json or a weight file tells of; what an older one does not has its default."""
    row = task_defaults(record["task"], record)
    return replace(row, **{name: record[name] for name in asdict(row) if name in record})


def check_unchanged(folder: Path, record: dict[str, Any], settings: Settings) -> None:
    """Raise BadInput where a run would go on with other settings than it was started with."""
    if differ := differences(record, settings.record()):
        raise BadInput(
            folder / RECORD, f"says otherwise: {differ}",
            "resume with the same settings or choose another --out",
        )  # fmt: skip


def build(settings: Settings, channels: int = 1) -> GAN:
    """The untrained networks of a run; the seed decides their first weights."""
    torch.manual_seed(settings.seed)
    return TASKS[settings.task].gan(settings, channels)


def load_initial_weights(gan: GAN, path: Path) -> None:
    """Give the GAN's first network the weights of a file; its critic starts afresh.

    Raises:
        BadInput: the file is of another network, or of another width or other channels.
    """
    network = next(iter(gan.networks.values()))
    held, _ = load_weights(path, kind_of(network))
    if held.config != network.config:
        differ = [name for name in network.config if held.config[name] != network.config[name]]
        raise BadInput(
            path, f"differs from the run in {', '.join(differ)}", "start from weights of the same network"
        )
    network.load_state_dict(held.state_dict())


def fingerprint(file: Path) -> dict[str, str]:
    """A weight file to start from, by name and contents: it may be overwritten or moved.

    Raises:
        BadInput: there is none.
    """
    if not file.is_file():
        raise BadInput(file, "is not there", "name a weights.safetensors to start from")
    return {"file": file.name, "sha256": sha256(file)}
