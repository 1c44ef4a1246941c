"""The default data set and its command: the same files whatever the workers, and clean ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from strokegan_lib.data.slices import ARRAYS, SliceSet
from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.phantom.command import main
from strokegan_lib.phantom.comparison import SOOP_TERRITORY, SOOP_VOLUME, compare_with_soop
from strokegan_lib.phantom.dataset import make_phantom_set
from strokegan_lib.phantom.patient import BOTTOM, PIXEL, TOP, make_patient, plane_heights
from strokegan_lib.phantom.scanner import WINDOW

ROOT = Path(__file__).parents[2]
SCRIPT = [sys.executable, str(ROOT / "data_scripts" / "make_phantom.py")]


def make(out: Path, patients: int = 3, **options) -> SliceSet:
    return make_phantom_set(out, patients=patients, slices_per_patient=5, progress=False, **options)


def command(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    return (caught.value.code, *capsys.readouterr())


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> SliceSet:
    return make(tmp_path_factory.mktemp("phantom") / "small")


def test_files_are_the_same_for_any_number_of_workers(small, tmp_path):
    assert make(tmp_path / "two", workers=2).card["sha256"] == small.card["sha256"]


def test_patients_of_a_small_set_are_the_first_of_a_large_one(small, tmp_path):
    large = make(tmp_path / "large", 5, workers=2)
    n = len(small)
    for name in ("images", "stroke", "foreground"):
        assert np.array_equal(getattr(large, name)[:n], getattr(small, name))
    assert large.patients[:3] == small.patients
    assert large.card["phantom_patients"][:3] == small.card["phantom_patients"]


def test_another_seed_is_another_set(small, tmp_path):
    other = make(tmp_path / "other", 1, seed=1)
    assert not np.array_equal(other.images, small.images[:5])


def test_contrasts_have_the_same_masks(small, tmp_path):
    dwi = make(tmp_path / "dwi", contrast="dwi")
    assert dwi.channels == ["dwi"] and small.channels == ["flair"]
    assert np.array_equal(dwi.stroke, small.stroke) and np.array_equal(dwi.foreground, small.foreground)
    assert not np.array_equal(dwi.images, small.images)


def test_the_set_holds_the_patients(small):
    with one_thread_each():  # more threads sum in another order: a grey level may differ by one
        patient = make_patient(1, z=plane_heights(5))
    rows = small.of_patient("phantom-00001")
    assert np.array_equal(small.images[rows, 0], WINDOW.to_bytes(patient.images, patient.foreground))
    assert np.array_equal(small.stroke[rows], patient.stroke)
    table = small.table
    assert np.allclose(table["z"][rows], plane_heights(5), atol=1e-4)
    assert (table["row_spacing"] == PIXEL).all() and not table["synthetic"].any()
    assert np.allclose(table["thickness"], (TOP - BOTTOM) / 5)


def test_the_card_tells_what_was_made(small, tmp_path):
    assert SliceSet.open(small.folder).card == small.card  # every sha256 agrees
    assert small.card["made_by"].endswith("--patients 3 --slices-per-patient 5 --contrast flair --seed 0")
    assert [fact["patient"] for fact in small.card["phantom_patients"]] == small.patients
    assert small.card["counts"]["slices"] == 15 and small.card["limits"]


def test_the_comparison_is_computed_from_the_patients():
    one = {"stroke": True, "volume_ml": 4.0, "territory": "basilar", "pieces": 1, "right_share": 0.0}
    two = {
        "stroke": True,
        "volume_ml": 8.0,
        "territory": "posterior cerebral",
        "pieces": 3,
        "right_share": 0.8,
    }
    rows = {row["what"]: row for row in compare_with_soop([one, two, {"stroke": False}])}
    assert rows["volume, percentile 50, mL"] == {
        "what": "volume, percentile 50, mL", "phantom": 6.0, "soop": SOOP_VOLUME[50],
    }  # fmt: skip
    assert rows["vertebrobasilar and cerebellar, %"]["phantom"] == 50
    assert rows["posterior cerebral and thalamoperforating, %"]["phantom"] == 50
    assert sum(rows[f"{name}, %"]["phantom"] for name in SOOP_TERRITORY) == 100
    assert rows["one piece, %"]["phantom"] == 50 and rows["pieces, median"]["phantom"] == 2
    assert rows["more on the right, %"]["phantom"] == 50
    assert rows["over a tenth on the other side, %"]["phantom"] == 50  # 0.2 of the second
    assert compare_with_soop([{"stroke": False}]) == []


def test_the_command(capsys, tmp_path, small):
    out = tmp_path / "set"
    words = ("--out", str(out), "--patients", "3", "--slices-per-patient", "5", "--workers", "2")
    code, stdout, _ = command(capsys, *words)
    assert code == 0
    assert SliceSet.open(out).card["sha256"] == small.card["sha256"]
    assert "15 slices of 3 patients" in stdout and "SOOP" in stdout and "Limit:" in stdout


BAD = {
    "too many planes": (["--slices-per-patient", "500"], "500: give a whole number from 1 to 126"),
    "unknown contrast": (["--contrast", "t1"], "invalid choice: 't1'"),
    "unknown option": (["--patient", "1", "--frob"], "unrecognized arguments: --frob"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options(case, capsys, tmp_path):
    words, complaint = BAD[case]
    code, stdout, stderr = command(capsys, "--out", str(tmp_path / "out"), *words)
    assert code == 2 and not stdout and len(stderr.splitlines()) == 1 and complaint in stderr
    assert not any(tmp_path.iterdir())


def test_out_exists(capsys, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    code, _, stderr = command(capsys, "--out", str(tmp_path / "out"), "--patients", "1")
    assert code == 2 and "exists already; choose another --out" in stderr and len(stderr.splitlines()) == 1
    assert [file.name for file in tmp_path.rglob("*.*")] == ["mine.txt"]


@pytest.mark.parametrize("place", ["file", "/proc/1", "/dev/full"])
def test_out_cannot_be_written(place, capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / place / "out"  # an absolute place replaces tmp_path
    code, _, stderr = command(capsys, "--out", str(out), "--patients", "1")
    assert code == 2 and len(stderr.splitlines()) == 1 and str(out) in stderr and "--out" in stderr
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_no_out(capsys):
    code, _, stderr = command(capsys)
    assert code == 2 and "--out" in stderr and len(stderr.splitlines()) == 1


def test_killed_in_the_middle_and_run_again(small, tmp_path):
    out = tmp_path / "set"
    images = tmp_path / ".set.partial" / "images.npy"
    words = ["--out", str(out), "--patients", "400", "--slices-per-patient", "5", "--workers", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*SCRIPT, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while not (images.exists() and images.stat().st_size > 5 * 128 * 128):  # a patient is on disk
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not out.exists()
    again = make(out)
    assert again.card["sha256"] == small.card["sha256"]
    assert sorted(file.name for file in out.iterdir()) == sorted([*ARRAYS, "dataset.json", "slices.csv"])
    assert [folder.name for folder in tmp_path.iterdir()] == ["set"]
