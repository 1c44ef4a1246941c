"""What the networks try to make small.

Every loss is a mean over the slices of a batch, so that the loss of a batch is the mean of
the losses of its parts: several processes compute together what one would alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

WEIGHTINGS = ("equal", "elements", "pixel")
ADVERSARIAL = ("hinge", "bce")


def multi_scale_l1(fake: Sequence[Tensor], true: Sequence[Tensor], weighting: str = "equal") -> Tensor:
    """How far two pictures lie apart in the eyes of a critic (SegAN, Xue et al. 2018, equation 3).

    With L levels, of which the first is the picture itself::

        loss = 1/L * sum over levels l of mean |fake_l - true_l|

    Args:
        fake, true: the critic's features, a tensor (B, C_l, H_l, W_l) a level.
        weighting: 'equal', as the paper has it: each level counts the same. 'elements', as
            the released code has it: all features are strung together and averaged, so that a
            level counts by how many numbers it has, times 1, 1, 2, ..., 2, 4. 'pixel':
            the first level only, the plain L1 loss.

    Returns:
        a scalar, 0 for equal features.

    Raises:
        ValueError: another word, or features that do not match.
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting must be one of {', '.join(WEIGHTINGS)}, not {weighting!r}")
    if [f.shape for f in fake] != [t.shape for t in true] or not fake:
        raise ValueError("fake and true must hold the same number of features of the same shapes")
    if weighting == "pixel":
        return F.l1_loss(fake[0], true[0])
    levels = torch.stack([F.l1_loss(f, t) for f, t in zip(fake, true, strict=True)])  # (L,)
    if weighting == "equal":
        return levels.mean()
    sizes = levels.new_tensor([f.numel() for f in fake])  # (L,)
    extra = levels.new_tensor([1.0, 1.0, *[2.0] * (len(fake) - 3), 4.0][-len(fake) :])  # (L,)
    return (extra * sizes * levels).sum() / sizes.sum()


def critic_loss(true: Tensor, fake: Tensor, kind: str = "hinge") -> Tensor:
    """The critic's half of the game: large logits for true pictures, small ones for fakes.

    Args:
        true, fake: (B, 1, H, W) logits.
        kind: 'hinge' (SAGAN, equation 4): mean max(0, 1 - true) + mean max(0, 1 + fake);
            'bce' (pix2pix): the binary cross-entropy, halved, which slows the critic.
    """
    if _kind(kind) == "hinge":
        return F.relu(1 - true).mean() + F.relu(1 + fake).mean()
    return (F.softplus(-true).mean() + F.softplus(fake).mean()) / 2  # -log sigmoid(t) = softplus(-t)


def generator_loss(fake: Tensor, kind: str = "hinge") -> Tensor:
    """The generator's half: large logits for its fakes, (B, 1, H, W).

    'hinge': -mean fake. 'bce': the non-saturating cross-entropy of Goodfellow et al. 2014,
    which pushes hardest where the critic is sure.
    """
    return -fake.mean() if _kind(kind) == "hinge" else F.softplus(-fake).mean()


def soft_dice_loss(score: Tensor, truth: Tensor) -> Tensor:
    """1 - Dice of each slice with stroke, the score in place of a mask, summed and divided by B::

        1 - 2 * sum(s * t) / (sum(s) + sum(t))

    On a slice without stroke Dice is 0 whatever the score: a constant, from which nothing
    can be learnt, so such slices add nothing here and are left to the other losses. The usual
    remedy, a number added above and below, makes the loss of an empty slice steep just where
    its score is nearly 0, and the segmentor soon dares nothing on small lesions.

    Args:
        score: (B, 1, H, W), 0..1.
        truth: (B, 1, H, W), 0/1.
    """
    overlap = (score * truth).sum((1, 2, 3))  # (B,)
    stroke = truth.sum((1, 2, 3))  # (B,)
    dice = 2 * overlap / (score.sum((1, 2, 3)) + stroke).clamp(min=1e-6)
    return ((1 - dice) * (stroke > 0)).mean()


def _kind(kind: str) -> str:
    if kind not in ADVERSARIAL:
        raise ValueError(f"kind must be one of {', '.join(ADVERSARIAL)}, not {kind!r}")
    return kind
