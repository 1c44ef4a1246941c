"""Features of slices: the numbers by which an encoder describes them. Taught in notebook 07."""

import torch
import torch.nn.functional as F
from torch import Tensor

from strokegan_lib.models.encoder import Encoder

SIZE = 32  # slices at a time: what is at hand stays in a processor's cache
ENOUGH = 10  # rows a feature: with fewer a covariance is mostly chance


@torch.inference_mode()
def features(encoder: Encoder, images: Tensor) -> Tensor:
    """(N, 1, 128, 128), float in 0..1 or uint8, on any device, to (N, F) float32 on the encoder's device.

    The encoder is in eval mode; the shipped one is the same bytes for everybody.
    """
    device = next(encoder.parameters()).device
    parts = []
    for part in images.split(SIZE):
        part = part.to(device)
        part = part / 255 if part.dtype == torch.uint8 else part
        parts.append(encoder(part.contiguous(memory_format=torch.channels_last))[0])
    return torch.cat(parts)


def thumbnails(images: Tensor, size: int = 32) -> Tensor:
    """(N, 1, H, W), uint8 or float, to rows (N, size^2) in 0..1: a second opinion without an encoder."""
    images = images / 255 if images.dtype == torch.uint8 else images
    return F.adaptive_avg_pool2d(images, size).flatten(1)
