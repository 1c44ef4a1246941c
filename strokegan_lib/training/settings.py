"""What decides a run of training: one frozen dataclass, from which the command line is made.

Each task extends it beside its networks, and the same object goes down to the optimisers.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from strokegan_lib.command_line import LARGEST_SEED, integer, number, option, value
from strokegan_lib.data.split import FOLDS
from strokegan_lib.errors import BadInput
from strokegan_lib.profiles import PROFILES, QUICK
from strokegan_lib.training.precision import PRECISIONS

WEIGHT = number(0, 1e30)  # of a loss
SHARE = value(  # None is the data's own
    lambda word: None if word == "data" else float(word),
    lambda share: share is None or 0 <= share <= 1,
    "a number from 0 to 1, or data",
)
# may change on --resume: they do not decide the weights
LOCAL = ("validations", "checkpoint_seconds")


@dataclass(frozen=True)
class Settings:
    """What every run needs; defaults are those of the quick profile.

    Fields made by ``option`` are options of ``python -m strokegan_lib.train``, which alone checks their ranges.
    Settings that do not go together are BadInput.
    """

    SIZES: ClassVar[tuple[str, ...]] = ("steps", "width", "batch_size")  # what the profile decides

    steps: int = option(QUICK.steps, "turns of each player", integer(1, 10**9))
    # decides the first weights and what a step draws (codes, noise, dropout)
    seed: int = option(0, "decides weights, batches and what is drawn", integer(0, LARGEST_SEED))
    profile: str = option(
        "quick", "decides steps, width and batch size where they are not given", choices=list(PROFILES)
    )
    width: int = option(QUICK.width, "of the networks", integer(4, 1024))
    batch_size: int = option(QUICK.batch_size, "slices a step", integer(2, 4096))
    rate: float = option(1.0, "multiplies the learning rates", number(0, 1e31, within=True))
    # at the 18 % of the data most of a batch would teach nothing
    lesion_share: float | None = option(
        0.5, "share of slices with stroke in the batches, 0..1, or 'data' for what the data hold", SHARE
    )
    precision: str = option("auto", "arithmetic; auto is the fastest native", choices=("auto", *PRECISIONS))
    fold: int | None = option(
        None, "hold fold K of five out for testing (default: the plain split)", integer(0, FOLDS - 1)
    )
    start: dict[str, str] | None = None  # name and sha256 of the weights that the run began with
    # decay of the moving average of the weights: the last hundred steps or so, as short runs forget their start
    average: float = 0.99
    # share of the steps in which the rate climbs: Adam's second moments are noise at first
    warm_up: float = 0.05
    validations: int = 5  # at least so many, evenly spaced, the last at the end; 0 for none
    # what a lost Colab session costs at most
    checkpoint_seconds: float = option(60.0, "time between checkpoints", number(0, 1e9))

    def __post_init__(self) -> None:
        if self.width % 4:
            raise BadInput(f"--width {self.width}", "is not a multiple of 4", "give 8, 16, 32 or 64")

    def record(self) -> dict[str, Any]:
        """What decides the numbers of the run, for settings.json and weight files."""
        return {name: found for name, found in asdict(self).items() if name not in LOCAL}

    def rate_at(self, step: int) -> float:
        """Factor of the peak learning rate at *step* (0, 1, ...): a climb to 1, then half a cosine down to 0."""
        climb = max(1.0, self.warm_up * self.steps)
        if step < climb:
            return self.rate * (step + 1) / (climb + 1)
        return self.rate * (1 + math.cos(math.pi * (step - climb) / (self.steps - climb))) / 2


def with_default(name: str, default: Any) -> Any:
    """An option of Settings with another default, for a field of a task's settings."""
    return option(default, **Settings.__dataclass_fields__[name].metadata)
