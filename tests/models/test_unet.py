"""The backbone: sizes, what a pixel sees, where attention sits, no checkerboard."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from strokegan_lib.models.unet import ConcatConv2d, SubpixelConv2d, UNet


@pytest.mark.parametrize("size", [(16, 32), (50, 80)])
@pytest.mark.parametrize(
    ("inputs", "outputs", "width", "halvings", "norm"),
    [(1, 1, 8, 7, "batch"), (2, 3, 4, 6, "none"), (4, 1, 12, 3, "group")],
)
def test_pictures_keep_their_size(inputs, outputs, width, halvings, norm, size):
    network = UNet(inputs, outputs, width=width, halvings=halvings, norm=norm)
    assert network(torch.randn(2, inputs, *size)).shape == (2, outputs, *size)


@pytest.mark.parametrize("halvings", [6, 7])
def test_sizes_and_widths_down_to_the_bottom_and_attention_at_32(halvings):
    network, sizes, attended = UNet(1, 1, width=32, halvings=halvings), [], []
    for stage in (network.stem, *network.down):
        stage.register_forward_hook(lambda _, __, y: sizes.append(tuple(y.shape[1:])))
    network.attention.register_forward_pre_hook(lambda _, x: attended.append(tuple(x[0].shape[1:])))
    network(torch.randn(2, 1, 128, 128))
    assert sizes == [(w, 128 >> k, 128 >> k) for k, w in enumerate([32, 64, *[96] * (halvings - 2)], 1)]
    assert attended == [(64, 32, 32)]


@pytest.mark.parametrize("halvings", [6, 7])
def test_a_pixel_depends_on_the_whole_brain_without_attention_too(halvings):
    network = UNet(1, 1, width=8, halvings=halvings, attention=False, norm="none").double().eval()
    x = torch.randn(1, 1, 128, 128, dtype=torch.float64, requires_grad=True)
    network(x)[0, 0, 64, 64].backward()
    rows, columns = (x.grad[0, 0].any(axis).nonzero().flatten() for axis in (1, 0))
    assert rows[-1] - rows[0] + 1 == 128 == columns[-1] - columns[0] + 1


def test_dropout_takes_whole_channels_of_coarse_stages_while_it_trains():
    network, seen = UNet(1, 1, width=32, dropout=0.5), {}
    for stage in network.down[1:]:  # what goes into the next stage is what the last one was left with
        stage.register_forward_pre_hook(lambda _, x: seen.update({x[0].shape[-1]: x[0]}))
    network(torch.randn(2, 1, 128, 128))
    silent = {size: (~x.flatten(2).any(2)).float().mean() for size, x in seen.items()}
    assert silent[32] == silent[16] == 0 and all(0.3 < silent[size] < 0.7 for size in (8, 4, 2))
    network.eval()(torch.randn(2, 1, 128, 128))
    assert all(x.flatten(2).any(2).all() for x in seen.values())


def test_two_pixels_reach_the_output_at_full_resolution():
    network = UNet(1, 1, width=8, norm="none").eval()
    nn.init.zeros_(network.head.weight[:, :8])  # the trunk silent: what is left is the fine branch
    x, moved = torch.zeros(2, 1, 1, 128, 128)
    moved[0, 0, 60, 60:62] = 1
    changed = (network(moved) != network(x))[0, 0].nonzero()
    assert len(changed) > 2 and (changed - torch.tensor([60, 60])).abs().amax() <= 3


@pytest.mark.parametrize(("norm", "alike"), [("none", True), ("group", True), ("batch", False)])
def test_only_batch_norm_lets_slices_see_each_other(norm, alike):
    x, network = torch.randn(4, 1, 32, 32), UNet(1, 1, width=8, halvings=4, norm=norm)
    assert torch.allclose(network(x)[:1], network(x[:1]), atol=1e-5) == alike


def test_subpixel_convolution_keeps_flat_features_flat_and_can_paint_single_pixels():
    layer = SubpixelConv2d(8, 4)
    flat = layer(torch.randn(3, 8, 1, 1).expand(-1, -1, 16, 16))
    assert flat.shape == (3, 4, 32, 32)
    assert flat[..., 4:-4, 4:-4].std((2, 3)).amax() < 1e-5  # away from the border
    fours = F.pixel_unshuffle(layer(torch.randn(1, 8, 16, 16)), 2).view(1, 4, 4, 16, 16)
    assert fours.std(2).mean() > 0.1


def test_a_convolution_of_two_inputs_is_that_of_their_concatenation():
    layer, (x, y) = ConcatConv2d(6, 2), torch.randn(2, 1, 3, 8, 8)
    expected = F.conv2d(torch.cat([x, y], 1), layer.weight, layer.bias, padding=1)
    assert torch.allclose(layer(x, y), expected, atol=1e-6)
