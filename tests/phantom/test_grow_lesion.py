"""Lesions: they grow to the planned size, in the planned place, in pieces that respect the anatomy."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from strokegan_lib.phantom.anatomy import grid_points
from strokegan_lib.phantom.epidemiology import SUPPLIES, Plan, plan_stroke
from strokegan_lib.phantom.lesions import CONNECTED, POINT_ML, Lesion, grow_lesion
from strokegan_lib.phantom.territories import NAMES, SPACING, parenchyma, territories

X = grid_points(SPACING)[..., 0]
STROKES = 20


def grow(plan: Plan, seed: int = 0) -> Lesion:
    return grow_lesion(np.random.default_rng([seed, 99]), plan)


def pieces_of(lesion: Lesion) -> list[np.ndarray]:
    labels, n = ndimage.label(lesion.level > 0, CONNECTED)
    return [labels == i + 1 for i in range(n)]


@pytest.fixture(scope="module")
def strokes() -> list[tuple[Plan, Lesion]]:
    """The first strokes of the default set."""
    found = [(k, plan) for k in range(4 * STROKES) if (plan := plan_stroke(k, 0))][:STROKES]
    return [(plan, grow_lesion(np.random.default_rng([0, k, 2]), plan)) for k, plan in found]


def test_what_was_planned_grows(strokes):
    ratio = np.array([lesion.volume / plan.volume for plan, lesion in strokes])
    assert 0.97 < np.median(ratio) < 1.03
    assert (np.abs(ratio - 1) < 0.1).mean() > 0.9 and (np.abs(ratio - 1) < 0.5).all()
    assert np.mean([lesion.pieces == plan.pieces for plan, lesion in strokes]) > 0.8
    assert np.mean([lesion.territory == plan.territory for plan, lesion in strokes]) > 0.8
    for plan, lesion in strokes:
        assert 1 <= lesion.pieces <= plan.pieces
        here = lesion.right if plan.side > 0 else 1 - lesion.right
        assert here == pytest.approx(1 - plan.other_side, abs=0.1)


def test_the_description_is_that_of_the_level(strokes):
    for _, lesion in strokes:
        inside = lesion.level > 0
        assert lesion.level.dtype == np.float32
        assert lesion.volume == pytest.approx(inside.sum() * POINT_ML)
        assert lesion.right == pytest.approx((inside & (X > 0)).sum() / inside.sum())
        counts = {name: (inside & (territories()[0] == i)).sum() for i, name in enumerate(NAMES)}
        assert counts[lesion.territory] == max(counts.values())


def test_pieces_are_whole_in_space_and_on_one_side(strokes):
    """From plane to plane a lesion changes at its rim only."""
    overlaps = []
    for _, lesion in strokes:
        for piece in pieces_of(lesion):
            assert len(np.unique(np.sign(X[piece]))) == 1 and (X[piece] != 0).all()
            planes = np.flatnonzero(piece.any((0, 1)))
            assert np.array_equal(planes, np.arange(planes[0], planes[-1] + 1))  # no plane left out
            for a, b in itertools.pairwise(planes):
                below, above = piece[:, :, a], piece[:, :, b]
                smaller = min(below.sum(), above.sum())
                if smaller >= 20:  # points
                    overlaps.append((below & above).sum() / smaller)
    assert len(overlaps) > 50 and np.median(overlaps) > 0.8 and np.percentile(overlaps, 5) > 0.5


@settings(max_examples=12)
@given(
    territory=st.sampled_from(NAMES),
    share=st.floats(0, 1),
    side=st.sampled_from([-1, 1]),
    pieces=st.integers(1, 8),
    seed=st.integers(0, 1000),
)
def test_any_plan_grows(territory, share, side, pieces, seed):
    """Whatever the territory and the size: about the volume, only in tissue, never across the midline."""
    volume = 0.12 * (min(SUPPLIES[territory].largest, 120) / 0.12) ** share
    pieces = min(pieces, max(1, int(volume / 0.1)))
    plan = Plan(territory, volume, side, pieces, 0.0, False)
    lesion = grow(plan, seed)
    inside = lesion.level > 0
    assert 0.75 < lesion.volume / volume < 1.5  # the smallest pieces are rounded up to whole points
    assert (np.sign(X[inside]) == side).all() and parenchyma()[inside].all()
    assert len(pieces_of(lesion)) <= pieces
    assert np.array_equal(lesion.level, grow(plan, seed).level)


def test_a_border_zone_stroke_lies_in_the_border_zones():
    border = territories()[1]
    plan = dict(territory="middle cerebral, parietal", volume=6.0, side=1, pieces=6, other_side=0.0)
    shares = [
        np.mean([border[grow(Plan(**plan, border_zone=zone), seed).level > 0].mean() for seed in range(3)])
        for zone in (True, False)
    ]
    assert shares[0] > 1.5 * shares[1]
