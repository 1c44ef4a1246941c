"""Losses: closed-form cases, other libraries, and the batch as the mean of its parts."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
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
from strokegan_lib.models.critic import Critic

SHAPES = ((1, 8, 8), (4, 4, 4), (8, 2, 2), (16, 1, 1))  # 64, 64, 32 and 16 numbers a slice


def levels(*values: float, batch: int = 2) -> list[Tensor]:
    """Features that are one number throughout each level."""
    return [torch.full((batch, *shape), float(value)) for shape, value in zip(SHAPES, values, strict=False)]


def some(seed: int, batch: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, *shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


# fake, true, then the loss with each weighting
MULTI_SCALE = [
    # every level differs by the same 1: only the released code's 1, 1, 2, 4 show
    ((1, 1, 1, 1), (0, 0, 0, 0), {"equal": 1, "elements": (64 + 64 + 2 * 32 + 4 * 16) / 176, "pixel": 1}),
    # one level at a time
    ((3, 0, 0, 0), (0, 0, 0, 0), {"equal": 3 / 4, "elements": 3 * 64 / 176, "pixel": 3}),
    ((0, 3, 0, 0), (0, 0, 0, 0), {"equal": 3 / 4, "elements": 3 * 64 / 176, "pixel": 0}),
    ((0, 0, 3, 0), (0, 0, 0, 0), {"equal": 3 / 4, "elements": 3 * 2 * 32 / 176, "pixel": 0}),
    ((0, 0, 0, 3), (0, 0, 0, 0), {"equal": 3 / 4, "elements": 3 * 4 * 16 / 176, "pixel": 0}),
    # the sign is lost, level by level
    ((-1, 2, 0, 1), (1, 0, 0, 0), {"equal": 5 / 4, "elements": (2 * 64 + 2 * 64 + 4 * 16) / 176, "pixel": 2}),
    # fewer levels: the picture and one, whose weight is that of a last level
    ((1, 1), (0, 0), {"equal": 1, "elements": (64 + 4 * 64) / 128, "pixel": 1}),
]


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize(("fake", "true", "expected"), MULTI_SCALE)
def test_multi_scale_l1_in_closed_form(fake, true, expected, weighting):
    loss = multi_scale_l1(levels(*fake), levels(*true), weighting)
    assert loss.shape == () and float(loss) == pytest.approx(expected[weighting], rel=1e-6)


def test_the_released_weighting_is_an_average_over_all_features_strung_together():
    """As SegAN's code has it for the seven features of its critic: 1, 1, 2, 2, 2, 2, 4."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(3, 16, 16), (4, 8, 8), (8, 8, 8), (8, 4, 4), (16, 4, 4), (16, 2, 2), (32, 2, 2)]
    fake, true = ([torch.randn(2, *s, generator=generator) for s in shapes] for _ in range(2))

    def strung(features: list[Tensor]) -> Tensor:
        weights = (1, 1, 2, 2, 2, 2, 4)
        return torch.cat([w * f.flatten(1) for w, f in zip(weights, features, strict=True)], 1)

    expected = (strung(fake) - strung(true)).abs().mean()
    assert float(multi_scale_l1(fake, true, "elements")) == pytest.approx(float(expected), rel=1e-6)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), weighting=st.sampled_from(WEIGHTINGS))
def test_multi_scale_l1_is_a_symmetric_distance(seed, weighting):
    a, b, c = some(seed), some(seed + 1), some(seed + 2)
    assert multi_scale_l1(a, a, weighting) == 0
    there, back = multi_scale_l1(a, b, weighting), multi_scale_l1(b, a, weighting)
    assert there == back > 0
    assert multi_scale_l1(a, c, weighting) <= there + multi_scale_l1(b, c, weighting) + 1e-12


@pytest.mark.parametrize("weighting", ["equal", "elements"])
def test_gradients_reach_the_painter_and_the_critic(weighting):
    torch.manual_seed(0)
    critic = Critic(1, width=4, attention=False)
    painted, true = torch.rand(2, 1, 32, 32, requires_grad=True), torch.rand(2, 1, 32, 32)
    multi_scale_l1(critic(painted), critic(true), weighting).backward()
    assert (painted.grad != 0).all()
    by_pixel = painted.grad.sign() == (painted - true).sign()
    assert 0.5 < by_pixel.float().mean() < 1  # the pixel level, and more than that
    weights = {name: p.grad for name, p in critic.named_parameters() if "bias" not in name}
    assert len(weights) == 3 and all(g.any() for g in weights.values())


