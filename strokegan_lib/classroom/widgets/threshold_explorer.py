"""Where should a score be cut? Slices with the outline of the answer, and what each threshold is worth."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE, BLUE_HEX, ORANGE, outlined, png, rendered
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.measure import THRESHOLDS
from strokegan_lib.evaluation.overlap import count

CUTS = [round(float(t), 2) for t in THRESHOLDS]  # what the slider offers: .01, .02 ... .99


class ThresholdExplorer(Interactive):
    """Cut the score of a slice at any threshold: outlines, Dice, precision, sensitivity. Used in notebook 05.

    The truth is outlined in orange, the prediction in blue. Beside the slice runs the curve
    that a threshold is chosen by, the mean Dice over those of the slices that contain a
    lesion, with the current place marked. Give it validation slices: a threshold chosen on test slices
    flatters the test.

    Args:
        slices: the data set.
        rows: (n,) which of its slices, at least one of them with a lesion.
        scores: method -> (n, 1, H, W) or (n, H, W) scores of these slices, 0..1.

    Raises:
        ValueError: no method, scores of other slices or outside 0..1, or no slice with a lesion.

    Example:
        ``ThresholdExplorer(slices, rows, {"masked": score}).set(slice=4, threshold=0.2)``;
        slices are counted from 0 in the order of *rows*.
    """

    def __init__(self, slices: SliceSet, rows: np.ndarray, scores: Mapping[str, Tensor]) -> None:
        self.slices, self.rows = slices, np.asarray(rows)
        truth = torch.from_numpy(slices.stroke[self.rows])  # (n, H, W)
        if not scores or not truth.any():
            raise ValueError("give the scores of one method or more, and slices of which one has a lesion")
        self.truth = truth.numpy().astype(bool)
        self.scores = {name: s.reshape(truth.shape).float() for name, s in scores.items()}
        self.counts = {name: count(s, truth, THRESHOLDS) for name, s in self.scores.items()}  # (T, n) each
        self.sick = truth.flatten(1).sum(1) > 0  # (n,)
        self.curves = {
            name: c[:, self.sick].dice().mean(-1).numpy() for name, c in self.counts.items()
        }  # (T,)
        super().__init__(
            method=widgets.Dropdown(options=list(scores), description="method"),
            slice=widgets.IntSlider(int(truth.sum((1, 2)).argmax()), 0, len(truth) - 1, description="slice"),
            threshold=widgets.SelectionSlider(
                options=[(f"{t:.2f}", t) for t in CUTS], value=0.5, description="threshold"
            ),
        )

    def draw(self, method: str, slice: int, threshold: float) -> tuple[bytes, str]:
        k, row = CUTS.index(threshold), self.rows[slice]
        predicted = (self.scores[method][slice] > THRESHOLDS[k]).numpy()  # (H, W)
        left = outlined(self.slices.images[row, 0], (self.truth[slice], ORANGE), (predicted, BLUE))
        here, mean = self.counts[method][k, slice], self.curves[method][k]
        if self.sick[slice]:
            found = f"Dice {here.dice():.2f}, precision {here.precision():.2f}, sensitivity {here.sensitivity():.2f}"
        else:
            found = f"no lesion (orange is missing), {int(here.fp)} false positive pixels"
        where = f"{self.slices.table['patient'][row]}, plane {self.slices.table['plane'][row]}"
        both = np.concatenate([left, self._curve(method, threshold, len(left))], axis=1)
        return png(both), (
            f"{method}, {where}, threshold {threshold:.2f}: {found}; "
            f"mean Dice over the {int(self.sick.sum())} slices with a lesion {mean:.3f}"
        )

    def _curve(self, method: str, threshold: float, side: int) -> np.ndarray:
        """Mean Dice against the threshold, this one marked: (side, side, 3) uint8."""
        figure = Figure(figsize=(side / 96, side / 96), dpi=96)
        figure.subplots_adjust(left=0.16, right=0.97, bottom=0.13, top=0.97)
        axes = figure.add_subplot()
        axes.plot(CUTS, self.curves[method], color="black")
        axes.plot(threshold, self.curves[method][CUTS.index(threshold)], "s", color=BLUE_HEX, ms=7)
        axes.set(xlabel="threshold", xlim=(0, 1), xticks=(0, 0.5, 1))
        axes.set(ylabel="mean Dice, slices with a lesion", ylim=(0, 1), yticks=(0, 0.5, 1))
        return rendered(figure)
