"""The one rule that brings planes to 128 x 128: mass is kept, masks stay nested."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.data.resample import (
    SIZE,
    area_average,
    pixel_size,
    resample_image,
    resample_mask,
)

SHAPES = st.tuples(st.integers(1, 260), st.integers(1, 260))
SPACINGS = st.tuples(st.floats(0.3, 6), st.floats(0.3, 6))


def planes(shape, seed, n=2):
    return np.random.default_rng(seed).random((n, *shape))


@settings(max_examples=25)
@given(SHAPES, SPACINGS, st.integers(0, 99))
def test_mass_is_kept(shape, spacing, seed):
    before = planes(shape, seed)
    after = area_average(before, spacing)
    side = pixel_size(shape, spacing)
    assert after.shape == (2, SIZE, SIZE)
    assert np.allclose(after.sum((1, 2)) * side**2, before.sum((1, 2)) * spacing[0] * spacing[1], rtol=1e-9)


@settings(max_examples=25)
@given(SHAPES, SPACINGS, st.integers(0, 99), st.floats(0.05, 0.95))
def test_a_mask_stays_inside_what_held_it(shape, spacing, seed, share):
    foreground = planes(shape, seed, 1)[0] < 0.9
    stroke = foreground & (planes(shape, seed + 1, 1)[0] < share)
    assert not (resample_mask(stroke, spacing) & ~resample_mask(foreground, spacing)).any()


def test_128_pixels_stay_as_they_are():
    image = planes((SIZE, SIZE), 0)
    mask = image > 0.4
    assert np.allclose(area_average(image, (0.9, 0.9)), image)
    assert np.array_equal(resample_mask(mask, (0.9, 0.9)), mask)
    assert np.allclose(resample_image(image, mask, (0.9, 0.9))[mask], image[mask])


@pytest.mark.parametrize("factor", [2, 3])
def test_whole_factors_are_block_averages(factor):
    image = planes((SIZE * factor, SIZE * factor), 0)
    blocks = image.reshape(2, SIZE, factor, SIZE, factor).mean((2, 4))
    assert np.allclose(area_average(image, (1, 1)), blocks)


def test_an_exact_half_belongs_to_the_mask():
    mask = np.zeros((SIZE * 2, SIZE * 2), bool)
    mask[:, ::2] = True
    assert resample_mask(mask, (1.1, 1.1)).all()


def test_padding_is_even_and_in_millimetres():
    tall = area_average(np.ones((100, 50)), (1.0, 1.0))
    wide_pixels = area_average(np.ones((100, 50)), (1.0, 2.0))  # a square of 100 mm
    assert np.allclose(wide_pixels, 1)
    filled = np.flatnonzero(tall.any(0))
    assert (filled[0], filled[-1]) == (32, 95)


@settings(max_examples=25)
@given(SHAPES, SPACINGS, st.integers(0, 99))
def test_foreground_average_stays_within_the_foreground_values(shape, spacing, seed):
    image, foreground = planes(shape, seed)[0] + 5, planes(shape, seed + 7)[0] < 0.5
    out = resample_image(image, foreground, spacing)
    inside = out != 0
    if foreground.any():
        assert out[inside].min() >= image[foreground].min() - 1e-6
        assert out[inside].max() <= image[foreground].max() + 1e-6
    else:
        assert not inside.any()
