"""Where should a score be cut? Slices with the outline of the answer, and what each threshold is worth."""

from collections.abc import Mapping

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE, BLUE_HEX, ORANGE, chart, outlined, rendered
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.measure import THRESHOLDS
from strokegan_lib.evaluation.overlap import count

CUTS = [round(float(t), 2) for t in THRESHOLDS]  # what the slider offers: .01, .02 ... .99


class ThresholdExplorer(Interactive):
    """Cut the score of a slice at any threshold: truth in orange, prediction in blue. Used in notebook 05.

    Beside the slice runs the curve that a threshold is chosen by, the mean Dice over the slices that
    contain a lesion. Give it validation slices: a threshold chosen on test slices flatters the test.

    Args:
        rows: (n,) which of the slices, at least one of them with a lesion; ``slice`` counts them from 0.
        scores: method -> (n, 1, H, W) or (n, H, W) scores of these slices, 0..1.
    """

    def __init__(self, slices: SliceSet, rows: np.ndarray, scores: Mapping[str, Tensor]) -> None:
        self.slices, self.rows = slices, rows
        self.truth = slices.stroke[rows]  # (n, H, W)
        self.scores = {name: score.reshape(self.truth.shape).float() for name, score in scores.items()}
        truth, cuts = torch.from_numpy(self.truth), [(f"{t:.2f}", t) for t in CUTS]
        self.counts = {name: count(score, truth, THRESHOLDS) for name, score in self.scores.items()}  # (T, n)
        sizes = self.truth.sum((1, 2), dtype=int)  # (n,)
        self.has_lesion = sizes > 0
        super().__init__(
            method=widgets.Dropdown(options=list(scores), description="method"),
            slice=widgets.IntSlider(int(sizes.argmax()), 0, len(sizes) - 1, description="slice"),
            threshold=widgets.SelectionSlider(options=cuts, value=0.5, description="threshold"),
        )

    def draw(self, method: str, slice: int, threshold: float) -> tuple[np.ndarray, str]:
        k, row = CUTS.index(threshold), self.rows[slice]
        predicted = (self.scores[method][slice] > THRESHOLDS[k]).numpy()  # (H, W)
        left = outlined(self.slices.images[row, 0], (self.truth[slice], ORANGE), (predicted, BLUE))
        curve = self.counts[method][:, self.has_lesion].dice().mean(-1)  # (T,)

        inches = len(left) / 96
        figure, axes = chart((inches, inches), left=0.16, right=0.97, bottom=0.13, top=0.97)
        axes.plot(CUTS, curve, color="black")
        axes.plot(threshold, curve[k], "s", color=BLUE_HEX, ms=7)
        axes.set(xlabel="threshold", xlim=(0, 1), xticks=(0, 0.5, 1))
        axes.set(ylabel="mean Dice, slices with a lesion", ylim=(0, 1), yticks=(0, 0.5, 1))

        here = self.counts[method][k, slice]
        found = f"no lesion (orange is missing), {int(here.fp)} false positive pixels"
        if self.has_lesion[slice]:
            found = f"Dice {here.dice():.2f}, precision {here.precision():.2f}, "
            found += f"sensitivity {here.sensitivity():.2f}"
        where = f"{self.slices.table['patient'][row]}, plane {self.slices.table['plane'][row]}"
        return np.concatenate([left, rendered(figure)], axis=1), (
            f"{method}, {where}, threshold {threshold:.2f}: {found}; "
            f"mean Dice over the {self.has_lesion.sum()} slices with a lesion {curve[k]:.3f}"
        )
