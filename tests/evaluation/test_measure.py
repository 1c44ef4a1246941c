"""From a network to predictions, counts and everything that is measured on a slice."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from random_masks import blobs, rows

from strokegan_lib.data.batches import Batches
from strokegan_lib.errors import Diverged
from strokegan_lib.evaluation.calibration import calibration_sums
from strokegan_lib.evaluation.lesionwise import count_lesions
from strokegan_lib.evaluation.measure import THRESHOLDS, Predictions, measure, predict, validation_score
from strokegan_lib.evaluation.overlap import Counts, best_threshold, count_masks
from strokegan_lib.evaluation.slicewise import SliceScores, score_slices
from strokegan_lib.evaluation.surface import surface_distances
from strokegan_lib.models.segmentation import Segmentor


@pytest.fixture
def segmentor() -> Segmentor:
    torch.manual_seed(0)
    network = Segmentor(width=4, attention=False, output="probability").eval()
    torch.nn.init.zeros_(network.unet.head.bias)  # so that scores are spread about the middle
    return network


def test_predictions_lie_in_the_order_of_the_rows_and_are_what_is_counted(discs, segmentor):
    rows = discs.of_split("train")[20:3:-1]
    batches = Batches(discs, rows, size=5)
    found, counts = predict(segmentor, batches), measure(segmentor, batches)
    assert found.score.shape == (17, 128, 128) and found.score.dtype == torch.float16
    image = torch.from_numpy(discs.images[rows] / 255).float()
    np.testing.assert_allclose(
        found.local, segmentor.predict(segmentor(image), image).local[:, 0].detach(), atol=1e-3
    )
    np.testing.assert_array_equal(found.truth, discs.stroke[rows] == 1)
    np.testing.assert_array_equal(found.foreground, discs.foreground[rows] == 1)
    for k in (9, 49, 89):
        masks = found.masks(float(THRESHOLDS[k]))
        assert torch.equal(masks, found.score.float() > THRESHOLDS[k])
        ours = count_masks(masks, found.truth)
        # but for pixels within half a step of float16 of the threshold
        near = ((found.score.float() - THRESHOLDS[k]).abs() < 1e-3).sum((1, 2))
        assert ((ours.tp + ours.fp - counts[k].tp - counts[k].fp).abs() <= near).all()


def test_the_record_of_validation_is_that_of_its_threshold(discs, segmentor):
    batches = Batches(discs, discs.of_split("all"), size=64)
    record, counts = validation_score(segmentor, batches), measure(segmentor, batches)
    threshold, k = best_threshold(counts, THRESHOLDS)
    assert record["validation threshold"] == threshold
    assert record["validation dice"] == float(counts[k, counts.lesion()[0]].dice().mean()) > 0
    assert record["validation pooled dice"] == float(counts[k].pool().dice())
    assert 2 * record["validation score"] == record["validation dice"] + record["validation pooled dice"]


def test_a_segmentor_that_has_diverged_is_refused_with_its_remedy(discs, segmentor):
    next(segmentor.parameters()).data.fill_(torch.nan)
    with pytest.raises(Diverged, match=r"scores are not numbers: .*smaller --rate"):
        measure(segmentor, Batches(discs, np.arange(4), size=4))


def assert_same(a: SliceScores, b: SliceScores):
    for field in fields(SliceScores):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, Counts):
            one, other = rows(one), rows(other)
        np.testing.assert_array_equal(one, other)


def test_each_part_of_a_slice_is_measured_at_the_threshold_and_folds_join():
    predicted, truth = blobs(60, 5)
    noise = torch.rand(truth.shape, generator=torch.Generator().manual_seed(5))
    made = Predictions((0.5 * noise + 0.5 * predicted).half(), noise.half(), truth, truth | (noise < 0.8))
    sizes = {"row_spacing": 1.5, "column_spacing": 2.0, "thickness": 4.0}
    table = {name: np.full(60, size) for name, size in sizes.items()}
    scores, masks = score_slices(made, 0.7, table), made.score.float() > 0.7
    expected = SliceScores(
        count_masks(masks, truth), count_lesions(masks, truth), np.full(60, 20 * 24),
        *surface_distances(masks, truth, np.tile((1.5, 2.0), (60, 1))), np.full(60, 0.012),
        calibration_sums(made.local, truth, made.foreground),
    )  # fmt: skip
    assert_same(scores, expected)
    assert scores.excess().tolist() == (masks.sum((1, 2)) - truth.sum((1, 2))).tolist()
    order = np.random.default_rng(0).permutation(60)
    assert_same(SliceScores.cat([scores[order[:20]], scores[order[20:]]]), scores[order])
