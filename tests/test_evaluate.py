"""The door that scores: every part of the split, several channels, folds, and what it refuses."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

from strokegan_lib import evaluate
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import split_of
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.models.segmentation import Segmentor
from strokegan_lib.training.weights import save_weights

PATIENTS = 30


def made(out, channels: int = 1, ill: tuple[str, ...] = ("train", "validation", "test")) -> SliceSet:
    """30 patients of two slices; those of the splits *ill* have a bright square in the first."""
    rng = np.random.default_rng(0)
    about = About("squares", "made up", "none", "nobody", tuple(f"c{k}" for k in range(channels)), "pytest")
    with SliceSetWriter(out, about) as writer:
        for number in range(PATIENTS):
            foreground = np.zeros((2, 128, 128), bool)
            foreground[:, 16:112, 24:104] = True
            lesion = np.zeros_like(foreground)
            if split_of(f"p{number}") in ill:
                row, column, side = rng.integers((30, 30, 5), (70, 70, 30))
                lesion[0, row : row + side, column : column + side] = True
            images = rng.integers(20, 90, (2, channels, 128, 128)) + 150 * lesion[:, None]
            writer.add(
                (images * foreground[:, None]).astype(np.uint8), lesion, foreground, patient=f"p{number}",
                case="c", plane=np.arange(2), z=np.arange(2) * 5.0, spacing=(1.5, 1.5, 5.0), source="test",
            )  # fmt: skip
    return SliceSet.open(out)


@pytest.fixture
def bright(monkeypatch):
    """Every segmentor answers with the brightness of the first channel: right, where that is above .5."""
    monkeypatch.setattr(Segmentor, "forward", lambda self, image: torch.logit(image[:, :1], 1e-6))


def weights(path, channels: int = 1, **about):
    save_weights(path, Segmentor(channels, output="probability", width=4, attention=False), about)
    return path


@pytest.fixture
def door(monkeypatch, capsys):
    def call(*words) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", [evaluate.PROG, *map(str, words)])
        with pytest.raises(SystemExit) as end:
            evaluate.main()
        return end.value.code or 0, *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def squares(tmp_path_factory) -> SliceSet:
    return made(tmp_path_factory.mktemp("data") / "set")


@pytest.mark.parametrize("split", ["train", "validation", "test", "all"])
def test_a_right_answer_has_full_marks_in_every_part(door, squares, tmp_path, bright, split):
    out = tmp_path / "results.json"
    use = ("--data", squares.folder, "--weights", weights(tmp_path / "w.safetensors", threshold=0.5))
    code, said, _ = door(*use, "--out", out, "--split", split)
    assert code == 0
    found = json.loads(out.read_text())
    rows, scores = squares.of_split(split), found["scores"]
    assert found["split"] == split and scores["slices"] == len(rows) == 2 * scores["lesion_slices"]
    for name in ("dice", "pooled_dice", "patient_dice", "lesion_f1", "pooled_lesion_f1", "specificity"):
        assert scores[name]["mean"] == 1, name
    for name in ("hd95_mm", "surface_distance_mm", "missed_rate", "empty_false_positive_rate"):
        assert scores[name]["mean"] == 0, name
    assert scores["calibration"]["score_is"] == "a probability"
    assert 0.05 < scores["calibration_error"]["mean"] < 0.5  # brightness is no probability
    assert sum(part["dice"]["n"] for part in scores["by_size"].values()) == len(rows) // 2
    assert said.startswith("dice ") and "hd95_mm" in said and "400 pixels or more" in said
    assert {"data_sha256", "weights_sha256", "made_by", "date", "hardware", "seed"} <= found.keys()


def test_a_threshold_above_every_score_misses_everything(door, squares, tmp_path, bright):
    out = tmp_path / "results.json"
    use = ("--data", squares.folder, "--weights", weights(tmp_path / "w.safetensors", threshold=0.99))
    assert door(*use, "--out", out)[0] == 0
    scores = json.loads(out.read_text())["scores"]
    assert scores["missed_rate"]["mean"] == 1 and scores["dice"]["mean"] == 0
    assert scores["hd95_mm"]["mean"] == pytest.approx(1.5 * 127 * 2**0.5)


def test_weights_of_a_fold_are_scored_on_that_fold(door, squares, tmp_path, bright):
    out = tmp_path / "results.json"
    file = weights(tmp_path / "w.safetensors", threshold=0.5, settings={"fold": 3})
    assert door("--data", squares.folder, "--weights", file, "--out", out)[0] == 0
    found = json.loads(out.read_text())
    assert found["fold"] == 3 and found["scores"]["slices"] == len(squares.of_split("test", 3))


def test_several_channels_and_a_painted_masked_image(door, tmp_path):
    squares, file, out = made(tmp_path / "two", channels=2), tmp_path / "w.safetensors", tmp_path / "r.json"
    save_weights(file, Segmentor(2, width=4), {"threshold": 0.5})
    assert door("--data", squares.folder, "--weights", file, "--out", out)[0] == 0
    assert "not a probability" in json.loads(out.read_text())["scores"]["calibration"]["score_is"]


def test_a_part_without_a_lesion_is_one_line(door, tmp_path):
    squares, out = made(tmp_path / "set", ill=("train",)), tmp_path / "results.json"
    use = ("--data", squares.folder, "--weights", weights(tmp_path / "w.safetensors", threshold=0.5))
    code, said, stderr = door(*use, "--out", out)
    assert (code, said) == (2, "") and stderr.count("\n") == 1 and "'test'" in stderr and "--split" in stderr
    assert not out.exists()
    assert door(*use, "--out", out, "--split", "train")[0] == 0
