"""The two ways to read what a segmentor paints."""

import pytest
import torch

from strokegan_lib.models.segmentation import Segmentor


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("output", ["masked image", "probability"])
def test_outputs_lie_between_0_and_1_and_the_background_never_counts(channels, output):
    segmentor = Segmentor(channels, output=output, width=4)
    image = torch.rand(2, channels, 32, 32)
    image[..., :8] = 0
    logits = segmentor(image)
    assert logits.shape == (2, channels if output == "masked image" else 1, 32, 32)
    masked, score = segmentor.predict(20 * logits, image)
    assert masked.shape == image.shape and score.shape == (2, 1, 32, 32)
    assert all(t.min() >= 0 and t.max() <= 1 for t in (masked, score))
    assert not (score if output == "masked image" else masked)[..., :8].any()
    if output == "probability":
        assert torch.equal(score, (20 * logits).sigmoid()) and torch.equal(masked, image * score)
        assert 0.02 < logits.sigmoid().mean() < 0.1, "before training one pixel in twenty is stroke"


# what is left of each channel's brightness -> score = sum(out * x) / (sum(x * x) + .01)
SHARES = [
    ((0.8,), (0.4,), 0.32 / 0.65),
    ((0.1,), (0.1,), 0.5),  # a dark pixel: half of what a bright one gets
    ((0.0,), (0.9,), 0.0),  # the background: whatever is painted there
    ((0.2,), (1.0,), 1.0),  # more than was there: no more than 1
    ((0.2, 0.9), (0.2, 0.0), 0.04 / 0.86),  # dark in one channel, as in an ADC map, and bright in the other
]


@pytest.mark.parametrize(("brightness", "left", "expected"), SHARES)
def test_the_score_is_the_share_of_the_brightness_that_is_left(brightness, left, expected):
    image, painted = (torch.tensor(v)[None, :, None, None].expand(1, -1, 16, 16) for v in (brightness, left))
    masked, score = Segmentor(len(brightness), width=4).predict(torch.logit(painted, eps=1e-6), image)
    assert torch.allclose(masked, painted, atol=2e-6)
    assert torch.allclose(score, torch.full_like(score, expected), atol=1e-5)
