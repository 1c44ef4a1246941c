"""Augmentation: every slice is moved, scaled and changed in brightness a little, afresh at each visit.

The draw is made on the host (a few numbers a slice), the work is done on the device for
the whole batch at once: one table look-up, one ``grid_sample`` that carries image and
masks together, a few passes of arithmetic. Taught in notebook 01.
"""

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

    def draw(self, rng: np.random.Generator, n: int, channels: int) -> "Draw":
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
    """The changes drawn for a batch of B slices with C channels, on the host.

    A pixel of the new picture is found in the old one at (column, row) = matrix @ (column, row, 1),
    in pixels from the picture's middle. Brightness v becomes
    gain * v ** gamma * (1 + bias[0] * x + bias[1] * y) + noise, x and y from -1 to 1.
    """

    matrix: np.ndarray  # (B, 2, 3)
    gain: np.ndarray  # (B, C)
    gamma: np.ndarray  # (B, C)
    bias: np.ndarray  # (B, C, 2), over columns and rows
    noise: np.ndarray  # (B, C) standard deviation; the full range is 1
    start: np.ndarray  # (B, C) int64, where in the bank of noise to start reading


@lru_cache(maxsize=8)
def noise_bank(device: torch.device, pixels: int) -> Tensor:
    """Standard normal numbers, (BANK, pixels): row k is the bank read from its number k on.

    Fresh numbers would take longer than all other changes of intensity. The rows overlap in memory.
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

    Returns:
        image (B, C, H, W) float32 in [0, 1]: 8/255 or more in the foreground, 0 elsewhere;
        stroke (B, 1, H, W) and foreground (B, 1, H, W), float32, 0/1, stroke inside foreground.
    """
    b, c, h, w = images.shape
    # An affine map, of places or of brightness, is a part that depends on the column plus a part that
    # depends on the row. The device gets these lines, not the planes that they add up to.
    x, y = ((2 * np.arange(n) + 1) / n - 1 for n in (w, h))  # centres of pixels that fill -1..1
    half = np.array([w / 2, h / 2])
    to_column, to_row, shift = (draw.matrix[:, :, k] / half @ (1, 1j) for k in range(3))  # (B,) each
    slope = draw.bias[..., None, None]  # (B, C, 2, 1, 1)

    def on_device(line: np.ndarray, kind: type = np.float32) -> Tensor:
        return torch.from_numpy(line.astype(kind)).to(images.device, non_blocking=True)

    # brightness: gain * v ** gamma of the 256 bytes, in place of 16,384 pixels
    tones = on_device(draw.gain[..., None] * (np.arange(256) / 255) ** draw.gamma[..., None])  # (B, C, 256)
    toned = torch.gather(tones, 2, images.reshape(b, c, h * w).long()).view(b, c, h, w)
    planes = torch.cat([toned, stroke[:, None], images[:, :1].clamp(max=1)], 1)  # (B, C+2, H, W)

    # geometry: x + iy in -1..1, what F.affine_grid makes, but exact where nothing moves and faster
    across = (to_column[:, None] * (x * half[0]))[:, None, :]  # (B, 1, W)
    down = (to_row[:, None] * (y * half[1]) + shift[:, None])[:, :, None]  # (B, H, 1)
    grid = torch.view_as_real(on_device(across, np.complex64) + on_device(down, np.complex64))  # (B, H, W, 2)
    planes = F.grid_sample(planes, grid, align_corners=False)  # (B, C+2, H, W)
    share = planes[:, c + 1 :]  # of foreground, (B, 1, H, W)
    foreground = (share >= 0.5).float()
    stroke = (planes[:, c : c + 1] >= 0.5) * foreground  # rounding might let a pixel stick out
    image = planes[:, :c] / share.clamp(min=0.5)  # (B, C, H, W); less is not foreground

    # bias and noise: image * (1 + bias[0] x + bias[1] y) + noise * n
    image *= on_device(1 + slope[:, :, 0] * x) + on_device(slope[:, :, 1] * y[:, None])
    rows = on_device(draw.start.ravel(), np.int64)  # (B C,)
    noise = noise_bank(images.device, h * w).index_select(0, rows).view(b, c, h, w)
    image.addcmul_(noise, on_device(draw.noise[..., None, None]))
    return image.clamp_(DARKEST / 255, 1) * foreground, stroke, foreground
