"""What each ancestor is made of: discriminators, the pyramid, growing, masks from noise."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage

from strokegan_lib.balance.transplant import SMALLEST as SMALLEST_TRANSPLANTED
from strokegan_lib.models.attention import SelfAttention
from strokegan_lib.models.family import progressive, sagan
from strokegan_lib.models.family.dual import SIZE, SMALLEST, MaskCritic, MaskGenerator, harden, soften
from strokegan_lib.models.family.pix2pix import PatchGAN
from strokegan_lib.models.family.pix2pixhd import MultiScaleDiscriminator
from strokegan_lib.models.family.pyramid import pyramid_pool


@pytest.mark.parametrize("size", [(4, 4), (7, 9), (13, 6)])
def test_the_pyramid_holds_the_largest_value_of_every_bin(size):
    """Bin i of n covers floor(i h / n) to ceil((i + 1) h / n)."""
    x, expected = torch.randn(2, 3, *size), []
    for n in (1, 2, 4):
        rows, columns = (
            [slice(math.floor(i * side / n), math.ceil((i + 1) * side / n)) for i in range(n)]
            for side in size
        )
        bins = [[x[:, :, r, c].amax((2, 3)) for c in columns] for r in rows]
        expected.append(torch.stack([torch.stack(row, -1) for row in bins], -2).flatten(1))  # (B, C n n)
    assert torch.equal(pyramid_pool(x), torch.cat(expected, 1))


def test_pix2pix_judges_patches_of_70_by_70_pixels():
    discriminator = PatchGAN(4).double().eval()  # in training its batch normalisation sees all places
    asked = torch.rand(1, 2, 128, 128, dtype=torch.float64)
    picture = torch.rand(1, 1, 128, 128, dtype=torch.float64, requires_grad=True)
    logits = discriminator(asked, picture)
    assert logits.shape == (1, 1, 14, 14)
    logits[0, 0, 7, 7].backward()
    rows, columns = (picture.grad[0, 0].abs().sum(axis).nonzero() for axis in (1, 0))
    assert rows.max() - rows.min() + 1 == 70 == columns.max() - columns.min() + 1


def test_pix2pixhd_looks_at_the_slice_and_at_the_slice_at_half_size():
    discriminator = MultiScaleDiscriminator(4)
    asked, picture = torch.rand(2, 2, 128, 128), torch.rand(2, 1, 128, 128)
    (fine, fine_logits), (coarse, coarse_logits) = discriminator(asked, picture)
    assert [f.shape for f in fine] == [(2, 4, 64, 64), (2, 8, 32, 32), (2, 16, 16, 16)]
    assert [f.shape for f in coarse] == [(2, 4, 32, 32), (2, 8, 16, 16), (2, 16, 8, 8)]
    assert fine_logits.shape == (2, 1, 15, 15) and coarse_logits.shape == (2, 1, 7, 7)
    half = F.avg_pool2d(torch.cat([asked, picture], 1), 2)
    assert torch.equal(discriminator.scales[1](half), coarse_logits)


@pytest.mark.parametrize(
    ("network", "shape"), [(sagan.SAGAN, (2, 64)), (sagan.Discriminator, (2, 1, 128, 128))]
)
def test_sagan_is_normalised_throughout_and_attends_at_16_by_16(network, shape):
    network, attended = network(8), []
    (attention,) = [m for m in network.modules() if isinstance(m, SelfAttention)]
    attention.register_forward_pre_hook(lambda _, x: attended.append(x[0].shape[2:]))
    network(torch.rand(shape))
    assert attended == [(16, 16)]
    layers = [m for m in network.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    assert all(hasattr(layer, "parametrizations") for layer in layers) and len(layers) > 15


def test_sagans_discriminator_can_tell_slices_apart_at_its_start():
    """Random matrices divided by their largest singular value halved the difference at every stage: .003 was left."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, 128)] * 2, indexing="ij")
    sizes = [(a, b) for a in (-0.3, 0.0, 0.3) for b in (0.1, 0.3, 0.6)]
    discs = torch.stack([((x - a) ** 2 + y**2 < b).float() for a, b in sizes])
    assert sagan.Discriminator(8)(discs[:, None]).std() > 0.03


def grown(network, phase: float):
    """A network in double precision that has grown so far."""
    network.double().phase.fill_(phase)
    return network


@pytest.mark.parametrize(
    ("phase", "stage"),
    [(0, (0, 1)), (1, (0, 1)), (1.25, (1, 0.25)), (2, (1, 1)), (2.5, (1, 1)), (7.75, (4, 0.75)), (9, (4, 1))],
)
def test_stages_settle_and_fade_in_turns_until_all_are_there(phase, stage):
    network = progressive.Growing()
    network.grow(phase)
    assert network.stage() == stage


@pytest.mark.parametrize("last", [1, 4])
def test_a_stage_fades_in_from_the_one_below(last):
    generator, discriminator = progressive.ProgressiveGenerator(4), progressive.ProgressiveDiscriminator(4)
    for network, x in ((generator, torch.randn(3, 64)), (discriminator, torch.rand(3, 1, 128, 128))):
        x = x.double()
        before, begun, done = (grown(network, 2 * last - 1 + phase)(x) for phase in (0, 1e-9, 1))
        assert torch.allclose(begun, before, atol=1e-6) and not torch.allclose(done, before, atol=1e-6)
    z = torch.randn(3, 64, dtype=torch.float64)
    lower, quarter, upper = (grown(generator, 2 * last - 1 + phase)(z).logit() for phase in (0, 0.25, 1))
    assert torch.allclose(quarter, 0.75 * lower + 0.25 * upper, atol=1e-6)


