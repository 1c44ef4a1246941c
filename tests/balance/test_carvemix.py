"""CarveMix: what is carved, what is kept."""

import numpy as np
import pytest
from brains import disc
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from strokegan_lib.balance.carvemix import CarveMix, carve_and_mix, signed_distance
from strokegan_lib.balance.transplant import Transplanter

BRAIN, EMPTY = disc(64, 64, 50), np.zeros((128, 128), bool)
LESION = disc(64, 80, 8)
HERE, THERE = np.full((2, 128, 128), 1.0) * BRAIN, np.full((2, 128, 128), 2.0) * BRAIN


def mix(margin: float, foreground=BRAIN, donor_foreground=BRAIN, stroke=EMPTY):
    return carve_and_mix(HERE, stroke, foreground, THERE, LESION, donor_foreground, margin)


def test_signed_distance_of_a_disc():
    rows, columns = np.indices(LESION.shape)
    distance = signed_distance(LESION)
    assert np.abs(distance - (np.hypot(rows - 64, columns - 80) - 8)).max() < 1.1
    assert np.array_equal(distance < 0, LESION)


@settings(max_examples=30)
@given(margin=st.floats(-7, 12))
def test_the_region_is_the_donors_and_the_rest_the_backgrounds(margin):
    own = disc(64, 40, 5)  # a stroke outside the region stays
    image, stroke = mix(margin, stroke=own)
    region = signed_distance(LESION) <= margin
    assert (image[:, region] == 2).all() and (image[:, ~region & BRAIN] == 1).all()
    assert np.array_equal(stroke, LESION & region | own)
    half = BRAIN & (np.arange(128) < 80)  # nothing is pasted onto air or from air
    for image, stroke in (mix(margin, foreground=half), mix(margin, donor_foreground=half)):
        assert not ((image == 2).any(0) & ~half).any() and not (stroke & ~half).any()


def test_margins_go_from_half_the_depth_inwards_to_the_depth_outwards(discs):
    donors, rng = np.flatnonzero(discs.table["has_stroke"]), np.random.default_rng(0)
    augmenter = CarveMix(Transplanter(discs, donors[:1]))
    depth = ndimage.distance_transform_edt(discs.stroke[donors[0]]).max()
    plans = [augmenter.plan(discs, 0, rng) for _ in range(150)]
    margins = np.array([float(plan.detail.split()[1]) for plan in plans if plan]) / depth
    assert len(margins) > 140 and -0.5 <= margins.min() < -0.4 and 0.9 < margins.max() <= 1.01
    assert margins.mean() == pytest.approx(0.25, abs=0.1)
