"""The losses of every network. Taught in notebooks 03 (multi-scale L1), 04 (adversarial, R1) and 05 (soft Dice).

Every loss is a mean over the slices of a batch, so that the loss of a batch is the mean of
the losses of its parts: several processes compute together what one would alone.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

WEIGHTINGS = ("equal", "elements", "pixel")
ADVERSARIAL = ("logistic", "hinge")


def multi_scale_l1(fake: Sequence[Tensor], true: Sequence[Tensor], weighting: str = "equal") -> Tensor:
    """How far two pictures lie apart in the eyes of a critic (SegAN, Xue et al. 2018, equation 3).

    With L levels, of which the first is the picture itself::

        loss = 1/L * sum over levels l of mean |fake_l - true_l|

    Args:
        fake, true: the critic's features, a tensor (B, C_l, H_l, W_l) a level.
        weighting: 'equal', as in the paper: each level counts the same. 'elements', as in the released code: all
            features are concatenated and averaged, so that a level counts by how many numbers it has, times
            1, 1, 2, ..., 2, 4. 'pixel': the first level only, the plain L1 loss. Another is a ValueError.
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting must be one of {', '.join(WEIGHTINGS)}, not {weighting!r}")
    if weighting == "pixel":
        return F.l1_loss(fake[0], true[0])
    levels = torch.stack([F.l1_loss(f, t) for f, t in zip(fake, true, strict=True)])  # (L,)
    if weighting == "equal":
        return levels.mean()
    sizes = levels.new_tensor([f.numel() for f in fake])  # (L,)
    extra = levels.new_tensor([1.0, 1.0, *[2.0] * (len(fake) - 3), 4.0][-len(fake) :])  # (L,)
    return (extra * sizes * levels).sum() / sizes.sum()


def critic_loss(true: Sequence[Tensor], fake: Sequence[Tensor], kind: str = "logistic") -> Tensor:
    """The critic's half of the game: large logits for true pictures, small ones for fakes.

    A critic that answers 0 to everything has a loss of 2 ln 2 = 1.386 (logistic) or 2 (hinge).

    Args:
        true, fake: logits of any shape, a tensor a head; the mean over the heads is taken.
        kind: 'logistic' (Goodfellow et al. 2014): mean -log sigmoid(true) + mean -log sigmoid(-fake),
            the cross-entropy of pix2pix; 'hinge' (SAGAN, equation 4): mean max(0, 1 - true) +
            mean max(0, 1 + fake).
    """
    cost = {"logistic": F.softplus, "hinge": lambda wrong: F.relu(1 + wrong)}[kind]
    return torch.stack([cost(-t).mean() + cost(f).mean() for t, f in zip(true, fake, strict=True)]).mean()


def generator_loss(fake: Sequence[Tensor], kind: str = "logistic") -> Tensor:
    """The generator's half: large logits for its fakes, a tensor a head.

    'logistic': -log sigmoid(fake), the non-saturating form of Goodfellow et al. 2014,
    whose gradient is largest where the critic is sure. 'hinge': -mean fake.
    """
    cost = {"logistic": F.softplus, "hinge": lambda wrong: wrong}[kind]
    return torch.stack([cost(-f).mean() for f in fake]).mean()


def r1_penalty(critic: Callable[[Tensor], Sequence[Tensor]], true: Tensor) -> Tensor:
    """The critic's squared slope at true pictures (Mescheder, Geiger, Nowozin 2018)::

        1/2 * mean over the batch of |gradient of D at x|^2,     D the sum of its heads' mean logits

    At the end of the game the fakes lie where the true pictures lie; there the critic should be
    flat, or the two would circle each other for ever.

    Args:
        critic: from pictures to logits, a tensor (B, ...) a head.
        true: (B, C, H, W), the pictures.
    """
    true = true.detach().requires_grad_()
    with sdpa_kernel(SDPBackend.MATH):  # fused attention has no second derivative
        heads = critic(true)
    total = sum(head.float().flatten(1).mean(1).sum() for head in heads)
    (slope,) = torch.autograd.grad(total, true, create_graph=True)  # (B, C, H, W)
    return slope.float().square().sum((1, 2, 3)).mean() / 2


def soft_dice_loss(score: Tensor, truth: Tensor) -> Tensor:
    """1 - Dice of each slice with stroke, the score in place of a mask, summed and divided by B::

        1 - 2 * sum(s * t) / (sum(s) + sum(t))

    On a slice without stroke Dice is 0 whatever the score: a constant, from which nothing can be learnt, so such
    slices add nothing here. The usual remedy, a number added above and below, makes the loss of an empty slice
    steep just where its score is nearly 0, and small lesions are then missed.

    Args:
        score: (B, 1, H, W), 0..1.
        truth: (B, 1, H, W), 0/1.
    """
    overlap = (score * truth).sum((1, 2, 3))  # (B,)
    stroke = truth.sum((1, 2, 3))  # (B,)
    dice = 2 * overlap / (score.sum((1, 2, 3)) + stroke).clamp(min=1e-6)
    return ((1 - dice) * (stroke > 0)).mean()


def cross_entropy(score: Tensor, truth: Tensor) -> Tensor:
    """Mean binary cross-entropy, ``-t log(s) - (1 - t) log(1 - s)``; NaN where a score is.

    PyTorch's own stops with an error there, on a GPU for good, and the record could not show what happened.

    Args:
        score, truth: of one shape, 0..1.
    """
    return F.binary_cross_entropy(score.nan_to_num(), truth) + 0 * score.sum()
