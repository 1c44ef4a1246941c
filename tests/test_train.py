"""The doors of training and evaluation: a run from start to score, and every wrong use in one line."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from strokegan_lib import evaluate, train
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.files import sha256
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.weights import load_weights, save_weights

TINY = ("--steps", "3", "--width", "4", "--batch-size", "4", "--checkpoint-seconds", "0", "--threads", "1")


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    """24 patients of two slices, the first with a bright square for a stroke."""
    return made(tmp_path_factory.mktemp("data") / "set")


def made(out, channels=1, stroke=True) -> SliceSet:
    rng = np.random.default_rng(0)
    names = tuple(f"c{k}" for k in range(channels))
    with SliceSetWriter(out, About("squares", "made up", "none", "nobody", names, "pytest")) as writer:
        for number in range(24):
            foreground = np.zeros((2, 128, 128), bool)
            foreground[:, 16:112, 24:104] = True
            lesion = np.zeros_like(foreground)
            if stroke:
                row, column = rng.integers(30, 80, 2)
                lesion[0, row : row + 12, column : column + 12] = True
            images = rng.integers(60, 120, (2, channels, 128, 128)) + 100 * lesion[:, None]
            images = (images * foreground[:, None]).astype(np.uint8)
            writer.add(
                images, lesion, foreground, patient=f"p{number}", case="c", plane=np.arange(2),
                z=np.arange(2) * 5.0, spacing=(1.5, 1.5, 5.0), source="test",
            )  # fmt: skip
    return SliceSet.open(out)


def call(module, monkeypatch, capsys, *words) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a door."""
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", [module.PROG, *map(str, words)])
    with pytest.raises(SystemExit) as end:
        module.main()
    return end.value.code or 0, *capsys.readouterr()


@pytest.fixture
def door(monkeypatch, capsys):
    return lambda module, *words: call(module, monkeypatch, capsys, *words)


def one_line(result: tuple[int, str, str], *words: str) -> None:
    code, _, stderr = result
    assert code == 2 and stderr.count("\n") == 1 and "Traceback" not in stderr, result
    for word in words:
        assert word in stderr, stderr


