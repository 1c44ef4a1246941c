"""The backbone: sizes, what a pixel sees, where attention and dropout sit, no checkerboard."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from strokegan_lib.models.unet import ConcatConv2d, SubpixelConv2d, UNet


@settings(max_examples=15)
@given(
    inputs=st.integers(1, 4),
    outputs=st.integers(1, 4),
    width=st.sampled_from([4, 8, 12]),
    height=st.sampled_from([16, 32, 50]),
    length=st.sampled_from([16, 32, 80]),
    halvings=st.sampled_from([3, 6, 7]),
    attention=st.booleans(),
    norm=st.sampled_from(["batch", "group", "none"]),
)
def test_pictures_keep_their_size(inputs, outputs, width, height, length, halvings, attention, norm):
    network = UNet(inputs, outputs, width=width, halvings=halvings, attention=attention, norm=norm)
    assert network(torch.randn(2, inputs, height, length)).shape == (2, outputs, height, length)


@pytest.mark.parametrize(("halvings", "bottom"), [(7, 1), (6, 2)])
def test_widths_double_up_to_three_times_and_the_size_halves_to_the_bottom(halvings, bottom):
    network, sizes = UNet(1, 1, width=32, halvings=halvings), []
    for stage in (network.stem, *network.down):
        stage.register_forward_hook(lambda _, __, y: sizes.append(tuple(y.shape[1:])))
    network(torch.randn(2, 1, 128, 128))
    widths = [32, 64, *[96] * (halvings - 2)]
    assert sizes == [(w, 128 >> k, 128 >> k) for k, w in enumerate(widths, 1)]
    assert sizes[-1][1] == bottom
    assert not any(isinstance(m, nn.ConvTranspose2d) for m in network.modules())  # no checkerboard


def test_attention_sees_a_quarter_of_the_size():
    network, seen = UNet(1, 1, width=8), []
    network.attention.register_forward_pre_hook(lambda _, x: seen.append(x[0].shape))
    network(torch.randn(2, 1, 128, 128))
    assert seen == [(2, 16, 32, 32)]
    assert isinstance(UNet(1, 1, width=8, attention=False).attention, nn.Identity)


@pytest.mark.parametrize("halvings", [6, 7])
def test_a_pixel_answers_to_all_of_the_brain_without_attention_too(halvings):
    torch.manual_seed(0)
    network = UNet(1, 1, width=8, halvings=halvings, attention=False, norm="none").double().eval()
    x = torch.randn(1, 1, 128, 128, dtype=torch.float64, requires_grad=True)
    network(x)[0, 0, 64, 64].backward()
    rows, columns = (x.grad[0, 0].any(axis).nonzero().flatten() for axis in (1, 0))
    assert rows[-1] - rows[0] + 1 == 128 == columns[-1] - columns[0] + 1


def test_two_pixels_reach_the_output_at_full_resolution():
    torch.manual_seed(0)
    network = UNet(1, 1, width=8, norm="none").eval()
    nn.init.zeros_(network.head.weight[:, :8])  # the trunk silent: what is left is the fine branch
    x, moved = torch.zeros(2, 1, 1, 128, 128)
    moved[0, 0, 60, 60:62] = 1
    changed = (network(moved) != network(x))[0, 0].nonzero()
    assert len(changed) > 2
    assert (changed - torch.tensor([60, 60])).abs().amax() <= 3


def test_only_batch_norm_lets_slices_see_each_other():
    torch.manual_seed(0)
    x = torch.randn(4, 1, 32, 32)
    for norm, alike in (("none", True), ("group", True), ("batch", False)):
        network = UNet(1, 1, width=8, halvings=4, norm=norm)
        together, alone = network(x)[:1], network(x[:1])
        assert torch.allclose(together, alone, atol=1e-5) == alike, norm


def test_what_is_flat_before_pixel_shuffle_is_flat_after_it():
    torch.manual_seed(0)
    shuffled = SubpixelConv2d(8, 4)
    nn.init.normal_(shuffled.weight)  # as training may leave it
    nn.init.normal_(shuffled.bias)
    flat = torch.randn(1, 8, 1, 1).expand(1, 8, 16, 16)
    plain = F.pixel_shuffle(F.conv2d(flat, shuffled.weight, shuffled.bias, padding=1), 2)[..., 4:-4, 4:-4]
    assert plain.std((2, 3)).amin() > 0.1, "a checkerboard, away from the padded margin"
    assert shuffled(flat)[..., 4:-4, 4:-4].std((2, 3)).amax() < 1e-5


def test_two_pictures_convolved_together_need_not_be_joined():
    torch.manual_seed(0)
    both, (x, y) = ConcatConv2d(6, 2), torch.randn(2, 1, 3, 8, 8)
    expected = F.conv2d(torch.cat([x, y], 1), both.weight, both.bias, padding=1)
    assert torch.allclose(both(x, y), expected, atol=1e-6)


def test_pixel_shuffle_can_still_paint_single_pixels():
    torch.manual_seed(0)
    detail = SubpixelConv2d(8, 4)(torch.randn(1, 8, 16, 16))  # (1, 4, 32, 32)
    fours = F.pixel_unshuffle(detail, 2).view(1, 4, 4, 16, 16)
    assert fours.std(2).mean() > 0.1
