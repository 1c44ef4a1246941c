"""An ensemble: networks that differ by chance alone are asked about a slice, and their answers averaged.

What each learnt by chance is not what the others did (Lakshminarayanan et al. 2017). Validation patients choose a threshold
for the average; training and answer cost as many times more as there are members.
"""

import torch
from torch import Tensor, nn

from experiments.runner import Arm, Experiment
from experiments.segmentors import BUDGET, CROSS_VALIDATION
from strokegan_lib.models.segmentation import Prediction


class Ensemble(nn.Module):
    """Segmentors that answer with the mean of their answers."""

    def __init__(self, *segmentors: nn.Module) -> None:
        super().__init__()
        self.segmentors = nn.ModuleList(segmentors)

    def forward(self, image: Tensor) -> list[Tensor]:
        """What each makes of (B, C, H, W) slices."""
        return [segmentor(image) for segmentor in self.segmentors]

    def predict(self, said: list[Tensor], image: Tensor) -> Prediction:
        """The mean of what they predict."""
        each = [of.predict(logits, image) for of, logits in zip(self.segmentors, said, strict=True)]
        return Prediction(*(torch.stack(part).mean(0) for part in zip(*each, strict=True)))


# the method that had the highest Dice in Table 1; three, and the mean, were settled before any was trained
MEMBERS = {
    "unet": Arm({"method": "unet"}),
    "unet-second": Arm({"method": "unet", "seed": 101}),
    "unet-third": Arm({"method": "unet", "seed": 102}),
}
THREE = Arm({"method": "unet"}, networks=tuple(MEMBERS), asked=Ensemble)
ENSEMBLE = Experiment({"unet-three": THREE, **MEMBERS}, BUDGET, CROSS_VALIDATION)
