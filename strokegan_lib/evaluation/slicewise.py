"""Everything that is measured on a slice, for many slices: what the summaries are made of.

Cross-validation scores each fold with its own network and threshold, then joins the folds
(``SliceScores.cat``) and summarises all patients once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from strokegan_lib.evaluation.calibration import calibration_sums
from strokegan_lib.evaluation.lesionwise import count_lesions
from strokegan_lib.evaluation.measure import Predictions
from strokegan_lib.evaluation.overlap import Counts, count_masks
from strokegan_lib.evaluation.surface import surface_distances


@dataclass(frozen=True)
class SliceScores:
    """N slices, measured at one threshold."""

    counts: Counts  # (N,), in pixels
    lesions: Counts  # (N,), in lesions
    pixels: np.ndarray  # (N,) int64, of the whole slice
    hd95: np.ndarray  # (N,) float64, mm
    surface_distance: np.ndarray  # (N,) float64, mm, average and symmetric
    pixel_ml: np.ndarray  # (N,) float64, mL of tissue that a pixel stands for: its area x distance of planes
    calibration: np.ndarray  # (N, BINS, 3) float64, see calibration.py

    def __getitem__(self, chosen: np.ndarray) -> "SliceScores":
        """Some of the slices: *chosen* is (N,) bool or (n,) indices."""
        return SliceScores(*(column[chosen] for column in vars(self).values()))

    @staticmethod
    def cat(parts: Sequence["SliceScores"]) -> "SliceScores":
        """The slices of all *parts*, such as the folds of a cross-validation, one after the other."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return SliceScores(
            *((Counts.cat if isinstance(c[0], Counts) else np.concatenate)(c) for c in columns)
        )

    def excess(self) -> np.ndarray:
        """Predicted less true stroke, (N,) int64, pixels: positive where too much is predicted."""
        return (self.counts.fp - self.counts.fn).numpy()


def score_slices(
    predictions: Predictions, threshold: float, table: dict[str, np.ndarray], *, bar: bool = False
) -> SliceScores:
    """Measure every slice at one threshold.

    Args:
        predictions: of N slices.
        threshold: chosen on validation patients; stroke is what scores above it.
        table: "row_spacing", "column_spacing" and "thickness" of these slices, (N,) each, mm.
    """
    predicted, truth = predictions.masks(threshold), predictions.truth
    spacing = np.stack([table["row_spacing"], table["column_spacing"]], -1)  # (N, 2)
    hd95, average = surface_distances(predicted, truth, spacing, bar=bar)
    return SliceScores(
        counts=count_masks(predicted, truth),
        lesions=count_lesions(predicted, truth),
        pixels=np.full(len(truth), truth[0].numel()),
        hd95=hd95,
        surface_distance=average,
        pixel_ml=spacing.prod(-1) * table["thickness"] / 1000,
        calibration=calibration_sums(predictions.local, truth, predictions.foreground),
    )
