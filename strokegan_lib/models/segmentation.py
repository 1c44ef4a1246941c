"""The segmentor, and the two ways to read its output. Taught in notebook 05."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from strokegan_lib.models.unet import UNet

DROPOUT = 0.2  # a few hundred patients are learnt by heart otherwise
TO_TWO = 6  # halvings, 128 to 2: batch normalisation of a single position would know only the batch
PRIOR = -3.0  # logit of a pixel before training: one in twenty is stroke, not every other one
EVIDENCE = 32  # pixels: a stroke of a centimetre, where a pixel is 1.5 mm
DARK = 0.01  # added to the squared brightness: where a picture is darker than .1, its noise would decide


class Prediction(NamedTuple):
    """What a segmentor says of B slices."""

    masked: Tensor  # (B, C, H, W), 0..1, the image with all but the stroke taken away: what a critic sees
    local: Tensor  # (B, 1, H, W), 0..1, how much each pixel by itself looks like stroke: what losses compare
    score: Tensor  # (B, 1, H, W), 0..1, by the evidence of the whole slice as well: what a threshold cuts


class Segmentor(nn.Module):
    """Find the stroke in slices.

    Args:
        channels: C of the slices.
        output: 'masked image', the paper's proposal: the network paints image x mask; or 'probability', SegAN
            and U-Net: it paints a map p, and image x p follows.
        width, attention: as in UNet.
        mirror: show the network the slice's mirror image as well. The halves of a healthy brain are alike, a
            stroke is on one side (symmetric modality augmentation, Clèrigues et al. 2020).
    """

    def __init__(
        self,
        channels: int = 1,
        *,
        output: str = "masked image",
        width: int = 32,
        attention: bool = True,
        mirror: bool = True,
    ) -> None:
        super().__init__()
        size = {"width": width, "attention": attention}
        self.config = {"channels": channels, "output": output, **size, "mirror": mirror}
        painted = channels if output == "masked image" else 1
        self.unet = UNet(channels * (1 + mirror), painted, halvings=TO_TWO, dropout=DROPOUT, **size)
        nn.init.constant_(self.unet.head.bias, PRIOR)

    def forward(self, image: Tensor) -> Tensor:
        """(B, C, H, W), 0..1, to logits: (B, C, H, W), or (B, 1, H, W) for a probability."""
        if self.config["mirror"]:
            image = torch.cat([image, image.flip(3)], 1)  # (B, 2C, H, W)
        return self.unet(image)

    def predict(self, logits: Tensor, image: Tensor) -> Prediction:
        """From logits to a masked image and scores; the only place with a sigmoid.

        A painted masked image becomes a score by the share of each pixel's brightness that is left, over all
        channels together, so that dark lesions (CT, ADC maps) count like bright ones::

            local = sum over c of out_c x_c / (sum over c of x_c^2 + .01), at most 1

        A few pixels that look like stroke are more often a mistake than a stroke. So the slice as a whole gives
        evidence, the mean of its EVIDENCE highest local scores, and every pixel has the geometric mean of both::

            score = sqrt(local * evidence)
        """
        painted = torch.sigmoid(logits)
        if self.config["output"] == "probability":
            masked, local = image * painted, painted
        else:
            share = (painted * image).sum(1, keepdim=True) / (image.square().sum(1, keepdim=True) + DARK)
            masked, local = painted, share.clamp(max=1)  # (B, C, H, W), (B, 1, H, W)
        evidence = local.flatten(1).topk(EVIDENCE).values.mean(1)  # (B,)
        return Prediction(masked, local, (local * evidence[:, None, None, None]).sqrt())
