"""Calibration: against torchmetrics, in closed form, and what it leaves out."""

import json

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


def made_up(n: int, seed: int, size: int = 12) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Scores of all shapes with truth that follows them more or less; foreground; some slices empty or full."""
    g = torch.Generator().manual_seed(seed)
    score = torch.rand(n, size, size, generator=g) ** torch.empty(n, 1, 1).uniform_(0.2, 6, generator=g)
    truth = torch.rand(score.shape, generator=g) < score ** torch.empty(n, 1, 1).uniform_(0.3, 3, generator=g)
    truth[: n // 10], truth[n // 10 : n // 5] = False, True
    score[: n // 20] = 0
    foreground = torch.rand(score.shape, generator=g) < 0.7
    return score, truth, foreground


def test_the_error_of_each_slice_equals_torchmetrics():
    score, truth, foreground = made_up(1000, 0)
    ours = expected_calibration_error(calibration_sums(score, truth, foreground))  # (1000,)
    for k in range(1000):
        inside = foreground[k]
        theirs = binary_calibration_error(score[k][inside], truth[k][inside].long(), n_bins=BINS, norm="l1")
        assert ours[k] == pytest.approx(float(theirs), abs=1e-5), k


def test_slices_add_up():
    score, truth, foreground = made_up(300, 1)  # more than are read at a time
    sums = calibration_sums(score, truth, foreground).sum(0)
    theirs = binary_calibration_error(score[foreground], truth[foreground].long(), n_bins=BINS, norm="l1")
    assert expected_calibration_error(sums) == pytest.approx(float(theirs), abs=1e-5)
    assert sums[:, 0].sum() == foreground.sum() and sums[:, 2].sum() == truth[foreground].sum()


def test_a_probability_that_is_one_has_no_error_and_one_that_is_not_has_its_distance():
    g = torch.Generator().manual_seed(2)
    score = torch.rand(40, 128, 128, generator=g)
    inside = torch.ones_like(score, dtype=torch.bool)
    honest = calibration_sums(score, torch.rand(score.shape, generator=g) < score, inside).sum(0)
    assert expected_calibration_error(honest) < 0.003
    boastful = calibration_sums(score, torch.rand(score.shape, generator=g) < score / 2, inside).sum(0)
    assert expected_calibration_error(boastful) == pytest.approx(0.25, abs=0.003)
    curve = reliability(boastful)
    for point in curve:
        assert point["stroke_share"] == pytest.approx(point["mean_score"] / 2, abs=0.02)
        assert point["from"] <= point["mean_score"] <= point["to"]


def test_bins_and_their_ends():
    score = torch.tensor([[[0.0, 1.0, 0.99, 0.5]]], dtype=torch.float16)
    truth = torch.tensor([[[False, True, False, True]]])
    sums = calibration_sums(score, truth, torch.ones_like(truth))
    assert sums.shape == (1, BINS, 3)
    assert sums[0, :, 0].tolist() == [1, *[0] * 6, 1, *[0] * 6, 2]  # 1 lies in the last bin
    assert sums[0, -1].tolist() == pytest.approx([2, 1.99, 1], abs=1e-3)
    curve = reliability(sums[0])
    assert json.loads(json.dumps(curve, allow_nan=False)) == curve
    assert curve[1]["mean_score"] is None and curve[1]["pixels"] == 0
    assert (curve[0]["from"], curve[-1]["to"]) == (0, 1)


def test_the_background_does_not_count():
    score, truth, foreground = made_up(20, 3)
    other = torch.where(foreground, score, 1 - score)
    np.testing.assert_array_equal(*(calibration_sums(s, truth, foreground) for s in (score, other)))
    assert np.isnan(expected_calibration_error(calibration_sums(score, truth, foreground & False)[0]))


def test_what_it_refuses():
    score, truth, foreground = made_up(2, 4)
    with pytest.raises(ValueError, match="must all be"):
        calibration_sums(score[:, None], truth[:, None], foreground[:, None])
    with pytest.raises(ValueError, match="must all be"):
        calibration_sums(score, truth[:1], foreground)
    for wrong in (1.5, -0.5, torch.nan):
        with pytest.raises(ValueError, match=r"0\.\.1"):
            calibration_sums(score.clone().fill_(wrong), truth, foreground | True)
