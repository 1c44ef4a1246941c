"""A generator with styles: the masks say what is asked for, a code says whose brain it is.

pix2pix answers two masks with one picture, the mean of all that would fit, and a mean of
brains is smooth. Here a code z chooses one of them, as in a variational autoencoder whose
decoder is a GAN (BicycleGAN: Zhu et al. 2017), and the masks modulate every layer (SPADE:
Park et al. 2019), so that a small lesion is not washed away on the way up.
"""

from __future__ import annotations

from itertools import pairwise
from zlib import crc32

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.models.attention import SelfAttention
from strokegan_lib.models.synthesis import CONDITION

SIDE = 8  # positions a side where a picture begins: 8 -> 16 -> 32 -> 64 -> 128
ATTENTION_AT = 1  # doublings: 16x16; at 32x32 it would be a fifth of all the time
HINTS = 12  # channels into which the masks are read before they modulate
MOMENTUM = 0.005  # of the codes' moments: the last 200 batches


class Modulated(nn.Module):
    """Normalise, then let the masks and the style say how large and how bright (SPADE, equation 1)::

        y = normalised(x) * (1 + gamma(masks) + gamma(z)) + beta(masks) + beta(z)

    gamma and beta of the masks differ from place to place, those of z do not (AdaIN). Each channel of
    each slice is normalised by itself: over a batch, the styles' differences would drown what
    differs from place to place.

    Args:
        channels: of x.
        style: numbers in z; 0 for none.
    """

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(channels, channels, affine=False)  # instance normalisation, without a copy
        self.read = nn.Conv2d(CONDITION, HINTS, 3, padding=1)
        self.from_masks = nn.Conv2d(HINTS, 2 * channels, 1)
        self.from_style = nn.Linear(style, 2 * channels, bias=False) if style else None
        if self.from_style is not None:
            nn.init.zeros_(self.from_style.weight)  # first what all brains share

    def forward(self, x: Tensor, masks: Tensor, z: Tensor | None) -> Tensor:
        """(B, C, h, w), the masks at that size (B, 2, h, w), z (B, Z) to (B, C, h, w)."""
        gamma, beta = self.from_masks(F.relu(self.read(masks))).chunk(2, 1)  # (B, C, h, w)
        if self.from_style is not None:
            g, b = self.from_style(z)[..., None, None].chunk(2, 1)  # (B, C, 1, 1)
            gamma, beta = gamma + g, beta + b
        return self.norm(x) * (1 + gamma) + beta


