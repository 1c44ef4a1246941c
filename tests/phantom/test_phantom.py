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
LARGE = [k for k in range(60) if (plan := plan_stroke(k, 0)) and plan.volume > 15][:5]
NONE = next(k for k in range(60) if plan_stroke(k, 0) is None)


@pytest.fixture(scope="module")
def patients() -> dict[tuple[int, str], Patient]:
    """Patients with a large stroke, and one without, in both contrasts."""
    cases = itertools.product((*LARGE, NONE), CONTRASTS)
    return {(k, contrast): make_patient(k, contrast=contrast, z=Z, layers=True) for k, contrast in cases}


def test_images_are_visible_just_in_the_foreground(patients):
    for patient in patients.values():
        assert patient.images.shape == patient.stroke.shape == patient.foreground.shape == (4, 128, 128)
        assert patient.images.dtype == np.float32 and np.isfinite(patient.images).all()
        grey = WINDOW.to_bytes(patient.images, patient.foreground)
        assert np.array_equal(grey >= DARKEST, patient.foreground)
        assert (patient.images >= 0).all() and not patient.images[~patient.foreground].any()


def test_a_stroke_lies_in_tissue(patients):
    for patient in patients.values():
        assert not (patient.stroke & ~patient.foreground).any()
        assert set(np.unique(patient.layers["lesion"][patient.stroke] > 0.5)) <= {True}
        sizes = patient.stroke.sum((1, 2))
        assert ((sizes == 0) | (sizes >= FEWEST_PIXELS)).all()
    assert sum(patients[k, "flair"].stroke.any() for k in LARGE) >= 4


def test_no_stroke_lies_in_a_ventricle(patients):
    for k in LARGE:
        patient = patients[k, "flair"]
        inside, mni = _inside_head(patient.head, plane_points(Z, patient.head.middle()))
        to_ventricle = shapes().sample(mni, "to_ventricle")[0]  # (N,)
        assert to_ventricle[torch.from_numpy(patient.stroke)[inside]].min() > 0


def test_no_stroke_without_a_plan(patients):
    patient = patients[NONE, "flair"]
    assert patient.plan is None and patient.lesion is None and not patient.stroke.any()
    assert not (patient.layers["lesion"] > 0.5).any()


def test_contrasts_share_anatomy_and_lesion(patients):
    for k in (*LARGE, NONE):
        flair, dwi = (patients[k, contrast] for contrast in ("flair", "dwi"))
        assert np.array_equal(flair.stroke, dwi.stroke)
        assert np.array_equal(flair.foreground, dwi.foreground)
        for layer in ("fluid", "white", "grey", "lesion"):
            assert np.array_equal(flair.layers[layer], dwi.layers[layer])
        assert not np.array_equal(flair.images, dwi.images)


def test_layers_are_shares_of_each_pixel(patients):
    for patient in patients.values():
        total = sum(patient.layers[name] for name in ("fluid", "white", "grey"))
        assert np.allclose(total[patient.foreground], 1, atol=1e-4)


def test_a_fresh_stroke_is_brighter_and_more_so_in_dwi(patients):
    """Against tissue of the same planes, without the lesion's soft rim."""
    contrast_of = {}
    for contrast in CONTRASTS:
        ratios = []
        for k in LARGE:
            patient = patients[k, contrast]
            solid = (patient.layers["fluid"] < 0.1) & patient.foreground
            sound = solid & (patient.layers["lesion"] < 0.01)
            if (patient.stroke & solid).any():
                ratios.append(patient.images[patient.stroke & solid].mean() / patient.images[sound].mean())
        contrast_of[contrast] = np.array(ratios)
    assert (contrast_of["flair"] > 1).all() and np.median(contrast_of["flair"]) > 1.15
    assert np.median(contrast_of["dwi"]) > 1.2 * np.median(contrast_of["flair"])


def test_fluid_is_dark_and_grey_matter_brighter_than_white(patients):
    for k in LARGE:
        patient = patients[k, "flair"]
        sound = patient.foreground & (patient.layers["lesion"] < 0.01)
        fluid, white, grey = (
            np.median(patient.layers["brightness"][sound & (patient.layers[name] > 0.9)])
            for name in ("fluid", "white", "grey")
        )
        assert fluid < 0.5 * white < white < grey


