"""Synthesis with styles: an autoencoder whose pictures a critic judges, and which learns to do without a picture.

Half of every batch is repainted from its own style, half is painted in a style drawn at
random, as it will be later, and shall tell which: the two halves of BicycleGAN (Zhu et al.
2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import generator_loss, multi_scale_l1
from strokegan_lib.models.critic import ConditionalCritic
from strokegan_lib.models.gan import Rate, Update, frozen
from strokegan_lib.models.style_encoder import StyleEncoder
from strokegan_lib.models.styled import StyledGenerator
from strokegan_lib.models.synthesis import CONDITION
from strokegan_lib.training.synthesis import BETAS, Recipe, critic_turn

LESION = 4.0  # what a pixel of stroke counts beyond a pixel of tissue: it is one in fifty


@dataclass(frozen=True)
class StyledRecipe(Recipe):
    """The paper's generator's losses, those of L1 on repainted slices alone, + kl * KL + latent * code L1.

    Attributes:
        latent: weight of the mean distance between a code drawn and the one that the encoder finds
            in what was painted with it (BicycleGAN's latent regression): without it nothing asks that two
            codes make two brains.
        kl: weight of the divergence of a code from N(0, 1): little, as codes are drawn from a
            Gaussian that is fitted to them.
        style, grain: as in StyledGenerator.
    """

    latent: float = 0.5  # BicycleGAN's
    kl: float = 0.004
    style: int = 64
    grain: bool = True


class StyledGAN:
    """A generator with styles, the encoder that finds them, and a critic.

    Args:
        recipe: weights of the losses, parts of the generator.
        channels: C of the slices.
        width, attention: of the networks.
    """

    def __init__(
        self, recipe: StyledRecipe, channels: int = 1, *, width: int = 32, attention: bool = True
    ) -> None:
        self.recipe = recipe
        self.generator = StyledGenerator(
            channels, width=width, attention=attention, style=recipe.style, grain=recipe.grain
        )
        self.critic = ConditionalCritic(
            CONDITION, channels, width=width, attention=attention, spectral=recipe.spectral
        )
        self.encoder = StyleEncoder(channels, width=width, style=recipe.style)
        self.networks: dict[str, nn.Module] = {
            "generator": self.generator, "critic": self.critic, "style": self.encoder,
        }  # fmt: skip
        self.rates = dict.fromkeys(self.networks, Rate(5e-4, BETAS))

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch.

        Args:
            networks: ``self.networks`` as the loop has wrapped them.
            batch: image (B, C, H, W), stroke and foreground (B, 1, H, W), B 2 or more.
            update: called as update(names, loss): one step of these networks' optimisers.

        Returns:
            scalars to record.
        """
        recipe, image = self.recipe, batch.image
        asked = torch.cat([batch.stroke, batch.foreground], dim=1)  # (B, 2, H, W)
        z, kl, known = self._styles(networks, batch)
        fake = networks["generator"](batch.stroke, batch.foreground, z)  # (B, C, H, W)

        # the critic's turn: tell true from fake
        loss_critic = critic_turn(networks["critic"], self.critic, asked, fake, image, recipe, update)

        # the generator's and the encoder's turn: all be taken for true, the repainted be as they were,
        # the others tell their code; the encoder must not help there, or the two would agree on a sign
        with frozen(self.critic):
            with torch.no_grad():
                true_features, _ = self.critic(torch.cat([asked, image], 1)[:known])
            fake_features, fake_logits = self.critic(torch.cat([asked, fake], 1))
        with frozen(self.encoder):
            found, _ = self.encoder(fake[known:], batch.stroke[known:], batch.foreground[known:])  # (B/2, Z)
        weight = batch.foreground * (1 + LESION * batch.stroke)  # (B, 1, H, W)
        off = ((fake - image).abs() * weight)[:known]
        losses = {
            "adversarial": generator_loss(fake_logits, recipe.adversarial),
            "pixel": off.mean(),
            "multi_scale": multi_scale_l1([f[:known] for f in fake_features], true_features),
            "latent": F.l1_loss(found, z[known:]),
            "kl": kl,
        }
        total = (
            losses["adversarial"]
            + recipe.pixel * losses["pixel"]
            + recipe.multi_scale * losses["multi_scale"]
            + recipe.latent * losses["latent"]
            + recipe.kl * losses["kl"]
        )
        update(("generator", "style"), total)
        return {"critic": loss_critic, **losses, "generator": total, "spread": fake.std()}

    def _styles(self, networks: dict[str, Any], batch: Batch) -> tuple[Tensor, Tensor, int]:
        """Codes (B, Z), their own for the first slices and drawn for the others; KL; how many are their own."""
        count = len(batch.image)
        known = count // 2
        mean, log_variance = networks["style"](
            batch.image[:known], batch.stroke[:known], batch.foreground[:known]
        )  # (B/2, Z)
        own = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        drawn = self.generator.draw(count - known)
        self.generator.remember(own.detach())
        return torch.cat([own, drawn.to(own)]), kl, known
