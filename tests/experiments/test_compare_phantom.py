"""The command that sets phantom slices beside real ones, on small phantom sets that play the real."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.phantom_comparison import (
    Slices,
    compare,
    differences,
    grow_slices,
    height_in,
    middle_height,
    slices_at,
)
from experiments.phantom_likeness import door
from experiments.phantom_pictures import BRAIN, COLUMNS, EACH, TILE, contact_sheet, thumbnail
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.phantom.dataset import make_phantom_set
from strokegan_lib.phantom.epidemiology import plan_stroke
from strokegan_lib.phantom.patient import head_of, make_patient

PLANES = 3


@pytest.fixture(scope="module")
def sets(tmp_path_factory) -> tuple[SliceSet, SliceSet]:
    """One set plays the real one, the other the phantom."""
    folder = tmp_path_factory.mktemp("sets")
    return tuple(
        make_phantom_set(
            folder / f"set{seed}",
            patients=12,
            slices_per_patient=PLANES,
            seed=seed,
            workers=2,
            progress=False,
        )
        for seed in (0, 1)
    )


def rows(data: SliceSet, *indices: int) -> Slices:
    chosen = list(indices)
    return Slices(data.table["patient"][chosen], data.images[chosen, 0], data.foreground[chosen].astype(bool))


def command(capsys, *words) -> tuple[int, str, str]:
    code = door([str(word) for word in words])
    return (code, *capsys.readouterr())


def test_one_slice_of_each_patient_at_the_height(sets):
    data = sets[0]
    height = middle_height(data)
    assert height == pytest.approx(np.unique(data.table["z"])[1])
    found = slices_at(data, height)
    middle = np.flatnonzero(data.table["plane"] == 1)
    assert found.patients.tolist() == data.patients
    assert np.array_equal(found.images, data.images[middle, 0])
    assert np.array_equal(found.foreground, data.foreground[middle])
    assert len(slices_at(data, 500.0)) == 0
    above = slices_at(data, height + 0.6 * data.table["thickness"][0])
    assert np.array_equal(above.images, data.images[middle + 1, 0])


def test_patients_without_a_stroke_can_be_left_out(sets):
    data = sets[0]
    found = slices_at(data, middle_height(data), with_stroke=True)
    stroke = {p for p, flag in zip(data.table["patient"], data.table["has_stroke"], strict=True) if flag}
    assert set(found.patients.tolist()) == stroke and 0 < len(stroke) < 12


def test_grown_slices_are_those_of_stroke_patients():
    grown = grow_slices(3, 18.0, seed=2, workers=2)
    numbers = [k for k in range(50) if plan_stroke(k, 2)][:3]
    assert grown.patients.tolist() == [f"phantom-{k:05d}" for k in numbers]
    z = height_in(head_of(numbers[1], 2), 18.0)
    patient = make_patient(numbers[1], seed=2, z=np.array([z]))
    assert np.array_equal(grown.foreground[1], patient.foreground[0])
    assert grown.images.dtype == np.uint8 and grown.images.shape == (3, 128, 128)


def test_the_real_set_itself_is_no_farther_than_its_halves(sets):
    data = sets[0]
    real = slices_at(data, middle_height(data))
    for yardstick in compare(real, real[np.arange(0, 12, 2)]):
        assert 0.3 < yardstick.ratio < 1.5


def test_a_brighter_and_a_blurred_phantom_are_found_out(sets):
    data = sets[0]
    real = slices_at(data, middle_height(data))
    brighter = Slices(
        real.patients,
        np.where(real.foreground, np.clip(real.images.astype(int) + 40, 8, 255), 0).astype(np.uint8),
        real.foreground,
    )
    grey, _ = compare(real, brighter)
    assert grey.ratio > 3 and 30 < grey.phantom <= 40.5
    blurred = (real.images.astype(float) + np.roll(real.images, 1, 1) + np.roll(real.images, 1, 2)) / 3
    _, detail = compare(real, Slices(real.patients, blurred.astype(np.uint8), real.foreground))
    assert detail.ratio > 3
    told = differences(grey, detail)
    assert min(change for _, change in told["grey levels"]) < -0.2  # fewer dark pixels
    assert told["radial spectrum"][0][0] == 1 and len(told["radial spectrum"]) == 12
    assert abs(told["radial spectrum"][0][1]) < 0.1 and told["radial spectrum"][-1][1] < -0.3


def test_the_sheet_says_nothing_but_numbers(sets):
    real, phantom = (slices_at(data, middle_height(data)) for data in sets)
    sheet, key = contact_sheet(real, phantom, seed=0)
    assert sheet.size == (COLUMNS * TILE[0], 3 * TILE[1])  # 24 thumbnails
    assert [line.split()[0] for line in key] == [str(n) for n in range(1, 25)]
    kinds = [line.split()[1] for line in key]
    assert kinds.count("real") == kinds.count("phantom") == 12 and kinds != sorted(kinds)
    again, same = contact_sheet(real, phantom, seed=0)
    assert same == key and np.array_equal(np.asarray(sheet), np.asarray(again))
    assert contact_sheet(real, phantom, seed=1)[1] != key
    # the key tells the truth: the first thumbnail is the brain that it names
    _, kind, patient = key[0].split()
    side = {"real": real, "phantom": phantom}[kind]
    i = side.patients.tolist().index(patient)
    brain = np.asarray(thumbnail(side.images[i], side.foreground[i]))
    tile = np.asarray(sheet)[TILE[1] - BRAIN : TILE[1], : TILE[0]]
    left = (TILE[0] - brain.shape[1]) // 2
    assert np.array_equal(tile[:, left : left + brain.shape[1]], brain)


def test_brains_of_any_size_are_shown_at_one_height():
    image = np.zeros((128, 128), np.uint8)
    for box in ((slice(0, 40), slice(30, 60)), (slice(20, 128), slice(10, 110))):
        foreground = np.zeros(image.shape, bool)
        foreground[box] = True
        brain = thumbnail(np.where(foreground, 200, 0).astype(np.uint8), foreground)
        assert brain.height == BRAIN and brain.width <= TILE[0]
        assert np.asarray(brain)[BRAIN // 2, brain.width // 2] == 200


def test_the_command(sets, capsys, tmp_path):
    out = tmp_path / "new" / "report"
    data, phantom = (data.folder for data in sets)
    code, stdout, stderr = command(
        capsys, "--data", data, "--phantom", phantom, "--slices", 4, "--out", out, "--seed", 3
    )
    assert code == 0 and not stderr
    assert sorted(file.name for file in out.iterdir()) == [
        "contact_sheet.png", "curves.png", "key.txt", "likeness.json",
    ]  # fmt: skip
    report = json.loads((out / "likeness.json").read_text())
    assert report["phantom_slices"] == 4 and report["real_slices"] == 8 and report["target"] == 3
    for row in report["distances"]:
        assert row["ratio"] == pytest.approx(row["phantom"] / row["halves"]) and row["halves"] > 0
        assert f"ratio {row['ratio']:.2f}" in stdout
    with Image.open(out / "curves.png") as picture:
        assert picture.width > 800 and len(picture.convert("L").getcolors()) > 10
    with Image.open(out / "contact_sheet.png") as picture:
        assert not picture.info  # no hint in the file either
    assert len((out / "key.txt").read_text().splitlines()) == 8 <= 2 * EACH
    assert [folder.name for folder in out.parent.iterdir()] == ["report"]


def test_the_phantom_is_made_on_the_fly(sets, capsys, tmp_path):
    words = ("--data", sets[0].folder, "--slices", 2, "--workers", 2)
    assert command(capsys, *words, "--out", tmp_path / "a")[0] == 0
    assert command(capsys, *words[:-1], 1, "--out", tmp_path / "b")[0] == 0
    for name in ("likeness.json", "key.txt", "contact_sheet.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


BAD = {
    "no such set": (["--data", "nowhere"], "is not a SliceSet"),
    "no such phantom": (["--phantom", "nowhere"], "is not a SliceSet"),
    "too many slices": (["--slices", "7"], "at this height, not"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options(case, sets, capsys, tmp_path):
    words, complaint = BAD[case]
    data, phantom = (data.folder for data in sets)
    code, stdout, stderr = command(
        capsys, "--data", data, "--phantom", phantom, "--out", tmp_path / "out", *words
    )
    assert code == 2 and not stdout and len(stderr.splitlines()) == 1 and complaint in stderr
    assert not any(tmp_path.iterdir())


def test_bad_places(sets, capsys, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "file").write_text("in the way")
    for out, complaint in (
        (tmp_path / "out", "exists already"),
        (tmp_path / "file" / "out", "cannot be written"),
    ):
        code, _, stderr = command(capsys, "--data", sets[0].folder, "--out", out)
        assert code == 2 and complaint in stderr and len(stderr.splitlines()) == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "out"]


def test_another_contrast_cannot_be_compared(sets, capsys, tmp_path):
    dwi = make_phantom_set(tmp_path / "dwi", patients=2, slices_per_patient=1, contrast="dwi", progress=False)
    for words in (("--data", dwi.folder), ("--data", sets[0].folder, "--phantom", dwi.folder)):
        code, _, stderr = command(capsys, *words, "--out", tmp_path / "out")
        assert code == 2 and "has no flair channel" in stderr and len(stderr.splitlines()) == 1
    assert [folder.name for folder in tmp_path.iterdir()] == ["dwi"]


def test_the_script_is_the_command(monkeypatch, capsys):
    script = Path(__file__).parents[2] / "data_scripts" / "compare_phantom.py"
    monkeypatch.setattr(sys, "argv", [str(script), "--help"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(script), run_name="__main__")
    assert caught.value.code == 0 and "contact sheet" in capsys.readouterr().out
