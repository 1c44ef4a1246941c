"""The generator: it paints inside the foreground, and dropout is its only chance."""

from __future__ import annotations

import pytest
import torch

from strokegan_lib.models.synthesis import Generator


@pytest.fixture
def masks() -> tuple[torch.Tensor, torch.Tensor]:
    """A stroke (2, 1, 32, 48) inside a foreground of the same shape."""
    foreground = torch.zeros(2, 1, 32, 48)
    foreground[..., 4:28, 6:40] = 1
    stroke = torch.zeros_like(foreground)
    stroke[0, :, 10:14, 12:20] = 1
    return stroke, foreground


@pytest.mark.parametrize("channels", [1, 3])
def test_paints_within_0_and_1_inside_the_foreground_only(masks, channels):
    stroke, foreground = masks
    torch.manual_seed(0)
    generator = Generator(channels, width=8)
    picture = generator(stroke, foreground)
    assert picture.shape == (2, channels, 32, 48)
    inside = foreground.bool().expand_as(picture)
    assert not picture[~inside].any()
    assert picture[inside].min() > 0 and picture[inside].max() < 1  # no tissue pixel is lost
    assert generator.config == {"channels": channels, "width": 8, "attention": True}


def test_answers_to_both_masks(masks):
    stroke, foreground = masks
    torch.manual_seed(0)
    generator = Generator(width=8).eval()
    picture = generator(stroke, foreground)
    assert not torch.equal(generator(torch.zeros_like(stroke), foreground)[0], picture[0])
    assert not torch.equal(generator(stroke, torch.ones_like(foreground)), picture)
