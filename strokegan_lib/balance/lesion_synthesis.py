"""Lesions from networks, for slices that have none: masks made from noise, and pictures painted from masks.

The networks are handed in; nothing here depends on their classes. Taught in notebook 08.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from strokegan_lib.balance.dataset import Augmenter, Plan
from strokegan_lib.balance.transplant import MaskSource, Pixels, onto
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.windows import DARKEST

SIGMA = 1.5  # pixels, of the Gaussian that averages a painted change; chosen by eye on training patients


@dataclass(frozen=True)
class MadeMasks(MaskSource):
    """Strokes that a mask generator makes, moved onto brains that it has not made."""

    # (count, seed) -> strokes and brains, (count, H, W) 0/1 each; ValueError where strokes are rare
    sample: Callable[[int, int], tuple[np.ndarray, np.ndarray]]
    slices: SliceSet  # that gets the strokes

    def propose(self, row: int, rng: np.random.Generator, pixels: Pixels) -> tuple[np.ndarray, float, int]:
        """A stroke at the same place relative to the brain's bounding box; no pixel where strokes are rare."""
        foreground = self.slices.foreground[row] == 1
        try:
            (stroke,), (brain,) = self.sample(1, int(rng.integers(2**31)))
        except ValueError:
            return np.zeros_like(foreground), 1, -1
        moved = onto(stroke, brain, foreground)
        return moved, moved.sum(), -1


@dataclass(frozen=True)
class LesionSynthesiser(Augmenter):
    """A generator paints a mask, transplanted or made.

    To paint a 'slice' takes it whole as painted, which is smooth and no real brain; to paint a 'lesion' makes
    it with the stroke and without, and adds the difference, evened out, to the real slice, near the mask, so
    that the tissue's own texture stays.
    """

    generator: Callable[[Tensor, Tensor], Tensor]  # stroke, foreground (n, 1, H, W) -> (n, C, H, W) in 0..1
    masks: MaskSource
    paint: str = "lesion"  # or "slice"
    pixels: Pixels = None
    name = "gan"

    def plan(self, slices: SliceSet, background: int, rng: np.random.Generator) -> Plan | None:
        return self.masks.place(background, rng, self.pixels)

    def make(self, slices: SliceSet, plans: list[Plan]) -> np.ndarray:
        rows = np.array([plan.background for plan in plans])
        foreground = torch.from_numpy(slices.foreground[rows]).float()[:, None]  # (n, 1, H, W)
        stroke = torch.from_numpy(np.stack([plan.stroke for plan in plans])).float()[:, None]  # (n, 1, H, W)
        with torch.inference_mode():
            random_state = torch.get_rng_state()
            painted = self.generator(stroke, foreground)  # (n, C, H, W)
            if self.paint == "lesion":
                torch.set_rng_state(random_state)  # the same styles again, if the generator draws any
                healthy = self.generator(torch.zeros_like(stroke), foreground)
                near = np.stack([_near(plan.stroke) for plan in plans])[:, None]  # (n, 1, H, W)
                change = (painted - healthy).numpy()  # (n, C, H, W), by the stroke
                changed = near * _smoothed(change, stroke.numpy())  # (n, C, H, W)
                painted = torch.from_numpy(slices.images[rows] / 255 + changed)  # on real tissue
        grey = (255 * painted).round().clamp(DARKEST, 255) * foreground
        return grey.byte().numpy()


def _smoothed(change: np.ndarray, stroke: np.ndarray) -> np.ndarray:
    """The change (n, C, H, W), in the stroke (n, 1, H, W) averaged over near pixels of the stroke; float32.

    This removes folds that only one of the two painted brains has. The average is over the stroke alone, so
    an even change is kept, however small the stroke is.
    """

    def blurred(x: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(x, (0, 0, SIGMA, SIGMA))

    inside = blurred(change * stroke) / np.maximum(blurred(stroke), 1e-6)
    return np.where(stroke == 1, inside, change)


def _near(stroke: np.ndarray) -> np.ndarray:
    """A soft mask: 1 in the stroke, falling to 0 within a few pixels around it, (H, W) float32."""
    wide = ndimage.binary_dilation(stroke, iterations=2)
    return np.maximum(ndimage.gaussian_filter(wide.astype(np.float32), 1.0), stroke)
