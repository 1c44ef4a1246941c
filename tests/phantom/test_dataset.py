"""The default data set and its command: the same files whatever the workers, and clean ends."""

from pathlib import Path

import numpy as np
import pytest

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.phantom.command import main
from strokegan_lib.phantom.dataset import make_phantom_set
from strokegan_lib.phantom.patient import BOTTOM, PIXEL, TOP, make_patient, plane_heights
from strokegan_lib.phantom.scanner import WINDOW


def make(out: Path, patients: int = 3, **options) -> SliceSet:
    return make_phantom_set(out, patients=patients, slices_per_patient=5, progress=False, **options)


def command(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    return (caught.value.code, *capsys.readouterr())


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> SliceSet:
    return make(tmp_path_factory.mktemp("phantom") / "small")


def test_patients_of_a_small_set_are_the_first_of_a_large_one(small, tmp_path):
    large = make(tmp_path / "large", 4, workers=2)
    n = len(small)
    for name in ("images", "stroke", "foreground"):
        assert np.array_equal(getattr(large, name)[:n], getattr(small, name))
    assert large.patients[:3] == small.patients
    assert large.card["phantom_patients"][:3] == small.card["phantom_patients"]


def test_the_set_holds_the_patients(small):
    patient = make_patient(1, z=plane_heights(5))
    rows = small.of_patient("phantom-00001")
    assert np.array_equal(small.images[rows, 0], WINDOW.to_bytes(patient.images, patient.foreground))
    assert np.array_equal(small.stroke[rows], patient.stroke)
    table = small.table
    assert np.allclose(table["z"][rows], plane_heights(5), atol=1e-4)
    assert (table["row_spacing"] == PIXEL).all() and not table["synthetic"].any()
    assert np.allclose(table["thickness"], (TOP - BOTTOM) / 5)


def test_the_command_makes_the_same_files_with_any_number_of_workers(capsys, tmp_path, small):
    out = tmp_path / "set"
    words = ("--out", str(out), "--patients", "3", "--slices-per-patient", "5", "--workers", "2")
    code, stdout, _ = command(capsys, *words)
    card = SliceSet.open(out).card  # every sha256 agrees
    assert code == 0 and card == small.card and card["channels"] == ["flair"]
    assert card["made_by"].endswith("--patients 3 --slices-per-patient 5 --contrast flair --seed 0")
    assert [fact["patient"] for fact in card["phantom_patients"]] == small.patients
    assert "15 slices of 3 patients" in stdout and "SOOP" in stdout and "Limit:" in stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--out", "out", "--slices-per-patient", "500"], "500: give a whole number from 1 to 126"),
        (["--out", "out", "--contrast", "t1"], "invalid choice: 't1'"),
        (["--out", "out", "--frob"], "unrecognized arguments: --frob"),
        ([], "--out"),
        (["--out", "full", "--patients", "1"], "exists already; choose another --out"),
        (["--out", "full/mine.txt/out", "--patients", "1"], "mine.txt/out: cannot be written"),
        (["--out", "/proc/1/out", "--patients", "1"], "/proc/1/out: cannot be written"),
    ],
)
def test_bad_use_is_one_line_and_leaves_nothing(words, complaint, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    code, stdout, stderr = command(capsys, *words)
    assert code == 2 and not stdout and stderr.count("\n") == 1 and complaint in stderr
    assert [file.name for file in tmp_path.rglob("*")] == ["full", "mine.txt"]
