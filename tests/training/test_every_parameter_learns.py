"""No dead weights: two steps after the start every parameter of every network has a gradient."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import ADVERSARIAL
from strokegan_lib.training.objectives import OBJECTIVES
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.synthesis import SynthesisGAN, SynthesisSettings

# A gradient that is 0 on paper is not 0 in floats; in double precision it is this much smaller
# than the others, or less: far from rounding, and far from the smallest that counts.
ROUNDING = 1e-11


def batch(channels: int) -> Batch:
    """Two slices of 128 x 128 in double precision, the first with a bright stroke."""
    generator = torch.Generator().manual_seed(0)
    foreground = torch.zeros(2, 1, 128, 128, dtype=torch.float64)
    foreground[..., 16:112, 24:104] = 1
    stroke = torch.zeros_like(foreground)
    stroke[0, :, 40:64, 36:68] = 1
    image = torch.rand(2, channels, 128, 128, generator=generator, dtype=torch.float64)
    image = (0.2 + 0.4 * image + 0.3 * stroke) * foreground
    return Batch(image, stroke, foreground, torch.arange(2))


def dead_after_two_steps(gan: Any, channels: int) -> dict[str, set[str]]:
    """By network, the parameters without a gradient: two steps move gamma off 0, the third shows what learns."""
    optimisers = {}
    for name, network in gan.networks.items():
        network.double()
        optimisers[name] = torch.optim.Adam(network.parameters(), gan.optimisers[name].learning_rate)

    def update(names: str | tuple[str, ...], loss: Tensor) -> None:
        chosen = [optimisers[name] for name in ([names] if isinstance(names, str) else names)]
        for optimiser in chosen:
            optimiser.zero_grad()
        loss.backward()
        for optimiser in chosen:
            optimiser.step()

    for _ in range(3):
        gan.step(gan.networks, batch(channels), update)
    dead = {}
    for name, network in gan.networks.items():
        sizes = {
            k: 0.0 if p.grad is None else float(p.grad.abs().max()) for k, p in network.named_parameters()
        }
        dead[name] = {k for k, size in sizes.items() if size <= ROUNDING * max(sizes.values())}
    return dead


def past_the_margins(critic: nn.Module) -> None:
    """Begin where some logits have passed the margins of the hinge.

    Between them true logits push a head's bias up as much as fakes push it down.
    """
    nn.init.constant_(critic.patch.bias, 2.0)
    nn.init.constant_(critic.whole[-1].bias, 2.0)


@pytest.mark.parametrize("channels", [1, 2, 4])
@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_of_segmentation(method, attention, channels):
    torch.manual_seed(0)
    gan = SegmentationGAN(replace(METHODS[method], attention=attention, width=4), channels)
    assert list(gan.networks) == (["segmentor"] if method == "unet" else ["segmentor", "critic"])
    assert any("gamma" in name for name, _ in gan.segmentor.named_parameters()) == attention
    dead = dead_after_two_steps(gan, channels)
    assert dead == {name: set() for name in gan.networks}


@pytest.mark.parametrize("loss", OBJECTIVES)
def test_of_every_objective(loss):
    torch.manual_seed(0)
    gan = SegmentationGAN(replace(METHODS["masked"], loss=loss, width=4))
    assert dead_after_two_steps(gan, 1) == {"segmentor": set(), "critic": set()}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("adversarial", ADVERSARIAL)
def test_of_synthesis(adversarial, attention, channels):
    torch.manual_seed(0)
    gan = SynthesisGAN(SynthesisSettings(adversarial=adversarial, width=4, attention=attention), channels)
    for network in gan.networks.values():
        assert any("gamma" in name for name, _ in network.named_parameters()) == attention
    past_the_margins(gan.critic)
    dead = dead_after_two_steps(gan, channels)
    assert dead == {"generator": set(), "critic": set()}


def test_without_norm_nothing_is_dead_and_what_is_would_be_found():
    torch.manual_seed(0)
    gan = SegmentationGAN(replace(METHODS["masked"], width=4), norm=False)
    nn.init.constant_(gan.segmentor.unet.attention.gamma, 0.5)  # activations without norm are small
    assert dead_after_two_steps(gan, 1) == {"segmentor": set(), "critic": set()}
    gan.segmentor.unused = nn.Parameter(torch.zeros(1))
    assert dead_after_two_steps(gan, 1) == {"segmentor": {"unused"}, "critic": set()}