@pytest.mark.parametrize("method", ["masked", "segan", "segan-released", "unet"])
def test_a_run_from_start_to_score(door, slices, tmp_path, method):
    out, results = tmp_path / "run", tmp_path / "results.json"
    code, said, _ = door(
        train, "segmentation", "--data", slices.folder, "--out", out, "--method", method, *TINY
    )
    assert code == 0 and "of 3 steps" in said and "threshold" in said
    with open(out / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [0, 1, 2]
    assert ("critic" in rows[0]) == (method != "unet") and rows[2]["validation dice"]
    code, said, _ = door(
        evaluate, "--data", slices.folder, "--weights", out / "weights.safetensors", "--out", results,
        "--split", "all",
    )  # fmt: skip
    assert code == 0 and said.startswith("dice")
    found = json.loads(results.read_text())
    assert found["scores"]["lesion_slices"] == 24 and found["scores"]["slices"] == 48
    assert found["made_by"]["settings"]["method"] == method and 0 < found["threshold"] < 1


def test_another_loss_than_the_papers(door, slices, tmp_path):
    out = tmp_path / "run"
    words = ("segmentation", "--data", slices.folder, "--out", out, "--loss", "divergence", *TINY)
    assert door(train, *words)[0] == 0
    with open(out / "metrics.csv", newline="") as file:
        assert "divergence" in next(csv.DictReader(file))
    _, about = load_weights(out / "weights.safetensors", "segmentor")
    assert about["settings"]["loss"] == "divergence" and about["settings"]["method"] == "masked"


def test_synthesis_runs_and_its_weights_are_no_segmentor(door, slices, tmp_path):
    out = tmp_path / "run"
    code, said, _ = door(train, "synthesis", "--data", slices.folder, "--out", out, *TINY)
    assert code == 0 and "weights.safetensors" in said
    network, about = load_weights(out / "weights.safetensors", "generator")
    assert network.config["width"] == 4 and about["settings"]["adversarial"] == "logistic"
    one_line(
        door(evaluate, "--data", slices.folder, "--weights", out / "weights.safetensors", "--out", tmp_path / "r"),
        "generator",
    )  # fmt: skip


def test_resume_needs_no_options_and_ends_where_one_go_ends(door, slices, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    common = ("segmentation", "--data", slices.folder)
    assert door(train, *common, "--out", whole, *TINY)[0] == 0
    gone = train.Loop._one_step

    def interrupted(loop):
        losses = gone(loop)
        if loop.step == 2:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGINT)
        return losses

    monkeypatch.setattr(train.Loop, "_one_step", interrupted)
    code, said, _ = door(train, *common, "--out", parts, *TINY)
    assert code == 130 and "--resume" in said and not (parts / "weights.safetensors").exists()
    monkeypatch.setattr(train.Loop, "_one_step", gone)
    code, said, _ = door(train, *common, "--out", parts, "--resume", "--threads", "1")
    assert code == 0 and "goes on after step 2 of 3" in said
    a, b = (load_file(folder / "weights.safetensors") for folder in (whole, parts))
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_wrong_use_of_train_is_one_line(door, slices, tmp_path):
    out = tmp_path / "run"
    start = ("segmentation", "--data", slices.folder, "--out", out)
    one_line(door(train, "segmentation", "--out", out), "--data")
    one_line(door(train, "painting"), "painting")
    one_line(door(train, *start, "--method", "magic"), "magic")
    one_line(door(train, *start, "--steps", "0"), "--steps: 0")
    one_line(door(train, *start, "--width", "6"), "--width 6")
    one_line(door(train, *start, "--lesion-share", "2"), "--lesion-share: 2", "or data")
    one_line(door(train, *start, "--dice=-1"), "--dice: -1")
    one_line(door(train, *start, "--dice=0", "--multi-scale=0"), "every weight")
    one_line(door(train, *start, "--loss", "magic"), "magic")
    for more in (("--method", "unet"), ("--multi-scale", "0"), ("--levels", "pixel")):
        one_line(door(train, *start, "--loss", "divergence", *more), "--loss divergence", "--method masked")
    one_line(door(train, *start, "--precision", "fp16"), "fp16", "GPU")
    one_line(door(train, "segmentation", "--data", tmp_path / "none", "--out", out), "none", "SliceSet")
    assert not out.exists(), "nothing half-made is left"
    assert door(train, *start, *TINY)[0] == 0
    one_line(door(train, *start, *TINY), str(out), "--resume")
    one_line(door(train, *start, "--resume", "--steps", "9"), "steps was 3, now 9")
    one_line(door(train, *start, "--resume", "--method", "unet"), "method was masked, now unet")
    other = made(tmp_path / "other", channels=2)
    one_line(door(train, "segmentation", "--data", other.folder, "--out", out, "--resume"), "data was")


@pytest.mark.parametrize("method", ["masked", "segan", "unet"])
def test_a_run_whose_numbers_grow_without_bound_ends_with_advice(door, slices, tmp_path, method):
    """Wherever it shows first: in a loss, in the cross-entropy, or in the validation after the first step."""
    start = ("segmentation", "--data", slices.folder, "--out", tmp_path / "run", "--method", method)
    one_line(door(train, *start, *TINY, "--rate", "1e30"), "without bound", "smaller --rate")


def test_a_second_process_on_one_run_is_refused(door, slices, tmp_path):
    out = tmp_path / "run"
    start = ("segmentation", "--data", slices.folder, "--out", out)
    assert door(train, *start, *TINY)[0] == 0
    before = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    with FileLock(out / ".lock"):
        one_line(door(train, *start, "--resume"), str(out), "is being written by another process")
    assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == before
    assert door(train, *start, "--resume")[0] == 0


def test_a_run_that_another_process_has_made_meanwhile_is_left_alone(door, slices, tmp_path, monkeypatch):
    out, build = tmp_path / "run", train.build
    start = ("segmentation", "--data", slices.folder, "--out", out, *TINY)
    before = {}

    def slow(*settings):
        monkeypatch.setattr(train, "build", build)
        assert door(train, *start, "--method", "unet")[0] == 0
        before.update({file: file.read_bytes() for file in out.rglob("*") if file.is_file()})
        return build(*settings)

    monkeypatch.setattr(train, "build", slow)
    one_line(door(train, *start, "--method", "segan"), str(out), "holds a run already")
    assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == before != {}


def test_a_resume_leaves_the_settings_as_they_are(door, slices, tmp_path):
    """A disk that is full at a restart must not cost the run."""
    out = tmp_path / "run"
    start = ("segmentation", "--data", slices.folder, "--out", out)
    assert door(train, *start, *TINY)[0] == 0
    before = (out / "settings.json").stat()
    assert door(train, *start, "--resume")[0] == 0
    after = (out / "settings.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_data_without_lesions_or_with_nan_is_refused(door, slices, tmp_path):
    healthy = made(tmp_path / "healthy", stroke=False)
    out = tmp_path / "run"
    one_line(
        door(train, "segmentation", "--data", healthy.folder, "--out", out, *TINY), "no slice with stroke"
    )
    weights = tmp_path / "w.safetensors"
    gan = SegmentationGAN(replace(METHODS["unet"], width=4))
    save_weights(weights, gan.segmentor, {"threshold": 0.5})
    use = ("--weights", weights, "--out", tmp_path / "r.json")
    one_line(door(evaluate, "--data", healthy.folder, *use), "no slice with stroke")

    broken = tmp_path / "nan"
    shutil.copytree(slices.folder, broken)
    images = np.load(broken / "images.npy").astype(np.float32)
    images[0, 0, 64, 64] = np.nan
    np.save(broken / "images.npy", images)
    one_line(door(train, "segmentation", "--data", broken, "--out", out, *TINY), "images.npy", "changed")
    card = json.loads((broken / "dataset.json").read_text())
    card["sha256"]["images.npy"] = sha256(broken / "images.npy")
    (broken / "dataset.json").write_text(json.dumps(card))
    one_line(door(train, "segmentation", "--data", broken, "--out", out, *TINY), "in shape or type")


def test_wrong_use_of_evaluate_is_one_line(door, slices, tmp_path):
    good, bare, foreign = (tmp_path / f"{name}.safetensors" for name in ("good", "bare", "foreign"))
    segmentor = SegmentationGAN(replace(METHODS["masked"], width=4), 2).segmentor
    save_weights(good, segmentor, {"threshold": 0.5})
    foreign.write_bytes(b"not safetensors")
    data, out = ("--data", slices.folder), ("--out", tmp_path / "r.json")
    one_line(door(evaluate, *data, "--weights", good, *out), "1 channel", "for 2")
    one_line(door(evaluate, *data, "--weights", foreign, *out), "foreign", "not a weight file")
    one_line(door(evaluate, *data, "--weights", tmp_path / "none", *out), "is not there")
    two = made(tmp_path / "two", channels=2)
    save_weights(bare, segmentor, {})
    one_line(door(evaluate, "--data", two.folder, "--weights", bare, *out), "threshold")
    assert not (tmp_path / "r.json").exists()
    assert door(evaluate, "--data", two.folder, "--weights", good, *out)[0] == 0
    one_line(door(evaluate, "--data", two.folder, "--weights", good, *out), "exists already")
