"""The backbone: sizes, what a pixel sees, where attention and dropout sit."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from strokegan_lib.models.unet import UNet


@settings(max_examples=15, deadline=None)
@given(
    inputs=st.integers(1, 4),
    outputs=st.integers(1, 4),
    width=st.sampled_from([4, 8, 12]),
    height=st.sampled_from([16, 32, 48]),
    length=st.sampled_from([16, 32, 80]),
    attention=st.booleans(),
    norm=st.booleans(),
)
def test_pictures_keep_their_size(inputs, outputs, width, height, length, attention, norm):
    network = UNet(inputs, outputs, width=width, attention=attention, norm=norm)
    assert network(torch.randn(2, inputs, height, length)).shape == (2, outputs, height, length)


@pytest.mark.parametrize("width", [0, 2, 6, -4])
def test_other_widths_are_refused(width):
    with pytest.raises(ValueError, match="multiple of 4"):
        UNet(1, 1, width=width)


def test_width_64_has_segans_widths_and_one_stage_more():
    network = UNet(1, 1, width=64)
    assert [down[0].out_channels for down in network.down] == [64, 128, 256, 512]
    assert network.stem[0].out_channels == 32 == network.head.in_channels
    assert all(down[0].kernel_size == (4, 4) and down[0].stride == (2, 2) for down in network.down)
    assert not any(isinstance(m, nn.ConvTranspose2d) for m in network.modules())  # no checkerboard


def test_attention_sees_a_quarter_of_the_size():
    network, seen = UNet(1, 1, width=8), []
    network.attention.register_forward_pre_hook(lambda _, x: seen.append(x[0].shape))
    network(torch.randn(2, 1, 128, 128))
    assert seen == [(2, 16, 32, 32)]
    assert isinstance(UNet(1, 1, width=8, attention=False).attention, nn.Identity)


@pytest.mark.parametrize(("gamma", "seen"), [(0.0, 96), (0.5, 128)])
def test_a_pixel_answers_to_96_by_96_others_and_through_attention_to_all(gamma, seen):
    torch.manual_seed(0)
    network = UNet(1, 1, width=8, norm=False).double().eval()
    nn.init.constant_(network.attention.gamma, gamma)
    x = torch.randn(1, 1, 128, 128, dtype=torch.float64, requires_grad=True)
    network(x)[0, 0, 64, 64].backward()
    rows, columns = (x.grad[0, 0].any(axis).nonzero().flatten() for axis in (1, 0))
    assert rows[-1] - rows[0] + 1 == seen == columns[-1] - columns[0] + 1


def test_without_norm_every_slice_is_treated_by_itself():
    torch.manual_seed(0)
    x = torch.randn(4, 1, 32, 32)
    for norm, alike in ((False, True), (True, False)):
        network = UNet(1, 1, width=4, norm=norm)
        assert isinstance(network.stem[1], nn.BatchNorm2d) == norm
        together, alone = network(x)[:1], network(x[:1])
        assert torch.allclose(together, alone, atol=1e-5) == alike


def test_dropout_is_in_the_two_inner_stages_and_in_training_only():
    network = UNet(1, 1, width=8, dropout=0.5)
    places = [any(isinstance(m, nn.Dropout2d) for m in up) for up in network.up]
    assert places == [True, True, False, False]
    assert not any(isinstance(m, nn.Dropout2d) for m in UNet(1, 1, width=8).modules())
    x = torch.randn(1, 1, 32, 32)
    network.train()
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))
