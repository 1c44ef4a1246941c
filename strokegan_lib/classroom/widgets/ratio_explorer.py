"""Which share of stroke is best to train on? Saved comparisons of the ways to balance, with a slider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
from matplotlib.figure import Figure

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import ORANGE_HEX, png, rendered

REFERENCE = "oversampling"  # the arm that the others are compared with
SCORES = {
    "Dice, slices with a lesion": "dice",
    "pooled Dice": "pooled_dice",
    "precision": "precision",
    "sensitivity": "sensitivity",
    "false positives, slices without": "empty_false_positive_rate",
}
GREY = "#606060"


@dataclass(frozen=True)
class Comparison:
    """One run of ``python -m experiments.balancing``.

    Attributes:
        lines: an arm each, numbers as floats, what is missing as None.
        card: how it was made.
    """

    lines: list[dict[str, Any]]
    card: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.card['data']}, {self.card['setting']}"

    def arm(self, name: str) -> dict[str, Any]:
        """The line of an arm."""
        return {line["arm"]: line for line in self.lines}[name]


def _share(line: dict[str, Any]) -> float:
    """Share of stroke that an arm was shown, in whole percents."""
    return round(line["stroke_share_in_batches"], 2)


class RatioExplorer(Interactive):
    """All arms of a saved comparison, those that saw a chosen share of stroke in orange. Used in notebook 08.

    Args:
        comparisons: by title, at least one, as ``saved_comparisons()`` finds them.

    Example:
        ``RatioExplorer(saved_comparisons()).set(score="pooled Dice", share=0.5)``
    """

    def __init__(self, comparisons: Mapping[str, Comparison]) -> None:
        if not comparisons:
            raise ValueError("give one comparison or more")
        self.comparisons = comparisons
        shares = sorted({_share(line) for comparison in comparisons.values() for line in comparison.lines})
        super().__init__(
            comparison=widgets.Dropdown(options=list(comparisons), description="comparison"),
            score=widgets.Dropdown(options=list(SCORES), description="score"),
            share=widgets.SelectionSlider(
                options=[(f"{share:.0%}", share) for share in shares],
                value=max(_share(line) for line in next(iter(comparisons.values())).lines),
                description="stroke seen in training",
            ),
        )

    def draw(self, comparison: str, score: str, share: float) -> tuple[bytes, str]:
        chosen, name = self.comparisons[comparison], SCORES[score]
        told = [
            f"{line['arm']} {line[f'{name}_mean']:.3f}{_against(line, name)}"
            for line in chosen.lines
            if _share(line) == share
        ]
        shown = png(rendered(chart(chosen, name, score, share)))
        return shown, f"{score}, {share:.0%} stroke seen: {'; '.join(told) or 'by no arm'}"


def _against(line: dict[str, Any], name: str) -> str:
    """The difference from oversampling in words, where one was computed: for Dice over lesion slices."""
    if name != "dice" or line.get("minus_arm") is None:
        return ""
    low, high = -line["minus_arm_high"], -line["minus_arm_low"]  # the file says oversampling less the arm
    return f" ({-line['minus_arm']:+.3f} against {REFERENCE}, {low:+.3f} to {high:+.3f})"


def chart(comparison: Comparison, name: str, label: str, share: float) -> Figure:
    """A dot and a 95 % interval for each arm; orange squares for those that saw that share of stroke.

    Args:
        name: of a score, as in the columns ``<name>_mean``, ``<name>_low`` and ``<name>_high``.
        label: of the axis.
    """
    figure = Figure(figsize=(7, 0.42 * len(comparison.lines) + 1.1), dpi=96)
    figure.subplots_adjust(left=0.23, right=0.97, bottom=0.55 / figure.get_figheight(), top=0.92)
    axes = figure.add_subplot()
    axes.axvline(comparison.arm(REFERENCE)[f"{name}_mean"], color=GREY, linestyle=":", linewidth=1)
    for place, line in enumerate(comparison.lines):
        mean, low, high = (line[f"{name}_{part}"] for part in ("mean", "low", "high"))
        look = (
            {"color": ORANGE_HEX, "marker": "s"} if _share(line) == share else {"color": GREY, "marker": "o"}
        )
        axes.errorbar(mean, place, xerr=[[mean - low], [high - mean]], capsize=3, **look)
    names = [f"{line['arm']} ({line['stroke_share_in_batches']:.0%})" for line in comparison.lines]
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=4)
    axes.set_xlabel(f"{label}, 95 % interval")
    axes.set_title(comparison.title, fontsize=10)
    return figure
