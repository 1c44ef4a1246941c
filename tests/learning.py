"""What networks have learnt, measured on patients that they never saw."""

from __future__ import annotations

import numpy as np
import torch

from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.measure import THRESHOLDS, measure
from strokegan_lib.evaluation.overlap import best_threshold
from strokegan_lib.training.gan import GAN
from strokegan_lib.training.loop import Loop, Settings
from strokegan_lib.training.precision import accelerator
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.synthesis import Recipe, SynthesisGAN


def trained(gan: GAN, slices: SliceSet, steps: int, rate: float) -> torch.nn.Module:
    """The averaged network after *steps* steps of 16 slices, fp32."""
    batches = Batches(
        slices, slices.of_split("train"), size=16, augmentation=Augmentation(), lesion_share=0.5
    )
    settings = Settings(steps=steps, rate=rate, validations=0)
    return Loop(gan, batches, settings, accelerator("fp32"), bar=False).run().network


def segmentation_gan(method: str, width: int) -> SegmentationGAN:
    torch.manual_seed(0)
    return SegmentationGAN(METHODS[method], width=width)


def held_out_dice(segmentor: torch.nn.Module, slices: SliceSet) -> tuple[float, int]:
    """Mean Dice over the test patients' lesion slices at validation's threshold, and how many they are."""
    by_split = {
        split: measure(segmentor, Batches(slices, slices.of_split(split), size=64))
        for split in ("validation", "test")
    }
    _, k = best_threshold(by_split["validation"], THRESHOLDS)
    test = by_split["test"][k]
    return float(test[test.lesion()].dice().mean()), int(test.lesion().sum())


def synthesis_gan(width: int) -> SynthesisGAN:
    torch.manual_seed(0)
    return SynthesisGAN(Recipe(), width=width)


def painted(generator: torch.nn.Module, slices: SliceSet) -> dict[str, float]:
    """The generator on the held-out lesion slices: errors of brightness inside the foreground
    (its own, and that of the per-pixel mean training image), and what moving the stroke mask to
    the other side moves, as a share of the true contrast between the two sides."""
    train = slices.of_split("train")
    inside = slices.foreground[train].astype(bool)
    mean = (slices.images[train][:, 0] / 255.0 * inside).sum(0) / np.maximum(inside.sum(0), 1)  # (H, W)
    rows = np.concatenate([slices.of_split("validation"), slices.of_split("test")])
    rows = rows[slices.table["has_stroke"][rows] != 0]
    planes = (slices.images[rows][:, 0] / 255.0, slices.stroke[rows], slices.foreground[rows])
    image, stroke, foreground = (torch.from_numpy(plane).float()[:, None] for plane in planes)  # (B, 1, H, W)
    other = stroke.flip(3) * foreground * (1 - stroke)  # where the stroke would be on the other side
    with torch.no_grad():
        fake, moved, healthy = (generator(mask, foreground) for mask in (stroke, other, 0 * stroke))

    def inside_mask(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return (values * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)  # (B,)

    seen = other.sum((1, 2, 3)) >= 20  # pixels; fewer say nothing
    contrast = (inside_mask(image, stroke) - inside_mask(image, other))[seen].mean()
    gain = inside_mask(moved - healthy, other)[seen].mean()
    mean_image = torch.from_numpy(mean).float()
    return {
        "error": float(inside_mask((fake - image).abs(), foreground).mean()),
        "error of the mean image": float(inside_mask((mean_image - image).abs(), foreground).mean()),
        "moved": float(gain / contrast),
        "slices": len(rows),
    }
