"""Write the tables into docs/results.md, docs/ethics.md and README.md: ``python -m experiments.results_page``.

A table stands between <!-- table NAME --> and <!-- /table -->; it is made of results/NAME.csv and its card. A part of a
table is NAME:VIEW. The figures that README names stand between <!-- results --> and <!-- /results -->.
"""

import json
import re
from pathlib import Path
from typing import Any

from experiments.runner import RESULTS, WHAT, Line, flat
from strokegan_lib.classroom.saved import table_of
from strokegan_lib.evaluation.statistics import holm
from strokegan_lib.files import write_whole
from strokegan_lib.training.weights import NETWORKS, load_weights, shipped

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "docs/results.md", ROOT / "docs/ethics.md", ROOT / "README.md")
# columns of each table, as in its file
OVERLAP = "arm dice pooled_dice"
FALSE = "empty_false_positive_rate"
ARMS = f"{OVERLAP} precision sensitivity {FALSE} minus_arm wilcoxon_holm_p"
BALANCING = f"arm synthetic_slices dice dice_by_turn kept_steps pooled_dice {FALSE} minus_arm wilcoxon_holm_p"
GROUPS = "arm group slices first other gain"
REALISM = "kernel precision coverage recall ms_ssim"
LESIONS = "painted_dice fidelity same_masks"
TABLES = {
    "table1_soop": f"{ARMS} lesion_f1 hd95_mm",
    "table1_soop_groups": GROUPS,
    "table1_soop:errors": f"arm {FALSE} missed_rate dice_1_to_99_pixels",
    "table1_phantom": ARMS,
    "seeds_soop": f"{OVERLAP} {FALSE} dice_by_turn minus_arm wilcoxon_holm_p",
    "twice_soop": f"{ARMS} dice_by_turn",
    "ensemble_soop": f"{ARMS} dice_by_turn",
    "attempts_soop": "attempt masked segan unet",
    "ablation_soop": f"{ARMS} dice_by_turn",
    "ablation_synthesis": "generator kernel kernel_by_seed coverage coverage_by_seed recall ms_ssim error error_by_seed",
    "phantom_to_real": f"arm trained_on dice pooled_dice {FALSE}",
    "balancing_soop18": BALANCING,
    "balancing_soop18:errors": f"{OVERLAP} {FALSE}",
    "balancing_tenth": BALANCING,
    "balancing_tenth:errors": f"{OVERLAP} {FALSE}",
    "balancing_phantom": BALANCING,
    "balancing_phantom:errors": f"{OVERLAP} {FALSE}",
    "new_loss_candidates": f"{OVERLAP} {FALSE} minus_arm wilcoxon_holm_p dice_1_to_99_pixels dice_100_to_399_pixels dice_400_pixels_or_more",
    "new_loss_soop": ARMS,
    "new_loss_soop_groups": GROUPS,
    "new_loss_untouched": ARMS,
    "new_loss_phantom": ARMS,
    "new_loss_phantom_groups": GROUPS,
    "weights": f"generator {REALISM} error memorisation",
    "weights:copies": "generator memorisation memorisation_pixels memorisation_close error training_error",
    "styles_soop": f"generator {REALISM} {LESIONS}",
    "family_soop": f"title source parameters_generator parameters_critic steps step_seconds {REALISM} {LESIONS}",
    "masks_soop": "measure masks mean fake_as_many halves",
    "phantom_likeness": "measure phantom halves ratio",
}
BALANCED = ("soop18", "tenth", "phantom")
HEADERS = {  # where they are not the column's own name
    "arm": "", "generator": "", "dice": "Dice, lesion slices", "dice_by_turn": "Dice of each turn", "kept_steps": "kept after steps",
    "kernel_by_seed": "each seed", "coverage_by_seed": "each seed", "error_by_seed": "each seed", "pooled_dice": "pooled Dice",
    FALSE: "false positives on empty slices", "minus_arm": "first − this, Dice", "wilcoxon_holm_p": "p (Holm)",
    "lesion_f1": "F1 of lesions", "hd95_mm": "HD95, mm", "missed_rate": "nothing predicted on a slice with a lesion",
    "dice_1_to_99_pixels": "Dice below 100 pixels", "trained_on": "trained on", "synthetic_slices": "slices made",
    "dice_100_to_399_pixels": "100 to 399", "dice_400_pixels_or_more": "400 or more",
    "kernel": "kernel distance", "ms_ssim": "MS-SSIM", "painted_dice": "Dice found", "fidelity": "over Dice on true slices",
    "same_masks": "MS-SSIM, same masks", "memorisation_pixels": "memorisation, pixels",
    "memorisation_close": "nearer than all but 5 % of held-out slices", "training_error": "error, training patients",
    "title": "member", "source": "masks", "parameters_generator": "parameters", "parameters_critic": "of the critic",
    "step_seconds": "seconds a step", "mean": "value", "fake_as_many": "of as many as a half", "phantom": "distance",
}  # fmt: skip


