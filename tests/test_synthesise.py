"""The door of synthesis: painted and carved sets, and every wrong use in one line."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from brains import brains
from scipy import ndimage

from strokegan_lib import synthesise as module
from strokegan_lib.balance.dataset import provenance
from strokegan_lib.data.slices import ARRAYS, SliceSet
from strokegan_lib.files import sha256
from strokegan_lib.models.styled import Modulation, StyledGenerator
from strokegan_lib.models.synthesis import Generator
from strokegan_lib.training.weights import save_weights


@pytest.fixture(scope="module")
def discs(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("discs") / "set", patients=30)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A generator of no skill, saved."""
    return generator(tmp_path_factory.mktemp("weights") / "weights.safetensors")


def generator(path, channels: int = 1):
    torch.manual_seed(0)
    network = Generator(channels, width=4).eval()
    network.unet.head.weight.data.mul_(20)  # no skill, yet a stroke changes more than rounding hides
    save_weights(path, network, {})
    return path


@pytest.fixture
def door(monkeypatch, capsys):
    def call(*words) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        monkeypatch.setattr(sys, "argv", ["synthesise", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            module.main()
        return end.value.code or 0, *capsys.readouterr()

    return call


@pytest.mark.parametrize("paint", ["slice", "lesion"])
def test_a_painted_set(door, discs, weights, tmp_path, paint):
    out = tmp_path / "out"
    code, said, _ = door(
        "--data", discs.folder, "--weights", weights, "--out", out, "--ratio", 0.6, "--paint", paint
    )
    made = SliceSet.open(out)
    train = made.of_split("train")
    assert code == 0 and f"{len(made) - len(discs)} slices made" in said
    assert abs(made.table["has_stroke"][train].mean() - 0.6) <= 1 / len(train)
    told = made.card["balanced"]
    assert told["weights_sha256"] == sha256(weights) and told["paint"] == paint
    assert str(tmp_path) not in made.card["made_by"]
    for line in provenance(made):
        index, background = int(line["index"]), int(line["background"])
        changed = (made.images[index] != discs.images[background]).any(0)
        inside = discs.foreground[background] == 1
        stroke = made.stroke[index] == 1
        assert changed[stroke].mean() > 0.5 and not changed[~inside].any()
        if paint == "lesion":  # the brain away from the stroke is the real one
            rows, columns = np.nonzero(stroke)
            away = np.ones_like(inside)
            away[max(0, rows.min() - 8) : rows.max() + 9, max(0, columns.min() - 8) : columns.max() + 9] = (
                False
            )
            assert not changed[away].any()


def test_drawn_styles_leave_the_brain_away_from_the_stroke_alone_and_follow_the_seed(door, discs, tmp_path):
    torch.manual_seed(0)
    network = StyledGenerator(width=4, style=4).eval()
    for layer in network.modules():
        if isinstance(layer, Modulation):
            torch.nn.init.normal_(layer.from_style.weight)  # no skill, yet styles that differ a lot
    save_weights(tmp_path / "w.safetensors", network, {})
    words = ("--data", discs.folder, "--weights", tmp_path / "w.safetensors", "--ratio", 0.5)
    for name in ("a", "b"):
        assert door(*words, "--out", tmp_path / name)[0] == 0
    a, b = (SliceSet.open(tmp_path / name) for name in ("a", "b"))
    assert np.array_equal(a.images, b.images)
    for line in provenance(a):
        image, real = a.images[int(line["index"])], discs.images[int(line["background"])]
        far = ~ndimage.binary_dilation(a.stroke[int(line["index"])], iterations=8)
        assert np.array_equal(image[:, far], real[:, far])


def test_any_number_of_workers_makes_the_same_bytes(door, discs, weights, tmp_path):
    for workers in (1, 3):
        words = ("--data", discs.folder, "--weights", weights, "--ratio", 0.5, "--workers", workers)
        assert door(*words, "--out", tmp_path / str(workers))[0] == 0
    for name in (*ARRAYS, "slices.csv", "provenance.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()


def test_only_synthetic(door, discs, weights, tmp_path):
    out = tmp_path / "out"
    words = ("--data", discs.folder, "--weights", weights, "--out", out, "--ratio", 0.5, "--only-synthetic")
    assert door(*words)[0] == 0
    made = SliceSet.open(out)
    train = made.of_split("train")
    assert made.table["synthetic"][train].all() and made.table["has_stroke"][train].mean() == pytest.approx(
        0.5, abs=1 / len(train)
    )
    assert made.card["balanced"]["paint"] == "slice"


def test_carvemix_and_sizes(door, discs, weights, tmp_path):
    words = ("--data", discs.folder, "--ratio", 0.5)
    assert door(*words, "--out", tmp_path / "a", "--method", "carvemix")[0] == 0
    assert (
        door(*words, "--out", tmp_path / "b", "--weights", weights, "--pixels", 20, 60, "--seed", 4)[0] == 0
    )
    made = SliceSet.open(tmp_path / "b")
    sizes = made.stroke[made.table["synthetic"] == 1].sum((1, 2))
    assert sizes.min() >= 20 and sizes.max() <= 60


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--ratio", "1"], "--ratio: 1: give a number between 0 and 1"),
        (["--ratio", "0"], "--ratio: 0: give a number between 0 and 1"),
        (["--ratio", "nan"], "--ratio: nan: give a number between 0 and 1"),
        (["--ratio", "much"], "--ratio"),
        (["--ratio", "0.1"], "already; give a higher --ratio"),
        (["--pixels", "60", "20"], "--pixels 60 20: is no range"),
        (["--pixels", "1", "20"], "--pixels 1 20: is no range"),
        (["--seed", "-1"], "--seed: -1"),
        (["--workers", "0"], "--workers: 0"),
        (["--fold", "5"], "--fold"),
        (["--data", "no/such"], "is not a SliceSet"),
        (["--weights", "no.safetensors"], "no.safetensors: is not there"),
        (["--method", "carvemix"], "--weights: does not go with --method carvemix"),
        (["--paint", "lesion", "--only-synthetic"], "--paint lesion: needs real slices"),
        (["--out", "Makefile/x"], "cannot be written"),
    ],
)
def test_bad_use(door, discs, weights, tmp_path, monkeypatch, words, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Makefile").touch()
    usual = ["--data", discs.folder, "--weights", weights, "--out", tmp_path / "out", "--ratio", "0.6"]
    code, _, said = door(*usual, *words)  # the last of an option counts
    assert code == 2 and said.count("\n") == 1 and complaint in said, said
    assert [path.name for path in tmp_path.iterdir()] == ["Makefile"]


def test_bad_data_and_weights(door, discs, weights, tmp_path):
    usual = ["--out", tmp_path / "out", "--ratio", "0.6"]
    code, _, said = door(*usual, "--data", discs.folder)
    assert code == 2 and "--weights: is missing" in said
    two = generator(tmp_path / "two.safetensors", channels=2)
    code, _, said = door(*usual, "--data", discs.folder, "--weights", two)
    assert code == 2 and "1 channel(s), and the weights paint 2" in said
    healthy = brains(tmp_path / "healthy", patients=9, every=100)  # one patient with stroke, of the test part
    code, _, said = door(*usual, "--data", healthy.folder, "--weights", weights)
    assert code == 2 and "no training slice with a stroke" in said
    (tmp_path / "out").mkdir()
    code, _, said = door(*usual, "--data", discs.folder, "--weights", weights)
    assert code == 2 and "exists already" in said and not list((tmp_path / "out").iterdir())
