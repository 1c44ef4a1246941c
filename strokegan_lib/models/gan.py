"""What the training loop asks of a GAN."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from strokegan_lib.data.batches import Batch

# (name of a network, or names of several, their loss): one step of their optimisers
Update = Callable[[str | tuple[str, ...], Tensor], None]


@dataclass(frozen=True)
class OptimiserConfig:
    """Adam's settings for one network.

    A first decay of .5 (DCGAN, pix2pix) or 0 (SAGAN) steadies a game in which the other player moves on as well.
    """

    learning_rate: float  # at its highest; the loop lets it climb at first and then fall to 0
    betas: tuple[float, float] = (0.9, 0.999)  # decay of Adam's two moments


def adam(generator: float, critic: float, betas: tuple[float, float]) -> dict[str, OptimiserConfig]:
    """Learning rates of two players."""
    return {"generator": OptimiserConfig(generator, betas), "critic": OptimiserConfig(critic, betas)}


class GAN(Protocol):
    """Networks that learn together. The loop knows no more of them than this."""

    networks: dict[str, nn.Module]  # by name; the first is the one that is kept and averaged
    optimisers: dict[str, OptimiserConfig]  # by the same names

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch.

        Args:
            networks: ``self.networks`` as the loop has wrapped them for its device and processes.
            batch: image (B, C, H, W), 0..1, and its masks, stroke and foreground (B, 1, H, W), 0/1.
            update: called as update(name, loss): one step of that network's optimiser.

        Returns:
            scalars for the record; collapse shows in 'critic' and 'spread', the standard deviation of what is made.
        """
        ...


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through a network without collecting any for its parameters."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
