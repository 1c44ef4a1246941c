"""The training door's generator with styles."""

from __future__ import annotations

import json

import pytest
from test_train import TINY, call, made, one_line

from strokegan_lib import train
from strokegan_lib.training.weights import GENERATORS, load_weights


@pytest.fixture
def door(monkeypatch, capsys):
    return lambda *words: call(train, monkeypatch, capsys, *words)


def test_a_run_its_settings_and_where_it_may_start_from(door, tmp_path):
    slices, out = made(tmp_path / "set"), tmp_path / "run"
    start = ("synthesis", "--data", slices.folder, "--generator", "styled", "--style", "5")
    assert door(*start, "--out", out, "--no-grain", "--kl", "0.5", *TINY)[0] == 0
    network, about = load_weights(out / "weights.safetensors", GENERATORS)
    assert network.config["style"] == 5 and network.config["grain"] is False and network.config["width"] == 4
    kept = {"generator": "styled", "kl": 0.5, "pixel": 10.0, "r1": 1.0, "multi_scale": 10.0}
    assert kept.items() <= about["settings"].items()
    from_it = ("--start", out / "weights.safetensors")
    assert door(*start, "--out", tmp_path / "next", "--no-grain", *from_it, *TINY)[0] == 0
    one_line(door(*start, "--out", tmp_path / "other", *from_it, *TINY), "differs", "grain")
    paper = ("synthesis", "--data", slices.folder, "--out", tmp_path / "other", *from_it, *TINY)
    one_line(door(*paper), "holds a styled generator, not a generator")


def test_a_record_of_another_version_is_refused(door, tmp_path):
    slices, out = made(tmp_path / "set"), tmp_path / "run"
    start = ("synthesis", "--data", slices.folder, "--generator", "styled", "--out", out)
    assert door(*start, *TINY)[0] == 0
    record = json.loads((out / "settings.json").read_text())
    del record["latent"], record["average"]
    (out / "settings.json").write_text(json.dumps(record))
    one_line(door(*start, "--resume"), "average, latent", "another version")


def test_compiled_networks_have_no_second_slope(door, tmp_path):
    start = ("synthesis", "--data", made(tmp_path / "set").folder, "--out", tmp_path / "run", *TINY)
    one_line(door(*start, "--compile"), "--compile", "--r1 0")


def test_wrong_use_is_one_line(door, tmp_path):
    start = ("synthesis", "--data", tmp_path / "none", "--out", tmp_path / "run")
    one_line(door(*start, "--generator", "magic"), "magic")
    for option in ("--kl=1", "--latent=1", "--style=8", "--no-grain"):
        one_line(door(*start, option), "does not go with --generator paper")
    one_line(door(*start, "--generator", "styled", "--style=-1"), "--style", "give a whole number")
    one_line(door(*start, "--generator", "styled", "--kl=-1"), "--kl", "give a number")
    one_line(door(*start, "--r1=-1"), "--r1", "give a number")
    one_line(door(*start, "--generator", "styled", "--latent=-1"), "--latent", "give a number")
    assert not (tmp_path / "run").exists()
