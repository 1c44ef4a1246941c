"""How far prediction and truth overlap, slice by slice, at many thresholds at once.

A pixel is predicted to be stroke where its score lies **above** the threshold, so that a score of 0 is never
stroke and threshold 1 predicts nothing. With true positives tp, false positives fp and false negatives fn

    Dice = 2 tp / (2 tp + fp + fn)    precision = tp / (tp + fp)    sensitivity = tp / (tp + fn)

**The one convention for 0/0: 1 where truth and prediction are both empty, otherwise 0.** A missed lesion has
precision 0, which counts the miss a second time: mean precision here is not comparable with papers that
leave such slices out; pooled precision is not affected. Taught in notebook 06.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

CHUNK = 128  # slices at a time: masks of 2 MB stay in the processor's cache
FALSE_POSITIVE_RATE = 0.5  # share of empty validation slices with a predicted pixel, at most
PRICE = 0.05  # of the mean Dice for that: less than its own uncertainty on a few hundred slices


@dataclass(frozen=True)
class Counts:
    """Pixels (or lesions: see lesionwise.py) of N slices by outcome, (..., N); leading axes are thresholds."""

    tp: Tensor  # stroke found
    fp: Tensor  # stroke predicted where there is none
    fn: Tensor  # stroke missed

    def dice(self) -> Tensor:
        """Dice coefficient, (..., N) float64, 0..1."""
        return self._ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    def precision(self) -> Tensor:
        """Share of the predicted pixels that are stroke, (..., N) float64, 0..1."""
        return self._ratio(self.tp, self.tp + self.fp)

    def sensitivity(self) -> Tensor:
        """Share of the stroke's pixels that are found, (..., N) float64, 0..1."""
        return self._ratio(self.tp, self.tp + self.fn)

    def specificity(self, pixels: Tensor | int) -> Tensor:
        """tn / (tn + fp), (..., N) float64, of slices of so many *pixels*: close to 1 whatever a segmentor does."""
        without = pixels - self.tp - self.fn
        return self._ratio(without - self.fp, without)

    def lesion(self) -> Tensor:
        """Whether the slice contains a lesion, (..., N) bool."""
        return self.tp + self.fn > 0

    def pool(self) -> "Counts":
        """All slices counted as if they were a single one, (..., 1)."""
        return Counts(*(part.sum(-1, keepdim=True) for part in vars(self).values()))

    def __getitem__(self, index: object) -> "Counts":
        """``counts[k]`` is threshold number k, ``counts[..., chosen]`` are some of the slices."""
        return Counts(*(part[index] for part in vars(self).values()))

    @staticmethod
    def cat(parts: Sequence["Counts"]) -> "Counts":
        """The slices of all *parts*, one batch after the other."""
        return Counts(
            *(torch.cat(column, -1) for column in zip(*(vars(p).values() for p in parts), strict=True))
        )

    def _ratio(self, numerator: Tensor, denominator: Tensor) -> Tensor:
        both_empty = self.tp + self.fp + self.fn == 0
        return torch.where(denominator > 0, numerator / denominator.double(), both_empty.double())


def count(score: Tensor, truth: Tensor, thresholds: Tensor) -> Counts:
    """Pixels of each slice by outcome at every threshold: Counts (T, B), on the host.

    One histogram of each slice's scores, between the thresholds, serves all of them: what is predicted at a
    threshold is what lies in the bins above it. The pixels are read on the device of *score*.
    ValueError for other shapes, thresholds that do not rise, or a score outside 0..1 (a logit, or NaN).

    Args:
        score: (B, 1, H, W) or (B, H, W) float, 0..1, B > 0.
        truth: same shape, 0/1.
        thresholds: (T,) float, rising. Compared with *score* as float32.
    """
    if score.shape != truth.shape or not (score.ndim == 3 or (score.ndim == 4 and score.shape[1] == 1)):
        raise ValueError(f"score and truth must be (B, 1, H, W): {tuple(score.shape)}, {tuple(truth.shape)}")
    low, high = score.aminmax()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"score must lie in 0..1, not {float(low):.3g}..{float(high):.3g}")
    edges = thresholds.float().to(score.device)
    if not (edges.diff() > 0).all():
        raise ValueError("thresholds must rise")

    slices, bins = len(score), len(edges) + 1
    # number of thresholds below each pixel's score, then its place in the histogram (B, 2, T+1)
    place = torch.bucketize(score.flatten(1).float(), edges, out_int32=True)  # (B, H*W)
    place.add_(truth.flatten(1) != 0, alpha=bins)
    place.add_(torch.arange(slices, dtype=torch.int32, device=score.device)[:, None], alpha=2 * bins)
    histogram = torch.bincount(place.flatten(), minlength=slices * 2 * bins).view(slices, 2, bins)
    histogram = histogram.cpu()
    above = histogram.flip(-1).cumsum(-1).flip(-1)  # pixels above 0, 1, ... T of the thresholds
    above = above.permute(1, 2, 0).contiguous()  # (2, T+1, B): without and with stroke
    fp, tp = above[:, 1:]
    return Counts(tp, fp, above[1, :1] - tp)


def count_masks(predicted: Tensor, truth: Tensor) -> Counts:
    """Pixels of each slice by outcome where the prediction is a mask already, (N, H, W) bool as truth: Counts (N,)."""
    check_masks(predicted, truth)
    tp, positive, stroke = (mask.sum((1, 2)) for mask in (predicted & truth, predicted, truth))  # (N,)
    return Counts(tp, positive - tp, stroke - tp)


def check_masks(predicted: Tensor, truth: Tensor) -> None:
    """Raise ValueError unless both are (N, H, W) bool of one shape."""
    if predicted.shape != truth.shape or truth.ndim != 3 or {predicted.dtype, truth.dtype} != {torch.bool}:
        found = f"{predicted.dtype} {tuple(predicted.shape)}, {truth.dtype} {tuple(truth.shape)}"
        raise ValueError(f"masks must be bool (N, H, W) of one shape: {found}")


def best_threshold(
    counts: Counts, thresholds: Tensor, most: float = FALSE_POSITIVE_RATE
) -> tuple[float, int]:
    """The threshold with the best mean Dice over lesion slices, raised where it has many false positives.

    1. Take the threshold with the highest mean Dice over the slices with a lesion. Where several share it,
       the middle one (of two, the stricter): the edge of a plateau is the first to give way on other data.
    2. Raise it until at most a share *most* of the empty slices has a false positive, but give up no more
       than a twentieth of that Dice (PRICE).

    Step 1 alone takes low thresholds, for the curve is flat there, with false positives nearly everywhere. A
    bound without a price would make a network that is still learning predict nothing.

    Args:
        counts: (T, N), from validation.
        thresholds: (T,) float, rising.
        most: share of the empty slices with a false positive, 0..1.

    Returns:
        The threshold and its index; ValueError without a slice with a lesion.
    """
    lesion = counts.lesion()[0]
    if not lesion.any():
        raise ValueError("no slice with a lesion to choose a threshold by")
    mean = counts[:, lesion].dice().mean(-1)  # (T,)
    best = torch.nonzero(mean >= mean.max() - 1e-12).flatten()
    index = int(best[len(best) // 2])
    if not lesion.all():
        false_positives = (counts.fp[:, ~lesion] > 0).double().mean(-1)  # (T,) falling
        good = torch.nonzero(mean >= (1 - PRICE) * mean.max()).flatten()
        good = good[good >= index]
        few = good[false_positives[good] <= most]
        index = int(few[0] if len(few) else good[-1])
    return float(thresholds[index]), index