def number(value: Any) -> str:
    """'.434' for .4341, '−.021' for -.0207, '57.8', '1,200', '0.96 M'; words as they are."""
    if not isinstance(value, float | int):
        return value or ""
    if abs(value) < 0.0005:  # no −.000
        return "0"
    if abs(value) >= 1e5:
        return f"{value / 1e6:.2f} M"
    if abs(value) > 1.5 and float(value).is_integer():
        return f"{value:,.0f}"
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.{1 if abs(value) >= 10 else 3}f}").replace("-", "−")


def cell(line: Line, name: str) -> str:
    """A value, with its interval where there is one."""
    if name == "wilcoxon_holm_p" and line[name] is not None and line[name] < 0.001:
        return "< .001"
    if name == "mean":  # of a table with one measure a line
        line = {f"mean_{end}": line[end] for end in ("mean", "low", "high")}
    low, high = (line.get(f"{name}_{end}") for end in ("low", "high"))
    value = number(line.get(f"{name}_mean", line.get(name)))
    return value if low is None else f"{value} ({number(low)} to {number(high)})"


def of_weights() -> list[Line]:
    """Scores in the files of the generators that are given masks, each beside halves of its true slices."""
    lines = []
    for name in ("synthesis-phantom", "synthesis-soop", "styled-soop"):
        scores = load_weights(shipped(name), tuple(NETWORKS))[1]["scores"]
        lines.append({"generator": name, **flat(scores)})
        if name.startswith("synthesis"):
            halves = {measure: {"mean": of.get("halves")} for measure, of in scores.items()}
            halves["error"] = scores["mean_picture_error"]
            lines.append({"generator": f"true slices of {name.split('-')[1]}", **flat(halves)})
    return lines


def table(name: str) -> str:
    """A table in Markdown, with a line that says how many, how and when."""
    source, _, view = name.partition(":")
    of, part = source.removesuffix("_groups"), "groups" if source.endswith("_groups") else ""
    if source != "weights" and not (RESULTS / f"{of}.json").is_file():
        return f"*Not made yet; `python -m experiments.reproduce` makes it: {of}.*"
    lines, card = (of_weights(), {}) if source == "weights" else table_of(of, RESULTS, part=part)
    columns = TABLES[name].split()
    rows = [[HEADERS.get(column, column) for column in columns], ["---"] * len(columns)]
    rows += [[cell(line, column) for column in columns] for line in lines]
    text = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    if view or not card:
        return text
    sizes = card.get("counts", {}).items()
    counts = [f"{n:,} {what.replace('_', ' ')}" for what, n in sizes if isinstance(n, int)]
    seeds = ["seeds " + ", ".join(map(str, card["seeds"]))] if "seeds" in card else []
    what = [] if WHAT.startswith(card["what"]) else [card["what"]]  # of segmentors the page says it once
    said, folder = "; ".join([*what, *counts, *seeds, card["date"]]), "../experiments/results"
    return f"{text}\n\n*{said}.* [{source}.csv]({folder}/{source}.csv), [card]({folder}/{of}.json)"


def ahead(line: Line, lead: str = "minus_arm") -> str:
    """By how much an arm is above the reference, whose lead its line holds."""
    ends = {"": "", "_low": "_high", "_high": "_low"}
    return cell({f"gain{end}": -line[f"{lead}{other}"] for end, other in ends.items()}, "gain")


def against_oversampling(arms: dict[str, Line], name: str) -> str:
    """An arm against oversampling in one clause: Dice, seeds, pooled Dice, false positives."""
    line, reference = arms[name], arms["oversampling"]
    false = (number(of[f"{FALSE}_mean"]) for of in (line, reference))
    return (
        f"by {ahead(line)} in Dice, ahead with {turns_won(line, reference)} seeds, by {ahead(line, 'minus_arm_pooled')} in pooled Dice, "
        f"and has false positives on {' against '.join(false)} of the empty slices"
    )


def turns_won(line: Line, other: Line) -> str:
    """In how many turns an arm's Dice is above the other's: '2 of 3'."""
    turns = [[float(word) for word in of["dice_by_turn"].split()] for of in (line, other)]
    return f"{sum(a > b for a, b in zip(*turns, strict=True))} of {len(turns[0])}"


def corrected() -> dict[tuple[str, str], str]:
    """p of each arm of each setting against oversampling, corrected for all of them."""
    groups = {name: table_of(f"balancing_{name}", RESULTS, part="groups")[0] for name in BALANCED}
    raw = {
        (name, line["arm"]): line["wilcoxon_p"]
        for name, lines in groups.items()
        for line in lines
        if line["group"] == "lesion slices"
    }
    return {
        key: cell({"wilcoxon_holm_p": float(p)}, "wilcoxon_holm_p")
        for key, p in zip(raw, holm([*raw.values()]), strict=True)
    }


