"""Windowing: tissue is 8..255, everything else 0, and order is kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strokegan_lib.data.windows import DARKEST, Window, percentile_window


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.integers(0, 99))
def test_bytes_tell_foreground_from_the_rest(low, width, seed):
    rng = np.random.default_rng(seed)
    image = rng.uniform(low - width, low + 2 * width, (2, 9, 8))
    foreground = rng.random((2, 9, 8)) < 0.5
    grey = Window("x", low, low + width, "").to_bytes(image, foreground)
    assert grey.dtype == np.uint8
    assert np.array_equal(grey >= DARKEST, foreground) and not grey[~foreground].any()
    assert (np.diff(grey[foreground][np.argsort(image[foreground])].astype(int)) >= 0).all()


def test_ends_of_the_window_and_percentiles_of_the_foreground():
    grey = Window("x", 100, 300, "").to_bytes(np.array([[0, 100, 200, 300, 999]]), np.ones((1, 5), bool))
    assert grey.tolist() == [[8, 8, 132, 255, 255]]
    image = np.r_[np.zeros(1000), np.linspace(50, 150, 1001)]
    window = percentile_window("x", image, image > 0)
    assert (window.low, window.high) == pytest.approx((50.5, 149.5))
    for image, words in ((np.zeros(9), "no foreground"), (np.ones(9), "constant")):
        with pytest.raises(ValueError, match=words):
            percentile_window("x", image, image > 0)
