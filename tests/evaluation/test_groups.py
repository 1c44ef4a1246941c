"""Groups of lesions, and which arm is better in each."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strokegan_lib.evaluation.groups import CONTRASTS, EMPTY, compare_groups, contrast, lesion_groups
from strokegan_lib.evaluation.overlap import Counts


def test_contrast_by_hand():
    """Two rows of stroke, then a row of each of two greys, then background."""
    stroke, foreground = np.zeros((2, 1, 8, 8), np.uint8)
    stroke[:, :2], foreground[:, :4] = 1, 1
    image = np.zeros((1, 3, 8, 8))
    image[:, :, 2], image[:, :, 3] = 80, 120
    for channel, inside in enumerate((200, 40, 110)):  # dark lesions stand out too
        image[:, channel, :2] = inside
        assert contrast(image[:, [channel]], stroke, foreground) == pytest.approx(abs(inside - 100) / 20)
    assert contrast(image, stroke, foreground) == pytest.approx(5)  # of several channels the clearest
    assert np.isnan(contrast(image, 0 * stroke, foreground)).all()
    assert np.isnan(contrast(image, stroke, stroke)).all()


@given(st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 9)), min_size=3, max_size=60))
def test_every_lesion_has_one_contrast(lesions):
    area = np.array([a for a, _ in lesions])
    groups = lesion_groups(area, np.where(area > 0, [c for _, c in lesions], np.nan))
    assert (groups["lesion slices"] == (area > 0)).all()
    if (area > 0).any():
        assert (np.sum([groups[name] for name in CONTRASTS], 0) == (area > 0)).all()


def test_gains_by_hand():
    counts = {
        "new": Counts(*(torch.tensor(x) for x in ([50, 8, 0, 0], [0, 0, 0, 0], [50, 2, 0, 0]))),
        "old": Counts(*(torch.tensor(x) for x in ([100, 2, 0, 0], [0, 0, 3, 0], [0, 8, 0, 0]))),
    }
    counts["older"] = counts["old"]
    groups = lesion_groups(np.array([100, 10, 0, 0]), np.array([1.0, 2.0, np.nan, np.nan]))
    found = compare_groups(counts, np.array(["a", "b", "c", "d"]), groups)
    assert [line["arm"] for line in found if line["group"] == EMPTY] == ["old", "older"]
    lines = {line["group"]: line for line in found}
    assert lines["1 to 99 pixels"]["gain"] == pytest.approx(16 / 18 - 4 / 12)
    assert lines["100 to 399 pixels"]["gain"] == pytest.approx(100 / 150 - 1)
    assert lines["lesion slices"]["slices"] == 2 and lines["400 pixels or more"]["gain"] is None
    empty = lines[EMPTY]
    assert [empty[name] for name in ("first", "other", "gain")] == [0, 0.5, 0.5]  # fewer are a gain
