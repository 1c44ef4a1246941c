"""The U-Net that paints and the U-Net that segments: one backbone, shared by every method.

Down as in pix2pix and SegAN (4x4 convolutions of stride 2), up by resizing and a 3x3
convolution (Odena et al. 2016: a transposed convolution leaves a checkerboard), skips
added as in SegAN. With width 64 it is SegAN's segmentor (Xue et al. 2018) plus one stage
at full resolution, without which a lesion of two pixels could not be drawn.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.models.attention import SelfAttention

STAGES = 4  # 128 -> 64 -> 32 -> 16 -> 8: at the bottom a position has seen 48 pixels, half a brain's width
ATTENTION_AT = 2  # times halved: 32x32, where SAGAN has it


class UNet(nn.Module):
    """Pictures in, pictures of the same size out, without a last activation.

    Args:
        inputs: channels in.
        outputs: channels out.
        width: channels after the first halving, a multiple of 4; each further halving doubles them.
        attention: self-attention at a quarter of the size (32x32 for slices) on the way up.
        dropout: probability, in the two inner stages on the way up: the only noise of pix2pix.
        norm: batch normalisation; without it every slice is treated by itself.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        width: int = 32,
        attention: bool = True,
        dropout: float = 0.0,
        norm: bool = True,
    ) -> None:
        super().__init__()
        if width < 4 or width % 4:
            raise ValueError(f"width must be a multiple of 4, not {width}")
        widths = [width // 2 * 2**stage for stage in range(STAGES + 1)]  # 16, 32, 64, 128, 256
        bias = not norm  # batch normalisation would take it away again
        self.stem = _block(
            nn.Conv2d(inputs, widths[0], 3, padding=1, bias=bias), widths[0], norm, nn.LeakyReLU(0.2)
        )
        self.down = nn.ModuleList(
            _block(nn.Conv2d(a, b, 4, stride=2, padding=1, bias=bias), b, norm, nn.LeakyReLU(0.2))
            for a, b in pairwise(widths)
        )
        self.up = nn.ModuleList(
            _block(nn.Conv2d(a, b, 3, padding=1, bias=bias), b, norm, nn.ReLU(), dropout * (b >= widths[-3]))
            for a, b in pairwise(widths[::-1])
        )
        self.attention = SelfAttention(widths[ATTENTION_AT]) if attention else nn.Identity()
        self.head = nn.Conv2d(widths[0], outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H, W); H and W divisible by 16."""
        x = self.stem(x)  # (B, w/2, H, W)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)  # (B, w, H/2, W/2) .. (B, 8w, H/16, W/16)
        for halved, up in zip(range(STAGES - 1, -1, -1), self.up, strict=True):
            x = F.interpolate(x, scale_factor=2, mode="bilinear")
            x = up(x) + skips[halved]  # (B, 4w, H/8, W/8) .. (B, w/2, H, W)
            if halved == ATTENTION_AT:
                x = self.attention(x)  # (B, 2w, H/4, W/4)
        return self.head(x)  # (B, outputs, H, W)


def _block(
    conv: nn.Conv2d, channels: int, norm: bool, activation: nn.Module, dropout: float = 0.0
) -> nn.Module:
    layers = [conv, nn.BatchNorm2d(channels)] if norm else [conv]
    layers += [nn.Dropout2d(dropout)] if dropout else []
    return nn.Sequential(*layers, activation)
