"""Synthesis of slices from two masks: pix2pix with self-attention and multi-scale L1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import critic_loss, generator_loss, multi_scale_l1
from strokegan_lib.models.critic import PatchCritic
from strokegan_lib.models.synthesis import CONDITION, Generator
from strokegan_lib.training.gan import Rate, Update, frozen


@dataclass(frozen=True)
class Recipe:
    """The parts of the generator's loss: adversarial + pixel * L1 + multi_scale * multi-scale L1."""

    adversarial: str = "hinge"  # or 'bce'
    pixel: float = 100.0  # pix2pix's weight
    multi_scale: float = 10.0  # pix2pixHD's weight of the same idea, feature matching


class SynthesisGAN:
    """A generator, its patch critic, and how they learn from a batch.

    Args:
        recipe: weights of the losses.
        channels: C of the slices.
        width, attention: of both networks.
    """

    def __init__(self, recipe: Recipe, channels: int = 1, *, width: int = 32, attention: bool = True) -> None:
        self.recipe = recipe
        self.generator = Generator(channels, width=width, attention=attention)
        self.critic = PatchCritic(CONDITION, channels, width=width, attention=attention)
        self.networks: dict[str, nn.Module] = {"generator": self.generator, "critic": self.critic}
        betas = (0.5, 0.999)  # pix2pix
        self.rates = {"generator": Rate(1e-3, betas), "critic": Rate(4e-4, betas)}

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch (pix2pix, equations 1-4).

        Args:
            networks: ``self.networks`` as the loop has wrapped them.
            batch: image (B, C, H, W), stroke and foreground (B, 1, H, W).
            update: called as update(name, loss): one step of that network's optimiser.

        Returns:
            scalars to record.
        """
        recipe, image = self.recipe, batch.image
        asked = torch.cat([batch.stroke, batch.foreground], dim=1)  # (B, 2, H, W)
        fake = networks["generator"](batch.stroke, batch.foreground)  # (B, C, H, W)
        with_fake, with_true = (torch.cat([asked, picture], 1) for picture in (fake, image))  # (B, 2+C, H, W)

        # the critic's turn: tell true from fake
        _, logits = networks["critic"](torch.cat([with_fake.detach(), with_true]))
        fake_logits, true_logits = logits.chunk(2)
        loss_critic = critic_loss(true_logits, fake_logits, recipe.adversarial)
        update("critic", loss_critic)

        # the generator's turn: be taken for true, near the true picture in every feature
        with frozen(self.critic):
            with torch.no_grad():
                true_features, _ = self.critic(with_true)
            fake_features, fake_logits = self.critic(with_fake)
        losses = {
            "adversarial": generator_loss(fake_logits, recipe.adversarial),
            "pixel": F.l1_loss(fake, image),
            "multi_scale": multi_scale_l1(fake_features, true_features),
        }
        total = (
            losses["adversarial"]
            + recipe.pixel * losses["pixel"]
            + recipe.multi_scale * losses["multi_scale"]
        )
        update("generator", total)
        return {"critic": loss_critic, **losses, "generator": total, "spread": fake.std()}
