"""The moving average against a plain loop in double precision."""

import pytest
import torch
from torch import nn

from strokegan_lib.training.average import Average


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_equals_a_loop_in_double_precision(decay):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout2d())
    network.to(memory_format=torch.channels_last)
    average = Average(network, decay)
    assert network.training and not any(m.training for m in average.network.modules())
    expected = {name: p.detach().double().clone() for name, p in network.named_parameters()}
    for step in range(30):
        for p in network.parameters():
            p.data.add_(torch.randn_like(p))
        network(torch.randn(2, 1, 8, 8))  # batch statistics change too
        average.update(network, step)
        kept = min(decay, (1 + step) / (10 + step))  # .1, 2/11, 3/12, ...: the random start is forgotten soon
        for name, p in network.named_parameters():
            expected[name] = kept * expected[name] + (1 - kept) * p.detach().double()
    for name, p in average.network.named_parameters():
        assert torch.allclose(p.double(), expected[name], rtol=1e-5, atol=1e-5), name
        assert not p.requires_grad
    buffers = dict(network.named_buffers())
    assert buffers and all(torch.equal(b, buffers[name]) for name, b in average.network.named_buffers())
