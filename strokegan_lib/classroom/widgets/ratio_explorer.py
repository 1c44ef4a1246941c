"""Which share of stroke is best to train on? Saved comparisons of the ways to balance, with a slider."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import numpy as np

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import ORANGE_HEX, chart, rendered

REFERENCE = "oversampling"  # the arm that the others are compared with
SCORES = {
    "Dice, slices with a lesion": "dice",
    "pooled Dice": "pooled_dice",
    "precision": "precision",
    "sensitivity": "sensitivity",
    "false positives, slices without": "empty_false_positive_rate",
}
GREY = "#606060"


class RatioExplorer(Interactive):
    """A dot and a 95 % interval for each arm of a saved comparison. Used in notebook 08.

    The arms that saw the chosen share of stroke are orange squares.
    """

    def __init__(self, comparisons: Mapping[str, Any]) -> None:
        self.comparisons = comparisons
        shares = {_share(line) for comparison in comparisons.values() for line in comparison.lines}
        super().__init__(
            comparison=widgets.Dropdown(options=list(comparisons), description="comparison"),
            score=widgets.Dropdown(options=list(SCORES), description="score"),
            share=widgets.SelectionSlider(
                options=[(f"{share:.0%}", share) for share in sorted(shares)],
                value=max(_share(line) for line in next(iter(comparisons.values())).lines),
                description="stroke seen in training",
            ),
        )

    def draw(self, comparison: str, score: str, share: float) -> tuple[np.ndarray, str]:
        chosen, name, told = self.comparisons[comparison], SCORES[score], []
        height = 0.42 * len(chosen.lines) + 1.1  # inches
        figure, axes = chart((7, height), left=0.23, right=0.97, bottom=0.55 / height, top=0.92)
        axes.axvline(chosen.arm(REFERENCE)[f"{name}_mean"], color=GREY, linestyle=":", linewidth=1)
        for place, line in enumerate(chosen.lines):
            mean, low, high = (line[f"{name}_{part}"] for part in ("mean", "low", "high"))
            color, marker = GREY, "o"
            if _share(line) == share:
                color, marker = ORANGE_HEX, "s"
                told.append(f"{line['arm']} {mean:.3f}")
                if name == "dice" and line.get("minus_arm") is not None:
                    keys = "minus_arm", "minus_arm_high", "minus_arm_low"
                    gain, lowest, highest = (-line[key] for key in keys)  # it is oversampling less the arm
                    told[-1] += f" ({gain:+.3f} against {REFERENCE}, {lowest:+.3f} to {highest:+.3f})"
            bar = [[mean - low], [high - mean]]
            axes.errorbar(mean, place, xerr=bar, capsize=3, color=color, marker=marker)
        names = [f"{line['arm']} ({line['stroke_share_in_batches']:.0%})" for line in chosen.lines]
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.locator_params(axis="x", nbins=4)
        axes.set_xlabel(f"{score}, 95 % interval")
        axes.set_title(chosen.title, fontsize=10)
        return rendered(figure), f"{score}, {share:.0%} stroke seen: {'; '.join(told) or 'by no arm'}"


def _share(line: dict[str, Any]) -> float:
    """Share of stroke that an arm was shown, in whole percents."""
    return round(line["stroke_share_in_batches"], 2)
