"""The measures of likeness against cases that can be worked out, and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from brains import brains
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import wasserstein_distance

from experiments.phantom_likeness import (
    LEVELS,
    grey_distance,
    grey_levels,
    grow_slices,
    measured,
    radial_spectrum,
    slices_at,
    spectrum_distance,
)

BYTES = LEVELS[:-1]
counts = hnp.arrays(np.int64, len(BYTES), elements=st.integers(0, 50)).filter(lambda array: array.sum() > 0)


@settings(max_examples=30)
@given(counts, counts)
def test_grey_distance_is_wasserstein_1(a, b):
    a, b = a / a.sum(), b / b.sum()
    assert grey_distance(a, b) == pytest.approx(wasserstein_distance(BYTES, BYTES, a, b), abs=1e-9)


def test_grey_levels_are_shares_of_the_foreground():
    image = np.full((16, 16), 100, np.uint8)
    image[8:] = 200
    foreground = np.ones((16, 16), np.uint8)
    foreground[12:] = 0
    shares = grey_levels(image, foreground)
    assert shares.sum() == pytest.approx(1) and shares[100 - 8] == pytest.approx(2 / 3)


@pytest.mark.parametrize("k", [5, 20, 50])
def test_a_wave_has_its_power_at_its_frequency_and_power_goes_with_the_square_of_contrast(k):
    wave = np.cos(2 * np.pi * k * np.arange(128) / 128) * np.ones((128, 1))
    weak, strong = (radial_spectrum(np.rint(128 + c * wave), wave) for c in (10, 100))
    assert strong.shape == (63,) and 4 + int(strong[3:].argmax()) == k  # the first entry is 1 cycle an image
    assert strong[k - 1] - weak[k - 1] == pytest.approx(2, abs=0.05)
    assert spectrum_distance(weak + 2, weak) == pytest.approx(2)


def test_likeness_compares_one_slice_of_each_patient(tmp_path):
    discs = brains(tmp_path / "set", patients=140, each=1, every=2)
    images, foreground = slices_at(discs, 0.0)
    assert images.shape == foreground.shape == (140, 128, 128) and len(slices_at(discs, 30.0)[0]) == 0
    assert measured("grey levels", (images, foreground), (images[:70], foreground[:70]))["ratio"] < 1.5
    dark = (np.where(images > 8, images // 2 + 8, images)[:70], foreground[:70])
    line = measured("grey levels", (images, foreground), dark)
    assert line["ratio"] == line["phantom"] / line["halves"] > 5
    grown, inside = grow_slices(1, 18.0)
    assert grown.shape == (1, 128, 128) and (grown[inside == 1] >= 8).all()
