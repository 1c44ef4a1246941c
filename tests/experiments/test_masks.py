"""Masks from noise, by the doors: learnt, held against drawn ones, and painted into slices."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from brains import brains

from experiments import masks as module
from experiments import ship
from strokegan_lib import synthesise, train
from strokegan_lib.balance.dataset import provenance
from strokegan_lib.balance.lesion_synthesis import MadeMasks
from strokegan_lib.balance.transplant import SMALLEST, ventricles
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.files import sha256
from strokegan_lib.models.family.dual import MaskGenerator
from strokegan_lib.models.synthesis import Generator
from strokegan_lib.training.weights import load_weights, save_weights, shipped


@pytest.fixture(scope="module")
def discs(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("discs") / "set", patients=140, each=1, every=2)


def mask_generator(path, stroke: float = -1.0):
    """Weights that nobody trained, yet that make strokes; with a low *stroke* none."""
    torch.manual_seed(0)
    network = MaskGenerator(noise=8, width=4).eval()
    with torch.no_grad():
        network.head.weight.mul_(30)
        network.head.bias.copy_(torch.tensor([stroke, 2.0]))
    save_weights(path, network, {"settings": {"steps": 0}})
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return mask_generator(tmp_path_factory.mktemp("weights") / "masks.safetensors")


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("painter") / "weights.safetensors"
    save_weights(path, Generator(width=4).eval(), {})
    return path


@pytest.fixture
def door(monkeypatch, capsys):
    def call(of, *words) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        monkeypatch.setattr(sys, "argv", [of.PROG, *map(str, words)])
        with pytest.raises(SystemExit) as end:
            of.main()
        return end.value.code or 0, *capsys.readouterr()

    return call


TINY = ("--steps", 2, "--width", 4, "--batch-size", 4, "--noise", 8, "--threads", 1)


def test_they_are_learnt_from_slices_with_stroke(door, discs, tmp_path):
    out = tmp_path / "run"
    code, said, _ = door(train, "masks", "--data", discs.folder, "--out", out, *TINY)
    assert code == 0 and "of 2 steps" in said
    network, about = load_weights(out / "weights.safetensors", "mask generator")
    assert network.config == {"noise": 8, "width": 4} and about["settings"]["lesion_share"] == 1
    code, said, _ = door(train, "masks", "--data", discs.folder, "--out", out, "--resume")
    assert code == 0 and "trained to its end" in said


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--noise", "0"], "--noise: 0: give"),
        (["--width", "6"], "--width 6: is not a multiple"),
        (["--rate", "0"], "--rate"),
        (["--dice", "1"], "--dice"),
        (["--start", "no.safetensors"], "no.safetensors: is not there"),
    ],
)
def test_bad_use_of_training(door, discs, tmp_path, words, complaint):
    code, _, said = door(train, "masks", "--data", discs.folder, "--out", tmp_path / "run", *TINY, *words)
    assert code == 2 and said.count("\n") == 1 and complaint in said, said
    assert not (tmp_path / "run").exists()


def test_without_strokes_nothing_can_be_learnt(door, tmp_path):
    healthy = brains(tmp_path / "set", patients=9, every=100)
    code, _, said = door(train, "masks", "--data", healthy.folder, "--out", tmp_path / "run", *TINY)
    assert code == 2 and "no slice with stroke" in said and said.count("\n") == 1


def test_the_table(door, discs, weights, tmp_path):
    out = tmp_path / "out"
    code, said, complaint = door(
        module, "--data", discs.folder, "--weights", weights, "--out", out, "--count", 20
    )
    assert code == 0, complaint
    with open(out / "table.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    of = {(line["masks"], line["measure"]): line for line in lines}
    assert {way for way, _ in of} == {"made", "transplanted", "training"}
    assert ("training", "nearest_dice") not in of and len(of) == 3 * 11 - 1
    assert all(line["mean"] and line["low"] and line["high"] and line["halves"] for line in lines)
    # blots of an untrained network are unlike discs in discs; discs that were moved are like them
    for name in ("compactness", "brain_compactness"):
        made, moved = (float(of[way, name]["mean"]) for way in ("made", "transplanted"))
        assert made > 2 * moved, name
    card = json.loads((out / "card.json").read_text(encoding="utf-8"))
    assert card["weights_sha256"] == sha256(weights) and card["counts"]["made"]["masks"] == 20
    held_out = np.concatenate([discs.of_split(part) for part in ("validation", "test")])
    assert card["counts"]["held out"]["masks"] == discs.table["has_stroke"][held_out].sum()
    assert str(tmp_path) not in json.dumps(card) and "made" in said


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--data", "no/such"], "is not a SliceSet"),
        (["--weights", "no.safetensors"], "no.safetensors: is not there"),
        (["--count", "3"], "--count: 3: give"),
        (["--seed", "-1"], "--seed: -1: give"),
    ],
)
def test_bad_use_of_the_table(door, discs, weights, tmp_path, words, complaint):
    out = tmp_path / "out"
    code, _, said = door(module, "--data", discs.folder, "--weights", weights, "--out", out, *words)
    assert code == 2 and said.count("\n") == 1 and complaint in said, said
    assert not out.exists()


def test_bad_data_and_weights_for_the_table(door, discs, painter, tmp_path):
    words = ("--out", tmp_path / "out")
    few = brains(tmp_path / "few", patients=20, every=2)
    silent = mask_generator(tmp_path / "silent.safetensors", stroke=-1e4)
    for data, file, complaint in (
        (discs, painter, "holds a generator, not a mask generator"),
        (discs, silent, "makes no strokes"),
        (few, silent, "fewer than 12"),
    ):
        code, _, said = door(module, "--data", data.folder, "--weights", file, *words)
        assert code == 2 and said.count("\n") == 1 and complaint in said, said
    assert not (tmp_path / "out").exists()


def test_made_strokes_are_painted_into_slices_without(door, discs, weights, painter, tmp_path):
    words = ("--data", discs.folder, "--weights", painter, "--ratio", 0.6, "--mask-weights", weights)
    for workers in (1, 3):
        code, _, complaint = door(synthesise, *words, "--out", tmp_path / str(workers), "--workers", workers)
        assert code == 0, complaint
    made = SliceSet.open(tmp_path / "1")
    for name in ("images.npy", "stroke.npy", "slices.csv", "provenance.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()
    told = made.card["balanced"]
    assert told["masks"] == "made" and told["mask_weights_sha256"] == sha256(weights)
    lines = provenance(made)
    assert lines and abs(made.table["has_stroke"][made.of_split("train")].mean() - 0.6) < 0.02
    for line in lines:
        background, stroke = int(line["background"]), made.stroke[int(line["index"])] == 1
        foreground = discs.foreground[background] == 1
        assert line["donor"] == "-1" and line["donor_patient"] == "" and line["detail"] == "made mask"
        assert stroke.sum() >= SMALLEST and not discs.stroke[background].any()
        assert not (stroke & ~(foreground & ~ventricles(discs.images[background, 0], foreground))).any()
    assert len({made.stroke[int(line["index"])].tobytes() for line in lines}) == len(lines)


def test_a_generator_whose_strokes_are_rare_finds_no_place(discs, tmp_path):
    silent, _ = load_weights(mask_generator(tmp_path / "silent.safetensors", stroke=-1e4), "mask generator")
    row = int(np.flatnonzero(discs.table["has_stroke"] == 0)[0])
    assert MadeMasks(silent.sample, discs).place(row, np.random.default_rng(0)) is None


def test_transplanted_strokes_are_still_the_default(door, discs, painter, tmp_path):
    words = ("--data", discs.folder, "--weights", painter, "--ratio", 0.55, "--out", tmp_path / "out")
    assert door(synthesise, *words)[0] == 0
    made = SliceSet.open(tmp_path / "out")
    assert made.card["balanced"]["masks"] == "transplanted"
    assert all(int(line["donor"]) >= 0 and not line["detail"] for line in provenance(made))


def test_bad_use_of_made_masks(door, discs, weights, painter, tmp_path):
    silent = mask_generator(tmp_path / "silent.safetensors", stroke=-1e4)
    usual = ("--data", discs.folder, "--out", tmp_path / "out", "--ratio", 0.6)
    for words, complaint in (
        (("--weights", painter, "--mask-weights", painter), "holds a generator, not a mask generator"),
        (("--weights", painter, "--mask-weights", silent), "silent.safetensors: makes no strokes"),
        (("--method", "carvemix", "--mask-weights", weights), "--mask-weights: does not go with"),
        (("--weights", weights), "holds a mask generator, not a generator"),
    ):
        code, _, said = door(synthesise, *usual, *words)
        assert code == 2 and said.count("\n") == 1 and complaint in said, said
    assert not (tmp_path / "out").exists()


def test_a_card_says_how_like_they_are(discs, weights):
    network, _ = load_weights(weights, "mask generator")
    scores = ship.made_scores(network, discs)
    assert scores["compactness"]["mean"] > scores["compactness"]["halves"] > 0


LABELS = {
    "log_area": "size (logarithm of the area)",
    "pieces": "number of pieces",
    "place": "place (share of the incidence map)",
    "pair_dice": "Dice of two strokes",
    "nearest_dice": "Dice with the nearest training stroke",
}


def test_the_table_of_the_page_is_the_file():
    root = Path(__file__).parents[1]
    with open(root / "strokegan_lib/results/masks_soop.csv", newline="", encoding="utf-8") as file:
        of = {(line["measure"], line["masks"]): line for line in csv.DictReader(file)}

    def number(text: str) -> str:
        return f"{float(text):.3f}".removeprefix("0")

    for measure, label in LABELS.items():
        cells = [label]
        for way in ("made", "transplanted", "training"):
            line = of.get((measure, way))
            cells.append("")
            if line and line["as_many"]:
                cells[-1] = number(line["as_many"])
            elif line:
                mean, low, high = (number(line[part]) for part in ("mean", "low", "high"))
                cells[-1] = f"{mean} ({low} to {high})"
        cells.append(number(of[measure, "made"]["halves"]))
        assert f"| {' | '.join(cells)} |" in (root / "docs/beyond.md").read_text(encoding="utf-8"), cells
    _, about = load_weights(shipped("masks-soop"), "mask generator")
    assert about["scores"]["pieces"]["mean"] == pytest.approx(float(of["pieces", "made"]["mean"]), abs=1e-4)
