"""The summary of a test set: by hand, against plain loops, and where values do not exist."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strokegan_lib.evaluation import statistics
from strokegan_lib.evaluation.calibration import BINS
from strokegan_lib.evaluation.overlap import Counts, count
from strokegan_lib.evaluation.scores import full_summary, summary
from strokegan_lib.evaluation.slicewise import SliceScores

NAMES = [
    "dice",
    "precision",
    "sensitivity",
    "pooled_dice",
    "pooled_precision",
    "pooled_sensitivity",
    "patient_dice",
    "empty_false_positive_rate",
    "empty_false_positive_pixels",
]


def counts_of(*rows: tuple[int, int, int]) -> Counts:
    """One slice a row: tp, fp, fn."""
    return Counts(*torch.tensor(rows).T)


# patient a: two lesion slices (one missed) and an empty one; b: one lesion slice; c: two empty ones
HAND = counts_of((6, 2, 4), (0, 0, 10), (0, 8, 0), (5, 5, 0), (0, 0, 0), (0, 4, 0))
PATIENTS = ["a", "a", "a", "b", "c", "c"]


def test_every_score_by_hand():
    result = summary(HAND, PATIENTS)
    expected = {
        "dice": ((12 / 18 + 0 + 10 / 15) / 3, 3, 2),
        "precision": ((6 / 8 + 0 + 5 / 10) / 3, 3, 2),
        "sensitivity": ((6 / 10 + 0 + 1) / 3, 3, 2),
        "pooled_dice": (22 / (22 + 19 + 14), 6, 3),
        "pooled_precision": (11 / 30, 6, 3),
        "pooled_sensitivity": (11 / 25, 6, 3),
        "patient_dice": ((12 / (12 + 10 + 14) + 10 / 15) / 2, 2, 2),
        "empty_false_positive_rate": (2 / 3, 3, 2),
        "empty_false_positive_pixels": (12 / 3, 3, 2),
    }
    assert list(result) == [*NAMES, "slices", "lesion_slices", "patients"] and list(expected) == NAMES
    for name, (value, n, patients) in expected.items():
        assert result[name]["mean"] == pytest.approx(value), name
        assert (result[name]["n"], result[name]["patients"]) == (n, patients), name
        assert result[name]["low"] <= result[name]["mean"] <= result[name]["high"], name
    assert (result["slices"], result["lesion_slices"], result["patients"]) == (6, 3, 3)


def test_pooled_scores_obey_dice_equals_2ps_by_p_plus_s_and_means_do_not():
    """The sign by which a paper's averaging can be read off its table."""
    result = {name: value["mean"] for name, value in summary(HAND, PATIENTS).items() if name in NAMES}
    for prefix, same in (("pooled_", True), ("", False)):
        p, s = result[prefix + "precision"], result[prefix + "sensitivity"]
        assert (result[prefix + "dice"] == pytest.approx(2 * p * s / (p + s))) is same


def test_from_counting_to_json():
    g = torch.Generator().manual_seed(0)
    truth = (torch.rand(40, 1, 16, 16, generator=g) < torch.rand(40, 1, 1, 1, generator=g) * 0.2).float()
    truth[::3] = 0
    score = (truth * 0.4 + torch.rand(truth.shape, generator=g) * 0.6).clamp(0, 1)
    patients = np.array([f"p{k // 4:02d}" for k in range(40)])
    counts = count(score, truth, torch.tensor([0.55]))  # (1, 40)
    result = summary(counts, patients, draws=300, seed=4)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result == summary(counts[0], patients, draws=300, seed=4)
    assert result != summary(counts, patients, draws=300, seed=5)
    predicted, stroke = score > 0.55, truth > 0
    assert result["pooled_precision"]["mean"] == pytest.approx(float(stroke[predicted].double().mean()))
    assert result["pooled_sensitivity"]["mean"] == pytest.approx(float(predicted[stroke].double().mean()))
    empty = ~stroke.flatten(1).any(1)
    alarm = predicted[empty].flatten(1)
    assert result["empty_false_positive_rate"]["mean"] == pytest.approx(float(alarm.any(1).double().mean()))
    assert result["empty_false_positive_pixels"]["mean"] == pytest.approx(float(alarm.sum(1).double().mean()))


