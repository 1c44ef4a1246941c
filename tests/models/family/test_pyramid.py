"""Spatial pyramid pooling: bins as the paper cuts them, one length for every size."""

from __future__ import annotations

import math

import pytest
import torch

from strokegan_lib.models.family.pyramid import BINS, PyramidDiscriminator, pyramid_pool


def by_hand(x: torch.Tensor) -> torch.Tensor:
    """The same, bin by bin: bin i of n covers floor(i h / n) to ceil((i + 1) h / n)."""
    _, _, height, width = x.shape
    levels = []
    for n in BINS:
        rows, columns = (
            [slice(math.floor(i * size / n), math.ceil((i + 1) * size / n)) for i in range(n)]
            for size in (height, width)
        )
        bins = [[x[:, :, r, c].amax((2, 3)) for c in columns] for r in rows]
        level = torch.stack([torch.stack(row, -1) for row in bins], -2)  # (B, C, n, n)
        levels.append(level.flatten(1))
    return torch.cat(levels, 1)


@pytest.mark.parametrize("size", [(4, 4), (8, 8), (7, 9), (13, 6)])
def test_equals_the_largest_value_of_every_bin(size):
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    assert torch.equal(pyramid_pool(x), by_hand(x))


def test_coarse_bins_tell_what_and_fine_bins_tell_where():
    x = torch.zeros(2, 1, 8, 8)
    x[0, 0, 0, 0] = x[1, 0, 7, 7] = 1
    pooled = pyramid_pool(x)
    assert pooled.shape == (2, 21)
    assert torch.equal(pooled[0, :1], pooled[1, :1]) and not torch.equal(pooled[0, 1:], pooled[1, 1:])
    assert pooled.sum(1).tolist() == [3, 3]  # one bin of each level


@pytest.mark.parametrize("size", [64, 96, 128])
def test_a_slice_of_any_size_is_judged(size):
    torch.manual_seed(0)
    assert PyramidDiscriminator(4)(torch.rand(2, 1, size, size)).shape == (2, 1)
