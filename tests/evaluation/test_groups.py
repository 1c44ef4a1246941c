"""Groups of lesions, and which arm is better in each."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strokegan_lib.evaluation.groups import CONTRASTS, EMPTY, compare_groups, contrast, lesion_groups
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.scores import SIZES


def slice_of(inside: float, other: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One slice: two rows of stroke, then a row of each of two greys, then background."""
    image, stroke = np.zeros((1, 1, 8, 8)), np.zeros((1, 8, 8), np.uint8)
    image[..., :2, :], image[..., 2, :], image[..., 3, :] = inside, *other
    stroke[:, :2] = 1
    foreground = np.zeros((1, 8, 8), np.uint8)
    foreground[:, :4] = 1
    return image, stroke, foreground


def test_contrast_by_hand():
    assert contrast(*slice_of(200, (80, 120))) == pytest.approx((200 - 100) / 20)
    assert contrast(*slice_of(40, (80, 120))) == pytest.approx((100 - 40) / 20)  # dark lesions stand out too


def test_contrast_of_several_channels_is_the_clearest():
    (faint, stroke, foreground), (clear, _, _) = slice_of(110, (80, 120)), slice_of(300, (80, 120))
    both = np.concatenate([faint, clear], 1)
    assert contrast(both, stroke, foreground) == pytest.approx(10)


def test_a_slice_without_stroke_or_without_other_tissue_has_no_contrast():
    image, stroke, foreground = slice_of(200, (80, 120))
    assert np.isnan(contrast(image, np.zeros_like(stroke), foreground)).all()
    assert np.isnan(contrast(image, stroke, stroke)).all()


@given(st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 9)), min_size=3, max_size=60))
def test_every_lesion_has_one_size_and_one_contrast(lesions):
    area = np.array([a for a, _ in lesions])
    contrasts = np.where(area > 0, [c for _, c in lesions], np.nan)
    groups = lesion_groups(area, contrasts)
    assert (groups["lesion slices"] == (area > 0)).all()
    sizes = [chosen for name, chosen in groups.items() if "pixels" in name]
    assert len(sizes) == len(SIZES) and (np.sum(sizes, 0) == (area > 0)).all()
    if (area > 0).any():
        assert (np.sum([groups[name] for name in CONTRASTS], 0) == (area > 0)).all()


def test_gains_by_hand():
    counts = {
        "new": Counts(*(torch.tensor(x) for x in ([50, 8, 0, 0], [0, 0, 0, 0], [50, 2, 0, 0]))),
        "old": Counts(*(torch.tensor(x) for x in ([100, 2, 0, 0], [0, 0, 3, 0], [0, 8, 0, 0]))),
    }
    patients = np.array(["a", "b", "c", "d"])
    groups = lesion_groups(np.array([100, 10, 0, 0]), np.array([1.0, 2.0, np.nan, np.nan]))
    lines = {line["group"]: line for line in compare_groups(counts, patients, groups)}
    assert lines["1 to 99 pixels"]["gain"] == pytest.approx(16 / 18 - 4 / 12)
    assert lines["100 to 399 pixels"]["gain"] == pytest.approx(100 / 150 - 1)
    assert lines["lesion slices"]["slices"] == 2
    assert lines["400 pixels or more"]["gain"] is None
    empty = lines[EMPTY]
    assert (empty["first"], empty["other"], empty["gain"]) == (0, 0.5, 0.5)  # fewer alarms are a gain


def test_the_first_arm_meets_every_other():
    counts = {name: Counts(*torch.randint(0, 9, (3, 12))) for name in ("a", "b", "c")}
    area = (counts["a"].tp + counts["a"].fn).numpy()
    counts = {
        n: Counts(c.tp.clamp(max=counts["a"].tp + counts["a"].fn), c.fp, c.fn) for n, c in counts.items()
    }
    lines = compare_groups(
        counts, np.arange(12).astype(str), lesion_groups(area, np.where(area, 1.0, np.nan))
    )
    assert [line["arm"] for line in lines if line["group"] == "lesion slices"] == ["b", "c"]
