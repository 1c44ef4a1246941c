"""Segmentors compared: Table 1 on real slices and on the phantom, its seeds, parts of the proposal, a new loss, and
phantom against real slices."""

from dataclasses import replace
from pathlib import Path

from experiments.recipes import SEGMENTATION, STORES, seedless
from experiments.runner import THREE_SEEDS, Arm, Experiment, Place, Result, score, tables, trained
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import FOLDS
from strokegan_lib.training.objectives import OBJECTIVES
from strokegan_lib.training.weights import shipped

BUDGET = seedless(SEGMENTATION)
METHODS = {name: Arm({"method": name}) for name in ("masked", "segan", "unet")}
LOSSES = {loss: Arm({"method": "masked", "loss": loss}) for loss in OBJECTIVES}
CROSS_VALIDATION = tuple((fold, fold) for fold in range(FOLDS))

# the same networks, batches, augmentation and rule for the threshold; every patient is tested once
TABLE_1 = Experiment(METHODS, BUDGET, CROSS_VALIDATION)
# how far chance in training alone moves a score: three seeds on the plain split, the first of which comes with the kit
SEEDS = Experiment({name: METHODS[name] for name in ("masked", "segan")}, BUDGET, THREE_SEEDS)

# one part of the proposal switched off at a time
PARTS = {
    "masked": METHODS["masked"],
    "masked-no-attention": Arm({"method": "masked", "attention": False}),
    "masked-pixel": Arm({"method": "masked", "levels": "pixel"}),
}
ABLATION = Experiment(PARTS, BUDGET, THREE_SEEDS, runs="seeds_soop")

# a new loss of the masked image: chosen on validation patients, where candidates are scored with the threshold that these
# gave, so that every figure flatters; then compared on test patients, with the seeds of SEEDS; and once more on those
# of them who had no part in any choice: neither networks nor loss were looked at on them
CANDIDATES = Experiment({**LOSSES, "unet": METHODS["unet"]}, BUDGET, split="validation")
NEW_ARMS = {"masked-divergence": LOSSES["divergence"], "masked": METHODS["masked"], "unet": METHODS["unet"]}
NEW_LOSS = Experiment(NEW_ARMS, BUDGET, THREE_SEEDS, runs="seeds_soop")
CHOSEN_ON = tuple((part, fold) for part in ("validation", "test") for fold in (0, 1))
UNTOUCHED = replace(NEW_LOSS, leave_out=CHOSEN_ON)


def table_1_on_the_phantom(place: Place) -> Result:
    """On slices as many and as unbalanced as the paper's: shipped segmentors, and SegAN weighted and clipped as released."""
    phantom = replace(place, data=SliceSet.open(place.phantom)).turn(None, 0)
    released = trained(Arm({"method": "segan-released"}), "segan-released", BUDGET, phantom)
    result = shipped_on_the_phantom(place, [*METHODS], {"segan-released": released})
    result.facts["seeds"] = [0]
    return result


def new_loss_on_the_phantom(place: Place) -> Result:
    """The shipped segmentor with the new loss against others on phantom slices."""
    return shipped_on_the_phantom(place, [*NEW_ARMS])


def shipped_on_the_phantom(place: Place, names: list[str], others: dict[str, Path] | None = None) -> Result:
    """Shipped segmentors of the phantom, and others, on its test patients."""
    phantom = SliceSet.open(place.phantom)
    rows = phantom.of_split("test")
    files = {name: shipped(f"{name}-phantom") for name in names} | (others or {})
    return tables({name: score([file], phantom, rows)[0] for name, file in files.items()}, phantom, rows)


def transfer(place: Place) -> Result:
    """From the phantom to real slices: shipped segmentors of either kind on real test patients.

    Nothing is trained or chosen here: each keeps the threshold that its own validation patients gave it. (The
    phantom's grey levels were once tuned on SOOP's slices, these test patients among them.) A line for each method
    and data set that it was trained on; minus_arm is the phantom's less the real one's.
    """
    rows, lines = place.data.of_split("test"), []
    for method in METHODS:
        found = {store: score([shipped(f"{method}-{store}")], place.data, rows)[0] for store in STORES}
        result = tables(found, place.data, rows)
        lines += [{**line, "arm": method, "trained_on": line["arm"]} for line in result.tables[""]]
    return replace(result, tables={"": lines})
