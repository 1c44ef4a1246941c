"""Progressive growing: first the whole brain, small and coarse, then ever finer.

Karras, Aila, Laine, Lehtinen, Progressive Growing of GANs for Improved Quality, Stability, and Variation, ICLR 2018.
A new stage is not switched on but faded in::

    picture = (1 - alpha) * upsampled(lower stage) + alpha * new stage      alpha: 0 -> 1

and three small things keep the players in step:

    pixel norm             y = x / sqrt(mean over channels of x^2 + 1e-8)
    equalised rate         the weights used are w * sqrt(2 / inputs), w normal: all learn equally fast
    minibatch deviation    one map more for D: how much do the slices of this batch differ?

Deviations: starts at 8 x 8, not 4 x 4 (a brain of 4 pixels is grey); narrow, and channels are halved at every
doubling; pictures are always handed over at 128 x 128, enlarged or reduced inside; logistic loss and R1 in place of
WGAN-GP, as in StyleGAN (Karras et al., CVPR 2019), which grows in the same way.
"""

import math
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from strokegan_lib.data.batches import Batch
from strokegan_lib.models.family.game import Game
from strokegan_lib.models.gan import Update, adam

STAGES = 5  # 8 -> 16 -> 32 -> 64 -> 128
START, SIZE = 8, 128  # pixels a side, first and last
PHASES = 2 * (STAGES - 1)  # settling and fading in turns, until all stages are there
GROWING = 0.6  # share of the steps in which the players grow; in the rest all stages are there


class Growing(nn.Module):
    """What both players know: the number of phases done, 0..8, a buffer that checkpoints and weight files keep.

    From 2k to 2k + 1 stage k settles; from 2k + 1 to 2k + 2 stage k + 1 fades in.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("phase", torch.zeros(()))

    def grow(self, phases: float) -> None:
        """Move on by a share of a phase."""
        self.phase.add_(phases).clamp_(max=PHASES)

    def stage(self) -> tuple[int, float]:
        """The last stage at work, and alpha: how much of it is shown, above 0 and at most 1."""
        settled, fading = divmod(float(self.phase), 2)
        return (int(settled) + 1, fading - 1) if fading > 1 else (int(settled), 1.0)


class ProgressiveGenerator(Growing):
    """From *latent* numbers to a slice, at first of 8 x 8 large pixels; *width* channels at 128 x 128."""

    def __init__(self, width: int, latent: int = 64) -> None:
        super().__init__()
        self.config = {"width": width, "latent": latent}
        self.latent = latent
        widths = [width * 2**halved for halved in range(STAGES)][::-1]  # 128, 64, 32, 16, 8
        self.project = equalised(nn.Linear(latent, widths[0] * START**2))
        self.blocks = nn.ModuleList(_pair(a, b, b) for a, b in pairwise([widths[0], *widths]))
        self.to_grey = nn.ModuleList(equalised(nn.Conv2d(w, 1, 1), gain=1.0) for w in widths)

    def forward(self, z: Tensor) -> Tensor:
        """(B, Z), normal, to slices (B, 1, 128, 128), 0..1."""
        last, alpha = self.stage()
        x = lower = self.project(pixel_norm(z)).unflatten(1, (-1, START, START))  # (B, 16w, 8, 8)
        for stage in range(last + 1):
            if stage:
                lower, x = x, F.interpolate(x, scale_factor=2.0)  # nearest: (B, C, 2H, 2W)
            for conv in self.blocks[stage]:
                x = pixel_norm(F.leaky_relu(conv(x), 0.2))  # (B, C', H, W)
        grey = self.to_grey[last](x)  # (B, 1, S, S)
        if alpha < 1:
            before = F.interpolate(self.to_grey[last - 1](lower), scale_factor=2.0)
            grey = (1 - alpha) * before + alpha * grey
        return F.interpolate(grey.sigmoid(), size=SIZE)  # (B, 1, 128, 128)


class ProgressiveDiscriminator(Growing):
    """The generator's mirror image; it looks at slices reduced to what the generator can paint."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width * 2**halved for halved in range(STAGES)][::-1]  # 128, 64, 32, 16, 8
        self.from_grey = nn.ModuleList(equalised(nn.Conv2d(1, w, 1)) for w in widths)
        first = _pair(widths[0] + 1, widths[0], widths[0])  # it gets the minibatch deviation as well
        self.blocks = nn.ModuleList([first, *(_pair(a, a, b) for b, a in pairwise(widths))])
        self.head = nn.Sequential(
            equalised(nn.Linear(widths[0] * START**2, widths[0])),
            nn.LeakyReLU(0.2),
            equalised(nn.Linear(widths[0], 1), gain=1.0),
        )

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, 128, 128) to logits (B, 1)."""
        last, alpha = self.stage()
        image = F.adaptive_avg_pool2d(image, START * 2**last)  # (B, 1, S, S)
        x = F.leaky_relu(self.from_grey[last](image), 0.2)  # (B, C, S, S)
        for stage in range(last, -1, -1):
            if stage == 0:
                x = minibatch_deviation(x)  # (B, C+1, 8, 8)
            for conv in self.blocks[stage]:
                x = F.leaky_relu(conv(x), 0.2)  # (B, C', S, S)
            if stage:
                x = F.avg_pool2d(x, 2)  # (B, C', S/2, S/2)
            if stage == last and alpha < 1:
                before = F.leaky_relu(self.from_grey[last - 1](F.avg_pool2d(image, 2)), 0.2)
                x = (1 - alpha) * before + alpha * x
        return self.head(x.flatten(1))  # (B, 1)


class _Scaled(nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, weight: Tensor) -> Tensor:
        return weight * self.scale


def equalised(layer: nn.Linear | nn.Conv2d, gain: float = math.sqrt(2)) -> nn.Module:
    """Scale a layer's weights when they are used, not when they are drawn.

    Adam's steps have one size whatever the weight's: like this they change every layer equally fast.
    """
    nn.init.normal_(layer.weight)
    nn.init.zeros_(layer.bias)
    register_parametrization(layer, "weight", _Scaled(gain / math.sqrt(layer.weight[0].numel())))
    return layer


def _pair(inputs: int, between: int, outputs: int) -> nn.ModuleList:
    """The two convolutions of a stage."""
    sizes = ((inputs, between), (between, outputs))
    return nn.ModuleList(equalised(nn.Conv2d(a, b, 3, padding=1)) for a, b in sizes)


def pixel_norm(x: Tensor) -> Tensor:
    """(B, C, ...) with a mean square over channels of 1 at every pixel."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


