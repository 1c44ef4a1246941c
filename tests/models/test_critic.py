"""The critics: their levels, what a patch is, and what keeps them in bounds."""

from functools import partial

import pytest
import torch
from torch import nn

from strokegan_lib.models.critic import ConditionalCritic, Critic


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_picture_itself_comes_first_then_three_levels(channels, attention):
    critic, attended = Critic(channels, width=8, attention=attention), []
    critic.attention.register_forward_pre_hook(lambda _, x: attended.append(x[0].shape))
    x = torch.randn(2, channels, 64, 48)
    features = critic(x)
    assert features[0] is x and attended == [features[-1].shape]
    assert [f.shape for f in features[1:]] == [(2, 8, 32, 24), (2, 16, 16, 12), (2, 32, 8, 6)]


# bounded: how many layers; batch normalisation: in which levels
@pytest.mark.parametrize(
    ("make", "bounded", "normed"),
    [
        (partial(Critic, 3), 3 + 4, []),  # levels, attention
        (partial(Critic, 3, spectral=False, attention=False), 0, [1, 2]),
        (partial(ConditionalCritic, 2, 1), 4, []),  # attention alone
        (partial(ConditionalCritic, 2, 1, spectral=True), 3 + 4 + 1 + 2 + 1, []),  # and patch, whole, linear
    ],
    ids=["critic", "neither", "conditional", "conditional, spectral"],
)
def test_spectral_norm_makes_the_largest_singular_value_one_and_replaces_batch_norm(make, bounded, normed):
    critic = make(width=8)
    for _ in range(60):  # a power iteration each
        critic(torch.randn(2, 3, 32, 32))
    modules = [*critic.eval().modules()]
    weights = [m.weight.detach().flatten(1) for m in modules if hasattr(m, "parametrizations")]
    assert len(weights) == bounded
    for weight in weights:
        assert float(torch.linalg.matrix_norm(weight, 2)) == pytest.approx(1, abs=0.02)
    levels = [k for k, level in enumerate(critic.levels) if any(isinstance(m, nn.BatchNorm2d) for m in level)]
    assert levels == normed


def test_a_conditional_critic_judges_256_patches_and_the_whole():
    critic = ConditionalCritic(2, 1, width=8).double().eval()
    x = torch.rand(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)

    def seen(logit: int) -> torch.Tensor:
        heads = critic(x)[1]
        assert [head.shape for head in heads] == [(1, 1, 16, 16), (1, 1)]
        (slope,) = torch.autograd.grad((heads[0][0, 0, 7, 7], heads[1].sum())[logit], x)
        return slope[0] != 0

    for channel in seen(0):
        rows, columns = channel.any(1).nonzero().flatten(), channel.any(0).nonzero().flatten()
        assert len(rows) == len(columns) == 38 == rows[-1] - rows[0] + 1 == columns[-1] - columns[0] + 1
    assert seen(1).any(0).float().mean() > 0.99
    nn.init.constant_(critic.attention.gamma, 0.5)  # attention lets every patch see the others
    assert seen(0).any(0).float().mean() > 0.9


def test_pictures_are_scaled_to_between_minus_1_and_1():
    critic = ConditionalCritic(2, 1, width=8, attention=False).eval()
    x = torch.full((1, 3, 64, 64), 0.5)
    features, _ = critic(x)
    flat = nn.functional.leaky_relu(critic.levels[0][0].bias, 0.2)  # what a convolution makes of 0
    assert features[0] is x and torch.allclose(features[1][0], flat[:, None, None].expand_as(features[1][0]))
