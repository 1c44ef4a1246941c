"""Progressive growing: how stages fade in, and the three things that keep the players in step."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from strokegan_lib.models.family.progressive import (
    PHASES,
    ProgressiveDiscriminator,
    ProgressiveGenerator,
    as_grown,
    equalised,
    minibatch_deviation,
    pixel_norm,
)


def grown(network, phase: float):
    """A network in double precision that has grown so far."""
    network = network.double()
    network.phase.fill_(phase)
    return network


@pytest.fixture
def generator() -> ProgressiveGenerator:
    torch.manual_seed(0)
    return ProgressiveGenerator(4)


@pytest.fixture
def discriminator() -> ProgressiveDiscriminator:
    torch.manual_seed(0)
    return ProgressiveDiscriminator(4)


@pytest.fixture
def z() -> torch.Tensor:
    return torch.randn(3, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(3, 1, 128, 128, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(
    ("phase", "stage"),
    [(0, (0, 1)), (0.9, (0, 1)), (1, (0, 1)), (1.25, (1, 0.25)), (2, (1, 1)), (2.5, (1, 1)), (7.75, (4, 0.75)), (8, (4, 1))],
)  # fmt: skip
def test_stages_settle_and_fade_in_turns(generator, phase, stage):
    assert grown(generator, phase).stage() == stage


def test_growing_ends_with_all_stages(generator):
    for _ in range(30):
        generator.grow(0.3)
    assert float(generator.phase) == PHASES and generator.stage() == (4, 1.0)


@pytest.mark.parametrize("last", [1, 2, 3, 4])
def test_with_alpha_0_the_picture_is_that_of_the_lower_stage(generator, z, last):
    before = grown(generator, 2 * last - 1)(z)
    begun = grown(generator, 2 * last - 1 + 1e-9)
    assert begun.stage()[0] == last
    assert torch.allclose(begun(z), before, atol=1e-7)
    assert not torch.allclose(grown(generator, 2 * last - 0.5)(z), before, atol=1e-3)


def test_in_between_both_stages_show_as_alpha_says(generator, z):
    lower, upper = (grown(generator, phase)(z).logit() for phase in (3, 4))
    half = grown(generator, 3.25)(z).logit()
    assert torch.allclose(half, 0.75 * lower + 0.25 * upper, atol=1e-6)


@pytest.mark.parametrize("last", [1, 2, 3, 4])
def test_with_alpha_0_the_discriminator_answers_as_before(discriminator, image, last):
    before = grown(discriminator, 2 * last - 1)(image)
    assert torch.allclose(grown(discriminator, 2 * last - 1 + 1e-9)(image), before, atol=1e-6)
    assert not torch.allclose(grown(discriminator, 2 * last)(image), before, atol=1e-6)


@pytest.mark.parametrize("stage", range(5))
def test_a_stage_paints_pixels_of_its_own_size(generator, z, stage):
    picture, size = grown(generator, 2 * stage)(z), 8 * 2**stage
    assert picture.shape == (3, 1, 128, 128)
    reduced = F.avg_pool2d(picture, 128 // size)
    assert torch.allclose(F.interpolate(reduced, size=128), picture)


def test_true_slices_are_made_as_coarse(image):
    assert torch.allclose(as_grown(image, 4, 1.0), image)
    coarse = F.interpolate(F.avg_pool2d(image, 4), size=128)
    assert torch.allclose(as_grown(image, 2, 1.0), coarse)
    finer = F.interpolate(F.avg_pool2d(image, 2), size=128)
    assert torch.allclose(as_grown(image, 3, 0.25), 0.75 * coarse + 0.25 * finer)


def test_pixel_norm_has_mean_square_1_at_every_pixel():
    x = torch.randn(2, 5, 3, 4, dtype=torch.float64)
    y = pixel_norm(x)
    assert torch.allclose(y.square().mean(1), torch.ones(2, 3, 4, dtype=torch.float64), atol=1e-6)
    assert torch.allclose(y, pixel_norm(7 * x), atol=1e-6)  # the size is gone, the direction is not
    assert torch.allclose(F.cosine_similarity(x, y, dim=1), torch.ones(2, 3, 4, dtype=torch.float64))
    assert pixel_norm(torch.tensor([[3.0, 4.0]])).tolist()[0] == pytest.approx([3 / 12.5**0.5, 4 / 12.5**0.5])


def test_minibatch_deviation_is_one_number_the_mean_deviation_of_the_batch():
    x = torch.zeros(2, 1, 1, 2, dtype=torch.float64)
    x[1, 0, 0, 0], x[1, 0, 0, 1] = 2, 6  # deviations 1 and 3
    y = minibatch_deviation(x)
    assert y.shape == (2, 2, 1, 2) and torch.equal(y[:, :1], x)
    assert torch.allclose(y[:, 1], torch.full((2, 1, 2), 2.0, dtype=torch.float64))


def test_minibatch_deviation_of_equal_slices_is_nothing():
    one = torch.randn(1, 3, 4, 4)
    assert float(minibatch_deviation(one.expand(5, -1, -1, -1))[:, 3:].abs().max()) <= 1.01e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_black_that_all_slices_share_has_a_finite_slope_in_every_arithmetic(dtype):
    x = torch.zeros(4, 3, 2, 2, dtype=dtype, requires_grad=True)
    minibatch_deviation(x).sum().backward()
    assert x.grad.isfinite().all()


def test_equalised_weights_are_drawn_with_1_and_used_with_less():
    torch.manual_seed(0)
    conv = equalised(torch.nn.Conv2d(32, 64, 3))
    drawn = conv.parametrizations.weight.original
    assert float(drawn.detach().std()) == pytest.approx(1, abs=0.02)
    assert torch.allclose(conv.weight, drawn * math.sqrt(2 / (32 * 9)))
    out = conv(torch.randn(4, 32, 20, 20))
    assert float(out.detach().square().mean()) == pytest.approx(2, rel=0.1)  # ReLU halves it to 1 again
