"""Answers averaged: those of networks that differ by chance alone, and those of one to a slice and to its mirror image.

What each of an ensemble learnt by chance is not what the others did (Lakshminarayanan et al. 2017); training and answer
cost as many times more as there are members. Test-time augmentation costs a second answer, and no training. Validation
patients choose a threshold for the average.
"""

import torch
from torch import Tensor, nn

from experiments.runner import Arm, Experiment
from experiments.segmentors import BUDGET, CROSS_VALIDATION, METHODS
from strokegan_lib.models.segmentation import Prediction


class Ensemble(nn.Module):
    """Segmentors that answer with the mean of their answers."""

    def __init__(self, *segmentors: nn.Module) -> None:
        super().__init__()
        self.segmentors = nn.ModuleList(segmentors)

    def forward(self, image: Tensor) -> list[Tensor]:
        """(B, C, H, W) slices -> the logits of each member, (B, 1, H, W)."""
        return [segmentor(image) for segmentor in self.segmentors]

    def predict(self, said: list[Tensor], image: Tensor) -> Prediction:
        """The mean of what they predict."""
        each = [of.predict(logits, image) for of, logits in zip(self.segmentors, said, strict=True)]
        return Prediction(*(torch.stack(part).mean(0) for part in zip(*each, strict=True)))


class Mirrored(nn.Module):
    """A segmentor that is shown the mirror image; its answer is turned back."""

    def __init__(self, segmentor: nn.Module) -> None:
        super().__init__()
        self.segmentor = segmentor

    def forward(self, image: Tensor) -> Tensor:
        """(B, C, H, W) slices -> logits of their mirror images, (B, 1, H, W)."""
        return self.segmentor(image.flip(3))

    def predict(self, logits: Tensor, image: Tensor) -> Prediction:
        """What it predicts for the mirror images, turned back."""
        return Prediction(*(part.flip(3) for part in self.segmentor.predict(logits, image.flip(3))))


def with_mirror(segmentor: nn.Module) -> Ensemble:
    """Test-time augmentation: the mean of the answers to a slice and to its mirror image."""
    return Ensemble(segmentor, Mirrored(segmentor))


# the method that had the highest Dice in Table 1; three, and the mean, were settled before any was trained
MEMBERS = {
    "unet": Arm({"method": "unet"}),
    "unet-second": Arm({"method": "unet", "seed": 101}),
    "unet-third": Arm({"method": "unet", "seed": 102}),
}
THREE = Arm({"method": "unet"}, networks=tuple(MEMBERS), combine=Ensemble)
ENSEMBLE = Experiment({"unet-three": THREE, **MEMBERS}, BUDGET, CROSS_VALIDATION)

# the U-Net, which gained by it on validation patients of the plain split; the two with a critic did not
TWICE = Experiment(
    {
        "unet-twice": Arm({"method": "unet"}, networks=("unet",), combine=with_mirror),
        "unet": METHODS["unet"],
    },
    BUDGET,
    CROSS_VALIDATION,
)
