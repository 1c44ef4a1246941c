"""MS-SSIM against MONAI (torchmetrics pads the last scale and averages the padding in); pairs."""

import numpy as np
import pytest
import torch
from monai.metrics import MultiScaleSSIMMetric

from strokegan_lib.evaluation.diversity import WEIGHTS, ms_ssim, pairs


@pytest.mark.parametrize("noise", [0.02, 0.2, 0.5])
def test_it_equals_monai(noise: float):
    torch.manual_seed(0)
    x = torch.nn.functional.interpolate(torch.rand(3, 1, 16, 16), size=128, mode="bilinear").double()
    y = (x + noise * torch.randn_like(x)).clamp(0, 1)
    metric = MultiScaleSSIMMetric(
        spatial_dims=2, data_range=1.0, kernel_size=11, kernel_sigma=1.5, weights=WEIGHTS.tolist()
    )
    expected = metric(x.float(), y.float())[:, 0]
    assert ms_ssim(x, y).tolist() == pytest.approx(expected.tolist(), abs=1e-5)  # theirs has 32 bits
    assert WEIGHTS.sum() == pytest.approx(1) and WEIGHTS[1] / WEIGHTS[0] == pytest.approx(0.2856 / 0.0448)


def test_pairs_are_of_two_patients_each_as_likely():
    people = np.array(["a"] * 97 + ["b"] + ["c"] * 2)
    found = people[pairs(people, 6000)]
    assert (found[:, 0] != found[:, 1]).all()
    assert [np.mean(found == name) for name in "abc"] == pytest.approx([1 / 3] * 3, abs=0.02)
    assert len(np.unique(pairs(people, 6000))) == 100, "every row is drawn"
    with pytest.raises(ValueError, match="two patients"):
        pairs(np.array(["a", "a"]), 3)
