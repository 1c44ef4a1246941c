"""Experiments that ask shipped networks: each line is there, and of test patients."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from brains import brains
from PIL import Image

from experiments import ablation, balancing, family, pictures, realism, segmentors, styles
from experiments.runner import THREE_SEEDS, Place

TINY = {"steps": 1, "width": 4, "batch_size": 4, "threads": 1}


@pytest.fixture(scope="module")
def place(tmp_path_factory, slices) -> Place:
    return Place(slices, tmp_path_factory.mktemp("runs"), slices.folder)


def test_the_family_beside_the_truth(place, monkeypatch):
    few = {name: family.HISTORY[name] for name in ("sagan", "segan", "synthesis")}
    for name, value in {"HISTORY": few, "STEPS": 1, "BATCH": 2}.items():
        monkeypatch.setattr(family, name, value)
    monkeypatch.setattr(realism, "HALVINGS", 2)
    result = family.family(place)
    lines = result.tables[""]
    assert [(line["member"], line["source"]) for line in lines] == [
        ("", "patients"), ("sagan", "noise"), ("segan", ""), ("synthesis", "test masks"), ("synthesis", "made masks"),
    ]  # fmt: skip
    assert all(line["step_seconds"] > 0 for line in lines[1:]) and lines[1]["kernel_mean"]
    assert lines[0]["coverage_mean"] and not lines[0]["coverage_low"]
    assert lines[3]["same_masks_mean"] == pytest.approx(1) and not lines[4]["fidelity_mean"]
    assert set(result.facts["weights_sha256"]) == {f"{name}-soop" for name in (*few, "masks", "unet")}


def test_styles_and_grain_switched_off(place, monkeypatch):
    monkeypatch.setattr(realism, "HALVINGS", 2)
    as_trained, mean, normal, smooth = styles.styles(place).tables[""]
    assert mean["generator"] == "mean style" and mean["same_masks_mean"] == pytest.approx(1)
    assert as_trained["same_masks_mean"] < 0.9 and normal["same_masks_mean"] < 0.9
    assert smooth["error_mean"] != as_trained["error_mean"] != normal["error_mean"]


def test_segmentors_from_elsewhere(place, monkeypatch):
    lines = segmentors.transfer(place).tables[""]
    stores = [(arm, store) for arm in segmentors.METHODS for store in ("phantom", "soop")]
    assert [(line["arm"], line["trained_on"]) for line in lines] == stores
    assert all(0 <= line["dice_mean"] <= 1 for line in lines)
    pairs = zip(lines[::2], lines[1::2], strict=True)
    assert all(one["pooled_dice_mean"] != other["pooled_dice_mean"] for one, other in pairs), "two networks"
    monkeypatch.setattr(segmentors, "BUDGET", TINY)
    arms = [line["arm"] for line in segmentors.table_1_on_the_phantom(place).tables[""]]
    assert arms == [*segmentors.METHODS, "segan-released"]
    result = segmentors.new_loss_on_the_phantom(place)
    assert len(result.tables[""]) == 3
    assert result.facts["counts"]["slices"] == len(place.data.of_split("test"))


def test_a_shipped_generator_as_an_arm(place, monkeypatch):
    monkeypatch.setattr(balancing, "BUDGET", {"method": "unet", **TINY})
    monkeypatch.setattr(balancing, "THREE_SEEDS", THREE_SEEDS[:1])
    few = brains(place.runs / "few", patients=90, each=1, every=4)
    result = balancing.on_the_phantom(replace(place, runs=place.runs / "phantom", phantom=few.folder))
    lines = result.tables[""]
    assert [line["arm"] for line in lines] == ["oversampling", "real", "gan-50"]
    assert lines[0]["synthetic_slices"] == lines[1]["synthetic_slices"] == 0 < lines[2]["synthetic_slices"]


def test_parts_of_the_painting_gan_switched_off(place, monkeypatch, tmp_path):
    monkeypatch.setattr(ablation, "BUDGET", {**ablation.BUDGET, **TINY, "width": 8})
    monkeypatch.setattr(realism, "PAIRS", 50)
    place = replace(place, runs=tmp_path / "parts", scores=tmp_path / "scores")
    result = ablation.ablation(place)
    for folder in (tmp_path / "parts").iterdir():
        shutil.rmtree(folder)
    assert ablation.ablation(place) == result and not any((tmp_path / "parts").rglob("*.safetensors"))
    monkeypatch.setitem(ablation.PARTS, "paper", {"attention": False})
    ablation.scored("paper", place.turn(None, 0))
    assert len([*(tmp_path / "parts").rglob("*.safetensors")]) == 1
    *lines, truth = result.tables[""]
    assert [line["generator"] for line in lines] == [*ablation.PARTS] and truth["generator"] == "true slices"
    for line in lines:
        kernels = [float(word.replace("−", "-")) for word in line["kernel_by_seed"].split()]
        assert len(kernels) == 3 and np.mean(kernels) == pytest.approx(line["kernel"], abs=1e-3)
    cards = [
        json.loads((place.scores / f"parts/plain-split-seed-{seed}/no-attention.json").read_text())["scores"]
        for seed in range(3)
    ]
    for measure in ablation.SCORES:
        assert lines[1][measure] == pytest.approx(np.mean([of[measure]["mean"] for of in cards])), measure
    assert truth["kernel"] == cards[0]["kernel"]["halves"] != cards[0]["kernel"]["fake_as_many"]
    assert truth["error"] and result.facts["seeds"] == [0, 1, 2]


def test_pictures_to_look_at(place):
    result = pictures.copies(place)
    assert not result.tables and len(result.facts["distances"]) == 2
    for apart in result.facts["distances"].values():
        assert len(apart) == pictures.PAIRS and apart == sorted(apart) and apart[0] > 0
    assert np.asarray(Image.open(place.runs / "nearest.png")).any()
    readme, members = pictures.readme_rows(), pictures.family_rows()
    assert len(readme) == 4 and list(members)[3:6] == ["SAGAN", "made masks", "pix2pix"]
    assert all(slices.shape == (6, 128, 128) for slices in (readme | members).values())
