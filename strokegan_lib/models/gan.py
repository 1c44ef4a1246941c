"""What the loop asks of a GAN, and what the two GANs share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from strokegan_lib.data.batches import Batch

# (name of a network, or names of several, their loss): one step of their optimisers
Update = Callable[[str | tuple[str, ...], Tensor], None]


@dataclass(frozen=True)
class Rate:
    """How one network learns.

    Attributes:
        peak: Adam's learning rate at its highest.
        betas: Adam's memories; a first one of .5 (DCGAN, pix2pix) or 0 (SAGAN) calms a game of two players.
    """

    peak: float
    betas: tuple[float, float] = (0.9, 0.999)


class GAN(Protocol):
    """Networks that learn together. The loop knows no more of them than this.

    Attributes:
        networks: by name; the first is the one that is kept and averaged.
        rates: how each of them learns.
    """

    networks: dict[str, nn.Module]
    rates: dict[str, Rate]

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]: ...


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through a network without collecting any for its parameters."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
