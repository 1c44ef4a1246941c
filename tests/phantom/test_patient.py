"""A phantom patient's slices: what is promised of every one of them."""

import itertools

import numpy as np
import pytest
import torch

from strokegan_lib.data.windows import DARKEST
from strokegan_lib.phantom.anatomy import shapes
from strokegan_lib.phantom.epidemiology import plan_stroke
from strokegan_lib.phantom.patient import (
    BOTTOM,
    FEWEST_PIXELS,
    PIXEL,
    TOP,
    Patient,
    _inside_head,
    head_of,
    make_patient,
    plane_heights,
    plane_points,
)
from strokegan_lib.phantom.scanner import CONTRASTS, FLAIR, WINDOW, scan

Z = np.array([-30.0, 6.0, 18.0, 40.0])
LARGE = [k for k in range(60) if (plan := plan_stroke(k, 0)) and plan.volume > 15][:4]
NONE = next(k for k in range(60) if plan_stroke(k, 0) is None)


@pytest.fixture(scope="module")
def patients() -> dict[tuple[int, str], Patient]:
    """Patients with a large stroke, and one without, in both contrasts."""
    cases = itertools.product((*LARGE, NONE), CONTRASTS)
    return {(k, contrast): make_patient(k, contrast=contrast, z=Z, layers=True) for k, contrast in cases}


def test_the_form_of_a_patient(patients):
    for patient in patients.values():
        assert patient.images.shape == patient.stroke.shape == patient.foreground.shape == (4, 128, 128)
        assert patient.images.dtype == np.float32 and np.isfinite(patient.images).all()
        grey = WINDOW.to_bytes(patient.images, patient.foreground)
        assert np.array_equal(grey >= DARKEST, patient.foreground)
        assert (patient.images >= 0).all() and not patient.images[~patient.foreground].any()
        assert not (patient.stroke & ~patient.foreground).any()
        sizes = patient.stroke.sum((1, 2))
        assert ((sizes == 0) | (sizes >= FEWEST_PIXELS)).all()
        total = sum(patient.layers[name] for name in ("fluid", "white", "grey"))
        assert np.allclose(total[patient.foreground], 1, atol=1e-4)


def test_a_stroke_lies_in_its_lesion_and_in_no_ventricle(patients):
    for k in LARGE:
        patient = patients[k, "flair"]
        assert patient.stroke.any() and (patient.layers["lesion"][patient.stroke] > 0.5).all()
        inside, mni = _inside_head(patient.head, plane_points(Z, patient.head.middle()))
        to_ventricle = shapes().sample(mni, "to_ventricle")[0]  # (N,)
        assert to_ventricle[torch.from_numpy(patient.stroke)[inside]].min() > 0
    sound = patients[NONE, "flair"]
    assert sound.plan is None and sound.lesion is None and not sound.stroke.any()
    assert not (sound.layers["lesion"] > 0.5).any()


def test_contrasts_share_anatomy_and_lesion(patients):
    for k in (*LARGE, NONE):
        flair, dwi = (patients[k, contrast] for contrast in ("flair", "dwi"))
        assert np.array_equal(flair.stroke, dwi.stroke)
        assert np.array_equal(flair.foreground, dwi.foreground)
        for layer in ("fluid", "white", "grey", "lesion"):
            assert np.array_equal(flair.layers[layer], dwi.layers[layer])
        assert not np.array_equal(flair.images, dwi.images)


def test_brightness_of_tissues_and_lesions(patients):
    """Fluid is dark; a fresh stroke is brighter than tissue of the same planes, more so in DWI."""
    ratios = {contrast: [] for contrast in CONTRASTS}
    for (k, contrast), patient in patients.items():
        layers, sound = patient.layers, patient.foreground & (patient.layers["lesion"] < 0.01)
        if contrast == "flair":
            fluid, white, grey = (
                np.median(layers["brightness"][sound & (layers[name] > 0.9)])
                for name in ("fluid", "white", "grey")
            )
            assert fluid < 0.5 * white < white < grey
        if k != NONE:  # without the lesion's soft rim
            solid = layers["fluid"] < 0.1
            bright, plain = patient.images[patient.stroke & solid], patient.images[sound & solid]
            ratios[contrast].append(bright.mean() / plain.mean())
    assert min(ratios["flair"]) > 1 and np.median(ratios["flair"]) > 1.15
    assert np.median(ratios["dwi"]) > 1.2 * np.median(ratios["flair"])


