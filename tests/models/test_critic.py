"""The critics: their levels, what a patch is, and what keeps them in bounds."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from strokegan_lib.models.critic import Critic, PatchCritic


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
    "make", [lambda: Critic(2, width=8), lambda: PatchCritic(1, 1, width=8)], ids=["critic", "patch"]
)
def test_spectral_norm_makes_the_largest_singular_value_one(make):
    torch.manual_seed(0)
    critic = make()
    channels = critic.levels[0][0].in_channels
    for _ in range(60):  # a power iteration each
        critic(torch.randn(1, channels, 32, 32))
    critic.eval()
    weights = [m.weight.detach().flatten(1) for m in critic.modules() if isinstance(m, nn.Conv2d)]
    assert len(weights) == 3 + 4 + (type(critic) is PatchCritic)
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


def test_a_patch_critic_judges_225_patches_of_46_by_46_pixels():
    torch.manual_seed(0)
    critic = PatchCritic(2, 1, width=8, attention=False).double().eval()
    x = torch.randn(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)
    features, logits = critic(x)
    assert logits.shape == (1, 1, 15, 15) and len(features) == 4 and features[0] is x
    logits[0, 0, 7, 7].backward()
    for channel in x.grad[0]:
        rows, columns = channel.any(1).nonzero().flatten(), channel.any(0).nonzero().flatten()
        assert len(rows) == len(columns) == 46 == rows[-1] - rows[0] + 1 == columns[-1] - columns[0] + 1


def test_attention_lets_every_patch_ask_the_others():
    torch.manual_seed(0)
    critic = PatchCritic(2, 1, width=8).double().eval()
    nn.init.constant_(critic.attention.gamma, 0.5)
    x = torch.randn(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)
    critic(x)[1][0, 0, 7, 7].backward()
    assert x.grad.any(1).float().mean() > 0.9
