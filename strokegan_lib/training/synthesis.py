"""Synthesis of slices from two masks: pix2pix with self-attention and multi-scale L1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import critic_loss, generator_loss, multi_scale_l1, r1_penalty
from strokegan_lib.models.critic import ConditionalCritic
from strokegan_lib.models.gan import Rate, Update, frozen
from strokegan_lib.models.synthesis import CONDITION, Generator

BETAS = (0.0, 0.99)  # Karras et al. 2018: no memory of where the other player stood
# the penalty is dear and changes slowly: every eighth step, eight times as heavy (Karras et al. 2020)
LAZY = 8


@dataclass(frozen=True)
class Recipe:
    """The parts of the generator's loss, adversarial + pixel * L1 + multi_scale * multi-scale L1, and of the critic's."""

    adversarial: str = "logistic"  # or 'hinge'
    pixel: float = 10.0  # pix2pix's 100 drowns the critic: what it paints is the mean of all brains that fit
    multi_scale: float = 10.0  # pix2pixHD's weight of the same idea, feature matching
    r1: float = 1.0  # Mescheder et al. took 10, at ten times our critic's inputs
    spectral: bool = False  # with it this critic learns later, see models.critic


class SynthesisGAN:
    """A generator, its critic, and how they learn from a batch.

    Args:
        recipe: weights of the losses.
        channels: C of the slices.
        width, attention: of both networks.
    """

    def __init__(self, recipe: Recipe, channels: int = 1, *, width: int = 32, attention: bool = True) -> None:
        self.recipe = recipe
        self.generator = Generator(channels, width=width, attention=attention)
        self.critic = ConditionalCritic(
            CONDITION, channels, width=width, attention=attention, spectral=recipe.spectral
        )
        self.networks: dict[str, nn.Module] = {"generator": self.generator, "critic": self.critic}
        self.rates = {"generator": Rate(5e-4, BETAS), "critic": Rate(5e-4, BETAS)}

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

        # the critic's turn: tell true from fake
        loss_critic = critic_turn(networks["critic"], self.critic, asked, fake, image, recipe, update)

        # the generator's turn: be taken for true, near the true picture in every feature
        with frozen(self.critic):
            with torch.no_grad():
                true_features, _ = self.critic(torch.cat([asked, image], 1))
            fake_features, fake_logits = self.critic(torch.cat([asked, fake], 1))
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


def critic_turn(
    wrapped: Any,
    critic: ConditionalCritic,
    asked: Tensor,
    fake: Tensor,
    true: Tensor,
    recipe: Recipe,
    update: Update,
) -> Tensor:
    """Tell true from fake, and every LAZY-th time keep the slope at true pictures small.

    Args:
        wrapped, critic: the critic as the loop has wrapped it, and itself.
        asked: (B, 2, H, W), the masks.
        fake, true: (B, C, H, W), the pictures.
        recipe: which adversarial loss, and the weight of R1.
        update: as in a GAN's step.

    Returns:
        the adversarial loss, a scalar to record.
    """
    shown = torch.cat(
        [torch.cat([asked, picture], 1) for picture in (fake.detach(), true)]
    )  # (2B, 2+C, H, W)
    _, logits = wrapped(shown)
    fake_logits, true_logits = zip(*(head.chunk(2) for head in logits), strict=True)
    loss = critic_loss(true_logits, fake_logits, recipe.adversarial)
    total = loss
    if recipe.r1 and critic.turns % LAZY == 0:
        true = true.detach().requires_grad_()
        with sdpa_kernel(SDPBackend.MATH):  # the fused attention has no second derivative
            _, logits = wrapped(torch.cat([asked, true], 1))
        total = loss + LAZY * recipe.r1 * r1_penalty(logits, true)
    critic.turns += 1
    update("critic", total)
    return loss
