"""The built hospital: its files are found, and say of each patient what the phantom knows."""

import numpy as np

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.phantom import hospital
from strokegan_lib.phantom.patient import make_patient
from strokegan_lib.scans.prepare import prepare


def test_files_become_slices_and_two_cases_are_skipped(tmp_path):
    hospital.write_files(tmp_path / "files")
    card = prepare(hospital.SOURCE, tmp_path / "files", tmp_path / "out", skip_bad=True, made_by="pytest")
    slices = SliceSet.open(tmp_path / "out")
    assert card["cases_kept"] == len(hospital.NUMBERS) == len(slices.patients)
    assert card["cases_without_stroke"] == 1
    no_mask, cut_short = card["cases_skipped_as_bad"]
    assert "has no mask" in no_mask and "cut short" in cut_short
    home = hospital.at_home(slices)  # (N, 128, 128)
    largest = int(slices.lesion_pixels.argmax())
    stroke = slices.stroke[largest] == 1
    tissue = (slices.foreground[largest] == 1) & ~stroke
    dwi, adc, flair = slices.images[largest]
    for image in (home[largest], dwi, flair):
        assert np.median(image[stroke]) > np.percentile(image[tissue], 90)
        # the same planes, neither mirrored nor turned
        assert np.corrcoef(image.ravel(), home[largest].ravel())[0, 1] > 0.9
    assert np.median(adc[stroke]) < np.percentile(adc[tissue], 10)


def test_a_stroke_on_ct_is_darker_than_the_other_half():
    patient = make_patient(hospital.NUMBERS[1], seed=hospital.SEED, z=np.array([30.0]), layers=True)
    hu, stroke = hospital.ct_plane(patient, 0)
    assert hu.shape == stroke.shape == (168, 168) and hu.min() < -980 and hu.max() > 1050
    pure = np.pad(patient.layers["white"][0], 20) > 0.9
    sound = pure & (np.pad(patient.layers["lesion"][0], 20) < 0.01)
    ill = pure & (np.pad(patient.layers["lesion"][0], 20) > 0.95)
    assert abs(hu[sound].mean() - hu[ill].mean() - hospital.DARKER) < 1
