"""Bad input at the door: exit 2, one line that names file and remedy, nothing left behind."""

import gzip
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from trees import brats2015_case, isles2018_case, isles2022_case, nifti, soop_subject

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.scans import brats2015, isles2018, isles2022, soop
from strokegan_lib.scans.command import main
from strokegan_lib.scans.nifti import UNPLACED
from strokegan_lib.scans.volumes import NAN_OUTSIDE

ROOT = Path(__file__).parents[2]
SOURCES = {"soop": soop, "isles2018": isles2018, "isles2022": isles2022, "brats2015": brats2015}


def rewrite(path: Path, change) -> None:
    """Change the voxels of a NIfTI file."""
    image = nib.load(path)
    nifti(path, change(image.get_fdata().astype(np.float64)), image.affine)


def voxel(value: float):
    def change(data):
        data[12, 10, 3] = value
        return data

    return change


def raw(change):
    return lambda path: path.write_bytes(change(path.read_bytes()))


def head(change):
    """Change bytes of the header inside the gzip."""

    def apply(path):
        data = bytearray(gzip.decompress(path.read_bytes()))
        change(data)
        path.write_bytes(gzip.compress(bytes(data)))

    return apply


def dim(*sizes: int):
    def change(data):
        data[40:56] = np.array([len(sizes), *sizes, *[1] * (7 - len(sizes))], "<i2").tobytes()

    return head(change)


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 16]) + data[middle + 1 :]


def shifted(path: Path) -> None:
    image = nib.load(path)
    affine = image.affine.copy()
    affine[0, 3] += 0.01
    nifti(path, np.asanyarray(image.dataobj), affine)


def bomb(path: Path) -> None:
    start = gzip.decompress(path.read_bytes())
    with gzip.open(path, "wb", 1) as file:
        file.write(start)
        for _ in range(64):
            file.write(bytes(2**20))


