"""The critics: what they see in a picture, level by level.

A discriminator answers with one number, real or fake. SegAN's critic (Xue et al. 2018)
answers with all its features: an error is found where it is, in its size and place.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from strokegan_lib.models.attention import SelfAttention

LEVELS = 3  # halvings: 128 -> 64 -> 32 -> 16
ATTENTION_AFTER = 3  # of them: at 16x16 attention costs a sixteenth of what it costs at 32x32


class Critic(nn.Module):
    """A picture in, its features out: the picture itself, then one tensor a level.

    With width 64 and no attention it has the widths of SegAN's critic, 64-128-256.

    Args:
        channels: of the picture.
        width: channels of the first level, a multiple of 4; each further level doubles them.
        attention: self-attention after the last level, 16x16 for slices.
        spectral: spectral normalisation of every convolution, which bounds how fast the
            features can change (up to the attention's free gamma); without it batch
            normalisation, as in SegAN, whose weights are to be clipped instead.
    """

    def __init__(
        self, channels: int, *, width: int = 32, attention: bool = True, spectral: bool = True
    ) -> None:
        super().__init__()
        widths = [channels] + [width * 2**level for level in range(LEVELS)]
        self.levels = nn.ModuleList(
            critic_level(a, b, spectral=spectral, norm=not spectral and level > 0)
            for level, (a, b) in enumerate(pairwise(widths))
        )
        self.attention = SelfAttention(widths[ATTENTION_AFTER]) if attention else nn.Identity()

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) to [(B, C, H, W), (B, w, H/2, W/2), (B, 2w, H/4, W/4), (B, 4w, H/8, W/8)]."""
        features = [x]
        for number, level in enumerate(self.levels, 1):
            x = level(x)  # (B, 2^(n-1) w, H/2^n, W/2^n)
            if number == ATTENTION_AFTER:
                x = self.attention(x)
            features.append(x)
        return features


class PatchCritic(Critic):
    """pix2pix's critic (Isola et al. 2017): real or fake, patch by patch, given what was asked for.

    Each number of its 15x15 map judges a patch of 46x46 pixels; attention lets every patch
    ask the others. Its features serve the multi-scale L1 loss.

    Args:
        condition: channels of what was asked for.
        channels: of the picture.
        width, attention: as in Critic; spectral normalisation always.
    """

    def __init__(self, condition: int, channels: int, *, width: int = 32, attention: bool = True) -> None:
        super().__init__(condition + channels, width=width, attention=attention)
        self.head = spectral_norm(nn.Conv2d(width * 2 ** (LEVELS - 1), 1, 4, padding=1))

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """(B, condition + C, H, W) to features as in Critic and logits (B, 1, H/8 - 1, W/8 - 1)."""
        features = super().forward(x)
        return features, self.head(features[-1])  # (B, 1, 15, 15)


def critic_level(inputs: int, outputs: int, *, spectral: bool, norm: bool) -> nn.Module:
    """Halve the size: 4x4 convolution of stride 2, batch normalisation if *norm*, leaky ReLU."""
    conv = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=not norm)  # it would take a bias away
    layers = [spectral_norm(conv) if spectral else conv]
    layers += [nn.BatchNorm2d(outputs)] if norm else []
    return nn.Sequential(*layers, nn.LeakyReLU(0.2))
