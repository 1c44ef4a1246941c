"""The moving average against a plain loop in double precision."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from strokegan_lib.models.critic import Critic
from strokegan_lib.training.average import Average


def wander(network: nn.Module) -> None:
    """A step in no particular direction, batch statistics included."""
    with torch.no_grad():
        for p in network.parameters():
            p.add_(torch.randn_like(p))
        for b in network.buffers():
            b.add_(torch.ones_like(b) if not b.is_floating_point() else torch.rand_like(b))


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("spectral", [True, False])
def test_equals_a_loop_in_double_precision(decay, spectral):
    torch.manual_seed(0)
    network = Critic(1, width=4, attention=spectral, spectral=spectral).to(memory_format=torch.channels_last)
    expected = {name: p.detach().double().clone() for name, p in network.named_parameters()}
    average = Average(network, decay)
    for step in range(30):
        wander(network)
        average.update(network, step)
        kept = min(decay, (1 + step) / (10 + step))  # .1, 2/11, 3/12, ...
        for name, p in network.named_parameters():
            expected[name] = kept * expected[name] + (1 - kept) * p.detach().double()
    for name, p in average.network.named_parameters():
        assert torch.allclose(p.double(), expected[name], rtol=1e-5, atol=1e-5), name
    buffers = dict(network.named_buffers())
    assert buffers and all(torch.equal(b, buffers[name]) for name, b in average.network.named_buffers())


def test_is_a_copy_that_never_trains():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout2d())
    average = Average(network, 0.9)
    assert network.training and not any(m.training for m in average.network.modules())
    assert not any(p.requires_grad for p in average.network.parameters())
    before = network[0].weight.detach().clone()
    wander(network)
    assert torch.equal(average.network[0].weight, before)  # until it is told


def test_forgets_the_random_start_soon():
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 1000.0)
    average = Average(network, 0.99)
    nn.init.constant_(network.weight, 1.0)
    for step in range(20):
        average.update(network, step)
    assert float(average.network.weight.detach()) == pytest.approx(1, abs=0.01)