class Joined(nn.Module):
    """The rival of modulation, for comparisons: plain normalisation; the masks are two channels more."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(channels, channels)

    def forward(self, x: Tensor, masks: Tensor, _: Tensor | None) -> Tensor:
        """(B, C, h, w) and (B, 2, h, w) to (B, C + 2, h, w)."""
        return torch.cat([self.norm(x), masks], 1)


class Layer(nn.Module):
    """Modulate, leaky ReLU, 3x3 convolution, and a little noise for texture (StyleGAN: Karras et al. 2019)."""

    def __init__(self, inputs: int, outputs: int, style: int, *, spade: bool, grain: bool) -> None:
        super().__init__()
        self.adapt = Modulated(inputs, style) if spade else Joined(inputs)
        self.conv = nn.Conv2d(inputs if spade else inputs + CONDITION, outputs, 3, padding=1, bias=False)
        self.grain = nn.Parameter(torch.zeros(outputs, 1, 1)) if grain else None

    def forward(self, x: Tensor, masks: Tensor, z: Tensor | None, noise: Tensor | None) -> Tensor:
        """(B, inputs, h, w) to (B, outputs, h, w); noise is (B, 1, h, w)."""
        x = self.conv(F.leaky_relu(self.adapt(x, masks, z), 0.2))  # (B, outputs, h, w)
        return x if self.grain is None else x + self.grain * noise


class StyledGenerator(nn.Module):
    """Masks and a style to a slice.

    Args:
        channels: C of the slices it paints.
        width: as in UNet, so that both generators are of one size; four times as many channels at most.
        attention: self-attention at 16x16.
        style: Z, numbers in a code; 0 for a generator without styles.
        grain: add noise at every size.
        spade: let the masks modulate; otherwise they are joined to the features.

    Buffers:
        first (Z,) and second (Z, Z): the moments of the training codes, from which new codes are drawn.
    """

    def __init__(
        self,
        channels: int = 1,
        *,
        width: int = 32,
        attention: bool = True,
        style: int = 64,
        grain: bool = True,
        spade: bool = True,
    ) -> None:
        super().__init__()
        if width < 4 or width % 4:
            raise ValueError(f"width must be a multiple of 4, not {width}")
        self.config = {
            "channels": channels, "width": width, "attention": attention, "style": style, "grain": grain,
            "spade": spade,
        }  # fmt: skip
        widths = [4 * width, 4 * width, 2 * width, width, width // 2]  # at 8, 16, 32, 64, 128
        how = {"spade": spade, "grain": grain}
        self.begin = nn.Linear(style, 2 * width * SIDE**2, bias=False) if style else None
        self.canvas = nn.Parameter(torch.randn(2 * width, SIDE, SIDE))
        self.stem = nn.Conv2d(2 * width, widths[0], 1, bias=False)
        # channels are given up before the picture is doubled: at the larger size it would cost four times as much
        self.stages = nn.ModuleList(
            nn.ModuleList([Layer(a, a, style, **how), Layer(a, b, style, **how)]) for a, b in pairwise(widths)
        )
        self.last = Layer(widths[-1], widths[-1], style, **how)
        self.attention = SelfAttention(widths[ATTENTION_AT]) if attention else nn.Identity()
        self.head = nn.Conv2d(widths[-1], channels, 3, padding=1)
        self.register_buffer("first", torch.zeros(style))
        self.register_buffer("second", torch.eye(style))

    def forward(self, stroke: Tensor, foreground: Tensor, z: Tensor | None = None) -> Tensor:
        """Paint.

        Args:
            stroke, foreground: (B, 1, H, W), 0/1; H and W divisible by 16.
            z: (B, Z); None draws a fresh style for every slice, from torch's global random state.

        Returns:
            (B, C, H, W), 0..1, and 0 outside the foreground. In eval mode one style and one pair of
            masks make one picture: its noise follows from the style.
        """
        b, (h, w) = len(stroke), stroke.shape[2:]
        styles = self.config["style"]
        if z is None and styles:
            z = self.draw(b)
        masks = torch.cat([stroke, foreground], dim=1)  # (B, 2, H, W)
        x = self.canvas.expand(b, -1, -1, -1)  # (B, 2w, 8, 8)
        if self.begin is not None:
            x = x + self.begin(z).view_as(x)
        sizes = [(h >> k, w >> k) for k in range(len(self.stages), -1, -1)]  # (8, 8) .. (128, 128)
        x = F.interpolate(x, sizes[0], mode="bilinear") if sizes[0] != (SIDE, SIDE) else x
        x = self.stem(x)  # (B, 4w, 8, 8)
        # a pixel of stroke stays a share of one: (B, 2, 8, 8) .. (B, 2, 128, 128)
        small = [F.adaptive_avg_pool2d(masks, size) for size in sizes]
        noises = self._noise(z, b, sizes, masks) if self.config["grain"] else [None] * len(sizes)
        for number, stage in enumerate(self.stages):
            for layer in stage:
                x = layer(x, small[number], z, noises[number])
            x = F.interpolate(x, scale_factor=2, mode="bilinear")  # (B, 4w, 16, 16) .. (B, w/2, 128, 128)
            if number + 1 == ATTENTION_AT:
                x = self.attention(x)  # (B, 4w, 16, 16)
        x = self.last(x, small[-1], z, noises[-1])  # (B, w/2, 128, 128)
        return torch.sigmoid(self.head(F.leaky_relu(x, 0.2))) * foreground

    def draw(self, n: int) -> Tensor:
        """n styles, (n, Z), from the Gaussian that fits the training codes.

        The codes of a trained encoder do not follow N(0, 1), as the theory of the variational
        autoencoder has it; where they lie is found afterwards (Ghosh et al. 2020).
        """
        covariance = self.second.float() - torch.outer(self.first.float(), self.first.float())  # (Z, Z)
        values, vectors = torch.linalg.eigh(covariance)
        root = vectors * values.clamp(min=0).sqrt()  # (Z, Z); rounded weights may leave a value below 0
        chance = torch.randn(n, len(root), device=root.device)
        return (chance @ root.T + self.first.float()).to(self.first.dtype)

    @torch.no_grad()
    def remember(self, codes: Tensor) -> None:
        """Move the moments towards those of some training codes, (n, Z)."""
        codes = codes.to(self.first.dtype)
        self.first.lerp_(codes.mean(0), MOMENTUM)
        self.second.lerp_(codes.T @ codes / len(codes), MOMENTUM)

    def _noise(self, z: Tensor | None, b: int, sizes: list[tuple[int, int]], like: Tensor) -> list[Tensor]:
        """A plane of normal numbers a size, (B, 1, h, w)."""
        count = sum(h * w for h, w in sizes)
        if self.training or z is None:
            numbers = torch.randn(b, count, device=like.device)
        else:  # one style, one grain: a picture can be had again
            seeds = [crc32(code.numpy().tobytes()) for code in z.detach().float().cpu()]
            numbers = torch.stack(
                [torch.randn(count, generator=torch.Generator().manual_seed(s)) for s in seeds]
            )
        parts = numbers.to(like).split([h * w for h, w in sizes], 1)
        return [part.view(b, 1, h, w) for part, (h, w) in zip(parts, sizes, strict=True)]
