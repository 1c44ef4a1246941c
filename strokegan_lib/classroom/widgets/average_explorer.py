"""One prediction, six Dices: what the average does with it, with a slider for the share of empty slices."""

from collections.abc import Mapping

import ipywidgets as widgets
import numpy as np
import torch

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import ORANGE_HEX, chart, rendered
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.statistics import sums_by_patient

MOST = 0.95  # share of empty slices that the slider offers
# marker, colour, and how much lower than its line, so that none hides another
LOOKS = (("o", ORANGE_HEX, -0.24), ("s", "#0072b2", -0.08), ("^", "#777777", 0.08), ("X", "black", 0.24))


def averages(counts: Counts, patients: np.ndarray, weight: float = 1) -> dict[str, float]:
    """Six averages of the Dice of N slices, of which an empty one counts *weight* times; one has a lesion at least."""
    dice, lesion = counts.dice().numpy(), counts.lesion().numpy()  # (N,)
    pixels = torch.stack([counts.tp, counts.fp, counts.fn], -1).numpy()  # (N, 3)
    weights, silent = np.where(lesion, 1, weight), pixels.sum(1) == 0
    pixels = pixels * weights[:, None]
    _, by_patient = sums_by_patient(pixels, patients)
    tp, fp, fn = by_patient[by_patient[:, [0, 2]].any(1)].T  # patients with a lesion
    all_tp, all_fp, all_fn = pixels.sum(0)
    return {
        "lesion slices": float(dice[lesion].mean()),
        "all slices, empty = 1": float(np.average(dice, weights=weights)),
        "all slices, empty = 0": float(np.average(np.where(silent, 0, dice), weights=weights)),
        "empty left out": float(np.average(dice[~silent], weights=weights[~silent])),
        "pooled": float(2 * all_tp / (2 * all_tp + all_fp + all_fn)),
        "patients": float((2 * tp / (2 * tp + fp + fn)).mean()),
    }


class AverageExplorer(Interactive):
    """Six averages of the same predictions, at any share of empty slices. Used in notebook 06.

    The slices stay the same: the empty ones count more or less, as if there were more or fewer like them.

    Args:
        counts: name of a network -> Counts (N,) at its threshold, four networks at most.
        patients: (N,) the patient of each slice.
        marks: name -> a Dice that is drawn as a dashed line.
    """

    def __init__(
        self, counts: Mapping[str, Counts], patients: np.ndarray, marks: Mapping[str, float]
    ) -> None:
        self.counts, self.patients, self.marks = counts, patients, marks
        lesion = next(iter(counts.values())).lesion()
        self.with_lesion, self.empty = int(lesion.sum()), int((~lesion).sum())
        own = min(round(self.empty / len(lesion), 2), MOST)
        shares = widgets.FloatSlider(own, min=0, max=MOST, step=0.01, description="share of empty slices")
        super().__init__(share=shares)

    def draw(self, share: float) -> tuple[np.ndarray, str]:
        weight = share / (1 - share) * self.with_lesion / max(self.empty, 1)
        figure, axes = chart((8.4, 4.6), left=0.2, right=0.97, bottom=0.11, top=0.82)
        told = []
        for (name, counts), (marker, colour, lower) in zip(self.counts.items(), LOOKS, strict=False):
            found = averages(counts, self.patients, weight)
            style = {"color": colour, "ms": 10, "ls": "", "clip_on": False, "zorder": 3}
            axes.plot(list(found.values()), np.arange(len(found)) + lower, marker, label=name, **style)
            told.append(f"{name} {min(found.values()):.3f} to {max(found.values()):.3f}")
        axes.set_yticks(range(len(found)), list(found))
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.set(xlim=(0, 1), xticks=(0, 0.5, 1), xlabel=f"Dice, where {share:.0%} of the slices are empty")
        axes.grid(axis="y", color="#dddddd")
        for place, (name, mark) in enumerate(sorted(self.marks.items(), key=lambda one: one[1])):
            axes.axvline(mark, color="black", linestyle="--", linewidth=1)
            side = {"ha": "left", "x": mark + 0.01} if place else {"ha": "right", "x": mark - 0.01}
            axes.text(y=-0.62, s=f"{name} {mark:.4f}", fontsize=9, va="bottom", **side)
        axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.09), ncols=4, frameon=False)
        words = f"{share:.0%} empty slices, lowest to highest of six Dices: {'; '.join(told)}"
        return rendered(figure), words