CASES = {  # which file of case 2, what is done to it, words of the complaint
    "truncated": ("dwi", raw(lambda b: b[: len(b) // 2]), "is cut short"),
    "empty": ("dwi", raw(lambda b: b""), "is empty"),
    "text": ("adc", raw(lambda b: b"<html>404</html>"), "is not a NIfTI file"),
    "bit-flipped": ("flair", raw(flip), "is damaged"),
    "bit-flipped mask": ("msk", raw(lambda b: b[:-6] + bytes([b[-6] ^ 1]) + b[-5:]), "is damaged"),
    "claims gigabytes": ("dwi", dim(1024, 1024, 1024), "the limit is 512 MiB"),
    "gzip bomb": ("msk", bomb, "holds more data than its header says"),
    "NaN": ("adc", lambda p: rewrite(p, voxel(np.nan)), "NaN or infinite"),
    "infinite": ("dwi", lambda p: rewrite(p, voxel(np.inf)), "NaN or infinite"),
    "negative dimensions": ("dwi", dim(-24, 20, 6), "claims a shape of -24x20x6"),
    "zero dimensions": ("dwi", dim(24, 0, 6), "claims a shape of 24x0x6"),
    "5 dimensions": ("dwi", dim(24, 20, 2, 1, 3), "has 5 dimensions"),
    "constant image": ("flair", lambda p: rewrite(p, lambda d: d * 0 + 7), "is constant (7 in every voxel)"),
    "other shape": ("msk", lambda p: rewrite(p, lambda d: d[:, :, :5]), "has shape 24x20x5"),
    "other affine": ("msk", shifted, "has affine [["),
    "unexpected labels": ("msk", lambda p: rewrite(p, voxel(3)), "unexpected labels (3; expected 0, 1)"),
    "half labels": ("msk", lambda p: rewrite(p, lambda d: d * 0.5), "unexpected labels (0.5;"),
    "mask outside": ("msk", lambda p: rewrite(p, lambda d: np.roll(d, 13, 0)), "lies outside the brain by"),
    "mask of everything": ("msk", lambda p: rewrite(p, lambda d: d * 0 + 1), "lies outside the brain by"),
    "no mask": ("msk", Path.unlink, "has no mask (sub-strokecase0002_ses-0001)"),
    "no image": ("adc", Path.unlink, "without its adc image"),
    "duplicate": ("dwi", lambda p: (p.parent / "copy").mkdir() or (p.parent / "copy" / p.name).write_bytes(p.read_bytes()), "is the second dwi file"),
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("sound")
    for n in (1, 2, 3):
        isles2022_case(root, n)
    return root


def refused(capfd, status: int, *words: str) -> str:
    stderr = capfd.readouterr().err
    assert status == 2
    assert len(stderr.splitlines()) == 1 and "Traceback" not in stderr, stderr
    for word in words:
        assert word in stderr, stderr
    return stderr


@pytest.mark.parametrize("fault", CASES)
def test_one_bad_case(tmp_path, capfd, sound, fault):
    kind, spoil, what = CASES[fault]
    source, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(sound, source)
    path = next(source.rglob(f"*0002_ses-0001_{kind}.nii.gz"))
    spoil(path)
    options = ["--source", str(source), "--out", str(out)]
    named = "strokecase0002"
    refused(capfd, main(isles2022.SOURCE, options), named, what, "; ")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]
    assert main(isles2022.SOURCE, [*options, "--skip-bad", "--workers", "2"]) == 0
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("skipped: ") and named in line and what in line
    slices = SliceSet.open(out)
    assert slices.patients == ["isles2022-0001", "isles2022-0003"]
    assert len(slices.card["cases_skipped_as_bad"]) == 1


def test_what_had_to_be_assumed_is_printed_and_in_the_card(tmp_path, capfd, sound):
    source, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(sound, source)

    def no_codes(data: bytearray) -> None:
        data[252:256] = bytes(4)

    for path in source.rglob("*0002_ses*"):
        head(no_codes)(path)
    for path in source.rglob("*0003_ses-0001_adc.nii.gz"):
        rewrite(path, lambda data: np.where(data < 0, np.nan, data))  # below 0 outside the head
    assert main(isles2022.SOURCE, ["--source", str(source), "--out", str(out)]) == 0
    assert SliceSet.open(out).card["file_notes"] == {UNPLACED: 1, NAN_OUTSIDE: 1}
    said = capfd.readouterr().out
    assert f"note: {UNPLACED} (1 cases)" in said and f"note: {NAN_OUTSIDE} (1 cases)" in said


def test_nothing_but_bad_cases(tmp_path, capfd):
    isles2022_case(tmp_path / "in", 1)["msk"].unlink()
    status = main(isles2022.SOURCE, ["--source", f"{tmp_path}/in", "--out", f"{tmp_path}/out", "--skip-bad"])
    error = capfd.readouterr().err.splitlines()
    assert status == 2 and len(error) == 2 and "no case that could be kept" in error[1]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: None, ("does not exist",)),
        (lambda p: p.write_bytes(b""), ("is a file, not a folder",)),
        (lambda p: p.mkdir(), ("is empty",)),
        (lambda p: (p / ".git").mkdir(parents=True) or (p / ".git" / "x").write_bytes(b""), ("is empty",)),
        (lambda p: p.mkdir() or (p / "data.zip").write_bytes(b""), ("packed archives", "unpack them")),
        (lambda p: p.mkdir() or (p / "x.dcm").write_bytes(b""), ("DICOM files",)),
        (lambda p: p.mkdir() or (p / "holiday.jpg").write_bytes(b""), ("holds no file of", "--help")),
    ],
    ids=["missing", "file", "empty", "hidden", "archive", "dicom", "other"],
)
def test_folder_that_is_no_data_set(tmp_path, capfd, name, make, words):
    make(tmp_path / "in")
    before = sorted(tmp_path.iterdir())
    status = main(SOURCES[name].SOURCE, ["--source", f"{tmp_path}/in", "--out", f"{tmp_path}/out"])
    refused(capfd, status, str(tmp_path / "in"), *words)
    assert sorted(tmp_path.iterdir()) == before


def brats(root: Path, archive: str, suffix: str) -> None:
    brats2015_case(
        root, "brats_tcia_pat1_1", label=f"{archive}.Brain", image=f"{archive}.Brain", suffix=suffix
    )


