"""Calibration: torchmetrics, closed forms, and what it leaves out."""

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


def test_a_probability_that_is_one_has_no_error_and_one_that_is_not_has_its_distance():
    g = torch.Generator().manual_seed(2)
    score = torch.rand(40, 128, 128, generator=g)
    inside = torch.ones_like(score, dtype=torch.bool)
    right = calibration_sums(score, torch.rand(score.shape, generator=g) < score, inside).sum(0)
    assert expected_calibration_error(right) < 0.003
    doubled = calibration_sums(score, torch.rand(score.shape, generator=g) < score / 2, inside).sum(0)
    assert expected_calibration_error(doubled) == pytest.approx(0.25, abs=0.003)
    for point in reliability(doubled):
        assert point["stroke_share"] == pytest.approx(point["mean_score"] / 2, abs=0.02)
        assert point["from"] <= point["mean_score"] <= point["to"]


def test_bins_and_their_ends():
    score = torch.tensor([[[0.0, 1.0, 0.99, 0.5]]], dtype=torch.float16)
    truth = torch.tensor([[[False, True, False, True]]])
    (sums,) = calibration_sums(score, truth, torch.ones_like(truth))
    assert sums[:, 0].tolist() == [1, *[0] * 6, 1, *[0] * 6, 2]  # 1 lies in the last bin
    assert sums[-1].tolist() == pytest.approx([2, 1.99, 1], abs=1e-3)
    curve = reliability(sums)
    assert curve[1]["mean_score"] is None and (curve[0]["from"], curve[-1]["to"]) == (0, 1)


@pytest.mark.parametrize("wrong", [1.5, -0.5, torch.nan])
def test_a_score_outside_0_to_1_is_refused(wrong):
    inside = torch.ones(2, 4, 4, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        calibration_sums(torch.full((2, 4, 4), wrong), inside, inside)
