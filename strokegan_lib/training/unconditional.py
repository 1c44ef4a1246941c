"""Games without a condition: from numbers drawn at random to slices like the true ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import critic_loss, generator_loss, r1_penalty
from strokegan_lib.models.family.progressive import (
    PHASES,
    ProgressiveDiscriminator,
    ProgressiveGenerator,
    as_grown,
)
from strokegan_lib.models.gan import Rate, Update, frozen


class UnconditionalGAN:
    """A generator, a discriminator, and the game of Goodfellow et al. 2014 in one of its forms.

    Args:
        generator: z (B, Z) to slices (B, 1, 128, 128); Z is its attribute ``latent``.
        discriminator: slices to logits.
        rates: of 'generator' and 'critic', as the kit calls every discriminator.
        adversarial: 'logistic' or 'hinge', see losses.py.
        r1: weight of the penalty on the discriminator's slope at true slices, 0 for none
            (Mescheder, Geiger, Nowozin, Which Training Methods for GANs do actually Converge?,
            ICML 2018): ``r1 / 2 * E_x[|gradient of D at x|^2]``, over a quarter of the batch.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        rates: dict[str, Rate],
        *,
        adversarial: str,
        r1: float = 0.0,
    ) -> None:
        self.discriminator, self.adversarial, self.r1 = discriminator, adversarial, r1
        self.networks: dict[str, nn.Module] = {"generator": generator, "critic": discriminator}
        self.rates = rates
        self.latent = generator.latent

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch.

        Args:
            networks: ``self.networks`` as the loop has wrapped them.
            batch: of which the images (B, 1, 128, 128) are used, and nothing else.
            update: called as update(name, loss): one step of that network's optimiser.

        Returns:
            scalars to record.
        """
        true = batch.image
        # drawn in the step, whose number decides the random state: a resumed run draws the same
        z = torch.randn(len(true), self.latent, dtype=true.dtype, device=true.device)  # (B, Z)
        fake = networks["generator"](z)  # (B, 1, 128, 128)

        # the discriminator's turn, true and fake apart: batch normalisation must not see them mixed
        true_logits = networks["critic"](true)
        fake_logits = networks["critic"](fake.detach())
        loss = critic_loss([true_logits], [fake_logits], self.adversarial)
        recorded = {"critic": loss}
        if self.r1:  # a gradient of a gradient is dear
            some = true[: max(2, len(true) // 4)].detach().requires_grad_()  # (B/4, 1, 128, 128)
            recorded["slope"] = r1_penalty([networks["critic"](some)], some)
            loss = loss + self.r1 * recorded["slope"]
        update("critic", loss)

        # the generator's turn: be taken for true
        with frozen(self.discriminator):
            loss = generator_loss([self.discriminator(fake)], self.adversarial)
        update("generator", loss)
        return {**recorded, "generator": loss, "spread": fake.std()}


class ProgressiveGAN(UnconditionalGAN):
    """Both players grow while they play.

    Logistic loss and R1, with which StyleGAN (Karras et al., CVPR 2019) goes on growing in this way.

    Args:
        generator, discriminator, rates, r1: as in UnconditionalGAN.
        steps: of the run.
        growing: share of the steps in which they grow; in the rest all stages are there.
    """

    def __init__(
        self,
        generator: ProgressiveGenerator,
        discriminator: ProgressiveDiscriminator,
        rates: dict[str, Rate],
        *,
        r1: float,
        steps: int,
        growing: float,
    ) -> None:
        super().__init__(generator, discriminator, rates, adversarial="logistic", r1=r1)
        self.pace = PHASES / max(1.0, growing * steps)  # phases a step

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """As in UnconditionalGAN, with true slices as coarse as the generator's; then grow."""
        last, alpha = self.discriminator.stage()
        recorded = super().step(networks, replace(batch, image=as_grown(batch.image, last, alpha)), update)
        for network in self.networks.values():
            network.grow(self.pace)
        return {**recorded, "phase": self.discriminator.phase.clone()}