def minibatch_deviation(x: Tensor) -> Tensor:
    """(B, C, H, W) to (B, C+1, H, W): the last map is one number, the batch's mean standard deviation."""
    tiny = max(1e-8, torch.finfo(x.dtype).tiny)  # 1e-8 is 0 in float16, and a root's slope at 0 infinite
    deviation = (x.var(0, unbiased=False) + tiny).sqrt().mean()
    return torch.cat([x, deviation.to(x.dtype).expand_as(x[:, :1])], dim=1)


def as_grown(image: Tensor, last: int, alpha: float) -> Tensor:
    """A true slice (B, 1, 128, 128) as coarse as the generator paints at that stage, same shape."""
    fine = F.adaptive_avg_pool2d(image, START * 2**last)  # (B, 1, S, S)
    if alpha < 1:
        fine = (1 - alpha) * F.interpolate(F.avg_pool2d(fine, 2), scale_factor=2.0) + alpha * fine
    return F.interpolate(fine, size=image.shape[2:])  # (B, 1, 128, 128)


class ProgressiveGame(Game):
    """Both players grow while they play; *steps* are those of the run."""

    def __init__(self, width: int, steps: int) -> None:
        players = ProgressiveGenerator(width), ProgressiveDiscriminator(width)
        super().__init__(*players, adam(2e-3, 2e-3, (0.0, 0.99)), r1=2.0)
        self.phases_per_step = PHASES / max(1.0, GROWING * steps)

    def truth(self, batch: Batch) -> Tensor:
        """Slices as coarse as the generator's."""
        return as_grown(batch.image, *self.discriminator.stage())

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """As in Game; then grow."""
        losses = super().step(networks, batch, update)
        for network in self.networks.values():
            network.grow(self.phases_per_step)
        return {**losses, "phase": self.discriminator.phase.clone()}
