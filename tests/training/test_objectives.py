"""Each objective against its definition, and against what its derivation promises."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, kl_divergence

from strokegan_lib.errors import BadInput
from strokegan_lib.losses import WEIGHTINGS, multi_scale_l1
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


def inputs_of(
    painted: Tensor, stroke: Tensor, *, image: Tensor | None = None, critic: Critic | None = None
) -> LossInputs:
    """The painting is given, 0..1; without a critic the pixels are the only level."""
    image = torch.ones_like(stroke) if image is None else image
    logits = torch.logit(painted, eps=1e-6)
    painted, true, black = torch.sigmoid(logits), image * stroke, torch.zeros_like(stroke[:1])
    levels = [critic(p) if critic else [p] for p in (painted, true, black)]
    return LossInputs(image, stroke, logits, painted, *levels)


def random_inputs(seed: int, areas: tuple[int, ...]) -> LossInputs:
    torch.manual_seed(seed)
    stroke = stroke_of(*areas)
    critic = Critic(1, width=8, attention=False).eval()
    return inputs_of(
        torch.rand_like(stroke), stroke, image=0.2 + 0.8 * torch.rand_like(stroke), critic=critic
    )


def total(name: str, inputs: LossInputs) -> Tensor:
    return sum(OBJECTIVES[name](inputs).values())


FULL, HALF = stroke_of(64, 0), stroke_of(32, 0)
EVEN = torch.full((2, 1, SIZE, SIZE), 0.25)
# name, painted, stroke, terms; all levels are the pixels, the image is 1 everywhere
CLOSED_FORM = [
    ("normalised_l1", EVEN, FULL, {"normalised_l1": (64 * 0.75 + 192 * 0.25 + 256 * 0.25) / 2 / 64}),
    ("bray_curtis", HALF, FULL, {"bray_curtis": (1 / 3 + 0) / 2}),  # 1 - Dice of half the stroke
    # on a slice without stroke a false positive as large as the batch's typical stroke costs 1
    ("bray_curtis", torch.cat([FULL[:1], HALF[:1]]), FULL, {"bray_curtis": (0 + 1 / 2) / 2}),
    ("false_positives", torch.cat([FULL[:1], HALF[:1]]), FULL, {"false_positives": 32 / (32 + 64) / 2}),
    ("false_positives", HALF, FULL, {"false_positives": 0}),
    ("presence", FULL, FULL, {"presence": 0}),
]


@pytest.mark.parametrize(("name", "painted", "stroke", "expected"), CLOSED_FORM)
def test_objectives_in_closed_form(name, painted, stroke, expected):
    inputs = inputs_of(painted, stroke)
    twice = {field: 2 * getattr(inputs, field) for field in ("fake", "true", "black")}  # the same level twice
    terms = OBJECTIVES[name](inputs._replace(**twice))
    assert {term: terms[term].item() for term in expected} == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_papers_is_multi_scale_l1(weighting):
    inputs = random_inputs(0, (30, 0))._replace(weighting=weighting)
    assert torch.equal(total("paper", inputs), multi_scale_l1(inputs.fake, inputs.true, weighting))


@pytest.mark.parametrize("name", ["normalised_l1", "bray_curtis"])
def test_the_scale_of_a_level_does_not_matter(name):
    """The paper's loss follows the level of the largest numbers."""
    inputs = random_inputs(1, (40, 0, 5))
    levels = {field: [*getattr(inputs, field)] for field in ("fake", "true", "black")}
    for features in levels.values():
        features[2] = 100 * features[2]
    loud = inputs._replace(**levels)
    assert total(name, loud).item() == pytest.approx(total(name, inputs).item(), rel=1e-4)
    assert total("paper", loud) > 2 * total("paper", inputs)


def test_divergence_is_that_of_two_coins_and_its_gradient_is_painted_less_true():
    inputs = random_inputs(2, (40, 0, 5))
    logits, true = inputs.logits.requires_grad_(), inputs.true[0]
    terms = OBJECTIVES["divergence"](inputs)
    expected = kl_divergence(Bernoulli(true), Bernoulli(torch.sigmoid(logits))).mean()
    assert terms["divergence"].item() == pytest.approx(expected.item(), rel=1e-5)
    (gradient,) = torch.autograd.grad(terms["divergence"], logits)
    assert torch.allclose(gradient * gradient.numel(), torch.sigmoid(logits) - true, atol=1e-5)
    assert torch.equal(terms["multi_scale"], multi_scale_l1(inputs.fake[1:], inputs.true[1:]))