def test_the_pixel_weighting_asks_the_first_level_only():
    fake = [f.requires_grad_() for f in levels(1, 1, 1, 1)]
    multi_scale_l1(fake, levels(0, 0, 0, 0), "pixel").backward()
    assert [f.grad is not None for f in fake] == [True, False, False, False]


@pytest.mark.parametrize(
    ("fake", "true", "weighting", "word"),
    [
        (levels(1, 1), levels(0, 0), "sum", "equal, elements, pixel"),
        (levels(1, 1), levels(0), "equal", "same number"),
        (levels(1, batch=1), levels(0, batch=2), "pixel", "same shapes"),  # broadcasting would hide it
        ([], [], "equal", "same number"),
    ],
)
def test_features_that_do_not_match_are_refused(fake, true, weighting, word):
    with pytest.raises(ValueError, match=word):
        multi_scale_l1(fake, true, weighting)


def logits(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(1, 1, 1, -1)


ADVERSARIAL_CASES = [
    # true, fake, kind, the critic's loss, the generator's
    ((2, 1), (-1, -3), "hinge", 0, 2),  # beyond the margin the critic asks for no more
    ((0, 0), (0, 0), "hinge", 2, 0),
    ((-1, 3), (0.5, -0.5), "hinge", 1 + 1, 0),
    ((0, 0), (0, 0), "logistic", 2 * math.log(2), math.log(2)),
    ((math.log(3),), (math.log(3),), "logistic", math.log(4 / 3) + math.log(4), math.log(4 / 3)),
    ((1000,), (-1000,), "logistic", 0, 1000),  # no overflow where the critic is sure
]


@pytest.mark.parametrize(("true", "fake", "kind", "critic", "generator"), ADVERSARIAL_CASES)
def test_adversarial_losses_in_closed_form(true, fake, kind, critic, generator):
    assert float(critic_loss([logits(*true)], [logits(*fake)], kind)) == pytest.approx(critic)
    assert float(generator_loss([logits(*fake)], kind)) == pytest.approx(generator)


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=8), st.lists(st.floats(-30, 30), min_size=1))
def test_logistic_is_torchs_cross_entropy(true, fake):
    true, fake = logits(*true), logits(*fake)
    ones, zeros = torch.ones_like, torch.zeros_like
    bce = F.binary_cross_entropy_with_logits
    expected = bce(true, ones(true)) + bce(fake, zeros(fake))
    assert torch.allclose(critic_loss([true], [fake], "logistic"), expected)
    assert torch.allclose(generator_loss([fake], "logistic"), bce(fake, ones(fake)))


@pytest.mark.parametrize("kind", ADVERSARIAL)
def test_heads_count_the_same_whatever_their_size(kind):
    true, fake = [logits(1, 2, 3), logits(-1)], [logits(0, 0.5, -0.5), logits(2)]
    each = [critic_loss([t], [f], kind) for t, f in zip(true, fake, strict=True)]
    assert torch.allclose(critic_loss(true, fake, kind), sum(each) / 2)
    assert torch.allclose(generator_loss(fake, kind), sum(generator_loss([f], kind) for f in fake) / 2)


