"""Settings of the family's runs, and of the masks from noise; the methods themselves are in models/family."""

from dataclasses import dataclass
from typing import ClassVar

from strokegan_lib.command_line import integer, option
from strokegan_lib.data.augment import Augmentation
from strokegan_lib.models.family import MEMBERS
from strokegan_lib.training.settings import Settings, with_default

# a generator learns the changes along with the masks: no more of them than patients differ anyhow
GENTLE = Augmentation(rotation=4, scale=0.04, shear=0.02, shift=1.5, gain=0, gamma=0, bias=0, noise=0)


@dataclass(frozen=True)
class FamilySettings(Settings):
    """How a member of the family is trained; its own recipe is in its file."""

    SIZES: ClassVar[tuple[str, ...]] = ("steps", "batch_size")  # the width is the member's own

    average: float = 0.995  # the last 200 steps, over which the players circle each other
    task: str = "family"
    member: str = "dcgan"


FAMILY = {
    name: FamilySettings(member=name, width=member.width, lesion_share=member.lesion_share)
    for name, member in MEMBERS.items()
}


@dataclass(frozen=True)
class MaskSettings(Settings):
    """How the generator of masks is trained."""

    SIZES: ClassVar[tuple[str, ...]] = ("steps", "batch_size")  # it is small in every profile

    width: int = with_default("width", 16)
    lesion_share: float | None = with_default("lesion_share", 1.0)
    task: str = "masks"
    noise: int = option(64, "numbers that decide a mask", integer(1, 65536))
