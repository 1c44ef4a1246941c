"""The command of synthesis: painted and carved sets, and every wrong use in one line."""

import numpy as np
import pytest
import torch
from brains import brains
from scipy import ndimage

from strokegan_lib import synthesise as module
from strokegan_lib.balance.dataset import provenance
from strokegan_lib.balance.lesion_synthesis import MadeMasks
from strokegan_lib.balance.transplant import SMALLEST, ventricles
from strokegan_lib.data.slices import ARRAYS, SliceSet
from strokegan_lib.files import sha256
from strokegan_lib.models.family.dual import MaskGenerator
from strokegan_lib.models.styled import Modulation, StyledGenerator
from strokegan_lib.models.synthesis import Generator
from strokegan_lib.training.weights import save_weights


@pytest.fixture(scope="module")
def discs(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("discs") / "set", patients=30)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> dict:
    """Networks of no skill, saved."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    plain, two, styled = Generator(width=4), Generator(2, width=4), StyledGenerator(width=4, style=4)
    plain.unet.head.weight.data.mul_(20)  # a stroke changes more than rounding hides
    for layer in styled.modules():
        if isinstance(layer, Modulation):
            torch.nn.init.normal_(layer.from_style.weight)  # styles that differ a lot
    files = {"plain": plain, "two": two, "styled": styled}
    for name, stroke in (("masks", -1.0), ("silent", -1e4)):
        torch.manual_seed(0)
        files[name] = MaskGenerator(noise=8, width=4)
        files[name].head.weight.data.mul_(30)
        files[name].head.bias.data = torch.tensor([stroke, 2.0])
    for name, network in files.items():
        save_weights(folder / f"{name}.safetensors", network.eval(), {})
    return {name: folder / f"{name}.safetensors" for name in files}


@pytest.fixture
def run(command, discs, tmp_path):
    def call(*words, out: str = "out", data: SliceSet | None = None) -> tuple[int, str, str]:
        """Exit code, stdout and stderr; the last of an option counts."""
        usual = ("--data", (data or discs).folder, "--out", tmp_path / out, "--ratio", 0.6)
        return command(module, *usual, *words)

    return call


@pytest.mark.parametrize(("paint", "network"), [("slice", "plain"), ("lesion", "styled")])
def test_a_painted_set_from_any_number_of_workers(run, discs, weights, tmp_path, paint, network):
    for workers in (1, 3):
        words = ("--weights", weights[network], "--paint", paint, "--workers", workers)
        code, said, _ = run(*words, out=str(workers))
    for name in (*ARRAYS, "slices.csv", "provenance.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()
    made = SliceSet.open(tmp_path / "1")
    train, card = made.of_split("train"), made.card["balanced"]
    assert code == 0 and f"{len(made) - len(discs)} slices made" in said
    assert abs(made.table["has_stroke"][train].mean() - 0.6) <= 1 / len(train)
    assert (card["weights_sha256"], card["paint"]) == (sha256(weights[network]), paint)
    assert card["masks"] == "transplanted" and str(tmp_path) not in made.card["made_by"]
    for line in provenance(made):
        index, background = int(line["index"]), int(line["background"])
        changed = (made.images[index] != discs.images[background]).any(0)
        stroke = made.stroke[index] == 1
        assert changed[stroke].mean() > 0.5 and not changed[discs.foreground[background] == 0].any()
        if paint == "lesion":  # the brain away from the stroke is the real one, with drawn styles too
            assert not changed[~ndimage.binary_dilation(stroke, iterations=8)].any()


def test_only_synthetic_sizes_and_carvemix(run, weights, tmp_path):
    assert run("--weights", weights["plain"], "--only-synthetic", "--pixels", 20, 60, "--seed", 4)[0] == 0
    made = SliceSet.open(tmp_path / "out")
    train = made.of_split("train")
    sizes = made.stroke[train].sum((1, 2))
    assert made.table["synthetic"][train].all() and made.card["balanced"]["paint"] == "slice"
    assert (sizes > 0).mean() == pytest.approx(0.6, abs=1 / len(train))
    assert sizes[sizes > 0].min() >= 20 and sizes.max() <= 60
    assert run("--method", "carvemix", out="carved")[0] == 0
    assert SliceSet.open(tmp_path / "carved").card["balanced"]["by"] == "carvemix"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--ratio", "1"], "--ratio: 1: give a number between 0 and 1"),
        (["--ratio", "0.1"], "already; give a higher --ratio"),
        (["--pixels", "60", "20"], "--pixels 60 20: is no range"),
        (["--pixels", "1", "20"], "--pixels 1 20: is no range"),
        (["--fold", "5"], "--fold"),
        (["--data", "no/such"], "is not a SliceSet"),
        (["--weights", "two"], "1 channel(s), and the weights paint 2"),
        (["--weights", "masks"], "holds a mask generator, not a generator"),
        (["--mask-weights", "plain"], "holds a generator, not a mask generator"),
        (["--mask-weights", "silent"], "silent.safetensors: makes no strokes"),
        (["--method", "carvemix"], "--weights: does not go with --method carvemix"),
        (["--paint", "lesion", "--only-synthetic"], "--paint lesion: needs real slices"),
        (["--out", "Makefile/x"], "cannot be written"),
    ],
)
def test_bad_use(run, weights, tmp_path, monkeypatch, words, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Makefile").touch()
    code, _, said = run("--weights", weights["plain"], *(weights.get(word, word) for word in words))
    assert code == 2 and said.count("\n") == 1 and complaint in said, said
    assert [path.name for path in tmp_path.iterdir()] == ["Makefile"]


def test_bad_data_and_masks_without_a_generator(run, weights, tmp_path):
    assert "--weights: is missing" in run()[2]
    words = ("--method", "carvemix", "--mask-weights", weights["masks"])
    assert "--mask-weights: does not go with --method carvemix" in run(*words)[2]
    healthy = brains(tmp_path / "healthy", patients=9, every=100)  # one patient with stroke, of the test part
    code, _, said = run("--weights", weights["plain"], data=healthy)
    assert code == 2 and "no training slice with a stroke" in said


def test_made_strokes_lie_on_tissue(run, discs, weights, tmp_path):
    assert run("--weights", weights["plain"], "--mask-weights", weights["masks"])[0] == 0
    made = SliceSet.open(tmp_path / "out")
    card, lines = made.card["balanced"], provenance(made)
    assert (card["masks"], card["mask_weights_sha256"]) == ("made", sha256(weights["masks"])) and lines
    for line in lines:
        background, stroke = int(line["background"]), made.stroke[int(line["index"])] == 1
        foreground = discs.foreground[background] == 1
        told = (line["donor"], line["donor_patient"], line["detail"])
        assert told == ("-1", "", "made mask") and stroke.sum() >= SMALLEST
        assert not (stroke & ~(foreground & ~ventricles(discs.images[background, 0], foreground))).any()


def test_a_generator_whose_strokes_are_rare_finds_no_place(discs):
    def none(count, seed):
        raise ValueError

    row = int(np.flatnonzero(discs.table["has_stroke"] == 0)[0])
    assert MadeMasks(none, discs).place(row, np.random.default_rng(0)) is None
