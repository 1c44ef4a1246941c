"""Experiments that ask shipped networks: each line is there, and of test patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from brains import brains
from PIL import Image

from experiments import balancing, generators, pictures, realism, runner, segmentors
from experiments.runner import Place
from strokegan_lib.training.weights import load_weights, shipped

TINY = {"steps": 1, "width": 4, "batch_size": 4, "threads": 1}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    data = brains(tmp_path_factory.mktemp("data") / "set", patients=150, each=1, every=2)
    runs = tmp_path_factory.mktemp("runs") / "experiment"
    runs.mkdir()
    return Place(data, runs, data.folder)


def test_generators_beside_the_truth_and_the_family(place, monkeypatch):
    monkeypatch.setattr(generators, "FROM_MASKS", ("synthesis-soop",))
    monkeypatch.setattr(realism, "HALVINGS", 2)
    truth, paper = generators.generators(place).tables[""]
    assert [truth["generator"], paper["generator"]] == ["true slices", "synthesis-soop"]
    assert paper["same_masks_mean"] == pytest.approx(1)
    assert truth["coverage_mean"] and not truth["coverage_low"]

    few = {name: generators.HISTORY[name] for name in ("sagan", "segan", "synthesis")}
    for name, value in {"HISTORY": few, "STEPS": 1, "BATCH": 2, "SHOWN": 2}.items():
        monkeypatch.setattr(generators, name, value)
    result = generators.family(place)
    lines = result.tables[""]
    assert [(line["member"], line["source"]) for line in lines] == [
        ("", "patients"), ("sagan", "noise"), ("segan", None), ("synthesis", "test masks"), ("synthesis", "made masks"),
    ]  # fmt: skip
    assert all(line["step_seconds"] > 0 for line in lines[1:]) and lines[1]["kernel_mean"]
    assert lines[3]["kernel_mean"] == paper["kernel_mean"] and not lines[4]["fidelity_mean"]
    assert lines[0]["kernel_mean"] == truth["kernel_mean"]
    assert Image.open(place.runs / "family.png").height == 3 * 132 - 4
    assert {"sagan-soop", "masks-soop", generators.SEEKER} < set(result.facts["weights_sha256"])


def test_a_part_of_a_style_is_switched_off():
    generator, _ = load_weights(shipped("styled-soop"), "styled generator")
    mean, normal, smooth = generators.without_parts("styled", generator).values()
    assert torch.equal(mean.second, torch.outer(mean.first, mean.first)) and not normal.first.any()
    grains = [parameter for name, parameter in smooth.named_parameters() if name.endswith(".grain")]
    assert grains and not any(grain.any() for grain in grains)


def test_segmentors_from_elsewhere(place):
    lines = segmentors.transfer(place).tables[""]
    stores = [(arm, store) for arm in segmentors.METHODS for store in ("phantom", "soop")]
    assert [(line["arm"], line["trained_on"]) for line in lines] == stores
    assert all(0 <= line["dice_mean"] <= 1 for line in lines)
    result = segmentors.new_loss_on_the_phantom(place)
    assert len(result.tables[""]) == 3
    assert result.facts["counts"]["slices"] == len(place.data.of_split("test"))


def test_candidates_and_attempts_are_judged_on_validation_patients(place, monkeypatch):
    for name, value in {
        "BUDGET": {**segmentors.BUDGET, **TINY},
        "ATTEMPTS": {"a": ({}, {"dice": 2.0}, False)},
    }.items():
        monkeypatch.setattr(segmentors, name, value)
    losses = {"divergence": segmentors.LOSSES["divergence"]}
    monkeypatch.setattr(segmentors, "CANDIDATES", replace(segmentors.CANDIDATES, arms=losses))
    monkeypatch.setattr(
        segmentors, "run", lambda of, place: runner.run(replace(of, budget=segmentors.BUDGET), place)
    )
    result = segmentors.candidates(place)
    (line,) = result.tables[""]
    assert line["loss"] == "divergence" and list(line) == list(segmentors.COLUMNS)
    assert result.facts["counts"]["slices"] == len(place.data.of_split("validation"))
    (line,) = segmentors.attempts(place).tables[""]
    assert list(line) == ["attempt", "masked", "segan", "unet"]


def test_controls_of_balancing(place, monkeypatch):
    for name, value in {"BUDGET": {"method": "unet", **TINY}, "GENERATOR": {**TINY, "width": 32}}.items():
        monkeypatch.setattr(balancing, name, value)
    monkeypatch.setattr(
        balancing, "run", lambda of, place: runner.run(replace(of, budget=balancing.BUDGET), place)
    )
    monkeypatch.setattr(
        balancing,
        "trained",
        lambda arm, name, *_: shipped("unet-phantom" if name == "phantom" else "synthesis-phantom"),
    )
    lines = balancing.generators(place).tables[""]
    assert [line["arm"] for line in lines] == ["oversampling", "synthesis-soop-80", "styled-soop-80"]
    assert lines[1]["synthetic_slices"] == lines[2]["synthetic_slices"] > 0


def test_pictures_to_look_at(place):
    lines = pictures.copies(place).tables[""]
    assert len(lines) == 2 * pictures.PAIRS and all(line["distance"] > 0 for line in lines)
    assert np.asarray(Image.open(place.runs / "nearest.png")).any()
    rows = pictures.readme_rows()
    assert len(rows) == 4 and all(slices.shape == (6, 128, 128) for slices in rows.values())
