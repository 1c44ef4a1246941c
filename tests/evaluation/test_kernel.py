"""The kernel distance: torchmetrics, and its lack of bias."""

import numpy as np
import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from strokegan_lib.evaluation import kernel
from strokegan_lib.evaluation.kernel import kernel_distance


@pytest.mark.parametrize(("n", "width"), [(2, 1), (30, 19)])
def test_it_equals_torchmetrics_a_part_at_a_time(n: int, width: int, monkeypatch: pytest.MonkeyPatch):
    a, b = torch.randn(2, n, width, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    monkeypatch.setattr(kernel, "CHUNK", 4)
    assert kernel_distance(a, b + 0.5) == pytest.approx(float(poly_mmd(a, b + 0.5)), abs=1e-9)


def test_it_has_no_bias_even_for_few_rows_of_different_number():
    draws = (torch.randn(22, 8, generator=torch.Generator().manual_seed(seed)) for seed in range(300))
    found = [kernel_distance(*rows.split([12, 10])) for rows in draws]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found)) and min(found) < 0
