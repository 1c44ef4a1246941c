"""A segmentor's scores of many slices, and its overlap with the truth at many thresholds."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from tqdm import tqdm

from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.errors import Diverged
from strokegan_lib.evaluation.overlap import CHUNK, Counts, best_threshold, count

THRESHOLDS = torch.arange(1, 100) / 100  # (99,) .01, .02 ... .99


@dataclass(frozen=True)
class Predictions:
    """What a segmentor says of N slices, on the host."""

    score: Tensor  # (N, H, W) float16, 0..1; half the bytes, and finer than any threshold in use
    truth: Tensor  # (N, H, W) bool, stroke
    foreground: Tensor  # (N, H, W) bool, tissue

    def masks(self, threshold: float) -> Tensor:
        """Where the score lies above *threshold*, (N, H, W) bool."""
        return torch.cat([part.float() > threshold for part in self.score.split(CHUNK)])


@torch.inference_mode()
def scored(segmentor: nn.Module, batches: Batches, *, bar: bool = False) -> Iterator[tuple[Batch, Tensor]]:
    """Every batch in order, unchanged, with its score (B, 1, H, W); Diverged where that is not a number.

    The segmentor is on the batches' device, in eval mode; *bar* shows progress where there is a terminal.
    """
    disable = None if bar else True
    for batch in tqdm(batches.in_order(), "slices", len(batches), disable=disable, delay=1, leave=False):
        image = batch.image.contiguous(memory_format=torch.channels_last)
        score = segmentor.predict(segmentor(image), image).score
        if not score.isfinite().all():
            raise Diverged("the segmentor", "its scores are not numbers")
        yield batch, score


def predict(segmentor: nn.Module, batches: Batches, *, bar: bool = False) -> Predictions:
    """The score of every slice, in the order of ``batches.rows``: 13,200 slices take 0.9 GB."""
    parts = []
    for batch, score in scored(segmentor, batches, bar=bar):
        maps = (score.half(), batch.stroke > 0, batch.foreground > 0)  # (B, 1, H, W) each
        parts.append([part[:, 0].cpu() for part in maps])
    return Predictions(*(torch.cat(kind) for kind in zip(*parts, strict=True)))


def measure(segmentor: nn.Module, batches: Batches, thresholds: Tensor = THRESHOLDS) -> Counts:
    """Pixels of every slice by outcome at rising thresholds (T,): Counts (T, N) in the order of the rows."""
    return Counts.cat([count(score, batch.stroke, thresholds) for batch, score in scored(segmentor, batches)])


def validation_score(segmentor: nn.Module, batches: Batches) -> dict[str, float]:
    """The best threshold on validation slices and what it reaches there, for a training record."""
    counts = measure(segmentor, batches)
    threshold, k = best_threshold(counts, THRESHOLDS)
    lesion = counts.lesion()[0]
    dice, pooled = float(counts[k, lesion].dice().mean()), float(counts[k].pool().dice())
    return {
        # by which the best network is kept: on few patients the mean alone is led by small lesions, the pool by large
        "validation score": (dice + pooled) / 2,
        "validation dice": dice,
        "validation pooled dice": pooled,
        "validation threshold": threshold,
    }
