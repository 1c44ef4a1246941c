"""The two ways to read what a segmentor paints."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.models.segmentation import DARK, PRIOR, Segmentor


def logit(p: torch.Tensor) -> torch.Tensor:
    return torch.logit(p, eps=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_paints_a_masked_image_or_one_probability(channels):
    image = torch.rand(2, channels, 32, 32)
    for output, painted in (("masked image", channels), ("probability", 1)):
        segmentor = Segmentor(channels, output=output, width=4)
        logits = segmentor(image)
        reading = segmentor.predict(logits, image)
        assert logits.shape == (2, painted, 32, 32)
        assert reading.masked.shape == image.shape and reading.score.shape == (2, 1, 32, 32)
        assert segmentor.config["output"] == output and segmentor.config["channels"] == channels


def test_before_training_one_pixel_in_twenty_is_stroke():
    torch.manual_seed(0)
    segmentor = Segmentor(1, output="probability", width=8)
    image = torch.rand(4, 1, 64, 64)
    score = segmentor.predict(segmentor(image), image).score
    assert 0.02 < score.mean() < 0.1
    assert float(torch.sigmoid(torch.tensor(PRIOR))) == pytest.approx(0.047, abs=0.001)


def test_a_probability_masks_every_channel():
    segmentor = Segmentor(2, output="probability", width=4)
    image = torch.tensor([0.5, 1.0])[None, :, None, None].expand(1, 2, 16, 16)
    masked, score = segmentor.predict(torch.zeros(1, 1, 16, 16), image)
    assert (score == 0.5).all() and (masked[0, 0] == 0.25).all() and (masked[0, 1] == 0.5).all()


# what is left of each channel's brightness -> score = sum(out * x) / (sum(x * x) + DARK)
SHARES = [
    ((0.8,), (0.8,), 0.64 / 0.65),
    ((0.8,), (0.4,), 0.32 / 0.65),
    ((0.8,), (0.0,), 0.0),
    ((0.1,), (0.1,), 0.5),  # a dark pixel: half of what a bright one gets
    ((0.0,), (0.9,), 0.0),  # the background: whatever is painted there
    ((0.2,), (1.0,), 1.0),  # more than was there: no more than 1
    ((0.2, 0.9), (0.2, 0.9), 0.85 / 0.86),  # dark in one channel, as in an ADC map, and bright in the other
    ((0.2, 0.9), (0.2, 0.0), 0.04 / 0.86),
    ((0.5, 0.5), (0.5, 0.0), 0.25 / 0.51),
]


@pytest.mark.parametrize(("brightness", "left", "expected"), SHARES)
def test_the_score_is_the_share_of_the_brightness_that_is_left(brightness, left, expected):
    segmentor = Segmentor(len(brightness), width=4)
    image, painted = (torch.tensor(v)[None, :, None, None].expand(1, -1, 16, 16) for v in (brightness, left))
    masked, score = segmentor.predict(logit(painted), image)
    assert torch.allclose(masked, painted, atol=2e-6)
    assert torch.allclose(score, torch.full_like(score, expected), atol=1e-5)
    assert DARK == 0.01


@settings(max_examples=25)
@given(
    channels=st.integers(1, 4),
    output=st.sampled_from(["masked image", "probability"]),
    seed=st.integers(0, 2**16),
    size=st.sampled_from([0.1, 5.0, 80.0]),
)
def test_readings_lie_between_0_and_1_and_the_background_never_counts(channels, output, seed, size):
    generator = torch.Generator().manual_seed(seed)
    segmentor = Segmentor(channels, output=output, width=4)
    image = torch.rand(2, channels, 16, 16, generator=generator)
    image[..., :4] = 0
    painted = channels if output == "masked image" else 1
    logits = size * torch.randn(2, painted, 16, 16, generator=generator)
    masked, score = segmentor.predict(logits, image)
    for reading in (masked, score):
        assert reading.isfinite().all() and reading.min() >= 0 and reading.max() <= 1
    unmasked = score if output == "masked image" else masked
    assert not unmasked[..., :4].any()


def test_a_perfect_masked_image_gives_the_mask_at_any_likely_threshold():
    generator = torch.Generator().manual_seed(0)
    image = 0.2 + 0.8 * torch.rand(1, 1, 64, 64, generator=generator)  # tissue
    stroke = torch.zeros_like(image)
    stroke[..., 20:30, 30:50] = 1
    score = Segmentor(1, width=4).predict(logit(image * stroke), image).score
    for threshold in (0.05, 0.3, 0.7):
        assert torch.equal(score > threshold, stroke.bool())
