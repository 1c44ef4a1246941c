"""The kernel distance: torchmetrics and sums written out; its lack of bias."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from strokegan_lib.evaluation import kernel
from strokegan_lib.evaluation.kernel import kernel_distance


@pytest.mark.parametrize(("n", "m", "width"), [(2, 2, 1), (30, 30, 19), (11, 7, 5)])
def test_it_equals_torchmetrics_and_the_sums(n: int, m: int, width: int, monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(n)
    a, b = rng.standard_normal((n, width)), rng.standard_normal((m, width)) + 0.5
    aa, bb, ab = ((x @ y.T / width + 1) ** 3 for x, y in ((a, a), (b, b), (a, b)))
    own = sum((k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (aa, bb))
    a, b = torch.from_numpy(a), torch.from_numpy(b)
    assert kernel_distance(a, b) == pytest.approx(own - 2 * ab.mean(), abs=1e-9)
    if n == m:
        assert kernel_distance(a, b) == pytest.approx(float(poly_mmd(a, b)), abs=1e-9)
    whole = kernel_distance(a, b)
    monkeypatch.setattr(kernel, "CHUNK", 4)
    assert kernel_distance(a, b) == pytest.approx(whole, abs=1e-12)


def test_it_has_no_bias_even_for_few_rows():
    draws = (torch.randn(2, 12, 8, generator=torch.Generator().manual_seed(seed)) for seed in range(300))
    found = [kernel_distance(*pair) for pair in draws]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found)) and min(found) < 0
