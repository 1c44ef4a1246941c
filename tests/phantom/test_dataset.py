"""The default data set and its command: the same files whatever the workers, and clean ends."""

import sys

import numpy as np
import pytest

from data_scripts.make_phantom import main
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.phantom.dataset import make_phantom_set
from strokegan_lib.phantom.patient import make_patient, plane_heights
from strokegan_lib.phantom.scanner import WINDOW


def test_the_set_holds_the_patients_and_a_larger_one_the_same_first_ones(tmp_path, capsys, monkeypatch):
    small = make_phantom_set(tmp_path / "small", patients=2, slices_per_patient=5, progress=False)
    patient = make_patient(1, z=plane_heights(5))
    rows = small.of_patient("phantom-00001")
    assert np.array_equal(small.images[rows, 0], WINDOW.to_bytes(patient.images, patient.foreground))
    assert np.array_equal(small.stroke[rows], patient.stroke)
    assert np.allclose(small.table["z"][rows], [-38.4, -13.2, 12, 37.2, 62.4])  # equally spaced, -51 to 75 mm
    assert set(small.table["row_spacing"]) == {1.5} and set(small.table["thickness"]) == {25.2}

    out = tmp_path / "set"
    words = ("--out", str(out), "--patients", "3", "--slices-per-patient", "5", "--workers", "2")
    monkeypatch.setattr(sys, "argv", ["make_phantom.py", *words])
    with pytest.raises(SystemExit, match="0"):
        main()
    stdout = capsys.readouterr().out
    large = SliceSet.open(out)  # every sha256 agrees
    for name in ("images", "stroke", "foreground"):
        assert np.array_equal(getattr(large, name)[: len(small)], getattr(small, name))
    assert large.card["phantom_patients"][:2] == small.card["phantom_patients"]
    assert large.channels == ["flair"]
    assert large.card["made_by"].endswith("--patients 3 --slices-per-patient 5 --contrast flair --seed 0")
    assert "15 slices of 3 patients" in stdout and "SOOP" in stdout and "Limit:" in stdout
