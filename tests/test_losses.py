"""Losses: closed-form cases, other libraries, and the batch as the mean of its parts."""

import math

import pytest
import torch
import torch.nn.functional as F
from monai.losses import DiceLoss
from torch import Tensor

from strokegan_lib.losses import (
    ADVERSARIAL,
    WEIGHTINGS,
    critic_loss,
    cross_entropy,
    generator_loss,
    multi_scale_l1,
    r1_penalty,
    soft_dice_loss,
)

SHAPES = ((1, 8, 8), (4, 4, 4), (8, 2, 2), (16, 1, 1))  # 64, 64, 32 and 16 numbers a slice


def levels(*values: float) -> list[Tensor]:
    """Features of two slices that are one number throughout each level."""
    return [torch.full((2, *shape), float(value)) for shape, value in zip(SHAPES, values, strict=False)]


def slices(*rows: tuple[float, ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64).reshape(len(rows), 1, 1, -1)


# fake, true, then the loss with each weighting
MULTI_SCALE = [
    ((1, 1, 1, 1), (1, 1, 1, 1), {"equal": 0, "elements": 0, "pixel": 0}),
    # the sign is lost, level by level
    ((-1, 2, 0, 1), (1, 0, 0, 0), {"equal": 5 / 4, "elements": (2 * 64 + 2 * 64 + 4 * 16) / 176, "pixel": 2}),
    # fewer levels: the picture and one, whose weight is that of a last level
    ((1, 1), (0, 0), {"equal": 1, "elements": (64 + 4 * 64) / 128, "pixel": 1}),
]


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize(("fake", "true", "expected"), MULTI_SCALE)
def test_multi_scale_l1_in_closed_form(fake, true, expected, weighting):
    for a, b in ((fake, true), (true, fake)):
        loss = multi_scale_l1(levels(*a), levels(*b), weighting)
        assert loss.shape == () and float(loss) == pytest.approx(expected[weighting], rel=1e-6)


def test_the_released_weighting_is_an_average_over_all_features_concatenated():
    """As SegAN's code has it for the seven features of its critic: 1, 1, 2, 2, 2, 2, 4."""
    torch.manual_seed(0)
    shapes = [(3, 16, 16), (4, 8, 8), (8, 8, 8), (8, 4, 4), (16, 4, 4), (16, 2, 2), (32, 2, 2)]
    fake, true = ([torch.randn(2, *s) for s in shapes] for _ in range(2))
    weighted = zip((1, 1, 2, 2, 2, 2, 4), fake, true, strict=True)
    expected = torch.cat([w * (f - t).abs().flatten() for w, f, t in weighted]).mean()
    assert float(multi_scale_l1(fake, true, "elements")) == pytest.approx(float(expected), rel=1e-6)


def test_another_weighting_is_refused():
    with pytest.raises(ValueError, match="equal, elements, pixel"):
        multi_scale_l1(levels(1), levels(0), "sum")


ADVERSARIAL_CASES = [
    # true, fake, kind, the critic's loss, the generator's
    ((2, 1), (-1, -3), "hinge", 0, 2),  # beyond the margin the critic asks for no more
    ((-1, 3), (0.5, -0.5), "hinge", 1 + 1, 0),
    ((math.log(3),), (math.log(3),), "logistic", math.log(4 / 3) + math.log(4), math.log(4 / 3)),
    ((1000,), (-1000,), "logistic", 0, 1000),  # no overflow where the critic is sure
]


@pytest.mark.parametrize(("true", "fake", "kind", "critic", "generator"), ADVERSARIAL_CASES)
def test_adversarial_losses_in_closed_form(true, fake, kind, critic, generator):
    assert float(critic_loss([slices(true)], [slices(fake)], kind)) == pytest.approx(critic)
    assert float(generator_loss([slices(fake)], kind)) == pytest.approx(generator)


@pytest.mark.parametrize("kind", ADVERSARIAL)
def test_heads_count_the_same_whatever_their_size(kind):
    true, fake = [slices((1, 2, 3)), slices((-1,))], [slices((0, 0.5, -0.5)), slices((2,))]
    each = [critic_loss([t], [f], kind) for t, f in zip(true, fake, strict=True)]
    assert torch.allclose(critic_loss(true, fake, kind), sum(each) / 2)
    assert torch.allclose(generator_loss(fake, kind), sum(generator_loss([f], kind) for f in fake) / 2)


def test_r1_is_half_the_squared_slope():
    x = torch.randn(3, 2, 4, 4, dtype=torch.float64)
    slope = torch.randn(2, 4, 4, dtype=torch.float64, requires_grad=True)

    def linear(picture: Tensor) -> Tensor:
        return (slope * picture).sum((1, 2, 3))[:, None]

    def patches(picture: Tensor) -> Tensor:  # (3, 1, 4, 4): the mean of its patches counts
        return (2 * slope * picture).sum(1, keepdim=True)

    penalty = r1_penalty(lambda picture: [linear(picture), patches(picture)], x)
    expected = (slope + 2 * slope / 16).square().sum() / 2
    assert float(penalty.detach()) == pytest.approx(float(expected.detach()))
    (gradient,) = torch.autograd.grad(penalty, slope)
    assert torch.allclose(gradient, torch.autograd.grad(expected, slope)[0]), "it can be learnt from"


DICE_CASES = [
    # score, truth, loss
    (((1, 1, 1, 1),), ((0, 0, 0, 0),), 0),  # a slice without stroke adds nothing, whatever is claimed there,
    (((0, 0, 0, 0), (1, 1, 1, 1)), ((1, 0, 0, 0), (0, 0, 0, 0)), 1 / 2),  # yet counts as a slice
]


@pytest.mark.parametrize(("score", "truth", "loss"), DICE_CASES)
def test_soft_dice_in_closed_form(score, truth, loss):
    assert float(soft_dice_loss(slices(*score), slices(*truth))) == pytest.approx(loss, abs=1e-6)


def test_soft_dice_is_monais_where_there_is_a_stroke():
    torch.manual_seed(0)
    score, truth = torch.rand(4, 1, 32, 32), (torch.rand(4, 1, 32, 32) < 0.1).float()
    theirs = DiceLoss(smooth_nr=0, smooth_dr=1e-6)(score, truth)
    assert float(soft_dice_loss(score, truth)) == pytest.approx(float(theirs), abs=1e-5)


def test_a_slice_without_stroke_teaches_soft_dice_nothing_and_one_with_stroke_always_something():
    score, truth = torch.zeros(2, 1, 4, 4, requires_grad=True), torch.zeros(2, 1, 4, 4)  # nothing is painted
    truth[1, :, 1:3, 1:3] = 1
    soft_dice_loss(score, truth).backward()
    assert not score.grad[0].any() and (score.grad[1][truth[1] == 1] < 0).all()


def test_cross_entropy_is_torchs_and_lets_nan_through():
    score, truth = torch.tensor([0.0, 0.2, 0.9, 1.0]), torch.tensor([0.0, 0.0, 1.0, 1.0])
    assert torch.equal(cross_entropy(score, truth), F.binary_cross_entropy(score, truth))
    score[1] = math.nan
    assert cross_entropy(score, truth).isnan()


LOSSES = {
    **{w: lambda a, b, w=w: multi_scale_l1([a, a[:, :, ::2]], [b, b[:, :, ::2]], w) for w in WEIGHTINGS},
    **{kind: lambda a, b, kind=kind: critic_loss([a], [b], kind) for kind in ADVERSARIAL},
    "soft Dice": lambda a, b: soft_dice_loss(a, (b > 0.8).to(a)),
    "cross-entropy": cross_entropy,
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_loss_of_a_batch_is_the_mean_of_its_parts(loss):
    """Several processes compute together what one would alone."""
    torch.manual_seed(0)
    a, b = torch.rand(2, 6, 1, 8, 8, dtype=torch.float64)
    parts = [loss(x, y) for x, y in zip(a.split(2), b.split(2), strict=True)]
    assert torch.allclose(loss(a, b), sum(parts) / 3)
