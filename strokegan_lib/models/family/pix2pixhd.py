"""pix2pixHD: coarse to fine, judged at two scales by features.

Wang, Liu, Zhu, Tao, Kautz, Catanzaro, High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs,
CVPR 2018; Mok & Chung, Learning Data Augmentation for Brain Tumor Segmentation with Coarse-to-Fine Generative
Adversarial Networks, BrainLes 2018. With discriminators D_1 (full size) and D_2 (half size) whose layers answer
D_k^(i), feature matching takes the place of pix2pix's pixel loss (equations 3-4)::

    L_FM = sum over k of E[1/T * sum over layers i of mean |D_k^(i)(x, y) - D_k^(i)(x, G(x))|]
    G    = arg min over G, max over D_1, D_2:  sum over k of L_GAN(G, D_k) + 10 * L_FM

Deviations: both parts of the generator learn together from the start; means over the scales in place of sums; the
hinge loss, as in its successor SPADE, not least squares; no features of a network trained on photographs; fewer
blocks and narrower ones; 0 outside the foreground by construction.
"""

from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import generator_loss, multi_scale_l1
from strokegan_lib.models.critic import strided
from strokegan_lib.models.family.dcgan import doubled
from strokegan_lib.models.family.game import ConditionalGame
from strokegan_lib.models.gan import adam
from strokegan_lib.models.synthesis import CONDITION

SCALES = 2  # discriminators: at full size and at half of it
HALVINGS = 3  # of the global network: 64 -> 32 -> 16 -> 8
GLOBAL_BLOCKS, LOCAL_BLOCKS = 3, 1  # residual blocks; the paper's 9 and 3
MATCHING = 10.0  # weight of feature matching

norm = partial(nn.InstanceNorm2d, affine=True)  # every slice by itself: the others of a batch change nothing


class Pix2PixHD(nn.Module):
    """The generator: a global network at half size inside a local enhancer at full size.

    *width* channels at half size; the global network doubles them at each halving.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.config = {"width": width}
        widths = [width * 2**stage for stage in range(HALVINGS + 1)]  # 16, 32, 64, 128
        self.whole = nn.Sequential(
            _conv(CONDITION, width),
            *(_conv(a, b, stride=2) for a, b in pairwise(widths)),
            *(ResidualBlock(widths[-1]) for _ in range(GLOBAL_BLOCKS)),
            *(doubled(a, b, norm) for a, b in pairwise(widths[::-1])),
        )
        self.near = nn.Sequential(_conv(CONDITION, width // 2), _conv(width // 2, width, stride=2))
        self.join = nn.Sequential(
            *(ResidualBlock(width) for _ in range(LOCAL_BLOCKS)),
            doubled(width, width // 2, norm),
            nn.Conv2d(width // 2, 1, 3, padding=1),
        )

    def forward(self, stroke: Tensor, foreground: Tensor) -> Tensor:
        """(B, 1, H, W) and (B, 1, H, W), 0/1, to a picture (B, 1, H, W): 0..1, and 0 outside the foreground."""
        asked = torch.cat([stroke, foreground], dim=1)  # (B, 2, H, W)
        coarse = self.whole(F.avg_pool2d(asked, 2))  # (B, w, H/2, W/2)
        fine = self.near(asked)  # (B, w, H/2, W/2)
        return self.join(coarse + fine).sigmoid() * foreground  # (B, 1, H, W)


class MultiScaleDiscriminator(nn.Module):
    """Two discriminators of one build, for the slice and for the slice at half size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList()
        for _ in range(SCALES):
            levels = strided([CONDITION + 1, width, 2 * width, 4 * width], norm=norm)
            self.scales.append(levels.append(nn.Conv2d(4 * width, 1, 4, padding=1)))

    def forward(self, asked: Tensor, picture: Tensor) -> list[tuple[list[Tensor], Tensor]]:
        """(B, 2, H, W) and (B, 1, H, W) to features and logits of each scale.

        At full size these are [(B, w, H/2, W/2), (B, 2w, H/4, W/4), (B, 4w, H/8, W/8)] and (B, 1, H/8 - 1, W/8 - 1).
        """
        picture, answers = torch.cat([asked, picture], dim=1), []  # (B, 3, H, W)
        for scale in self.scales:
            features = [picture]
            for level in scale:
                features.append(level(features[-1]))
            answers.append((features[1:-1], features[-1]))
            picture = F.avg_pool2d(picture, 2)  # (B, 3, H/2, W/2)
        return answers


class ResidualBlock(nn.Module):
    """x plus what two convolutions make of it, (B, C, H, W) to (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = _conv(channels, channels)[:2]  # no ReLU

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x))


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(conv, norm(outputs), nn.ReLU())


class Pix2PixHDGame(ConditionalGame):
    """Hinge loss at two scales and feature matching."""

    def judge(self, critic: Any, picture: Tensor, batch: Batch) -> list[Tensor]:
        """Logits, a tensor a scale."""
        (scales,) = super().judge(critic, picture, batch)
        return [logits for _, logits in scales]

    def generator_losses(self, fake: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The terms of G, and their sum."""
        (made,) = super().judge(self.discriminator, fake, batch)
        with torch.no_grad():
            (true,) = super().judge(self.discriminator, batch.image, batch)
        adversarial = generator_loss([logits for _, logits in made], self.adversarial)
        matching = sum(multi_scale_l1(m, t) for (m, _), (t, _) in zip(made, true, strict=True)) / SCALES
        total = adversarial + MATCHING * matching
        return {"adversarial": adversarial, "matching": matching, "generator": total}


def make(width: int, _: int) -> Pix2PixHDGame:
    """pix2pixHD, untrained."""
    discriminator = MultiScaleDiscriminator(width)
    return Pix2PixHDGame(Pix2PixHD(width), discriminator, adam(1e-3, 2e-3, (0.5, 0.999)), "hinge")
