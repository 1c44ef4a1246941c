"""The door that makes sheets for a blinded reading."""

from __future__ import annotations

import json
import sys

import pytest
import torch
from brains import brains
from PIL import Image

from experiments import blinded
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.synthetic import with_stroke
from strokegan_lib.models.synthesis import Generator
from strokegan_lib.training.weights import save_weights


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("data") / "set", patients=200, each=3, every=2)


@pytest.fixture
def door(slices, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    save_weights(tmp_path / "paper.safetensors", Generator(width=4, attention=False), {})

    def call(*words) -> tuple[int, str]:
        words = ("--data", slices.folder, "--weights", tmp_path / "paper.safetensors", *words)
        monkeypatch.setattr(sys, "argv", [blinded.PROG, *map(str, words)])
        with pytest.raises(SystemExit) as end:
            blinded.main()
        return end.value.code, capsys.readouterr().err

    return call


def test_sheets_hold_true_and_painted_slices_where_the_answers_say_so(door, slices, tmp_path):
    assert door("--out", tmp_path / "a", "--seed", 3)[0] == 0
    answers = json.loads((tmp_path / "a" / "answers.json").read_text())["answers"]
    assert sorted(answers) == ["painted"] * 24 + ["true"] * 24 != answers
    rows = with_stroke(slices, "test")
    known = {
        Image.fromarray(plane[0]).resize((256, 256), Image.Resampling.BICUBIC).tobytes()
        for plane in slices.images[rows]
    }
    for number, answer in enumerate(answers):
        with Image.open(tmp_path / "a" / f"sheet-{number // 24 + 1}.png") as drawn:
            left, top = number % 24 % 6 * 270, number % 24 // 6 * 294 + 24
            shown = drawn.crop((left, top, left + 256, top + 256))
        assert (shown.tobytes() in known) == (answer == "true")
    assert door("--out", tmp_path / "b", "--seed", 3)[0] == 0
    assert (tmp_path / "b" / "sheet-1.png").read_bytes() == (tmp_path / "a" / "sheet-1.png").read_bytes()


def test_nothing_is_written_over_and_few_slices_are_refused(door, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    code, said = door("--out", tmp_path / "full")
    assert code == 2 and "already exists" in said and said.count("\n") == 1
    few = brains(tmp_path / "few", patients=12)
    code, said = door("--out", tmp_path / "out", "--data", few.folder)
    assert code == 2 and "give a set with 48 or more" in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()
