"""Features of slices by the encoder that comes with the kit, the same bytes for everybody."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.models.encoder import Encoder
from strokegan_lib.training.weights import load_weights, shipped

NAME = "encoder"
SHA256 = "95289912cfc104e0d94e51c9d6de97c0061093ecdbeb82a46259d7c8c6955720"  # figures by other weights cannot be compared
SIZE = 32  # slices at a time: what is at hand stays in a processor's cache
ENOUGH = 10  # rows a feature: with fewer a covariance is mostly chance


def shipped_encoder() -> Encoder:
    """The shipped encoder, on the CPU and in eval mode.

    Raises:
        BadInput: its file is missing, or is another one than this version of the kit was made with.
    """
    path = shipped(NAME)
    if sha256(path) != SHA256:
        raise BadInput(
            path, "is not the encoder of this version (its sha256 differs)", "install the kit again"
        )
    return load_weights(path, NAME)[0]


@torch.inference_mode()
def features(encoder: Encoder, images: Tensor) -> Tensor:
    """Describe slices.

    Args:
        encoder: in eval mode.
        images: (N, 1, 128, 128) float in 0..1, or uint8 in 0..255, on any device.

    Returns:
        (N, F) float32 on the encoder's device.
    """
    device = next(encoder.parameters()).device
    parts = []
    for part in images.split(SIZE):
        part = part.to(device)
        part = part / 255 if part.dtype == torch.uint8 else part
        parts.append(encoder(part.contiguous(memory_format=torch.channels_last))[0])
    return torch.cat(parts)


def thumbnails(images: Tensor, size: int = 32) -> Tensor:
    """Small pictures as rows, (N, 1, H, W) uint8 or float -> (N, size^2) float in 0..1.

    A second opinion on memorisation, for which no encoder is needed.
    """
    images = images / 255 if images.dtype == torch.uint8 else images
    return F.adaptive_avg_pool2d(images, size).flatten(1)


def reliable(count: int, width: int) -> bool:
    """Are there rows enough for features of that width?"""
    return count >= ENOUGH * width
