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

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import critic_loss, generator_loss, multi_scale_l1
from strokegan_lib.models.gan import Update, adam, frozen
from strokegan_lib.models.synthesis import CONDITION

SCALES = 2  # discriminators: at full size and at half of it
HALVINGS = 3  # of the global network: 64 -> 32 -> 16 -> 8
GLOBAL_BLOCKS, LOCAL_BLOCKS = 3, 1  # residual blocks; the paper's 9 and 3
MATCHING = 10.0  # weight of feature matching


class Pix2PixHD(nn.Module):
    """The generator: a global network at half size inside a local enhancer at full size.

    Args:
        width: channels at half size; the global network doubles them at each halving.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.config = {"width": width}
        widths = [width * 2**stage for stage in range(HALVINGS + 1)]  # 16, 32, 64, 128
        self.whole = nn.Sequential(
            _conv(CONDITION, width),
            *(_conv(a, b, stride=2) for a, b in pairwise(widths)),
            *(ResidualBlock(widths[-1]) for _ in range(GLOBAL_BLOCKS)),
            *(_double(a, b) for a, b in pairwise(widths[::-1])),
        )
        self.near = nn.Sequential(_conv(CONDITION, width // 2), _conv(width // 2, width, stride=2))
        self.join = nn.Sequential(
            *(ResidualBlock(width) for _ in range(LOCAL_BLOCKS)),
            _double(width, width // 2),
            nn.Conv2d(width // 2, 1, 3, padding=1),
        )

    def forward(self, stroke: Tensor, foreground: Tensor) -> Tensor:
        """(B, 1, H, W) and (B, 1, H, W), 0/1, to a picture (B, 1, H, W): 0..1, and 0 outside the foreground."""
        asked = torch.cat([stroke, foreground], dim=1)  # (B, 2, H, W)
        coarse = self.whole(F.avg_pool2d(asked, 2))  # (B, w, H/2, W/2)
        fine = self.near(asked)  # (B, w, H/2, W/2)
        return self.join(coarse + fine).sigmoid() * foreground  # (B, 1, H, W)


class MultiScaleDiscriminator(nn.Module):
    """Two discriminators of one build, for the slice and for the slice at half size.

    Args:
        width: channels after the first halving; doubled twice.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.scales = nn.ModuleList(_Scale(width) for _ in range(SCALES))

    def forward(self, asked: Tensor, picture: Tensor) -> list[tuple[list[Tensor], Tensor]]:
        """(B, 2, H, W) and (B, 1, H, W) to, for each scale, features as in ``_Scale`` and logits."""
        x, answers = torch.cat([asked, picture], dim=1), []  # (B, 3, H, W)
        for scale in self.scales:
            answers.append(scale(x))
            x = F.avg_pool2d(x, 2)  # (B, 3, H/2, W/2)
        return answers


class _Scale(nn.Module):
    """[(B, w, H/2, W/2), (B, 2w, H/4, W/4), (B, 4w, H/8, W/8)] and logits (B, 1, H/8 - 1, W/8 - 1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [CONDITION + 1, width, 2 * width, 4 * width]
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, b, 4, stride=2, padding=1, bias=stage == 0),
                _norm(b) if stage else nn.Identity(),
                nn.LeakyReLU(0.2),
            )
            for stage, (a, b) in enumerate(pairwise(widths))
        )
        self.head = nn.Conv2d(widths[-1], 1, 4, padding=1)

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features, self.head(x)


class ResidualBlock(nn.Module):
    """x plus what two convolutions make of it, (B, C, H, W) to (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), _norm(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x))


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(conv, _norm(outputs), nn.ReLU())


def _double(inputs: int, outputs: int) -> nn.Module:
    conv = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, _norm(outputs), nn.ReLU())


def _norm(channels: int) -> nn.Module:
    """Every slice by itself: what the others of a batch look like changes nothing."""
    return nn.InstanceNorm2d(channels, affine=True)


class Pix2PixHDGAN:
    """The game: hinge loss at two scales and feature matching.

    Args:
        width: of both networks.
    """

    def __init__(self, width: int) -> None:
        self.discriminator, generator = MultiScaleDiscriminator(width), Pix2PixHD(width)
        self.networks: dict[str, nn.Module] = {"generator": generator, "critic": self.discriminator}
        self.optimisers = adam(1e-3, 2e-3, (0.5, 0.999))

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch, see models.gan.GAN."""
        asked = torch.cat([batch.stroke, batch.foreground], dim=1)  # (B, 2, H, W)
        fake = networks["generator"](batch.stroke, batch.foreground)  # (B, 1, H, W)

        critic = networks["critic"]
        true, made = critic(asked, batch.image), critic(asked, fake.detach())
        loss = critic_loss([logits for _, logits in true], [logits for _, logits in made], "hinge")
        update("critic", loss)

        with frozen(self.discriminator):
            with torch.no_grad():
                true = self.discriminator(asked, batch.image)
            made = self.discriminator(asked, fake)
        adversarial = generator_loss([logits for _, logits in made], "hinge")
        matching = sum(multi_scale_l1(m, t) for (m, _), (t, _) in zip(made, true, strict=True)) / SCALES
        total = adversarial + MATCHING * matching
        update("generator", total)
        return {
            "critic": loss, "adversarial": adversarial, "matching": matching, "generator": total,
            "spread": fake.std(),
        }  # fmt: skip
