"""The command that scores: every part of the split, several channels, folds, and what it refuses."""

import json

import pytest
import torch
from brains import brains, noise_set

from strokegan_lib import evaluate
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.segmentation import Segmentor
from strokegan_lib.training.weights import save_weights


@pytest.fixture(scope="module")
def discs(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("data") / "set", patients=40, every=2)


@pytest.fixture
def score(monkeypatch, command, tmp_path):
    """Score a segmentor that answers with the brightness of the first channel: right on discs, where that is above .8."""

    def call(data: SliceSet, *words: str, output: str = "probability", **about):
        file, out = tmp_path / "w.safetensors", tmp_path / "results.json"
        out.unlink(missing_ok=True)
        save_weights(file, Segmentor(len(data.channels), output=output, width=4, attention=False), about)
        ended = command(evaluate, "--data", data.folder, "--weights", file, "--out", out, *words)
        return (*ended, json.loads(out.read_text()) if out.exists() else None)

    monkeypatch.setattr(Segmentor, "forward", lambda self, image: torch.logit(image[:, :1], 1e-6))
    return call


@pytest.mark.parametrize("split", ["validation", "all"])
def test_a_right_answer_has_full_marks(score, discs, split):
    code, said, _, found = score(discs, "--split", split, threshold=0.8)
    rows, scores = discs.of_split(split), found["scores"]
    assert code == 0 and found["split"] == split and scores["slices"] == len(rows)
    assert scores["lesion_slices"] == discs.table["has_stroke"][rows].sum()
    for name in ("dice", "pooled_dice", "patient_dice", "lesion_f1", "pooled_lesion_f1", "specificity"):
        assert scores[name]["mean"] == 1, name
    for name in ("hd95_mm", "surface_distance_mm", "missed_rate", "empty_false_positive_rate"):
        assert scores[name]["mean"] == 0, name
    assert scores["calibration"]["score_is"] == "a probability"
    assert scores["calibration_error"]["mean"] > 0.05, "brightness is no probability"
    assert said.startswith("dice ") and "1.000 (1.000 to 1.000)" in said and "400 pixels or more" in said
    assert {"data_sha256", "weights_sha256", "made_by", "date", "hardware", "seed"} <= found.keys()


def test_folds_channels_and_masked_images(score, discs, tmp_path):
    found = score(discs, threshold=0.8, settings={"fold": 3})[3]
    assert found["fold"] == 3 and found["scores"]["slices"] == len(discs.of_split("test", 3))
    found = score(noise_set(tmp_path / "two", patients=30), output="masked image", threshold=0.5)[3]
    assert "not a probability" in found["scores"]["calibration"]["score_is"]


def test_what_cannot_be_scored_is_one_line(score, discs, tmp_path):
    one_ill = brains(tmp_path / "set", patients=9, every=100)  # of the test part
    code, said, stderr, found = score(one_ill, "--split", "train", threshold=0.5)
    assert (code, said, found) == (2, "", None) and stderr.count("\n") == 1 and "'train'" in stderr
    code, said, stderr, found = score(discs)
    assert (code, said, found) == (2, "", None) and "names no threshold" in stderr