def test_a_patient_is_a_function_of_number_and_seed(patients):
    k = LARGE[0]
    again = make_patient(k, z=Z, contrast="flair")
    assert np.array_equal(again.images, patients[k, "flair"].images)
    assert not again.layers  # kept only when asked for
    other = make_patient(k, z=Z, contrast="flair", seed=1)
    assert not np.array_equal(again.foreground, other.foreground)
    assert again.name == f"phantom-{k:05d}"


def test_anatomy_does_not_depend_on_which_planes_are_looked_at(patients):
    k = LARGE[0]
    alone = make_patient(k, z=Z[2:3])
    assert np.array_equal(alone.foreground[0], patients[k, "flair"].foreground[2])
    assert np.array_equal(alone.stroke[0], patients[k, "flair"].stroke[2])


def test_planes_close_together_look_alike():
    patient = make_patient(LARGE[0], z=np.array([18.0, 19.0, 40.0]))
    masks = patient.foreground
    near, far = ((masks[0] & masks[i]).sum() / (masks[0] | masks[i]).sum() for i in (1, 2))
    assert near > 0.97 > far
    a, b, c = (patient.images[i][masks.all(0)] for i in range(3))
    assert np.corrcoef(a, b)[0, 1] > np.corrcoef(a, c)[0, 1] + 0.2


def test_rows_run_to_the_back_and_columns_to_the_right():
    points = plane_points(np.array([5.0]), -16.0)[0]  # (128, 128, 3) mm
    assert torch.allclose(points[0, 1] - points[0, 0], torch.tensor([PIXEL, 0, 0]))
    assert torch.allclose(points[1, 0] - points[0, 0], torch.tensor([0, -PIXEL, 0]))
    assert (points[..., 2] == 5).all()
    for side in (-1, 1):  # a lesion on the patient's left is seen on the left
        k = next(
            k for k in range(200)
            if (p := plan_stroke(k, 0)) and p.side == side and p.volume > 30 and not p.other_side
        )  # fmt: skip
        columns = np.nonzero(make_patient(k, z=plane_heights(6)).stroke)[2]
        assert np.sign(columns.mean() - 63.5) == side


def test_planes_cover_the_head():
    for planes in (1, 2, 30):
        z = plane_heights(planes)
        assert z.shape == (planes,) and (z > BOTTOM).all() and (z < TOP).all()
        assert z.mean() == pytest.approx((BOTTOM + TOP) / 2)
        assert np.allclose(np.diff(z), (TOP - BOTTOM) / planes)


def test_unknown_contrast():
    with pytest.raises(ValueError, match="choose from flair, dwi"):
        make_patient(0, contrast="t1")


def test_noise_of_the_scanner_is_rician():
    """The magnitude of two noisy channels: never negative, never zero on average even in air."""
    air = np.zeros((6, 128, 128), np.float32)
    bright = np.ones((6, 128, 128), np.float32)
    whole = np.ones(air.shape, bool)
    dark, light = (scan(np.random.default_rng(1), FLAIR, clean, whole) for clean in (air, bright))
    assert (dark > 0).all()
    sigma = light.std()  # far from zero it is Gaussian
    # in air it follows Rayleigh's law, whose mean is sqrt(pi/2) sigma and deviation sqrt(2 - pi/2) sigma
    assert dark.mean() / sigma == pytest.approx(np.sqrt(np.pi / 2), rel=0.05)
    assert dark.std() / sigma == pytest.approx(np.sqrt(2 - np.pi / 2), rel=0.05)


def test_no_head_reaches_the_edge_of_the_picture():
    heads = range(120)
    largest = sorted(heads, key=lambda k: np.linalg.det(head_of(k).affine))[
        :4
    ]  # patient to MNI: small is large
    for k in largest:
        foreground = make_patient(k, z=np.array([0.0, 15.0])).foreground
        assert not foreground[:, [0, -1]].any() and not foreground[:, :, [0, -1]].any()


def test_bytes_do_not_depend_on_the_threads_of_torch():
    before, images = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            images.append(make_patient(1, z=Z).images)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*images)


def test_old_cavities_stay_where_they_are():
    """What a patient has does not depend on which planes are looked at."""
    for k in range(6):
        all_, one = make_patient(k, z=Z, layers=True), make_patient(k, z=Z[2:3], layers=True)
        assert np.allclose(all_.layers["brightness"][2], one.layers["brightness"][0], atol=1e-5)
