"""The comparison of ways to balance, with runs of two steps: every arm, resumed, scored once."""

from __future__ import annotations

import csv
import json
import sys

import pytest
from brains import brains

from strokegan_lib import balancing as module
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import split_of

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


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--data", "no/such"], "is not a SliceSet"),
        (["--ratios", "0.6", "0.5"], "--ratios: are no two rising shares"),
        (["--ratios", "0.5", "1"], "--ratios: are no two rising shares"),
        (["--setting", "half"], "--setting"),
        (["--folds", "5"], "--folds"),
        (["--width", "5"], "--width 5: is not a multiple of 4"),
        (["--start", "no.safetensors"], "no.safetensors: is not there"),
    ],
)
def test_bad_use(door, discs, tmp_path, words, complaint):
    code, _, said = door("--data", discs.folder, "--out", tmp_path / "runs", *TINY, *words)
    assert code == 2 and said.count("\n") == 1 and complaint in said, said
