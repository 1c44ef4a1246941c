"""The runner: arms x folds x seeds end to end, nothing trained twice, tables that follow from their slices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from brains import brains
from scipy import stats

from experiments import balancing, runner
from experiments.recipes import words
from experiments.runner import Arm, Experiment, Place, Result, run
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import split_of
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.training.weights import load_weights, shipped

BUDGET = {"steps": 4, "width": 4, "batch_size": 4, "threads": 1}
TINY = Experiment(
    {"unet": Arm({"method": "unet"}), "segan": Arm({"method": "segan", "attention": True})},
    BUDGET,
    folds=(0, 3),
    seeds=(0, 10),
)


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("data") / "set", patients=40, each=1, every=2)


@pytest.fixture(scope="module")
def place(slices, tmp_path_factory) -> Place:
    return Place(slices, tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def result(place) -> Result:
    return run(TINY, place)


def stamps(place: Place) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in place.runs.rglob("weights.safetensors")}


def test_every_cell_is_trained_by_a_network_that_never_saw_its_test_patients(place, slices, result):
    expected = np.concatenate([slices.of_split("test", fold) for _ in (0, 10) for fold in (0, 3)])
    assert [line["row"] for line in result.tables["slices"]] == expected.tolist()
    files = stamps(place)
    assert len(files) == 2 * 2 * 2
    cells = set()
    for file in files:
        settings = load_weights(file, "segmentor")[1]["settings"]
        cells.add((settings["method"], settings["fold"], settings["seed"]))
        assert settings["steps"] == 4 and settings["attention"] == (settings["method"] == "segan")
    assert cells == {(arm, fold, seed + fold) for arm in TINY.arms for fold in (0, 3) for seed in (0, 10)}
    assert result.facts["seeds"] == [0, 3, 10, 13]


def test_the_table_follows_from_its_slices_and_the_test_is_scipys(result):
    lines, (first, second) = result.tables["slices"], result.tables[""]
    patients = np.array([line["patient"] for line in lines])
    dice = {}
    for line in (first, second):
        pixels = (torch.tensor([of[f"{line['arm']}_{name}"] for of in lines]) for name in ("tp", "fp", "fn"))
        counts = Counts(*pixels)
        dice[line["arm"]] = counts[counts.lesion()].dice().numpy()
        assert line["dice_mean"] == pytest.approx(dice[line["arm"]].mean())
        assert line["pooled_dice_mean"] == pytest.approx(float(counts.pool().dice()))
        assert line["dice_low"] <= line["dice_mean"] <= line["dice_high"] and line["seed_spread"] >= 0
    gap, ill = dice["unet"] - dice["segan"], patients[counts.lesion().numpy()]
    assert second["minus_arm"] == pytest.approx(gap.mean()) and "minus_arm" not in first
    by_patient = [gap[ill == patient].mean() for patient in np.unique(ill)]
    assert second["wilcoxon_holm_p"] == pytest.approx(stats.wilcoxon(by_patient).pvalue)
    assert {line["group"] for line in result.tables["groups"]} > {"lesion slices", "empty slices"}


def test_finished_runs_are_not_repeated_and_may_be_shared(place, slices, result):
    before = stamps(place)
    assert run(TINY, place).tables == result.tables
    assert (
        run(replace(TINY, runs="tiny"), replace(place, runs=place.runs.with_name("other"))).tables
        == result.tables
    )
    validation = run(replace(TINY, leave_out="validation"), place)
    assert {split_of(line["patient"]) for line in validation.tables["slices"]} == {"train"}
    assert {split_of(line["patient"]) for line in result.tables["slices"]} == {"train", "validation"}
    assert stamps(place) == before
    with pytest.raises(BadInput, match="steps was 4 and is now 5"):
        run(replace(TINY, budget={**BUDGET, "steps": 5}), place)
    with pytest.raises(BadInput, match="learnt from other data"):
        run(
            TINY,
            replace(place, data=brains(place.runs.parent / "discs", patients=40, each=1, every=2, seed=1)),
        )


def test_a_killed_run_goes_on(place, slices, result, tmp_path):
    """Killed in the middle of an arm, then given again: the same table, and what was finished is kept."""
    program = (
        "import sys; sys.path.insert(0, 'tests/experiments'); from pathlib import Path; "
        "from test_runner import TINY; from experiments.runner import Place, run; "
        "from strokegan_lib.data.slices import SliceSet; run(TINY, Place(SliceSet.open(sys.argv[1]), Path(sys.argv[2])))"
    )
    again = Place(slices, tmp_path / "tiny")
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(slices.folder), str(again.runs)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, "tests"])}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while len(stamps(again)) < 2 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = stamps(again)
    assert 2 <= len(kept) < 8
    assert run(TINY, again).tables == result.tables
    assert {file: stamp for file, stamp in stamps(again).items() if file in kept} == kept


def test_options_as_words():
    assert words({"batch_size": 8, "attention": False, "rate": 2.0, "lesion_share": None}) == [
        "--batch-size", "8", "--no-attention", "--rate", "2", "--lesion-share", "data",
    ]  # fmt: skip


def test_a_score_is_kept_until_its_file_changes(tmp_path):
    made = iter("ab")
    kept = [runner.cached(tmp_path / "x.json", of, lambda: next(made)) for of in (1, 1, 2)]
    assert kept == ["a", "a", "b"]


def test_balancing_learns_from_training_patients_alone(tmp_path, monkeypatch):
    discs = brains(tmp_path / "set", patients=60, each=1)
    monkeypatch.setattr(balancing, "BUDGET", {"method": "unet", **BUDGET, "steps": 1})
    monkeypatch.setattr(balancing, "GENERATOR", {**BUDGET, "steps": 1})
    setting = replace(balancing.SOOP_18, start=None)
    place = Place(discs, tmp_path / "runs" / "balancing")
    lines = {line["arm"]: line for line in balancing.balancing(setting, place).tables[""]}
    assert [*lines] == ["oversampling", "real", "carvemix", "gan-35", "gan-50", "synthetic-only"]
    stage = place.runs / "plain-split"
    thin = SliceSet.open(stage / "data")
    assert lines["oversampling"]["stroke_share_in_batches"] == 0.5
    assert lines["gan-50"]["stroke_share_in_batches"] == pytest.approx(0.5, abs=0.03)
    assert lines["synthetic-only"]["synthetic_slices"] == lines["synthetic-only"]["training_slices"]
    for arm in ("carvemix", "gan-35", "gan-50", "synthetic-only"):
        made = SliceSet.open(stage / "sets" / arm)
        new = set(made.table["patient"][made.table["synthetic"] == 1].tolist())
        assert new and {split_of(patient) for patient in new} == {"train"}
        assert new <= set(thin.table["patient"].tolist())
    generator = load_weights(stage / "generator" / "weights.safetensors", "generator")[1]
    assert generator["data_sha256"] == thin.card["sha256"]
    assert balancing.TENTH.start == shipped("synthesis-phantom")
