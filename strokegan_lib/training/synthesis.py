"""Synthesis of slices from two masks: pix2pix with self-attention and multi-scale L1. Taught in notebook 04."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.command_line import option
from strokegan_lib.data.batches import Batch
from strokegan_lib.errors import BadInput
from strokegan_lib.losses import ADVERSARIAL, critic_loss, generator_loss, multi_scale_l1, r1_penalty
from strokegan_lib.models.critic import ConditionalCritic
from strokegan_lib.models.gan import Update, adam, frozen
from strokegan_lib.models.synthesis import CONDITION, Generator
from strokegan_lib.training.settings import WEIGHT, Settings

# the penalty is dear and changes slowly: every eighth step, eight times as heavy (Karras et al. 2020)
LAZY = 8


@dataclass(frozen=True)
class SynthesisSettings(Settings):
    """How the synthesis GAN is trained; its generator minimises adversarial + pixel * L1 + multi_scale * multi-scale L1."""

    average: float = 0.995  # the last 200 steps, over which the players circle each other
    task: str = "synthesis"
    generator: str = "paper"
    adversarial: str = option("logistic", "adversarial loss", choices=ADVERSARIAL)
    # pix2pix's 100 outweighs the critic: what it paints is the median of all brains that fit
    pixel: float = option(10.0, "weight of the pixel L1 loss", WEIGHT)
    # pix2pixHD's weight of the same idea, feature matching
    multi_scale: float = option(10.0, "weight of the multi-scale L1 loss", WEIGHT)
    # Mescheder et al. took 10, at ten times our critic's inputs
    r1: float = option(1.0, "weight of the R1 penalty, the critic's squared slope at true slices", WEIGHT)
    # with it this critic learns later, see models.critic
    spectral: bool = option(False, "spectral normalisation of the critic's convolutions")
    attention: bool = option(True, "self-attention in generator and critic")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not any(getattr(self, name, 0) for name in ("pixel", "multi_scale", "latent", "kl")):
            raise BadInput("every weight of a loss", "is 0", "give one above 0")


class SynthesisGAN:
    """A generator (the paper's by default), its critic, and how they learn from slices of so many channels."""

    def __init__(
        self, settings: SynthesisSettings, channels: int = 1, generator: nn.Module | None = None
    ) -> None:
        self.settings = settings
        size = {"width": settings.width, "attention": settings.attention}
        self.generator = generator or Generator(channels, **size)
        self.critic = ConditionalCritic(CONDITION, channels, spectral=settings.spectral, **size)
        self.networks: dict[str, nn.Module] = {"generator": self.generator, "critic": self.critic}
        # betas of Karras et al. 2018: no memory of where the other player stood
        self.optimisers = adam(5e-4, 5e-4, (0.0, 0.99))

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch (pix2pix, equations 1-4), see models.gan.GAN."""
        settings, image = self.settings, batch.image
        asked = torch.cat([batch.stroke, batch.foreground], dim=1)  # (B, 2, H, W)
        fake = networks["generator"](batch.stroke, batch.foreground)  # (B, C, H, W)

        # the critic's turn: tell true from fake
        loss_critic = self.critic_turn(networks["critic"], asked, fake, image, update)

        # the generator's turn: be taken for true, near the true picture in every feature
        with frozen(self.critic):
            with torch.no_grad():
                true_features, _ = self.critic(torch.cat([asked, image], 1))
            fake_features, fake_logits = self.critic(torch.cat([asked, fake], 1))
        adversarial = generator_loss(fake_logits, settings.adversarial)
        pixel = F.l1_loss(fake, image)
        multi_scale = multi_scale_l1(fake_features, true_features)
        total = adversarial + settings.pixel * pixel + settings.multi_scale * multi_scale
        update("generator", total)
        return {
            "critic": loss_critic, "adversarial": adversarial, "pixel": pixel, "multi_scale": multi_scale,
            "generator": total, "spread": fake.std(),
        }  # fmt: skip

    def critic_turn(self, critic: Any, asked: Tensor, fake: Tensor, true: Tensor, update: Update) -> Tensor:
        """Tell true from fake, (B, C, H, W), given masks (B, 2, H, W); every LAZY-th time keep the slope small.

        What it returns is the adversarial loss, a scalar to record.
        """
        fakes, trues = torch.cat([asked, fake.detach()], 1), torch.cat([asked, true], 1)  # (B, 2+C, H, W)
        _, logits = critic(torch.cat([fakes, trues]))
        fake_logits, true_logits = zip(*(head.chunk(2) for head in logits), strict=True)
        loss = total = critic_loss(true_logits, fake_logits, self.settings.adversarial)
        if self.settings.r1 and self.critic.turns % LAZY == 0:
            slope = r1_penalty(lambda picture: critic(torch.cat([asked, picture], 1))[1], true)
            total = loss + LAZY * self.settings.r1 * slope
        self.critic.turns += 1
        update("critic", total)
        return loss
