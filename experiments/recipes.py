"""How each weight file that comes with the kit is made: the options of its training command."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from strokegan_lib.errors import BadInput
from strokegan_lib.models.family import MEMBERS
from strokegan_lib.training.checkpoint import check_same
from strokegan_lib.training.log import read_rows
from strokegan_lib.training.settings import Settings
from strokegan_lib.training.tasks import resolve_settings, settings_in
from strokegan_lib.training.weights import GENERATORS

STORES = ("phantom", "soop")  # data sets
TRAINED = "weights.safetensors"  # what a run leaves
KINDS = {
    "segmentation": "segmentor", "synthesis": GENERATORS, "masks": "mask generator", "encoder": "encoder",
    "family": tuple(sorted({member.network for member in MEMBERS.values()})),
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How one network is trained: the task, the data sets it learns from, and options of the training command."""

    task: str
    stores: tuple[str, ...]
    options: dict[str, Any]

    @property
    def command(self) -> str:
        """What a reader would type to train the file anew."""
        data = " ".join(store.upper() for store in self.stores)
        return f"python -m strokegan_lib.train {self.task} --data {data} --out RUN {' '.join(words(self.options))}"


def words(options: dict[str, Any]) -> list[str]:
    """Options as a command line has them: {'width': 8, 'attention': False} is --width 8 --no-attention."""
    found = []
    for key, value in options.items():
        name = key.replace("_", "-")
        if isinstance(value, bool):
            found.append(f"--{name}" if value else f"--no-{name}")
        else:
            word = "data" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
            found += [f"--{name}", word]
    return found


def check_names(names: list[str], known: dict[str, Any]) -> None:
    """Raise BadInput for names that are not known."""
    if unknown := ", ".join(name for name in names if name not in known):
        raise BadInput(unknown, "is not known here", f"choose of {', '.join(known)}")


def settings_for(task: str, options: dict[str, Any], run: Path) -> Settings:
    """The settings of a run with these options, defaults for the rest; BadInput if it was begun with others."""
    settings = resolve_settings(task, {name: of for name, of in options.items() if name != "threads"})
    if before := settings_in(run):
        check_same(run, before.record(), settings.record())
    return settings


def hours(folder: Path) -> float:
    """Hours of training according to a run's record, pauses left out: the clock begins at 0 again after each."""
    seconds = [row["seconds"] for row in read_rows(folder / "metrics.csv") if "seconds" in row]
    return sum(b - a for a, b in pairwise(seconds) if b >= a) / 3600


def seedless(options: dict[str, Any]) -> dict[str, Any]:
    """Options but for the seed, which each turn of an experiment has of its own."""
    return {name: value for name, value in options.items() if name != "seed"}


COMMON = {"width": 32, "batch_size": 16, "threads": 1, "seed": 0}
SYNTHESIS = {**COMMON, "batch_size": 8, "lesion_share": 0.7}
FAMILY = {"batch_size": 16, "threads": 1, "seed": 0, "steps": 3000}  # the width is each member's own
MASKS = {**COMMON, "width": 16, "batch_size": 32, "steps": 1500, "precision": "fp32"}
ENCODER = {"profile": "full", "batch_size": 32, "threads": 1, "seed": 0, "steps": 1500, "rate": 2.0}
METHODS = {
    **{method: {"method": method} for method in ("masked", "segan", "unet")},
    "masked-divergence": {"method": "masked", "loss": "divergence"},
}
SEGMENTATION = {**COMMON, "steps": 1500, "rate": 0.3, "lesion_share": 0.75}
RECIPES = {
    "synthesis-phantom": Recipe("synthesis", ("phantom",), {**SYNTHESIS, "steps": 12_000}),
    "synthesis-soop": Recipe("synthesis", ("soop",), {**SYNTHESIS, "steps": 8000}),
    "styled-soop": Recipe("synthesis", ("soop",), {**SYNTHESIS, "generator": "styled", "steps": 8000}),
    **{
        f"{name}-{store}": Recipe("segmentation", (store,), {**SEGMENTATION, **method})
        for store in ("soop", "phantom")
        for name, method in METHODS.items()
    },
    "masks-soop": Recipe("masks", ("soop",), MASKS),
    **{f"{member}-soop": Recipe("family", ("soop",), {"member": member, **FAMILY}) for member in MEMBERS},
    "encoder": Recipe("encoder", ("phantom", "soop"), ENCODER),
}
