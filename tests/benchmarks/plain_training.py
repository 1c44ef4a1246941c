"""Training steps as they are usually written: the kit's networks and losses, nothing else of it.

float32, tensors in PyTorch's own order, the N x N map in attention, one Adam call a tensor,
every loss fetched at every step, slices read from a memory map and augmented one by one.
The game is the same (one fake for both turns, a frozen critic in the second), so what is
measured is how it is computed and not what.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from plain import PlainSlices
from plain_attention import use_plain_attention
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from turns import Steps, synchronise

from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batch
from strokegan_lib.models.gan import GAN
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.synthesis import SynthesisGAN, SynthesisSettings

WORKERS = (0, 2)  # of a DataLoader; the faster is taken
TRIED = 2  # steps to find out which


def make_gan(method: str, width: int) -> GAN:
    """One of the segmentation methods, or 'synthesis', for slices with one channel."""
    torch.manual_seed(0)
    if method == "synthesis":
        return SynthesisGAN(SynthesisSettings(width=width))
    return SegmentationGAN(replace(METHODS[method], width=width))


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class PlainTraining:
    """A plain loop around a GAN of the kit."""

    def __init__(self, method: str, width: int) -> None:
        self.gan = make_gan(method, width)
        self.adams = {}
        for name, network in self.gan.networks.items():
            use_plain_attention(network.to(device()))
            how = self.gan.optimisers[name]
            self.adams[name] = torch.optim.Adam(
                network.parameters(), how.learning_rate, how.betas, foreach=False, fused=False
            )

    def step(self, slices: list[Tensor]) -> dict[str, float]:
        """One turn of each player; slices as ``PlainSlices`` gives them, collated."""
        planes = (part.to(device(), non_blocking=True) for part in slices)
        losses = self.gan.step(self.gan.networks, Batch(*planes, torch.empty(0)), self._update)
        return {name: loss.item() for name, loss in losses.items()}

    def _update(self, name: str, loss: Tensor) -> None:
        self.adams[name].zero_grad()
        loss.backward()
        self.adams[name].step()


def plain_training(folder: Path, method: str, width: int, size: int) -> tuple[Steps, str]:
    """A plain loop over batches of *size* slices, ready to be measured."""
    training, data = PlainTraining(method, width), PlainSlices(folder, Augmentation())
    return with_faster_loader(training.step, data, DataLoader, size)


def with_faster_loader(step: Any, data: Dataset, loader: type[DataLoader], size: int) -> tuple[Steps, str]:
    """Steps with a loader that has as many workers as suits the machine best."""
    seconds, ways = {}, {}
    for workers in WORKERS:
        ways[workers] = _steps(step, data, loader, size, workers)
        ways[workers](1)
        start = time.perf_counter()
        ways[workers](TRIED)
        seconds[workers] = time.perf_counter() - start
    best = min(seconds, key=seconds.get)
    del ways  # and with it the workers that were too many or too few
    return _steps(step, data, loader, size, best), f"{best} workers"


def _steps(step: Any, data: Dataset, loader: type[DataLoader], size: int, workers: int) -> Steps:
    batches = _endless(
        loader(
            data,
            batch_size=size,
            shuffle=True,
            drop_last=True,
            num_workers=workers,
            # as in a script of one's own: a spawned process would spawn, which starts slowly
            multiprocessing_context=multiprocessing.get_all_start_methods()[0] if workers else None,
            persistent_workers=workers > 0,
            pin_memory=torch.cuda.is_available(),
        )
    )

    def steps(count: int) -> None:
        for _ in range(count):
            step(next(batches))
        synchronise()

    return steps


def _endless(loader: DataLoader) -> Iterator[Any]:
    while True:
        yield from loader
