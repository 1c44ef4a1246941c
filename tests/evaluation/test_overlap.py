"""Counting pixels and choosing a threshold: the plain comparison, monai and torchmetrics, curves by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.metrics import compute_confusion_matrix_metric, compute_dice, get_confusion_matrix
from random_masks import blobs, rows
from torchmetrics.functional.classification import binary_specificity

from strokegan_lib.evaluation.overlap import Counts, best_threshold, count, count_masks

THRESHOLDS = torch.linspace(0, 1, 11)
HALF = torch.tensor([0.5])


@given(
    seed=st.integers(0, 2**31),
    grid=st.sampled_from([1, 2, 10, 100]),
    numbers=st.lists(st.integers(-1, 101), min_size=1, max_size=12, unique=True),
    shape=st.sampled_from([(5, 1, 6, 7), (5, 6, 7), (2, 1, 128, 128)]),
    dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float16]),
)
def test_count_is_the_plain_comparison_at_every_threshold(seed, grid, numbers, shape, dtype):
    g = torch.Generator().manual_seed(seed)
    # many scores exactly at a threshold, at 0 or at 1
    score = (torch.randint(grid + 1, shape, generator=g) / grid).to(dtype)
    truth = torch.randint(2, shape, generator=g)
    truth[0] = 0
    thresholds = torch.tensor(sorted(numbers)) / 100
    counts = count(score, truth, thresholds)
    stroke = (truth == 1).flatten(1)
    for k, threshold in enumerate(thresholds):
        predicted = (score.float() > threshold).flatten(1)
        outcomes = (predicted & stroke, predicted & ~stroke, ~predicted & stroke)
        assert torch.equal(rows(counts[k]), torch.stack([outcome.sum(1) for outcome in outcomes], -1))


def test_scores_equal_those_of_monai():
    """The same by definition, 0/0 apart: MONAI's precision and sensitivity are NaN there."""
    predicted, truth = (mask[:, None].float() for mask in blobs(600, 0))
    predicted[:80], truth[50:130] = 0, 0
    ours = count(predicted, truth, HALF)[0]
    dice = compute_dice(predicted, truth, include_background=True, ignore_empty=False)[:, 0]
    np.testing.assert_allclose(ours.dice(), dice, rtol=1e-6)
    matrix = get_confusion_matrix(predicted, truth)
    empty = ~predicted.flatten(1).any(1), ~truth.flatten(1).any(1)
    for name, undefined in (("precision", empty[0]), ("sensitivity", empty[1])):
        theirs, values = compute_confusion_matrix_metric(name, matrix)[:, 0], getattr(ours, name)()
        assert torch.equal(theirs.isnan(), undefined) and undefined.sum() > 50
        np.testing.assert_allclose(values[~undefined], theirs[~undefined], rtol=1e-6)
        assert torch.equal(values[undefined], (empty[0] & empty[1])[undefined].double())


def test_masks_are_counted_as_scores_of_0_and_1_and_specificity_equals_torchmetrics():
    predicted, truth = blobs(300, 0)
    ours = count_masks(predicted, truth)
    assert torch.equal(rows(ours), rows(count(predicted.float(), truth, HALF)[0]))
    theirs = binary_specificity(predicted.long(), truth.long(), multidim_average="samplewise")
    np.testing.assert_allclose(ours.specificity(truth[0].numel()), theirs, rtol=1e-6)
    for other in (predicted.float(), predicted[:1], predicted[:, None]):
        with pytest.raises(ValueError, match="masks must be bool"):
            count_masks(other, truth)


def test_batches_add_up():
    counts = Counts(*torch.randint(10**6, (3, 20)))
    assert torch.equal(rows(Counts.cat([counts[..., :7], counts[..., 7:]])), rows(counts))
    assert torch.equal(rows(counts.pool())[0], rows(counts).sum(0))


@pytest.mark.parametrize(
    ("score", "shape", "thresholds", "word"),
    [
        (torch.zeros(2, 4, 4), (2, 1, 4, 4), HALF, "must be"),
        (torch.zeros(2, 3, 4, 4), (2, 3, 4, 4), HALF, "must be"),
        (torch.full((2, 4, 4), 1.5), (2, 4, 4), HALF, "0..1"),
        (torch.full((2, 4, 4), -0.5), (2, 4, 4), HALF, "0..1"),
        (torch.full((2, 4, 4), torch.nan), (2, 4, 4), HALF, "0..1"),
        (torch.zeros(2, 4, 4), (2, 4, 4), torch.tensor([0.5, 0.5]), "rise"),
    ],
)
def test_count_refuses(score, shape, thresholds, word):
    with pytest.raises(ValueError, match=word):
        count(score, torch.zeros(shape), thresholds)


def curve(*points: tuple[float, int]) -> Counts:
    """At each threshold: a lesion slice of 1,000 pixels with that Dice, 10 empty ones, so many with a pixel."""
    tp = torch.tensor([[round(1000 * d / (2 - d))] + [0] * 10 for d, _ in points])
    fp = torch.tensor([[0] + [1] * n + [0] * (10 - n) for _, n in points])
    fn = torch.zeros_like(tp)
    fn[:, 0] = 1000 - tp[:, 0]
    return Counts(tp, fp, fn)


@pytest.mark.parametrize(
    ("points", "most", "index"),
    [
        ([(0.1, 0), (0.5, 0), (0.3, 0)], 0.5, 1),
        ([(0.1, 0), (0.5, 0), (0.5, 0), (0.5, 0), (0.2, 0)], 0.5, 2),  # the middle of the plateau
        ([(0.5, 0), (0.5, 0)], 0.5, 1),  # of two, the stricter
        ([(0.50, 9), (0.49, 6), (0.49, 5), (0.48, 3)], 0.5, 2),  # the first with few enough false positives
        ([(0.50, 9), (0.49, 6), (0.49, 5), (0.48, 3)], 1.0, 0),  # no bound
        ([(0.50, 9), (0.49, 8), (0.48, 7), (0.40, 1)], 0.5, 2),  # a twentieth is all it may cost
        ([(0.50, 9), (0.47, 9), (0.48, 9), (0.0, 0)], 0.5, 2),  # predicting nothing is no answer
        ([(0.49, 10), (0.50, 9), (0.20, 2)], 0.5, 1),  # never to a lower threshold
    ],
)
def test_best_threshold(points, most, index):
    thresholds = THRESHOLDS[: len(points)]
    assert best_threshold(curve(*points), thresholds, most) == (float(thresholds[index]), index)


def test_best_threshold_needs_a_lesion():
    with pytest.raises(ValueError, match="no slice with a lesion"):
        best_threshold(count(torch.rand(3, 4, 4), torch.zeros(3, 4, 4), THRESHOLDS), THRESHOLDS)
