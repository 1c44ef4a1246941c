"""Surface distances: against MONAI, and what a miss costs."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance
from random_masks import blobs
from scipy.spatial.distance import directed_hausdorff

from strokegan_lib.evaluation.surface import outline, surface_distances

SPACING = (1.5, 0.8)


def same(n: int, spacing=SPACING) -> np.ndarray:
    return np.tile(spacing, (n, 1))


@pytest.mark.filterwarnings("ignore")  # MONAI warns at each empty mask
def test_distances_equal_monais_where_neither_mask_is_empty():
    """The same by definition but for empty masks, where MONAI has NaN or infinity."""
    predicted, truth = blobs(1000, 3)
    hd95, average = surface_distances(predicted, truth, same(1000))
    pair, how = (predicted[:, None].float(), truth[:, None].float()), {"include_background": True}
    their_hd95 = compute_hausdorff_distance(*pair, percentile=95, spacing=SPACING, **how)[:, 0]
    theirs = compute_average_surface_distance(*pair, symmetric=True, spacing=SPACING, **how)[:, 0]
    both = (predicted.flatten(1).any(1) & truth.flatten(1).any(1)).numpy()
    assert 900 < both.sum() < 1000
    np.testing.assert_allclose(hd95[both], their_hd95[both], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(average[both], theirs[both], rtol=1e-5, atol=1e-5)
    assert not np.isfinite(their_hd95[~both]).any() and np.isfinite(hd95).all() and np.isfinite(average).all()


def test_a_miss_costs_the_diagonal_of_its_slice():
    truth = torch.zeros(4, 128, 128, dtype=torch.bool)
    truth[:2, 3:5, 3:5] = True
    predicted = truth.clone()
    predicted[1:3] = truth[:1].roll((100, 100), (1, 2))
    predicted[0] = False
    hd95, average = surface_distances(predicted, truth, np.array([[1.5, 1.5], [1, 1], [1, 2], [1, 1]]))
    diagonal = [1.5 * 127 * np.sqrt(2), 127 * np.sqrt(5)]
    for values in (hd95, average):
        # a miss; far away, but found; a false alarm; silence where there is nothing
        assert values[[0, 2, 3]].tolist() == pytest.approx([*diagonal, 0])
        assert 130 < values[1] < 127 * np.sqrt(2)


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.floats(0.2, 5), st.floats(0.2, 5))
def test_properties(seed, height, width):
    predicted, truth = blobs(12, seed)
    hd95, average = surface_distances(predicted, truth, same(12, (height, width)))
    swapped = surface_distances(truth, predicted, same(12, (height, width)))
    np.testing.assert_allclose([hd95, average], swapped)  # symmetric
    twice = surface_distances(predicted, truth, same(12, (2 * height, 2 * width)))
    np.testing.assert_allclose(np.array([hd95, average]) * 2, twice)  # in millimetres
    diagonal = np.hypot(19 * height, 23 * width) + 1e-9
    assert (hd95 >= 0).all() and (hd95 <= diagonal).all() and (average <= diagonal).all()
    assert not np.any(surface_distances(truth, truth, same(12)))


def test_the_95th_percentile_is_no_more_than_the_largest_distance():
    predicted, truth = blobs(60, 4)
    hd95, _ = surface_distances(predicted, truth, same(60, (1, 1)))
    for k in range(9, 60):
        a, b = outline(predicted[k].numpy()), outline(truth[k].numpy())
        largest = max(directed_hausdorff(a, b)[0], directed_hausdorff(b, a)[0])
        assert hd95[k] <= largest + 1e-9


def test_an_outline_runs_along_the_edge_of_the_picture():
    mask = np.ones((5, 4), bool)
    assert len(outline(mask)) == 14  # all but the six inside
    assert outline(~mask).shape == (0, 2)


def test_what_it_refuses():
    masks = torch.zeros(2, 4, 4, dtype=torch.bool)
    with pytest.raises(ValueError, match="masks must be bool"):
        surface_distances(masks.float(), masks.float(), same(2))
    for wrong in (same(3), same(2, (1.5, 0)), same(2, (1.5, np.nan))):
        with pytest.raises(ValueError, match="spacing"):
            surface_distances(masks, masks, wrong)
