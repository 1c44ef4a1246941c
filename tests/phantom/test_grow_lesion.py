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


def grow(plan: Plan, seed: int = 0) -> Lesion:
    return grow_lesion(np.random.default_rng([seed, 99]), plan)


def test_what_was_planned_grows():
    """The first strokes of the default set."""
    strokes = [(plan, grow(plan, k)) for k in range(40) if (plan := plan_stroke(k, 0))]
    ratio = np.array([lesion.volume / plan.volume for plan, lesion in strokes])
    assert 0.97 < np.median(ratio) < 1.03
    assert (np.abs(ratio - 1) < 0.1).mean() > 0.9 and (np.abs(ratio - 1) < 0.5).all()
    assert np.mean([lesion.pieces == plan.pieces for plan, lesion in strokes]) > 0.7
    assert np.mean([lesion.territory == plan.territory for plan, lesion in strokes]) > 0.8
    for plan, lesion in strokes:
        here = lesion.right if plan.side > 0 else 1 - lesion.right
        assert here == pytest.approx(1 - plan.other_side, abs=0.1)
        inside = lesion.level > 0  # the description is that of the level
        assert lesion.volume == pytest.approx(inside.sum() * POINT_ML)
        assert lesion.right == pytest.approx((inside & (X > 0)).sum() / inside.sum())
        counts = np.bincount(territories()[0][inside], minlength=len(NAMES))
        assert counts[NAMES.index(lesion.territory)] == counts.max()
    overlaps = []  # from plane to plane a piece changes at its rim only
    for _, lesion in strokes:
        pieces, n = ndimage.label(lesion.level > 0, CONNECTED)
        for piece in (pieces == i + 1 for i in range(n)):
            assert len(np.unique(np.sign(X[piece]))) == 1 and (X[piece] != 0).all()
            planes = np.flatnonzero(piece.any((0, 1)))
            assert np.array_equal(planes, np.arange(planes[0], planes[-1] + 1))  # no plane left out
            for below, above in itertools.pairwise(np.moveaxis(piece[:, :, planes], -1, 0)):
                if (smaller := min(below.sum(), above.sum())) >= 20:  # points
                    overlaps.append((below & above).sum() / smaller)
    assert len(overlaps) > 50 and np.median(overlaps) > 0.8 and np.percentile(overlaps, 5) > 0.5


@settings(max_examples=10)
@given(
    st.sampled_from(NAMES), st.floats(0, 1), st.sampled_from([-1, 1]), st.integers(1, 8), st.integers(0, 999)
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
    assert ndimage.label(inside, CONNECTED)[1] <= pieces
    assert np.array_equal(lesion.level, grow(plan, seed).level)


def test_a_border_zone_stroke_lies_in_the_border_zones():
    def share(border_zone: bool, seed: int) -> float:
        plan = Plan("middle cerebral, parietal", 6.0, 1, 6, 0.0, border_zone)
        return territories()[1][grow(plan, seed).level > 0].mean()

    assert share(True, 0) + share(True, 1) > 1.5 * (share(False, 0) + share(False, 1))
