"""pix2pix: from one picture to another; here from two masks to a slice with that stroke.

Isola, Zhu, Zhou, Efros, Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017. D sees what was
asked for, x, beside the picture, y; G is asked to be near the true picture too (equations 1-4)::

    L_cGAN = E_x,y[log D(x, y)] + E_x[log(1 - D(x, G(x)))]
    L_L1   = E_x,y[|y - G(x)|]
    G      = arg min over G, max over D:  L_cGAN + 100 * L_L1

There is no z: dropout, in training, is the only source of chance.

Deviations: five halvings of 128 x 128, not seven of 256 x 256; a quarter of the widths; a sigmoid in place of tanh,
and 0 outside the foreground by construction. Dropout is off when slices are painted, as everywhere in this kit.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import generator_loss
from strokegan_lib.models.critic import strided
from strokegan_lib.models.family.dcgan import doubled, small_weights
from strokegan_lib.models.family.game import ConditionalGame
from strokegan_lib.models.gan import adam
from strokegan_lib.models.synthesis import CONDITION

HALVINGS = 5  # 128 -> 64 -> 32 -> 16 -> 8 -> 4
DROPOUT_IN = 2  # innermost stages on the way up; the paper's three of eight
PIXEL = 100.0  # weight of the L1 loss


class Pix2Pix(nn.Module):
    """The generator: a U-Net whose skips are concatenated with what comes from below, not added.

    *width* channels after the first halving; each further halving doubles them, up to 8 times as many.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.config = {"width": width}
        widths = [width * min(8, 2**stage) for stage in range(HALVINGS)]  # 16, 32, 64, 128, 128
        self.down = strided([CONDITION, *widths[:-1]])
        innermost = nn.Conv2d(*widths[-2:], 4, stride=2, padding=1)  # nor is this one normalised
        self.down.append(nn.Sequential(innermost, nn.ReLU()))
        self.up = nn.ModuleList()
        for stage in range(HALVINGS - 1, 0, -1):
            below = widths[stage] * (1 if stage == HALVINGS - 1 else 2)  # with the skip beside it
            dropout = [nn.Dropout(0.5)] if stage >= HALVINGS - DROPOUT_IN else []
            self.up.append(nn.Sequential(*doubled(below, widths[stage - 1]), *dropout))
        self.head = nn.ConvTranspose2d(2 * widths[0], 1, 4, stride=2, padding=1)
        self.apply(small_weights)

    def forward(self, stroke: Tensor, foreground: Tensor) -> Tensor:
        """(B, 1, H, W) and (B, 1, H, W), 0/1, to a picture (B, 1, H, W): 0..1, and 0 outside the foreground."""
        x = torch.cat([stroke, foreground], dim=1)  # (B, 2, H, W)
        skips = []
        for down in self.down:
            x = down(x)  # (B, w, H/2, W/2) .. (B, 8w, H/32, W/32)
            skips.append(x)
        for up, skip in zip(self.up, skips[-2::-1], strict=True):
            x = torch.cat([up(x), skip], dim=1)  # (B, 16w, H/16, W/16) .. (B, 2w, H/2, W/2)
        return self.head(x).sigmoid() * foreground  # (B, 1, H, W)


class PatchGAN(nn.Module):
    """The discriminator: true or fake for every patch of 70 x 70 pixels, given what was asked for."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(layer for level in strided([CONDITION + 1, width, 2 * width, 4 * width]) for layer in level),
            nn.Conv2d(4 * width, 8 * width, 4, padding=1, bias=False),
            nn.BatchNorm2d(8 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(8 * width, 1, 4, padding=1),
        )
        self.apply(small_weights)

    def forward(self, asked: Tensor, picture: Tensor) -> Tensor:
        """(B, 2, H, W) and (B, 1, H, W) to logits (B, 1, H/8 - 2, W/8 - 2)."""
        return self.layers(torch.cat([asked, picture], dim=1))


class Pix2PixGame(ConditionalGame):
    """Cross-entropy and pixel L1."""

    def generator_losses(self, fake: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The terms of G, and their sum."""
        adversarial = generator_loss(self.judge(self.discriminator, fake, batch))
        pixel = F.l1_loss(fake, batch.image)
        return {"adversarial": adversarial, "pixel": pixel, "generator": adversarial + PIXEL * pixel}


def make(width: int, _: int) -> Pix2PixGame:
    """pix2pix, untrained."""
    discriminator = PatchGAN(width)
    return Pix2PixGame(Pix2Pix(width), discriminator, adam(1e-3, 2e-4, (0.5, 0.999)))
