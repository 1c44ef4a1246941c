"""A generator that paints what is asked for is told from one that does not, and chance from sameness."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from brains import brains
from torch import nn

from experiments.fidelity import found, lesion_fidelity, samples, variety
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.segmentation import Prediction


class Painter(nn.Module):
    """Grey tissue that varies by chance, from slice to slice or not at all; a bright stroke, or none."""

    def __init__(self, *, stroke: float = 0.35, chance: float = 0.0) -> None:
        super().__init__()
        self.stroke, self.chance = stroke, chance

    def forward(self, stroke, foreground):
        spots = torch.nn.functional.interpolate(torch.randn(len(stroke), 1, 8, 8), size=stroke.shape[2:])
        return (0.5 + self.stroke * stroke + self.chance * spots).clamp(0.05, 0.95) * foreground


class Bright(nn.Module):
    """A segmentor that takes brightness for stroke."""

    def forward(self, image):
        return image

    def predict(self, logits, image):
        return Prediction(image, logits)


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("data") / "set", patients=12, each=1, every=2)


@pytest.fixture
def rows(slices) -> np.ndarray:
    return np.flatnonzero(slices.table["has_stroke"])


def test_what_a_segmentor_finds(slices, rows):
    assert torch.equal(found(Bright(), 0.8, slices.images[rows]), torch.from_numpy(slices.stroke[rows]) > 0)


def test_a_painter_of_strokes_is_faithful_and_one_without_is_not(slices, rows):
    scores = lesion_fidelity(Painter(), Bright(), 0.8, slices, rows, count=2)
    for name in ("real_dice", "painted_dice", "fidelity", "agreement"):
        assert scores[name]["mean"] == scores[name]["low"] == scores[name]["high"] == 1, name
        assert scores[name]["n"] == scores[name]["patients"] == len(rows) == 6
    scores = lesion_fidelity(Painter(stroke=0), Bright(), 0.8, slices, rows, count=2)
    assert scores["painted_dice"]["mean"] == scores["fidelity"]["mean"] == 0
    assert scores["real_dice"]["mean"] == scores["agreement"]["mean"] == 1, "nothing is found twice"


def test_chance_in_the_lesion_costs_agreement(slices, rows):
    scores = lesion_fidelity(Painter(chance=0.2), Bright(), 0.8, slices, rows, count=3)
    assert 0 < scores["agreement"]["mean"] < 0.9 and 0 < scores["fidelity"]["mean"] < 0.9


def test_slices_without_stroke_are_refused(slices):
    with pytest.raises(ValueError, match="show a stroke"):
        lesion_fidelity(Painter(), Bright(), 0.8, slices, np.arange(2))


def test_variety_is_what_chance_changes(slices, rows):
    same, varied = (variety(Painter(chance=chance), slices, rows, count=3) for chance in (0.0, 0.2))
    assert same["same_masks"]["mean"] == pytest.approx(1)
    assert varied["same_masks"]["high"] < 0.9 < same["same_masks"]["low"]
    assert same["real_pairs"] == varied["real_pairs"] and same["real_pairs"]["mean"] < 0.9


def test_samples_differ_among_themselves_and_not_from_call_to_call(slices, rows):
    before = torch.get_rng_state()
    a, b = (samples(Painter(chance=0.2), slices, rows, 2) for _ in range(2))
    assert a.shape == (2, 6, 1, 128, 128) and np.array_equal(a, b) and not np.array_equal(a[0], a[1])
    assert torch.equal(torch.get_rng_state(), before), "torch's own chance is left alone"
