"""Self-attention and multi-scale L1 in the GAN that paints: each switched off, three seeds."""

import numpy as np

from experiments.realism import synthetic_scores
from experiments.recipes import SYNTHESIS, hours, seedless, settings_for, words
from experiments.runner import THREE_SEEDS, Arm, Line, Place, Result, one_by_one, trained
from experiments.score_cache import cached_card
from strokegan_lib.evaluation.tables import provenance, write_json
from strokegan_lib.training.precision import arithmetic
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
    for name in PARTS:
        turns = [scored(name, place.turn(*turn)) for turn in THREE_SEEDS]
        scores = [of["scores"] for of in turns]
        spent += sum(of["hours"] for of in turns)
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


def scored(name: str, place: Place) -> Line:
    """Scores of a generator in its turn: kept ones (see score_cache.py), or of one that is trained now."""
    options = {**BUDGET, **PARTS[name], "seed": place.seed, "fold": place.fold}
    about = {"settings": settings_for("synthesis", options, place.runs / name).record()}
    about |= {"data_sha256": place.data.card["sha256"]}
    file = place.scores_of(name)
    if file and not place.anew and (card := cached_card(file, about)):
        return card
    weights = trained(Arm(PARTS[name]), name, BUDGET, place, "synthesis")
    generator, made = load_weights(weights, "generator")
    about |= {"kept_step": made["kept_step"], "scores": synthetic_scores(generator, place.data)}
    about |= {
        "hours": round(hours(weights.parent), 3),
        **provenance(1, arithmetic(about["settings"]["precision"])),
    }
    if file:
        write_json(file.with_suffix(".json"), about)
    return about
