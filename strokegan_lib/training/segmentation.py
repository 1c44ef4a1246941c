"""Segmentation by a segmentor and a critic: the paper's proposal, SegAN, and no critic at all.

One code path: a method is a row of choices, so that each difference between SegAN and the
proposal can be switched by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import cross_entropy, multi_scale_l1, soft_dice_loss
from strokegan_lib.models.critic import Critic
from strokegan_lib.models.gan import Rate, Update, frozen
from strokegan_lib.models.segmentation import Segmentor
from strokegan_lib.training.objectives import OBJECTIVES, Objective, Outlook, paper

CLIP = 0.05  # SegAN's released code keeps every weight of its critic within +-.05


@dataclass(frozen=True)
class Method:
    """One way to train a segmentor.

    Attributes:
        output: what the segmentor paints, see models.segmentation.
        levels: weighting of the multi-scale L1 loss, see losses; 'pixel' needs no critic.
        multi_scale: weight of that loss; 0 for no critic and no such loss.
        dice: weight of the soft Dice loss; 0 is the pure paper.
        bce: weight of the binary cross-entropy of the score.
        attention: self-attention in segmentor and critic.
        spectral: spectral normalisation in the critic; without it the critic's weights are clipped.
        loss: what is made small of the masked image beside Dice and cross-entropy, a name of
            training.objectives; another than 'paper' needs a painted masked image and a critic.
    """

    output: str = "masked image"
    levels: str = "equal"
    multi_scale: float = 1.0
    dice: float = 1.0
    bce: float = 0.0
    attention: bool = True
    spectral: bool = True
    loss: str = "paper"

    @property
    def has_critic(self) -> bool:
        return self.multi_scale > 0 and self.levels != "pixel"


METHODS = {
    # the paper: the segmentor learns image -> image x mask, the critic has multi-scale L1
    "masked": Method(),
    # the published baseline, as its author recommends it: spectral norm, Dice term
    "segan": Method(output="probability", attention=False),
    # the same as it was released: its weighting, its clipping
    "segan-released": Method(output="probability", attention=False, levels="elements", spectral=False),
    # what a user would pick: no critic
    "unet": Method(output="probability", attention=False, multi_scale=0.0, bce=1.0),
}


class SegmentationGAN:
    """A segmentor, its critic, and how they learn from a batch.

    Args:
        method: the choices.
        channels: C of the slices.
        width: of both networks; 64 gives nets of the size of SegAN's.
        norm: batch normalisation in the segmentor.
        objective: a loss of one's own in place of the method's.

    Raises:
        ValueError: an objective that is not known, or that the method's networks cannot serve.
    """

    def __init__(
        self,
        method: Method,
        channels: int = 1,
        *,
        width: int = 32,
        norm: bool = True,
        objective: Objective | None = None,
    ) -> None:
        if method.loss not in OBJECTIVES:
            raise ValueError(f"loss must be one of {', '.join(OBJECTIVES)}, not {method.loss!r}")
        if (objective or method.loss != "paper") and not (
            method.has_critic and method.output == "masked image"
        ):
            raise ValueError("another loss than the paper's needs a painted masked image and a critic")
        self.method, self.objective = method, objective or OBJECTIVES[method.loss]
        self.segmentor = Segmentor(
            channels, output=method.output, width=width, attention=method.attention, norm=norm
        )
        self.networks: dict[str, nn.Module] = {"segmentor": self.segmentor}
        self.rates = {"segmentor": Rate(1e-3)}
        if method.has_critic:
            self.critic = Critic(channels, width=width, attention=method.attention, spectral=method.spectral)
            self.networks["critic"] = self.critic
            self.rates["critic"] = Rate(4e-4, betas=(0.5, 0.999))

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch.

        The critic looks for features in which the masked image by the segmentor and the true
        one differ most; the segmentor then makes that difference small (SegAN, equation 2)::

            min over S, max over C of  multi_scale_l1(C(S's masked image), C(x * y))

        Args:
            networks: ``self.networks`` as the loop has wrapped them.
            batch: image (B, C, H, W), stroke (B, 1, H, W).
            update: called as update(name, loss): one step of that network's optimiser.

        Returns:
            scalars to record.
        """
        method, image, stroke = self.method, batch.image, batch.stroke
        truth = image * stroke  # (B, C, H, W)
        logits = networks["segmentor"](image)
        masked, score = self.segmentor.read(logits, image)
        losses: dict[str, Tensor] = {}
        black = torch.zeros_like(truth[:1])  # (1, C, H, W)
        features = [masked], [truth], [black]  # what a comparison by pixels needs

        if method.has_critic:
            # the critic's turn
            seen = networks["critic"](torch.cat([masked.detach(), truth]))
            losses["critic"] = -multi_scale_l1(*halves(seen), method.levels)
            update("critic", losses["critic"])
            if not method.spectral:
                with torch.no_grad():
                    for weight in self.critic.parameters():
                        weight.clamp_(-CLIP, CLIP)
            # the segmentor's turn
            with frozen(self.critic):
                with torch.no_grad():
                    true_features = self.critic(truth)
                    # not for the paper's loss, which asks for none: every pass moves the spectral norm
                    black_features = [black] if self.objective is paper else self.critic(black)
                features = self.critic(masked), true_features, black_features

        total = score.new_zeros(())
        if method.multi_scale:
            terms = self.objective(Outlook(image, stroke, logits, score, *features, method.levels))
            total = total + method.multi_scale * sum(terms.values())
            losses |= terms
        if method.dice:
            losses["soft_dice"] = soft_dice_loss(score, stroke)
            total = total + method.dice * losses["soft_dice"]
        if method.bce:
            losses["cross_entropy"] = cross_entropy(score, stroke)
            total = total + method.bce * losses["cross_entropy"]
        update("segmentor", total)
        return {**losses, "segmentor": total, "spread": masked.std()}


def halves(features: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Features of a batch of fakes followed by as many true ones, taken apart."""
    pairs = [f.chunk(2) for f in features]
    return [fake for fake, _ in pairs], [true for _, true in pairs]
