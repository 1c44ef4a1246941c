"""Strokes from a mask generator, painted into slices without any."""

from pathlib import Path

import numpy as np
import pytest
import torch
from brains import brains

from strokegan_lib import synthesise
from strokegan_lib.balance.dataset import provenance
from strokegan_lib.balance.lesion_synthesis import MadeMasks
from strokegan_lib.balance.transplant import SMALLEST, ventricles
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.models.family.dual import MaskGenerator
from strokegan_lib.models.synthesis import Generator
from strokegan_lib.training.weights import load_weights, save_weights


def mask_generator(path: Path, stroke: float = -1.0) -> Path:
    """Weights that nobody trained, yet that make strokes; with a low *stroke* none."""
    torch.manual_seed(0)
    network = MaskGenerator(noise=8, width=4).eval()
    with torch.no_grad():
        network.head.weight.mul_(30)
        network.head.bias.copy_(torch.tensor([stroke, 2.0]))
    save_weights(path, network, {})
    return path


@pytest.fixture(scope="module")
def discs(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("discs") / "set", patients=60, each=1, every=2)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    save_weights(folder / "generator.safetensors", Generator(width=4).eval(), {})
    return {
        "generator": folder / "generator.safetensors",
        "masks": mask_generator(folder / "masks.safetensors"),
        "silent": mask_generator(folder / "silent.safetensors", stroke=-1e4),
    }


def call(*words) -> None:
    synthesise.synthesise(synthesise.parser().parse_args([str(word) for word in words]), "test")


def test_made_strokes_are_painted_into_slices_without(discs, files, tmp_path):
    words = (
        "--data",
        discs.folder,
        "--weights",
        files["generator"],
        "--ratio",
        0.6,
        "--mask-weights",
        files["masks"],
    )
    call(*words, "--out", tmp_path / "out")
    made = SliceSet.open(tmp_path / "out")
    told, lines = made.card["balanced"], provenance(made)
    assert told["masks"] == "made" and told["mask_weights_sha256"] == sha256(files["masks"])
    assert lines and abs(made.table["has_stroke"][made.of_split("train")].mean() - 0.6) < 0.02
    for line in lines:
        background, stroke = int(line["background"]), made.stroke[int(line["index"])] == 1
        foreground = discs.foreground[background] == 1
        assert line["donor"] == "-1" and line["donor_patient"] == "" and line["detail"] == "made mask"
        assert stroke.sum() >= SMALLEST and not discs.stroke[background].any()
        assert not (stroke & ~(foreground & ~ventricles(discs.images[background, 0], foreground))).any()


def test_a_generator_whose_strokes_are_rare_finds_no_place(discs, files):
    silent, _ = load_weights(files["silent"], "mask generator")
    row = int(np.flatnonzero(discs.table["has_stroke"] == 0)[0])
    assert MadeMasks(silent.sample, discs).place(row, np.random.default_rng(0)) is None


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ("--weights", "generator", "--mask-weights", "generator"),
            "holds a generator, not a mask generator",
        ),
        (("--weights", "generator", "--mask-weights", "silent"), "makes no strokes"),
        (("--method", "carvemix", "--mask-weights", "masks"), "does not go with"),
        (("--weights", "masks"), "holds a mask generator, not a generator"),
    ],
)
def test_bad_use(discs, files, tmp_path, words, complaint):
    given = [files.get(word, word) for word in words]
    with pytest.raises(BadInput, match=complaint):
        call("--data", discs.folder, "--out", tmp_path / "out", "--ratio", 0.6, *given)
    assert not (tmp_path / "out").exists()
