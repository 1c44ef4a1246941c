"""Masks from noise: nested, whole, reproducible; and the critic that sees them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from strokegan_lib.balance.transplant import SMALLEST as SMALLEST_TRANSPLANTED
from strokegan_lib.models.family.dual import SIZE, SMALLEST, MaskCritic, MaskGenerator, harden, soften


def generator(seed: int = 0, stroke: float = 0.0) -> MaskGenerator:
    """One that has learnt nothing, yet makes strokes: its logits are large and *stroke* is added to half of them."""
    torch.manual_seed(seed)
    network = MaskGenerator(noise=8, width=4).eval()
    with torch.no_grad():
        network.head.weight.mul_(30)
        network.head.bias.copy_(torch.tensor([stroke, 2.0]))
    return network


def test_shapes_nesting_and_size():
    network = MaskGenerator()
    assert network.config == {"noise": 64, "width": 16}
    assert sum(p.numel() for p in network.parameters()) <= 1_000_000
    masks = network(torch.randn(3, 64))
    assert masks.shape == (3, 2, SIZE, SIZE) and masks.min() >= 0 and masks.max() <= 1
    assert (masks[:, 0] <= masks[:, 1]).all()


def test_sigmoids_of_the_logits_nested():
    network = generator()
    seen = []
    network.head.register_forward_hook(lambda _, __, logits: seen.append(logits))
    masks = network(torch.randn(2, 8))
    a, b = torch.nn.functional.interpolate(seen[0], (SIZE, SIZE), mode="bilinear").sigmoid().unbind(1)
    torch.testing.assert_close(masks, torch.stack([a * b, b], 1))


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 3), network=st.integers(0, 3))
def test_samples_are_a_stroke_in_one_whole_brain(seed, n, network):
    stroke, foreground = generator(network).sample(n, seed)
    for masks in (stroke, foreground):
        assert masks.shape == (n, SIZE, SIZE) and masks.dtype == np.uint8 and (masks <= 1).all()
    assert (stroke <= foreground).all() and (stroke.sum((1, 2)) >= SMALLEST).all()
    for mask in foreground:
        assert ndimage.label(mask)[1] == 1
        assert (ndimage.binary_fill_holes(mask) == mask).all()


def test_a_mask_depends_on_the_seed_and_its_number():
    network = generator()
    few, more, other = network.sample(2, 5), network.sample(4, 5), network.sample(2, 6)
    assert all((a == b[:2]).all() for a, b in zip(few, more, strict=True))
    assert (few[0][0] != few[0][1]).any() and (few[0] != other[0]).any()
    assert all((a == b).all() for a, b in zip(few, network.sample(2, 5), strict=True))


def test_an_empty_stroke_is_drawn_again():
    network = generator(stroke=-1)
    with torch.inference_mode():
        z = [np.random.default_rng((0, 0, k)).standard_normal(8, np.float32) for k in range(12)]
        first = np.stack([harden(soft) for soft in network(torch.from_numpy(np.stack(z))).numpy()])
    empty = first[:, 0].sum((1, 2)) < SMALLEST
    assert 0 < empty.sum() < 12, "neither all nor none: else this test sees nothing"
    stroke, _ = network.sample(12, 0)
    assert (stroke.sum((1, 2)) >= SMALLEST).all() and (stroke[~empty] == first[~empty, 0]).all()


def test_a_network_without_strokes_says_so():
    with pytest.raises(ValueError, match="has not learnt"):
        generator(stroke=-1e4).sample(1)


def test_harden_keeps_the_largest_piece_fills_it_and_leaves_no_stroke_outside():
    soft = np.zeros((2, 12, 12))
    soft[1, 1:8, 1:8], soft[1, 4, 4] = 0.5, 0.1  # a brain with a hole
    soft[1, 10:, 10:] = 0.9  # a crumb
    soft[0, 2:4, 2:4], soft[0, 11, 11], soft[0, 6, 6] = 0.5, 0.9, 0.49
    stroke, foreground = harden(soft)
    assert foreground.sum() == 49 and foreground[4, 4] == 1
    assert stroke.sum() == 4 and (stroke[2:4, 2:4] == 1).all()
    assert not harden(np.zeros((2, 12, 12))).any()


def test_the_smallest_stroke_is_that_of_transplanted_masks():
    assert SMALLEST == SMALLEST_TRANSPLANTED


def test_the_critic_sees_how_masks_vary():
    torch.manual_seed(0)
    critic = MaskCritic(width=4).double().eval()
    masks = torch.rand(4, 2, SIZE, SIZE, dtype=torch.float64)
    verdict = critic(masks)
    assert verdict.shape == (4, 1)
    alike = critic(masks[:1].expand(4, -1, -1, -1))
    torch.testing.assert_close(alike, alike[:1].expand(4, 1))
    assert (verdict[0] - alike[0]).abs() > 1e-9


@pytest.mark.parametrize("mask", [np.eye(128), np.tri(128), np.zeros((128, 128)), np.ones((128, 128))])
def test_soften_is_scipys_correlation(mask):
    line = np.array([0.25, 0.5, 0.25])
    expected = ndimage.correlate(mask, np.outer(line, line), mode="nearest")
    both = torch.from_numpy(np.stack([mask, mask.T]))[None]
    np.testing.assert_allclose(soften(both)[0], [expected, expected.T])


def test_soften_keeps_a_square_of_two_pixels():
    masks = torch.zeros(1, 1, 8, 8)
    masks[..., 3:5, 3:5] = 1
    assert ((soften(masks) >= 0.5) == (masks == 1)).all()
