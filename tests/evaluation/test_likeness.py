"""The yardsticks of likeness against cases that can be worked out, and against SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import wasserstein_distance

from experiments.likeness import (
    LEVELS,
    grey_distance,
    grey_levels,
    halves_distance,
    radial_spectrum,
    spectrum_distance,
)

BYTES = LEVELS[:-1]
counts = hnp.arrays(np.int64, len(BYTES), elements=st.integers(0, 50)).filter(lambda array: array.sum() > 0)
WHOLE = np.ones((1, 16, 16), bool)


def flat(value: int) -> np.ndarray:
    return np.full((1, 16, 16), value, np.uint8)


@settings(max_examples=60)
@given(counts, counts)
def test_grey_distance_is_wasserstein_1(a, b):
    a, b = a / a.sum(), b / b.sum()
    assert grey_distance(a, b) == pytest.approx(wasserstein_distance(BYTES, BYTES, a, b), abs=1e-9)
    assert grey_distance(a, b) == pytest.approx(grey_distance(b, a)) and grey_distance(a, a) == 0


@given(st.integers(8, 255), st.integers(8, 255))
def test_a_shift_is_its_own_distance(a, b):
    levels = [grey_levels(flat(value), WHOLE) for value in (a, b)]
    assert grey_distance(*levels) == pytest.approx(abs(a - b))


@settings(max_examples=30)
@given(hnp.arrays(np.uint8, (3, 16, 16), elements=st.integers(8, 255)))
def test_grey_levels_are_shares(images):
    shares = grey_levels(images, np.ones(images.shape, bool))
    assert shares.shape == (248,) and shares.min() >= 0 and shares.sum() == pytest.approx(1)
    assert shares[images[0, 0, 0] - 8] > 0


def test_only_the_foreground_counts_and_every_slice_alike():
    images = np.concatenate([flat(100), flat(200), flat(50)])
    foreground = np.ones(images.shape, bool)
    foreground[0, :15] = False  # a small brain weighs as much as a large one
    foreground[2] = False  # an empty slice weighs nothing
    shares = grey_levels(images, foreground)
    assert shares[100 - 8] == pytest.approx(0.5) and shares[200 - 8] == pytest.approx(0.5)


def test_a_wave_has_its_power_at_its_frequency():
    x = np.arange(128)
    for k in (5, 20, 50):
        wave = 128 + 60 * np.cos(2 * np.pi * k * x / 128)
        for image in (np.tile(wave, (128, 1)), np.tile(wave, (128, 1)).T):
            spectrum = radial_spectrum(np.rint(image)[None].astype(np.uint8))
            assert spectrum.shape == (63,)
            assert 3 + int(spectrum[3:].argmax()) == k - 1  # the first entry is 1 cycle an image


def test_white_noise_has_a_flat_spectrum():
    rng = np.random.default_rng(0)
    noise = np.clip(rng.normal(128, 30, (30, 128, 128)), 0, 255).astype(np.uint8)
    spectrum = radial_spectrum(noise)[4:]  # the mean grey spills into the first few
    assert spectrum.std() < 0.05
    assert abs(np.polyfit(np.arange(len(spectrum)), spectrum, 1)[0]) < 0.001  # a frequency


def test_power_goes_with_the_square_of_contrast():
    rng = np.random.default_rng(0)
    signs = rng.choice([-1, 1], (8, 64, 64))
    weak, strong = (radial_spectrum((128 + c * signs).astype(np.uint8))[4:] for c in (10, 100))
    assert np.allclose(strong - weak, 2, atol=0.05)
    assert spectrum_distance(strong, weak) == pytest.approx(2, abs=0.05)
    assert spectrum_distance(weak, weak) == 0


def test_halves_are_equal_disjoint_and_the_same_each_time():
    seen = []

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        seen.append((a.copy(), b.copy()))
        return float(len(a))

    assert halves_distance(11, distance, repeats=7) == 5
    assert len(seen) == 7
    for a, b in seen:
        assert len(a) == len(b) == 5 and not set(a) & set(b) and set(a) | set(b) <= set(range(11))
    first = [a.tolist() for a, _ in seen]
    seen.clear()
    halves_distance(11, distance, repeats=7)
    assert [a.tolist() for a, _ in seen] == first and first[0] != first[1]


def test_halves_of_a_larger_set_are_closer():
    values = np.random.default_rng(0).normal(size=4000)
    near, far = (
        halves_distance(n, lambda a, b: abs(values[a].mean() - values[b].mean())) for n in (4000, 40)
    )
    assert near < far / 3
