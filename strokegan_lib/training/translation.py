"""Games with a condition: pix2pix and pix2pixHD, from two masks to a slice with that stroke."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import critic_loss, generator_loss, multi_scale_l1
from strokegan_lib.models.family.pix2pix import PatchGAN, Pix2Pix
from strokegan_lib.models.family.pix2pixhd import Pix2PixHD, TwoScales
from strokegan_lib.models.gan import Rate, Update, frozen

PIXEL = 100.0  # pix2pix's weight of its L1 loss
MATCHING = 10.0  # pix2pixHD's weight of feature matching


class Pix2PixGAN:
    """pix2pix: cross-entropy and pixel L1.

    Args:
        width: of both networks.
        rates: of 'generator' and 'critic'.
    """

    def __init__(self, width: int, rates: dict[str, Rate]) -> None:
        self.discriminator = PatchGAN(width)
        self.networks: dict[str, nn.Module] = {
            "generator": Pix2Pix(width),
            "critic": self.discriminator,
        }
        self.rates = rates

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch (pix2pix, equations 1-4).

        Args:
            networks: ``self.networks`` as the loop has wrapped them.
            batch: image, stroke and foreground, (B, 1, H, W) each.
            update: called as update(name, loss): one step of that network's optimiser.

        Returns:
            scalars to record.
        """
        asked = torch.cat([batch.stroke, batch.foreground], dim=1)  # (B, 2, H, W)
        fake = networks["generator"](batch.stroke, batch.foreground)  # (B, 1, H, W)

        true_logits = networks["critic"](asked, batch.image)
        fake_logits = networks["critic"](asked, fake.detach())
        loss_discriminator = critic_loss([true_logits], [fake_logits])
        update("critic", loss_discriminator)

        with frozen(self.discriminator):
            adversarial = generator_loss([self.discriminator(asked, fake)])
        pixel = F.l1_loss(fake, batch.image)
        total = adversarial + PIXEL * pixel
        update("generator", total)
        return {
            "critic": loss_discriminator, "adversarial": adversarial, "pixel": pixel,
            "generator": total, "spread": fake.std(),
        }  # fmt: skip


class Pix2PixHDGAN:
    """pix2pixHD: hinge loss at two scales and feature matching.

    Args:
        width: of both networks.
        rates: of 'generator' and 'critic'.
    """

    def __init__(self, width: int, rates: dict[str, Rate]) -> None:
        self.discriminator = TwoScales(width)
        self.networks: dict[str, nn.Module] = {
            "generator": Pix2PixHD(width),
            "critic": self.discriminator,
        }
        self.rates = rates

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """As in Pix2PixGAN; losses are means over the scales (pix2pixHD, equation 4, has sums)."""
        asked = torch.cat([batch.stroke, batch.foreground], dim=1)  # (B, 2, H, W)
        fake = networks["generator"](batch.stroke, batch.foreground)  # (B, 1, H, W)

        true = networks["critic"](asked, batch.image)
        seen = networks["critic"](asked, fake.detach())
        loss_discriminator = critic_loss([t for _, t in true], [f for _, f in seen], "hinge")
        update("critic", loss_discriminator)

        with frozen(self.discriminator):
            with torch.no_grad():
                true = self.discriminator(asked, batch.image)
            seen = self.discriminator(asked, fake)
        adversarial = generator_loss([logits for _, logits in seen], "hinge")
        matching = sum(multi_scale_l1(f, t) for (f, _), (t, _) in zip(seen, true, strict=True)) / len(seen)
        total = adversarial + MATCHING * matching
        update("generator", total)
        return {
            "critic": loss_discriminator, "adversarial": adversarial, "matching": matching,
            "generator": total, "spread": fake.std(),
        }  # fmt: skip