def test_odds_ask_for_the_masked_image_with_a_push_that_brightness_does_not_change():
    stroke = stroke_of(128).expand(3, -1, -1, -1)
    image = torch.tensor([0.2, 0.5, 0.8]).view(3, 1, 1, 1).expand_as(stroke).clone()
    image[:, :, -1] = 0  # background

    def push(painted: Tensor) -> Tensor:
        """Minus the gradient of each pixel of the first row, with stroke, of the 11th, without, and of the last, (3, 3)."""
        logits = torch.logit(painted, eps=1e-6).requires_grad_()
        inputs = inputs_of(painted, stroke, image=image)
        inputs = inputs._replace(logits=logits, fake=2 * inputs.fake, true=2 * inputs.true)
        (gradient,) = torch.autograd.grad(OBJECTIVES["odds"](inputs)["odds"], logits)
        return -gradient[:, 0, [0, 10, 15], 0] * gradient.numel()

    assert push(image * stroke).abs().max() < 1e-3, "nothing is left to do"
    assert (push(0.5 * image)[:, 0] > 0.01).all() and (push(1.2 * image)[:, 0] < -0.01).all(), (
        "too dark, too bright"
    )
    even = torch.sigmoid(torch.logit(image, eps=0.03) - torch.logit(torch.tensor(0.9)))  # p = .5
    assert torch.allclose(push(even), torch.tensor([0.4, -0.5, 0.0]).expand(3, 3), atol=1e-4), (
        "dark as bright"
    )


@pytest.mark.parametrize(("area", "sign"), [(0, 1), (30, -1)])
def test_presence_lowers_the_peaks_of_an_empty_slice_and_raises_those_of_one_with_stroke(area, sign):
    torch.manual_seed(3)
    score = torch.rand(1, 1, SIZE, SIZE, requires_grad=True)
    inputs = inputs_of(score.detach(), stroke_of(area))._replace(local=score)
    (gradient,) = torch.autograd.grad(OBJECTIVES["presence"](inputs)["presence"], score)
    moved = (sign * gradient).flatten() > 0
    assert int(moved.sum()) == STRONGEST and score.flatten()[moved].min() >= score.flatten()[~moved].max()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_perfect_painting_is_better_than_any_other(name):
    torch.manual_seed(4)
    stroke = stroke_of(60, 0, 12)
    image = 0.2 + 0.8 * torch.rand_like(stroke)
    how = {"image": image, "critic": Critic(1, width=8, attention=False).eval()}
    perfect = total(name, inputs_of(image * stroke, stroke, **how))
    for painted in (torch.zeros_like(stroke), image, torch.rand_like(stroke), 0.5 * image * stroke):
        assert perfect < total(name, inputs_of(painted, stroke, **how))


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("areas", [(0, 0), (40, 7), (40, 0)])
def test_every_batch_has_a_finite_loss_and_gradient(name, areas):
    inputs, critic = random_inputs(5, areas), Critic(1, width=8, attention=False).eval()
    logits = inputs.logits.requires_grad_()
    painted = torch.sigmoid(logits)
    features = {"fake": critic(painted), "true": critic(inputs.true[0]), "black": critic(inputs.black[0])}
    (gradient,) = torch.autograd.grad(total(name, inputs._replace(local=painted, **features)), logits)
    assert torch.isfinite(gradient).all() and gradient.abs().sum() > 0


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"loss": "bray_curtis", "output": "probability"}, "--loss bray_curtis"),
        ({"loss": "false_positives", "multi_scale": 0.0}, "--loss false_positives"),
        ({"loss": "presence", "levels": "elements"}, "--loss presence"),
        ({"multi_scale": 0.0, "dice": 0.0}, "every weight"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, word):
    with pytest.raises(BadInput, match=word):
        replace(METHODS["masked"], **changes)


def test_a_loss_of_ones_own_needs_a_painted_masked_image():
    with pytest.raises(ValueError, match="masked image"):
        SegmentationGAN(replace(METHODS["unet"], width=4), objective=OBJECTIVES["paper"])
