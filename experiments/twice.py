"""Test-time augmentation: a trained segmentor is asked about a slice and about its mirror image.

What it says of the two is averaged, and validation patients choose a threshold for the average. No network is trained
for it, and an answer costs twice as much.
"""

from torch import Tensor, nn

from experiments.runner import Arm, Experiment
from experiments.segmentors import BUDGET, CROSS_VALIDATION, METHODS
from strokegan_lib.models.segmentation import Prediction


class Twice(nn.Module):
    """A segmentor that answers with the mean of its answers to a slice and to the slice's mirror image."""

    def __init__(self, segmentor: nn.Module) -> None:
        super().__init__()
        self.segmentor = segmentor

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """What the segmentor makes of (B, C, H, W) slices, and of their mirror images."""
        return self.segmentor(image), self.segmentor(image.flip(3))

    def predict(self, said: tuple[Tensor, Tensor], image: Tensor) -> Prediction:
        """The mean; the mirror image's answer is turned back first."""
        sides = (image, image.flip(3))
        once, again = (self.segmentor.predict(part, side) for part, side in zip(said, sides, strict=True))
        return Prediction(*((a + b.flip(3)) / 2 for a, b in zip(once, again, strict=True)))


# the U-Net, which gained by it on validation patients of the plain split; the two with a critic did not
ARMS = {"unet-twice": Arm({"method": "unet"}, networks=("unet",), asked=Twice), "unet": METHODS["unet"]}
TWICE = Experiment(ARMS, BUDGET, CROSS_VALIDATION)
