"""The data scripts from end to end: the same result each time, all of it in the card, nothing left of a failure."""

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from trees import SOURCES, isles2018_case, isles2022_case, nifti, soop_subject, tree

from strokegan_lib.data.resample import resample_mask
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.scans.command import main
from strokegan_lib.scans.formats import UNPLACED
from strokegan_lib.scans.volumes import NAN_OUTSIDE, read_mask

ROOT = Path(__file__).parents[2]


def run(name: str, folder: Path, out: Path, *options: str) -> int:
    return main(SOURCES[name], ["--source", str(folder), "--out", str(out), *options])


def prepared(name: str, folder: Path, *options: str) -> SliceSet:
    out = Path(tempfile.mkdtemp(dir=folder.parent), "set")
    assert run(name, folder, out, *options) == 0
    return SliceSet.open(out)


@pytest.mark.parametrize("name", SOURCES)
def test_script_makes_a_sliceset_from_a_folder_with_an_awkward_name(tmp_path, name):
    source, out = tmp_path / "Daten für Müller (2)", tmp_path / "out ü"
    tree(name, source, cases=3 if name == "isles2018" else 2)
    for stray in (".DS_Store", "__MACOSX/._rsub-1_lesion.nii.png"):
        (source / stray).parent.mkdir(exist_ok=True)
        (source / stray).write_bytes(b"x")
    (source / "loop").symlink_to(source)
    before = sorted((p, p.stat().st_mtime_ns) for p in source.rglob("*"))
    command = [sys.executable, ROOT / "data_scripts" / f"prepare_{name}.py", "--source", source, "--out", out]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    said, about, slices = done.stdout, SOURCES[name], SliceSet.open(out)
    assert said.index(about.licence) < said.index(about.citation) < said.index(about.limits[0])
    assert "  patients: 2\n" in said and len(slices.patients) == 2 and slices.channels == list(about.channels)
    assert slices.stroke.any() and not (slices.stroke & ~slices.foreground).any()
    assert set(slices.table["source"].tolist()) == {name}
    assert before == sorted((p, p.stat().st_mtime_ns) for p in source.rglob("*"))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, out.name])


def edited(voxels=lambda data: data, shift: float = 0.0):
    """Damage that changes the voxels or the place of a NIfTI file."""

    def apply(path: Path) -> None:
        image = nib.load(path)
        image.affine[0, 3] += shift
        nifti(path, voxels(image.get_fdata()), image.affine)

    return apply


def black(path: Path) -> None:
    Image.new("RGB", (692, 189)).save(path)
    edited(np.zeros_like)(path.parents[1] / "NIfTI" / "bwsrsub-2_lesion.nii.gz")


