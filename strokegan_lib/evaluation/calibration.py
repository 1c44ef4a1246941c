"""Does a score of .7 mean stroke in seven pixels of ten?

Pixels are put into bins by their score; in each, the mean score is compared with the share of its pixels that
are stroke (the reliability curve). The expected calibration error (Naeini et al., AAAI 2015; Guo et al.,
ICML 2017) is::

    ECE = sum over bins of  pixels in it / all pixels * |share of stroke - mean score|

Nearly all foreground is healthy and scored near 0, so the error is small for any segmentor that says so: look at
the curve. Asked are local scores: weighed by the evidence of their slice they are no probabilities, and those of a
painted masked image are none even so. Taught in notebook 06.
"""

import numpy as np
from torch import Tensor

from strokegan_lib.evaluation.overlap import CHUNK

BINS = 15  # of equal width, as in Guo et al.


def calibration_sums(score: Tensor, truth: Tensor, foreground: Tensor) -> np.ndarray:
    """What each slice adds to the bins, of which k holds scores from k/15 up to (k+1)/15, the last one 1 too.

    Args:
        score: (N, H, W) float, 0..1, else ValueError; on the host.
        truth, foreground: (N, H, W) bool.

    Returns:
        (N, BINS, 3) float64: foreground pixels, sum of their scores, stroke among them.
    """
    sums = np.zeros((len(score), BINS, 3))
    for start in range(0, len(score), CHUNK):
        part = slice(start, start + CHUNK)
        inside = foreground[part].numpy()
        scores, stroke = score[part].numpy()[inside].astype(np.float32), truth[part].numpy()[inside]
        if not ((scores >= 0) & (scores <= 1)).all():
            raise ValueError("score must lie in 0..1")
        place = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
        place += np.nonzero(inside)[0] * BINS  # the slice of each pixel has bins of its own
        for k, weights in enumerate((None, scores, stroke)):
            sums[part, :, k] = np.bincount(place, weights, len(inside) * BINS).reshape(-1, BINS)
    return sums


def expected_calibration_error(sums: np.ndarray) -> np.ndarray:
    """ECE of summed bins (..., BINS, 3) -> (...), 0..1; NaN without a pixel."""
    pixels, scores, stroke = np.moveaxis(sums, -1, 0)  # (..., BINS) each
    with np.errstate(invalid="ignore"):
        # pixels * |stroke / pixels - scores / pixels|, and an empty bin adds nothing
        return np.abs(stroke - scores).sum(-1) / pixels.sum(-1)


def reliability(sums: np.ndarray) -> list[dict]:
    """The reliability curve of summed bins (BINS, 3), a dictionary a bin, ready for JSON; None without pixels."""
    curve, edges = [], np.linspace(0, 1, BINS + 1).round(4).tolist()
    for start, end, (n, scores, stroke) in zip(edges[:-1], edges[1:], sums, strict=True):
        mean, share = (float(scores / n), float(stroke / n)) if n else (None, None)
        curve.append({"from": start, "to": end, "pixels": int(n), "mean_score": mean, "stroke_share": share})
    return curve
