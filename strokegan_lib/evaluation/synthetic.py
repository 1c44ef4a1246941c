"""Slices that a generator makes, in the form of the data sets, and its score while it learns."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.windows import DARKEST
from strokegan_lib.errors import Diverged
from strokegan_lib.evaluation.features import features
from strokegan_lib.evaluation.kernel import kernel_distance
from strokegan_lib.models.encoder import Encoder

CHUNK = 64  # slices made at a time
MOST = 256  # slices that a generator makes at each validation: seconds, not minutes


def paint(generator: nn.Module, stroke: np.ndarray, foreground: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Paint slices from masks (n, 128, 128), 0/1: (n, C, 128, 128) uint8, 8..255 in the foreground, 0 elsewhere.

    The generator is in eval mode. The seed is of what it leaves to chance, if anything; torch's own random state
    stays as it was. Raises Diverged where pictures are not numbers.
    """
    masks = [torch.from_numpy(np.array(m))[:, None] for m in (stroke, foreground)]  # (n, 1, 128, 128)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # the CPU's; torch.manual_seed would reach GPUs as well
        return _made(generator, masks, lambda grey, _, inside: grey.clamp(min=DARKEST) * inside)


def sample(generator: nn.Module, n: int, seed: int = 0) -> np.ndarray:
    """Slices that a generator makes of n random z (Z,), Z its attribute ``latent``: (n, 1, 128, 128) uint8.

    What is darker than the darkest tissue is background, 0. The first slices of a longer sample are the same.
    Raises Diverged where pictures are not numbers.
    """
    random = torch.Generator().manual_seed(seed)
    z = torch.stack([torch.randn(generator.latent, generator=random) for _ in range(n)])  # (n, Z)
    return _made(generator, [z], lambda grey, _: grey * (grey >= DARKEST))


@torch.inference_mode()
def _made(
    generator: nn.Module, inputs: list[torch.Tensor], finish: Callable[..., torch.Tensor]
) -> np.ndarray:
    """What a generator makes of its inputs (n, ...), a part at a time, as bytes; *finish* cuts the background."""
    # a network without parameters, as tests have them, is on the CPU
    device = next((p.device for p in generator.parameters()), torch.device("cpu"))
    parts = []
    for given in zip(*(x.split(CHUNK) for x in inputs), strict=True):
        given = [x.float().to(device) for x in given]
        grey = (255 * generator(*given)).round()  # (b, C, 128, 128)
        if not grey.isfinite().all():
            raise Diverged("the generator", "its pictures are not numbers")
        parts.append(finish(grey, *given).byte().cpu().numpy())
    return np.concatenate(parts)


def kernel_validation(
    encoder: Encoder, slices: SliceSet, rows: np.ndarray
) -> Callable[[nn.Module], dict[str, float]]:
    """How a generator is validated while it learns: the kernel distance of what it makes to real slices.

    Args:
        encoder: the shipped one, or figures cannot be compared.
        slices: with one channel.
        rows: validation slices, of which MOST at most are taken, evenly.
    """
    rows = evenly(rows)
    real = features(encoder, torch.from_numpy(slices.images[rows]))  # (n, F)

    def validate(generator: nn.Module) -> dict[str, float]:
        if hasattr(generator, "latent"):
            made = sample(generator, len(rows))
        else:
            made = paint(generator, slices.stroke[rows], slices.foreground[rows])
        distance = kernel_distance(real, features(encoder, torch.from_numpy(made)))
        return {"validation score": -distance, "validation kernel": distance}

    return validate


def evenly(rows: np.ndarray) -> np.ndarray:
    """MOST rows at most, spread evenly over all."""
    return rows[:: max(1, -(-len(rows) // MOST))]


def with_stroke(slices: SliceSet, split: str, fold: int | None = None) -> np.ndarray:
    """Rows of a split's slices that show a stroke."""
    rows = slices.of_split(split, fold)
    return rows[slices.table["has_stroke"][rows] == 1]