def test_pooled_interval_against_resampling_slice_by_slice():
    rng = np.random.default_rng(1)
    rows, ids = rng.integers(0, 50, (60, 3)), np.sort(rng.integers(0, 9, 60))
    assert len(set(ids)) == 9
    drawn = np.random.default_rng(7).integers(9, size=(400, 9))
    tp, fp, fn = np.array([np.concatenate([rows[ids == k] for k in row]).sum(0) for row in drawn]).T
    result = summary(counts_of(*rows.tolist()), ids, draws=400, seed=7)
    low, high = np.quantile(2 * tp / (2 * tp + fp + fn), [0.025, 0.975])
    assert [result["pooled_dice"]["low"], result["pooled_dice"]["high"]] == pytest.approx([low, high])
    low, high = np.quantile(tp / (tp + fp), [0.025, 0.975])
    assert [result["pooled_precision"]["low"], result["pooled_precision"]["high"]] == pytest.approx(
        [low, high]
    )


def test_without_lesions():
    result = summary(counts_of((0, 0, 0), (0, 3, 0)), ["a", "b"])
    for name in NAMES[:7]:
        assert (result[name]["mean"], result[name]["low"], result[name]["high"]) == (None, None, None), name
    assert result["dice"]["n"] == result["patient_dice"]["n"] == 0
    assert result["empty_false_positive_rate"]["mean"] == 0.5


def test_without_empty_slices():
    result = summary(counts_of((5, 0, 5), (0, 3, 1)), ["a", "b"])
    for name in NAMES[7:]:
        nothing = {"mean": None, "low": None, "high": None, "n": 0, "patients": 0}
        assert result[name] == nothing
    assert result["dice"]["mean"] == pytest.approx(1 / 3)


def test_a_network_that_predicts_nothing_scores_nought_with_lesions_and_no_false_alarm():
    result = summary(counts_of((0, 0, 5), (0, 0, 7), (0, 0, 0), (0, 0, 0)), list("abcd"))
    for name in NAMES:
        assert [result[name][key] for key in ("mean", "low", "high")] == [0, 0, 0], name


def test_a_draw_without_a_lesion_has_no_pooled_score():
    """Of three patients one has a lesion, found whole: a draw without it must not count as perfect or as 0."""
    result = summary(counts_of((9, 0, 0), (0, 1, 0), (0, 1, 0)), list("abc"))
    assert result["pooled_dice"]["low"] == pytest.approx(18 / 20)  # the lesion once, two false alarms
    assert result["pooled_sensitivity"]["low"] == 1
    assert result["dice"]["low"] is None  # one patient only


@given(st.integers(0, 2**31), st.integers(1, 8))
def test_scores_are_in_range_and_do_not_depend_on_the_order(seed, patients):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    rows = rng.integers(0, 20, (n, 3)) * rng.integers(0, 2, (n, 3))
    ids, order = rng.integers(0, patients, n), rng.permutation(n)
    first = summary(counts_of(*rows.tolist()), ids, draws=50)
    other = summary(counts_of(*rows[order].tolist()), ids[order], draws=50)
    for name in NAMES:
        for key, value in first[name].items():
            assert other[name][key] == (value if value is None else pytest.approx(value)), (name, key)
        if name != "empty_false_positive_pixels" and first[name]["mean"] is not None:
            assert 0 <= first[name]["mean"] <= 1
    assert first["lesion_slices"] + first["empty_false_positive_rate"]["n"] == first["slices"] == n


def test_one_slice_a_patient_makes_patient_and_slice_the_same():
    rows = np.random.default_rng(2).integers(0, 9, (25, 3))
    result = summary(counts_of(*rows.tolist()), np.arange(25))
    for key in ("mean", "low", "high", "n", "patients"):
        assert result["patient_dice"][key] == pytest.approx(result["dice"][key])


def test_two_networks_are_compared_on_their_lesion_slices():
    worse = counts_of((4, 2, 6), (0, 0, 10), (0, 8, 0), (5, 9, 0), (0, 0, 0), (0, 4, 0))
    lesion = HAND.lesion()
    result = statistics.paired(
        HAND.dice()[lesion], worse.dice()[lesion], np.array(PATIENTS)[lesion.numpy()], draws=500
    )
    gap = summary(HAND, PATIENTS)["dice"]["mean"] - summary(worse, PATIENTS)["dice"]["mean"]
    assert result.difference.mean == pytest.approx(gap) and gap > 0


def test_counts_and_patients_must_fit():
    with pytest.raises(ValueError, match="one threshold"):
        summary(HAND, PATIENTS[:-1])
    with pytest.raises(ValueError, match="one threshold"):
        summary(Counts(*(torch.ones(2, 6, dtype=torch.int64) for _ in range(3))), PATIENTS)


