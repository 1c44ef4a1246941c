"""From a network to counts and to predictions that are kept."""

import numpy as np
import pytest
import torch

from strokegan_lib.data.batches import Batches
from strokegan_lib.errors import Diverged
from strokegan_lib.evaluation.measure import THRESHOLDS, measure, predict, validation_score
from strokegan_lib.evaluation.overlap import best_threshold, count_masks
from strokegan_lib.models.segmentation import Segmentor


def untrained(**settings) -> Segmentor:
    torch.manual_seed(0)
    segmentor = Segmentor(width=4, attention=False, **settings).eval()
    torch.nn.init.zeros_(segmentor.unet.head.bias)  # so that scores are spread about the middle
    return segmentor


def test_predictions_lie_in_the_order_of_the_rows(phantom):
    rows = phantom.of_split("validation")[20:37][::-1]
    segmentor = untrained(output="probability")
    kept = predict(segmentor, Batches(phantom, rows, size=5))
    assert kept.score.shape == (17, 128, 128) and kept.score.dtype == torch.float16
    np.testing.assert_array_equal(kept.truth, phantom.stroke[rows] == 1)
    np.testing.assert_array_equal(kept.foreground, phantom.foreground[rows] == 1)
    image = torch.from_numpy(phantom.images[rows[3:4]]).float() / 255
    with torch.no_grad():
        alone = segmentor.predict(segmentor(image), image).score[0, 0]
    np.testing.assert_allclose(kept.score[3].float(), alone, atol=2e-3)


def test_masks_of_kept_scores_are_what_is_counted(phantom):
    """But for pixels within half a float16 step of the threshold."""
    batches = Batches(phantom, phantom.of_split("validation")[:150], size=64)
    segmentor = untrained()
    kept, counts = predict(segmentor, batches), measure(segmentor, batches)
    assert 0.2 < kept.score[kept.foreground].float().mean() < 0.99
    for k in (9, 49, 89):
        masks = kept.masks(float(THRESHOLDS[k]))
        assert torch.equal(masks, kept.score.float() > THRESHOLDS[k])
        ours = count_masks(masks, kept.truth)
        close = ((kept.score.float() - THRESHOLDS[k]).abs() < 1e-3).sum((1, 2))
        assert ((ours.tp + ours.fp - counts[k].tp - counts[k].fp).abs() <= close).all()
        assert torch.equal(ours.lesion(), counts[k].lesion())


def test_the_record_of_validation_is_that_of_its_threshold(phantom):
    batches = Batches(phantom, phantom.of_split("validation"), size=64)
    segmentor = untrained()
    record, counts = validation_score(segmentor, batches), measure(segmentor, batches)
    threshold, k = best_threshold(counts, THRESHOLDS)
    assert record["validation threshold"] == threshold
    assert record["validation dice"] == float(counts[k, counts.lesion()[0]].dice().mean()) > 0
    assert record["validation pooled dice"] == float(counts[k].pool().dice())


def test_a_segmentor_that_has_diverged_is_told_with_its_remedy(phantom):
    segmentor = untrained()
    next(segmentor.parameters()).data.fill_(torch.nan)
    with pytest.raises(Diverged, match=r"scores are not numbers: .*smaller --rate"):
        measure(segmentor, Batches(phantom, phantom.of_split("test")[:4], size=4))
