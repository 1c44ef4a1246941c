"""Surface distances: monai, and what a miss costs."""

import numpy as np
import pytest
import torch
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance
from random_masks import blobs

from strokegan_lib.evaluation.surface import surface_distances


@pytest.mark.filterwarnings("ignore")  # MONAI warns at each empty mask
def test_distances_equal_monais_where_neither_mask_is_empty():
    predicted, truth = blobs(60, 3)
    ours = surface_distances(predicted, truth, np.tile((1.5, 0.8), (60, 1)))
    pair, how = (predicted[:, None], truth[:, None]), {"include_background": True, "spacing": (1.5, 0.8)}
    theirs = (
        compute_hausdorff_distance(*pair, percentile=95, **how)[:, 0],
        compute_average_surface_distance(*pair, symmetric=True, **how)[:, 0],
    )
    both = (predicted.flatten(1).any(1) & truth.flatten(1).any(1)).numpy()
    assert 50 < both.sum() < 60 and np.isfinite(ours).all()
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine[both], other[both], rtol=1e-5, atol=1e-5)
    assert not np.isfinite(theirs[0][~both]).any()


def test_a_miss_costs_the_diagonal_of_its_slice():
    truth = torch.zeros(4, 128, 128, dtype=torch.bool)
    truth[:2, 3:5, 3:5] = True
    predicted = truth.clone()
    predicted[1:3] = truth[:1].roll((100, 100), (1, 2))
    predicted[0] = False
    for values in surface_distances(predicted, truth, np.array([[1.5, 1.5], [1, 1], [1, 2], [1, 1]])):
        # a miss; far away, but found; a false positive; nothing where there is nothing
        assert values[[0, 2, 3]].tolist() == pytest.approx([1.5 * 127 * np.sqrt(2), 127 * np.sqrt(5), 0])
        assert 130 < values[1] < 127 * np.sqrt(2)
