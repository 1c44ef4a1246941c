"""The card of a weight file: what it is, how it was made, what it is worth and what it is not for."""

from pathlib import Path
from typing import Any

from experiments.recipes import KINDS, Recipe
from strokegan_lib.files import sha256

LIMITS = {
    "phantom": "The phantom's brains are distortions of one average brain; scores on it say little about patients.",
    "soop": "One hospital group's FLAIR images, one slice a patient; lesions were drawn on diffusion images, and some "
    "cannot be seen on FLAIR.",
    "encoder": "An encoder trained by the kit is no independent judge of the kit's pictures: distances in its features "
    "compare sets with each other, and with figures made by this very file only.",
    "generator": "One brain for all masks of one outline: what the masks do not tell, it does not vary.",
    "mask generator": "Makes brains of the height it learnt from only, and larger strokes in fewer pieces than people draw.",
    "styled generator": "A style is drawn at random for every picture, so its error against the one true slice says little. "
    "Size of the ventricles, contrast and grain vary; the folds of the cortex are texture, not anatomy.",
    **dict.fromkeys(
        KINDS["family"],
        "Narrow, and trained for a small part of its paper's time, to show what its idea adds; its figures are in "
        "docs/results.md.",
    ),
}
LICENCES = {
    "phantom": "CC BY 4.0, as the text of the kit.",
    "soop": "CC BY 4.0. Trained on SOOP (Absher et al., OpenNeuro ds004889, CC0).",
}
SCORES = """
Scores on test patients (made masks: on validation and test patients), with 95 % intervals over patients:

| score | value | of | halves | half against as many |
|---|---|---|---|---|"""
REMARK = (
    "\nHalves: half of the true slices (or masks) against the other half, and against as many synthetic ones. A memorisation "
    "near 0 would betray copies; blurred copies do not show there. Fewer than ten slices a feature make distances unreliable.\n"
)


def card(name: str, recipe: Recipe, file: Path, about: dict[str, Any]) -> str:
    """The model card of a file, Markdown."""
    settings = about["settings"]
    facts = {
        "network": about["network"],
        "learnt from": f"the training patients of {' and '.join(recipe.stores)}",
        "made by": f"`{about['command']}`",
        "steps, batch, seed": f"{settings['steps']}, {settings['batch_size']}, {settings['seed']}",
        "slices seen": f"{settings['steps'] * settings['batch_size']:,} in {about['hours']:.1f} hours",
    }
    if "kept_step" in about:
        facts["kept"] = f"as it was after step {about['kept_step']:,}, the best on validation patients"
    if "threshold" in about:
        facts["threshold"] = f"{about['threshold']:.2f}, chosen on validation patients"
    facts |= {
        "on": f"{about['hardware']}; PyTorch {about['torch']}; {about['date']}",
        "file": f"float16, {file.stat().st_size / 1e6:.1f} MB, sha256 `{sha256(file)}`",
        "licence": LICENCES[recipe.stores[-1]],
        "intended use": "teaching and tests only; never for clinical use",
        "limits": " ".join(LIMITS[key] for key in (*recipe.stores, about["network"]) if key in LIMITS),
    }
    lines = [f"# {name}", "", "| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in facts.items())]
    lines += [SCORES] * bool(about["scores"])
    for key, score in about["scores"].items():
        if not isinstance(score, dict) or score["mean"] is None:
            continue
        span = "" if score["low"] is None else f" ({score['low']:.3f} to {score['high']:.3f})"
        beside = (score.get("halves"), score.get("fake_as_many"))
        cells = ["" if value is None else f"{value:.3f}" for value in beside]
        basis = f"{score['n']} slices, {score['patients']} patients"
        lines.append(f"| {key} | {score['mean']:.3f}{span} | {basis} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n" + REMARK * (recipe.task in ("synthesis", "masks"))
