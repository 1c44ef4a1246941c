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
from trees import brats2015_case, isles2018_case, isles2022_case, nifti, soop_subject

from strokegan_lib.data.resample import resample_mask
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.scans.command import main
from strokegan_lib.scans.nifti import UNPLACED
from strokegan_lib.scans.sources import SOURCES
from strokegan_lib.scans.volumes import NAN_OUTSIDE, read_mask

ROOT = Path(__file__).parents[2]
TREES = {
    "soop": lambda root: [soop_subject(root, n) for n in (1, 2)],
    "isles2018": lambda root: [isles2018_case(root, n) for n in (1, 2, 3)],
    "isles2022": lambda root: [isles2022_case(root, n) for n in (1, 2)],
    "brats2015": lambda root: [brats2015_case(root, f"brats_tcia_pat{n}_1") for n in (1, 2)],
}


def script(name: str, *options: object, **more) -> subprocess.Popen:
    command = [sys.executable, ROOT / "data_scripts" / f"prepare_{name}.py", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [str(c) for c in command], env=environment, stdout=pipe, stderr=pipe, text=True, **more
    )


def prepared(name: str, folder: Path, *options: str) -> SliceSet:
    out = tempfile.mkdtemp(dir=folder.parent)
    assert main(SOURCES[name], ["--source", str(folder), "--out", f"{out}/o", *options]) == 0
    return SliceSet.open(f"{out}/o")


@pytest.mark.parametrize("name", TREES)
def test_script_makes_a_sliceset_from_a_folder_with_an_awkward_name(tmp_path, name):
    source, out = tmp_path / "Daten für Müller (2)", tmp_path / "out ü"
    TREES[name](source)
    for stray in (".DS_Store", "__MACOSX/._rsub-1_lesion.nii.png"):
        (source / stray).parent.mkdir(exist_ok=True)
        (source / stray).write_bytes(b"x")
    (source / "loop").symlink_to(source)
    before = sorted((p, p.stat().st_mtime_ns) for p in source.rglob("*"))
    with script(name, "--source", source, "--out", out) as running:
        said, errors = running.communicate(timeout=120)
    assert (running.returncode, errors) == (0, "")
    about, slices = SOURCES[name], SliceSet.open(out)
    assert said.index(about.licence) < said.index(about.citation) < said.index("slices of 2 patients")
    assert len(slices.patients) == 2 and slices.channels == list(about.channels)
    assert slices.stroke.any() and not (slices.stroke & ~slices.foreground).any()
    assert set(slices.table["source"].tolist()) == {name}
    assert before == sorted((p, p.stat().st_mtime_ns) for p in source.rglob("*"))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, out.name])


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--help"], 0, ["How to get the data: No registration", "Licence", "Please cite", "--skip-bad"]),
        (["--modality", "t1"], 2, ["--modality", "--help"]),
        (["--modality", "dwi", "dwi"], 2, ["names a channel twice", "--help"]),
        (["--route", "air"], 2, ["--route", "--help"]),
    ],
)
def test_help_and_bad_use(options, status, words, capsys):
    with pytest.raises(SystemExit) as end:
        main(SOURCES["isles2022"], ["--source", "a", "--out", "b", *options])
    out, error = capsys.readouterr()
    assert end.value.code == status and error.count("\n") == status // 2
    assert all(word in out + error for word in words)


def test_any_number_of_workers_gives_the_same_bytes(tmp_path):
    for n in range(1, 8):
        isles2022_case(tmp_path / "in", n, stroke=n % 3 > 0)
    cards = [prepared("isles2022", tmp_path / "in", "--workers", w).card for w in ("1", "2", "5")]
    assert cards[0]["sha256"] == cards[1]["sha256"] == cards[2]["sha256"]
    assert cards[0]["cases_without_stroke"] == 2 and cards[0]["counts"]["patients"] == 7
    assert len(cards[0]["windows_by_case"]) == 7


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


def test_modalities_region_limit_and_route(tmp_path):
    isles2022_case(tmp_path / "i", 1), isles2022_case(tmp_path / "i", 2)
    slices = prepared("isles2022", tmp_path / "i", "--modality", "flair", "dwi", "--limit", "1")
    assert slices.channels == ["flair", "dwi"] and slices.patients == ["isles2022-0001"]
    assert "windows_by_case" not in slices.card and slices.card["windows"][1]["channel"] == "dwi"
    brats2015_case(tmp_path / "b", "brats_tcia_pat1_1")
    whole, core = (
        prepared("brats2015", tmp_path / "b", "--region", r).stroke.sum() for r in ("whole", "core")
    )
    assert 0 < core < whole
    soop_subject(tmp_path / "s", 1)
    options = ["--source", f"{tmp_path}/s", "--out", f"{tmp_path}/o", "--route", "volumes"]
    assert main(SOURCES["soop"], options) == 2


def test_what_was_clipped_and_assumed_is_in_the_card(tmp_path, capfd):
    cases = [isles2022_case(tmp_path / "in", n) for n in (1, 2, 3)]
    mask = read_mask(cases[0]["msk"])
    data = mask.data.astype(np.uint16)
    data[0, 0, 3] = 1  # outside the head
    nifti(cases[0]["msk"], data, mask.affine)
    for path in cases[1].values():
        raw = gzip.decompress(path.read_bytes())
        path.write_bytes(gzip.compress(raw[:252] + bytes(4) + raw[256:]))  # qform_code and sform_code
    adc = nib.load(cases[2]["adc"])
    data = adc.get_fdata()
    nifti(cases[2]["adc"], np.where(data < 0, np.nan, data), adc.affine)  # below 0 outside the head
    card = prepared("isles2022", tmp_path / "in").card
    assert card["lesion_ml_clipped_outside_foreground"] == 0.012 and card["cases_clipped"] == 1
    assert card["file_notes"] == {UNPLACED: 1, NAN_OUTSIDE: 1}
    assert f"note: {UNPLACED} (1 cases)" in capfd.readouterr().out


def test_full_disk(tmp_path):
    """A limit on the size of files stands in for the disk's end: writing fails at the same place."""
    import resource

    def small_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

    TREES["isles2022"](tmp_path / "in")
    options = ("--source", tmp_path / "in", "--out", tmp_path / "out")
    with script("isles2022", *options, preexec_fn=small_disk) as running:
        _, errors = running.communicate(timeout=120)
    assert running.returncode == 2 and errors.count("\n") == 1
    assert "cannot be written" in errors and "free some space" in errors
    assert os.listdir(tmp_path) == ["in"]


if "STROKEGAN_REAL" in os.environ:  # a folder with the real data sets

    def test_real_soop(tmp_path):
        shutil.copytree(Path(os.environ["STROKEGAN_REAL"], "soop"), tmp_path / "soop")
        card = prepared("soop", tmp_path / "soop", "--workers", "2").card
        disagree = "mask and picture disagree (Dice below 0.95)"
        assert card["cases_dropped"] == {"mask of more than 400 mL": 8, disagree: 8}
