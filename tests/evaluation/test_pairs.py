"""The nearest pairs: copies come first, and the picture shows both rows."""

from __future__ import annotations

import numpy as np
import torch

from strokegan_lib.evaluation.pairs import GAP, nearest_pairs, picture_of
from strokegan_lib.evaluation.realism import Sample


def sample(features: torch.Tensor, grey: int) -> Sample:
    n = len(features)
    images = (
        torch.full((n, 1, 128, 128), grey, dtype=torch.uint8)
        + torch.arange(n, dtype=torch.uint8)[:, None, None, None]
    )
    names = np.array([f"p{k}" for k in range(n)])
    return Sample(features, images, names, np.zeros((n, 63)), np.zeros((n, 248)))


def test_copies_come_first():
    train = sample(torch.randn(30, 4, generator=torch.Generator().manual_seed(0)), 0)
    features = torch.randn(12, 4, generator=torch.Generator().manual_seed(1)) + 9
    features[[3, 7]] = train.features[[20, 11]]  # two copies
    painted = sample(features, 100)
    pairs = nearest_pairs(painted, train, 5)
    assert pairs.shape == (5, 2) and {tuple(p) for p in pairs[:2].tolist()} == {(3, 20), (7, 11)}
    away = torch.cdist(features.double(), train.features.double()).amin(1)
    assert (away[pairs[:, 0]].diff() >= 0).all()

    sheet = np.asarray(picture_of(pairs, painted, train))
    assert sheet.shape == (256 + GAP, 5 * 128 + 4 * GAP)
    assert sheet[0, 0] == 100 + pairs[0, 0] and sheet[-1, -1] == pairs[4, 1]
    assert (sheet[128:132] == 255).all()
