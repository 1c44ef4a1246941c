"""What the tests of learning share: the same measure for a run of a minute and a run of an hour."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from strokegan_lib.data.augment import UNCHANGED, Augmentation
from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.measure import THRESHOLDS, measure
from strokegan_lib.evaluation.overlap import Counts, best_threshold
from strokegan_lib.models.gan import GAN
from strokegan_lib.training.loop import Loop, Settings
from strokegan_lib.training.precision import accelerator


def with_stroke(slices: SliceSet, *splits: str) -> Batches:
    """The slices of these splits that show a stroke, for scoring."""
    rows = np.concatenate([slices.of_split(split) for split in splits])
    return Batches(slices, np.sort(rows[slices.table["has_stroke"][rows] == 1]), size=32)


def train(
    gan: GAN, slices: SliceSet, *, steps: int, size: int, lesion_share: float, rate: float, augment: bool
) -> nn.Module:
    """The averaged network after a run on the training patients, in fp32."""
    batches = Batches(
        slices, slices.of_split("train"), size=size, lesion_share=lesion_share,
        augmentation=Augmentation() if augment else UNCHANGED,
    )  # fmt: skip
    settings = Settings(steps, rate=rate)
    return Loop(gan, batches, settings, accelerator("fp32"), bar=False).run().network


def threshold_and_counts(segmentor: nn.Module, slices: SliceSet) -> tuple[float, Counts, Counts]:
    """The best threshold on validation patients, and what it finds on them and on test patients."""
    validation = measure(segmentor.eval(), with_stroke(slices, "validation"))
    threshold, k = best_threshold(validation, THRESHOLDS)
    return threshold, validation[k], measure(segmentor, with_stroke(slices, "test"))[k]


def held_out(slices: SliceSet) -> Batch:
    """All validation and test slices with a stroke, as one batch."""
    batches = with_stroke(slices, "validation", "test")
    parts = list(batches.in_order())
    names = ("image", "stroke", "foreground", "index")
    return Batch(*(torch.cat([getattr(part, name) for part in parts]) for name in names))


def mean_picture(slices: SliceSet) -> Tensor:
    """(128, 128): at each pixel the mean brightness of the training slices that have tissue there."""
    rows = slices.of_split("train")
    brightness = torch.from_numpy(slices.images[rows, 0].sum(0, dtype=np.float64)) / 255
    tissue = torch.from_numpy(slices.foreground[rows].sum(0, dtype=np.float64))
    everywhere = brightness.sum() / tissue.sum()  # for a pixel that no training slice has seen
    return torch.where(tissue > 0, brightness / tissue.clamp(min=1), everywhere).float()


def error_inside(picture: Tensor, truth: Tensor, mask: Tensor) -> float:
    """Mean absolute difference over the pixels of *mask*, all slices together."""
    return float(((picture - truth).abs() * mask).sum() / mask.sum())


def moved(batch: Batch) -> tuple[Tensor, Tensor]:
    """The strokes mirrored to the other half of the brain, and which slices leave room for that.

    Returns:
        masks (B, 1, H, W), inside the foreground and beside the true stroke; (B,) bool, where
        at least half of the stroke, and 20 pixels, found a place.
    """
    mask = batch.stroke.flip(-1) * batch.foreground * (1 - batch.stroke)
    pixels, before = (m.sum((1, 2, 3)) for m in (mask, batch.stroke))
    return mask, (pixels >= 20) & (pixels >= before / 2)


def brightness(picture: Tensor, mask: Tensor) -> Tensor:
    """Mean brightness of each slice inside its mask, (B,)."""
    return (picture * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)


def contrast(batch: Batch) -> Tensor:
    """How much brighter each true stroke is than the tissue on the same place of the other side, (B,)."""
    mirrored, _ = moved(batch)
    return brightness(batch.image, batch.stroke) - brightness(batch.image, mirrored)


def contrast_that_moves(generator: nn.Module, batch: Batch) -> tuple[float, float]:
    """Asked for the stroke on the other side, what the generator adds there and takes away here.

    Returns:
        both as shares of the true contrast, means over the slices that leave room.
    """
    mask, room = moved(batch)
    with torch.inference_mode():
        here, there = (generator.eval()(m, batch.foreground) for m in (batch.stroke, mask))
    added = brightness(there, mask) - brightness(here, mask)
    taken = brightness(here, batch.stroke) - brightness(there, batch.stroke)
    true = contrast(batch)[room].mean()
    return float(added[room].mean() / true), float(taken[room].mean() / true)
