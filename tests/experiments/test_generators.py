"""The door that scores generators side by side."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
import torch
from brains import brains

from experiments import generators
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.segmentation import Segmentor
from strokegan_lib.models.styled import StyledGenerator
from strokegan_lib.models.synthesis import Generator
from strokegan_lib.training.weights import GENERATORS, load_weights, save_weights


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("data") / "set", patients=150, each=1, every=2)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    made = {
        "paper": Generator(width=4, attention=False),
        "styled": StyledGenerator(width=4, style=4, attention=False),
        "two": Generator(2, width=4, attention=False),
        "segmentor": Segmentor(width=4),
    }
    files = {name: folder / f"{name}.safetensors" for name in made}
    for name, network in made.items():
        about = {"settings": {"steps": 7}}
        save_weights(files[name], network, about | ({"threshold": 0.5} if name == "segmentor" else {}))
    files["bare"] = folder / "bare.safetensors"
    save_weights(files["bare"], made["segmentor"], {})
    return files


def end_of(monkeypatch, capsys, *words) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", [generators.PROG, *map(str, words)])
    with pytest.raises(SystemExit) as end:
        generators.main()
    said = capsys.readouterr()
    return end.value.code, said.out, said.err


def test_two_generators_beside_the_truth(slices, weights, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    code, said, _ = end_of(
        monkeypatch, capsys, "--data", slices.folder, "--weights", weights["paper"], weights["styled"],
        "--segmentor", weights["segmentor"], "--out", out,
    )  # fmt: skip
    assert code == 0 and "true slices" in said and "styled" in said
    with open(out / "table.csv", newline="", encoding="utf-8") as file:
        true, paper, styled = csv.DictReader(file)
    assert (true["generator"], paper["generator"], styled["generator"]) == ("true slices", "paper", "styled")
    assert float(true["kernel_mean"]) < float(paper["kernel_mean"]) and float(true["fidelity_mean"]) == 1
    assert float(paper["same_masks_mean"]) == 1 > float(styled["same_masks_mean"])
    assert paper["steps"] == styled["steps"] == "7" and int(styled["parameters"]) > 1000
    for name in (*generators.REALISM, *generators.LESIONS):
        assert float(styled[f"{name}_low"] or 0) <= float(styled[f"{name}_mean"] or 0), name
    card = json.loads((out / "card.json").read_text(encoding="utf-8"))
    assert card["command"].startswith(generators.PROG) and set(card["weights_sha256"]) == {"paper", "styled"}
    code, _, error = end_of(
        monkeypatch, capsys, "--data", slices.folder, "--weights", weights["paper"], "--out", out
    )
    assert code == 2 and "exists already" in error and error.count("\n") == 1


def test_bad_use(slices, weights, tmp_path, monkeypatch, capsys):
    paper, start = weights["paper"], ("--data", slices.folder, "--out", tmp_path / "out")
    for words, said in (
        (("--weights", paper, paper), "different name"),
        (("--weights", paper, "--names", "a", "b"), "different name"),
        (("--weights", paper, "--names", "true slices"), "different name"),
        (("--weights", weights["segmentor"]), "holds a segmentor"),
        (("--weights", weights["two"]), "two.safetensors: paints several channels"),
        (("--weights", paper, "--segmentor", paper), "holds a generator"),
        (("--weights", paper, "--segmentor", weights["bare"]), "no threshold"),
        (("--weights", tmp_path / "none"), "is not there"),
        (("--weights", paper, "--split", "train"), "--split"),
    ):
        code, _, error = end_of(monkeypatch, capsys, *start, *words)
        assert code == 2 and said in error and "Traceback" not in error, (words, error)
    assert not (tmp_path / "out").exists()


def test_too_few_slices_are_refused(weights, tmp_path, monkeypatch, capsys):
    few = brains(tmp_path / "few", patients=10)
    words = ("--data", few.folder, "--out", tmp_path / "out", "--weights", weights["paper"])
    code, _, error = end_of(monkeypatch, capsys, *words)
    assert code == 2 and "test slices with stroke" in error and error.count("\n") == 1


def test_the_parts_of_a_generator_with_styles(weights):
    styled, _ = load_weights(weights["styled"], GENERATORS)
    styled.first.fill_(3.0)
    made = generators.parts(styled)
    assert set(made) == {"mean style", "styles from N(0, 1)", "no grain"}
    assert (made["mean style"].draw(5) == 3).all() and made["styles from N(0, 1)"].draw(
        500
    ).mean().abs() < 0.2
    assert not any(p.any() for name, p in made["no grain"].named_parameters() if name.endswith(".grain"))
    assert (styled.first == 3).all(), "the generator itself is left as it was"
    assert generators.parts(load_weights(weights["paper"], GENERATORS)[0]) == {}
