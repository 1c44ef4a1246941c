"""The data scripts from end to end: the same result each time, and nothing left of a failure."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from trees import brats2015_case, isles2018_case, isles2022_case, nifti, soop_subject

from strokegan_lib.data.resample import resample_mask
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.split import split_of
from strokegan_lib.scans import brats2015, isles2018, isles2022, soop
from strokegan_lib.scans.command import main
from strokegan_lib.scans.volumes import read_mask

ROOT = Path(__file__).parents[2]
MAKERS = {
    "soop": lambda root: [soop_subject(root, n) for n in (1, 2)],
    "isles2018": lambda root: [isles2018_case(root, n) for n in (1, 2, 3)],
    "isles2022": lambda root: [isles2022_case(root, n) for n in (1, 2)],
    "brats2015": lambda root: [brats2015_case(root, f"brats_tcia_pat{n}_1") for n in (1, 2)],
}


def script(name: str, *options: object, **more) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, ROOT / "data_scripts" / f"prepare_{name}.py", *options]
    return subprocess.run(
        [str(c) for c in command], env=environment, capture_output=True, text=True, timeout=120, **more
    )


@pytest.mark.parametrize("name", MAKERS)
def test_script_makes_a_sliceset_from_a_folder_with_an_awkward_name(tmp_path, name):
    source = tmp_path / "Daten für Müller (2)"
    MAKERS[name](source)
    (source / ".DS_Store").write_bytes(b"x")
    (source / "__MACOSX").mkdir()
    (source / "__MACOSX" / "._rsub-1_lesion.nii.png").write_bytes(b"x")
    before = sorted((p, p.stat().st_mtime_ns) for p in source.rglob("*"))
    out = tmp_path / "out ü"
    done = script(name, "--source", source, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    module = {"soop": soop, "isles2018": isles2018, "isles2022": isles2022, "brats2015": brats2015}[
        name
    ].SOURCE
    assert (
        done.stdout.index(module.licence)
        < done.stdout.index(module.citation)
        < done.stdout.index("slices of 2 patients")
    )
    slices = SliceSet.open(out)
    assert len(slices.patients) == 2 and slices.stroke.any()
    assert slices.channels == list(module.channels)
    assert not (slices.stroke & ~slices.foreground).any()
    assert set(slices.table["source"].tolist()) == {name}
    assert before == sorted((p, p.stat().st_mtime_ns) for p in source.rglob("*"))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, out.name])


@pytest.mark.parametrize("name", MAKERS)
def test_help_says_how_to_get_the_data(name):
    done = script(name, "--help")
    assert done.returncode == 0
    for words in ("How to get the data", "Licence", "Please cite", "--skip-bad"):
        assert words in done.stdout


def test_any_number_of_workers_gives_the_same_bytes(tmp_path):
    for n in range(1, 8):
        isles2022_case(tmp_path / "in", n, stroke=n % 3 > 0)
    for workers in (1, 2, 5):
        assert (
            main(
                isles2022.SOURCE,
                ["--source", f"{tmp_path}/in", "--out", f"{tmp_path}/{workers}", "--workers", str(workers)],
            )
            == 0
        )
    cards = [SliceSet.open(tmp_path / str(w)).card for w in (1, 2, 5)]
    assert cards[0]["sha256"] == cards[1]["sha256"] == cards[2]["sha256"]
    assert cards[0]["cases_without_stroke"] == 2 and cards[0]["counts"]["patients"] == 7


def test_soop_store_holds_the_resampled_mask_bit_for_bit(tmp_path):
    for n in range(1, 4):
        soop_subject(tmp_path / "in", n)
    assert main(soop.SOURCE, ["--source", f"{tmp_path}/in", "--out", f"{tmp_path}/out"]) == 0
    assert_masks(tmp_path / "in", SliceSet.open(tmp_path / "out"))


def assert_masks(folder: Path, slices: SliceSet) -> None:
    for i, case in enumerate(slices.table["case"].tolist()):
        mask = read_mask(folder / "NIfTI" / f"bwsr{case}_lesion.nii.gz")
        assert np.array_equal(slices.stroke[i], resample_mask(mask.planes()[68] > 0, (1, 1)))


def test_what_resampling_does_to_lesions_is_in_the_card(tmp_path):
    lesion = np.zeros((157, 189, 136))
    lesion[50, 90, 68] = 1  # 1 mm2, less than half of a pixel of 1.48 mm
    soop_subject(tmp_path / "in", 1, lesion)
    soop_subject(tmp_path / "in", 2)
    assert main(soop.SOURCE, ["--source", f"{tmp_path}/in", "--out", f"{tmp_path}/out"]) == 0
    slices = SliceSet.open(tmp_path / "out")
    assert slices.card["planes_whose_lesion_was_lost_by_resampling"] == 1
    assert slices.card["counts"]["slices_with_stroke"] == 1
    after = sum(slices.lesion_ml().values())
    assert slices.card["lesion_ml_after_resampling"] == pytest.approx(after, abs=1e-3)
    assert slices.card["lesion_ml_before_resampling"] == pytest.approx(after, rel=0.03)
    assert slices.card["windows"][0]["high"] == 254


def test_a_little_mask_outside_the_foreground_is_clipped_and_counted(tmp_path):
    paths = isles2022_case(tmp_path / "in", 1)
    mask = read_mask(paths["msk"])
    data = mask.data.copy()
    data[0, 0, 3] = 1
    assert 0 < 1 / data.sum() < 0.1
    nifti(paths["msk"], data.astype(np.uint16), mask.affine)
    assert main(isles2022.SOURCE, ["--source", f"{tmp_path}/in", "--out", f"{tmp_path}/out"]) == 0
    card = SliceSet.open(tmp_path / "out").card
    assert card["lesion_ml_clipped_outside_foreground"] == 0.012 and card["cases_clipped"] == 1


def test_modalities_route_region_and_limit(tmp_path):
    isles2022_case(tmp_path / "i", 1), isles2022_case(tmp_path / "i", 2)
    argv = [
        "--source",
        f"{tmp_path}/i",
        "--out",
        f"{tmp_path}/o",
        "--modality",
        "flair",
        "dwi",
        "--limit",
        "1",
    ]
    assert main(isles2022.SOURCE, argv) == 0
    slices = SliceSet.open(tmp_path / "o")
    assert slices.channels == ["flair", "dwi"] and slices.patients == ["isles2022-0001"]
    assert "windows_by_case" not in slices.card and slices.card["windows"][1]["channel"] == "dwi"
    brats2015_case(tmp_path / "b", "brats_tcia_pat1_1")
    for region in ("whole", "core"):
        done = script("brats2015", "--source", tmp_path / "b", "--out", tmp_path / region, "--region", region)
        assert done.returncode == 0
    whole, core = (SliceSet.open(tmp_path / r).stroke.sum() for r in ("whole", "core"))
    assert 0 < core < whole


@pytest.mark.parametrize(
    "options",
    [
        ["--modality", "t1"],
        ["--modality", "dwi", "dwi"],
        ["--workers", "0"],
        ["--limit", "x"],
        ["--nonsense"],
        ["--route", "air"],
    ],
)
def test_bad_use_is_one_line_and_exit_2(tmp_path, options):
    done = script("isles2022", "--source", tmp_path, "--out", tmp_path / "o", *options)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and "--help" in done.stderr


def test_killed_in_the_middle_and_run_again(tmp_path):
    for n in range(1, 13):
        soop_subject(tmp_path / "in", n)
    out, partial = tmp_path / "out", tmp_path / ".out.partial"
    command = [
        sys.executable,
        ROOT / "data_scripts/prepare_soop.py",
        "--source",
        tmp_path / "in",
        "--out",
        out,
        "--workers",
        "2",
    ]
    running = subprocess.Popen(
        list(map(str, command)), env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    )
    while running.poll() is None and not (partial / "stroke.npy").exists():
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stdout.close()
    assert running.returncode == -signal.SIGKILL, "it was done before it could be killed"
    assert not out.exists() and partial.exists()
    assert script("soop", "--source", tmp_path / "in", "--out", out).returncode == 0
    assert len(SliceSet.open(out)) == 12
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"]


if "STROKEGAN_REAL" in os.environ:

    def test_real_soop_masks_are_the_resampled_nifti_planes(tmp_path):
        real = Path(os.environ["STROKEGAN_REAL"], "soop")
        start = time.perf_counter()
        assert main(soop.SOURCE, ["--source", str(real), "--out", f"{tmp_path}/out", "--workers", "2"]) == 0
        print(f"{time.perf_counter() - start:.1f} s")
        slices = SliceSet.open(tmp_path / "out")
        assert_masks(real, slices)
        assert slices.card["cases_dropped"] == {
            "mask of more than 400 mL": 8,
            "mask and picture disagree (Dice below 0.95)": 8,
        }
        assert {split_of(p) for p in slices.patients} == {"train", "validation", "test"}
