"""The command that scores: every part of the split, several channels, folds, and what it refuses."""

import json
import sys

import numpy as np
import pytest
import torch
from brains import add

from strokegan_lib import evaluate
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import split_of
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.models.segmentation import Segmentor
from strokegan_lib.training.weights import save_weights


def made(out, channels: int = 1, ill: tuple[str, ...] = ("train", "validation", "test")) -> SliceSet:
    """30 patients of two slices; those of the splits *ill* have a bright square in the first."""
    about = About("squares", "made up", "none", "nobody", tuple(f"c{k}" for k in range(channels)), "pytest")
    rng = np.random.default_rng(0)
    with SliceSetWriter(out, about) as writer:
        for name in (f"p{number}" for number in range(30)):
            foreground, lesion = np.zeros((2, 2, 128, 128), bool)
            foreground[:, 16:112, 24:104] = True
            if split_of(name) in ill:
                row, column, side = rng.integers((30, 30, 5), (70, 70, 30))
                lesion[0, row : row + side, column : column + side] = True
            images = rng.integers(20, 90, (2, channels, 128, 128)) + 150 * lesion[:, None]
            add(writer, ((images * foreground[:, None]).astype(np.uint8), lesion, foreground), name)
    return SliceSet.open(out)


@pytest.fixture(scope="module")
def squares(tmp_path_factory) -> SliceSet:
    return made(tmp_path_factory.mktemp("data") / "set")


@pytest.fixture
def score(monkeypatch, capsys, tmp_path):
    """Score a segmentor that answers with the brightness of the first channel: right, where that is above .5."""

    def call(data: SliceSet, *words: str, output: str = "probability", **about):
        file, out = tmp_path / "w.safetensors", tmp_path / "results.json"
        out.unlink(missing_ok=True)
        save_weights(file, Segmentor(len(data.channels), output=output, width=4, attention=False), about)
        words = ("--data", str(data.folder), "--weights", str(file), "--out", str(out), *words)
        monkeypatch.setattr(sys, "argv", [evaluate.PROG, *words])
        with pytest.raises(SystemExit) as end:
            evaluate.main()
        found = json.loads(out.read_text()) if out.exists() else None
        return (end.value.code or 0, *capsys.readouterr(), found)

    monkeypatch.setattr(Segmentor, "forward", lambda self, image: torch.logit(image[:, :1], 1e-6))
    return call


@pytest.mark.parametrize("split", ["train", "validation", "test", "all"])
def test_a_right_answer_has_full_marks_in_every_part(score, squares, split):
    code, said, _, found = score(squares, "--split", split, threshold=0.5)
    rows, scores = squares.of_split(split), found["scores"]
    assert (
        code == 0 and found["split"] == split and scores["slices"] == len(rows) == 2 * scores["lesion_slices"]
    )
    for name in ("dice", "pooled_dice", "patient_dice", "lesion_f1", "pooled_lesion_f1", "specificity"):
        assert scores[name]["mean"] == 1, name
    for name in ("hd95_mm", "surface_distance_mm", "missed_rate", "empty_false_positive_rate"):
        assert scores[name]["mean"] == 0, name
    assert scores["calibration"]["score_is"] == "a probability"
    assert 0.05 < scores["calibration_error"]["mean"] < 0.5  # brightness is no probability
    assert said.startswith("dice ") and "1.000 (1.000 to 1.000)" in said and "400 pixels or more" in said
    assert {"data_sha256", "weights_sha256", "made_by", "date", "hardware", "seed"} <= found.keys()


def test_a_threshold_above_every_score_misses_everything(score, squares):
    scores = score(squares, threshold=0.99)[3]["scores"]
    assert scores["missed_rate"]["mean"] == 1 and scores["dice"]["mean"] == 0
    assert scores["hd95_mm"]["mean"] == pytest.approx(1.5 * 127 * 2**0.5)


def test_folds_channels_and_masked_images(score, squares, tmp_path):
    found = score(squares, threshold=0.5, settings={"fold": 3})[3]
    assert found["fold"] == 3 and found["scores"]["slices"] == len(squares.of_split("test", 3))
    found = score(made(tmp_path / "two", channels=2), output="masked image", threshold=0.5)[3]
    assert "not a probability" in found["scores"]["calibration"]["score_is"]


def test_what_cannot_be_scored_is_one_line(score, squares, tmp_path):
    code, said, stderr, found = score(made(tmp_path / "set", ill=("train",)), threshold=0.5)
    assert (code, said, found) == (2, "", None) and stderr.count("\n") == 1 and "'test'" in stderr
    code, said, stderr, found = score(squares)
    assert (code, said, found) == (2, "", None) and "names no threshold" in stderr
