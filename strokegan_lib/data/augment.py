"""Augmentation: every slice is moved, scaled and changed in brightness a little, afresh at each visit.

The draw is made on the host (a few numbers a slice), the work is done on the device for
the whole batch at once: one table look-up, one ``grid_sample`` that carries image and
masks together, a few passes of arithmetic. Taught in notebook 01.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from strokegan_lib.data.windows import DARKEST

BANK = 1 << 18  # normal numbers kept for noise: 1 MB, a quarter of a million places to start reading


@dataclass(frozen=True)
class Augmentation:
    """How far a slice may be changed; 0 switches a change off.

    Geometry is drawn once a slice, intensity once a channel of a slice: the channels of a
    scan lie on one grid but each has a brightness of its own.
    """

    mirror: float = 0.5  # probability of left-right: strokes fall left and right equally often
    rotation: float = 10.0  # +- degrees: how far heads lie askew in the scanner
    scale: float = 0.10  # +- share of the size: adult heads differ in length by about a tenth
    shear: float = 0.05  # +- : a tilted head cut by a straight plane; more would look deformed
    shift: float = 4.0  # +- pixels: the padding around most brains, so that little is cut off
    gain: float = 0.10  # +- share of the brightness: the window's top depends on the lesion's own
    gamma: float = 0.20  # exponent between 1/1.2 and 1.2: scanners and sequences differ in contrast
    bias: float = 0.10  # +- share from the middle to the edge: coils receive unevenly
    noise: float = 0.02  # up to this standard deviation, of the full range: 5 grey values of 255

    def draw(self, rng: np.random.Generator, n: int, channels: int) -> Draw:
        """Draw changes for *n* slices; the same state of *rng* gives the same changes."""

        def within(reach: float, *shape: int) -> np.ndarray:
            return rng.uniform(-reach, reach, shape)

        flip = np.where(rng.random(n) < self.mirror, -1.0, 1.0)
        angle = np.deg2rad(within(self.rotation, n))
        size = (1 + self.scale) ** within(1, n)  # as often 1.1 times as 1/1.1 times
        cos, sin, shear = np.cos(angle) * size, np.sin(angle) * size, within(self.shear, n)
        matrix = np.empty((n, 2, 3))
        matrix[:, 0, 0], matrix[:, 0, 1] = flip * cos, flip * (shear * cos - sin)
        matrix[:, 1, 0], matrix[:, 1, 1] = sin, cos + shear * sin
        matrix[:, :, 2] = within(self.shift, n, 2)
        return Draw(
            matrix=matrix,
            gain=(1 + self.gain) ** within(1, n, channels),
            gamma=(1 + self.gamma) ** within(1, n, channels),
            bias=within(self.bias, n, channels, 2),
            noise=rng.uniform(0, self.noise, (n, channels)),
            start=rng.integers(0, BANK, (n, channels)),
        )


UNCHANGED = Augmentation(mirror=0, rotation=0, scale=0, shear=0, shift=0, gain=0, gamma=0, bias=0, noise=0)
# for generators: a turned slice is a blurred slice, and a generator learns what it is shown
MIRROR = Augmentation(rotation=0, scale=0, shear=0, shift=0, gain=0, gamma=0, bias=0, noise=0)


@dataclass(frozen=True)
class Draw:
    """The changes drawn for a batch of B slices with C channels (NumPy, on the host).

    Attributes:
        matrix: (B, 2, 3) where a pixel of the new picture is found in the old one:
            (column, row) of the old = matrix @ (column, row, 1) of the new, in pixels
            from the picture's middle.
        gain, gamma: (B, C) brightness becomes gain * brightness ** gamma.
        bias: (B, C, 2) brightness is multiplied by 1 + bias[0] * x + bias[1] * y,
            x and y from -1 to 1 over columns and rows.
        noise: (B, C) standard deviation of the noise; the full range is 1.
        start: (B, C) int64, where in the bank of noise to start reading.
    """

    matrix: np.ndarray
    gain: np.ndarray
    gamma: np.ndarray
    bias: np.ndarray
    noise: np.ndarray
    start: np.ndarray


def _lines(draw: Draw, height: int, width: int) -> dict[str, np.ndarray]:
    """What the device needs, as lines: an affine map, of places or of brightness, is a
    part that depends on the column plus a part that depends on the row.

    Returns:
        tones (B, C, 256): the brightness that each byte becomes, 256 powers in place of 16,384;
        across (B, 1, W) and down (B, H, 1), complex: their sum x + iy is the grid that
        ``F.grid_sample(..., align_corners=False)`` wants, -1..1 (what ``F.affine_grid``
        makes, but exact where nothing moves and, on a CPU, many times as fast);
        bias_across (B, C, 1, W), bias_down (B, C, H, 1); noise (B, C, 1, 1);
        start (B, C). float32, complex64 and int64.
    """
    x, y = _centres(width), _centres(height)
    half = np.array([width / 2, height / 2])
    to_column, to_row, shift = (draw.matrix[:, :, k] / half @ (1, 1j) for k in range(3))  # (B,) each
    slope = draw.bias[..., None, None]  # (B, C, 2, 1, 1)
    across = (to_column[:, None] * (x * half[0]))[:, None, :]
    down = (to_row[:, None] * (y * half[1]) + shift[:, None])[:, :, None]
    tones = draw.gain[..., None] * (np.arange(256) / 255) ** draw.gamma[..., None]
    return {
        "across": across.astype(np.complex64),
        "down": down.astype(np.complex64),
        "tones": tones.astype(np.float32),
        "bias_across": (1 + slope[:, :, 0] * x).astype(np.float32),
        "bias_down": (slope[:, :, 1] * y[:, None]).astype(np.float32),
        "noise": draw.noise[..., None, None].astype(np.float32),
        "start": draw.start,
    }


def _centres(n: int) -> np.ndarray:
    """Centres of n pixels that fill -1..1, (n,)."""
    return (2 * np.arange(n) + 1) / n - 1


@lru_cache(maxsize=8)
def noise_bank(device: torch.device, pixels: int) -> Tensor:
    """Standard normal numbers, (BANK, pixels): row k is the bank read from its number k on.

    Drawing a fresh number for every pixel would take longer than all other intensity
    changes together. The rows overlap in memory: 1 MB, however many there are.
    """
    numbers = np.random.default_rng(0).standard_normal(BANK + pixels - 1, dtype=np.float32)
    return torch.from_numpy(numbers).to(device).unfold(0, pixels, 1)


def augment(images: Tensor, stroke: Tensor, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
    """Change a batch, image and masks alike.

    A new pixel is foreground, or stroke, where that mask covers half of it or more; its
    brightness is the average over the foreground only, so that edges do not darken. It is
    the rule by which slices were made (see resample.py).

    Args:
        images: (B, C, H, W) uint8, 8..255 in the foreground, 0 elsewhere.
        stroke: (B, H, W) uint8, 0/1, on the same device.
        draw: what to change, B rows.

    Returns:
        image (B, C, H, W) float32 in [0, 1]: 8/255 or more in the foreground, 0 elsewhere;
        stroke (B, 1, H, W) and foreground (B, 1, H, W), float32, 0/1, stroke inside foreground.
    """
    b, c, h, w = images.shape
    lines = {
        name: torch.from_numpy(line).to(images.device, non_blocking=True)
        for name, line in _lines(draw, h, w).items()
    }
    toned = torch.gather(lines["tones"], 2, images.reshape(b, c, h * w).long()).view(b, c, h, w)
    planes = torch.cat([toned, stroke[:, None], images[:, :1].clamp(max=1)], 1)  # (B, C+2, H, W)
    grid = torch.view_as_real(lines["across"] + lines["down"])  # (B, H, W, 2)
    planes = F.grid_sample(planes, grid, align_corners=False)  # (B, C+2, H, W)

    share = planes[:, c + 1 :]  # of foreground, (B, 1, H, W)
    foreground = (share >= 0.5).float()
    stroke = (planes[:, c : c + 1] >= 0.5) * foreground  # rounding might let a pixel stick out
    image = planes[:, :c] / share.clamp(min=0.5)  # (B, C, H, W); less is not foreground
    image *= lines["bias_across"] + lines["bias_down"]  # (B, C, 1, W) + (B, C, H, 1)
    noise = noise_bank(images.device, h * w).index_select(0, lines["start"].view(-1)).view(b, c, h, w)
    image.addcmul_(noise, lines["noise"])
    return image.clamp_(DARKEST / 255, 1) * foreground, stroke, foreground
