"""Painted slices have the form of a data set, and are scored on test patients alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from brains import brains
from torch import nn

from experiments.realism_measures import synthetic_scores
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import Diverged
from strokegan_lib.evaluation.synthetic import MOST, kernel_validation, paint, sample
from strokegan_lib.training.weights import shipped_encoder


class Painter(nn.Module):
    """Grey tissue, bright stroke."""

    def forward(self, stroke, foreground):
        return (0.55 + 0.35 * stroke) * foreground


class Remembering(nn.Module):
    """Knows every slice by its masks."""

    def __init__(self, slices: SliceSet) -> None:
        super().__init__()
        masks = zip(slices.stroke, slices.foreground, strict=True)
        self.known = {(s.tobytes(), f.tobytes()): k for k, (s, f) in enumerate(masks)}
        self.images = torch.from_numpy(np.array(slices.images)).float() / 255

    def forward(self, stroke, foreground):
        pairs = zip(stroke[:, 0].byte().numpy(), foreground[:, 0].byte().numpy(), strict=True)
        return self.images[[self.known[s.tobytes(), f.tobytes()] for s, f in pairs]]


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("data") / "set", patients=150, each=1, every=2)


def test_the_form_of_a_data_set(slices):
    painted = paint(Painter(), slices.stroke[:70], slices.foreground[:70])  # more than one chunk
    assert painted.shape == (70, 1, 128, 128) and painted.dtype == np.uint8
    inside = slices.foreground[:70, None] == 1
    assert (painted[~inside] == 0).all() and (painted[inside] >= 8).all()
    assert set(np.unique(painted)) == {0, 140, 230}  # .55 and .9 of 255


def test_a_generator_that_knows_the_truth_makes_no_error(slices):
    scores = synthetic_scores(Remembering(slices), slices)
    assert scores["error"]["mean"] == 0 and scores["kernel"]["mean"] < 1e-6
    assert scores["mean_picture_error"]["mean"] > 0.01 and scores["training_error"]["mean"] == 0
    ill = slices.table["has_stroke"][slices.of_split("test")].sum()
    assert scores["error"]["n"] == ill and scores["error"]["patients"] == ill


def test_one_that_knows_the_training_patients_alone_is_found_out(slices):
    known = Remembering(slices)
    training = {
        (slices.stroke[k].tobytes(), slices.foreground[k].tobytes()) for k in slices.of_split("train")
    }

    class ByHeart(Painter):
        def forward(self, stroke, foreground):
            grey = super().forward(stroke, foreground)
            masks = zip(stroke[:, 0].byte().numpy(), foreground[:, 0].byte().numpy(), strict=True)
            for n, (s, f) in enumerate(masks):
                if (s.tobytes(), f.tobytes()) in training:
                    grey[n] = known(stroke[n : n + 1], foreground[n : n + 1])[0]
            return grey

    scores = synthetic_scores(ByHeart(), slices)
    assert scores["training_error"]["mean"] == 0 < scores["error"]["mean"]


def test_validation_prefers_the_truth(slices):
    validate = kernel_validation(shipped_encoder(), slices, slices.of_split("train"))
    truth, worse = validate(Remembering(slices)), validate(Painter())
    assert truth["validation score"] > worse["validation score"]
    assert all(scores["validation kernel"] == -scores["validation score"] for scores in (truth, worse))


def test_validation_asks_for_few_pictures_and_for_no_masks_where_none_are_read(slices):
    class Noise(nn.Module):
        latent, asked = 3, 0

        def forward(self, z):
            self.asked += len(z)
            return torch.rand(len(z), 1, 128, 128)

    noise, rows = Noise(), np.repeat(slices.of_split("train"), 9)[: 2 * MOST + 1]
    assert kernel_validation(shipped_encoder(), slices, rows)(noise)["validation kernel"] > 0
    assert 2 <= noise.asked <= MOST
    assert np.isfinite(kernel_validation(shipped_encoder(), slices, rows[:2])(Noise())["validation kernel"])


def test_a_worse_one_is_found_out(slices):
    scores = synthetic_scores(Painter(), slices)
    assert scores["error"]["mean"] > 0.02 and scores["kernel"]["mean"] > 0.01
    assert scores["memorisation"]["mean"] > 0


def test_a_generator_that_has_diverged_is_told_with_its_remedy():
    class Lost(torch.nn.Module):
        latent = 3

        def forward(self, *given):
            return torch.full((len(given[0]), 1, 128, 128), torch.nan)

    mask = np.ones((2, 128, 128), np.uint8)
    for ask in (lambda: paint(Lost(), mask, mask), lambda: sample(Lost(), 2)):
        with pytest.raises(Diverged, match=r"pictures are not numbers: .*smaller --rate"):
            ask()
