"""A phantom patient's slices: what is promised of every one of them."""

import itertools

import numpy as np
import pytest
import torch

from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.phantom.anatomy import shapes
from strokegan_lib.phantom.epidemiology import plan_stroke
from strokegan_lib.phantom.head import draw_head
from strokegan_lib.phantom.patient import FEWEST_PIXELS, PIXEL, Patient, make_patient, plane_points
from strokegan_lib.phantom.scanner import CONTRASTS, FLAIR, scan

Z = np.array([-30.0, 6.0, 18.0, 40.0])
LARGE = [k for k in range(60) if (plan := plan_stroke(k, 0)) and plan.volume > 15][:3]
NONE = next(k for k in range(60) if plan_stroke(k, 0) is None)


@pytest.fixture(scope="module")
def patients() -> dict[tuple[int, str], Patient]:
    """Patients with a large stroke, and one without, in both contrasts."""
    cases = itertools.product((*LARGE, NONE), CONTRASTS)
    return {(k, contrast): make_patient(k, contrast=contrast, z=Z, layers=True) for k, contrast in cases}


def test_the_form_of_a_patient_and_one_anatomy_in_all_contrasts(patients):
    for (k, _), patient in patients.items():
        assert patient.images.shape == patient.stroke.shape == patient.foreground.shape == (4, 128, 128)
        assert patient.images.dtype == np.float32 and np.isfinite(patient.images).all()
        assert (patient.images >= 0).all() and not patient.images[~patient.foreground].any()
        sizes = patient.stroke.sum((1, 2))
        assert ((sizes == 0) | (sizes >= FEWEST_PIXELS)).all() and sizes.any() == (k != NONE)
        assert not (patient.stroke & ~patient.foreground).any()
        total = sum(patient.layers[name] for name in ("fluid", "white", "grey"))
        assert np.allclose(total[patient.foreground], 1, atol=1e-4)
        assert (patient.layers["lesion"][patient.stroke] > 0.5).all()
        mni = patient.head.to_mni(plane_points(Z, patient.head.middle()).reshape(-1, 3))
        to_ventricle = shapes().sample(mni, "to_ventricle")[0].reshape(4, 128, 128)  # mm
        assert not patient.stroke[to_ventricle.numpy() < -0.5].any()
    for k in (*LARGE, NONE):
        flair, dwi = (vars(patients[k, contrast]) | patients[k, contrast].layers for contrast in CONTRASTS)
        for name in ("stroke", "foreground", "fluid", "white", "grey", "lesion"):
            assert np.array_equal(flair[name], dwi[name])
        assert not np.array_equal(flair["images"], dwi["images"])


def test_brightness_of_tissues_and_lesions(patients):
    """Fluid is dark; a fresh stroke is brighter than tissue of the same planes, more so in DWI."""
    ratios = {contrast: [] for contrast in CONTRASTS}
    for (k, contrast), patient in patients.items():
        layers, sound = patient.layers, patient.foreground & (patient.layers["lesion"] < 0.01)
        if contrast == "flair":
            pure = (sound & (layers[name] > 0.9) for name in ("fluid", "white", "grey"))
            fluid, white, grey = (np.median(layers["brightness"][mask]) for mask in pure)
            assert fluid < 0.5 * white < white < grey
        if k != NONE:  # without the lesion's soft rim
            solid = layers["fluid"] < 0.1
            bright, plain = patient.images[patient.stroke & solid], patient.images[sound & solid]
            ratios[contrast].append(bright.mean() / plain.mean())
    assert min(ratios["flair"]) > 1 and np.median(ratios["flair"]) > 1.15
    assert np.median(ratios["dwi"]) > 1.2 * np.median(ratios["flair"])


def test_a_patient_is_a_function_of_number_and_seed_whatever_the_planes_and_threads(patients):
    k = LARGE[0]
    with one_thread_each():  # puts their number back in the end
        torch.set_num_threads(2)
        again = make_patient(k, z=Z)
        assert torch.get_num_threads() == 2
    assert np.array_equal(again.images, patients[k, "flair"].images) and again.name == f"phantom-{k:05d}"
    assert not again.layers  # kept only when asked for
    assert not np.array_equal(again.foreground, make_patient(k, z=Z, seed=1).foreground)
    for number in (*LARGE, NONE):  # old cavities too stay where they are
        alone, among = make_patient(number, z=Z[2:3], layers=True), patients[number, "flair"]
        assert np.array_equal(alone.stroke[0], among.stroke[2])
        assert np.allclose(alone.layers["brightness"][0], among.layers["brightness"][2], atol=1e-5)


def test_rows_run_to_the_back_and_columns_to_the_right_and_no_head_reaches_the_edge(patients):
    points = plane_points(np.array([5.0]), -16.0)[0]  # (128, 128, 3) mm
    assert torch.allclose(points[0, 1] - points[0, 0], torch.tensor([PIXEL, 0, 0]))
    assert torch.allclose(points[1, 0] - points[0, 0], torch.tensor([0, -PIXEL, 0]))
    assert (points[..., 2] == 5).all()
    for k in LARGE:  # a lesion on the patient's left is seen on the left
        patient = patients[k, "flair"]
        columns = np.nonzero(patient.stroke)[2]
        assert (columns.mean() > 63.5) == (patient.lesion.right > 0.5)
    heads = [draw_head(np.random.default_rng([0, k, 0])) for k in range(60)]
    largest = int(np.argmin([np.linalg.det(head.affine) for head in heads]))  # patient to MNI
    foreground = make_patient(largest, z=np.array([0.0, 15.0])).foreground
    assert not foreground[:, [0, -1]].any() and not foreground[:, :, [0, -1]].any()


def test_noise_of_the_scanner_is_rician():
    """The magnitude of two noisy channels: never negative, never zero on average even in air."""
    whole = np.ones((6, 128, 128), bool)
    dark, light = (scan(np.random.default_rng(1), FLAIR, np.float32(v) * whole, whole) for v in (0, 1))
    sigma = light.std()  # far from zero it is Gaussian
    # in air it follows Rayleigh's law, whose mean is sqrt(pi/2) sigma and deviation sqrt(2 - pi/2) sigma
    assert (dark > 0).all()
    assert dark.mean() / sigma == pytest.approx(np.sqrt(np.pi / 2), rel=0.05)
    assert dark.std() / sigma == pytest.approx(np.sqrt(2 - np.pi / 2), rel=0.05)
