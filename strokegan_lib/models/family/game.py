"""The game of the whole family, from Goodfellow et al. 2014 on; a member says how its own differs."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import critic_loss, generator_loss, r1_penalty
from strokegan_lib.models.gan import OptimiserConfig, Update, frozen


@dataclass
class Game:
    """A generator from noise against a discriminator, which the kit calls a critic; see models.gan.GAN."""

    generator: nn.Module  # z (B, Z) to pictures; Z is its attribute ``latent``
    discriminator: nn.Module  # pictures to logits
    optimisers: dict[str, OptimiserConfig]  # of 'generator' and 'critic'
    adversarial: str = "logistic"  # or 'hinge', see losses.py
    r1: float = 0.0  # weight of the R1 penalty on a quarter of the batch

    def __post_init__(self) -> None:
        self.networks: dict[str, nn.Module] = {"generator": self.generator, "critic": self.discriminator}

    def truth(self, batch: Batch) -> Tensor:
        """What the generator learns to make: the slices, (B, 1, 128, 128)."""
        return batch.image

    def given(self, batch: Batch) -> tuple[Tensor, ...]:
        """What the generator makes it of."""
        # drawn in the step, whose number decides the random state: a resumed run draws the same
        image = batch.image
        z = torch.randn(len(image), self.generator.latent, dtype=image.dtype, device=image.device)  # (B, Z)
        return (z,)

    def judge(self, critic: Any, picture: Tensor, batch: Batch) -> list[Tensor]:
        """Logits of pictures, a tensor a head."""
        return [critic(picture)]

    def generator_losses(self, fake: Tensor, batch: Batch) -> dict[str, Tensor]:
        """What the generator minimises, under its name, and whatever else is recorded."""
        return {"generator": generator_loss(self.judge(self.discriminator, fake, batch), self.adversarial)}

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch."""
        true, critic = self.truth(batch), networks["critic"]
        fake = networks["generator"](*self.given(batch))  # as true

        # the discriminator's turn, true and fake apart: batch normalisation must not see them mixed
        logits = (self.judge(critic, picture, batch) for picture in (true, fake.detach()))
        total = critic_loss(*logits, self.adversarial)
        losses = {"critic": total}
        if self.r1:  # on a part only: a gradient of a gradient is dear
            few = max(2, len(true) // 4)
            part = Batch(*(values[:few] for values in vars(batch).values()))
            losses["slope"] = r1_penalty(lambda picture: self.judge(critic, picture, part), true[:few])
            total = total + self.r1 * losses["slope"]
        update("critic", total)

        # the generator's turn: be taken for true
        with frozen(self.discriminator):
            losses |= self.generator_losses(fake, batch)
        update("generator", losses["generator"])
        return {"spread": fake.std(), **losses}


class ConditionalGame(Game):
    """A generator from masks, against a discriminator that sees the masks beside the picture."""

    def given(self, batch: Batch) -> tuple[Tensor, ...]:
        """Stroke and foreground, (B, 1, H, W) each."""
        return batch.stroke, batch.foreground

    def judge(self, critic: Any, picture: Tensor, batch: Batch) -> list[Tensor]:
        """Logits of pictures, given the masks."""
        return [critic(torch.cat(self.given(batch), dim=1), picture)]
