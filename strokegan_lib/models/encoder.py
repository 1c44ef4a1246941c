"""The encoder: a slice as a few numbers, so that sets of slices can be compared. Taught in notebook 07.

Pixel by pixel, a brain moved by two pixels is far away. Heusel et al. (2017) compare features of a network
instead. Theirs (Inception) was trained on photographs, this one on the kit's slices, see training/encoder.py.
"""

from itertools import pairwise

from torch import Tensor, nn

from strokegan_lib.data.corruptions import CORRUPTIONS

PLACES = 4  # features keep 4 x 4 places apart until the last layer: left is not right
REGIONS = 4  # stroke is located in 4 x 4 regions
THUMBNAIL = 16  # pixels a side of the small picture
ANSWERS = {"amounts": len(CORRUPTIONS), "regions": REGIONS**2, "thumbnail": THUMBNAIL**2}


class Encoder(nn.Module):
    """Four convolutions and a linear layer to F = *features*; a second one answers the training's questions.

    The answers are linear in the features, so a distance between features sees what they tell.
    """

    def __init__(self, features: int = 32, *, width: int = 16) -> None:
        super().__init__()
        self.config = {"features": features, "width": width}
        widths = [1, width, 2 * width, 4 * width, 4 * width]  # at 128, 64, 32, 16, 8
        self.levels = nn.Sequential()
        for a, b in pairwise(widths):
            conv = nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False)
            self.levels.append(nn.Sequential(conv, nn.BatchNorm2d(b), nn.ReLU()))
        self.describe = nn.Sequential(
            nn.AdaptiveAvgPool2d(PLACES),  # (B, 4w, 4, 4)
            nn.Flatten(),  # (B, 64w)
            nn.Linear(widths[-1] * PLACES**2, features, bias=False),
            nn.BatchNorm1d(features, affine=False),  # variance 1: no feature outweighs others
        )
        self.answer = nn.Linear(features, sum(ANSWERS.values()))

    def forward(self, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """(B, 1, 128, 128), 0..1, to features (B, F) and the answers, each (B, its number in ANSWERS)."""
        features = self.describe(self.levels(image))
        parts = self.answer(features).split(list(ANSWERS.values()), dim=1)
        return features, dict(zip(ANSWERS, parts, strict=True))