def test_r1_is_half_the_squared_slope():
    x = torch.randn(3, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    slope = torch.randn(2, 4, 4, dtype=torch.float64)
    linear = (slope * x).sum((1, 2, 3))[:, None]  # one head that is linear, one that is flat
    assert float(r1_penalty([linear], x)) == pytest.approx(float(slope.square().sum()) / 2)
    patches = (2 * slope * x).sum(1, keepdim=True)  # (3, 1, 4, 4): the mean of its patches counts
    expected = (slope + 2 * slope / 16).square().sum() / 2
    assert float(r1_penalty([linear, patches], x)) == pytest.approx(float(expected))


def test_the_players_pull_the_fake_logits_apart():
    for kind in ADVERSARIAL:
        fake = torch.zeros(2, 1, 3, 3, requires_grad=True)
        true = torch.zeros(2, 1, 3, 3, requires_grad=True)
        critic_loss([true], [fake], kind).backward()
        assert (fake.grad > 0).all() and (true.grad < 0).all()  # descent lowers fakes, lifts true ones
        fake.grad = None
        generator_loss([fake], kind).backward()
        assert (fake.grad < 0).all()


def test_another_kind_is_refused():
    for loss in (
        lambda: critic_loss([logits(0)], [logits(0)], "wgan"),
        lambda: generator_loss([logits(0)], "l2"),
    ):
        with pytest.raises(ValueError, match="logistic, hinge"):
            loss()


def slices_of(*rows: tuple[float, ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64).reshape(len(rows), 1, 1, -1)


DICE_CASES = [
    # score, truth, loss
    (((1, 1, 0, 0),), ((1, 1, 0, 0),), 0),
    (((0, 0, 1, 1),), ((1, 1, 0, 0),), 1),
    (((0, 0, 0, 0),), ((1, 1, 0, 0),), 1),
    (((1, 1, 1, 1),), ((1, 0, 0, 0),), 1 - 2 / 5),
    (((0.5, 0.5, 0, 0),), ((1, 1, 0, 0),), 1 - 2 / 3),
    (((0, 0, 0, 0),), ((0, 0, 0, 0),), 0),  # a slice without stroke adds nothing,
    (((0.5, 0.5, 0, 0),), ((0, 0, 0, 0),), 0),  # whatever is said of it,
    (((1, 0, 0, 0), (1, 1, 0, 0)), ((1, 1, 1, 0), (0, 0, 0, 0)), (1 - 2 / 4) / 2),  # but is counted
    (((1, 1, 0, 0), (0, 0, 1, 1)), ((1, 1, 0, 0), (1, 1, 0, 0)), (0 + 1) / 2),
]


@pytest.mark.parametrize(("score", "truth", "expected"), DICE_CASES)
def test_soft_dice_in_closed_form(score, truth, expected):
    assert float(soft_dice_loss(slices_of(*score), slices_of(*truth))) == pytest.approx(expected)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), batch=st.integers(1, 4), empty=st.booleans())
def test_soft_dice_equals_monai_on_slices_with_stroke(seed, batch, empty):
    generator = torch.Generator().manual_seed(seed)
    score = torch.rand(batch, 1, 9, 7, generator=generator, dtype=torch.float64)
    truth = (torch.rand(score.shape, generator=generator) < 0.2).double()
    truth[:, :, 0, 0] = 1
    if empty:
        truth[0] = 0
    theirs = DiceLoss(smooth_nr=0, smooth_dr=0, reduction="none")(score, truth).flatten()
    assert torch.allclose(soft_dice_loss(score, truth), theirs[int(empty) :].sum() / batch)


def test_a_slice_without_stroke_teaches_nothing_and_one_with_stroke_always_something():
    score = torch.zeros(2, 1, 4, 4, requires_grad=True)  # a segmentor that has collapsed
    truth = torch.zeros(2, 1, 4, 4)
    truth[1, :, 1:3, 1:3] = 1
    soft_dice_loss(score, truth).backward()
    assert not score.grad[0].any() and score.grad.isfinite().all()
    assert (score.grad[1][truth[1] == 1] < 0).all()  # a way out


LOSSES = {
    **{f"multi_scale_l1 {w}": lambda a, b, w=w: multi_scale_l1(a, b, w) for w in WEIGHTINGS},
    **{f"critic {k}": lambda a, b, k=k: critic_loss(a[0], b[0], k) for k in ADVERSARIAL},
    **{f"generator {k}": lambda a, b, k=k: generator_loss(a[0], k) for k in ADVERSARIAL},
    "soft_dice": lambda a, b: soft_dice_loss(a[0].sigmoid(), (b[0] > 1).double()),
}


@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), parts=st.sampled_from([2, 3, 6]))
def test_the_loss_of_a_batch_is_the_mean_of_its_parts(name, seed, parts):
    a, b = some(seed, batch=6), some(seed + 1, batch=6)
    whole = LOSSES[name](a, b)
    pieces = [
        LOSSES[name](x, y)
        for x, y in zip(
            zip(*(f.chunk(parts) for f in a), strict=True),
            zip(*(f.chunk(parts) for f in b), strict=True),
            strict=True,
        )
    ]
    assert len(pieces) == parts and torch.allclose(whole, torch.stack(pieces).mean(), rtol=1e-12)


def test_cross_entropy_is_pytorchs_and_says_nan_where_that_would_stop():
    score, truth = torch.rand(2, 1, 8, 8, requires_grad=True), (torch.rand(2, 1, 8, 8) > 0.5).float()
    loss, expected = cross_entropy(score, truth), F.binary_cross_entropy(score, truth)
    assert torch.equal(loss, expected)
    assert torch.equal(*(torch.autograd.grad(one, score)[0] for one in (loss, expected)))
    assert cross_entropy(score * torch.nan, truth).isnan()