@pytest.mark.parametrize("stage", range(5))
def test_a_stage_paints_pixels_of_its_own_size_and_true_slices_are_made_as_coarse(stage):
    def coarse(picture: torch.Tensor, stage: int) -> torch.Tensor:
        return F.interpolate(F.avg_pool2d(picture, 16 // 2**stage), size=128)

    z, image = torch.randn(2, 64, dtype=torch.float64), torch.rand(2, 1, 128, 128)
    picture = grown(progressive.ProgressiveGenerator(4), 2 * stage)(z)
    assert torch.allclose(coarse(picture, stage), picture)
    assert torch.allclose(progressive.as_grown(image, stage, 1.0), coarse(image, stage))
    if stage:
        faded = 0.75 * coarse(image, stage - 1) + 0.25 * coarse(image, stage)
        assert torch.allclose(progressive.as_grown(image, stage, 0.25), faded, atol=1e-6)


def test_pixel_norm_minibatch_deviation_and_equalised_rate_in_closed_form():
    y = progressive.pixel_norm(torch.tensor([[3.0, 4.0], [30.0, 40.0]]))
    assert y[0].tolist() == pytest.approx([3 / 12.5**0.5, 4 / 12.5**0.5]) and torch.allclose(y[0], y[1])
    x = torch.tensor([[0.0, 0.0], [2.0, 6.0]], dtype=torch.float64).view(2, 1, 1, 2)  # deviations 1 and 3
    y = progressive.minibatch_deviation(x)
    assert torch.equal(y[:, :1], x) and torch.allclose(y[:, 1:], torch.full_like(x, 2))
    conv = progressive.equalised(torch.nn.Conv2d(32, 64, 3))
    drawn = conv.parametrizations.weight.original
    assert float(drawn.detach().std()) == pytest.approx(1, abs=0.02)
    assert torch.allclose(conv.weight, drawn * math.sqrt(2 / (32 * 9)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_black_that_all_slices_share_has_a_finite_slope_in_every_precision(dtype):
    x = torch.zeros(4, 3, 2, 2, dtype=dtype, requires_grad=True)
    y = progressive.minibatch_deviation(x)
    y.sum().backward()
    assert x.grad.isfinite().all() and float(y.detach().max()) < 0.01


def masks_from_noise(stroke: float = 0.0) -> MaskGenerator:
    """One that has learnt nothing, yet makes strokes: its logits are large and *stroke* is added to half of them."""
    network = MaskGenerator(noise=8, width=4).eval()
    with torch.no_grad():
        network.head.weight.mul_(30)
        network.head.bias.copy_(torch.tensor([stroke, 2.0]))
    return network


def test_soft_masks_are_nested_sigmoids():
    network, logits = masks_from_noise(), []
    network.head.register_forward_hook(lambda _, __, y: logits.append(y))
    masks = network(torch.randn(2, 8))
    a, b = F.interpolate(logits[0], (SIZE, SIZE), mode="bilinear").sigmoid().unbind(1)
    torch.testing.assert_close(masks, torch.stack([a * b, b], 1))


def test_number_and_seed_decide_a_mask_and_an_empty_stroke_is_drawn_again_but_not_for_ever():
    network = masks_from_noise(stroke=-1)
    with torch.inference_mode():
        z = [np.random.default_rng((0, 0, k)).standard_normal(8, np.float32) for k in range(12)]
        first = np.stack([harden(soft) for soft in network(torch.from_numpy(np.stack(z))).numpy()])
    empty = first[:, 0].sum((1, 2)) < SMALLEST
    assert SMALLEST == SMALLEST_TRANSPLANTED
    assert 0 < empty.sum() < 12, "neither all nor none: else this test sees nothing"
    masks = np.stack(network.sample(12, 0), 1)  # (12, 2, H, W)
    assert masks.dtype == np.uint8 and (masks[~empty] == first[~empty]).all()
    assert (masks[:, 0].sum((1, 2)) >= SMALLEST).all() and (network.sample(12, 1)[0] != masks[:, 0]).any()
    with pytest.raises(ValueError, match="has not learnt"):
        masks_from_noise(stroke=-1e4).sample(1)


def test_harden_keeps_the_largest_piece_fills_it_and_leaves_no_stroke_outside():
    soft = np.zeros((2, 12, 12))
    soft[1, 1:8, 1:8], soft[1, 4, 4] = 0.5, 0.1  # a brain with a hole
    soft[1, 10:, 10:] = 0.9  # a crumb
    soft[0, 2:4, 2:4], soft[0, 11, 11], soft[0, 6, 6] = 0.5, 0.9, 0.49
    stroke, foreground = harden(soft)
    assert foreground.sum() == 49 and foreground[4, 4] == 1
    assert stroke.sum() == 4 and (stroke[2:4, 2:4] == 1).all()


def test_soften_is_scipys_correlation_and_keeps_a_square_of_two_pixels():
    mask, line = np.tri(128), np.array([0.25, 0.5, 0.25])
    expected = ndimage.correlate(mask, np.outer(line, line), mode="nearest")
    both = torch.from_numpy(np.stack([mask, mask.T]))[None]
    np.testing.assert_allclose(soften(both)[0], [expected, expected.T])
    square = F.pad(torch.ones(1, 1, 2, 2), (3, 3, 3, 3))
    assert ((soften(square) >= 0.5) == (square == 1)).all()


def test_the_critic_of_masks_sees_how_they_vary():
    critic, masks = MaskCritic(4).double().eval(), torch.rand(4, 2, SIZE, SIZE, dtype=torch.float64)
    logits, alike = critic(masks), critic(masks[:1].expand(4, -1, -1, -1))
    assert logits.shape == (4, 1) and torch.allclose(alike, alike[:1].expand(4, 1))
    assert (logits[0] - alike[0]).abs() > 1e-9
