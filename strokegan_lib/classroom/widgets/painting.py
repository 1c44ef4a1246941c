"""What a generator paints for the foreground of a slice and a stroke of one's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.synthesis import Generator


@dataclass(frozen=True)
class Answer:
    """A painted slice and what it was asked for.

    Attributes:
        picture: (H, W) uint8, the first channel.
        stroke: (H, W) bool, what was asked for inside the foreground.
        outside: pixels that were asked for outside it; the generator is not told of them.
        before, after: mean brightness under the mask, 0..1, painted without stroke and with
            it; None where the mask is empty.
    """

    picture: np.ndarray
    stroke: np.ndarray
    outside: int
    before: float | None
    after: float | None


class Painting:
    """Paints slices of a data set with any stroke; each without stroke only once.

    Args:
        generator: in eval mode, as ``load_weights`` gives it.
        slices: the data set; the generator is given its foreground masks.

    Raises:
        ValueError: a generator in training mode, whose dropout and noise would
            make the same mask give other pictures.
    """

    def __init__(self, generator: Generator, slices: SliceSet) -> None:
        if generator.training:
            raise ValueError("the generator must be in eval mode: call generator.eval()")
        self.generator, self.slices = generator, slices
        self.healthy: dict[int, np.ndarray] = {}  # slice: its picture without stroke

    def answer(self, index: int, mask: np.ndarray) -> Answer:
        """The picture for a slice's foreground and a mask, (H, W) bool."""
        foreground = self.slices.foreground[index].astype(bool)
        if index not in self.healthy:
            self.healthy[index] = self.paint(np.zeros_like(foreground), foreground)
        before, stroke = self.healthy[index], mask & foreground
        outside = int((mask & ~foreground).sum())
        if not stroke.any():
            return Answer(before, stroke, outside, None, None)
        after = self.paint(stroke, foreground)
        return Answer(
            after, stroke, outside, *(float(image[stroke].mean()) / 255 for image in (before, after))
        )

    @torch.inference_mode()
    def paint(self, stroke: np.ndarray, foreground: np.ndarray) -> np.ndarray:
        """First channel of the picture for two masks, (H, W) bool each; (H, W) uint8."""
        device = next(self.generator.parameters()).device
        masks = torch.from_numpy(np.stack([stroke, foreground])).float().to(device)  # (2, H, W)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(
                0
            )  # one style, if the generator draws any: a stroke changes the brain nowhere else
            painted = self.generator(
                masks[:1, None].contiguous(), masks[1:, None].contiguous()
            )  # (1, C, H, W)
        return (255 * painted[0, 0]).round().byte().cpu().numpy()
