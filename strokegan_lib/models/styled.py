"""A generator with styles: the masks say what is asked for, a code says whose brain it is.

pix2pix answers two masks with one picture, whatever brain they came from. Here a code z
chooses one, as in a variational autoencoder whose decoder is a GAN (BicycleGAN: Zhu et al.
2017). The network is the paper's generator; the code is added where it has one position for
all of the brain, and scales and shifts every stage on the way up (AdaIN: Huang and Belongie
2017), as do the masks (SPADE: Park et al. 2019), so that a small lesion is not washed away.
Noise planes give the grain (StyleGAN: Karras et al. 2019).
"""

from __future__ import annotations

from zlib import crc32

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.models.synthesis import CONDITION
from strokegan_lib.models.unet import FINE, UNet

HINTS = 12  # channels into which the masks are read before they modulate
MOMENTUM = 0.005  # of the codes' moments: the last 200 batches


class Modulation(nn.Module):
    """Let the masks and the style say how large and how bright, and add a little noise::

        y = x * (1 + gamma(masks) + gamma(z)) + beta(masks) + beta(z) + grain * noise

    gamma and beta of the masks differ from place to place, those of z do not (SPADE,
    equation 1; AdaIN). x has been normalised by the stage it comes from, but at full resolution.

    Args:
        channels: of x.
        style: numbers in z.
        grain: add noise.
    """

    def __init__(self, channels: int, style: int, *, grain: bool) -> None:
        super().__init__()
        self.read = nn.Conv2d(CONDITION, HINTS, 3, padding=1)
        self.from_masks = nn.Conv2d(HINTS, 2 * channels, 1)
        self.from_style = nn.Linear(style, 2 * channels, bias=False)
        self.grain = nn.Parameter(torch.zeros(channels, 1, 1)) if grain else None

    def forward(self, x: Tensor, masks: Tensor, z: Tensor, noise: Tensor) -> Tensor:
        """(B, C, h, w), the masks at that size (B, 2, h, w), z (B, Z), noise (B, 1, h, w) to (B, C, h, w)."""
        changes = self.from_masks(F.relu(self.read(masks)))  # (B, 2C, h, w)
        gamma, beta = (changes + self.from_style(z)[..., None, None]).chunk(2, 1)  # (B, C, h, w)
        x = x * (1 + gamma) + beta
        return x if self.grain is None else x + self.grain * noise


class StyledGenerator(nn.Module):
    """Masks and a style to a slice.

    Args:
        channels: C of the slices it paints.
        width, attention: as in UNet.
        style: Z, numbers in a code.
        grain: add noise at every size.

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
    ) -> None:
        super().__init__()
        self.config = {
            "channels": channels, "width": width, "attention": attention, "style": style, "grain": grain,
        }  # fmt: skip
        self.unet = UNet(CONDITION, channels, width=width, attention=attention, norm="group")
        self.begin = nn.Linear(style, self.unet.widths[-1])
        widths = [FINE, *self.unet.widths[:-1]]  # at 128, 64, 32, 16, 8, 4, 2
        self.modulations = nn.ModuleList(Modulation(c, style, grain=grain) for c in widths)
        self.register_buffer("first", torch.zeros(style))
        self.register_buffer("second", torch.eye(style))

    def forward(self, stroke: Tensor, foreground: Tensor, z: Tensor | None = None) -> Tensor:
        """Paint.

        Args:
            stroke, foreground: (B, 1, H, W), 0/1; H and W even.
            z: (B, Z); None draws a fresh style for every slice, from the CPU's random state.

        Returns:
            (B, C, H, W), 0..1, and 0 outside the foreground. In eval mode one style and one pair of
            masks make one picture: its noise follows from the style.
        """
        z = self.draw(len(stroke)) if z is None else z
        masks = torch.cat([stroke, foreground], dim=1)  # (B, 2, H, W)
        noise = self._noise(z, masks)  # (B, 1, H, W)

        def adapt(halved: int, x: Tensor) -> Tensor:
            if halved == len(self.modulations):  # one position for all of the brain
                return x + self.begin(z)[..., None, None]  # (B, 3w, 1, 1)
            size, step = x.shape[2:], 2**halved
            small = F.adaptive_avg_pool2d(masks, size)  # a pixel of stroke stays a share of one
            return self.modulations[halved](x, small, z, noise[..., ::step, ::step])

        return torch.sigmoid(self.unet(masks, adapt)) * foreground

    def draw(self, n: int) -> Tensor:
        """n styles, (n, Z), from the Gaussian that fits the training codes.

        The codes of a trained encoder do not follow N(0, 1), as the theory of the variational
        autoencoder has it; where they lie is found afterwards (Ghosh et al. 2020).
        """
        covariance = self.second.float() - torch.outer(self.first.float(), self.first.float())  # (Z, Z)
        values, vectors = torch.linalg.eigh(covariance)
        root = vectors * values.clamp(min=0).sqrt()  # (Z, Z); rounded weights may leave a value below 0
        chance = torch.randn(n, len(root)).to(root.device)  # drawn alike on every device
        return (chance @ root.T + self.first.float()).to(self.first.dtype)

    @torch.no_grad()
    def remember(self, codes: Tensor) -> None:
        """Move the moments towards those of some training codes, (n, Z)."""
        codes = codes.to(self.first.dtype)
        self.first.lerp_(codes.mean(0), MOMENTUM)
        self.second.lerp_(codes.T @ codes / len(codes), MOMENTUM)

    def _noise(self, z: Tensor, masks: Tensor) -> Tensor:
        """A plane of normal numbers for every slice, (B, 1, H, W), from which coarser stages take every 2nd, 4th ..."""
        if self.training:
            return torch.randn_like(masks[:, :1])
        # one style, one grain: a picture can be had again
        seeds = [crc32(code.numpy().tobytes()) for code in z.detach().float().cpu()]
        size = masks.shape[2:]
        planes = [torch.randn(1, *size, generator=torch.Generator().manual_seed(s)) for s in seeds]
        return torch.stack(planes).to(masks)