def test_a_patient_is_a_function_of_number_and_seed_whatever_the_planes_and_threads(patients):
    k, threads = LARGE[0], torch.get_num_threads()
    patient = patients[k, "flair"]
    try:
        torch.set_num_threads(2)
        again = make_patient(k, z=Z)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert np.array_equal(again.images, patient.images) and again.name == f"phantom-{k:05d}"
    assert not again.layers  # kept only when asked for
    assert not np.array_equal(again.foreground, make_patient(k, z=Z, seed=1).foreground)
    for number in (*LARGE, NONE):  # old cavities too stay where they are
        alone, among = make_patient(number, z=Z[2:3], layers=True), patients[number, "flair"]
        assert np.array_equal(alone.foreground[0], among.foreground[2])
        assert np.array_equal(alone.stroke[0], among.stroke[2])
        assert np.allclose(alone.layers["brightness"][0], among.layers["brightness"][2], atol=1e-5)


def test_rows_run_to_the_back_and_columns_to_the_right():
    points = plane_points(np.array([5.0]), -16.0)[0]  # (128, 128, 3) mm
    assert torch.allclose(points[0, 1] - points[0, 0], torch.tensor([PIXEL, 0, 0]))
    assert torch.allclose(points[1, 0] - points[0, 0], torch.tensor([0, -PIXEL, 0]))
    assert (points[..., 2] == 5).all()
    strokes = ((k, plan) for k in range(200) if (plan := plan_stroke(k, 0)))
    large = [(k, plan.side) for k, plan in strokes if plan.volume > 30 and not plan.other_side]
    for side in (-1, 1):  # a lesion on the patient's left is seen on the left
        k = next(number for number, where in large if where == side)
        columns = np.nonzero(make_patient(k, z=plane_heights(6)).stroke)[2]
        assert np.sign(columns.mean() - 63.5) == side


@pytest.mark.parametrize("planes", [1, 2, 30])
def test_planes_cover_the_head(planes):
    z = plane_heights(planes)
    assert z.shape == (planes,) and (z > BOTTOM).all() and (z < TOP).all()
    assert z.mean() == pytest.approx((BOTTOM + TOP) / 2)
    assert np.allclose(np.diff(z), (TOP - BOTTOM) / planes)


def test_unknown_contrast():
    with pytest.raises(ValueError, match="choose from flair, dwi"):
        make_patient(0, contrast="t1")


def test_noise_of_the_scanner_is_rician():
    """The magnitude of two noisy channels: never negative, never zero on average even in air."""
    air, bright = np.zeros((6, 128, 128), np.float32), np.ones((6, 128, 128), np.float32)
    whole = np.ones(air.shape, bool)
    dark, light = (scan(np.random.default_rng(1), FLAIR, clean, whole) for clean in (air, bright))
    sigma = light.std()  # far from zero it is Gaussian
    # in air it follows Rayleigh's law, whose mean is sqrt(pi/2) sigma and deviation sqrt(2 - pi/2) sigma
    assert (dark > 0).all()
    assert dark.mean() / sigma == pytest.approx(np.sqrt(np.pi / 2), rel=0.05)
    assert dark.std() / sigma == pytest.approx(np.sqrt(2 - np.pi / 2), rel=0.05)


def test_no_head_reaches_the_edge_of_the_picture():
    volume = {k: np.linalg.det(head_of(k).affine) for k in range(60)}  # patient to MNI: small is large
    for k in sorted(volume, key=volume.get)[:2]:
        foreground = make_patient(k, z=np.array([0.0, 15.0])).foreground
        assert not foreground[:, [0, -1]].any() and not foreground[:, :, [0, -1]].any()
