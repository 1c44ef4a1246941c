"""Generators, the family's among them: slices in 0..1, inside the foreground, decided by masks and codes."""

from functools import partial

import pytest
import torch

from strokegan_lib.models.family.dcgan import DCGAN
from strokegan_lib.models.family.pix2pix import Pix2Pix
from strokegan_lib.models.family.pix2pixhd import Pix2PixHD
from strokegan_lib.models.family.progressive import ProgressiveGenerator
from strokegan_lib.models.family.sagan import SAGAN
from strokegan_lib.models.styled import StyledGenerator, StyleEncoder
from strokegan_lib.models.synthesis import Generator

FROM_MASKS = {
    "paper": partial(Generator, width=8),
    "two channels": partial(Generator, 2, width=8, attention=False),
    "styled": partial(StyledGenerator, width=8, style=6),
    "styled, two channels": partial(StyledGenerator, 2, width=8, style=6, grain=False),
    "pix2pix": partial(Pix2Pix, 4),
    "pix2pixhd": partial(Pix2PixHD, 4),
}


@pytest.fixture
def masks() -> tuple[torch.Tensor, torch.Tensor]:
    """A stroke (2, 1, 64, 96) inside a foreground of the same shape; the second slice has none."""
    foreground = torch.zeros(2, 1, 64, 96)
    foreground[..., 8:56, 12:80] = 1
    stroke = torch.zeros_like(foreground)
    stroke[0, :, 20:28, 24:40] = 1
    return stroke, foreground


def styled(**config) -> StyledGenerator:
    """A generator whose noise and attention have left their zeros, in eval mode."""
    generator = StyledGenerator(**{"width": 8, "style": 6, **config})
    for name, parameter in generator.named_parameters():
        if name.endswith(("grain", "gamma")):
            torch.nn.init.constant_(parameter, 0.5)
    return generator.eval()


@pytest.mark.parametrize("network", [DCGAN, ProgressiveGenerator, SAGAN])
def test_from_numbers_to_slices_each_by_itself(network):
    generator = network(4, latent=12).double().eval()
    z = torch.randn(3, 12, dtype=torch.float64)
    with torch.inference_mode():
        slices = generator(z)
        assert torch.allclose(generator(z[1:2]), slices[1:2])
    assert slices.shape == (3, 1, 128, 128) and slices.min() > 0 and slices.max() < 1
    assert not torch.equal(slices[0], slices[1])


@pytest.mark.parametrize("make", FROM_MASKS.values(), ids=FROM_MASKS)
def test_from_masks_to_a_slice_that_is_0_outside_the_foreground_and_follows_the_stroke(make, masks):
    generator, (stroke, foreground) = make().eval(), masks
    code = (torch.randn(2, 6),) if isinstance(generator, StyledGenerator) else ()
    with torch.inference_mode():
        picture = generator(stroke, foreground, *code)
        without = generator(0 * stroke, foreground, *code)
        elsewhere = generator(stroke, torch.ones_like(foreground), *code)
    assert picture.shape == (2, generator.config.get("channels", 1), 64, 96)
    inside = foreground.bool().expand_as(picture)
    assert not picture[~inside].any()
    assert picture[inside].min() > 0 and picture[inside].max() < 1  # no tissue pixel is lost
    assert not torch.equal(without[0], picture[0]) and torch.equal(without[1], picture[1])
    assert not torch.equal(elsewhere, picture)


def test_the_style_decides_and_the_same_style_is_the_same_picture(masks):
    generator, (z, other) = styled(), torch.randn(2, 2, 6)
    picture = generator(*masks, z)
    assert torch.equal(generator(*masks, z), picture)
    alone = generator(*(m[:1] for m in masks), z[:1])[0]
    assert torch.allclose(alone, picture[0], atol=1e-5), "in another batch as well"
    assert (generator(*masks, other) - picture).abs().max() > 0.01
    drawn = []  # without a style one is drawn from the global random state
    for _ in range(2):
        torch.manual_seed(1)
        drawn.append((generator(*masks), generator(*masks)))
    assert torch.equal(drawn[0][0], drawn[1][0]) and not torch.equal(*drawn[0])


@pytest.mark.parametrize("grain", [True, False])
def test_grain_is_noise_and_without_it_there_is_none(masks, grain):
    generator = styled(grain=grain, attention=False).train()  # where noise is drawn afresh
    z = torch.randn(2, 6)
    assert torch.equal(generator(*masks, z), generator(*masks, z)) != grain


def test_styles_are_drawn_from_the_gaussian_of_the_codes():
    generator = styled(style=3)
    root = torch.tensor([[2.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.0, 0.0, 0.0]])  # the third number never varies
    for _ in range(3000):
        generator.update_moments(torch.randn(8, 3) @ root.T + torch.tensor([1.0, -2.0, 3.0]))
    drawn = generator.draw(20_000)
    assert drawn.mean(0) == pytest.approx(torch.tensor([1.0, -2.0, 3.0]), abs=0.25)
    assert torch.cov(drawn.T).flatten() == pytest.approx((root @ root.T).flatten(), abs=0.5)
    assert drawn[:, 2].std() < 0.02


def test_the_style_encoder_does_not_see_the_strokes_brightness(masks):
    stroke, foreground = masks
    encoder, image = StyleEncoder(width=8, style=6).eval(), torch.rand(2, 1, 64, 96) * foreground
    mean, log_variance = encoder(image, stroke, foreground)
    assert mean.shape == log_variance.shape == (2, 6)
    assert torch.equal(encoder(image * (1 - 0.9 * stroke), stroke, foreground)[0], mean)
    assert not torch.equal(encoder(image.flip(-1) * foreground, stroke, foreground)[0], mean)
