"""The comparison of ways to balance, with runs of two steps: every arm, resumed, scored once."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
import torch
from brains import brains
from torch import nn

from experiments import balancing as module
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import split_of
from strokegan_lib.models.family.dual import MaskGenerator
from strokegan_lib.models.synthesis import Generator
from strokegan_lib.training.weights import save_weights

TINY = (
    "--steps",
    "2",
    "--generator-steps",
    "2",
    "--width",
    "4",
    "--generator-width",
    "4",
    "--batch-size",
    "4",
)
ARMS = ["oversampling", "real", "carvemix", "gan-35", "gan-50", "synthetic-only"]


@pytest.fixture(scope="module")
def discs(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("discs") / "set", patients=60, each=1)


@pytest.fixture
def door(monkeypatch, capsys):
    def call(*words) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["balancing", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            module.main()
        return end.value.code or 0, *capsys.readouterr()

    return call


def table(out) -> list[dict[str, str]]:
    with open(out / "balancing.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_arm_learns_from_training_patients_alone_and_is_not_made_twice(door, discs, tmp_path):
    out = tmp_path / "runs"
    words = ("--data", discs.folder, "--out", out, *TINY)
    code, _, complaint = door(*words)
    assert code == 0, complaint
    lines = table(out)
    assert [line["arm"] for line in lines] == ARMS
    seen = {line["arm"]: float(line["stroke_share_in_batches"]) for line in lines}
    thin = SliceSet.open(out / "data")
    assert seen["real"] == pytest.approx(thin.table["has_stroke"][thin.of_split("train")].mean(), abs=1e-4)
    assert seen["oversampling"] == 0.5 and seen["gan-50"] == pytest.approx(0.5, abs=0.03)
    settings = json.loads((out / "real" / "settings.json").read_text())
    assert settings["lesion_share"] is None and settings["method"] == "unet"
    steps = {json.loads((out / arm / "settings.json").read_text())["steps"] for arm in ARMS}
    assert steps == {2}
    for arm in ARMS[2:]:
        made = SliceSet.open(out / "sets" / arm)
        new = made.table["patient"][made.table["synthetic"] == 1].tolist()
        assert new and {split_of(patient) for patient in new} == {"train"}
        assert set(new) <= set(thin.table["patient"].tolist())
    card = json.loads((out / "balancing.json").read_text())
    assert card["setting"] == "soop-18" and card["counts"]["slices"] == len(discs.of_split("test"))

    before = {file: file.stat().st_mtime_ns for file in out.rglob("*.safetensors")}
    (out / "gan-50" / "weights.safetensors").unlink()
    assert door(*words)[0] == 0 and table(out) == lines
    after = {file: file.stat().st_mtime_ns for file in out.rglob("*.safetensors")}
    assert {file for file in before if before[file] != after[file]} == {
        out / "gan-50" / "weights.safetensors"
    }

    code, _, complaint = door(*words, "--seed", 1)
    assert code == 2 and "other options or other data" in complaint and complaint.count("\n") == 1


def test_folds_are_scored_together(door, discs, tmp_path):
    out = tmp_path / "runs"
    words = (
        "--data",
        discs.folder,
        "--out",
        out,
        "--setting",
        "whole",
        "--folds",
        1,
        3,
        "--ratios",
        0.5,
        0.6,
    )
    code, _, complaint = door(*words, *TINY)
    assert code == 0, complaint
    lines = table(out)
    assert [line["arm"] for line in lines][3:5] == ["gan-50", "gan-60"]
    card = json.loads((out / "balancing.json").read_text())
    tested = [len(discs.of_split("test", fold)) for fold in (1, 3)]
    assert card["counts"]["slices"] == sum(tested) and card["seeds"] == [1, 3]
    assert "--folds 1 3" in card["command"] and "--ratios 0.5 0.6" in card["command"]


def generator(file: Path, data: SliceSet, network: nn.Module) -> Path:
    """Untrained weights that say they were trained on the set's training part."""
    save_weights(file, network, {"data_sha256": data.card["sha256"], "settings": {"fold": None}})
    return file


def test_generators_trained_elsewhere_are_arms_if_they_saw_the_same_slices(door, discs, tmp_path):
    files = [generator(tmp_path / f"{name}.safetensors", discs, Generator(width=4)) for name in ("a", "b")]
    torch.manual_seed(0)
    maker = MaskGenerator(noise=8, width=4)
    with torch.no_grad():  # untrained, yet it makes blobs
        maker.head.weight.mul_(30)
        maker.head.bias.copy_(torch.tensor([-1.0, 2.0]))
    masks = generator(tmp_path / "m.safetensors", discs, maker)
    words = ("--data", discs.folder, "--setting", "whole", "--ratios", 0.5, 0.6, *TINY)
    code, _, complaint = door(
        *words, "--out", tmp_path / "runs", "--painters", *files, "--mask-weights", masks
    )
    assert code == 0, complaint
    assert [line["arm"] for line in table(tmp_path / "runs")] == [
        "oversampling", "a-60", "a-60 made masks", "b-60", "b-60 made masks",
    ]  # fmt: skip
    assert not (tmp_path / "runs" / "generator").exists()

    for more in (("--setting", "tenth"), ("--folds", 1)):  # its training part is another
        code, _, said = door(*words, *more, "--out", tmp_path / more[0], "--painters", files[0])
        assert code == 2 and "trained on other slices" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--data", "no/such"], "is not a SliceSet"),
        (["--ratios", "0.6", "0.5"], "--ratios: are no two rising shares"),
        (["--ratios", "0.5", "0.5"], "--ratios: are no two rising shares"),
        (["--setting", "half"], "--setting"),
        (["--folds", "5"], "--folds"),
        (["--width", "5"], "--width 5: is not a multiple of 4"),
        (["--start", "no.safetensors"], "no.safetensors: is not there"),
        (["--painters", "no.safetensors"], "no.safetensors: is not there"),
        (["--mask-weights", "no.safetensors"], "--mask-weights: goes with --painters"),
    ],
)
def test_bad_use(door, discs, tmp_path, words, complaint):
    code, _, said = door("--data", discs.folder, "--out", tmp_path / "runs", *TINY, *words)
    assert code == 2 and said.count("\n") == 1 and complaint in said, said
