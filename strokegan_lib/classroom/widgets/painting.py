"""What a generator makes of the foreground of a slice and a stroke of one's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.synthetic import paint
from strokegan_lib.models.synthesis import Generator


@dataclass(frozen=True)
class Answer:
    """A synthetic slice and what it was asked for.

    Attributes:
        picture: (H, W) uint8, the first channel.
        stroke: (H, W) bool, the part of the mask inside the foreground, which the generator is given.
        outside: pixels of the rest.
        before, after: mean brightness under the mask, 0..1, in the slice made without stroke and in
            this one; None where the mask is empty.
    """

    picture: np.ndarray
    stroke: np.ndarray
    outside: int
    before: float | None = None
    after: float | None = None


class Painting:
    """Slices of a data set made anew with any stroke; each without stroke only once.

    Args:
        generator: in eval mode, as ``load_weights`` gives it.
        slices: the data set; the generator is given its foreground masks.

    Raises:
        ValueError: a generator in training mode: its dropout makes other pictures of the same mask.
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
            self.healthy[index] = self._paint(np.zeros_like(foreground), foreground)
        before, stroke = self.healthy[index], mask & foreground
        outside = int((mask & ~foreground).sum())
        if not stroke.any():
            return Answer(before, stroke, outside)
        after = self._paint(stroke, foreground)
        return Answer(
            after, stroke, outside, float(before[stroke].mean()) / 255, float(after[stroke].mean()) / 255
        )

    def _paint(self, stroke: np.ndarray, foreground: np.ndarray) -> np.ndarray:
        """(H, W) uint8; a generator that draws styles draws the same one each time."""
        return paint(self.generator, stroke[None], foreground[None])[0, 0]
