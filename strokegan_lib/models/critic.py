"""The critics: what they see in a picture, level by level. Taught in notebooks 03 and 04.

A discriminator answers with one number, real or fake. SegAN's critic (Xue et al. 2018)
answers with all its features: an error is found where it is, in its size and place.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from strokegan_lib.models.attention import SelfAttention

LEVELS = 3  # halvings: 128 -> 64 -> 32 -> 16
WHOLE = 4  # positions a side from which the whole is judged


def strided(
    widths: list[int], *, spectral: bool = False, norm: Callable[[int], nn.Module] | None = nn.BatchNorm2d
) -> nn.Sequential:
    """(B, widths[0], H, W) to (B, widths[-1], H/2^n, W/2^n), a level for each of n halvings.

    A level is a 4x4 convolution of stride 2, *norm* of its channels from the second level on, and leaky ReLU.
    """
    levels = nn.Sequential()
    for a, b in pairwise(widths):
        normed = norm is not None and len(levels) > 0
        conv = nn.Conv2d(a, b, 4, stride=2, padding=1, bias=not normed)  # norm would take a bias away
        layers = [spectral_norm(conv) if spectral else conv] + ([norm(b)] if normed else [])
        levels.append(nn.Sequential(*layers, nn.LeakyReLU(0.2)))
    return levels


class Critic(nn.Module):
    """A picture in, its features out: the picture itself, then one tensor a level.

    With width 64 and no attention it has the widths of SegAN's critic, 64-128-256.

    Args:
        width: channels of the first level, a multiple of 4; each further level doubles them.
        attention: self-attention after the last level, 16x16 for slices.
        spectral: spectral normalisation of every convolution, which bounds how fast the features can change (up
            to the attention's free gamma); without it SegAN normalises batches and clips the weights instead.
    """

    norm: Callable[[int], nn.Module] | None = nn.BatchNorm2d  # where *spectral* is not

    def __init__(self, channels: int, *, width: int, attention: bool = True, spectral: bool = True) -> None:
        super().__init__()
        widths = [channels] + [width * 2**level for level in range(LEVELS)]
        self.levels = strided(widths, spectral=spectral, norm=None if spectral else self.norm)
        self.attention = SelfAttention(widths[-1]) if attention else nn.Identity()

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) to [(B, C, H, W), (B, w, H/2, W/2), (B, 2w, H/4, W/4), (B, 4w, H/8, W/8)]."""
        features = [x]
        for level in self.levels:
            features.append(level(features[-1]))  # (B, 2^(n-1) w, H/2^n, W/2^n)
        return [*features[:-1], self.attention(features[-1])]


class ConditionalCritic(Critic):
    """Real or fake, given what was asked for: one trunk, two heads.

    The patch head judges 38x38 pixels at each place (PatchGAN, Isola et al. 2017); attention lets every patch see
    the others. The global head judges the whole brain with one number. The trunk's features serve the multi-scale
    L1 loss. With spectral normalisation it learns later; without it the R1 penalty bounds it.

    Args:
        condition: channels of what was asked for.
        channels, width, attention, spectral: as in Critic.

    Buffers:
        turns: steps made, which decide when R1 is due; checkpoints keep it, so a resumed run goes on alike.
    """

    norm = None

    def __init__(
        self, condition: int, channels: int, *, width: int, attention: bool = True, spectral: bool = False
    ) -> None:
        super().__init__(condition + channels, width=width, attention=attention, spectral=spectral)
        deepest = width * 2 ** (LEVELS - 1)
        bound = spectral_norm if spectral else (lambda layer: layer)
        self.patch = bound(nn.Conv2d(deepest, 1, 3, padding=1))
        self.whole = nn.Sequential(
            *strided([deepest] * 3, spectral=spectral, norm=None),
            nn.AdaptiveAvgPool2d(WHOLE),
            nn.Flatten(),
            bound(nn.Linear(deepest * WHOLE**2, 1)),
        )
        self.register_buffer("turns", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """(B, condition + C, H, W), 0..1, to features as in Critic and logits (B, 1, H/8, W/8) and (B, 1)."""
        features = super().forward(2 * x - 1)
        deepest = features[-1]  # (B, 4w, H/8, W/8)
        return [x, *features[1:]], [self.patch(deepest), self.whole(deepest)]
