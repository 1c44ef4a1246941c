"""The kernel distance against torchmetrics and against sums written out; its lack of bias."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from strokegan_lib.evaluation import kernel
from strokegan_lib.evaluation.kernel import kernel_distance


def by_hand(a: np.ndarray, b: np.ndarray) -> float:
    def k(x: np.ndarray, y: np.ndarray) -> float:
        return (x @ y / len(x) + 1) ** 3

    n, m = len(a), len(b)
    aa = sum(k(a[i], a[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    bb = sum(k(b[i], b[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return aa + bb - 2 * sum(k(x, y) for x in a for y in b) / (n * m)


@pytest.mark.parametrize("seed", range(20))
def test_it_equals_torchmetrics_and_the_sums(seed: int):
    rng = np.random.default_rng(seed)
    n, width = int(rng.integers(2, 40)), int(rng.integers(1, 20))
    a, b = rng.standard_normal((n, width)), rng.standard_normal((n, width)) + 0.5
    ours = kernel_distance(torch.from_numpy(a), torch.from_numpy(b))
    assert ours == pytest.approx(float(poly_mmd(torch.from_numpy(a), torch.from_numpy(b))), abs=1e-9)
    assert ours == pytest.approx(by_hand(a, b), abs=1e-9)


def test_sets_of_different_size():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((11, 5)), rng.standard_normal((7, 5)) + 1
    assert kernel_distance(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(by_hand(a, b))


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch):
    a, b = torch.randn(2, 50, 6, generator=torch.Generator().manual_seed(0))
    whole = kernel_distance(a, b)
    monkeypatch.setattr(kernel, "CHUNK", 7)
    assert kernel_distance(a, b) == pytest.approx(whole, rel=1e-12)


def test_it_has_no_bias_even_for_few_rows():
    found = [
        kernel_distance(*torch.randn(2, 12, 8, generator=torch.Generator().manual_seed(seed)))
        for seed in range(400)
    ]
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 3 * error and min(found) < 0