DAMAGES = {  # data set, which of its files or folders, what is done to it, words of the complaint
    "no brain": ("soop", "rsub-2_*", black, "shows no brain"),
    "grid": ("soop", "bwsrsub-2_*", edited(lambda d: d[:10, :10, :10]), "is not on SOOP's grid"),
    "constant head": ("isles2022", "*2_ses-0001_adc.*", edited(lambda d: 1.0 + (np.indices(d.shape).sum(0) == 0)), "cannot be windowed"),
    "other affine": ("isles2022", "*2_ses-0001_msk.*", edited(shift=0.01), "has affine [["),
    "mask outside": ("isles2022", "*2_ses-0001_msk.*", edited(lambda d: np.roll(d, 13, 0)), "lies outside the brain by"),
    "no mask": ("isles2022", "*2_ses-0001_msk.*", Path.unlink, "has no mask (sub-strokecase0002_ses-0001)"),
    "dangling link": ("isles2022", "*2_ses-0001_adc.*", lambda p: (p.unlink(), p.symlink_to("nowhere")), "cannot be read (No such file"),
    "duplicate": ("isles2022", "*2_ses-0001_dwi.*", lambda p: shutil.copy(p, p.parents[1]), "is the second of its kind"),
    "test case": ("isles2018", "case_2", lambda p: p.rename(p.with_name("case_95")), "not one of the 94 training cases"),
    "renamed": ("isles2018", "case_2", lambda p: p.rename(p.with_name("two")), "lies in no folder named like a case"),
    "label 5": ("brats2015", "*pat2_1/*/*.OT.*", edited(lambda d: d + d // 4), "labels (5; expected 0, 1, 2, 3, 4)"),
}  # fmt: skip
FOLDERS = {  # data set, what lies in the folder, words of the complaint
    "missing": ("soop", lambda root: None, "cannot be read (No such file or directory)"),
    "test cases": ("isles2018", lambda root: isles2018_case(root, 1, "TESTING"), "holds no case of isles2018"),
    "masks only": ("soop", lambda root: (soop_subject(root, 1), shutil.rmtree(root / "PNG")), "1 dropped (mask without"),
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """Three cases of ISLES 2022, two of the others."""
    root = tmp_path_factory.mktemp("sound")
    for name in SOURCES:
        tree(name, root / name, cases=3 if name == "isles2022" else 2)
    return root


@pytest.mark.parametrize("damage", [*DAMAGES, *FOLDERS])
def test_what_cannot_be_read_is_one_line_and_a_bad_case_may_be_skipped(tmp_path, capfd, sound, damage):
    source, out = tmp_path / "in", tmp_path / "out"
    if damage in FOLDERS:
        name, make, what = FOLDERS[damage]
        make(source)
    else:
        name, file, apply, what = DAMAGES[damage]
        shutil.copytree(sound / name, source)
        apply(next(p for p in source.rglob(file) if p.is_file() or "*" not in file))
    assert run(name, source, out) == 2 and not out.exists()
    (error,) = capfd.readouterr().err.splitlines()
    assert str(source) in error and what in error and "; " in error
    if damage in DAMAGES:
        assert run(name, source, out, "--skip-bad", "--workers", "2") == 0
        error = capfd.readouterr().err.splitlines()
        assert all(line.startswith("skipped: ") and what in line for line in error)
        slices = SliceSet.open(out)
        assert len(slices.patients) == 1 + (name == "isles2022") and slices.card["cases_skipped_as_bad"]


def test_help_says_how_to_get_the_data_and_a_channel_is_named_once(capsys):
    for options, code in ((["--help"], 0), (["--modality", "dwi", "dwi"], 2)):
        with pytest.raises(SystemExit, match=str(code)):
            run("isles2022", "a", "b", *options)
    out, error = capsys.readouterr()
    assert all(f"{head}: " in out for head in ("How to get the data", "Licence", "Please cite"))
    assert error.count("\n") == 1 and "--modality names a channel twice" in error


def test_any_number_of_workers_gives_the_same_bytes(tmp_path):
    for n in range(1, 8):
        isles2022_case(tmp_path / "in", n, stroke=n % 3 > 0)
    one, other = (prepared("isles2022", tmp_path / "in", "--workers", workers).card for workers in "15")
    assert one["sha256"] == other["sha256"] and one["cases_without_stroke"] == 2
    assert one["counts"]["patients"] == len(one["windows_by_case"]) == 7


def test_masks_are_resampled_bit_for_bit_and_the_card_says_what_that_does(tmp_path):
    speck = np.zeros((157, 189, 136))
    speck[50, 90, 68] = 1  # 1 mm2, less than half of a pixel of 1.48 mm
    soop_subject(tmp_path / "in", 1, speck), soop_subject(tmp_path / "in", 2)
    slices = prepared("soop", tmp_path / "in")
    for i, case in enumerate(slices.table["case"].tolist()):
        mask = read_mask(tmp_path / "in" / "NIfTI" / f"bwsr{case}_lesion.nii.gz")
        assert np.array_equal(slices.stroke[i], resample_mask(mask.planes()[68] > 0, (1, 1)))
    card, after = slices.card, sum(slices.lesion_ml().values())
    assert card["planes_whose_lesion_was_lost_by_resampling"] == 1 == card["counts"]["slices_with_stroke"]
    assert card["lesion_ml_after_resampling"] == pytest.approx(after, abs=1e-3)
    assert card["lesion_ml_before_resampling"] == pytest.approx(after, rel=0.03)
    assert card["windows"][0]["high"] == 254


def test_modalities_limit_and_region(sound, tmp_path):
    slices = prepared("isles2022", sound / "isles2022", "--modality", "flair", "dwi", "--limit", "1")
    assert slices.channels == ["flair", "dwi"] and slices.patients == ["isles2022-0001"]
    assert "windows_by_case" not in slices.card and slices.card["windows"][1]["channel"] == "dwi"
    damaged = shutil.copytree(sound / "isles2022", tmp_path / "in")
    next(damaged.rglob("*case0002*msk.nii.gz")).unlink()
    assert prepared("isles2022", damaged, "--limit", "1").patients == ["isles2022-0001"]
    assert run("isles2022", damaged, tmp_path / "three", "--limit", "3") == 2
    whole, core = (prepared("brats2015", sound / "brats2015", "--region", r) for r in ("whole", "core"))
    assert 0 < core.stroke.sum() < whole.stroke.sum()


def test_what_was_clipped_and_assumed_is_in_the_card(tmp_path, capfd):
    cases = [isles2022_case(tmp_path / "in", n) for n in (1, 2, 3)]
    corner = np.indices((24, 20, 6)).sum(0) == 0  # a voxel outside the head
    edited(lambda d: np.where(corner, 1, d))(cases[0]["msk"])
    for path in cases[1].values():
        raw = gzip.decompress(path.read_bytes())
        path.write_bytes(gzip.compress(raw[:252] + bytes(4) + raw[256:]))  # qform_code and sform_code
    edited(lambda d: np.where(d < 0, np.nan, d))(cases[2]["adc"])  # below 0 outside the head
    card = prepared("isles2022", tmp_path / "in").card
    assert card["lesion_ml_clipped_outside_foreground"] == 0.012 and card["cases_clipped"] == 1
    assert card["file_notes"] == {UNPLACED: 1, NAN_OUTSIDE: 1} and UNPLACED in capfd.readouterr().out
