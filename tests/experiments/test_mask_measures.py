"""Measures of masks: closed forms, SciPy, and sets whose scores are known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from experiments import mask_measures as module
from experiments.mask_measures import (
    DISTANCES,
    MaskSample,
    compactness,
    dice_between,
    left_shares,
    log_areas,
    mask_scores,
    nearest_dice,
    outside,
    pieces,
    total_variation,
    wasserstein,
)

ROWS, COLUMNS = np.indices((64, 64))


def disc(row: float, column: float, radius: float) -> np.ndarray:
    return (ROWS - row) ** 2 + (COLUMNS - column) ** 2 <= radius**2


def sample(n: int, seed: int = 0, *, radius: float = 5, side: int = 0, name: str = "p") -> MaskSample:
    """Discs in discs; *side* -1 or 1 keeps strokes left or right."""
    rng = np.random.default_rng(seed)
    strokes, brains = [], []
    for _ in range(n):
        column = 32 + (side or rng.choice((-1, 1))) * rng.uniform(9, 15)
        strokes.append(disc(rng.uniform(20, 44), column, radius * rng.uniform(0.6, 1.4)))
        brains.append(disc(*rng.uniform(31, 33, 2), rng.uniform(27, 29)))
    return MaskSample(np.array(strokes), np.array(brains), np.array([f"{name}{k}" for k in range(n)]))


def test_sizes_pieces_and_compactness_in_closed_form():
    masks = np.zeros((4, 64, 64), np.uint8)
    masks[0, 10:20, 10:20] = 1  # a square
    masks[1, 0:2, 0:8] = 1  # 16 pixels in the corner, 20 edges
    masks[2, 5, 5] = masks[2, 6, 6] = 1  # two that touch at a corner
    masks[3] = 1
    np.testing.assert_allclose(np.exp(log_areas(masks)), [100, 16, 2, 4096])
    assert pieces(masks).tolist() == [1, 1, 2, 1]
    np.testing.assert_allclose(compactness(masks), [1, 16 * 16 / 400, 16 * 2 / 64, 1])
    assert compactness(disc(32, 32, 25)[None])[0] == pytest.approx(np.pi / 4, abs=0.04)  # a rim of pixels
    everywhere = np.ones((3, 3), bool)
    assert pieces(masks).sum() >= sum(ndimage.label(mask, everywhere)[1] for mask in masks)


def test_wasserstein_of_a_shift_is_the_shift():
    a = torch.randn(50, 1, dtype=torch.float64)
    assert wasserstein(a, a + 0.3) == pytest.approx(0.3)
    b = torch.randn(70, 1, dtype=torch.float64) ** 2
    grid = np.linspace(-8, 20, 200_001)
    below = [np.searchsorted(np.sort(x[:, 0].numpy()), grid, "right") / len(x) for x in (a, b)]
    apart = np.abs(below[0] - below[1]).mean() * (grid[-1] - grid[0])  # its other definition
    assert wasserstein(a, b) == pytest.approx(apart, rel=1e-3)


def test_incidence_maps():
    a = torch.zeros(2, 10, dtype=torch.float64)
    a[0, :2] = a[1, 2:4] = 1.0
    assert total_variation(a, a) == 0 and total_variation(a, 5 * a) == 0
    assert total_variation(a, a.roll(5, 1)) == pytest.approx(1)
    assert total_variation(a, a.roll(2, 1)) == pytest.approx(0.5)


def test_sides():
    brains = np.zeros((3, 8, 8), np.uint8)
    brains[:, :, 1:6] = 1  # columns 1 to 5, middle 3
    strokes = np.zeros_like(brains)
    strokes[0, 0, 1], strokes[1, 0, 5], strokes[2, 0, 2:6] = 1, 1, 1
    shares = left_shares(MaskSample(strokes, brains, np.arange(3)))
    np.testing.assert_allclose(shares, [1, 0, (1 + 0.5) / 4])


def test_dice_of_all_pairs_and_copies():
    a, b = sample(5, 1).stroke, sample(4, 2).stroke
    table = dice_between(a, b)
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            expected = 2 * (one & other).sum() / (one.sum() + other.sum())
            assert table[i, j] == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(nearest_dice(a[:, :, ::-1], np.concatenate([b, a])), 1)
    assert nearest_dice(a, b).max() < 1


def test_outside():
    found = outside(sample(3), np.zeros((64, 64), bool))
    np.testing.assert_allclose(found, 1)
    half = COLUMNS < 32
    given = sample(8)
    np.testing.assert_allclose(
        outside(given, half), [(m & ~half).sum() / m.sum() for m in given.stroke], atol=1e-12
    )


def test_scores_of_like_and_unlike_sets():
    held_out, train = sample(40, 1), sample(60, 2, name="t")
    like = mask_scores(sample(50, 3, name="made "), held_out, train)
    big = mask_scores(sample(50, 3, radius=9, side=1, name="made "), held_out, train)
    copies = mask_scores(MaskSample(train.stroke, train.foreground, train.patients), held_out, train)
    assert set(like) == {*DISTANCES, "outside", "brain_dice", "pair_dice", "nearest_dice"}
    for name in ("log_area", "place", "side"):
        assert like[name]["as_many"] < 1.8 * like[name]["halves"] < big[name]["mean"], name
        assert 0 <= like[name]["low"] <= like[name]["mean"] <= like[name]["high"]
    assert big["log_area"]["mean"] == pytest.approx(2 * np.log(9 / 5), abs=0.25)
    assert big["pair_dice"]["mean"] > 2 * like["pair_dice"]["mean"]
    assert copies["nearest_dice"]["mean"] == pytest.approx(1) and like["nearest_dice"]["mean"] < 0.98
    assert like["nearest_dice"]["mean"] == pytest.approx(like["nearest_dice"]["halves"], abs=0.1)
    assert like["brain_dice"]["mean"] > 0.9 and like["outside"]["mean"] < 0.05
    n = like["log_area"]["n"], like["log_area"]["patients"], like["outside"]["patients"]
    assert n == (90, 90, 50)


def test_intervals_of_a_patient_with_many_masks_are_wider():
    held_out, train = sample(40, 1), sample(30, 2, name="t")
    alone = sample(60, 3)
    order = np.argsort(nearest_dice(alone.stroke, train.stroke))  # a patient's masks are alike
    six = np.repeat([f"made {k}" for k in range(6)], 10)
    wide, narrow = (
        mask_scores(MaskSample(alone.stroke[order], alone.foreground[order], who), held_out, train)[
            "nearest_dice"
        ]
        for who in (six, alone.patients)
    )
    assert wide["mean"] == pytest.approx(narrow["mean"]) and wide["patients"] == 6
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


def test_the_distance_is_scipys():
    a, b = sample(20, 1), sample(30, 2)
    describe, distance = module.DISTANCES["log_area"]
    expected = stats.wasserstein_distance(np.log(a.stroke.sum((1, 2))), np.log(b.stroke.sum((1, 2))))
    assert distance(describe(a), describe(b)) == pytest.approx(expected)
