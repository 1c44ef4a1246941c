"""Which slices make up batch *t*: a function of the seed and *t* alone.

So a run that stops at step 700 goes on with batch 700, whatever came before, and
process r of w asks for step t * w + r and shares no batch with the others.
"""

from fractions import Fraction
from functools import lru_cache

import numpy as np


class ShuffledIndices:
    """An endless sequence in which every index comes once before any comes twice, in a new order each epoch.

    The same *key*, non-negative whole numbers, gives the same sequence.
    """

    def __init__(self, indices: np.ndarray, key: tuple[int, ...]) -> None:
        self.indices, self.key = np.asarray(indices), key
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def take(self, first: int, count: int) -> np.ndarray:
        """Numbers *first* to *first* + *count* - 1 of the sequence, (count,)."""
        if not count:
            return self.indices[:0]
        epoch, start = divmod(first, len(self.indices))
        epochs = range(epoch, (first + count) // len(self.indices) + 1)
        return np.concatenate([self._order(e) for e in epochs])[start : start + count]

    def _shuffled(self, epoch: int) -> np.ndarray:
        return np.random.default_rng((*self.key, epoch)).permutation(self.indices)


class Sampler:
    """Choose the slices of each batch. Taught in notebook 01.

    Plain sampling takes all slices in one shuffled sequence. Oversampling takes from two, slices with and
    without stroke, in a ratio that does not fluctuate as it would if each slice were drawn by chance: after
    t batches exactly floor(t * size * lesion_share) slices with stroke have been taken.

    Args:
        has_stroke: (n,) bool or 0/1, for each slice to choose from; LookupError where there is none, or none
            of a kind that is asked for.
        seed: a non-negative whole number.
        lesion_share: share of slices with stroke, to three decimals; ValueError beyond 0..1; None for plain
            sampling.
    """

    def __init__(
        self, has_stroke: np.ndarray, size: int, seed: int = 0, lesion_share: float | None = None
    ) -> None:
        has_stroke = np.asarray(has_stroke, dtype=bool)
        if not len(has_stroke):
            raise LookupError("no slice to choose from")
        self.size, self.seed, self.share = size, seed, None
        self.plain = ShuffledIndices(np.arange(len(has_stroke)), (seed, 0))
        if lesion_share is None:
            return
        if not 0 <= lesion_share <= 1:
            raise ValueError(f"lesion_share must be 0..1, not {lesion_share}")
        self.share = Fraction(lesion_share).limit_denominator(1000)  # so that .3 is 3/10, not .29999...
        if self.share > 0 and not has_stroke.any():
            raise LookupError("no slice with stroke to choose from")
        if self.share < 1 and has_stroke.all():
            raise LookupError("no slice without stroke to choose from")
        self.lesions = ShuffledIndices(np.flatnonzero(has_stroke), (seed, 1))
        self.others = ShuffledIndices(np.flatnonzero(~has_stroke), (seed, 2))

    def draw(self, step: int) -> np.ndarray:
        """The slices of batch *step* (0, 1, ...), (size,) int64 positions in *has_stroke*."""
        first = step * self.size
        if self.share is None:
            return self.plain.take(first, self.size)
        before, after = int(first * self.share), int((first + self.size) * self.share)  # slices with stroke
        lesions = self.lesions.take(before, after - before)
        others = self.others.take(first - before, self.size - len(lesions))
        batch = np.concatenate([lesions, others])
        return np.random.default_rng((self.seed, 3, step)).permutation(batch)
