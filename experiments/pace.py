"""What a training step costs on this machine."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from torch import Tensor

from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.models.family.progressive import PHASES, Growing
from strokegan_lib.models.gan import GAN, Update
from strokegan_lib.training.loop import Loop, Settings


class Timed:
    """A GAN whose steps are timed, from the batch to the last optimiser's step.

    Attributes:
        seconds: of every step, of the processor and not of the clock: who else is at work does not count.
    """

    def __init__(self, gan: GAN) -> None:
        self.gan, self.networks, self.optimisers = gan, gan.networks, gan.optimisers
        self.seconds: list[float] = []

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        start = time.process_time()
        losses = self.gan.step(networks, batch, update)
        self.seconds.append(time.process_time() - start)
        return losses


def step_seconds(gan: GAN, batches: Batches, count: int = 7) -> float:
    """Median seconds of a processor for a step; the first is left out, since it makes room for the others.

    Networks that grow are timed when they have grown, at their dearest. They learn from it: hand
    over a GAN that is not needed any more.

    Args:
        gan: untrained or trained, on the CPU.
        batches: of the size whose price is asked.
        count: steps timed, 1 or more.
    """
    for network in gan.networks.values():
        if isinstance(network, Growing):
            network.grow(PHASES)
    timed = Timed(gan)
    Loop(timed, batches, Settings(count + 1), bar=False).run()
    return float(np.median(timed.seconds[1:]))
