"""What a segmentor of masked images makes small: the paper's loss, and rivals that hear the critic otherwise.

The paper's loss counts pixels and features: a lesion of ten pixels weighs a hundredth of
one of a thousand, and a false alarm on an empty slice as little as its pixels. Where it
fails, and why the rivals might not, is the subject of notebook 10. The critic's game stays
the same for all of them; so a difference between two objectives is theirs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from strokegan_lib.losses import cross_entropy, multi_scale_l1

STRONGEST = 16  # pixels whose score says whether a slice shows a stroke: a small lesion has as many
PRESENCE = 0.1  # weight of that answer: its gradient falls on few pixels, and so is steep


class Outlook(NamedTuple):
    """All that an objective may look at, for a batch of B slices.

    Attributes:
        image: (B, C, H, W), 0..1.
        stroke: (B, 1, H, W), 0/1.
        logits: (B, C, H, W), whose sigmoid is the painting.
        score: (B, 1, H, W), 0..1, how much each pixel looks like stroke.
        fake, true: the critic's features of the painting and of image x stroke, a tensor
            (B, C_l, H_l, W_l) a level, the pictures themselves first.
        black: its features of a black picture, (1, C_l, H_l, W_l) each; for ``paper``, which does not
            look at them, the black picture alone.
        levels: weighting of the paper's multi-scale L1 loss, see losses.
    """

    image: Tensor
    stroke: Tensor
    logits: Tensor
    score: Tensor
    fake: Sequence[Tensor]
    true: Sequence[Tensor]
    black: Sequence[Tensor]
    levels: str = "equal"


Objective = Callable[[Outlook], dict[str, Tensor]]  # terms by name, scalars, to be summed


def paper(seen: Outlook) -> dict[str, Tensor]:
    """Multi-scale L1 of the painting against image x stroke (SegAN, equation 3)."""
    return {"multi_scale": multi_scale_l1(seen.fake, seen.true, seen.levels)}


def separation(seen: Outlook) -> dict[str, Tensor]:
    """Each level weighed by what the critic separates on it.

    The distance of a level counts in units of how far that level holds the true masked
    images of the batch apart from black ones::

        loss = 1/L * sum over levels of  mean |fake_l - true_l| / mean |true_l - black_l|

    A level on which a stroke looks like nothing has loud noise and says little.
    """
    ill = _ill(seen.stroke)
    terms = [
        (_distance(fake, true) / _typical(_distance(true, black), ill)).mean()
        for fake, true, black in zip(seen.fake, seen.true, seen.black, strict=True)
    ]
    return {"multi_scale": torch.stack(terms).mean()}


def relative(seen: Outlook) -> dict[str, Tensor]:
    """Dice in every feature: slice by slice, level by level, the difference over the sum.

    With d(a, b) the sum of ``|a - b|`` over the features of one level of one slice::

        d(fake, true) / (d(fake, black) + d(true, black))        0..1, by the triangle inequality

    which for masks is 1 - Dice (Bray and Curtis 1957): a small lesion counts like a large
    one. On a slice without stroke true is black and the quotient 1 whatever is painted. There
    the painting is held against a typical stroke of the batch instead, so that a false alarm
    as large as a stroke costs 1::

        d(fake, black) / mean over slices with stroke of d(true, black)
    """
    ill = _ill(seen.stroke)
    terms = []
    for fake, true, black in zip(seen.fake, seen.true, seen.black, strict=True):
        apart, painted, there = _distance(fake, true), _distance(fake, black), _distance(true, black)  # (B,)
        dissimilar = apart / (painted + there).clamp(min=1e-6)
        terms.append(torch.where(ill > 0, dissimilar, painted / _typical(there, ill)).mean())
    return {"relative": torch.stack(terms).mean()}


def divergence(seen: Outlook) -> dict[str, Tensor]:
    """The pixel level as a divergence in place of L1: no pixel is ever out of reach.

    A painted grey o = sigmoid(a) is read as a probability, and so is the true one, t = image x
    stroke. With the Kullback-Leibler divergence of two coins::

        t log(t / o) + (1 - t) log((1 - t) / (1 - o)),      gradient in a:  o - t

    L1 has the gradient sign(o - t) o (1 - o): nothing where the painting is black though a
    stroke is there, and half a chance of being right where o is unsure draws it to the median,
    which is black. The divergence draws it to the mean. The other levels keep the paper's loss, a
    third each where they were a quarter.
    """
    return {"divergence": _divergence(seen), "multi_scale": multi_scale_l1(seen.fake[1:], seen.true[1:])}


def presence(seen: Outlook) -> dict[str, Tensor]:
    """The paper's loss, and one question more to each slice: is there a stroke at all?

    Answered by the mean of the slice's strongest scores, so that the highest peaks of an empty
    slice are what is pressed down. On a slice with stroke the strongest are raised, wherever they lie.
    """
    return {**paper(seen), "presence": PRESENCE * _presence(seen)}


def calm(seen: Outlook) -> dict[str, Tensor]:
    """The divergence, and a price for a false alarm that matches what soft Dice pays for a hit.

    Soft Dice is constant on a slice without stroke. Where the score is uncertain it gains from
    crying stroke in the others, and nothing holds against it but the pixels' mean. Here such a
    slice pays, with A the mean area of the strokes in the batch,

        sum(score) / (sum(score) + A)

    It is the usual smoothed Dice, with A in the place of a small number: at silence it pulls
    each pixel down with 1 / A, as Dice pulls a typical missed stroke up with 2 / A, and not
    with 1, which makes segmentors fall silent (see notebook 05).
    """
    ill = _ill(seen.stroke)
    said, area = seen.score.sum((1, 2, 3)), _typical(seen.stroke.sum((1, 2, 3)), ill)  # (B,), scalar
    return {**divergence(seen), "alarm": ((1 - ill) * said / (said + area)).mean()}


def combined(seen: Outlook) -> dict[str, Tensor]:
    """Divergence of the pixels, relative distances of the features, and the question of presence."""
    features = seen._replace(fake=seen.fake[1:], true=seen.true[1:], black=seen.black[1:])
    return {
        "divergence": _divergence(seen),
        **relative(features),
        "presence": PRESENCE * _presence(seen),
    }


OBJECTIVES: dict[str, Objective] = {
    f.__name__: f for f in (paper, separation, relative, divergence, presence, calm, combined)
}


def _divergence(seen: Outlook) -> Tensor:
    true = seen.true[0]
    cross = F.binary_cross_entropy_with_logits(seen.logits, true)
    return cross - F.binary_cross_entropy(true, true)


def _presence(seen: Outlook) -> Tensor:
    strongest = seen.score.flatten(1).topk(STRONGEST).values.mean(1)  # (B,)
    return cross_entropy(strongest, _ill(seen.stroke))


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """Sum of absolute differences of each slice, (B,)."""
    return (a - b).abs().sum((1, 2, 3))


def _typical(distances: Tensor, ill: Tensor) -> Tensor:
    """Mean over the slices with stroke, a scalar; 1 where the batch has none."""
    return torch.where(ill.sum() > 0, (distances * ill).sum() / ill.sum().clamp(min=1), 1.0).clamp(min=1e-6)


def _ill(stroke: Tensor) -> Tensor:
    """1 for a slice with stroke, else 0, (B,)."""
    return stroke.amax((1, 2, 3))
