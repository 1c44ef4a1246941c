"""Smooth noise: mean 0, deviation 1, and blobs of the size that was asked for."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.phantom.anatomy import grid_shape
from strokegan_lib.phantom.noise import smooth_noise

SPACING = 4.0  # mm: the coarsest grid in use


def noise(seed: int, size: float, power: int = 0) -> np.ndarray:
    return smooth_noise(np.random.default_rng(seed), SPACING, size, power)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(5, 80), st.sampled_from([0, 1, 2, 4]))
def test_mean_deviation_and_shape(seed, size, power):
    field = noise(seed, size, power)
    assert field.shape == grid_shape(SPACING) and field.dtype == np.float32
    assert abs(field.mean()) < 1e-4 and field.std() == pytest.approx(1, abs=1e-4)
    assert np.array_equal(field, noise(seed, size, power))


def test_another_seed_is_another_field():
    a, b = (noise(seed, 10).ravel() for seed in (0, 1))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.1


def test_larger_blobs_are_smoother():
    steps = [np.abs(np.diff(noise(0, size), axis=0)).mean() for size in (8, 16, 32, 64)]
    assert all(fine > 1.5 * coarse for fine, coarse in itertools.pairwise(steps))


@pytest.mark.parametrize(("size", "power"), [(12, 2), (12, 4), (20, 4)])
def test_a_band_is_where_the_formula_has_its_maximum(size, power):
    """|k|^power exp(-pi |k|^2 size^2), k in units of 1/size, is largest at sqrt(power / 2 pi) / size."""
    spectrum = np.abs(np.fft.fftn(noise(0, size, power)))
    axes = [np.fft.fftfreq(n, SPACING) for n in spectrum.shape]
    k = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))  # cycles a mm
    edges = np.arange(0, 0.125, 0.0075)
    where = np.digitize(k, edges)
    mean = [spectrum[where == i].mean() for i in range(1, len(edges))]
    peak = edges[int(np.argmax(mean))] + 0.0075 / 2
    assert peak == pytest.approx(np.sqrt(power / (2 * np.pi)) / size, abs=0.008)
