"""How each weight file that comes with the kit is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from strokegan_lib.models.family import MEMBERS
from strokegan_lib.training.weights import GENERATORS

STORES = ("phantom", "soop")
COMMON = {"width": 32, "batch_size": 16, "threads": 1, "seed": 0}
KINDS = {
    "segmentation": "segmentor", "synthesis": GENERATORS, "masks": "mask generator", "encoder": "encoder",
    "family": tuple(sorted({member.network for member in MEMBERS.values()})),
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How one file is made.

    Attributes:
        task: of the training door, such as 'segmentation'.
        stores: the data sets it learns from.
        settings: of the training door, as its long options.
    """

    task: str
    stores: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """What a reader would type to train the file anew."""
        words = [
            f"--{key.replace('_', '-')} {value:g}" if isinstance(value, float) else f"--{key.replace('_', '-')} {value}"
            for key, value in self.settings.items()
        ]  # fmt: skip
        data = " ".join(store.upper() for store in self.stores)
        return f"python -m strokegan_lib.train {self.task} --data {data} --out RUN {' '.join(words)}"


def _segmentors(store: str, **settings: Any) -> dict[str, Recipe]:
    own = {
        **{method: {"method": method} for method in ("masked", "segan", "unet")},
        "masked-divergence": {"method": "masked", "loss": "divergence"},
    }
    return {
        f"{name}-{store}": Recipe("segmentation", (store,), {**COMMON, **choices, **settings})
        for name, choices in own.items()
    }


def _family(steps: int) -> dict[str, Recipe]:
    """The members of the family; the width is each one's own."""
    common = {"batch_size": 16, "threads": 1, "seed": 0, "steps": steps}
    return {f"{member}-soop": Recipe("family", ("soop",), {"member": member, **common}) for member in MEMBERS}


PAINTER = {**COMMON, "batch_size": 8, "lesion_share": 0.7}

RECIPES = {
    "synthesis-phantom": Recipe("synthesis", ("phantom",), {**PAINTER, "steps": 12_000}),
    "synthesis-soop": Recipe("synthesis", ("soop",), {**PAINTER, "steps": 8000}),
    **_segmentors("soop", steps=3000, lesion_share=0.75),
    "styled-soop": Recipe("synthesis", ("soop",), {**PAINTER, "generator": "styled", "steps": 8000}),
    **_segmentors("phantom", steps=6000),
    "masks-soop": Recipe(
        "masks",
        ("soop",),
        {**COMMON, "width": 16, "batch_size": 32, "steps": 1500, "precision": "fp32"},
    ),
    **_family(steps=3000),
    "encoder": Recipe(
        "encoder",
        ("phantom", "soop"),
        {"profile": "full", "batch_size": 32, "threads": 1, "seed": 0, "steps": 1500, "rate": 2.0},
    ),
}
