"""The dual GAN's first stage: from noise to a stroke inside a brain, as two masks.

Guibas, Virdi and Li (Synthetic Medical Images from Dual Generative Adversarial Networks, arXiv 1709.01872) split the
painting of a picture in two: a first network makes the shapes from noise, a second one paints the picture that belongs
to them; here that is models/synthesis.py. Hinge loss: SAGAN, equation 4.

Deviations: no transposed convolutions; the stroke lies inside the foreground by construction; a critic with spectral
normalisation and the minibatch deviation of progressive growing.
"""

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from strokegan_lib.data.batches import Batch
from strokegan_lib.data.foreground import fill, largest_piece
from strokegan_lib.models.critic import strided
from strokegan_lib.models.family.game import Game
from strokegan_lib.models.family.progressive import minibatch_deviation
from strokegan_lib.models.gan import adam

SIZE = 128  # pixels a side of the masks
START = 8  # pixels a side of the first picture that noise becomes
DOUBLINGS = 3  # 8 -> 64: outlines are smooth, so the last doubling is left to a resize
PRIOR = -3.0  # logit of stroke before training: little of a brain is stroke
SMALLEST = 4  # pixels of a stroke, as of a transplanted one
TRIES = 200  # draws of a mask without a stroke before giving up; a trained network needs one or two


class MaskGenerator(nn.Module):
    """From Z = *noise* numbers to two soft masks; *width* channels at 64 x 64, doubled at each size below."""

    def __init__(self, noise: int, *, width: int) -> None:
        super().__init__()
        self.config = {"noise": noise, "width": width}
        self.latent = noise
        widths = [width * 2**level for level in range(DOUBLINGS, -1, -1)]  # 128, 64, 32, 16
        self.start = nn.Linear(noise, widths[0] * START**2)
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in pairwise(widths)
        )
        self.head = nn.Conv2d(width, 2, 3, padding=1)
        with torch.no_grad():
            self.head.bias[0] = PRIOR

    def forward(self, z: Tensor) -> Tensor:
        """(B, Z), normal, to soft masks (B, 2, 128, 128), 0..1: stroke, foreground; the stroke lies inside."""
        x = self.start(z).view(len(z), -1, START, START)  # (B, 8w, 8, 8)
        for up in self.up:
            x = up(F.interpolate(x, scale_factor=2, mode="bilinear"))  # (B, 4w, 16, 16) .. (B, w, 64, 64)
        logits = F.interpolate(self.head(x), size=(SIZE, SIZE), mode="bilinear")  # (B, 2, 128, 128)
        stroke, foreground = torch.sigmoid(logits).chunk(2, dim=1)  # (B, 1, 128, 128) each
        return torch.cat([stroke * foreground, foreground], dim=1)

    @torch.inference_mode()
    def sample(self, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Stroke and foreground of *n* brains, (n, 128, 128) uint8, 0/1, by a network in eval mode.

        A foreground is one piece without holes; a stroke lies inside it and has SMALLEST pixels or more: ValueError
        where the network makes none, as one that has not learnt yet may do. More masks begin with the same.
        """
        masks = np.zeros((2, n, SIZE, SIZE), np.uint8)
        for k in range(n):
            for attempt in range(TRIES):
                z = np.random.default_rng((seed, attempt, k)).standard_normal((1, self.latent), np.float32)
                soft = self(torch.from_numpy(z).to(self.head.weight.device))  # (1, 2, 128, 128)
                masks[:, k] = harden(soft[0].cpu().numpy())
                if masks[0, k].sum(dtype=int) >= SMALLEST:
                    break
            else:
                raise ValueError(f"no stroke in {TRIES} draws: the network has not learnt to make masks")
        return masks[0], masks[1]


class MaskCritic(nn.Module):
    """One logit for a pair of masks: does this stroke, in this brain, look drawn by a person?

    It judges the whole, not patches: how large a stroke is, in how many pieces and where, no patch can tell. Beside
    its features the last layers see how much these vary within the batch, or a generator of a single mask would pass.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        deepest = 8 * width
        self.levels = strided([2, width, 2 * width, 4 * width, deepest, deepest], spectral=True, norm=None)
        self.head = nn.Sequential(
            spectral_norm(nn.Conv2d(deepest + 1, deepest, 3, padding=1)),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            spectral_norm(nn.Linear(deepest * 4 * 4, 1)),
        )

    def forward(self, masks: Tensor) -> Tensor:
        """(B, 2, 128, 128), 0..1, all of them drawn or all made, to logits (B, 1)."""
        x = self.levels(masks)  # (B, 8w, 4, 4): it sees the whole brain
        return self.head(minibatch_deviation(x))  # (B, 8w + 1, 4, 4), (B, 1)


class MaskGAN(Game):
    """Drawn masks against made ones, by the hinge loss; *noise* as in MaskGenerator, *width* of both networks."""

    def __init__(self, noise: int, *, width: int) -> None:
        players = MaskGenerator(noise, width=width), MaskCritic(width)
        super().__init__(*players, adam(1e-3, 1e-3, (0.0, 0.99)), "hinge")

    def truth(self, batch: Batch) -> Tensor:
        """The slices' masks, (B, 2, 128, 128)."""
        return soften(torch.cat([batch.stroke, batch.foreground], dim=1))

    def generator_losses(self, fake: Tensor, batch: Batch) -> dict[str, Tensor]:
        """As in Game; the spread is that of strokes, as brains are never flat."""
        return super().generator_losses(fake, batch) | {"spread": fake[:, 0].std()}


def harden(soft: np.ndarray) -> np.ndarray:
    """Soft masks (2, H, W), 0..1, to hard ones, uint8 0/1: cut at a half, the foreground one whole piece."""
    stroke, foreground = soft >= 0.5
    foreground = fill(largest_piece(foreground)[None])[0]
    return np.stack([stroke & foreground, foreground]).astype(np.uint8)


def soften(masks: Tensor) -> Tensor:
    """Drawn masks (B, C, H, W), 0/1, with soft rims: a critic would know hard masks by theirs, and look no further.

    Weights of 1, 2, 1 down and across, by which a square of 2 x 2 pixels still reaches a half.
    """
    line = masks.new_tensor([0.25, 0.5, 0.25])
    window = (line[:, None] * line).expand(masks.shape[1], 1, 3, 3)
    padded = F.pad(masks, (1, 1, 1, 1), mode="replicate")  # (B, C, H+2, W+2)
    return F.conv2d(padded, window, groups=masks.shape[1])
