"""The summary of a test set: by hand, against plain loops, and where values do not exist."""

import json

import numpy as np
import pytest
import torch

from strokegan_lib.evaluation.calibration import BINS
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.scores import full_summary, summary
from strokegan_lib.evaluation.slicewise import SliceScores

ON_EMPTY = ("empty_false_positive_rate", "empty_false_positive_pixels")
NAMES = [
    *("dice", "precision", "sensitivity", "pooled_dice", "pooled_precision", "pooled_sensitivity"),
    *("patient_dice", *ON_EMPTY),
]
# patient a: two lesion slices (one missed) and an empty one; b: one lesion slice; c: two empty ones
HAND = [(6, 2, 4), (0, 0, 10), (0, 8, 0), (5, 5, 0), (0, 0, 0), (0, 4, 0)]
PATIENTS = ["a", "a", "a", "b", "c", "c"]


def counts_of(rows) -> Counts:
    """One slice a row: tp, fp, fn."""
    return Counts(*torch.tensor(rows).T)


def measured(rows) -> SliceScores:
    """SliceScores of made-up counts: surfaces 10 and 5 mm, one lesion a slice, pixels of .01 mL."""
    counts, n = counts_of(rows), len(rows)
    lesion, predicted = counts.lesion().long(), (counts.tp + counts.fp > 0).long()
    found = (counts.tp > 0).long()
    calibration = np.zeros((n, BINS, 3))
    calibration[:, 0] = 90, 4.5, 0  # 90 pixels scored .05
    calibration[:, -1] = 10, 10, 7  # 10 pixels scored 1, of which 7 are stroke
    return SliceScores(
        counts, Counts(found, predicted * (1 - found), lesion - found), np.full(n, 1000),
        np.full(n, 10.0), np.full(n, 5.0), np.full(n, 0.01), calibration,
    )  # fmt: skip


def test_every_score_by_hand():
    result = full_summary(measured(HAND), PATIENTS, probability=True, draws=200)
    expected = {  # value, n, patients
        "dice": ((12 / 18 + 0 + 10 / 15) / 3, 3, 2),
        "precision": ((6 / 8 + 0 + 5 / 10) / 3, 3, 2),
        "sensitivity": ((6 / 10 + 0 + 1) / 3, 3, 2),
        "pooled_dice": (22 / (22 + 19 + 14), 6, 3),
        "pooled_precision": (11 / 30, 6, 3),
        "pooled_sensitivity": (11 / 25, 6, 3),
        "patient_dice": ((12 / (12 + 10 + 14) + 10 / 15) / 2, 2, 2),
        "empty_false_positive_rate": (2 / 3, 3, 2),
        "empty_false_positive_pixels": (12 / 3, 3, 2),
        "specificity": ((988 / 990 + 1 + 990 / 995) / 3, 3, 2),
        "missed_rate": (1 / 3, 3, 2),
        "lesion_f1": (2 / 3, 3, 2),
        "lesion_precision": (2 / 3, 3, 2),
        "lesion_sensitivity": (2 / 3, 3, 2),
        "hd95_mm": (10, 3, 2),
        "surface_distance_mm": (5, 3, 2),
        "area_difference_pixels": ((2 + 10 + 5) / 3, 3, 2),
        "volume_difference_ml": (0.17 / 3, 3, 2),
        "pooled_specificity": (1 - 19 / (990 + 990 + 1000 + 995 + 2 * 1000), 6, 3),
        "pooled_lesion_f1": (4 / (4 + 2 + 1), 6, 3),
        "pooled_lesion_precision": (2 / 4, 6, 3),
        "pooled_lesion_sensitivity": (2 / 3, 6, 3),
        "patient_volume_difference_ml": ((abs(2 - 4 - 10 + 8) + 5) * 0.01 / 2, 2, 2),
        "calibration_error": (0.9 * 0.05 + 0.1 * 0.3, 6, 3),
    }
    totals = ("slices", "lesion_slices", "patients")
    assert set(result) == {*expected, *totals, "by_size", "calibration"}
    assert [result[name] for name in totals] == [6, 3, 3]
    for name, (value, *numbers) in expected.items():
        found = result[name]
        assert found["mean"] == pytest.approx(value) and [found["n"], found["patients"]] == numbers, name
        assert found["low"] - 1e-12 <= found["mean"] <= found["high"] + 1e-12, name
    assert result["calibration"]["score_is"] == "a probability"
    assert result["calibration"]["bins"][-1]["stroke_share"] == pytest.approx(0.7)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    short = summary(counts_of(HAND), PATIENTS, draws=200)
    assert set(short) == {*NAMES, *totals} and short == {name: result[name] for name in short}
    one_threshold = Counts(*(part[None] for part in vars(counts_of(HAND)).values()))
    assert summary(one_threshold, PATIENTS, draws=200) == short


@pytest.mark.parametrize(
    ("rows", "none", "numbers"),
    [
        ([(0, 0, 0), (0, 3, 0)], NAMES[:7], {"empty_false_positive_rate": 0.5}),  # no lesion
        ([(5, 0, 5), (0, 3, 1)], ON_EMPTY, {"dice": 1 / 3}),  # no empty slice
        ([(0, 0, 5), (0, 0, 7), (0, 0, 0)], (), dict.fromkeys(NAMES, 0)),  # nothing is predicted
    ],
)
def test_scores_without_slices_are_none(rows, none, numbers):
    result = full_summary(measured(rows), list("abcd")[: len(rows)], probability=False, draws=50)
    for name in none:
        assert (result[name]["mean"], result[name]["low"], result[name]["high"]) == (None, None, None), name
    assert {name: result[name]["mean"] for name in numbers} == pytest.approx(numbers)
    assert (result["hd95_mm"]["mean"] is None) == (result["dice"]["n"] == 0)
    assert "not a probability" in result["calibration"]["score_is"]


def test_a_draw_without_a_lesion_has_no_pooled_score():
    """Of three patients one has a lesion, found whole: a draw without it must not count as perfect or as 0."""
    result = summary(counts_of([(9, 0, 0), (0, 1, 0), (0, 1, 0)]), list("abc"))
    assert result["pooled_dice"]["low"] == pytest.approx(18 / 20)  # the lesion once, two false positives
    assert result["pooled_sensitivity"]["low"] == 1
    assert result["dice"]["low"] is None  # one patient only


def test_sizes_share_the_lesion_slices_out():
    rows = [(1, 0, 0), (50, 0, 49), (100, 0, 0), (0, 3, 399), (200, 0, 200), (900, 0, 0), (0, 9, 0)]
    result = full_summary(measured(rows), list("abcdefg"), probability=False, draws=50)
    sizes = result["by_size"]
    assert list(sizes) == ["1 to 99 pixels", "100 to 399 pixels", "400 pixels or more"]
    assert [part["dice"]["n"] for part in sizes.values()] == [2, 2, 2]
    assert sizes["1 to 99 pixels"]["dice"]["mean"] == pytest.approx((1 + 100 / 149) / 2)
    for name in ("dice", "hd95_mm", "lesion_f1", "area_difference_pixels"):
        assert np.mean([part[name]["mean"] for part in sizes.values()]) == pytest.approx(result[name]["mean"])
