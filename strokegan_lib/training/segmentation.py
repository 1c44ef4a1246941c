"""Segmentation by a segmentor and a critic: the paper's proposal, SegAN, and no critic at all. Taught in notebook 05.

A method is a row of settings, so that each difference between SegAN and the proposal can be switched by itself.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from strokegan_lib.command_line import option
from strokegan_lib.data.batches import Batch
from strokegan_lib.errors import BadInput
from strokegan_lib.losses import WEIGHTINGS, cross_entropy, multi_scale_l1, soft_dice_loss
from strokegan_lib.models.critic import Critic
from strokegan_lib.models.gan import OptimiserConfig, Update, frozen
from strokegan_lib.models.segmentation import Segmentor
from strokegan_lib.training.objectives import OBJECTIVES, LossInputs, Objective, paper
from strokegan_lib.training.settings import WEIGHT, Settings

CLIP = 0.05  # SegAN's released code keeps every weight of its critic within +-.05


@dataclass(frozen=True)
class SegmentationSettings(Settings):
    """One way to train a segmentor; the defaults are the paper's proposal."""

    task: str = "segmentation"
    method: str = "masked"
    output: str = "masked image"  # what the segmentor paints, see models.segmentation
    levels: str = option(
        "equal", "weighting of the multi-scale L1 loss; pixel needs no critic", choices=WEIGHTINGS
    )
    multi_scale: float = option(1.0, "weight of the multi-scale L1 loss; 0 for no critic", WEIGHT)
    dice: float = option(1.0, "weight of the soft Dice loss; 0 is the pure paper", WEIGHT)
    bce: float = option(0.0, "weight of the binary cross-entropy of the local score", WEIGHT)
    attention: bool = option(True, "self-attention in segmentor and critic")
    mirror: bool = option(True, "show the segmentor the slice's mirror image as well")
    spectral: bool = option(True, "spectral normalisation of the critic, or clipping")
    loss: str = option("paper", "loss of the painted masked image", choices=list(OBJECTIVES))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.multi_scale or self.dice or self.bce):
            raise BadInput("every weight of a loss", "is 0", "give one above 0")
        if self.loss != "paper" and not (self.paints_for_critic and self.levels == "equal"):
            remedy = "choose --method masked, and leave --multi-scale 0 and --levels out"
            raise BadInput(f"--loss {self.loss}", "needs what masked paints and its critic", remedy)

    @property
    def has_critic(self) -> bool:
        return self.multi_scale > 0 and self.levels != "pixel"

    @property
    def paints_for_critic(self) -> bool:
        """Whether there is all that an objective of one's own may look at."""
        return self.has_critic and self.output == "masked image"


# the published baseline, as its author recommends it: spectral norm, Dice term
SEGAN = SegmentationSettings(method="segan", output="probability", attention=False)
METHODS = {
    "masked": SegmentationSettings(),  # the paper: image -> image x mask, the critic has multi-scale L1
    "segan": SEGAN,
    # the same as it was released: its weighting, its clipping
    "segan-released": replace(SEGAN, method="segan-released", levels="elements", spectral=False),
    # what a user would pick: no critic
    "unet": replace(SEGAN, method="unet", multi_scale=0.0, bce=1.0),
}


class SegmentationGAN:
    """A segmentor, its critic, and how they learn from a batch.

    Args:
        settings: such as ``dataclasses.replace(METHODS["masked"], width=32)``.
        channels: C of the slices.
        objective: a loss of one's own; ValueError where the method's networks cannot serve it.
    """

    def __init__(
        self, settings: SegmentationSettings, channels: int = 1, *, objective: Objective | None = None
    ) -> None:
        if objective and not settings.paints_for_critic:
            raise ValueError("another loss than the paper's needs a painted masked image and a critic")
        self.settings, self.objective = settings, objective or OBJECTIVES[settings.loss]
        size = {"width": settings.width, "attention": settings.attention}
        self.segmentor = Segmentor(channels, output=settings.output, mirror=settings.mirror, **size)
        self.networks: dict[str, nn.Module] = {"segmentor": self.segmentor}
        self.optimisers = {"segmentor": OptimiserConfig(1e-3)}
        if settings.has_critic:
            self.critic = self.networks["critic"] = Critic(channels, spectral=settings.spectral, **size)
            self.optimisers["critic"] = OptimiserConfig(4e-4, betas=(0.5, 0.999))

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """One turn of each player on one batch, see models.gan.GAN (SegAN, equation 2)::

        min over S, max over C of  multi_scale_l1(C(S's masked image), C(x * y))
        """
        settings, image, stroke = self.settings, batch.image, batch.stroke
        truth = image * stroke  # (B, C, H, W)
        logits = networks["segmentor"](image)
        masked, local, _ = self.segmentor.predict(logits, image)
        losses: dict[str, Tensor] = {}
        black = torch.zeros_like(truth[:1])  # (1, C, H, W)
        features = [masked], [truth], [black]  # what a comparison by pixels needs

        if settings.has_critic:
            # the critic's turn
            shown = networks["critic"](torch.cat([masked.detach(), truth]))
            fake, true = zip(*(features.chunk(2) for features in shown), strict=True)
            losses["critic"] = -multi_scale_l1(fake, true, settings.levels)
            update("critic", losses["critic"])
            if not settings.spectral:
                with torch.no_grad():
                    for weight in self.critic.parameters():
                        weight.clamp_(-CLIP, CLIP)
            # the segmentor's turn
            with frozen(self.critic):
                with torch.no_grad():
                    true_features = self.critic(truth)
                    # the paper's loss does without: every pass moves the spectral norm
                    black_features = [black] if self.objective is paper else self.critic(black)
                features = self.critic(masked), true_features, black_features

        total = local.new_zeros(())
        if settings.multi_scale:
            terms = self.objective(LossInputs(image, stroke, logits, local, *features, settings.levels))
            total = total + settings.multi_scale * sum(terms.values())
            losses |= terms
        if settings.dice:
            losses["soft_dice"] = soft_dice_loss(local, stroke)
            total = total + settings.dice * losses["soft_dice"]
        if settings.bce:
            losses["cross_entropy"] = cross_entropy(local, stroke)
            total = total + settings.bce * losses["cross_entropy"]
        update("segmentor", total)
        return {**losses, "segmentor": total, "spread": masked.std()}
