"""Synthesis with styles: an autoencoder whose pictures a critic judges, and which learns to do without a picture.

Half of every batch is repainted from its own style; half is painted in a style drawn at random, as it will be later,
from which that style shall be found again: the two halves of BicycleGAN (Zhu et al. 2017).
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from strokegan_lib.command_line import integer, option
from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import generator_loss, multi_scale_l1
from strokegan_lib.models.gan import Update, frozen
from strokegan_lib.models.styled import StyledGenerator, StyleEncoder
from strokegan_lib.training.settings import WEIGHT
from strokegan_lib.training.synthesis import SynthesisGAN, SynthesisSettings

LESION = 4.0  # what a pixel of stroke counts beyond a pixel of tissue: it is one in fifty


@dataclass(frozen=True)
class StyledSettings(SynthesisSettings):
    """The paper's generator's losses, those of L1 on repainted slices alone, + kl * KL + latent * code L1."""

    generator: str = "styled"
    # BicycleGAN's; without it nothing asks that two codes make two brains
    latent: float = option(
        0.5, "styled: weight of the distance between a code drawn and the one found in its picture", WEIGHT
    )
    # little, as codes are drawn from a Gaussian that is fitted to them
    kl: float = option(0.004, "styled: weight of the codes' divergence from N(0, 1)", WEIGHT)
    style: int = option(64, "styled: numbers in a code", integer(1, 65536))
    grain: bool = option(True, "styled: noise at every size")


class StyledGAN(SynthesisGAN):
    """A generator with styles, the encoder that finds them, and a critic."""

    def __init__(self, settings: StyledSettings, channels: int = 1) -> None:
        size = {"width": settings.width, "style": settings.style}
        generator = StyledGenerator(channels, attention=settings.attention, grain=settings.grain, **size)
        super().__init__(settings, channels, generator)
        self.encoder = self.networks["style"] = StyleEncoder(channels, **size)
        self.optimisers["style"] = self.optimisers["generator"]

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch of 2 or more, see models.gan.GAN."""
        settings, image, stroke, foreground = self.settings, batch.image, batch.stroke, batch.foreground
        asked = torch.cat([stroke, foreground], dim=1)  # (B, 2, H, W)

        # codes: their own for the first slices, drawn for the others; KL of the former from N(0, 1)
        known = len(image) // 2
        mean, log_variance = networks["style"](image[:known], stroke[:known], foreground[:known])  # (B/2, Z)
        own = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        drawn = self.generator.draw(len(image) - known).to(own)
        self.generator.update_moments(own.detach())
        fake = networks["generator"](stroke, foreground, torch.cat([own, drawn]))  # (B, C, H, W)

        # the critic's turn: tell true from fake
        loss_critic = self.critic_turn(networks["critic"], asked, fake, image, update)

        # the generator's and the encoder's turn: all are to be taken for true, the repainted to be as they were, the
        # others to tell their code; there the encoder is frozen, or the two would agree on a sign
        with frozen(self.critic):
            with torch.no_grad():
                true_features, _ = self.critic(torch.cat([asked, image], 1)[:known])
            fake_features, fake_logits = self.critic(torch.cat([asked, fake], 1))
        with frozen(self.encoder):
            found, _ = self.encoder(fake[known:], stroke[known:], foreground[known:])  # (B/2, Z)
        weight = foreground * (1 + LESION * stroke)  # (B, 1, H, W)
        adversarial = generator_loss(fake_logits, settings.adversarial)
        pixel = ((fake - image).abs() * weight)[:known].mean()
        multi_scale = multi_scale_l1([f[:known] for f in fake_features], true_features)
        latent = F.l1_loss(found, drawn)
        total = adversarial + settings.pixel * pixel + settings.multi_scale * multi_scale
        total = total + settings.latent * latent + settings.kl * kl
        update(("generator", "style"), total)
        return {
            "critic": loss_critic, "adversarial": adversarial, "pixel": pixel, "multi_scale": multi_scale,
            "latent": latent, "kl": kl, "generator": total, "spread": fake.std(),
        }  # fmt: skip
