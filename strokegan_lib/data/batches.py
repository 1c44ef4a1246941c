"""Batches on the device: the slices go there once, as bytes, and never travel again.

A data set of 13,200 slices is 433 MB as bytes; a batch is an index into that tensor and one
call (see augment.py), so that no training step waits for the disk.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from strokegan_lib.data.augment import UNCHANGED, Augmentation, augment
from strokegan_lib.data.sampling import Sampler
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput

CHUNK = 256  # slices read from disk at a time while the set goes to the device


@dataclass(frozen=True)
class Batch:
    """A batch of B slices."""

    image: Tensor  # (B, C, 128, 128) float32: 8/255..1 in the foreground, 0 elsewhere
    stroke: Tensor  # (B, 1, 128, 128) float32, 0/1, inside the foreground
    foreground: Tensor  # (B, 1, 128, 128) float32, 0/1
    index: Tensor  # (B,) int64, on the host: the slices' rows in the SliceSet, to look up its table


class Batches:
    """Endless augmented batches of chosen slices. Taught in notebook 01.

    Batch *t* depends on the settings, the seed and *t* alone: no state to save, and a
    run that resumes at step t asks for batch t. The random numbers are NumPy's, drawn on
    the host from generators of their own, so they are the same on every device.

    Args:
        rows: (n,) which of the slices, such as ``slices.of_split("train")``; BadInput where there is none,
            or none of a kind that *lesion_share* asks for.
        device: where the slices are kept and batches are made.
        seed, lesion_share: as in :class:`Sampler`.
        augmentation: how far slices may be changed; UNCHANGED for not at all.
    """

    def __init__(
        self,
        slices: SliceSet,
        rows: np.ndarray,
        *,
        size: int,
        device: torch.device | str = "cpu",
        seed: int = 0,
        augmentation: Augmentation = UNCHANGED,
        lesion_share: float | None = None,
    ) -> None:
        self.rows = np.asarray(rows, dtype=np.int64)
        self.size, self.seed, self.augmentation = size, seed, augmentation
        try:
            self.sampler = Sampler(slices.table["has_stroke"][self.rows], size, seed, lesion_share)
        except LookupError as error:
            remedy = "choose another split, or a data set with more patients"
            raise BadInput(slices.folder, f"holds {error}", remedy) from error
        n, channels = len(self.rows), slices.images.shape[1]
        # the stroke is one plane more; the foreground is where the image is not 0 and need not be kept
        shape = (n, channels + 1, *slices.images.shape[2:])
        self.planes = torch.empty(shape, dtype=torch.uint8, device=device)
        for start in range(0, n, CHUNK):
            chosen = self.rows[start : start + CHUNK]
            part = np.concatenate([slices.images[chosen], slices.stroke[chosen][:, None]], axis=1)
            self.planes[start : start + CHUNK] = torch.from_numpy(part).to(device)

    def __len__(self) -> int:
        """Batches in which plain sampling shows every slice once (the last one runs on into the next)."""
        return -(-len(self.rows) // self.size)

    def batch(self, step: int) -> Batch:
        """Batch number *step* (0, 1, ...), augmented."""
        rng = np.random.default_rng((self.seed, 4, step))
        return self._make(self.sampler.draw(step), self.augmentation, rng)

    def in_order(self) -> Iterator[Batch]:
        """Every chosen slice once, in order and unchanged, for scoring; the last batch may be smaller."""
        for start in range(0, len(self.rows), self.size):
            positions = np.arange(len(self.rows))[start : start + self.size]
            yield self._make(positions, UNCHANGED, np.random.default_rng(0))

    def _make(self, positions: np.ndarray, augmentation: Augmentation, rng: np.random.Generator) -> Batch:
        chosen = torch.from_numpy(positions).to(self.planes.device, non_blocking=True)
        planes = self.planes.index_select(0, chosen)  # (B, C+1, 128, 128) uint8
        channels = planes.shape[1] - 1
        draw = augmentation.draw(rng, len(positions), channels)
        image, stroke, foreground = augment(planes[:, :channels], planes[:, channels], draw)
        return Batch(image, stroke, foreground, torch.from_numpy(self.rows[positions]))


@dataclass(frozen=True)
class Mixed:
    """Batches from several data sets: batch *t* is batch *t* of every part, one after the other."""

    parts: Sequence[Batches]

    def batch(self, step: int) -> Batch:
        """Batch number *step* (0, 1, ...); its ``index`` counts in each part's own SliceSet."""
        batches = [vars(part.batch(step)) for part in self.parts]
        return Batch(**{name: torch.cat([batch[name] for batch in batches]) for name in batches[0]})
