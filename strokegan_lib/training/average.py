"""The moving average of a network's weights: steadier than the network itself.

A GAN does not settle: its players circle each other. The average of the places they pass through lies nearer the
middle (Yazıcı et al., The Unusual Effectiveness of Averaging in GAN Training, ICLR 2019).
"""

import copy

import torch
from torch import nn


class Average:
    """The exponential moving average of a network, a copy that never trains.

    Each update keeps the share *decay*, 0..1, of the old average; early ones keep less, (1 + step) / (10 + step), so
    that the random start is soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network, self.decay = copy.deepcopy(network).eval().requires_grad_(False), decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """average = decay * average + (1 - decay) * network, after step number *step* (0, 1, ...)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_([*self.network.parameters()], [*network.parameters()], 1 - decay)
        for mine, current in zip(self.network.buffers(), network.buffers(), strict=True):
            mine.copy_(current)  # batch statistics are moving averages already
