"""The one rule that brings planes to 128 x 128: mass is kept, masks stay nested."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.data.resample import SIZE, area_average, pixel_size, resample_image, resample_mask

SHAPES = st.tuples(st.integers(1, 260), st.integers(1, 260))
SPACINGS = st.tuples(st.floats(0.3, 6), st.floats(0.3, 6))


def planes(shape, seed, n=2):
    return np.random.default_rng(seed).random((n, *shape))


@settings(max_examples=25)
@given(SHAPES, SPACINGS, st.integers(0, 99), st.floats(0.05, 0.95))
def test_mass_is_kept_masks_stay_nested_and_averages_within_the_foreground(shape, spacing, seed, share):
    before, side = planes(shape, seed), pixel_size(shape, spacing)
    after = area_average(before, spacing)
    assert after.shape == (2, SIZE, SIZE)
    assert np.allclose(after.sum((1, 2)) * side**2, before.sum((1, 2)) * spacing[0] * spacing[1], rtol=1e-9)

    foreground = planes(shape, seed + 7)[0] < 0.5
    stroke = foreground & (planes(shape, seed + 1)[0] < share)
    assert not (resample_mask(stroke, spacing) & ~resample_mask(foreground, spacing)).any()
    image = before[0] + 5
    out = resample_image(image, foreground, spacing)
    inside = out != 0
    assert inside.any() == foreground.any()
    if foreground.any():
        assert out[inside].min() >= image[foreground].min() - 1e-6
        assert out[inside].max() <= image[foreground].max() + 1e-6


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_whole_factors_are_block_averages(factor):
    image = planes((SIZE * factor, SIZE * factor), 0)
    blocks = image.reshape(2, SIZE, factor, SIZE, factor).mean((2, 4))
    everywhere = np.ones_like(image, bool)
    assert np.allclose(area_average(image, (0.9, 0.9)), blocks)
    assert np.allclose(resample_image(image, everywhere, (0.9, 0.9)), blocks)


def test_an_exact_half_belongs_to_the_mask_and_padding_is_even_in_millimetres():
    assert resample_mask(np.tile([True, False], (SIZE * 2, SIZE)), (1.1, 1.1)).all()
    assert np.allclose(area_average(np.ones((100, 50)), (1.0, 2.0)), 1)  # a square of 100 mm
    filled = np.flatnonzero(area_average(np.ones((100, 50)), (1.0, 1.0)).any(0))
    assert (filled[0], filled[-1]) == (32, 95)
