"""Which slices make up batch *t*: a function of the seed and *t* alone.

So a run that stops at step 700 goes on with batch 700, whatever came before, and
process r of w asks for step t * w + r and shares no batch with the others.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np


class Deck:
    """Cards dealt from a shuffled deck, which is shuffled anew each time it is used up.

    Every card is seen once before any is seen twice.

    Args:
        cards: (n,) what is dealt, n > 0.
        key: non-negative whole numbers; the same key deals the same cards.
    """

    def __init__(self, cards: np.ndarray, key: tuple[int, ...]) -> None:
        self.cards, self.key = np.asarray(cards), key
        self._shuffled: tuple[int, np.ndarray] = (-1, self.cards)  # (epoch, order): the last one, kept

    def deal(self, first: int, count: int) -> np.ndarray:
        """Cards number *first* to *first* + *count* - 1 of the endless deal, (count,)."""
        hands = []
        while count > 0:
            epoch, start = divmod(first, len(self.cards))
            hand = self._order(epoch)[start : start + count]
            hands.append(hand)
            first, count = first + len(hand), count - len(hand)
        return np.concatenate(hands) if hands else self.cards[:0]

    def _order(self, epoch: int) -> np.ndarray:
        if self._shuffled[0] != epoch:
            self._shuffled = (epoch, np.random.default_rng((*self.key, epoch)).permutation(self.cards))
        return self._shuffled[1]


class Sampler:
    """Choose the slices of each batch.

    Plain sampling deals all slices from one deck. Oversampling deals from two, slices
    with and without stroke, in a fixed ratio: after t batches exactly
    floor(t * size * lesion_share) slices with stroke have been dealt, so the ratio does
    not fluctuate as it would if each slice were drawn by chance.

    Args:
        has_stroke: (n,) bool or 0/1, for each slice to choose from.
        size: slices a batch.
        seed: a non-negative whole number.
        lesion_share: share of slices with stroke, 0..1, to three decimals; None for plain sampling.

    Raises:
        ValueError: nothing to choose from, no slice of a kind that is asked for, or a
            number out of range.
    """

    def __init__(
        self, has_stroke: np.ndarray, size: int, seed: int = 0, lesion_share: float | None = None
    ) -> None:
        has_stroke = np.asarray(has_stroke, dtype=bool)
        if size < 1 or seed < 0:
            raise ValueError(f"size must be 1 or more and seed 0 or more, not {size} and {seed}")
        if not len(has_stroke):
            raise ValueError("no slice to choose from")
        self.size, self.seed, self.share = size, seed, None
        self.plain = Deck(np.arange(len(has_stroke)), (seed, 0))
        if lesion_share is None:
            return
        if not 0 <= lesion_share <= 1:
            raise ValueError(f"lesion_share must be 0..1, not {lesion_share}")
        self.share = Fraction(lesion_share).limit_denominator(1000)  # so that .3 is 3/10, not .29999...
        with_stroke, without = np.flatnonzero(has_stroke), np.flatnonzero(~has_stroke)
        if self.share > 0 and not len(with_stroke):
            raise ValueError("no slice with stroke to choose from")
        if self.share < 1 and not len(without):
            raise ValueError("no slice without stroke to choose from")
        self.lesions, self.others = Deck(with_stroke, (seed, 1)), Deck(without, (seed, 2))

    def draw(self, step: int) -> np.ndarray:
        """The slices of batch *step* (0, 1, ...), (size,) int64 positions in *has_stroke*."""
        first = step * self.size
        if self.share is None:
            return self.plain.deal(first, self.size)
        before, after = int(first * self.share), int((first + self.size) * self.share)  # slices with stroke
        batch = np.concatenate(
            [
                self.lesions.deal(before, after - before),
                self.others.deal(first - before, self.size - (after - before)),
            ]
        )
        return np.random.default_rng((self.seed, 3, step)).permutation(batch)
