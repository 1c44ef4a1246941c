"""Painted slices above the training slices they are nearest to: copies are seen at a glance."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from experiments.realism_measures import Sample
from strokegan_lib.evaluation.manifold import CHUNK, distances

GAP = 4  # pixels between slices


def nearest_pairs(painted: Sample, train: Sample, count: int = 10) -> np.ndarray:
    """The *count* painted slices that lie nearest to a training slice, nearest first.

    Returns:
        (count, 2) rows of *painted* and of *train*.
    """
    parts = [distances(part, train.features).min(1) for part in painted.features.split(CHUNK)]
    away, which = (torch.cat([part[k] for part in parts]).cpu() for k in (0, 1))  # (n,) each
    first = away.argsort(stable=True)[:count]
    return torch.stack([first, which[first]], 1).numpy()


def picture_of(pairs: np.ndarray, painted: Sample, train: Sample) -> Image.Image:
    """Painted slices in the upper row, their nearest training slices below; 8-bit grey."""
    rows = [
        side.images[torch.from_numpy(column)][:, 0]
        for side, column in ((painted, pairs[:, 0]), (train, pairs[:, 1]))
    ]
    height, width = rows[0].shape[1:]
    sheet = np.full((2 * height + GAP, len(pairs) * (width + GAP) - GAP), 255, np.uint8)
    for line, slices in enumerate(rows):
        for k, plane in enumerate(slices.numpy()):
            top, left = line * (height + GAP), k * (width + GAP)
            sheet[top : top + height, left : left + width] = plane
    return Image.fromarray(sheet)
