"""Everything of a slice, slice by slice: parts that fit together, folds that join."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from random_masks import blobs

from strokegan_lib.evaluation.calibration import calibration_sums
from strokegan_lib.evaluation.lesionwise import count_lesions
from strokegan_lib.evaluation.measure import Predictions
from strokegan_lib.evaluation.overlap import Counts, count_masks
from strokegan_lib.evaluation.slicewise import SliceScores, score_slices
from strokegan_lib.evaluation.surface import surface_distances


def predictions(n: int, seed: int) -> tuple[Predictions, dict[str, np.ndarray]]:
    predicted, truth = blobs(n, seed)
    g = torch.Generator().manual_seed(seed)
    noise = torch.rand(truth.shape, generator=g)
    score = (0.5 * noise + 0.5 * predicted).half()
    table = {"row_spacing": np.full(n, 1.5), "column_spacing": np.full(n, 2.0), "thickness": np.full(n, 4.0)}
    return Predictions(score, truth, truth | (noise < 0.8)), table


def assert_same(a: SliceScores, b: SliceScores):
    for field in fields(SliceScores):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, Counts):
            assert all(torch.equal(getattr(one, k), getattr(other, k)) for k in ("tp", "fp", "fn"))
        else:
            np.testing.assert_array_equal(one, other)


def test_each_part_is_measured_at_the_threshold():
    made, table = predictions(60, 5)
    scores = score_slices(made, 0.7, table)
    predicted = made.score.float() > 0.7
    spacing = np.tile((1.5, 2.0), (60, 1))
    hd95, average = surface_distances(predicted, made.truth, spacing)
    expected = SliceScores(
        count_masks(predicted, made.truth), count_lesions(predicted, made.truth), np.full(60, 20 * 24),
        hd95, average, np.full(60, 0.012), calibration_sums(made.score, made.truth, made.foreground),
    )  # fmt: skip
    assert_same(scores, expected)
    assert len(scores) == 60
    extra = predicted.sum((1, 2)) - made.truth.sum((1, 2))
    assert scores.excess().tolist() == extra.tolist()


def test_folds_join_and_slices_are_chosen():
    """Each fold has its own threshold."""
    made, table = predictions(50, 6)
    order = np.random.default_rng(0).permutation(50)
    whole = score_slices(made, 0.5, table)
    assert_same(SliceScores.cat([whole[order[:20]], whole[order[20:]]]), whole[order])
    assert_same(whole[np.arange(50) % 2 == 0], whole[np.arange(0, 50, 2)])
    strict = score_slices(made, 0.9, table)
    both = SliceScores.cat([whole[np.arange(25)], strict[np.arange(25, 50)]])
    assert (both.counts.tp[25:] == strict.counts.tp[25:]).all() and len(both) == 50


def test_a_spacing_that_is_no_length_is_refused():
    made, table = predictions(12, 7)
    with pytest.raises(ValueError, match="spacing"):
        score_slices(made, 0.5, {**table, "row_spacing": np.zeros(12)})
