"""Does a score of .7 mean stroke in seven pixels of ten?

Pixels are put into bins by their score; in each, the mean score is set against the share of
its pixels that are stroke (the reliability curve). The expected calibration error is their mean absolute
difference, each bin weighing as many pixels as it holds (Naeini et al., AAAI 2015; Guo
et al., ICML 2017)::

    ECE = sum over bins of  pixels in it / all pixels * |share of stroke - mean score|

Only foreground is counted: that air is no stroke needs no segmentor. Even so nearly all pixels
are healthy and scored near 0, so the error is small for any segmentor that says so: look at
the curve. **The score of a painted masked image is no probability**, nothing in its training
asks it to be one, and its curve shows how far from one it is, not that it failed.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from strokegan_lib.evaluation.overlap import CHUNK

BINS = 15  # of equal width, as in Guo et al.


def calibration_sums(score: Tensor, truth: Tensor, foreground: Tensor) -> np.ndarray:
    """What each slice adds to the bins.

    Bin k holds scores from k/15 up to, not including, (k+1)/15; the last one 1 too.

    Args:
        score: (N, H, W) float, 0..1, on the host.
        truth, foreground: (N, H, W) bool.

    Returns:
        (N, BINS, 3) float64: foreground pixels, sum of their scores, stroke among them.

    Raises:
        ValueError: shapes that differ, or a score outside 0..1.
    """
    if not score.shape == truth.shape == foreground.shape or score.ndim != 3:
        raise ValueError(
            f"must all be (N, H, W): {tuple(score.shape)}, {tuple(truth.shape)}, {tuple(foreground.shape)}"
        )
    sums = np.zeros((len(score), BINS, 3))
    for start in range(0, len(score), CHUNK):
        part = slice(start, start + CHUNK)
        pixels = np.flatnonzero(foreground[part].numpy())
        scores = score[part].numpy().reshape(-1)[pixels].astype(np.float32)
        if not ((scores >= 0) & (scores <= 1)).all():
            raise ValueError("score must lie in 0..1")
        stroke = truth[part].numpy().reshape(-1)[pixels]
        place = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
        place += pixels // truth[0].numel() * BINS
        into = sums[part]
        for k, weights in enumerate((None, scores, stroke)):
            into[..., k] = np.bincount(place, weights, into[..., k].size).reshape(-1, BINS)
    return sums


def expected_calibration_error(sums: np.ndarray) -> np.ndarray:
    """ECE of summed bins (..., BINS, 3) -> (...), 0..1; NaN without a pixel."""
    pixels, scores, stroke = np.moveaxis(sums, -1, 0)  # (..., BINS) each
    with np.errstate(invalid="ignore"):
        # pixels * |stroke / pixels - scores / pixels|, and an empty bin adds nothing
        return np.abs(stroke - scores).sum(-1) / pixels.sum(-1)


def reliability(sums: np.ndarray) -> list[dict]:
    """The reliability curve of summed bins (BINS, 3), a dictionary a bin, ready for JSON.

    "mean_score" and "stroke_share" are None in a bin without pixels.
    """
    edges = np.linspace(0, 1, BINS + 1)
    return [
        {
            "from": round(float(edges[k]), 4),
            "to": round(float(edges[k + 1]), 4),
            "pixels": int(n),
            "mean_score": float(scores / n) if n else None,
            "stroke_share": float(stroke / n) if n else None,
        }
        for k, (n, scores, stroke) in enumerate(sums)
    ]
