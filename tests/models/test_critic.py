"""The critics: their levels, what a patch is, and what keeps them in bounds."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from strokegan_lib.models.critic import ConditionalCritic, Critic


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_picture_itself_comes_first_then_three_levels(channels, attention):
    critic, attended = Critic(channels, width=8, attention=attention), []
    critic.attention.register_forward_pre_hook(lambda _, x: attended.append(x[0].shape))
    x = torch.randn(2, channels, 64, 48)
    features = critic(x)
    assert features[0] is x
    assert [f.shape for f in features[1:]] == [(2, 8, 32, 24), (2, 16, 16, 12), (2, 32, 8, 6)]
    assert attended == [features[-1].shape]


def test_width_64_has_segans_widths():
    critic = Critic(1, width=64, attention=False)
    assert [level[0].out_channels for level in critic.levels] == [64, 128, 256]


@pytest.mark.parametrize(
    ("critic", "bounded"),
    [
        (Critic(2, width=8), 3 + 4),  # levels, attention
        (ConditionalCritic(1, 1, width=8), 4),  # attention alone
        (ConditionalCritic(1, 1, width=8, spectral=True), 3 + 4 + 1 + 2 + 1),  # and patch, whole, linear
        (Critic(2, width=8, spectral=False, attention=False), 0),
    ],
    ids=["critic", "conditional", "conditional, spectral", "neither"],
)
def test_spectral_norm_makes_the_largest_singular_value_one(critic, bounded):
    channels = critic.levels[0][0].in_channels
    for _ in range(60):  # a power iteration each
        critic(torch.randn(2, channels, 32, 32))
    weights = [
        m.weight.detach().flatten(1) for m in critic.eval().modules() if hasattr(m, "parametrizations")
    ]
    assert len(weights) == bounded
    for weight in weights:
        assert float(torch.linalg.matrix_norm(weight, 2)) == pytest.approx(1, abs=0.02)


def test_batch_norm_is_where_spectral_norm_is_not_but_for_the_first_level():
    for critic, expected in (
        (Critic(1, width=8, spectral=False), [False, True, True]),
        (Critic(1, width=8), [False] * 3),
        (ConditionalCritic(2, 1, width=8), [False] * 3),
    ):
        normed = [any(isinstance(m, nn.BatchNorm2d) for m in level) for level in critic.levels]
        assert normed == expected


def test_a_conditional_critic_judges_256_patches_and_the_whole():
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


def test_pictures_are_scaled_to_between_minus_1_and_1():
    critic = ConditionalCritic(2, 1, width=8, attention=False).eval()
    grey = critic(torch.full((1, 3, 64, 64), 0.5))[0][1][0]  # 0 to the first convolution, but for its bias
    assert torch.allclose(
        grey, nn.functional.leaky_relu(critic.levels[0][0].bias, 0.2)[:, None, None].expand_as(grey)
    )


def test_attention_lets_every_patch_see_the_others():
    critic = ConditionalCritic(2, 1, width=8).double().eval()
    nn.init.constant_(critic.attention.gamma, 0.5)
    x = torch.randn(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)
    critic(x)[1][0][0, 0, 7, 7].backward()
    assert x.grad.any(1).float().mean() > 0.9
