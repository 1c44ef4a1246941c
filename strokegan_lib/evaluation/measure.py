"""A segmentor's scores of many slices, and its overlap with the truth at many thresholds."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from tqdm import tqdm

from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.errors import Diverged
from strokegan_lib.evaluation.overlap import CHUNK, Counts, best_threshold, count
from strokegan_lib.models.segmentation import Prediction

THRESHOLDS = torch.arange(1, 100) / 100  # (99,) .01, .02 ... .99


@dataclass(frozen=True)
class Predictions:
    """What a segmentor says of N slices, on the host."""

    score: Tensor  # (N, H, W) float16, 0..1; half the bytes, and finer than any threshold in use
    local: Tensor  # (N, H, W) float16, 0..1, without the evidence of the whole slice
    truth: Tensor  # (N, H, W) bool, stroke
    foreground: Tensor  # (N, H, W) bool, tissue

    def masks(self, threshold: float) -> Tensor:
        """Where the score lies above *threshold*, (N, H, W) bool."""
        return torch.cat([part.float() > threshold for part in self.score.split(CHUNK)])


@torch.inference_mode()
def scored(
    segmentor: nn.Module, batches: Batches, *, bar: bool = False
) -> Iterator[tuple[Batch, Prediction]]:
    """Every batch in order, unchanged, with its prediction; Diverged where its scores are not numbers.

    The segmentor is on the batches' device, in eval mode; *bar* shows progress where there is a terminal.
    """
    disable = None if bar else True
    for batch in tqdm(batches.in_order(), "slices", len(batches), disable=disable, delay=1, leave=False):
        image = batch.image.contiguous(memory_format=torch.channels_last)
        said = segmentor.predict(segmentor(image), image)
        if not said.score.isfinite().all():
            raise Diverged("the segmentor", "its scores are not numbers")
        yield batch, said


def predict(segmentor: nn.Module, batches: Batches, *, bar: bool = False) -> Predictions:
    """The scores of every slice, in the order of ``batches.rows``: 13,200 slices take 1.3 GB."""
    parts = []
    for batch, said in scored(segmentor, batches, bar=bar):
        # (B, 1, H, W) each
        maps = (said.score.half(), said.local.half(), batch.stroke > 0, batch.foreground > 0)
        parts.append([part[:, 0].cpu() for part in maps])
    return Predictions(*(torch.cat(kind) for kind in zip(*parts, strict=True)))


def measure(segmentor: nn.Module, batches: Batches, thresholds: Tensor = THRESHOLDS) -> Counts:
    """Pixels of every slice by outcome at rising thresholds (T,): Counts (T, N) in the order of the rows."""
    parts = [count(said.score, batch.stroke, thresholds) for batch, said in scored(segmentor, batches)]
    return Counts.cat(parts)


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
