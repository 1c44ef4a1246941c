"""The encoder: its widths, its training, and the corruptions it learns from."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from strokegan_lib.data.batches import Batch
from strokegan_lib.data.corruptions import CORRUPTIONS, corrupt
from strokegan_lib.models.encoder import ANSWERS, Encoder
from strokegan_lib.training.encoder import EncoderSettings, EncoderTask


@pytest.fixture
def batch() -> Batch:
    foreground = torch.zeros(6, 1, 128, 128)
    foreground[:, :, 20:108, 28:100] = 1
    stroke = torch.zeros_like(foreground)
    stroke[:3, :, 40:60, 40:60] = 1
    image = (0.2 + 0.4 * torch.rand_like(foreground) + 0.3 * stroke) * foreground
    return Batch(image, stroke, foreground, torch.arange(6))


def test_features_are_standardised_and_answers_have_their_widths(batch):
    features, answers = Encoder(24, width=4).train()(batch.image)
    assert {name: part.shape[1] for name, part in answers.items()} == ANSWERS
    assert torch.allclose(features.mean(0), torch.zeros(24), atol=1e-5)
    assert torch.allclose(features.var(0, unbiased=False), torch.ones(24), atol=1e-2)


def test_every_question_is_recorded_and_every_parameter_learns(batch):
    task = EncoderTask(EncoderSettings(features=8, width=4))
    recorded = task.step(task.networks, batch, lambda _, loss: loss.backward())
    assert {*ANSWERS} < {*recorded} and all(p.grad.any() for p in task.networks["encoder"].parameters())


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_grows_with_its_amount_and_stays_in_the_foreground(batch, name):
    distances = []
    for amount in (0.0, 0.3, 1.0):
        torch.manual_seed(1)
        image = CORRUPTIONS[name](batch.image, batch.foreground, torch.full((6,), amount))
        assert not image[batch.foreground == 0].any()
        assert image[batch.foreground == 1].min() >= 8 / 255 and image.max() <= 1
        distances.append(float((image - batch.image).abs().mean()))
    assert distances[0] == pytest.approx(0, abs=1e-6) and distances[0] < distances[1] < distances[2]


def test_each_slice_is_corrupted_by_its_own_amount(batch):
    amounts = torch.zeros(6, len(CORRUPTIONS))
    amounts[1] = 1
    changed = (corrupt(batch.image, batch.foreground, amounts) - batch.image).abs().mean((1, 2, 3))
    assert changed[0] < 1e-6 and changed[1] > 0.03


def test_blur_is_a_gaussian_and_a_copied_half_is_symmetric_where_all_is_foreground():
    image, one = 0.2 + 0.6 * torch.rand(1, 1, 64, 64), torch.ones(1)
    ours = CORRUPTIONS["blur"](image, torch.ones_like(image), one / 2)
    theirs = gaussian_filter(image[0, 0].numpy(), 1.5, truncate=6)
    assert np.abs(ours[0, 0].numpy() - theirs)[12:-12, 12:-12].max() < 1e-5
    copied = CORRUPTIONS["copied half"](image, torch.ones_like(image), one)
    assert torch.allclose(copied, copied.flip(-1))
