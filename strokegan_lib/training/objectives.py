"""Losses of a segmentor that paints masked images: the paper's, and the candidates of notebook 10.

The paper's loss counts pixels and features: a lesion of ten pixels weighs a hundredth of one of a thousand, and a
false positive on a slice without stroke as little as its pixels. The critic's turn is the same for all objectives. A
loss of one's own is one more function of ``LossInputs``, see tests/test_template_loss.py.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from strokegan_lib.losses import cross_entropy, multi_scale_l1

STRONGEST = 16  # pixels whose score says whether a slice shows a stroke: a small lesion has as many
PRESENCE = 0.1  # weight of that answer: its gradient falls on few pixels, and so is steep
SURE = 0.9  # how likely a pixel is stroke that is painted as bright as the image
DARKEST = 0.03  # greys below this, or as near to 1, count as so grey: the logit of 0 and of 1 is endless


class LossInputs(NamedTuple):
    """All that an objective may look at, for a batch of B slices."""

    image: Tensor  # (B, C, H, W), 0..1
    stroke: Tensor  # (B, 1, H, W), 0/1
    logits: Tensor  # (B, C, H, W), whose sigmoid is the painting
    local: Tensor  # (B, 1, H, W), 0..1, how much each pixel by itself looks like stroke
    # the critic's features of the painting, the picture first, then (B, C_l, H_l, W_l) a level; of image x stroke; and
    # of one black picture (for ``paper``, which does not look, the picture alone)
    fake: Sequence[Tensor]
    true: Sequence[Tensor]
    black: Sequence[Tensor]
    weighting: str = "equal"  # of the paper's multi-scale L1 loss, see losses


Objective = Callable[[LossInputs], dict[str, Tensor]]  # terms by name, scalars, to be summed


def paper(inputs: LossInputs) -> dict[str, Tensor]:
    """Multi-scale L1 of the painting against image x stroke (SegAN, equation 3)."""
    return {"multi_scale": multi_scale_l1(inputs.fake, inputs.true, inputs.weighting)}


def normalised_l1(inputs: LossInputs) -> dict[str, Tensor]:
    """Each level in units of how far it holds true masked images apart from black ones::

    loss = 1/L * sum over levels l of  mean |fake_l - true_l| / mean |true_l - black_l|
    """
    has_lesion = _has_lesion(inputs.stroke)
    terms = []
    for fake, true, black in zip(inputs.fake, inputs.true, inputs.black, strict=True):
        terms.append((_distance(fake, true) / _lesion_mean(_distance(true, black), has_lesion)).mean())
    return {"normalised_l1": torch.stack(terms).mean()}


def bray_curtis(inputs: LossInputs) -> dict[str, Tensor]:
    """Bray-Curtis dissimilarity (1957) of the features, which for masks is 1 - Dice, slice by slice and level by level.

    With d(a, b) the sum of ``|a - b|`` over the features of one level of one slice::

        d(fake, true) / (d(fake, black) + d(true, black))        0..1, by the triangle inequality

    On a slice without stroke, where this is 1 whatever is painted, the painting is compared with a typical stroke of
    the batch, so that a false positive as large as a stroke costs 1::

        d(fake, black) / mean over slices with stroke of d(true, black)
    """
    has_lesion = _has_lesion(inputs.stroke)
    terms = []
    for fake, true, black in zip(inputs.fake, inputs.true, inputs.black, strict=True):
        apart, painted, there = _distance(fake, true), _distance(fake, black), _distance(true, black)  # (B,)
        dissimilarity = apart / (painted + there).clamp(min=1e-6)
        terms.append(torch.where(has_lesion, dissimilarity, painted / _lesion_mean(there, has_lesion)).mean())
    return {"bray_curtis": torch.stack(terms).mean()}


def divergence(inputs: LossInputs) -> dict[str, Tensor]:
    """The pixel level as a Kullback-Leibler divergence in place of L1; the other levels keep the paper's loss.

    A painted grey o = sigmoid(a) is read as a probability, and so is the true one, t = image x stroke::

        t log(t / o) + (1 - t) log((1 - t) / (1 - o)),      gradient in a:  o - t

    L1 has the gradient sign(o - t) o (1 - o): almost 0 where the painting is black though a stroke is there. Where
    stroke is less likely than not, its minimum is the median, black; that of the divergence is the mean.
    """
    true = inputs.true[0]
    cross = F.binary_cross_entropy_with_logits(inputs.logits, true)
    return {
        "divergence": cross - F.binary_cross_entropy(true, true),
        "multi_scale": multi_scale_l1(inputs.fake[1:], inputs.true[1:]),
    }


def odds(inputs: LossInputs) -> dict[str, Tensor]:
    """Cross-entropy of the painting's odds over the image's own; the critic's levels keep the paper's loss.

    Where the image is x, a painted grey sigmoid(a) is read as the probability of stroke

        p = sigmoid(a - logit(x) + logit(.9)),         .9 where it is as bright as the image, 0 where it is black

    The divergence of p from .9 y is least where the painting is image x stroke, and has the gradient p - .9 y in a:
    in dark tissue the same as in bright, and alive where the painting is brighter than the image, where the clipped
    local score has none. The background has no odds and is left to the critic.
    """
    x = inputs.image
    logit_p = inputs.logits - torch.logit(x, eps=DARKEST) + math.log(SURE / (1 - SURE))  # (B, C, H, W)
    wanted = SURE * inputs.stroke.expand_as(x)
    cross = F.binary_cross_entropy_with_logits(logit_p, wanted, reduction="none")
    apart = cross - F.binary_cross_entropy(wanted, wanted, reduction="none")
    return {"odds": (apart * (x > 0)).mean(), "multi_scale": multi_scale_l1(inputs.fake[1:], inputs.true[1:])}


def presence(inputs: LossInputs) -> dict[str, Tensor]:
    """The paper's loss, and a cross-entropy for each slice: does it show a stroke at all?

    Answered by the mean of the slice's strongest local scores, so that an empty slice's highest peaks are lowered.
    """
    strongest = inputs.local.flatten(1).topk(STRONGEST).values.mean(1)  # (B,)
    answer = cross_entropy(strongest, _has_lesion(inputs.stroke).to(strongest))
    return {**paper(inputs), "presence": PRESENCE * answer}


def false_positives(inputs: LossInputs) -> dict[str, Tensor]:
    """The divergence, and a price for false positives on slices without stroke, where soft Dice is constant::

        sum(local) / (sum(local) + A),      A the mean area of the strokes in the batch

    It is smoothed Dice with A in the place of a small number: where nothing is painted its gradient at each pixel is
    1 / A, half of that with which Dice raises a typical missed stroke; with 1 in place of A segmentors paint nothing
    (see notebook 05).
    """
    has_lesion = _has_lesion(inputs.stroke)
    claimed, area = inputs.local.sum((1, 2, 3)), inputs.stroke.sum((1, 2, 3))  # (B,) each
    price = claimed / (claimed + _lesion_mean(area, has_lesion))
    return {**divergence(inputs), "false_positives": (~has_lesion * price).mean()}


# by the names that the command line, the result tables and notebook 10 use
PROPOSED = (paper, normalised_l1, bray_curtis, divergence, odds, presence, false_positives)
OBJECTIVES: dict[str, Objective] = {objective.__name__: objective for objective in PROPOSED}


def _has_lesion(stroke: Tensor) -> Tensor:
    """Which slices show a stroke, (B,) bool."""
    return stroke.amax((1, 2, 3)) > 0


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """Sum of absolute differences of each slice, (B,)."""
    return (a - b).abs().sum((1, 2, 3))


def _lesion_mean(values: Tensor, has_lesion: Tensor) -> Tensor:
    """Mean over the slices with stroke, a scalar; 1 where the batch has none."""
    count = has_lesion.sum()
    return torch.where(count > 0, (values * has_lesion).sum() / count.clamp(min=1), 1.0).clamp(min=1e-6)
