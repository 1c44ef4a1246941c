"""Each objective against its definition, and against what its derivation promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Bernoulli, kl_divergence

from strokegan_lib.data.batches import Batch
from strokegan_lib.errors import BadInput
from strokegan_lib.losses import multi_scale_l1
from strokegan_lib.models.critic import Critic
from strokegan_lib.training.objectives import OBJECTIVES, STRONGEST, LossInputs
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN

SIZE = 16


def stroke_of(*areas: int) -> Tensor:
    """A mask a slice with the first *area* pixels, (B, 1, 16, 16)."""
    masks = torch.zeros(len(areas), SIZE**2)
    for mask, area in zip(masks, areas, strict=True):
        mask[:area] = 1
    return masks.view(-1, 1, SIZE, SIZE)


def outlook(
    painted: Tensor, stroke: Tensor, *, image: Tensor | None = None, critic: Critic | None = None
) -> LossInputs:
    """What an objective sees; the painting is given, 0..1; without a critic the pixels are the only level."""
    image = torch.ones_like(stroke) if image is None else image
    logits = torch.logit(painted, eps=1e-6)
    painted, true, black = torch.sigmoid(logits), image * stroke, torch.zeros_like(stroke[:1])
    levels = [critic(p) if critic else [p] for p in (painted, true, black)]
    return LossInputs(image, stroke, logits, painted, *levels)


def random_outlook(seed: int, areas: tuple[int, ...]) -> LossInputs:
    torch.manual_seed(seed)
    stroke = stroke_of(*areas)
    image = 0.2 + 0.8 * torch.rand_like(stroke)
    return outlook(
        torch.rand_like(stroke), stroke, image=image, critic=Critic(1, width=8, attention=False).eval()
    )


def total(name: str, seen: LossInputs) -> Tensor:
    return sum(OBJECTIVES[name](seen).values())


def test_the_papers_is_multi_scale_l1():
    seen = random_outlook(0, (30, 0))
    for levels in ("equal", "elements", "pixel"):
        expected = multi_scale_l1(seen.fake, seen.true, levels)
        assert torch.equal(total("paper", seen._replace(weighting=levels)), expected)


def test_separation_by_hand():
    stroke = stroke_of(64, 0)
    seen = outlook(torch.full_like(stroke, 0.25), stroke)
    apart = [64 * 0.75 + 192 * 0.25, 256 * 0.25]  # of the slices
    assert total("separation", seen).item() == pytest.approx(sum(apart) / 2 / 64, rel=1e-4)


@pytest.mark.parametrize("name", ["separation", "relative"])
def test_how_loud_a_level_is_does_not_matter(name):
    """The paper's loss follows the loudest level; these two do not know how loud a level is."""
    seen = random_outlook(1, (40, 0, 5))

    def louder(levels: list[Tensor]) -> list[Tensor]:
        return [*levels[:2], 100 * levels[2], *levels[3:]]

    loud = seen._replace(fake=louder(seen.fake), true=louder(seen.true), black=louder(seen.black))
    assert total(name, loud).item() == pytest.approx(total(name, seen).item(), rel=1e-4)
    assert total("paper", loud) > 2 * total("paper", seen)


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 100))
def test_relative_of_masks_is_one_less_dice(area, painted_area, moved):
    stroke = stroke_of(area)
    painted = stroke_of(painted_area).flatten(1).roll(moved, 1).view_as(stroke)
    overlap = (painted * stroke).sum()
    dice = 2 * overlap / (painted.sum() + stroke.sum())
    assert total("relative", outlook(painted, stroke)).item() == pytest.approx(1 - dice.item(), abs=1e-3)


@given(st.integers(0, 1000), st.integers(1, 256))
@settings(max_examples=25)
def test_relative_lies_between_0_and_1_on_slices_with_stroke(seed, area):
    value = total("relative", random_outlook(seed, (area,))).item()
    assert 0 <= value <= 1 + 1e-6


