"""Many patients from few: every slice is moved, bent and re-lit a little, afresh at each visit.

The draw is made on the host (a few numbers a slice), the work is done on the device for
the whole batch at once: one table look-up, one ``grid_sample`` that carries image and
masks together, a few passes of arithmetic.
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
PIECE = 4  # slices worked on at a time on a CPU: what is at hand stays in its cache; a GPU takes all


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

    def lines(self, height: int, width: int) -> dict[str, np.ndarray]:
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
        to_column, to_row, shift = (self.matrix[:, :, k] / half @ (1, 1j) for k in range(3))  # (B,) each
        slope = self.bias[..., None, None]  # (B, C, 2, 1, 1)
        places = {
            "across": (to_column[:, None] * (x * half[0]))[:, None, :],
            "down": (to_row[:, None] * (y * half[1]) + shift[:, None])[:, :, None],
        }
        brightness = {
            "tones": self.gain[..., None] * (np.arange(256) / 255) ** self.gamma[..., None],
            "bias_across": 1 + slope[:, :, 0] * x,
            "bias_down": slope[:, :, 1] * y[:, None],
            "noise": self.noise[..., None, None],
        }
        return {
            **{name: line.astype(np.complex64) for name, line in places.items()},
            **{name: line.astype(np.float32) for name, line in brightness.items()},
            "start": self.start,
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
    lines = draw.lines(h, w)
    lines = {
        name: torch.from_numpy(array).to(images.device, non_blocking=True) for name, array in lines.items()
    }
    image = images.new_empty((b, c, h, w), dtype=torch.float32)
    masks = images.new_empty((2, b, h, w), dtype=torch.float32)  # stroke and foreground
    piece = PIECE if images.device.type == "cpu" else b
    for i in range(0, b, piece):
        part = slice(i, i + piece)
        changes = {name: line[part] for name, line in lines.items()}
        _change(images[part], stroke[part], changes, image[part], masks[:, part].transpose(0, 1))
    return image, masks[0, :, None], masks[1, :, None]


def _change(
    images: Tensor, stroke: Tensor, lines: dict[str, Tensor], image_out: Tensor, masks_out: Tensor
) -> None:
    """Change b slices and write them to image_out (b, C, H, W) and masks_out (b, 2, H, W)."""
    b, c, h, w = images.shape
    planes = images.new_empty((b, c + 2, h, w), dtype=torch.float32)
    torch.gather(
        lines["tones"], 2, images.reshape(b, c, h * w).long(), out=planes.view(b, c + 2, h * w)[:, :c]
    )
    planes[:, c] = stroke
    planes[:, c + 1] = images[:, 0].clamp(max=1)  # foreground
    grid = torch.view_as_real(lines["across"] + lines["down"])  # (b, H, W, 2)
    planes = F.grid_sample(planes, grid, align_corners=False)  # (b, C+2, H, W)

    share = planes[:, c + 1 :].clamp(min=0.5)  # of foreground, (b, 1, H, W); less is not foreground
    torch.floor(planes[:, c:].add_(0.5), out=masks_out)  # 1 where the share is half or more
    foreground = masks_out[:, 1:]  # (b, 1, H, W)
    masks_out[:, :1] *= foreground  # rounding might let a pixel of stroke stick out
    image = planes[:, :c].div_(share)  # (b, C, H, W)
    image *= lines["bias_across"] + lines["bias_down"]  # (b, C, 1, W) + (b, C, H, 1)
    grain = noise_bank(images.device, h * w).index_select(0, lines["start"].view(-1)).view(b, c, h, w)
    image.addcmul_(grain, lines["noise"])
    torch.mul(image.clamp_(DARKEST / 255, 1), foreground, out=image_out)
