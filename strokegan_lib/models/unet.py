"""The U-Net that synthesises and the U-Net that segments: one backbone for every method. Taught in notebook 02.

It goes down to one position for the whole brain, as in pix2pix (Isola et al. 2017): a network that stops at
8x8 has seen 34 pixels there, a quarter of a brain.
"""

from collections.abc import Callable
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.models.attention import SelfAttention

TO_ONE = 7  # halvings from 128 to 1
CAP = 3  # times the width at most: channels grow while the size halves, down to 16x16
FINE = 8  # channels at full resolution: 64 times as many positions as at 16x16 allow no more
ATTENTION_AT = 2  # times halved: 32x32, where SAGAN has it
COARSE = 8  # positions a side: from here on a channel stands for what is in a slice rather than where

Adapt = Callable[[int, Tensor], Tensor]  # (times halved, features) to features of the same shape


class UNet(nn.Module):
    """Pictures in, pictures of the same size out, as logits.

    The trunk works at half resolution, where a step is cheap; one narrow branch stays at full resolution, without
    which a lesion of two pixels could not be drawn. On the way up, resizing and a 3x3 convolution (Odena et al.
    2016: a transposed convolution leaves a checkerboard); skips are added, as in SegAN (Xue et al. 2018).

    Args:
        inputs, outputs: channels in and out.
        width: channels at half resolution, a multiple of 4; twice as many at a quarter, then CAP times.
        halvings: how often the size is halved: 7 from 128 to 1.
        attention: self-attention at a quarter of the size (32x32 for slices) on the way up.
        dropout: share of the channels from 8x8 down that are set to 0 while it trains (Tompson et al. 2015).
        norm: 'batch'; 'group', of eight channels of one slice (four where eight do not divide the width), so
            that no picture depends on its neighbours in the batch; 'none'.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        width: int = 32,
        halvings: int = TO_ONE,
        attention: bool = True,
        dropout: float = 0.0,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        self.widths = [width * min(2**k, CAP) for k in range(halvings)]  # 32, 64, 96, 96, 96, 96, 96
        self.fine = nn.Conv2d(inputs, FINE, 3, padding=1)
        self.stem = _conv(4 * inputs, width, norm)
        self.down = nn.ModuleList(_conv(a, b, norm, stride=2) for a, b in pairwise(self.widths))
        self.dropout = nn.Dropout2d(dropout)
        self.narrow = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(self.widths[::-1]))
        self.up = nn.ModuleList(
            nn.Sequential(_conv(b, b, norm), nn.ReLU(), _conv(b, b, norm)) for b in self.widths[-2::-1]
        )
        self.attention = SelfAttention(self.widths[ATTENTION_AT - 1]) if attention else nn.Identity()
        self.widen = SubpixelConv2d(width, FINE)
        self.head = ConcatConv2d(2 * FINE, outputs)

    def forward(self, x: Tensor, adapt: Adapt = lambda _, features: features) -> Tensor:
        """(B, inputs, H, W), H and W even, to (B, outputs, H, W): down, up, and the fine branch.

        *adapt* changes the features at the bottom, and of each stage on the way up before their activation.
        """
        fine = F.relu(self.fine(x))  # (B, 8, H, W)
        x = F.leaky_relu(self.stem(F.pixel_unshuffle(x, 2)), 0.2)  # (B, w, H/2, W/2)
        skips = []
        for down in self.down:
            skips.append(x)
            x = F.leaky_relu(down(x), 0.2)  # (B, 2w, H/4, W/4) .. (B, 3w, 1, 1)
            x = self.dropout(x) if x.shape[-1] <= COARSE else x
        x = adapt(len(self.widths), x)
        for halved in range(len(self.down), 0, -1):
            skip = skips.pop()
            x = F.interpolate(self.narrow[-halved](x), skip.shape[2:], mode="nearest") + skip
            x = F.relu(adapt(halved, self.up[-halved](x)))  # (B, 3w, 2, 2) .. (B, w, H/2, W/2)
            if halved == ATTENTION_AT:
                x = self.attention(x)  # (B, 2w, H/4, W/4)
        x = F.relu(adapt(0, self.widen(x)))  # (B, 8, H, W)
        return self.head(x, fine)  # (B, outputs, H, W)


class ConcatConv2d(nn.Conv2d):
    """A 3x3 convolution of two concatenated inputs, without the copy that concatenates them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(B, inputs / 2, H, W) twice to (B, outputs, H, W)."""
        of_x, of_y = self.weight.chunk(2, dim=1)  # (outputs, inputs / 2, 3, 3) each
        return F.conv2d(x, of_x, self.bias, padding=1) + F.conv2d(y, of_y, padding=1)


class SubpixelConv2d(nn.Conv2d):
    """Twice the size by a 3x3 convolution and pixel shuffle (Shi et al. 2016), without its checkerboard.

    Each of four neighbours has a kernel of its own. Where the features are flat, kernels with different sums would
    make four greys. So the sums are made equal (Sugawara, Shiota and Kiya 2018). Taught in notebook 04.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, 4 * outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) to (B, outputs, 2h, 2w)."""
        fours = self.weight.unflatten(0, (-1, 4))  # (outputs, 4, inputs, 3, 3)
        means = fours.mean((3, 4), keepdim=True)  # (outputs, 4, inputs, 1, 1)
        weight = (fours - means + means.mean(1, keepdim=True)).flatten(0, 1)  # (4 outputs, inputs, 3, 3)
        bias = self.bias.unflatten(0, (-1, 4)).mean(1).repeat_interleave(4)  # (4 outputs,)
        return F.pixel_shuffle(F.conv2d(x, weight, bias, padding=1), 2)


def _conv(inputs: int, outputs: int, norm: str, stride: int = 1) -> nn.Module:
    """A 3x3 convolution and what normalises it; it has no bias where the normalisation has one."""
    conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=norm == "none")
    if norm == "none":
        return conv
    group = 8 if outputs % 8 == 0 else 4
    return nn.Sequential(
        conv, nn.BatchNorm2d(outputs) if norm == "batch" else nn.GroupNorm(outputs // group, outputs)
    )
