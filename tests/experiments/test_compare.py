"""Comparison of methods: every patient tested once, nothing trained twice, tables that follow from their slices."""

from __future__ import annotations

import csv
import json
import sys

import numpy as np
import pytest
import torch
from brains import brains

from experiments import compare
from strokegan_lib.classroom.saved import table_of
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.training.weights import load_weights

TINY = ("--arms", "unet,segan", "--steps", "2", "--width", "4", "--batch-size", "4")


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("data") / "set", patients=60, every=2)


def compared(*words) -> None:
    compare.compare(compare.parser().parse_args([str(word) for word in words]))


@pytest.fixture(scope="module")
def out(slices, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    compared("--data", slices.folder, "--out", folder, "--cross-validate", *TINY)
    return folder


def test_every_slice_is_tested_once_by_a_network_that_never_saw_its_patient(slices, out):
    with open(out / "slices.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert sorted(int(line["row"]) for line in lines) == list(range(len(slices)))
    assert all(line["patient"] == slices.table["patient"][int(line["row"])] for line in lines)
    for arm in ("unet", "segan"):
        for fold in range(5):
            _, about = load_weights(out / arm / f"fold-{fold}" / "weights.safetensors", "segmentor")
            assert about["settings"]["fold"] == about["settings"]["seed"] == fold
            assert about["settings"]["method"] == arm


def test_the_table_follows_from_the_slices(slices, out):
    with open(out / "slices.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    with open(out / "table.csv", newline="", encoding="utf-8") as file:
        table = {line["arm"]: line for line in csv.DictReader(file)}
    dice = {}
    for arm in table:
        tp, fp, fn = (
            torch.tensor([int(line[f"{arm}_{name}"]) for line in lines]) for name in ("tp", "fp", "fn")
        )
        assert torch.equal(
            tp + fn > 0, torch.from_numpy(slices.table["has_stroke"][[int(x["row"]) for x in lines]] == 1)
        )
        counts = Counts(tp, fp, fn)
        dice[arm] = counts[counts.lesion()].dice().numpy()
        assert float(table[arm]["dice_mean"]) == pytest.approx(dice[arm].mean(), abs=1e-4)
        assert float(table[arm]["pooled_dice_mean"]) == pytest.approx(counts.pool().dice().item(), abs=1e-4)
    assert table["unet"]["minus_arm"] == ""
    assert float(table["segan"]["minus_arm"]) == pytest.approx(
        np.mean(dice["unet"] - dice["segan"]), abs=1e-4
    )


def test_a_second_call_trains_nothing(slices, out, monkeypatch):
    before = {file: file.stat().st_mtime_ns for file in out.rglob("weights.safetensors")}
    monkeypatch.setattr(compare, "train", lambda *_: pytest.fail("trained again"))
    compared("--data", slices.folder, "--out", out, "--cross-validate", *TINY)
    assert before == {file: file.stat().st_mtime_ns for file in out.rglob("weights.safetensors")}


def test_the_card_says_how(out):
    card = json.loads((out / "card.json").read_text(encoding="utf-8"))
    assert (
        card["command"].startswith("python -m experiments.compare ") and "--cross-validate" in card["command"]
    )
    assert card["counts"]["patients"] == 60 and card["seeds"] == [0, 1, 2, 3, 4]
    lines, read = table_of("table", _renamed(out))
    assert read == card and isinstance(lines[0]["dice_mean"], float) and lines[0]["minus_arm"] is None


def _renamed(out):
    (out / "table.json").write_text((out / "card.json").read_text(encoding="utf-8"), encoding="utf-8")
    return out


@pytest.mark.parametrize("arms", ["unet,unknown", "unet,unet", ""])
def test_arms_that_are_none(slices, tmp_path, arms, monkeypatch, capsys):
    words = ["--data", str(slices.folder), "--out", str(tmp_path / "runs"), "--arms", arms]
    monkeypatch.setattr(sys, "argv", [compare.PROG, *words])
    with pytest.raises(SystemExit) as end:
        compare.main()
    assert end.value.code == 2 and not (tmp_path / "runs").exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_results_that_do_not_come_with_the_kit():
    with pytest.raises(BadInput, match="do not come with the kit"):
        table_of("nothing")
