"""Segmentors compared: Table 1 on real slices, parts of the proposal, a new loss, and phantom against real slices."""

from dataclasses import replace

from experiments.recipes import STORES
from experiments.runner import Arm, Experiment, Place, Result, score, tables
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import FOLDS
from strokegan_lib.training.objectives import OBJECTIVES
from strokegan_lib.training.weights import shipped

BUDGET = {"steps": 700, "width": 32, "batch_size": 16, "lesion_share": 0.75, "threads": 1}
METHODS = {name: Arm({"method": name}) for name in ("masked", "segan", "unet")}

# the same networks, batches, augmentation and rule for the threshold; every patient is tested once
TABLE_1 = Experiment(METHODS, BUDGET, folds=tuple(range(FOLDS)))

# one part of the proposal switched at a time; one split, one seed, narrow networks
PARTS = {
    "masked": METHODS["masked"],
    "masked-no-attention": Arm({"method": "masked", "attention": False}),
    "masked-pixel": Arm({"method": "masked", "levels": "pixel"}),
    "segan": METHODS["segan"],
    "segan-released": Arm({"method": "segan-released"}),
    "unet": METHODS["unet"],
}
ABLATION = Experiment(PARTS, {**BUDGET, "steps": 1200, "width": 16})

# a new loss of the masked image: chosen on validation patients, then compared with the arms of Table 1, whose runs
# it shares, and once more without the patients on whom it was chosen. Candidates are scored where their threshold was
# chosen, so that every figure flatters
LOSSES = {loss: Arm({"method": "masked", "loss": loss}) for loss in OBJECTIVES}
CANDIDATES = Experiment(LOSSES, {**BUDGET, "steps": 400}, split="validation")
NEW_ARMS = {"masked-divergence": LOSSES["divergence"], "masked": METHODS["masked"], "unet": METHODS["unet"]}
NEW_LOSS = replace(TABLE_1, arms=NEW_ARMS, runs="table1_soop")
UNTOUCHED = replace(NEW_LOSS, leave_out="validation")


def new_loss_on_the_phantom(place: Place) -> Result:
    """The shipped segmentors of the phantom on its test patients."""
    phantom = SliceSet.open(place.phantom)
    rows = phantom.of_split("test")
    names = [f"{method}-phantom" for method in NEW_ARMS]
    return tables({name: score(shipped(name), phantom, rows)[0] for name in names}, phantom, rows)


def transfer(place: Place) -> Result:
    """From the phantom to real slices: shipped segmentors of either kind on real test patients.

    Nothing is trained or chosen here: each keeps the threshold that its own validation patients gave it. (The
    phantom's grey levels were once tuned on SOOP's slices, these test patients among them.) A line for each method
    and data set that it was trained on; minus_arm is the phantom's less the real one's.
    """
    rows, lines = place.data.of_split("test"), []
    for method in METHODS:
        found = {store: score(shipped(f"{method}-{store}"), place.data, rows)[0] for store in STORES}
        result = tables(found, place.data, rows)
        lines += [{**line, "arm": method, "trained_on": line["arm"]} for line in result.tables[""]]
    return replace(result, tables={"": lines})
