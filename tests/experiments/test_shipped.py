"""Experiments that ask shipped networks: each line is there, scored once, and of test patients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from brains import brains
from PIL import Image

from experiments import (
    balancing,
    blinded,
    generators,
    memorisation,
    new_loss,
    realism_measures,
    runner,
    table1,
    transfer,
)
from experiments.runner import Place
from strokegan_lib.training.weights import load_weights, shipped


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    data = brains(tmp_path_factory.mktemp("data") / "set", patients=150, each=1, every=2)
    runs = tmp_path_factory.mktemp("runs") / "experiment"
    runs.mkdir()
    return Place(data, runs, data.folder)


def test_generators_beside_the_truth_and_the_family(place, monkeypatch):
    monkeypatch.setattr(generators, "FROM_MASKS", ("styled-soop",))
    monkeypatch.setattr(generators, "without_parts", lambda name, network: {})  # seconds each
    monkeypatch.setattr(realism_measures, "HALVINGS", 2)
    lines = generators.generators(place).tables[""]
    assert [line["generator"] for line in lines] == ["true slices", "styled-soop"]
    styled = lines[1]
    assert styled["same_masks_mean"] < 1 and lines[0]["coverage_mean"] and not lines[0]["coverage_low"]
    kept = {file: file.stat().st_mtime_ns for file in place.runs.with_name("scored").iterdir()}

    few = {name: generators.HISTORY[name] for name in ("sagan-soop", "segan-soop", "styled-soop")}
    for name, value in {"HISTORY": few, "STEPS": 1, "BATCH": 2, "COLUMNS": 2}.items():
        monkeypatch.setattr(generators, name, value)
    result = generators.family(place)
    lines = result.tables[""]
    assert [(line["member"], line.get("source")) for line in lines] == [
        ("", "patients"), ("sagan", "noise"), ("segan", None), ("styled", "test masks"), ("styled", "made masks"),
    ]  # fmt: skip
    assert lines[2]["dice_mean"] and all(line["step_seconds"] > 0 for line in lines[1:])
    assert lines[3]["kernel_mean"] == styled["kernel_mean"] and not lines[4]["fidelity_mean"]
    assert all(file.stat().st_mtime_ns == stamp for file, stamp in kept.items()), "scored twice"
    assert Image.open(place.runs / "family.png").height == 3 * 132 - 4
    assert set(result.facts["weights_sha256"]) == {*few, generators.MASKS, generators.SEEKER}


def test_a_part_of_a_style_is_switched_off():
    generator, _ = load_weights(shipped("styled-soop"), "styled generator")
    mean, normal, smooth = generators.without_parts("styled", generator).values()
    assert torch.equal(mean.second, torch.outer(mean.first, mean.first)) and not normal.first.any()
    grains = [parameter for name, parameter in smooth.named_parameters() if name.endswith(".grain")]
    assert grains and not any(grain.any() for grain in grains)
    assert generators.without_parts("paper", load_weights(shipped("synthesis-soop"), "generator")[0]) == {}


def test_segmentors_from_elsewhere(place):
    lines = transfer.transfer(place).tables[""]
    assert [(line["arm"], line["trained_on"]) for line in lines] == [
        (arm, store) for arm in table1.METHODS for store in ("phantom", "soop")
    ]
    assert all(0 <= line["dice_mean"] <= 1 for line in lines)
    result = new_loss.on_the_phantom(place)
    assert len(result.tables[""]) == 3 and result.facts["counts"]["slices"] == len(
        place.data.of_split("test")
    )


def test_candidates_and_attempts_are_judged_on_validation_patients(place, monkeypatch):
    tiny = {**table1.BUDGET, "steps": 1, "width": 4, "batch_size": 4}
    monkeypatch.setattr(table1, "BUDGET", tiny)
    monkeypatch.setattr(table1, "ATTEMPTS", {"afresh": ({}, {"dice": 2.0}, False)})
    few = new_loss.replace(
        new_loss.CANDIDATES, arms={"divergence": new_loss.LOSSES["divergence"]}, budget=tiny
    )
    monkeypatch.setattr(new_loss, "CANDIDATES", few)
    result = new_loss.candidates(place)
    (line,) = result.tables[""]
    assert line["loss"] == "divergence" and list(line) == list(new_loss.COLUMNS)
    assert result.facts["counts"]["slices"] == len(place.data.of_split("validation"))
    monkeypatch.setattr(table1, "run", lambda of, place: runner.run(new_loss.replace(of, budget=tiny), place))
    (line,) = table1.attempts(place).tables[""]
    assert list(line) == ["attempt", "masked", "segan", "unet"]


def test_sheets_for_a_reader_and_copies(place, monkeypatch):
    monkeypatch.setattr(blinded, "EACH", 4)
    answers = blinded.blinded(place).tables[""]
    assert sorted(line["answer"] for line in answers) == ["synthetic"] * 4 + ["true"] * 4
    assert Image.open(place.runs / "sheet.png").height == 2 * (256 + 24)
    monkeypatch.setattr(memorisation, "FROM_MASKS", ("synthesis-soop",))
    (line,) = memorisation.copies(place).tables[""]
    assert line["generator"] == "synthesis-soop" and line["ratio_mean"] > 0
    assert np.asarray(Image.open(place.runs / "nearest.png")).any()


def test_the_settings_of_balancing_are_those_reported():
    assert [*balancing.TENTH.arms()][3:5] == ["gan-70", "gan-80"] and balancing.TENTH.start
    assert [*balancing.SOOP_18.arms()][3:5] == ["gan-35", "gan-50"] and balancing.PHANTOM.start is None
