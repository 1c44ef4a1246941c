"""A segmentor's overlap with the truth, over many slices and at many thresholds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from strokegan_lib.data.batches import Batches
from strokegan_lib.evaluation.overlap import Counts, best_threshold, count

THRESHOLDS = torch.arange(1, 100) / 100  # (99,) .01, .02 ... .99


def measure(segmentor: nn.Module, batches: Batches, thresholds: Tensor = THRESHOLDS) -> Counts:
    """Count the pixels of every slice by outcome.

    Args:
        segmentor: on the batches' device, in eval mode.
        batches: the slices, taken in order and unchanged.
        thresholds: (T,) rising.

    Returns:
        Counts (T, N), on the host, N in the order of ``batches.rows``.
    """
    parts = []
    with torch.inference_mode():
        for batch in batches.in_order():
            image = batch.image.contiguous(memory_format=torch.channels_last)
            _, score = segmentor.read(segmentor(image), image)  # (B, 1, H, W)
            parts.append(count(score, batch.stroke, thresholds))
    return Counts.cat(parts)


def validation_score(segmentor: nn.Module, batches: Batches) -> dict[str, float]:
    """The best threshold on validation slices and what it reaches there, for a training record."""
    counts = measure(segmentor, batches)
    threshold, k = best_threshold(counts, THRESHOLDS)
    lesion = counts.lesion()[0]
    return {
        "validation dice": float(counts[k, lesion].dice().mean()),
        "validation pooled dice": float(counts[k].pool().dice()),
        "validation threshold": threshold,
    }
