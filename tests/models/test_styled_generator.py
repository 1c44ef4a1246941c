"""The generator with styles: a code chooses the picture, the masks say what it shows."""

from __future__ import annotations

import pytest
import torch

from strokegan_lib.models.styled import StyledGenerator, StyleEncoder


@pytest.fixture
def masks() -> tuple[torch.Tensor, torch.Tensor]:
    """A stroke (2, 1, 32, 48) inside a foreground of the same shape."""
    foreground = torch.zeros(2, 1, 32, 48)
    foreground[..., 4:28, 6:40] = 1
    stroke = torch.zeros_like(foreground)
    stroke[0, :, 10:14, 12:20] = 1
    return stroke, foreground


def made(**config) -> StyledGenerator:
    """A generator whose noise and attention have left their zeros, in eval mode."""
    torch.manual_seed(0)
    generator = StyledGenerator(**{"width": 8, "style": 6, **config})
    for name, parameter in generator.named_parameters():
        if name.endswith(("grain", "gamma")):
            torch.nn.init.constant_(parameter, 0.5)
    return generator.eval()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("change", [{}, {"style": 3}, {"grain": False}, {"attention": False}])
def test_paints_within_0_and_1_inside_the_foreground_only(masks, channels, change):
    generator = made(channels=channels, **change)
    picture = generator(*masks)
    assert picture.shape == (2, channels, 32, 48)
    inside = masks[1].bool().expand_as(picture)
    assert not picture[~inside].any()
    assert picture[inside].min() > 0 and picture[inside].max() < 1
    assert {"channels": channels, **change}.items() <= generator.config.items()


def test_a_slice_of_the_data_sets(masks):
    assert made()(torch.zeros(1, 1, 128, 128), torch.ones(1, 1, 128, 128)).shape == (1, 1, 128, 128)


def test_the_style_decides_and_the_same_style_is_the_same_picture(masks):
    generator = made()
    z, other = torch.randn(2, 2, 6)
    picture = generator(*masks, z)
    assert torch.equal(generator(*masks, z), picture)
    alone = generator(*(m[:1] for m in masks), z[:1])[0]
    assert torch.allclose(alone, picture[0], atol=1e-5), "in another batch as well"
    assert (generator(*masks, other) - picture).abs().max() > 0.01


def test_without_a_style_one_is_drawn_from_the_global_random_state(masks):
    generator = made()
    torch.manual_seed(1)
    one, another = generator(*masks), generator(*masks)
    assert not torch.equal(one, another) and not torch.equal(one[0], one[1])
    torch.manual_seed(1)
    assert torch.equal(generator(*masks), one)


def test_the_masks_change_the_picture_where_they_change(masks):
    stroke, foreground = masks
    generator, z = made(), torch.randn(2, 6)
    changed = (generator(torch.zeros_like(stroke), foreground, z) - generator(stroke, foreground, z)).abs()
    there = stroke[0].bool()
    assert changed[0][there].mean() > 2 * changed[0][~there & foreground[0].bool()].mean() > 0
    assert not changed[1].any(), "the other slice asked for none before either"


def test_grain_is_noise_and_without_it_there_is_none(masks):
    z = torch.randn(2, 6)
    for grain, varied in ((True, True), (False, False)):
        generator = made(grain=grain, attention=False).train()  # where noise is drawn afresh
        assert torch.equal(generator(*masks, z), generator(*masks, z)) != varied


def test_styles_are_drawn_from_the_gaussian_of_the_codes():
    generator = made(style=3)
    torch.manual_seed(0)
    root = torch.tensor([[2.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.0, 0.0, 0.0]])  # the third number never varies
    for _ in range(3000):
        generator.update_moments(torch.randn(8, 3) @ root.T + torch.tensor([1.0, -2.0, 3.0]))
    drawn = generator.draw(20_000)
    assert drawn.mean(0) == pytest.approx(torch.tensor([1.0, -2.0, 3.0]), abs=0.25)
    assert torch.cov(drawn.T).flatten() == pytest.approx((root @ root.T).flatten(), abs=0.5)
    assert drawn[:, 2].std() < 0.02


def test_the_encoder_does_not_see_the_strokes_brightness(masks):
    torch.manual_seed(0)
    stroke, foreground = masks
    encoder, image = StyleEncoder(width=8, style=6).eval(), torch.rand(2, 1, 32, 48) * foreground
    mean, log_variance = encoder(image, stroke, foreground)
    assert mean.shape == log_variance.shape == (2, 6)
    assert torch.equal(encoder(image * (1 - 0.9 * stroke), stroke, foreground)[0], mean)
    assert not torch.equal(encoder(image.flip(-1) * foreground, stroke, foreground)[0], mean)
