"""Masks from noise: the first stage of the dual GAN of Guibas, Virdi and Li (2017)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import critic_loss, generator_loss
from strokegan_lib.models.gan import Rate, Update, frozen
from strokegan_lib.models.masks import MaskCritic, MaskGenerator, soften

# a generator learns the changes along with the masks: no more of them than patients differ anyhow
GENTLE = Augmentation(rotation=4, scale=0.04, shear=0.02, shift=1.5, gain=0, gamma=0, bias=0, noise=0)


class MaskGAN:
    """A generator of masks, its critic, and how they learn from a batch.

    Args:
        noise: as in MaskGenerator.
        width: of both networks.
    """

    def __init__(self, noise: int = 64, *, width: int = 16) -> None:
        self.generator, self.critic = MaskGenerator(noise, width=width), MaskCritic(width=width)
        self.networks: dict[str, nn.Module] = {"generator": self.generator, "critic": self.critic}
        betas = (0.0, 0.99)  # Karras et al. 2018: no memory of where the other player stood
        self.rates = {"generator": Rate(1e-3, betas), "critic": Rate(1e-3, betas)}

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch (hinge loss: SAGAN, equation 4).

        Args:
            networks: ``self.networks`` as the loop has wrapped them.
            batch: stroke and foreground (B, 1, 128, 128); its image is not looked at.
            update: called as update(name, loss): one step of that network's optimiser.

        Returns:
            scalars to record; ``stroke`` and ``true`` are the shares of the picture that made and drawn
            strokes take.
        """
        true = soften(torch.cat([batch.stroke, batch.foreground], dim=1))  # (B, 2, H, W)
        z = torch.randn(len(true), self.generator.config["noise"], dtype=true.dtype, device=true.device)
        fake = networks["generator"](z)  # (B, 2, H, W)

        # the critic's turn; true and made masks apart, since it looks at how they vary
        critic = networks["critic"]
        loss_critic = critic_loss([critic(true)], [critic(fake.detach())], "hinge")
        update("critic", loss_critic)

        # the generator's turn
        with frozen(self.critic):
            loss = generator_loss([self.critic(fake)], "hinge")
        update("generator", loss)
        return {
            "critic": loss_critic,
            "generator": loss,
            "spread": fake[:, 0].std(),
            "stroke": fake[:, 0].mean(),
            "true": true[:, 0].mean(),
        }