def test_relative_counts_a_small_lesion_like_a_large_one():
    """Half of each lesion missed: the same loss, where the paper's differs as their sizes do."""
    halves = {area: outlook(stroke_of(area // 2), stroke_of(area)) for area in (10, 200)}
    relative = {area: total("relative", seen).item() for area, seen in halves.items()}
    paper = {area: total("paper", seen).item() for area, seen in halves.items()}
    assert relative[10] == pytest.approx(relative[200], rel=1e-2)
    assert paper[200] / paper[10] == pytest.approx(20, rel=1e-2)


def test_relative_makes_an_empty_slice_informative():
    """A false alarm as large as the batch's typical stroke costs what a missed stroke costs: 1."""
    stroke = stroke_of(100, 50, 0)
    seen = outlook(torch.cat([stroke[:2], stroke_of(75)]), stroke)
    assert total("relative", seen).item() == pytest.approx(1 / 3, abs=1e-3)
    missed = outlook(torch.zeros(1, 1, SIZE, SIZE), stroke_of(75))
    assert total("relative", missed).item() == pytest.approx(1, abs=1e-2)


def test_divergence_is_that_of_two_coins():
    seen = random_outlook(2, (40, 0, 5))
    found = OBJECTIVES["divergence"](seen)
    expected = kl_divergence(Bernoulli(seen.true[0]), Bernoulli(torch.sigmoid(seen.logits))).mean()
    assert found["divergence"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert torch.equal(found["multi_scale"], multi_scale_l1(seen.fake[1:], seen.true[1:]))


def test_the_pull_of_divergence_is_painted_less_true_and_l1_has_none_on_black():
    logits = torch.tensor([-12.0, -3.0, 0.0, 2.0], requires_grad=True)
    true = torch.tensor([0.8, 0.8, 0.0, 0.3])

    def pull(name: str) -> Tensor:
        painted = torch.sigmoid(logits).view(1, 1, 2, 2)
        flat = true.view(1, 1, 2, 2)
        seen = LossInputs(
            flat, flat, logits.view(1, 1, 2, 2), painted, [painted] * 2, [flat] * 2, [flat * 0] * 2
        )
        term = OBJECTIVES[name](seen)["divergence" if name == "divergence" else "multi_scale"]
        return 4 * torch.autograd.grad(term, logits)[0]

    assert torch.allclose(pull("divergence"), torch.sigmoid(logits) - true, atol=1e-5)
    assert abs(pull("paper")[0]) < 1e-4 < 0.5 < abs(pull("divergence")[0])


def test_presence_presses_the_peaks_of_an_empty_slice_alone():
    torch.manual_seed(3)
    score = torch.rand(1, 1, SIZE, SIZE, requires_grad=True)
    empty = stroke_of(0)
    seen = outlook(score.detach(), empty)._replace(score=score)
    term = OBJECTIVES["presence"](seen)["presence"]
    (pull,) = torch.autograd.grad(term, score)
    pressed = pull.flatten() > 0
    assert int(pressed.sum()) == STRONGEST
    assert score.flatten()[pressed].min() >= score.flatten()[~pressed].max()


def test_presence_raises_the_strongest_pixels_of_a_slice_with_stroke():
    torch.manual_seed(3)
    score = (0.1 * torch.rand(1, 1, SIZE, SIZE)).requires_grad_()
    seen = outlook(score.detach(), stroke_of(30))._replace(score=score)
    (pull,) = torch.autograd.grad(OBJECTIVES["presence"](seen)["presence"], score)
    assert int((pull < 0).sum()) == STRONGEST


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_perfect_painting_is_better_than_any_other(name):
    torch.manual_seed(4)
    stroke = stroke_of(60, 0, 12)
    image = 0.2 + 0.8 * torch.rand_like(stroke)
    critic = Critic(1, width=8, attention=False).eval()
    perfect = outlook(image * stroke, stroke, image=image, critic=critic)
    for painted in (torch.zeros_like(stroke), image, torch.rand_like(stroke), 0.5 * image * stroke):
        assert total(name, perfect) < total(name, outlook(painted, stroke, image=image, critic=critic))


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("areas", [(0, 0), (40, 7), (40, 0)])
def test_every_batch_has_a_finite_loss_and_gradient(name, areas):
    seen = random_outlook(5, areas)
    logits = seen.logits.requires_grad_()
    painted = torch.sigmoid(logits)
    critic = Critic(1, width=8, attention=False).eval()
    seen = seen._replace(
        score=painted, fake=critic(painted), true=critic(seen.true[0]), black=critic(seen.black[0])
    )
    (pull,) = torch.autograd.grad(total(name, seen), logits)
    assert torch.isfinite(pull).all() and pull.abs().sum() > 0


@pytest.mark.parametrize(
    "change", [{"loss": "relative", "output": "probability"}, {"loss": "relative", "multi_scale": 0.0}]
)  # fmt: skip
def test_an_objective_that_the_networks_cannot_serve_is_refused(change):
    with pytest.raises(BadInput, match="--loss relative"):
        replace(METHODS["masked"], **change)


def test_a_loss_of_ones_own_takes_the_place_of_the_methods():
    def nothing_but_pixels(seen: LossInputs) -> dict[str, Tensor]:
        return {"mine": (seen.fake[0] - seen.true[0]).square().mean()}

    torch.manual_seed(0)
    gan = SegmentationGAN(replace(METHODS["masked"], width=8), objective=nothing_but_pixels)
    stroke = torch.zeros(2, 1, 32, 32)
    stroke[0, :, 8:16, 8:16] = 1
    batch = Batch(torch.rand(2, 1, 32, 32), stroke, torch.ones_like(stroke), torch.arange(2))
    told = gan.step(gan.networks, batch, lambda *_: None)
    assert "mine" in told and "multi_scale" not in told
    assert told["segmentor"].item() == pytest.approx(told["mine"].item() + told["soft_dice"].item())
