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
    masked, local, score = segmentor.predict(20 * logits, image)
    assert masked.shape == image.shape and local.shape == score.shape == (2, 1, 32, 32)
    assert all(t.min() >= 0 and t.max() <= 1 for t in (masked, local, score))
    assert not (local if output == "masked image" else masked)[..., :8].any()
    if output == "probability":
        assert torch.equal(local, (20 * logits).sigmoid()) and torch.equal(masked, image * local)
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
    masked, local, _ = Segmentor(len(brightness), width=4).predict(torch.logit(painted, eps=1e-6), image)
    assert torch.allclose(masked, painted, atol=2e-6)
    assert torch.allclose(local, torch.full_like(local, expected), atol=1e-5)


@pytest.mark.parametrize(("pixels", "evidence"), [(8, 0.25), (32, 1.0), (90, 1.0)])
def test_few_pixels_are_little_evidence_of_a_stroke(pixels, evidence):
    logits = torch.full((2, 1, 16, 16), -40.0)
    logits[0].view(-1)[:pixels] = 40
    network = Segmentor(output="probability", width=4)
    _, local, score = network.predict(logits, torch.ones(2, 1, 16, 16))
    assert torch.allclose(score[0].square(), evidence * local[0]) and score[1].max() < 1e-9, (
        "each slice by itself"
    )


@pytest.mark.parametrize("mirror", [True, False])
def test_the_network_is_shown_the_mirror_image_of_the_same_slice(mirror):
    shown, network = [], Segmentor(2, width=4, mirror=mirror)
    network.unet.register_forward_pre_hook(lambda _, given: shown.append(given[0]))
    image = torch.rand(3, 2, 16, 32)
    network(image)
    halves = shown[0].split(2, dim=1)
    assert torch.equal(halves[0], image) and len(halves) == 1 + mirror
    assert not mirror or torch.equal(halves[1][..., 5], image[..., 26])
