"""Which share of stroke is best to train on? Saved comparisons of the ways to balance, with a slider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.balancing import REFERENCE
from strokegan_lib.classroom.saved import RESULTS, table_of
from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import ORANGE, png

START = "balancing_"  # of the names of the files that experiments.balancing made
SCORES = {
    "Dice, slices with a lesion": "dice",
    "pooled Dice": "pooled_dice",
    "precision": "precision",
    "sensitivity": "sensitivity",
    "false alarms, slices without": "empty_false_positive_rate",
}
GREY = "#606060"


@dataclass(frozen=True)
class Comparison:
    """One run of ``python -m experiments.balancing``.

    Attributes:
        lines: an arm each, as its balancing.csv has them; numbers as floats, what is missing as None.
        card: how it was made, its balancing.json.
    """

    lines: list[dict[str, Any]]
    card: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.card['data']}, {self.card['setting']}"

    def arm(self, name: str) -> dict[str, Any]:
        """The line of an arm.

        Raises:
            KeyError: there is none.
        """
        for line in self.lines:
            if line["arm"] == name:
                return line
        raise KeyError(name)

    def shares(self) -> list[float]:
        """Shares of stroke that the arms were shown, rising, in whole percents."""
        return sorted({round(line["stroke_share_in_batches"], 2) for line in self.lines})


def saved_comparisons(folder: Path = RESULTS) -> dict[str, Comparison]:
    """The comparisons that lie in a folder, by title, in the order of their file names; {} if none."""
    found = {}
    for file in sorted(folder.glob(f"{START}*.csv")):
        comparison = Comparison(*table_of(file.stem, folder))
        title = comparison.title
        if title in found:  # the same setting again, such as with another seed
            title = f"{title} ({file.stem.removeprefix(START)})"
        found[title] = comparison
    return found


class RatioExplorer(Interactive):
    """All arms of a saved comparison with their intervals; those that saw a chosen share of stroke in orange.

    Args:
        comparisons: by title, at least one, see :func:`saved_comparisons`.

    Raises:
        ValueError: no comparison.

    Example:
        ``RatioExplorer(saved_comparisons()).set(score="pooled Dice", share=0.5)``
    """

    def __init__(self, comparisons: Mapping[str, Comparison]) -> None:
        if not comparisons:
            raise ValueError("give one comparison or more")
        self.comparisons = dict(comparisons)
        self.charts: dict[tuple[str, str], Chart] = {}
        first = next(iter(self.comparisons.values()))
        self.share = widgets.SelectionSlider(**self._offer(first), description="stroke seen in training")
        super().__init__(
            comparison=widgets.Dropdown(options=list(self.comparisons), description="comparison"),
            score=widgets.Dropdown(options=list(SCORES), description="score"),
            share=self.share,
        )

    @staticmethod
    def _offer(comparison: Comparison) -> dict[str, Any]:
        shares = comparison.shares()
        return {"options": [(f"{share:.0%}", share) for share in shares], "value": shares[-1]}

    def draw(self, comparison: str, score: str, share: float) -> tuple[bytes, str]:
        chosen = self.comparisons[comparison]
        if share not in chosen.shares():  # another comparison was chosen, with shares of its own
            offer = self._offer(chosen)
            with self.quietly():
                self.share.options = offer["options"]
                share = self.share.value = offer["value"]
        name = SCORES[score]
        lit = [line for line in chosen.lines if round(line["stroke_share_in_batches"], 2) == share]
        told = [f"{line['arm']} {line[f'{name}_mean']:.3f}{_against(line, name)}" for line in lit]
        if (comparison, score) not in self.charts:
            self.charts[comparison, score] = Chart(chosen, name, score)
        return self.charts[comparison, score].draw(
            share
        ), f"{score}, {share:.0%} stroke seen: {'; '.join(told)}"


def _against(line: dict[str, Any], name: str) -> str:
    """The difference from oversampling in words, where one was computed: for Dice over lesion slices."""
    if name != "dice" or line.get("minus_arm") is None:
        return ""
    low, high = -line["minus_arm_high"], -line["minus_arm_low"]  # the file says oversampling less the arm
    return f" ({-line['minus_arm']:+.3f} against {REFERENCE}, {low:+.3f} to {high:+.3f})"


class Chart:
    """A dot and a 95 % interval for each arm. It is laid out once: that takes longer than a slider may.

    Args:
        name: of a score, as in the columns ``<name>_mean``, ``<name>_low`` and ``<name>_high``.
        label: of the axis.
    """

    def __init__(self, comparison: Comparison, name: str, label: str) -> None:
        self.lines = comparison.lines
        figure = Figure(figsize=(7, 0.42 * len(self.lines) + 1.1), dpi=96, layout="constrained")
        self.canvas, axes = FigureCanvasAgg(figure), figure.add_subplot()
        reference = comparison.arm(REFERENCE)[f"{name}_mean"]
        axes.axvline(reference, color=GREY, linestyle=":", linewidth=1)
        self.bars = []
        for place, line in enumerate(self.lines):
            mean, low, high = (line[f"{name}_{part}"] for part in ("mean", "low", "high"))
            interval = [[mean - low], [high - mean]]
            self.bars.append(axes.errorbar(mean, place, xerr=interval, capsize=3, marker="o"))
        names = [f"{line['arm']} ({line['stroke_share_in_batches']:.0%})" for line in self.lines]
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set(xlabel=f"{label}, 95 % interval", title=comparison.title)
        axes.title.set_fontsize(10)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")

    def draw(self, share: float | None = None) -> bytes:
        """The chart as PNG; arms that saw that share of stroke, in whole percents, in orange squares."""
        for bar, line in zip(self.bars, self.lines, strict=True):
            lit = share is not None and round(line["stroke_share_in_batches"], 2) == share
            colour = np.array(ORANGE) / 255 if lit else GREY
            dot, caps, rods = bar.lines
            dot.set_marker("s" if lit else "o")
            for part in (dot, *caps):
                part.set(color=colour, markeredgecolor=colour)
            for rod in rods:
                rod.set_color(colour)
        self.canvas.draw()
        return png(np.asarray(self.canvas.buffer_rgba())[..., :3])
