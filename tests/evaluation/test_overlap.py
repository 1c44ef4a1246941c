"""Counting pixels: against the plain comparison and against two well-kept libraries."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.metrics import compute_confusion_matrix_metric, compute_dice, get_confusion_matrix
from random_masks import blobs, scores_and_truth
from torchmetrics.functional.classification import (
    binary_precision,
    binary_recall,
    binary_specificity,
    binary_stat_scores,
)

from strokegan_lib.evaluation.overlap import Counts, best_threshold, count, count_masks

THRESHOLDS = torch.linspace(0, 1, 11)
HALF = torch.tensor([0.5])


def plain(score, truth, threshold):
    """tp, fp and fn of each slice by the definition."""
    predicted, stroke = (score > threshold).flatten(1), (truth == 1).flatten(1)
    return [(p & s).sum(1) for p, s in ((predicted, stroke), (predicted, ~stroke), (~predicted, stroke))]


def assert_same(counts: Counts, score, truth, thresholds):
    for k, threshold in enumerate(thresholds):
        for ours, theirs in zip(
            (counts.tp, counts.fp, counts.fn), plain(score, truth, threshold), strict=True
        ):
            assert ours.dtype == torch.int64
            assert ours[k].tolist() == theirs.tolist()


@given(
    seed=st.integers(0, 2**31),
    grid=st.sampled_from([1, 2, 10, 100]),
    numbers=st.lists(st.integers(-1, 101), min_size=1, max_size=12, unique=True),
    channel=st.booleans(),
)
def test_count_equals_the_plain_comparison_at_every_threshold(seed, grid, numbers, channel):
    g = torch.Generator().manual_seed(seed)
    shape = (5, 1, 6, 7) if channel else (5, 6, 7)
    score = torch.randint(grid + 1, shape, generator=g) / grid  # many scores exactly at a threshold, 0 or 1
    truth = torch.randint(2, shape, generator=g).float()
    truth[0] = 0
    thresholds = torch.tensor(sorted(numbers)) / 100
    assert_same(count(score, truth, thresholds), score, truth, thresholds)


def test_a_score_at_the_threshold_is_not_predicted():
    score, truth = torch.tensor([[[0.0, 0.1, 0.3, 1.0]]]), torch.ones(1, 1, 4)
    counts = count(score, truth, torch.tensor([0.0, 0.1, 0.3, 1.0], dtype=torch.float64))
    assert counts.tp.flatten().tolist() == [3, 2, 1, 0]
    assert counts.fn.flatten().tolist() == [1, 2, 3, 4]


def test_count_at_full_size_and_in_other_types():
    g = torch.Generator().manual_seed(3)
    score = torch.rand(16, 1, 128, 128, generator=g)
    truth = torch.rand(score.shape, generator=g) > 0.9
    thresholds = torch.linspace(0.02, 0.98, 50)
    assert_same(count(score, truth, thresholds), score, truth, thresholds)
    half = score.bfloat16()
    assert_same(count(half, truth.byte(), thresholds), half.float(), truth, thresholds)


def test_scores_equal_monai():
    """The same by definition, 0/0 apart: MONAI's Dice of two empty masks is 1 when asked (ignore_empty=False),
    but its precision without prediction and its sensitivity without lesion are NaN."""
    score, truth = scores_and_truth(600, 0)
    ours = count(score, truth, HALF)[0]
    predicted = (score > 0.5).float()
    dice = compute_dice(predicted, truth, include_background=True, ignore_empty=False)[:, 0]
    np.testing.assert_allclose(ours.dice(), dice, rtol=1e-6)
    matrix = get_confusion_matrix(predicted, truth)
    empty = ~predicted.flatten(1).any(1), ~truth.flatten(1).any(1)
    for name, values, undefined in (
        ("precision", ours.precision(), empty[0]),
        ("sensitivity", ours.sensitivity(), empty[1]),
    ):
        theirs = compute_confusion_matrix_metric(name, matrix)[:, 0]
        assert torch.equal(theirs.isnan(), undefined)
        assert undefined.sum() > 50 and (undefined & ~(empty[0] & empty[1])).any()
        np.testing.assert_allclose(values[~undefined], theirs[~undefined], rtol=1e-6)
        assert torch.equal(values[undefined], (empty[0] & empty[1])[undefined].double())


def test_counts_and_scores_equal_torchmetrics():
    """It too predicts above the threshold, strictly; its 0/0 is one number, here 0, whatever the truth."""
    score, truth = scores_and_truth(400, 1)
    counts = count(score, truth, THRESHOLDS)
    for k, threshold in enumerate(THRESHOLDS):
        how = {"threshold": float(threshold), "multidim_average": "samplewise"}
        theirs = binary_stat_scores(score, truth.long(), **how)  # (N, 5): tp, fp, tn, fn, support
        ours = torch.stack([counts.tp[k], counts.fp[k], counts.fn[k]], -1)
        assert torch.equal(ours, theirs[:, [0, 1, 3]])
        some = ours.sum(-1) > 0
        precision = binary_precision(score, truth.long(), zero_division=0, **how)
        recall = binary_recall(score, truth.long(), zero_division=0, **how)
        np.testing.assert_allclose(counts[k].precision()[some], precision[some], rtol=1e-6)
        np.testing.assert_allclose(counts[k].sensitivity()[some], recall[some], rtol=1e-6)


def test_masks_are_counted_as_monai_and_torchmetrics_count_them():
    """Specificity is undefined where all is stroke: torchmetrics says 0, MONAI NaN, we 0."""
    predicted, truth = blobs(1000, 0)
    ours, pixels = count_masks(predicted, truth), truth[0].numel()
    matrix = get_confusion_matrix(predicted[:, None].float(), truth[:, None].float())[:, 0]  # tp, fp, tn, fn
    assert torch.equal(torch.stack([ours.tp, ours.fp, ours.fn], -1).double(), matrix[:, [0, 1, 3]].double())
    how = {"multidim_average": "samplewise"}
    theirs = binary_specificity(predicted.long(), truth.long(), **how)
    np.testing.assert_allclose(ours.specificity(pixels), theirs, rtol=1e-6)
    theirs = compute_confusion_matrix_metric("specificity", matrix[:, None])[:, 0]
    full = truth.flatten(1).all(1)
    assert torch.equal(theirs.isnan(), full) and full.any()
    np.testing.assert_allclose(ours.specificity(pixels)[~full], theirs[~full], rtol=1e-6)


def test_masks_are_counted_as_scores_of_nought_and_one():
    predicted, truth = blobs(300, 1)  # more than are counted at a time
    ours, theirs = count_masks(predicted, truth), count(predicted.float(), truth, HALF)[0]
    for name in ("tp", "fp", "fn"):
        assert torch.equal(getattr(ours, name), getattr(theirs, name))


def test_masks_must_be_masks():
    masks = torch.zeros(2, 4, 4, dtype=torch.bool)
    for other in (masks.float(), masks[:1], masks[:, None]):
        with pytest.raises(ValueError, match="masks must be bool"):
            count_masks(other, masks)


@pytest.mark.parametrize(
    ("tp", "fp", "fn", "dice", "precision", "sensitivity"),
    [
        (0, 0, 0, 1, 1, 1),  # nothing there, nothing predicted
        (0, 0, 9, 0, 0, 0),  # missed
        (0, 9, 0, 0, 0, 0),  # a false alarm
        (6, 2, 4, 12 / 18, 6 / 8, 6 / 10),
    ],
)
def test_the_convention(tp, fp, fn, dice, precision, sensitivity):
    counts = Counts(*(torch.tensor([value]) for value in (tp, fp, fn)))
    assert [float(v) for v in (counts.dice(), counts.precision(), counts.sensitivity())] == pytest.approx(
        [dice, precision, sensitivity], abs=1e-15
    )
    assert counts.dice().dtype == torch.float64
    assert bool(counts.lesion()) == (tp + fn > 0)


pixels = st.lists(st.tuples(*[st.integers(0, 10**6)] * 3), min_size=1, max_size=20)


@given(pixels)
def test_dice_is_the_harmonic_mean_of_precision_and_sensitivity(rows):
    counts = Counts(*torch.tensor(rows).T)
    dice, p, s = counts.dice(), counts.precision(), counts.sensitivity()
    np.testing.assert_allclose(dice * (p + s), 2 * p * s, atol=1e-12)
    assert ((dice >= 0) & (dice <= 1)).all()


@given(pixels, st.integers(0, 20))
def test_batches_add_up(rows, cut):
    whole = Counts(*torch.tensor(rows).T)
    parts = Counts.cat([whole[..., :cut], whole[..., cut:]])
    assert torch.equal(parts.tp, whole.tp) and torch.equal(parts.fp, whole.fp)
    assert torch.equal(parts.fn, whole.fn)
    assert [int(v) for v in (whole.pool().tp, whole.pool().fp, whole.pool().fn)] == np.sum(rows, 0).tolist()


def test_cat_and_pool_keep_the_thresholds():
    score, truth = scores_and_truth(30, 2)
    whole = count(score, truth, THRESHOLDS)
    parts = Counts.cat([count(score[k : k + 7], truth[k : k + 7], THRESHOLDS) for k in range(0, 30, 7)])
    assert torch.equal(parts.tp, whole.tp) and parts.tp.shape == (11, 30)
    assert whole.pool().tp.shape == (11, 1)
    assert whole.pool().fp[:, 0].tolist() == [int((score > t)[truth == 0].sum()) for t in THRESHOLDS]


@pytest.mark.parametrize(
    ("score", "truth", "thresholds", "word"),
    [
        (torch.zeros(2, 4, 4), torch.zeros(2, 1, 4, 4), HALF, "must be"),
        (torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4), HALF, "must be"),
        (torch.full((2, 4, 4), 1.5), torch.zeros(2, 4, 4), HALF, "0..1"),
        (torch.full((2, 4, 4), -0.5), torch.zeros(2, 4, 4), HALF, "0..1"),
        (torch.full((2, 4, 4), torch.nan), torch.zeros(2, 4, 4), HALF, "0..1"),
        (torch.zeros(2, 4, 4), torch.zeros(2, 4, 4), torch.tensor([0.5, 0.4]), "rise"),
        (torch.zeros(2, 4, 4), torch.zeros(2, 4, 4), torch.tensor([0.5, 0.5]), "rise"),
        (torch.zeros(2, 4, 4), torch.zeros(2, 4, 4), torch.tensor([]), "rise"),
    ],
)
def test_count_refuses(score, truth, thresholds, word):
    with pytest.raises(ValueError, match=word):
        count(score, truth, thresholds)


def with_dice(*tp_of_ten: int) -> Counts:
    """Counts of one lesion slice of ten pixels, and of one empty slice that stays empty."""
    tp = torch.tensor([[found, 0] for found in tp_of_ten])
    fn = torch.tensor([[10 - found, 0] for found in tp_of_ten])
    return Counts(tp, torch.zeros_like(tp), fn)


@pytest.mark.parametrize(
    ("found", "index"),
    [
        ([1, 5, 3], 1),
        ([1, 5, 5, 5, 2], 2),
        ([5, 5], 1),  # of two, the stricter
        ([0, 0, 0, 0, 0], 2),
        ([5, 1, 5, 1, 5], 2),
        ([7], 0),
    ],
)
def test_best_threshold_is_the_middle_of_the_plateau(found, index):
    thresholds = torch.linspace(0.1, 0.5, 5)[: len(found)]
    assert best_threshold(with_dice(*found), thresholds) == (float(thresholds[index]), index)


@given(st.integers(0, 2**31))
def test_without_empty_slices_the_highest_mean_dice_decides(seed):
    score, truth = scores_and_truth(20, seed)
    truth[..., 0, 0] = 1
    threshold, index = best_threshold(count(score, truth, THRESHOLDS), THRESHOLDS)
    predicted = (score[:, None] > THRESHOLDS[:, None, None, None]).flatten(0, 1)  # (20 * 11, 1, 12, 12)
    dice = compute_dice(predicted.float(), truth.repeat_interleave(11, 0), include_background=True)
    means = dice.view(20, 11).double().mean(0)
    assert means[index] == pytest.approx(float(means.max()), abs=1e-6)
    assert threshold == float(THRESHOLDS[index])


def flat(*dice_and_alarms: tuple[float, int]) -> Counts:
    """At each threshold: one lesion slice of 1,000 pixels with that Dice, 10 empty ones of which so many cry."""
    tp = torch.tensor([[round(1000 * d / (2 - d))] + [0] * 10 for d, _ in dice_and_alarms])
    fp = torch.tensor([[0] + [1] * n + [0] * (10 - n) for _, n in dice_and_alarms])
    fn = torch.zeros_like(tp)
    fn[:, 0] = 1000 - tp[:, 0]
    return Counts(tp, fp, fn)


@pytest.mark.parametrize(
    ("curve", "most", "index"),
    [
        ([(0.50, 9), (0.49, 6), (0.49, 5), (0.48, 3)], 0.5, 2),  # the first that is quiet enough
        ([(0.50, 9), (0.49, 6), (0.49, 5), (0.48, 3)], 1.0, 0),  # no bound
        ([(0.50, 9), (0.49, 8), (0.48, 7), (0.40, 1)], 0.5, 2),  # a twentieth is all it may cost
        ([(0.50, 9), (0.47, 9), (0.48, 9), (0.0, 0)], 0.5, 2),  # silence is no answer
        ([(0.49, 4), (0.50, 4), (0.49, 0)], 0.5, 1),  # quiet enough already
        ([(0.49, 10), (0.50, 9), (0.20, 2)], 0.5, 1),  # never to a lower threshold
    ],
)
def test_the_threshold_is_raised_where_it_cries_too_often(curve, most, index):
    thresholds = THRESHOLDS[: len(curve)]
    assert best_threshold(flat(*curve), thresholds, most) == (float(thresholds[index]), index)


def test_best_threshold_needs_a_lesion_and_its_thresholds():
    with pytest.raises(ValueError, match="no slice with a lesion"):
        best_threshold(count(torch.rand(3, 4, 4), torch.zeros(3, 4, 4), THRESHOLDS), THRESHOLDS)
    with pytest.raises(ValueError, match="do not fit"):
        best_threshold(with_dice(1, 2), THRESHOLDS)
    with pytest.raises(ValueError, match="do not fit"):
        best_threshold(with_dice(1)[0], HALF)