def measured(rows: list[tuple[int, int, int]]) -> SliceScores:
    """SliceScores of made-up counts: surfaces 10 and 5 mm, one lesion a slice, pixels of .01 mL."""
    counts = counts_of(*rows)
    lesion, predicted = counts.lesion().long(), (counts.tp + counts.fp > 0).long()
    found = (counts.tp > 0).long()
    calibration = np.zeros((len(rows), BINS, 3))
    calibration[:, 0] = 90, 4.5, 0  # 90 pixels scored .05
    calibration[:, -1] = 10, 10, 7  # 10 pixels scored 1, of which 7 are stroke
    return SliceScores(
        counts, Counts(found, predicted * (1 - found), lesion - found), np.full(len(rows), 1000),
        np.full(len(rows), 10.0), np.full(len(rows), 5.0), np.full(len(rows), 0.01), calibration,
    )  # fmt: skip


def test_the_full_summary_by_hand():
    rows = [(6, 2, 4), (0, 0, 10), (0, 8, 0), (5, 5, 0), (0, 0, 0), (0, 4, 0)]  # HAND
    result = full_summary(measured(rows), PATIENTS, probability=True, draws=200)
    short = summary(HAND, PATIENTS, draws=200)
    assert {name: result[name] for name in short} == short
    expected = {
        "specificity": ((988 / 990 + 1 + 990 / 995) / 3, 3),
        "missed_rate": (1 / 3, 3),
        "lesion_f1": (2 / 3, 3),
        "lesion_precision": (2 / 3, 3),
        "lesion_sensitivity": (2 / 3, 3),
        "hd95_mm": (10, 3),
        "surface_distance_mm": (5, 3),
        "area_difference_pixels": ((2 + 10 + 5) / 3, 3),
        "volume_difference_ml": (0.17 / 3, 3),
        "pooled_specificity": (1 - 19 / (990 + 990 + 1000 + 995 + 2 * 1000), 6),
        "pooled_lesion_f1": (4 / (4 + 2 + 1), 6),
        "pooled_lesion_precision": (2 / 4, 6),
        "pooled_lesion_sensitivity": (2 / 3, 6),
        "patient_volume_difference_ml": ((abs(2 - 4 - 10 + 8) + 5) * 0.01 / 2, 2),
        "calibration_error": (0.9 * 0.05 + 0.1 * 0.3, 6),
    }
    assert list(result) == [*short, *expected, "by_size", "calibration"]
    for name, (value, n) in expected.items():
        found = result[name]
        assert found["mean"] == pytest.approx(value), name
        assert found["n"] == n and found["low"] - 1e-12 <= found["mean"] <= found["high"] + 1e-12, name
    assert result["calibration"]["score_is"] == "a probability"
    assert result["calibration"]["bins"][-1]["stroke_share"] == pytest.approx(0.7)
    assert result["calibration"]["bins"][0]["pixels"] == 540
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_sizes_share_the_lesion_slices_out():
    rows = [(1, 0, 0), (50, 0, 49), (100, 0, 0), (0, 3, 399), (200, 0, 200), (900, 0, 0), (0, 9, 0)]
    result = full_summary(measured(rows), list("abcdefg"), probability=False, draws=50)
    sizes = result["by_size"]
    assert list(sizes) == ["1 to 99 pixels", "100 to 399 pixels", "400 pixels or more"]
    assert [part["dice"]["n"] for part in sizes.values()] == [2, 2, 2]
    assert sizes["1 to 99 pixels"]["dice"]["mean"] == pytest.approx((1 + 100 / 149) / 2)
    assert sizes["100 to 399 pixels"]["sensitivity"]["mean"] == pytest.approx(0.5)
    for name in ("dice", "hd95_mm", "lesion_f1", "area_difference_pixels"):
        parts = [part[name]["mean"] * part[name]["n"] for part in sizes.values()]
        assert sum(parts) / 6 == pytest.approx(result[name]["mean"]), name
    assert "not a probability" in result["calibration"]["score_is"]


def test_the_full_summary_without_lesions_has_no_score_of_lesions():
    result = full_summary(measured([(0, 0, 0), (0, 3, 0)]), ["a", "b"], probability=True, draws=50)
    for name in ("specificity", "hd95_mm", "pooled_lesion_f1", "patient_volume_difference_ml"):
        assert result[name]["mean"] is None, name
    assert result["pooled_specificity"]["mean"] == pytest.approx(1997 / 2000)
    assert all(part["dice"]["n"] == 0 for part in result["by_size"].values())
