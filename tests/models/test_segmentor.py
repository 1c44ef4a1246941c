"""The two ways to read what a segmentor paints."""

from __future__ import annotations

import pytest
import torch

from strokegan_lib.models.segmentation import Segmentor


def logit(p: torch.Tensor) -> torch.Tensor:
    return torch.logit(p, eps=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("output", ["masked image", "probability"])
def test_outputs_lie_between_0_and_1_and_the_background_never_counts(channels, output):
    torch.manual_seed(0)
    segmentor = Segmentor(channels, output=output, width=4)
    image = torch.rand(2, channels, 32, 32)
    image[..., :8] = 0
    logits = 20 * segmentor(image)
    masked, score = segmentor.predict(logits, image)
    assert logits.shape == (2, channels if output == "masked image" else 1, 32, 32)
    assert masked.shape == image.shape and score.shape == (2, 1, 32, 32)
    assert all(t.min() >= 0 and t.max() <= 1 for t in (masked, score))
    if output == "probability":
        assert torch.equal(score, logits.sigmoid()) and torch.equal(masked, image * score)
    assert not (score if output == "masked image" else masked)[..., :8].any()
    assert segmentor.config["output"] == output and segmentor.config["channels"] == channels


def test_before_training_one_pixel_in_twenty_is_stroke():
    torch.manual_seed(0)
    segmentor, image = Segmentor(1, output="probability", width=8), torch.rand(4, 1, 64, 64)
    assert 0.02 < segmentor.predict(segmentor(image), image).score.mean() < 0.1


# what is left of each channel's brightness -> score = sum(out * x) / (sum(x * x) + .01)
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


def test_a_perfect_masked_image_gives_the_mask_at_any_likely_threshold():
    torch.manual_seed(0)
    image = 0.2 + 0.8 * torch.rand(1, 1, 64, 64)  # tissue
    stroke = torch.zeros_like(image)
    stroke[..., 20:30, 30:50] = 1
    score = Segmentor(1, width=4).predict(logit(image * stroke), image).score
    for threshold in (0.05, 0.3, 0.7):
        assert torch.equal(score > threshold, stroke.bool())
