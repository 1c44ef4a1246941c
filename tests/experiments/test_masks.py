"""Measures of masks: closed forms, SciPy, and sets whose scores are known beforehand."""

import numpy as np
import pytest
import torch
from brains import disc
from scipy import stats

from experiments import masks as module
from experiments.masks import DISTANCES, MaskSample, dice_between, mask_scores, total_variation
from experiments.runner import Place
from strokegan_lib.models.family.dual import MaskGenerator


def sample(n: int, seed: int, radius: float = 5, side: int = 0) -> MaskSample:
    """Discs; *side* -1 or 1 keeps them left or right."""
    rng = np.random.default_rng(seed)
    discs = []
    for _ in range(n):
        column = 64 + (side or rng.choice((-1, 1))) * rng.uniform(9, 15)
        discs.append(disc(rng.uniform(52, 76), column, radius * rng.uniform(0.6, 1.4)))
    return MaskSample(np.array(discs), np.array([f"{seed}-{k}" for k in range(n)]))


def test_distances_in_closed_form_and_by_scipy():
    a, b = sample(20, 1), sample(30, 2)
    describe, distance = DISTANCES["log_area"]
    areas = [np.log(of.stroke.sum((1, 2))) for of in (a, b)]
    found = distance(*(torch.from_numpy(describe(of.stroke)) for of in (a, b)))
    assert found == pytest.approx(stats.wasserstein_distance(*areas))
    maps = torch.zeros(2, 10, dtype=torch.float64)
    maps[0, :2] = maps[1, 2:4] = 1.0
    assert [total_variation(maps, maps.roll(by, 1)) for by in (0, 2, 5)] == pytest.approx([0, 0.5, 1])
    expected = [[2 * (x & y).sum() / (x.sum() + y.sum()) for y in b.stroke] for x in a.stroke]
    np.testing.assert_allclose(dice_between(a.stroke, b.stroke), expected, atol=1e-6)


def test_scores_of_like_and_unlike_sets():
    held_out, train = sample(40, 1), sample(60, 2)
    like = mask_scores(sample(50, 3), held_out, train)
    big = mask_scores(sample(50, 3, radius=9, side=1), held_out, train)
    mirrored = mask_scores(MaskSample(train.stroke[:, :, ::-1].copy(), train.patients), held_out, train)
    for name in DISTANCES:
        assert like[name]["mean"] < 2.5 * like[name]["halves"] < 1.5 * big[name]["mean"], name
        assert 0 <= like[name]["low"] <= like[name]["mean"] <= like[name]["high"]
    assert big["log_area"]["mean"] == pytest.approx(2 * np.log(9 / 5), abs=0.25)
    assert big["pair_dice"]["mean"] > 2 * like["pair_dice"]["mean"]
    assert mirrored["nearest_dice"]["mean"] == pytest.approx(1) and like["nearest_dice"]["mean"] < 0.98
    assert like["nearest_dice"]["mean"] == pytest.approx(like["nearest_dice"]["halves"], abs=0.1)
    assert (
        like["log_area"]["n"] == like["log_area"]["patients"] == 90 and like["nearest_dice"]["patients"] == 50
    )


def test_masks_of_patients_and_from_noise(slices, monkeypatch):
    monkeypatch.setattr(module, "COUNT", 20)
    patients = set(slices.table["patient"][slices.of_split("train")].tolist())
    assert set(module.masks_of(slices, "train").patients.tolist()) <= patients
    assert not patients & set(module.masks_of(slices, "validation", "test").patients.tolist())
    torch.manual_seed(0)
    generator = MaskGenerator(noise=8, width=4).eval()
    generator.head.weight.data.mul_(30)
    generator.head.bias.data.copy_(torch.tensor([-1.0, 2.0]))
    assert len(set(module.made(generator).patients.tolist())) == 20


def test_made_moved_and_training_masks_side_by_side(slices, monkeypatch):
    monkeypatch.setattr(module, "COUNT", 20)
    moved = module.moved(slices)
    train = set(slices.table["patient"][slices.of_split("train")].tolist())
    assert len(moved.stroke) == 20 and set(moved.patients.tolist()) <= train
    result = module.side_by_side(Place(slices, slices.folder))
    lines = {(line["measure"], line["masks"]): line for line in result.tables[""]}
    assert ("nearest_dice", "training") not in lines and len(lines) == 11
    assert lines["place", "moved"]["fake_as_many"] < lines["place", "made"]["fake_as_many"]
    assert result.facts["counts"]["made_masks"] == 20
