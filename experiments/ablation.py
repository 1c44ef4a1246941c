"""Self-attention and multi-scale L1 in the GAN that paints: each switched off, three seeds."""

import numpy as np

from experiments.realism import synthetic_scores
from experiments.recipes import SYNTHESIS, hours, seedless, words
from experiments.runner import THREE_SEEDS, Arm, Place, Result, one_by_one, trained
from strokegan_lib.training.weights import load_weights

BUDGET = {**seedless(SYNTHESIS), "batch_size": 16, "steps": 1500}  # slices as many as a segmentor sees
PARTS = {"paper": {}, "no-attention": {"attention": False}, "no-multi-scale": {"multi_scale": 0.0}}
SCORES = ("kernel", "coverage", "recall", "ms_ssim", "error")
WHAT = (
    "Generators that paint test patients' masks, as many slices as there are: mean of three seeds, and each. The true slices: "
    "halves of them against each other; under error the mean training slice"
)


def ablation(place: Place) -> Result:
    """Train each generator three times and measure what it paints for the test patients' masks."""
    lines, spent = [], 0.0
    for name, options in PARTS.items():
        scores = []
        for fold, seed in THREE_SEEDS:
            file = trained(Arm(options), name, BUDGET, place.turn(fold, seed), "synthesis")
            spent += hours(file.parent)
            scores.append(synthetic_scores(load_weights(file, "generator")[0], place.data))
        line = {"generator": name}
        for measure in SCORES:
            found = [of[measure]["mean"] for of in scores]
            line[measure] = float(np.mean(found))
            line[f"{measure}_by_seed"] = one_by_one(found)
        lines.append(line)
    halves = {measure: scores[0][measure].get("halves") for measure in SCORES}
    truth = {"generator": "true slices", **halves, "error": scores[0]["mean_picture_error"]["mean"]}
    command = f"python -m strokegan_lib.train synthesis --data DIR --out RUN {' '.join(words(BUDGET))}"
    facts = {"trained_by": command, "arms": {name: " ".join(words(of)) for name, of in PARTS.items()}}
    facts |= {"seeds": [seed for _, seed in THREE_SEEDS], "hours": round(spent, 2)}
    return Result(WHAT, {"": [*lines, truth]}, facts)
