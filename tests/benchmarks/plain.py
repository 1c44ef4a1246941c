"""The same batches made the usual way: a DataLoader that reads and augments slice by slice."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler

from strokegan_lib.data.augment import Augmentation, Draw
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.windows import DARKEST


def augment_one(image: Tensor, stroke: Tensor, draw: Draw, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What ``augment`` does, for one slice, with PyTorch's ready-made parts.

    Args:
        image: (C, H, W) uint8.
        stroke: (H, W) uint8, 0/1.
        draw: what to change, one row.
        noise: (C, H, W) standard normal numbers.

    Returns:
        image (C, H, W), stroke (1, H, W) and foreground (1, H, W), float32.
    """
    c, h, w = image.shape
    gain, gamma, noise_sd = (
        torch.from_numpy(array[0]).float()[:, None, None] for array in (draw.gain, draw.gamma, draw.noise)
    )
    foreground = (image[:1] > 0).float()
    image = (image.float() / 255) ** gamma * gain
    planes = torch.cat([image, stroke[None].float(), foreground])  # (C+2, H, W)
    theta = torch.from_numpy(draw.matrix).float()
    theta[:, 0, 2] /= w / 2
    theta[:, 1, 2] /= h / 2
    grid = F.affine_grid(theta, [1, 1, h, w], align_corners=False)
    planes = F.grid_sample(planes[None], grid, align_corners=False)[0]
    share = planes[c + 1 :]
    stroke, foreground = planes[c : c + 1] >= 0.5, share >= 0.5
    bias = torch.from_numpy(draw.bias[0]).float()[..., None, None]  # (C, 2, 1, 1)
    x = torch.linspace(-1 + 1 / w, 1 - 1 / w, w)
    y = torch.linspace(-1 + 1 / h, 1 - 1 / h, h)[:, None]
    image = planes[:c] / share.clamp(min=0.5) * (1 + bias[:, 0] * x + bias[:, 1] * y) + noise_sd * noise
    return image.clamp(DARKEST / 255, 1) * foreground, stroke.float(), foreground.float()


class PlainSlices(Dataset):
    """Slices of a store, read through its memory map and augmented one at a time."""

    def __init__(self, folder: Path) -> None:
        self.slices, self.rng = SliceSet.open(folder, verify=False), np.random.default_rng()

    def __len__(self) -> int:
        return len(self.slices)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor, Tensor]:
        image = torch.from_numpy(self.slices.images[i].copy())  # a copy, as the map is read-only
        stroke = torch.from_numpy(self.slices.stroke[i].copy())
        draw = Augmentation().draw(self.rng, 1, len(image))
        return augment_one(image, stroke, draw, torch.randn(image.shape))


def plain_batches(folder: Path, size: int, workers: int = 0) -> Iterator[list[Tensor]]:
    """Endless batches of image, stroke and foreground, (size, C or 1, H, W) each."""
    slices = PlainSlices(folder)
    drawn = RandomSampler(slices, replacement=True, num_samples=10**9)
    return iter(DataLoader(slices, size, sampler=drawn, num_workers=workers))
