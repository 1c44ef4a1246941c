"""Synthetic slices have the form of a data set, and validation prefers those that are like real ones."""

import numpy as np
import pytest
import torch
from torch import nn

from strokegan_lib.errors import Diverged
from strokegan_lib.evaluation.synthetic import MOST, kernel_validation, paint, sample
from strokegan_lib.training.weights import shipped_encoder


class Grey(nn.Module):
    """Grey tissue, bright stroke; without masks, one grey a slice. It counts the slices."""

    made = 0

    def forward(self, *given):
        self.made += len(given[0])
        if len(given) == 2:
            return (0.55 + 0.35 * given[0]) * given[1]
        return torch.sigmoid(given[0][:, :1, None, None]).expand(-1, 1, 128, 128)


class FromNoise(Grey):
    """From numbers z."""

    latent = 3


def test_the_form_of_a_data_set(discs):
    made = paint(Grey(), discs.stroke[:70], discs.foreground[:70])  # more than one chunk
    inside = discs.foreground[:70, None] == 1
    assert made.shape == (70, 1, 128, 128) and made.dtype == np.uint8
    assert (made[~inside] == 0).all() and set(np.unique(made)) == {0, 140, 230}  # .55 and .9 of 255
    few, many = sample(FromNoise(), 3, seed=4), sample(FromNoise(), 70, seed=4)
    assert many.shape == (70, 1, 128, 128) and np.array_equal(few, many[:3]) and len(np.unique(many)) > 50


def test_validation_prefers_the_truth_and_makes_few_slices(discs):
    rows = discs.of_split("train")
    known = {f.tobytes(): image for image, f in zip(discs.images, discs.foreground, strict=True)}

    class ByHeart(Grey):
        def forward(self, stroke, foreground):
            pictures = [known[f.tobytes()] for f in foreground.byte().numpy()]
            return torch.from_numpy(np.stack(pictures)).float() / 255

    validate = kernel_validation(shipped_encoder(), discs, rows)
    truth, grey = validate(ByHeart()), validate(Grey())
    assert truth["validation score"] == -truth["validation kernel"] > grey["validation score"]
    noise = FromNoise()
    assert kernel_validation(shipped_encoder(), discs, np.repeat(rows, 9)[: 2 * MOST + 1])(noise)
    assert 2 <= noise.made <= MOST


def test_a_generator_that_has_diverged_is_refused_with_its_remedy():
    class Lost(FromNoise):
        def forward(self, *given):
            return torch.full((len(given[0]), 1, 128, 128), torch.nan)

    mask = np.ones((2, 128, 128), np.uint8)
    for make in (lambda: paint(Lost(), mask, mask), lambda: sample(Lost(), 2)):
        with pytest.raises(Diverged, match=r"pictures are not numbers: .*smaller --rate"):
            make()
