"""The critics: their levels, what a patch is, and what keeps them in bounds."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from strokegan_lib.models.critic import ConditionalCritic, Critic


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_picture_itself_comes_first_then_three_levels(channels, attention):
    x = torch.randn(2, channels, 64, 48)
    features = Critic(channels, width=8, attention=attention)(x)
    assert features[0] is x
    assert [f.shape for f in features[1:]] == [(2, 8, 32, 24), (2, 16, 16, 12), (2, 32, 8, 6)]


def test_width_64_has_segans_widths():
    critic = Critic(1, width=64, attention=False)
    assert [level[0].out_channels for level in critic.levels] == [64, 128, 256]


@pytest.mark.parametrize(
    "make",
    [lambda: Critic(2, width=8), lambda: ConditionalCritic(1, 1, width=8, spectral=True)],
    ids=["critic", "conditional"],
)
def test_spectral_norm_makes_the_largest_singular_value_one(make):
    torch.manual_seed(0)
    critic = make()
    channels = critic.levels[0][0].in_channels
    for _ in range(60):  # a power iteration each
        critic(torch.randn(1, channels, 32, 32))
    critic.eval()
    weights = [m.weight.detach().flatten(1) for m in critic.modules() if isinstance(m, nn.Conv2d)]
    assert len(weights) == 3 + 4 + 3 * (type(critic) is ConditionalCritic)
    for weight in weights:
        assert float(torch.linalg.matrix_norm(weight, 2)) == pytest.approx(1, abs=0.02)


def test_without_spectral_norm_there_is_batch_norm_but_for_the_first_level():
    critic = Critic(1, width=8, attention=False, spectral=False)
    normed = [any(isinstance(m, nn.BatchNorm2d) for m in level) for level in critic.levels]
    assert normed == [False, True, True]
    assert not any("parametrizations" in name for name, _ in critic.named_parameters())
    bounded = Critic(1, width=8)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in bounded.modules())


def test_attention_sees_the_last_level():
    critic, seen = Critic(1, width=8), []
    critic.attention.register_forward_pre_hook(lambda _, x: seen.append(x[0].shape))
    critic(torch.randn(2, 1, 128, 128))
    assert seen == [(2, 32, 16, 16)]


def test_a_conditional_critic_judges_256_patches_and_the_whole():
    torch.manual_seed(0)
    critic = ConditionalCritic(2, 1, width=8, attention=False).double().eval()
    x = torch.rand(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)
    features, (patches, whole) = critic(x)
    assert patches.shape == (1, 1, 16, 16) and whole.shape == (1, 1)
    assert len(features) == 4 and features[0] is x
    (slope,) = torch.autograd.grad(patches[0, 0, 7, 7], x, retain_graph=True)
    for channel in slope[0]:
        rows, columns = channel.any(1).nonzero().flatten(), channel.any(0).nonzero().flatten()
        assert len(rows) == len(columns) == 38 == rows[-1] - rows[0] + 1 == columns[-1] - columns[0] + 1
    (slope,) = torch.autograd.grad(whole.sum(), x)
    assert slope.any(1).float().mean() > 0.99


def test_a_grey_of_a_half_is_nothing_to_the_first_convolution():
    critic = ConditionalCritic(2, 1, width=8, attention=False).eval()
    features, _ = critic(torch.full((1, 3, 64, 64), 0.5))
    bias = critic.levels[0][0].bias[:, None, None]
    assert torch.allclose(features[1][0], torch.nn.functional.leaky_relu(bias, 0.2).expand_as(features[1][0]))


def test_only_the_attention_is_bounded_unless_asked_for_all():
    for spectral, count in ((False, 4), (True, 4 + 3 + 1 + 2 + 1)):  # attention; levels, patch, whole, linear
        critic = ConditionalCritic(2, 1, width=8, spectral=spectral)
        bounded = [n for n, _ in critic.named_parameters() if n.endswith("parametrizations.weight.original")]
        assert len(bounded) == count
        assert not any(isinstance(m, nn.BatchNorm2d) for m in critic.modules())


def test_attention_lets_every_patch_ask_the_others():
    torch.manual_seed(0)
    critic = ConditionalCritic(2, 1, width=8).double().eval()
    nn.init.constant_(critic.attention.gamma, 0.5)
    x = torch.randn(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)
    critic(x)[1][0][0, 0, 7, 7].backward()
    assert x.grad.any(1).float().mean() > 0.9
