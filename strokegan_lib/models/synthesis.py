"""The generator: from two masks to a slice with that stroke. Taught in notebook 04."""

import torch
from torch import Tensor, nn

from strokegan_lib.models.unet import UNet

CONDITION = 2  # channels of what is asked for: stroke and foreground


class Generator(nn.Module):
    """pix2pix's U-Net with self-attention, painting slices of C = *channels* inside the foreground only."""

    def __init__(self, channels: int = 1, *, width: int = 32, attention: bool = True) -> None:
        super().__init__()
        self.config = {"channels": channels, "width": width, "attention": attention}
        self.unet = UNet(CONDITION, channels, width=width, attention=attention, norm="group")

    def forward(self, stroke: Tensor, foreground: Tensor) -> Tensor:
        """(B, 1, H, W) and (B, 1, H, W), 0/1, to a picture (B, C, H, W): 0..1, and 0 outside the foreground."""
        painted = self.unet(torch.cat([stroke, foreground], dim=1))  # (B, C, H, W)
        return torch.sigmoid(painted) * foreground
