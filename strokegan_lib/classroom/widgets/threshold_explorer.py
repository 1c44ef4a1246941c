"""Where should a score be cut? Slices with the outline of the answer, and what each threshold is worth."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from strokegan_lib.classroom.widgets.interactive import Clickable, Grid
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, SCALE, outlined, png
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.measure import THRESHOLDS
from strokegan_lib.evaluation.overlap import Counts, count

CUTS = [round(float(t), 2) for t in THRESHOLDS]  # what the slider offers: .01, .02 ... .99
DPI = 96


class ThresholdExplorer(Clickable):
    """Cut the score of a slice at any threshold: outlines, Dice, precision, sensitivity.

    The truth is outlined in orange, the prediction in blue. Beside the slice runs the curve
    that a threshold is chosen by, the mean Dice over those of the slices that contain a
    lesion, with the current place marked; a click there chooses the threshold. Give it
    validation slices: a threshold chosen on test slices flatters the test.

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
        self.curves = {name: mean_dice(counts) for name, counts in self.counts.items()}  # (T,) each
        self.panels = {name: curve(values) for name, values in self.curves.items()}
        largest = int(truth.sum((1, 2)).argmax())
        super().__init__(
            method=widgets.Dropdown(options=list(scores), description="method"),
            slice=widgets.IntSlider(largest, 0, len(self.rows) - 1, description="slice"),
            threshold=widgets.SelectionSlider(
                options=[(f"{t:.2f}", t) for t in CUTS], value=0.5, description="threshold"
            ),
        )

    def draw(self, method: str, slice: int, threshold: float) -> tuple[bytes, str]:
        k, row = CUTS.index(threshold), self.rows[slice]
        predicted = (self.scores[method][slice] > THRESHOLDS[k]).numpy()  # (H, W)
        left = outlined(self.slices.images[row, 0], (self.truth[slice], ORANGE), (predicted, BLUE))
        right, columns, heights = self.panels[method]
        both = np.concatenate([left, mark(right, columns[k], heights[k])], axis=1)
        here, mean = self.counts[method][k, slice], self.curves[method][k]
        if here.lesion():
            found = (
                f"Dice {here.dice():.2f}, precision {here.precision():.2f}, "
                f"sensitivity {here.sensitivity():.2f}"
            )
        else:
            found = f"no lesion (orange is missing), {int(here.fp)} pixels of false alarm"
        table = self.slices.table
        where = f"{table['patient'][row]}, plane {table['plane'][row]}"
        lesions = int(self.counts[method].lesion()[0].sum())
        return png(both), (
            f"{method}, {where}, threshold {threshold:.2f}: {found}; "
            f"mean Dice over the {lesions} slices with a lesion {mean:.3f}"
        )

    def grid(self) -> Grid:
        panel, columns, _ = self.panels[self.controls["method"].value]
        start = SCALE * self.truth.shape[-1]  # of the curve's half
        step = (columns[-1] - columns[0]) / (len(CUTS) - 1)
        return Grid(
            rows=1,
            columns=len(CUTS),
            corners=((0, float(start + columns[0] - step / 2)),),
            size=(len(panel), float(len(CUTS) * step)),
            at=(0, CUTS.index(self.controls["threshold"].value)),
            help="the curve to choose a threshold",
        )

    def point(self, row: int, column: int) -> None:
        self.controls["threshold"].value = CUTS[column]


def mean_dice(counts: Counts) -> np.ndarray:
    """Mean Dice over the slices with a lesion at each threshold, (T,), from counts (T, n)."""
    return counts[:, counts.lesion()[0]].dice().mean(-1).numpy()


def curve(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean Dice against the threshold as a picture that can be marked.

    It is drawn once a method: Matplotlib takes longer than a slider may.

    Args:
        values: (T,) at THRESHOLDS.

    Returns:
        The picture (h, w, 3) uint8, and the columns and rows of its points, (T,) int each.
    """
    figure = Figure(figsize=(4, 4), dpi=DPI, layout="constrained")  # 384 pixels, as high as a slice
    canvas, axes = FigureCanvasAgg(figure), figure.add_subplot()
    axes.plot(CUTS, values, color="black")
    axes.set(xlabel="threshold", ylabel="mean Dice, slices with a lesion", xlim=(0, 1), ylim=(0, 1))
    canvas.draw()
    shown = np.asarray(canvas.buffer_rgba())[..., :3].copy()  # (h, w, 3)
    x, y = axes.transData.transform(np.stack([CUTS, values], -1)).T.round().astype(int)  # from below
    return shown, x, len(shown) - 1 - y


def mark(panel: np.ndarray, column: int, row: int) -> np.ndarray:
    """The picture with a blue square of 9 pixels around that place."""
    marked = panel.copy()
    marked[max(row - 4, 0) : row + 5, max(column - 4, 0) : column + 5] = BLUE
    return marked
