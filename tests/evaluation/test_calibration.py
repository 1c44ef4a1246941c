"""Calibration: torchmetrics, bins by hand, and what it leaves out."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error

from strokegan_lib.evaluation.calibration import (
    BINS,
    calibration_sums,
    expected_calibration_error,
    reliability,
)


def test_the_error_of_slices_and_of_their_sum_equals_torchmetrics():
    g, n = torch.Generator().manual_seed(0), 200  # more than are read at a time
    score = torch.rand(n, 12, 12, generator=g) ** torch.empty(n, 1, 1).uniform_(0.2, 6, generator=g)
    truth = torch.rand(score.shape, generator=g) < score ** torch.empty(n, 1, 1).uniform_(0.3, 3, generator=g)
    truth[:20], truth[20:40], score[:10] = False, True, 0
    foreground = torch.rand(score.shape, generator=g) < 0.7
    sums = calibration_sums(score, truth, foreground)
    ours = expected_calibration_error(np.array([*sums, sums.sum(0)]))
    parts = [*zip(score, truth, foreground, strict=True), (score, truth, foreground)]
    theirs = [binary_calibration_error(s[i], t[i].long(), n_bins=BINS, norm="l1") for s, t, i in parts]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    other = torch.where(foreground, score, 1 - score)  # the background does not count
    np.testing.assert_array_equal(sums, calibration_sums(other, truth, foreground))
    assert np.isnan(expected_calibration_error(calibration_sums(score, truth, foreground & False)[0]))


def test_bins_and_their_ends():
    score = torch.tensor([[[0.0, 1.0, 0.99, 0.5]]], dtype=torch.float16)
    truth = torch.tensor([[[False, True, False, True]]])
    (sums,) = calibration_sums(score, truth, torch.ones_like(truth))
    assert sums[:, 0].tolist() == [1, *[0] * 6, 1, *[0] * 6, 2]  # 1 lies in the last bin
    assert sums[-1].tolist() == pytest.approx([2, 1.99, 1], abs=1e-3)
    curve = reliability(sums)
    assert [point["mean_score"] for point in curve[:2]] == [0, None]
    assert list(curve[-1].values()) == pytest.approx([14 / 15, 1, 2, 0.995, 0.5], abs=1e-3)


@pytest.mark.parametrize("wrong", [1.5, -0.5, torch.nan])
def test_a_score_outside_0_to_1_is_refused(wrong):
    inside = torch.ones(2, 4, 4, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        calibration_sums(torch.full((2, 4, 4), wrong), inside, inside)
