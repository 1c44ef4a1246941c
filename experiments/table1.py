"""Table 1 on real slices, the parts of the proposal one by one, and what was tried before."""

from __future__ import annotations

from dataclasses import replace

from experiments.runner import Arm, Experiment, Place, Result, run
from strokegan_lib.data.split import FOLDS
from strokegan_lib.training.weights import shipped

BUDGET = {"steps": 700, "width": 32, "batch_size": 16, "lesion_share": 0.75, "threads": 1}
METHODS = {name: Arm({"method": name}) for name in ("masked", "segan", "unet")}

# the same networks, batches, augmentation and rule for the threshold; every patient is tested once
TABLE_1 = Experiment(METHODS, BUDGET, folds=tuple(range(FOLDS)))

# one part of the proposal switched at a time; one split, one seed, narrow networks
PARTS = {
    "masked": Arm({"method": "masked"}),
    "masked-no-attention": Arm({"method": "masked", "attention": False}),
    "masked-pixel": Arm({"method": "masked", "levels": "pixel"}),
    "segan": Arm({"method": "segan"}),
    "segan-released": Arm({"method": "segan-released"}),
    "unet": Arm({"method": "unet"}),
}
ABLATION = Experiment(PARTS, {**BUDGET, "steps": 1200, "width": 16})

# one setting for all methods was to be chosen on validation patients: options of masked and SegAN, of the U-Net,
# and whether they start from the phantom
CRITIC = {"multi_scale": 5.0}
ATTEMPTS = {
    "afresh": ({}, {}, False),
    "from phantom weights": ({}, {}, True),
    "from phantom weights, critic (U-Net: Dice) heavier": (CRITIC, {"dice": 2.0}, True),
    "half lesion slices; cross-entropy and critic heavier (U-Net: as before)": (
        {**CRITIC, "bce": 1.0, "lesion_share": 0.5}, {"lesion_share": 0.5}, False,
    ),
}  # fmt: skip


def attempts(place: Place) -> Result:
    """Dice of each attempt and method over lesion slices of the plain split's validation patients."""
    lines = []
    for attempt, (games, plain, warm) in ATTEMPTS.items():
        arms = {
            f"{name}, {attempt}": Arm(
                {"method": name, **(plain if name == "unet" else games)},
                start=shipped(f"{name}-phantom") if warm else None,
            )
            for name in METHODS
        }
        result = run(Experiment(arms, {**BUDGET, "steps": 400}, split="validation"), place)
        dice = [line["validation_dice"] for line in result.tables[""]]
        lines.append({"attempt": attempt, **dict(zip(METHODS, dice, strict=True))})
    return replace(result, tables={"": lines})
