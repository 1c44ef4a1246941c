"""MS-SSIM against MONAI (torchmetrics pads the last scale and averages the padding in); pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.metrics import MultiScaleSSIMMetric

from strokegan_lib.evaluation.diversity import WEIGHTS, ms_ssim, pairs


@pytest.mark.parametrize("seed", range(5))
def test_it_equals_monai(seed: int):
    torch.manual_seed(seed)
    x = torch.nn.functional.interpolate(torch.rand(3, 1, 16, 16), size=128, mode="bilinear").double()
    y = (x + (0.02 + 0.1 * seed) * torch.randn_like(x)).clamp(0, 1)
    metric = MultiScaleSSIMMetric(
        spatial_dims=2, data_range=1.0, kernel_size=11, kernel_sigma=1.5, weights=WEIGHTS.tolist()
    )
    expected = metric(x.float(), y.float())[:, 0]
    assert ms_ssim(x, y).tolist() == pytest.approx(expected.tolist(), abs=1e-5)  # theirs has 32 bits


def test_equal_pictures_have_one_and_likeness_falls_with_noise():
    torch.manual_seed(0)
    x = 0.3 + 0.4 * torch.nn.functional.interpolate(torch.rand(2, 1, 16, 16), size=128, mode="bilinear")
    assert torch.allclose(ms_ssim(x, x), torch.ones(2, dtype=torch.float64))
    grain = torch.randn_like(x)
    found = [float(ms_ssim(x, x + amount * grain).mean()) for amount in (0.02, 0.05, 0.1, 0.2)]
    assert found == sorted(found, reverse=True) and found[0] < 1


def test_weights_are_the_papers_renormalised():
    assert WEIGHTS.sum() == pytest.approx(1)
    assert float(WEIGHTS[1] / WEIGHTS[0]) == pytest.approx(0.2856 / 0.0448)


def test_pairs_are_of_two_patients_each_as_likely():
    people = np.array(["a"] * 97 + ["b"] + ["c"] * 2)
    found = people[pairs(people, 6000)]
    assert (found[:, 0] != found[:, 1]).all()
    shares = [np.mean(found == name) for name in "abc"]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.02)
    assert len(np.unique(pairs(people, 6000))) == 100, "every row is drawn"
    with pytest.raises(ValueError, match="two patients"):
        pairs(np.array(["a", "a"]), 3)
