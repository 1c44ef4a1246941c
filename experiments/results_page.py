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
BALANCED = {  # settings, and what README calls them
    "soop18": "real patients taken out until 18 % of the slices show a stroke",
    "tenth": "a tenth of the real patients",
    "phantom": "the phantom, with the paper's numbers",
}
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


def against_oversampling(setting: str, arm: str, p: str) -> str:
    """An arm of a setting against oversampling, a line of a table: Dice, seeds, pooled Dice, false positives, p."""
    lines = {line["arm"]: line for line in table_of(f"balancing_{setting}", RESULTS)[0]}
    line, reference = lines[arm], lines["oversampling"]
    false = " against ".join(number(of[f"{FALSE}_mean"]) for of in (line, reference))
    gains = ahead(line), turns_won(line, reference), ahead(line, "minus_arm_pooled")
    return f"| {' | '.join((BALANCED[setting], *gains, false, p))} |"


def turns_won(line: Line, other: Line) -> str:
    """In how many turns an arm's Dice is above the other's: '2 of 3'."""
    turns = [[float(word) for word in of["dice_by_turn"].split()] for of in (line, other)]
    return f"{sum(a > b for a, b in zip(*turns, strict=True))} of {len(turns[0])}"


def corrected(*tables: str) -> dict[tuple[str, str], str]:
    """p of each arm of each table against the table's first, corrected for all of them."""
    raw = {
        (name, line["arm"]): line["wilcoxon_p"]
        for name in tables
        for line in table_of(name, RESULTS, part="groups")[0]
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
    twelve = corrected(*(f"balancing_{name}" for name in BALANCED))
    seven = corrected("table1_phantom", "new_loss_phantom", "balancing_phantom")
    three, *_ = table_of("ensemble_soop", RESULTS)[0]
    lines, tested = table_of("new_loss_soop", RESULTS)
    losses = {line["arm"]: line for line in lines}
    new, papers, unet = (losses[name] for name in ("masked-divergence", "masked", "unet"))
    coverage = {
        line["title"]: line for line in table_of("family_soop", RESULTS)[0] if line["source"] != "made masks"
    }
    reader = json.loads((RESULTS / "blinded_reading_soop.json").read_text(encoding="utf-8"))
    whole = {line["arm"]: line for line in table_of("balancing_phantom", RESULTS)[0]}
    parts, painter = (
        {line[key]: line for line in table_of(name, RESULTS)[0]}
        for name, key in (("ablation_soop", "arm"), ("ablation_synthesis", "generator"))
    )
    dice = {name: number(line["dice_mean"]) for name, line in parts.items()}
    kernel = {name: number(line["kernel"]) for name, line in painter.items()}
    return f"""- **The paper's margin is not found.** The paper reports a Dice .058 above SegAN's, on other patients, and does not say how it averages.
  On {card["counts"]["slices"]} real slices, five folds, the kit's version of the paper's segmentor less SegAN is {cell(arms["segan"], "minus_arm")} in mean Dice over lesion slices.
  On the phantom, with as many slices and strokes as the paper has, it is {cell(phantom["segan"], "minus_arm")}, one network each (a rank test has p {seven["table1_phantom", "segan"]}, corrected for all seven tests on these patients),
  but {cell(phantom["segan"], "minus_arm_pooled")} in pooled Dice; over SegAN weighted and clipped as its authors released it {cell(phantom["segan-released"], "minus_arm")} and {cell(phantom["segan-released"], "minus_arm_pooled")}.
- **A U-Net, with cross-entropy and without critic and self-attention, has the highest Dice on real slices; its lead is not confirmed.** Its mean Dice is {cell(arms["unet"], "dice")},
  {ahead(arms["unet"])} above the kit's version of the paper's, corrected p {cell(arms["unet"], "wilcoxon_holm_p")}. The mean of three U-Nets' answers has {cell(three, "dice")},
  with false positives on {number(three[f"{FALSE}_mean"])} of the empty slices; no ensemble of the others was tried. All these patients had judged earlier networks.
- **Self-attention is not shown to help; multi-scale L1 may help to paint.** Each switched off in training, three seeds: without self-attention the segmentor's mean Dice is {dice["masked-no-attention"]} against {dice["masked"]},
  and the kernel distance of painted slices to true ones {kernel["no-attention"]} against {kernel["paper"]} (less is better). Without multi-scale L1 that distance is {kernel["no-multi-scale"]}, larger with each seed, but three seeds cannot rule out luck
  (p .1, one of ten comparisons), and coverage is not told apart, {number(painter["no-multi-scale"]["coverage"])} against {number(painter["paper"]["coverage"])}. The segmentor without its whole critic has a mean Dice of {dice["masked-pixel"]}.
- **Painted strokes may help a little, and chance may explain it.** Against oversampling, which shows as many strokes, two settings of three show a small gain, neither after correction for all
  twelve tests, and on the phantom false positives come with it (table below). Showing strokes more often, without painting, gains {cell(whole["real"], "minus_arm")} on the phantom; on real slices no gain is shown.
- **A new loss for the masked image is not shown to bring more Dice.** Three seeds, {tested["counts"]["patients"]} patients: {cell(papers, "minus_arm")} over the paper's loss, ahead with {turns_won(new, papers)}
  seeds (aim: .03, missed). Its false positives are on {number(new[f"{FALSE}_mean"])} against {number(papers[f"{FALSE}_mean"])} of the empty slices, but slices with a lesion have more false pixels,
  and a U-Net is not told apart from it in Dice, {number(unet["dice_mean"])} against {number(new["dice_mean"])}, with false positives on {number(unet[f"{FALSE}_mean"])}.
- **A reader was not fooled, and the kit's own encoder cannot settle it.** The generator with styles has a coverage of {cell(coverage["style code"], "coverage")}, halves of true slices {cell(coverage["true slices"], "coverage")};
  but its slices were painted for the masks of those very patients, who are too few for the measure to be reliable. One reader, an AI model, told {reader["right"]} of {reader["of"]} of its slices and true ones apart.

| painted strokes less oversampling | Dice | seeds ahead | pooled Dice | empty slices with a false positive | p, all twelve tests |
|---|---|---|---|---|---|
{against_oversampling("soop18", "gan-50", twelve["balancing_soop18", "gan-50"])}
{against_oversampling("tenth", "gan-80", twelve["balancing_tenth", "gan-80"])}
{against_oversampling("phantom", "gan-50", twelve["balancing_phantom", "gan-50"])}

*Intervals over patients, who had judged earlier versions; one split, one generator each.*"""


def filled(text: str) -> str:
    """A page with its tables made anew."""
    pattern = r"(<!-- table (\S+) -->\n).*?(<!-- /table -->)"
    text = re.sub(pattern, lambda found: f"{found[1]}{table(found[2])}\n{found[3]}", text, flags=re.S)
    block = r"(<!-- results -->\n).*?(<!-- /results -->)"
    return re.sub(block, lambda found: f"{found[1]}{findings()}\n{found[2]}", text, flags=re.S)


if __name__ == "__main__":
    for page in PAGES:
        write_whole(page, filled(page.read_text(encoding="utf-8")))
