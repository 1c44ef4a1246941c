"""CarveMix: what is carved, what is kept."""

import numpy as np
from brains import disc
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from strokegan_lib.balance.carvemix import carve_and_mix, draw_margin, signed_distance

BRAIN, EMPTY = disc(64, 64, 50), np.zeros((128, 128), bool)
LESION = disc(64, 80, 8)
HERE, THERE = np.full((2, 128, 128), 1.0) * BRAIN, np.full((2, 128, 128), 2.0) * BRAIN


def mix(margin: float, foreground=BRAIN, donor_foreground=BRAIN, stroke=EMPTY):
    return carve_and_mix(HERE, stroke, foreground, THERE, LESION, donor_foreground, margin)


def test_signed_distance_of_a_disc():
    rows, columns = np.indices(LESION.shape)
    exact = np.hypot(rows - 64, columns - 80) - 8
    distance = signed_distance(LESION)
    assert np.abs(distance - exact).max() < 1.1 and np.array_equal(distance < 0, LESION)


@settings(max_examples=30)
@given(margin=st.floats(-7, 12))
def test_the_region_is_the_donors_and_the_rest_the_backgrounds(margin):
    image, stroke = mix(margin)
    region = signed_distance(LESION) <= margin
    assert (image[:, region] == 2).all() and (image[:, ~region & BRAIN] == 1).all()
    assert np.array_equal(stroke, LESION & region)
    if margin >= 0:
        assert np.array_equal(stroke, LESION)


def test_nothing_is_pasted_onto_air_or_from_air():
    half = BRAIN & (np.arange(128) < 80)
    for image, stroke in (mix(6, foreground=half), mix(6, donor_foreground=half)):
        assert not ((image == 2).any(0) & ~half).any() and not (stroke & ~half).any()


def test_a_stroke_outside_the_region_stays():
    own = disc(64, 40, 5)
    _, stroke = mix(2, stroke=own)
    assert np.array_equal(stroke, LESION | own)


def test_margins_go_from_half_the_depth_inwards_to_the_depth_outwards():
    distance, rng = signed_distance(LESION), np.random.default_rng(0)
    depth = ndimage.distance_transform_edt(LESION).max()
    margins = np.array([draw_margin(distance, rng) for _ in range(4000)]) / depth
    assert -0.5 <= margins.min() < -0.49 and 0.99 < margins.max() <= 1
    assert abs(margins.mean() - 0.25) < 0.02
