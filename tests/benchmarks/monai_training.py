"""What a user of MONAI would write: its U-Nets, its loader, its transforms, its loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from monai.data import CacheDataset, DataLoader
from monai.losses import DiceCELoss
from monai.networks.nets import BasicUNet, UNet
from monai.transforms import (
    Compose,
    EnsureTyped,
    RandAdjustContrastd,
    RandAffined,
    RandFlipd,
    RandGaussianNoised,
    RandScaleIntensityd,
    ScaleIntensityRanged,
)
from plain_training import device, make_gan, with_faster_loader
from torch import nn
from turns import Steps

from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.slices import SliceSet

BOTH = ("image", "stroke")
SLICES = 960  # kept in memory, as CacheDataset does; more would only take longer to begin


def basic_unet(width: int) -> nn.Module:
    return BasicUNet(2, 1, 1, features=(width, width, 2 * width, 4 * width, 8 * width, width))


def unet(width: int) -> nn.Module:
    channels = tuple(width * 2**level for level in range(5))
    return UNet(2, 1, 1, channels, strides=(2, 2, 2, 2), num_res_units=2)


NETWORKS = {"BasicUNet": basic_unet, "UNet": unet}


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def as_large(make: Callable[[int], nn.Module], aim: int) -> nn.Module:
    """The network whose number of parameters, which grows with the width's square, is nearest to *aim*."""
    width = round(16 * math.sqrt(aim / parameters(make(16))))
    return min((make(w) for w in (width - 1, width, width + 1)), key=lambda n: abs(parameters(n) - aim))


def transforms() -> Compose:
    """The kit's augmentation as MONAI has it, without the bias field, which MONAI makes slowly."""
    a = Augmentation()
    return Compose(
        [
            ScaleIntensityRanged("image", 0, 255, 0, 1),
            EnsureTyped(BOTH, dtype=torch.float32),
            RandFlipd(BOTH, prob=a.mirror, spatial_axis=1),
            RandAffined(
                BOTH,
                prob=1.0,
                rotate_range=math.radians(a.rotation),
                scale_range=(a.scale, a.scale),
                shear_range=(a.shear, 0.0),
                translate_range=(a.shift, a.shift),
                mode=("bilinear", "nearest"),
                padding_mode="zeros",
            ),
            RandScaleIntensityd("image", factors=a.gain, prob=1.0),
            RandAdjustContrastd("image", prob=1.0, gamma=(1 / (1 + a.gamma), 1 + a.gamma)),
            RandGaussianNoised("image", prob=1.0, std=a.noise),
        ]
    )


def monai_training(folder: Path, name: str, width: int, size: int) -> tuple[Steps, str]:
    """A loop over batches of *size* slices with a network as large as the kit's of that *width*."""
    network = as_large(NETWORKS[name], parameters(make_gan("unet", width).networks["segmentor"]))
    network.to(device())
    loss, adam = DiceCELoss(sigmoid=True), torch.optim.Adam(network.parameters(), 1e-3)

    def step(batch: dict[str, Any]) -> None:
        image, stroke = (batch[key].as_tensor().to(device(), non_blocking=True) for key in BOTH)
        adam.zero_grad()
        total = loss(network(image), stroke)
        total.backward()
        adam.step()
        total.item()

    slices = SliceSet.open(folder, verify=False)
    rows = range(min(SLICES, len(slices)))
    cases = [{"image": slices.images[i].copy(), "stroke": slices.stroke[i][None].copy()} for i in rows]
    data = CacheDataset(cases, transforms(), num_workers=0, progress=False)
    steps, workers = with_faster_loader(step, data, DataLoader, size)
    return steps, f"{parameters(network) / 1e6:.2f} M parameters, {workers}"
