"""The threshold explorer: what it draws and says, set from code as a mouse would."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import torch
from PIL import Image

from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, SCALE, picture
from strokegan_lib.classroom.widgets.threshold_explorer import CUTS, ThresholdExplorer, curve, mark
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.measure import THRESHOLDS
from strokegan_lib.evaluation.overlap import best_threshold, count

SIDE = 128 * SCALE


@pytest.fixture(scope="module")
def rows(phantom: SliceSet) -> np.ndarray:
    """Five validation slices with a lesion and one without."""
    validation = phantom.of_split("validation")
    sick = phantom.table["has_stroke"][validation] == 1
    return np.append(validation[sick][:5], validation[~sick][0])


@pytest.fixture(scope="module")
def scores(phantom: SliceSet, rows: np.ndarray) -> dict[str, torch.Tensor]:
    """One method that is noise around the truth, one that claims every bright pixel."""
    truth = torch.from_numpy(phantom.stroke[rows]).float()[:, None]
    noise = torch.rand(truth.shape, generator=torch.Generator().manual_seed(0))
    return {
        "noisy": 0.4 * truth + 0.5 * noise,
        "bright": torch.from_numpy(phantom.images[rows, :1]).float() / 255,
    }


@pytest.fixture
def explorer(phantom: SliceSet, rows: np.ndarray, scores: dict[str, torch.Tensor]) -> ThresholdExplorer:
    return ThresholdExplorer(phantom, rows, scores)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.mark.parametrize(("method", "threshold"), [("noisy", 0.3), ("noisy", 0.07), ("bright", 0.99)])
def test_it_draws_truth_and_prediction_and_says_their_overlap(
    explorer: ThresholdExplorer, phantom: SliceSet, rows: np.ndarray, scores, method: str, threshold: float
):
    explorer.set(method=method, slice=2, threshold=threshold)
    truth = phantom.stroke[rows[2]] == 1
    predicted = scores[method][2, 0].numpy() > np.float32(threshold)
    expected = pixels(picture(phantom.images[rows[2], 0], (truth, ORANGE), (predicted, BLUE)))
    shown = pixels(explorer.image.value)
    assert shown.shape == (SIDE, 2 * SIDE, 3)
    assert np.array_equal(shown[:, :SIDE], expected)

    both = (truth & predicted).sum()
    dice = 2 * both / (truth.sum() + predicted.sum())
    precision = both / predicted.sum() if predicted.any() else 0
    words = explorer.words.value
    assert f"Dice {dice:.2f}, precision {precision:.2f}, sensitivity {both / truth.sum():.2f};" in words
    assert str(phantom.table["patient"][rows[2]]) in words and f"threshold {threshold:.2f}" in words


def test_the_mean_is_over_slices_with_a_lesion(
    explorer: ThresholdExplorer, phantom: SliceSet, rows: np.ndarray, scores
):
    truth = torch.from_numpy(phantom.stroke[rows])[:, None]
    for method, score in scores.items():
        for threshold in (0.05, 0.45):
            dice = count(score, truth, torch.tensor([threshold])).dice()[0, :5].mean()
            explorer.set(method=method, threshold=threshold)
            assert explorer.words.value.endswith(f"over the 5 slices with a lesion {dice:.3f}")


def test_the_top_of_its_curve_is_the_threshold_that_the_library_chooses(
    explorer: ThresholdExplorer, phantom: SliceSet, rows: np.ndarray, scores
):
    truth = torch.from_numpy(phantom.stroke[rows])[:, None]
    chosen, k = best_threshold(count(scores["noisy"], truth, THRESHOLDS), THRESHOLDS)
    assert explorer.curves["noisy"][k] == explorer.curves["noisy"].max() > explorer.curves["noisy"][0]
    explorer.set(method="noisy", threshold=round(chosen, 2))
    assert explorer.words.value.endswith(f"{explorer.curves['noisy'].max():.3f}")


def test_an_empty_slice_has_false_alarms_and_no_dice(explorer: ThresholdExplorer, scores):
    explorer.set(method="noisy", slice=5, threshold=0.4)
    alarms = int((scores["noisy"][5] > 0.4).sum())
    assert alarms and f"{alarms} pixels of false alarm" in explorer.words.value
    assert "sensitivity" not in explorer.words.value


def test_the_mark_sits_on_the_curve():
    values = np.linspace(0.9, 0.1, len(CUTS))
    panel, columns, heights = curve(values)
    assert panel.shape == (SIDE, SIDE, 3)
    assert (np.diff(columns) > 0).all() and (np.diff(heights) > 0).all()  # a falling curve, rows from above
    for k in (0, 40, 98):
        around = panel[heights[k] - 2 : heights[k] + 3, columns[k] - 2 : columns[k] + 3]
        assert around.min() < 100, "the line passes here"
        blue = (mark(panel, columns[k], heights[k]) == BLUE).all(-1)
        assert blue.sum() == 81 and blue[heights[k], columns[k]]
    assert not (panel == BLUE).all(-1).any(), "marking leaves the panel itself unmarked"


def test_it_starts_with_the_largest_lesion(explorer: ThresholdExplorer, phantom: SliceSet, rows: np.ndarray):
    areas = phantom.stroke[rows].sum((1, 2))
    assert areas[explorer.controls["slice"].value] == areas.max()


def test_it_answers_quickly(explorer: ThresholdExplorer):
    seconds = []
    for threshold in CUTS[:20]:
        start = time.process_time()  # of this process: others may keep the machine busy
        explorer.set(threshold=threshold)
        seconds.append(time.process_time() - start)
    assert np.median(seconds) < 0.2


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"threshold": 0.123}, ValueError),
        ({"threshold": 1.0}, ValueError),
        ({"slice": 6}, ValueError),
        ({"method": "no such"}, ValueError),
        ({"cut": 0.5}, KeyError),
    ],
)
def test_set_refuses_what_the_controls_do_not_offer(explorer: ThresholdExplorer, values: dict, error: type):
    with pytest.raises(error):
        explorer.set(**values)


def test_it_refuses_scores_that_do_not_fit(phantom: SliceSet, rows: np.ndarray, scores):
    with pytest.raises(ValueError, match="one method or more"):
        ThresholdExplorer(phantom, rows, {})
    with pytest.raises(ValueError, match="one has a lesion"):
        ThresholdExplorer(phantom, rows[5:], {"noisy": scores["noisy"][5:]})
    with pytest.raises(ValueError, match=r"0\.\.1"):
        ThresholdExplorer(phantom, rows, {"logits": 5 * scores["noisy"]})
    with pytest.raises((ValueError, RuntimeError)):
        ThresholdExplorer(phantom, rows, {"too few": scores["noisy"][1:]})
