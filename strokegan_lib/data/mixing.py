"""Batches from several data sets at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from strokegan_lib.data.batches import Batch, Batches


class Mixed:
    """Batches in which every data set has its own share, whatever its size.

    Batch *t* is batch *t* of every part, one after the other; so it depends on the parts'
    seeds and *t* alone, as in Batches.

    Args:
        parts: one Batches a data set; their sizes add up to the size of a batch.
    """

    def __init__(self, parts: Sequence[Batches]) -> None:
        self.parts = list(parts)

    def batch(self, step: int) -> Batch:
        """Batch number *step* (0, 1, ...); its ``index`` counts in each part's own SliceSet."""
        batches = [part.batch(step) for part in self.parts]
        joined = (
            torch.cat([getattr(b, name) for b in batches])
            for name in ("image", "stroke", "foreground", "index")
        )
        return Batch(*joined)