def findings() -> str:
    """The figures that README names."""
    table1, card = table_of("table1_soop", RESULTS)
    arms = {line["arm"]: line for line in table1}
    phantom = {line["arm"]: line for line in table_of("table1_phantom", RESULTS)[0]}
    thinned, few, whole = (
        {line["arm"]: line for line in table_of(f"balancing_{name}", RESULTS)[0]} for name in BALANCED
    )
    p = corrected()
    losses = {line["arm"]: line for line in table_of("new_loss_soop", RESULTS)[0]}
    new, papers = losses["masked-divergence"], losses["masked"]
    three, *single = table_of("ensemble_soop", RESULTS)[0]
    alone = sorted(number(line["dice_mean"]) for line in single)
    members, _ = table_of("family_soop", RESULTS)
    coverage = {
        line["title"]: cell(line, "coverage")
        for line in members
        if line["source"] in ("test masks", "patients")
    }
    reader = json.loads((RESULTS / "blinded_reading_soop.json").read_text(encoding="utf-8"))
    return f"""- **The paper's margin is not found.** On {card["counts"]["slices"]} real slices, five folds, the kit's version of the paper's segmentor less SegAN: {cell(arms["segan"], "minus_arm")} in mean Dice
  over lesion slices, {cell(arms["segan"], "minus_arm_pooled")} in pooled Dice. On the phantom, with as many slices and strokes as the paper has, and one network each: {cell(phantom["segan"], "minus_arm")}, corrected p {cell(phantom["segan"], "wilcoxon_holm_p")} by ranks, and
  {cell(phantom["segan"], "minus_arm_pooled")} over SegAN, {cell(phantom["segan-released"], "minus_arm")} and {cell(phantom["segan-released"], "minus_arm_pooled")} over SegAN weighted and clipped as its authors released it. The paper reports .058, on other patients, and does not say how it averages. On the
  real slices a U-Net without critic and self-attention reaches a mean Dice of {cell(arms["unet"], "dice")}, {ahead(arms["unet"])} above the kit's version of the paper's, corrected p {cell(arms["unet"], "wilcoxon_holm_p")};
  three trained anew have {alone[0]} to {alone[-1]}, and the mean of their answers {cell(three, "dice")}, with false positives on {number(three[f"{FALSE}_mean"])} of the empty slices. No ensemble of the other methods was tried. The test patients of two folds had been looked at while the networks were made.
- **Small gains from painted strokes were seen in two settings of three; chance may explain them, and on the phantom they come with more false positives.** Against oversampling, which shows as many
  strokes: with patients taken out until 18 % of the slices show one, a U-Net that also learnt from painted strokes differs {against_oversampling(thinned, "gan-50")};
  on the phantom, with the paper's numbers, it differs {against_oversampling(whole, "gan-50")}; in a tenth of the patients {against_oversampling(few, "gan-80")}.
  The intervals are over patients only, who had judged earlier versions; corrected for all twelve tests p is {p["soop18", "gan-50"]}, {p["phantom", "gan-50"]} and {p["tenth", "gan-80"]}. One split, one generator each. Oversampling against slices as they come: on the phantom
  {cell(whole["real"], "minus_arm")} in Dice, with false positives on {cell(whole["real"], "minus_arm_false_positives")} more of the empty slices; on real slices no gain is shown, {cell(thinned["real"], "minus_arm")} and {cell(few["real"], "minus_arm")}.
- **A new loss for the masked image is not shown to bring more Dice.** Three seeds, 189 patients: {cell(papers, "minus_arm")} in Dice over the paper's loss, ahead with {turns_won(new, papers)}
  seeds (aim: .03, missed). It has false positives on {number(new[f"{FALSE}_mean"])} against {number(papers[f"{FALSE}_mean"])} of the empty slices, but
  more false pixels on slices with a lesion, and a U-Net is not told apart from it in Dice, {number(losses["unet"]["dice_mean"])} against {number(new["dice_mean"])}, with false positives on {number(losses["unet"][f"{FALSE}_mean"])}.
- **A reader was not fooled, and the kit's own encoder cannot settle it.** Of the generator with styles coverage is {coverage["style code"]}, where halves of true slices have
  {coverage["true slices"]}, though its slices were painted for the masks of those very patients; they are too few for the measure to be reliable. One reader, an AI
  model, told {reader["right"]} of {reader["of"]} of its slices and true ones apart."""


def filled(text: str) -> str:
    """A page with its tables made anew."""
    pattern = r"(<!-- table (\S+) -->\n).*?(<!-- /table -->)"
    text = re.sub(pattern, lambda found: f"{found[1]}{table(found[2])}\n{found[3]}", text, flags=re.S)
    block = r"(<!-- results -->\n).*?(<!-- /results -->)"
    return re.sub(block, lambda found: f"{found[1]}{findings()}\n{found[2]}", text, flags=re.S)


if __name__ == "__main__":
    for page in PAGES:
        write_whole(page, filled(page.read_text(encoding="utf-8")))