TREES = {  # whose it is, in every way that its files are named; ISLES 2015 is nobody's
    "soop": ("soop", lambda root: soop_subject(root, 1)),
    "isles2018": ("isles2018", lambda root: isles2018_case(root, 1)),
    "isles2018, early": ("isles2018", lambda root: isles2018_case(root, 1, prefix="MR")),
    "isles2018, VSD": ("isles2018", lambda root: isles2018_case(root, 1, archive="VSD")),
    "isles2022": ("isles2022", lambda root: isles2022_case(root, 1)),
    "brats2015": ("brats2015", lambda root: brats(root, "VSD", ".mha")),
    "brats2015, SMIR": ("brats2015", lambda root: brats(root, "SMIR", ".mha")),
    "brats2015, SMIR, nii": ("brats2015", lambda root: brats(root, "SMIR", ".nii")),
    "isles2015": (None, lambda root: brats2015_case(root, "1", suffix=".nii")),
    "labels": (None, lambda root: nifti(root / "SMIR.Brain.XX.O.OT.1.nii", np.zeros((3, 3, 3)))),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("tree", TREES)
def test_folder_of_another_data_set(tmp_path, capfd, name, tree):
    """The remedy names the command that takes the folder, or none: no two point at each other."""
    owner, make = TREES[tree]
    make(tmp_path / "in")
    options = ["--source", f"{tmp_path}/in", "--out", f"{tmp_path}/out"]
    status = main(SOURCES[name].SOURCE, options)
    if name == owner:
        assert status == 0
    elif owner:
        refused(capfd, status, "looks like", f"use prepare_{owner}.py")
    else:
        assert "use prepare_" not in refused(capfd, status)


def test_sliceset_given_as_source(tmp_path, capfd, sound):
    assert main(isles2022.SOURCE, ["--source", str(sound), "--out", f"{tmp_path}/made"]) == 0
    capfd.readouterr()
    status = main(soop.SOURCE, ["--source", f"{tmp_path}/made", "--out", f"{tmp_path}/out"])
    refused(capfd, status, "a prepared SliceSet", "give it to --data")


def test_half_of_soop(tmp_path, capfd):
    soop_subject(tmp_path / "in", 1)
    for part, words in (("NIfTI", "holds masks but no"), ("PNG", "has no mask")):
        status = main(soop.SOURCE, ["--source", f"{tmp_path}/in/{part}", "--out", f"{tmp_path}/out"])
        refused(capfd, status, words)


def test_out_that_exists(tmp_path, capfd, sound):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    refused(
        capfd, main(isles2022.SOURCE, ["--source", str(sound), "--out", str(out)]), str(out), "exists already"
    )
    assert (out / "thesis.txt").read_text() == "mine"
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    refused(
        capfd, main(isles2022.SOURCE, ["--source", str(sound), "--out", f"{tmp_path}/link"]), "exists already"
    )


def test_out_that_cannot_be_written(tmp_path, capfd, sound):
    """Below a file, and in a file system that takes no folders: root is refused there too."""
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file" / "out", Path("/proc/out")):
        refused(
            capfd,
            main(isles2022.SOURCE, ["--source", str(sound), "--out", str(out)]),
            str(out),
            "cannot be written",
        )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_names_too_long(tmp_path, capfd, sound):
    long = f"{tmp_path}/{'o' * 300}"
    refused(capfd, main(isles2022.SOURCE, ["--source", str(sound), "--out", long]), long, "cannot be written")
    refused(
        capfd, main(isles2022.SOURCE, ["--source", long, "--out", f"{tmp_path}/out"]), long, "cannot be read"
    )


def test_folder_that_must_not_be_read_or_written(capfd, sound):
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        shutil.copytree(sound, f"{top}/in")
        os.chmod(f"{top}/in", 0o755)
        closed = Path(top, "in", "derivatives")
        closed.chmod(0)
        status = main_as_nobody(["--source", f"{top}/in", "--out", f"{top}/out"])
        refused(capfd, status, str(closed), "cannot be read", "right to read")
        closed.chmod(0o755)
        os.chmod(top, 0o555)
        status = main_as_nobody(["--source", f"{top}/in", "--out", f"{top}/out"])
        refused(capfd, status, f"{top}/out", "cannot be written")
        assert os.listdir(top) == ["in"]
        os.chmod(top, 0o755)


def main_as_nobody(options: list[str]) -> int:
    """Run the door without root's rights, which no folder can refuse."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        return main(isles2022.SOURCE, options)
    finally:
        if root:
            os.seteuid(0)


def test_full_disk(tmp_path, sound):
    """A limit on the size of files stands in for the disk's end: writing fails at the same place."""
    command = [
        sys.executable,
        ROOT / "data_scripts/prepare_isles2022.py",
        "--source",
        sound,
        "--out",
        tmp_path / "out",
    ]

    def small_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        list(map(str, command)), env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, preexec_fn=small_disk
    )  # fmt: skip
    assert done.returncode == 2
    assert (
        len(done.stderr.splitlines()) == 1
        and "cannot be written" in done.stderr
        and "free some space" in done.stderr
    )
    assert list(tmp_path.iterdir()) == []
