"""Bad input to a data script: exit 2, one line that names file and remedy, nothing left behind."""

import os
import shutil
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from trees import brats2015_case, isles2018_case, isles2022_case, nifti, soop_subject

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.scans.command import main
from strokegan_lib.scans.sources import SOURCES


def voxels(change):
    """Change the voxels of a NIfTI file."""

    def apply(path: Path) -> None:
        image = nib.load(path)
        nifti(path, change(image.get_fdata()), image.affine)

    return apply


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def moved(path: Path) -> None:
    image = nib.load(path)
    image.affine[0, 3] += 0.01
    nifti(path, np.asanyarray(image.dataobj), image.affine)


def twice(path: Path) -> None:
    (path.parent / "copy").mkdir()
    shutil.copy(path, path.parent / "copy")


FAULTS = {  # which file of case 2, what is done to it, words of the complaint
    "truncated": ("dwi", truncate, "is cut short"),
    "constant head": ("adc", voxels(lambda d: 1.0 + (np.indices(d.shape).sum(0) == 0)), "cannot be windowed"),
    "other affine": ("msk", moved, "has affine [["),
    "unexpected labels": ("msk", voxels(lambda d: 3 * d), "unexpected labels (3; expected 0, 1)"),
    "mask outside": ("msk", voxels(lambda d: np.roll(d, 13, 0)), "lies outside the brain by"),
    "no mask": ("msk", Path.unlink, "has no mask (sub-strokecase0002_ses-0001)"),
    "no image": ("adc", Path.unlink, "without its adc image"),
    "duplicate": ("dwi", twice, "is the second dwi file"),
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("sound")
    for n in (1, 2, 3):
        isles2022_case(root, n)
    return root


def refused(capfd, name: str, source: object, out: object, *words: str) -> None:
    status = main(SOURCES[name], ["--source", str(source), "--out", str(out)])
    error = capfd.readouterr().err
    assert status == 2 and error.count("\n") == 1 and "Traceback" not in error, error
    assert all(word in error for word in words), error


@pytest.mark.parametrize("fault", FAULTS)
def test_one_bad_case(tmp_path, capfd, sound, fault):
    kind, damage, what = FAULTS[fault]
    source, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(sound, source)
    damage(next(source.rglob(f"*0002_ses-0001_{kind}.nii.gz")))
    refused(capfd, "isles2022", source, out, "strokecase0002", what, "; ")
    assert os.listdir(tmp_path) == ["in"]
    options = ["--source", str(source), "--out", str(out), "--skip-bad", "--workers", "2"]
    assert main(SOURCES["isles2022"], options) == 0
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("skipped: ") and "strokecase0002" in line and what in line
    slices = SliceSet.open(out)
    assert slices.patients == ["isles2022-0001", "isles2022-0003"]
    assert len(slices.card["cases_skipped_as_bad"]) == 1


def test_nothing_but_bad_cases(tmp_path, capfd):
    isles2022_case(tmp_path / "in", 1)["msk"].unlink()
    options = ["--source", f"{tmp_path}/in", "--out", f"{tmp_path}/out", "--skip-bad"]
    assert main(SOURCES["isles2022"], options) == 2
    _, last = capfd.readouterr().err.splitlines()
    assert "no case that could be kept" in last and os.listdir(tmp_path) == ["in"]


def file(name: str):
    def make(root: Path) -> None:
        (root / name).parent.mkdir(parents=True)
        (root / name).write_bytes(b"")

    return make


def brats(prefix: str, suffix: str):
    names = {"label": f"{prefix}.Brain", "image": f"{prefix}.Brain", "suffix": suffix}
    return lambda root: brats2015_case(root, "brats_tcia_pat1_1", **names)


FOLDERS = {  # what lies in the folder, whose it is if anybody's, words of the complaint of all others
    "missing": (lambda root: None, None, "does not exist"),
    "a file": (lambda root: root.write_bytes(b""), None, "is a file, not a folder"),
    "empty": (Path.mkdir, None, "is empty"),
    "archive": (file("data.zip"), None, "packed archives; unpack them"),
    "DICOM": (file("x.dcm"), None, "DICOM files; convert them"),
    "SliceSet": (file("images.npy"), None, "a prepared SliceSet; give it to --data"),
    "other": (file("holiday.jpg"), None, "holds no file of"),
    "isles2015": (lambda root: brats2015_case(root, "1", suffix=".nii"), None, ""),
    "labels": (lambda root: nifti(root / "SMIR.Brain.XX.O.OT.1.nii", np.zeros((3, 3, 3))), None, "holds no file of"),
    "soop": (lambda root: soop_subject(root, 1), "soop", "use prepare_soop.py"),
    "isles2018": (lambda root: isles2018_case(root, 1), "isles2018", "use prepare_isles2018.py"),
    "isles2018, early": (lambda root: isles2018_case(root, 1, prefix="MR"), "isles2018", "use prepare_isles2018.py"),
    "isles2022": (lambda root: isles2022_case(root, 1), "isles2022", "use prepare_isles2022.py"),
    "brats2015": (brats("VSD", ".mha"), "brats2015", "use prepare_brats2015.py"),
    "brats2015, SMIR": (brats("SMIR", ".nii"), "brats2015", "use prepare_brats2015.py"),
}  # fmt: skip


@pytest.mark.parametrize("content", FOLDERS)
def test_folder_that_holds_something_else(tmp_path, capfd, content):
    """The remedy names the command that takes the folder, or none: no two point at each other."""
    make, owner, what = FOLDERS[content]
    make(tmp_path / "in")
    before = sorted(tmp_path.rglob("*"))
    for name in SOURCES.keys() - {owner}:
        refused(capfd, name, tmp_path / "in", tmp_path / "out", str(tmp_path / "in"), what)
    assert sorted(tmp_path.rglob("*")) == before
    if owner:
        assert main(SOURCES[owner], ["--source", f"{tmp_path}/in", "--out", f"{tmp_path}/out"]) == 0


def test_half_of_a_data_set(tmp_path, capfd):
    soop_subject(tmp_path / "in", 1)
    out = tmp_path / "out"
    refused(capfd, "soop", tmp_path / "in/NIfTI", out, "nothing but 1 masks without one of the")
    refused(capfd, "soop", tmp_path / "in/PNG", out, "has no mask")
    isles2018_case(tmp_path / "test", 1, split="TESTING")
    refused(capfd, "isles2018", tmp_path / "test", out, "nothing but 1 test cases without a label")


def test_folders_that_cannot_be_used(tmp_path, capfd, sound):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "text").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*"))
    long = f"{tmp_path}/{'o' * 300}"
    for out in (tmp_path / "thesis", tmp_path / "link"):
        refused(capfd, "isles2022", sound, out, str(out), "exists already")
    for out in (tmp_path / "thesis" / "text" / "out", Path("/proc/out"), long):  # root is refused there too
        refused(capfd, "isles2022", sound, out, str(out), "cannot be written")
    refused(capfd, "isles2022", long, tmp_path / "out", long, "cannot be read")
    assert sorted(tmp_path.rglob("*")) == before and (tmp_path / "thesis" / "text").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another account's rights")
def test_folder_that_must_not_be_read_or_written(capfd, sound):
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        source, out = shutil.copytree(sound, f"{top}/in"), f"{top}/out"
        os.chmod(source, 0o755)
        closed = Path(source, "derivatives")
        closed.chmod(0)
        os.seteuid(65534)
        try:
            refused(capfd, "isles2022", source, out, str(closed), "cannot be read", "right to read")
            os.seteuid(0)
            closed.chmod(0o755)
            os.chmod(top, 0o555)
            os.seteuid(65534)
            refused(capfd, "isles2022", source, out, out, "cannot be written")
        finally:
            os.seteuid(0)
        assert os.listdir(top) == ["in"]
        os.chmod(top, 0o755)
