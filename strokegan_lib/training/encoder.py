"""An encoder learns to describe slices: how they are corrupted, where the stroke is, what they look like.

Three questions, so that features notice what a synthetic slice can get wrong: the corruptions of data/corruptions.py
(realism), the place and size of lesions (what the kit is about), and a thumbnail (anatomy: without it a set of a
single brain would look like any other).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.command_line import integer, option
from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batch
from strokegan_lib.data.corruptions import CORRUPTIONS, corrupt
from strokegan_lib.models.encoder import REGIONS, THUMBNAIL, Encoder
from strokegan_lib.models.gan import OptimiserConfig, Update
from strokegan_lib.training.settings import Settings, with_default

# no change of place, which would blur every training slice, and no noise: nothing else may corrupt them
LIGHT = Augmentation(rotation=0, scale=0, shear=0, shift=0, noise=0)
DECORRELATION = 5.0  # weight: without it all features tell the brightness
CORRUPTED = 0.3  # probability of each corruption: a sixth of the slices have none
VARIANCES = {"amounts": 0.08, "regions": 0.012, "thumbnail": 0.026}  # of the true answers, as measured


@dataclass(frozen=True)
class EncoderSettings(Settings):
    """How the encoder is trained."""

    SIZES: ClassVar[tuple[str, ...]] = ("steps", "batch_size")  # figures of another width do not compare

    width: int = with_default("width", 16)
    task: str = "encoder"
    features: int = option(32, "length of the description", integer(1, 4096))


class EncoderTask:
    """The encoder and how it learns from a batch. No game: one network, three questions."""

    def __init__(self, settings: EncoderSettings) -> None:
        self.networks: dict[str, nn.Module] = {"encoder": Encoder(settings.features, width=settings.width)}
        self.optimisers = {"encoder": OptimiserConfig(2e-3)}

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        """Corrupt the slices, ask three questions, learn from the answers, see models.gan.GAN.

        A question's loss is in units of the variance of its true answers: 1 is what guessing the mean gets. Features
        that tell the same are discouraged, as a distance would count it twice (Barlow Twins: Zbontar et al. 2021).
        """
        amounts = torch.rand(len(batch.image), len(CORRUPTIONS), device=batch.image.device)
        amounts = amounts * (torch.rand_like(amounts) < CORRUPTED)
        image = corrupt(batch.image, batch.foreground, amounts)
        features, answers = networks["encoder"](image)
        truth = {
            "amounts": amounts,
            "regions": F.adaptive_avg_pool2d(batch.stroke, REGIONS).flatten(1).sqrt(),  # (B, 16)
            "thumbnail": F.adaptive_avg_pool2d(image, THUMBNAIL).flatten(1),  # (B, 256)
        }
        losses = {name: F.mse_loss(answers[name], truth[name]) / VARIANCES[name] for name in truth}
        unit = F.normalize((features - features.mean(0)).float(), dim=0)  # (B, F)
        squared, count = (unit.T @ unit).square(), features.shape[1]  # (F, F), ones on the diagonal; F
        # mean squared correlation between different features of the batch, 0..1
        correlation = (squared.sum() - squared.diagonal().sum()) / max(1, count * (count - 1))
        total = sum(losses.values()) + DECORRELATION * correlation
        update("encoder", total)
        return {**losses, "correlation": correlation, "encoder": total, "spread": features.std()}
