"""A generator with styles and the encoder that finds them: masks ask for a stroke, a code says whose brain it is in.

pix2pix answers two masks with one picture, whatever brain they came from. Here a code z chooses one, as in a
variational autoencoder whose decoder is a GAN (BicycleGAN: Zhu et al. 2017). Taught in notebooks 07 and 11.
"""

from zlib import crc32

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.models.critic import strided
from strokegan_lib.models.synthesis import CONDITION
from strokegan_lib.models.unet import FINE, UNet

HINTS = 12  # channels into which the masks are read before they modulate
MOMENTUM = 0.005  # of the codes' moments: the last 200 batches
SIDE = 8  # positions a side from which the style encoder reads a code


class Modulation(nn.Module):
    """Let the masks and the style say how large and how bright, and add a little noise::

        y = x * (1 + gamma(masks) + gamma(z)) + beta(masks) + beta(z) + grain * noise

    gamma and beta of the masks differ from place to place (SPADE: Park et al. 2019, equation 1), those of z do not
    (AdaIN: Huang and Belongie 2017); noise planes give the grain (StyleGAN: Karras et al. 2019). x has been
    normalised by the stage it comes from, but at full resolution. x has C = *channels*, z Z = *style* numbers.
    """

    def __init__(self, channels: int, style: int, *, grain: bool) -> None:
        super().__init__()
        self.read = nn.Conv2d(CONDITION, HINTS, 3, padding=1)
        self.from_masks = nn.Conv2d(HINTS, 2 * channels, 1)
        self.from_style = nn.Linear(style, 2 * channels, bias=False)
        self.grain = nn.Parameter(torch.zeros(channels, 1, 1)) if grain else None

    def forward(self, x: Tensor, masks: Tensor, z: Tensor, noise: Tensor) -> Tensor:
        """(B, C, h, w), masks (B, 2, h, w), z (B, Z) and noise (B, 1, h, w) to (B, C, h, w)."""
        changes = self.from_masks(F.relu(self.read(masks)))  # (B, 2C, h, w)
        gamma, beta = (changes + self.from_style(z)[..., None, None]).chunk(2, 1)  # (B, C, h, w)
        x = x * (1 + gamma) + beta
        return x if self.grain is None else x + self.grain * noise


class StyledGenerator(nn.Module):
    """Masks and a style to a slice: the paper's generator, modulated at every stage on the way up.

    Args:
        channels: C of the slices it paints.
        width, attention: as in UNet.
        style, grain: Z and noise, as in Modulation.

    Buffers:
        first (Z,) and second (Z, Z): moments of the training codes, from which new codes are drawn.
    """

    def __init__(
        self, channels: int = 1, *, width: int, style: int, attention: bool = True, grain: bool = True
    ) -> None:
        super().__init__()
        size = {"width": width, "attention": attention}
        self.config = {"channels": channels, **size, "style": style, "grain": grain}
        self.unet = UNet(CONDITION, channels, norm="group", **size)
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
            (B, C, H, W), 0..1, and 0 outside the foreground. In eval mode the noise follows from the style, so
            that one style and one pair of masks make one picture.
        """
        z = self.draw(len(stroke)) if z is None else z
        masks = torch.cat([stroke, foreground], dim=1)  # (B, 2, H, W)
        noise = self._noise(z, stroke)  # (B, 1, H, W)

        def adapt(halved: int, x: Tensor) -> Tensor:
            if halved == len(self.modulations):  # one position for all of the brain
                return x + self.begin(z)[..., None, None]  # (B, 3w, 1, 1)
            small = F.adaptive_avg_pool2d(masks, x.shape[2:])  # a pixel of stroke stays a share of one
            step = 2**halved  # coarser stages take every 2nd, 4th, .. number of the noise
            return self.modulations[halved](x, small, z, noise[..., ::step, ::step])

        return torch.sigmoid(self.unet(masks, adapt)) * foreground

    def draw(self, n: int) -> Tensor:
        """n styles, (n, Z), from the Gaussian that fits the training codes.

        In theory the codes of a variational autoencoder follow N(0, 1); in fact they do not, so where they
        lie is measured (Ghosh et al. 2020).
        """
        mean = self.first.float()
        values, vectors = torch.linalg.eigh(self.second.float() - torch.outer(mean, mean))  # of a covariance
        root = vectors * values.clamp(min=0).sqrt()  # (Z, Z); rounded weights may leave a value below 0
        normal = torch.randn(n, len(root)).to(root.device)  # the same on every device
        return (normal @ root.T + mean).to(self.first.dtype)

    @torch.no_grad()
    def update_moments(self, codes: Tensor) -> None:
        """Move the moments towards those of some training codes, (n, Z)."""
        codes = codes.to(self.first.dtype)
        self.first.lerp_(codes.mean(0), MOMENTUM)
        self.second.lerp_(codes.T @ codes / len(codes), MOMENTUM)

    def _noise(self, z: Tensor, stroke: Tensor) -> Tensor:
        """Normal numbers of the shape of *stroke*: fresh ones in training, else those that belong to z."""
        if self.training:
            return torch.randn_like(stroke)
        seeds = [crc32(code.numpy().tobytes()) for code in z.detach().float().cpu()]
        planes = [torch.randn(stroke.shape[1:], generator=torch.Generator().manual_seed(s)) for s in seeds]
        return torch.stack(planes).to(stroke)


class StyleEncoder(nn.Module):
    """What a slice looks like apart from its stroke: mean and log variance of its code. Used in training only.

    The stroke's pixels are taken out of the picture first, so that no code tells of a lesion which the masks of
    another slice do not ask for. Arguments as in StyledGenerator.
    """

    def __init__(self, channels: int = 1, *, width: int, style: int) -> None:
        super().__init__()
        self.levels = strided([channels + CONDITION, width, 2 * width, 2 * width, 2 * width])
        self.pool = nn.AdaptiveAvgPool2d(SIDE)
        self.tell = nn.Linear(2 * width * SIDE**2, 2 * style)

    def forward(self, image: Tensor, stroke: Tensor, foreground: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W), (B, 1, H, W), (B, 1, H, W) to mean and log variance, (B, Z) each."""
        shown = torch.cat([image * (1 - stroke), stroke, foreground], 1)  # (B, C + 2, H, W)
        found = self.pool(self.levels(shown)).flatten(1)  # (B, 2w * 64)
        return self.tell(found).chunk(2, 1)
