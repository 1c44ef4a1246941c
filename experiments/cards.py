"""The card of a weight file: what it is, how it was made, what it is worth and what it is not for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.recipes import KINDS, Recipe
from strokegan_lib.files import sha256
from strokegan_lib.training.weights import steps_made

LIMITS = {
    "phantom": "The phantom's brains are distortions of one average brain; scores on it say little about patients.",
    "soop": "One hospital group's FLAIR images, one slice a patient; lesions were drawn on diffusion images, and some "
    "cannot be seen on FLAIR.",
}
NOTES = {
    "encoder": (
        "An encoder trained by the kit is no independent judge of the kit's pictures: distances in its features "
        "compare sets with each other, and with figures made by this very file only.",
    ),
    "generator": ("One brain for all masks of one outline: what the masks do not tell, it does not vary.",),
    **dict.fromkeys(
        KINDS["family"],
        (
            "Narrow, and trained for a small part of its paper's time, to show what its idea adds; its figures are in results/family_soop.csv.",
        ),
    ),
    "mask generator": (
        "Makes brains of the height it learnt from only, and larger strokes in fewer pieces than people draw.",
    ),
    "styled generator": (
        "A style is drawn at random for every picture, so its error against the one true slice says little. Size of the "
        "ventricles, contrast and grain vary; the folds of the cortex are texture, not anatomy.",
    ),
}
LICENCES = {
    "phantom": "CC BY 4.0, as the text of the kit.",
    "soop": "CC BY 4.0. Trained on SOOP (Absher et al., OpenNeuro ds004889, CC0).",
}


def card(name: str, recipe: Recipe, file: Path, about: dict[str, Any]) -> str:
    """The model card of a file, Markdown."""
    threshold = []
    if "threshold" in about:
        threshold = [("threshold", f"{about['threshold']:.2f}, chosen on validation patients")]
    facts = [
        ("network", about["network"]),
        ("learnt from", f"the training patients of {' and '.join(recipe.stores)}"),
        ("made by", f"`{about['command']}`"),
        *_length(about),
        *threshold,
        ("on", f"{about['hardware']}; PyTorch {about['torch']}; {about['date']}"),
        ("file", f"float16, {file.stat().st_size / 1e6:.1f} MB, sha256 `{sha256(file)}`"),
        ("licence", LICENCES[recipe.stores[-1]]),
        ("intended use", "teaching and tests only; never for clinical use"),
        ("limits", " ".join([*(LIMITS[store] for store in recipe.stores), *NOTES.get(about["network"], ())])),
    ]  # fmt: skip
    lines = [f"# {name}", "", "| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in facts), ""]
    if not about["scores"]:
        return "\n".join(lines)
    painted, masks = recipe.task == "synthesis", recipe.task == "masks"
    against = "Made masks against those of validation and test patients (see evaluation/masks.py)"
    lines += [f"{against if masks else 'Scores on test patients'}, with 95 % intervals over patients:", ""]
    lines += [
        "| score | value | of |"
        + " halves of true slices | half against as many painted |" * painted
        + " halves of true masks | half against as many made |" * masks
    ]
    lines += ["|---|---|---|" + "---|---|" * (painted or masks)]
    for key, score in about["scores"].items():
        if isinstance(score, dict) and score["mean"] is not None:
            span = "" if score["low"] is None else f" ({score['low']:.3f} to {score['high']:.3f})"
            basis = f"{score['n']} slices, {score['patients']} patients"
            chance = [score.get("halves"), score.get("as_many" if masks else "fake_as_many")]
            cells = [f"{score['mean']:.3f}{span}", basis]
            cells += ["" if value is None else f"{value:.3f}" for value in chance] if painted or masks else []
            lines.append(f"| {key} | {' | '.join(cells)} |")
    if painted:
        lines += ["", *_verdict(about["scores"])]
    return "\n".join(lines) + "\n"


def _length(about: dict[str, Any]) -> list[tuple[str, str]]:
    """How long a network has learnt, and which of its states was kept."""
    settings = about["settings"]
    made = steps_made(about)
    facts = [
        ("steps, batch, seed", f"{made}, {settings['batch_size']}, {settings['seed']}"),
        ("slices seen", f"{made * settings['batch_size']:,} in {about['hours']:.1f} hours"),
    ]
    if "kept_step" in about:
        facts.append(
            ("kept", f"as it was after step {about['kept_step']:,}, the best on validation patients")
        )
    if "so_far" in about:
        if "kept_step" not in about:
            facts.append(("kept", f"the moving average after step {made:,}; validation was not due yet"))
        facts.append(
            ("NOT FINISHED", f"taken after {made:,} of {settings['steps']:,} steps; training goes on")
        )
    return facts


def _verdict(scores: dict[str, Any]) -> list[str]:
    """What the numbers of a generator do not say by themselves."""
    better = scores["error"]["mean"] < scores["mean_picture_error"]["mean"]
    said = [
        f"The generator's error is {'less' if better else 'NOT less'} than that of the mean training slice."
    ]
    if not scores["kernel"]["reliable"]:
        said.append("Fewer than ten slices a feature: the distances are unreliable.")
    said.append(
        "`memorisation` near 0 would betray copies; above 1 it says only that the pictures lie far from the training "
        "slices, which blurred copies do as well."
    )
    return said
