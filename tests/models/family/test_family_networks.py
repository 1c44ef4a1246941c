"""What all members share: the slices they paint, and how large they are."""

from __future__ import annotations

import pytest
import torch

from strokegan_lib.models.family.dcgan import DCGAN, Discriminator
from strokegan_lib.models.family.pix2pix import PatchGAN, Pix2Pix
from strokegan_lib.models.family.pix2pixhd import MultiScaleDiscriminator, Pix2PixHD
from strokegan_lib.models.family.progressive import ProgressiveDiscriminator, ProgressiveGenerator
from strokegan_lib.models.family.pyramid import PyramidDiscriminator
from strokegan_lib.models.family.sagan import SAGAN
from strokegan_lib.models.family.sagan import Discriminator as SAGANDiscriminator

UNCONDITIONAL = (DCGAN, ProgressiveGenerator, SAGAN)
CONDITIONAL = (Pix2Pix, Pix2PixHD)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def masks() -> tuple[torch.Tensor, torch.Tensor]:
    """A stroke (2, 1, 64, 96) inside a foreground of the same shape."""
    foreground = torch.zeros(2, 1, 64, 96)
    foreground[..., 8:56, 12:80] = 1
    stroke = torch.zeros_like(foreground)
    stroke[0, :, 20:28, 24:40] = 1
    return stroke, foreground


@pytest.mark.parametrize("network", UNCONDITIONAL)
def test_from_numbers_to_slices_of_0_to_1(network):
    generator = network(4, latent=12)
    assert generator.latent == 12 and generator.config == {"width": 4, "latent": 12}
    slices = generator(torch.randn(3, 12))
    assert slices.shape == (3, 1, 128, 128)
    assert slices.min() > 0 and slices.max() < 1
    assert not torch.equal(slices[0], slices[1])


@pytest.mark.parametrize("network", UNCONDITIONAL)
def test_what_is_painted_for_a_z_does_not_depend_on_the_others_in_eval_mode(network):
    generator = network(4).double().eval()
    z = torch.randn(3, generator.latent, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(generator(z)[1:2], generator(z[1:2]))


@pytest.mark.parametrize("network", CONDITIONAL)
def test_from_masks_to_a_slice_that_is_0_outside_the_foreground(network, masks):
    generator = network(4)
    picture = generator(*masks)
    assert generator.config == {"width": 4} and picture.shape == (2, 1, 64, 96)
    inside = masks[1].bool()
    assert not picture[~inside].any()
    assert picture[inside].min() > 0 and picture[inside].max() < 1


@pytest.mark.parametrize("network", CONDITIONAL)
def test_the_stroke_changes_what_is_painted(network, masks):
    generator = network(8).eval()
    stroke, foreground = masks
    with torch.no_grad():
        difference = (generator(stroke, foreground) - generator(0 * stroke, foreground)).abs().amax((1, 2, 3))
    assert difference[0] > 0 and difference[1] == 0  # the second slice has none


@pytest.mark.parametrize("network", [*UNCONDITIONAL, *CONDITIONAL])
def test_half_a_million_to_one_and_a_half_parameters(network):
    assert 0.5e6 < sum(p.numel() for p in network().parameters()) < 1.5e6


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (Discriminator, (2, 1, 1, 1)),
        (PyramidDiscriminator, (2, 1)),
        (ProgressiveDiscriminator, (2, 1)),
        (SAGANDiscriminator, (2, 1)),
    ],
)
def test_a_discriminator_says_one_number_a_slice(network, shape):
    assert network(4)(torch.rand(2, 1, 128, 128)).shape == shape


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
    half = torch.nn.functional.avg_pool2d(torch.cat([asked, picture], 1), 2)
    assert torch.equal(discriminator.scales[1](half)[1], coarse_logits)


def test_sagan_is_normalised_throughout_and_attends_at_16_by_16():
    for network, z in ((SAGAN(8), torch.randn(2, 64)), (SAGANDiscriminator(8), torch.rand(2, 1, 128, 128))):
        seen = []
        (attention,) = [m for m in network.modules() if type(m).__name__ == "SelfAttention"]
        attention.register_forward_pre_hook(lambda _, x, seen=seen: seen.append(tuple(x[0].shape[2:])))
        network(z)
        assert seen == [(16, 16)]
        layers = [m for m in network.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
        assert all(hasattr(layer, "parametrizations") for layer in layers) and len(layers) > 15


def test_a_normalised_discriminator_can_tell_slices_apart_at_its_start():
    """Random matrices divided by their largest singular value halved the difference at every stage: .003 was left."""
    torch.manual_seed(0)
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, 128)] * 2, indexing="ij")
    discs = torch.stack(
        [((x - a) ** 2 + y**2 < b).float() for a in (-0.3, 0.0, 0.3) for b in (0.1, 0.3, 0.6)]
    )
    with torch.no_grad():
        assert SAGANDiscriminator(8)(discs[:, None]).std() > 0.03
