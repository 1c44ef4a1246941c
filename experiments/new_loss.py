"""A new loss of the masked image: candidates on validation patients, then the chosen one against Table 1's arms."""

from __future__ import annotations

from dataclasses import replace

from experiments.runner import Arm, Experiment, Place, Result, run, score, tables
from experiments.table1 import BUDGET, METHODS, TABLE_1
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.training.objectives import OBJECTIVES
from strokegan_lib.training.weights import shipped

LOSSES = {loss: Arm({"method": "masked", "loss": loss}) for loss in OBJECTIVES}
CANDIDATES = Experiment(LOSSES, {**BUDGET, "steps": 400}, split="validation")

# the same folds, seeds and budget as Table 1, whose runs of the other two arms it shares
ARMS = {"masked-divergence": LOSSES["divergence"], "masked": METHODS["masked"], "unet": METHODS["unet"]}
NEW_LOSS = replace(TABLE_1, arms=ARMS, runs="table1_soop")
# without the patients on whom the loss was chosen
UNTOUCHED = replace(NEW_LOSS, leave_out="validation")
COLUMNS = {
    "loss": "arm", "validation_dice": "dice_mean", "pooled_dice": "pooled_dice_mean",
    "false_alarms": "empty_false_positive_rate_mean", "threshold": "thresholds",
    "dice_1_to_99": "dice_1_to_99_pixels_mean", "dice_100_to_399": "dice_100_to_399_pixels_mean",
    "dice_400_or_more": "dice_400_pixels_or_more_mean",
}  # fmt: skip


def candidates(place: Place) -> Result:
    """A line a loss; judged where its threshold was chosen, so that every figure flatters."""
    result = run(CANDIDATES, place)
    lines = [{name: line[column] for name, column in COLUMNS.items()} for line in result.tables[""]]
    return replace(result, tables={"": lines})


def on_the_phantom(place: Place) -> Result:
    """The shipped segmentors of the phantom on its test patients."""
    phantom = SliceSet.open(place.phantom)
    rows = phantom.of_split("test")
    names = [f"{method}-phantom" for method in ARMS]
    return tables({name: score(shipped(name), phantom, rows)[0] for name in names}, phantom, rows)
