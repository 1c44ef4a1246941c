"""The training command: a run of each task, its record, and every wrong use in one line."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sys

import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from strokegan_lib import train
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.training.tasks import TASKS, resolve_settings
from strokegan_lib.training.weights import NETWORKS, load_weights

TINY = ("--steps", "3", "--width", "4", "--batch-size", "4", "--checkpoint-seconds", "0", "--threads", "1")


def made(out, channels=1, stroke=True) -> SliceSet:
    """24 patients of two slices, the first with a bright square for a stroke."""
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


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    return made(tmp_path_factory.mktemp("data") / "set")


def call(module, monkeypatch, capsys, *words) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", [module.PROG, *map(str, words)])
    with pytest.raises(SystemExit) as end:
        module.main()
    return end.value.code or 0, *capsys.readouterr()


@pytest.fixture
def command(monkeypatch, capsys):
    return lambda *words: call(train, monkeypatch, capsys, *words)


def one_line(result: tuple[int, str, str], *words: str) -> None:
    code, _, stderr = result
    assert code == 2 and stderr.count("\n") == 1 and "Traceback" not in stderr, result
    for word in words:
        assert word in stderr, stderr


def files(folder) -> dict:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("words", "kind", "expected"),
    [
        ("segmentation", "segmentor", {"method": "masked", "multi_scale": 1.0, "average": 0.99}),
        ("segmentation --method unet --dice 0.5", "segmentor", {"method": "unet", "bce": 1.0, "dice": 0.5}),
        ("segmentation --loss divergence", "segmentor", {"loss": "divergence", "method": "masked"}),
        ("synthesis", "generator", {"generator": "paper", "adversarial": "logistic", "average": 0.995}),
        (
            "synthesis --generator styled --style 5 --no-grain --kl 0.5", "styled generator",
            {"generator": "styled", "kl": 0.5, "pixel": 10.0, "r1": 1.0, "grain": False, "style": 5},
        ),
        ("family --member pix2pix", "pix2pix", {"member": "pix2pix", "lesion_share": 0.5}),
        ("masks", "mask generator", {"noise": 64, "lesion_share": 1.0}),
        ("encoder --features 6", "encoder", {"features": 6, "lesion_share": 0.5}),
    ],
)  # fmt: skip
def test_a_run_of_each_task_and_its_record(command, slices, tmp_path, words, kind, expected):
    out = tmp_path / "run"
    code, said, error = command(*words.split(), "--data", slices.folder, "--out", out, *TINY)
    assert code == 0 and "of 3 steps" in said, error
    with open(out / "metrics.csv", newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [0, 1, 2]
    network, about = load_weights(out / "weights.safetensors", kind)
    assert type(network) is NETWORKS[kind] and about["data_sha256"] == slices.card["sha256"]
    settings = json.loads((out / "settings.json").read_text())
    common = {
        "steps": 3,
        "width": 4,
        "batch_size": 4,
        "seed": 0,
        "profile": "quick",
        "fold": None,
        "start": None,
    }
    assert about["settings"] == settings and {**common, **expected}.items() <= settings.items()
    assert ("threshold" in about) == (kind == "segmentor")


def test_a_profile_decides_the_sizes_that_are_not_given():
    full = resolve_settings("segmentation", {"profile": "full", "steps": 9, "method": "unet"})
    assert (full.steps, full.width, full.batch_size, full.bce) == (9, 32, 32, 1.0)
    assert resolve_settings("masks", {"profile": "full"}).width == 16
    assert resolve_settings("family", {"profile": "full", "member": "sagan"}).width == 8


def test_resume_needs_no_options_and_ends_where_one_go_ends(command, slices, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    common = ("segmentation", "--data", slices.folder)
    assert command(*common, "--out", whole, *TINY)[0] == 0
    step = train.Loop._one_step

    def interrupted(loop):
        losses = step(loop)
        if loop.step == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return losses

    monkeypatch.setattr(train.Loop, "_one_step", interrupted)
    code, said, _ = command(*common, "--out", parts, *TINY)
    assert code == 130 and "--resume" in said and not (parts / "weights.safetensors").exists()
    monkeypatch.setattr(train.Loop, "_one_step", step)
    code, said, _ = command(*common, "--out", parts, "--resume", "--threads", "1")
    assert code == 0 and "goes on after step 2 of 3" in said
    a, b = (load_file(folder / "weights.safetensors") for folder in (whole, parts))
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


BAD = [  # words, what the line names; no data set is there, so that nothing else can be wrong first
    ("painting", "painting"),
    ("segmentation --method magic", "magic"),
    ("segmentation --loss magic", "magic"),
    ("segmentation --width 6", "--width 6"),
    ("segmentation --lesion-share 2", "--lesion-share: 2", "or data"),
    ("segmentation --dice=0 --multi-scale=0", "every weight"),
    ("segmentation --loss divergence --method unet", "--loss divergence", "--method masked"),
    ("segmentation --loss divergence --multi-scale 0", "--loss divergence", "--method masked"),
    ("segmentation --loss divergence --levels elements", "--loss divergence", "--method masked"),
    ("synthesis --pixel 0 --multi-scale 0", "every weight"),
    ("synthesis --kl 1", "--kl", "does not go with --generator paper"),
    ("synthesis --no-grain", "--grain", "does not go with --generator paper"),
    ("synthesis --compile", "--compile", "--r1 0"),
    ("family --member progressive --compile", "--compile", "leave it out"),
    ("segmentation --precision fp16", "nowhere"),
    ("segmentation --start nowhere.safetensors", "nowhere.safetensors", "is not there"),
]


@pytest.mark.parametrize(("words", "named"), [(words, named) for words, *named in BAD])
def test_wrong_use_is_one_line(command, tmp_path, words, named):
    out = tmp_path / "run"
    one_line(command(*words.split(), "--data", tmp_path / "nowhere", "--out", out), *named)
    assert not out.exists(), "nothing half-made is left"


def test_a_run_goes_on_with_its_own_settings_alone(command, slices, tmp_path):
    out, other = tmp_path / "run", made(tmp_path / "other", channels=2)
    start = ("segmentation", "--data", slices.folder, "--out", out)
    assert command(*start, *TINY)[0] == 0
    before, stat = files(out), (out / "settings.json").stat()
    one_line(command(*start, *TINY), str(out), "--resume")
    one_line(command(*start, "--resume", "--steps", "9"), "steps was 3 and is now 9")
    one_line(command(*start, "--resume", "--method", "unet"), "method was masked and is now unet")
    one_line(command("masks", *start[1:], "--resume"), "task was segmentation and is now masks")
    one_line(command("segmentation", "--data", other.folder, "--out", out, "--resume"), "data was")
    with FileLock(out / ".lock"):
        one_line(command(*start, "--resume"), str(out), "is being written by another process")
    assert files(out) == before
    assert command(*start, "--resume")[0] == 0
    after = (
        out / "settings.json"
    ).stat()  # never written anew: a full disk at a restart must not cost the run
    assert (after.st_ino, after.st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
    record = json.loads((out / "settings.json").read_text())
    del record["dice"], record["average"]
    (out / "settings.json").write_text(json.dumps(record))  # as another version may have written it
    one_line(command(*start, "--resume"), "average was None and is now 0.99; dice was None")
    (out / "settings.json").write_text("{")
    one_line(command(*start, "--resume"), "settings.json", "cannot be read")


def test_where_a_run_may_start_from(command, slices, tmp_path):
    first, words = tmp_path / "first", ("segmentation", "--data", slices.folder, "--out")
    assert command(*words, first, *TINY)[0] == 0
    start = ("--start", first / "weights.safetensors", *TINY)
    assert command(*words, tmp_path / "next", *start)[0] == 0
    named = load_weights(tmp_path / "next" / "weights.safetensors", "segmentor")[1]["settings"]["start"]
    assert named["file"] == "weights.safetensors" and len(named["sha256"]) == 64
    one_line(command(*words, tmp_path / "other", "--method", "unet", *start), "differs from the run in")
    one_line(command("synthesis", *words[1:], tmp_path / "other", *start), "a segmentor, not a generator")
    for checkpoint in (tmp_path / "next").glob("*.pt"):
        checkpoint.unlink()
    one_line(command(*words, tmp_path / "next", "--resume"), "holds no checkpoint yet", "again")
    assert not (tmp_path / "other").exists()


def test_a_run_that_another_process_has_made_meanwhile_is_left_alone(command, slices, tmp_path, monkeypatch):
    out, build = tmp_path / "run", train.build
    start = ("segmentation", "--data", slices.folder, "--out", out, *TINY)
    before = {}

    def slow(*settings):
        monkeypatch.setattr(train, "build", build)
        assert command(*start, "--method", "unet")[0] == 0
        before.update(files(out))
        return build(*settings)

    monkeypatch.setattr(train, "build", slow)
    one_line(command(*start, "--method", "segan"), str(out), "holds a run already")
    assert files(out) == before != {}


def test_a_run_whose_numbers_grow_without_bound_ends_with_advice(command, slices, tmp_path):
    start = ("segmentation", "--data", slices.folder, "--out", tmp_path / "run")
    one_line(command(*start, *TINY, "--rate", "1e30"), "without bound", "smaller --rate")
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_data_that_cannot_be_learnt_from_are_refused(command, slices, tmp_path):
    out = ("--out", tmp_path / "run", *TINY)
    one_line(command("segmentation", "--data", tmp_path / "none", *out), "none", "SliceSet")
    healthy, two = made(tmp_path / "healthy", stroke=False), made(tmp_path / "two", channels=2)
    one_line(command("segmentation", "--data", healthy.folder, *out), "no slice with stroke")
    for task in ("family", "encoder"):
        one_line(command(task, "--data", two.folder, *out), "several channels")
    broken = tmp_path / "nan"
    shutil.copytree(slices.folder, broken)
    images = np.load(broken / "images.npy").astype(np.float32)
    images[0, 0, 64, 64] = np.nan
    np.save(broken / "images.npy", images)
    one_line(command("segmentation", "--data", broken, *out), "images.npy", "changed")
    assert not (tmp_path / "run").exists() and set(TASKS) >= {"family", "encoder"}
