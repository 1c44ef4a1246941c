"""SOOP: what is recovered from the pictures, and that it does not tell the label."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion
from trees import SOOP_AFFINE, ball, nifti, overlaid, soop_subject

from strokegan_lib.data.resample import resample_mask
from strokegan_lib.errors import BadInput
from strokegan_lib.scans.cases import Dropped
from strokegan_lib.scans.soop import SOURCE, dice, find, load, read_picture, recover_flair
from strokegan_lib.scans.volumes import NAN_OUTSIDE, read_mask

SHAPE = (157, 189, 136)


def auc_of_bit(bit: int, inside: np.ndarray, outside: np.ndarray) -> float:
    """AUC of one bit for telling two sets of pixels apart at the same intensity.

    Args:
        inside, outside: values; those outside are weighted so that the bits above *bit*
            are as frequent as inside.
    """
    upper = 2 ** (bit + 1)
    a, b = np.bincount(inside // upper, minlength=128), np.bincount(outside // upper, minlength=128)
    weight = np.divide(a, b, out=np.zeros(128), where=b > 0)[outside // upper]
    one_in = ((inside >> bit) & 1)[b[inside // upper] > 0].mean()
    one_out = np.average((outside >> bit) & 1, weights=weight)
    return 0.5 + (one_in - one_out) / 2  # of a value that is 0 or 1


def assert_no_leak(flair: list[np.ndarray], lesions: list[np.ndarray]) -> None:
    pixels = {"lesion": [], "ring": [], "tissue": []}
    for plane, lesion in zip(flair, lesions, strict=True):
        assert not (plane & 1).any()
        middle = (plane >= 8) & (plane < 248)  # where all three low bits can vary
        ring = binary_dilation(lesion) & ~binary_erosion(lesion)
        for name, where in (("lesion", lesion), ("ring", ring), ("tissue", ~lesion & ~ring)):
            pixels[name].append(plane[where & middle].astype(np.int64))
    values = {name: np.concatenate(parts) for name, parts in pixels.items()}
    for bit in (1, 2):
        for name in ("lesion", "ring"):
            auc = auc_of_bit(bit, values[name], values["tissue"])
            print(f"bit {bit}, {name}: AUC {auc:.4f}, n = {len(values[name])}")
            assert 0.48 <= auc <= 0.52, f"bit {bit}, {name}: {auc:.3f}, n = {len(values[name])}"


def painted(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A plane of tissue, a lesion in it and its picture, a fifth of the lesion's edge blended."""
    rng = np.random.default_rng(seed)
    brain = ball((189, 157), (94, 78), (85, 68))
    lesion = ball((189, 157), (94 + rng.integers(-30, 30), 60), (25, 20))
    flair = (rng.integers(20, 230, (189, 157)) * brain).astype(np.uint8)
    edge = lesion & ~binary_erosion(lesion) & (rng.random(lesion.shape) < 0.2)
    return flair, lesion, overlaid(flair, np.where(edge, 0.25, 0.5) * lesion)


def test_recovered_flair_differs_by_the_bits_that_are_lost_and_no_more():
    flair, lesion, picture = painted(0)
    recovered, red = recover_flair(picture, seed=0)
    error = np.abs(recovered.astype(int) - flair)
    blended = lesion & ~red
    assert blended.any() and not (red & ~lesion).any()
    assert error[~blended].max() <= 1 and error[blended].max() <= 3


def test_low_bits_do_not_tell_the_label():
    planes, lesions = [], []
    for seed in range(8):
        _, lesion, picture = painted(seed)
        planes.append(recover_flair(picture, seed)[0])
        lesions.append(lesion)
    assert_no_leak(planes, lesions)


def test_the_leak_test_finds_the_leaks_it_is_for():
    """Doubling alone leaves the lowest bit; not drawing lots leaves bit 1 of blended pixels."""
    planes, lesions = [], []
    for seed in range(8):
        _, lesion, picture = painted(seed)
        red, green = picture[..., 0].astype(int), picture[..., 1].astype(int)
        tint = red - green
        naive = np.where(tint == 64, green * 4 // 3, np.where(tint > 64, 2 * green, green))
        planes.append(naive.astype(np.uint8))
        lesions.append(lesion)
    with pytest.raises(AssertionError):
        assert_no_leak(planes, lesions)
    with pytest.raises(AssertionError, match="bit 1, ring"):
        assert_no_leak([plane // 2 * 2 for plane in planes], lesions)


@pytest.mark.parametrize("change", ["green", "too red", "bluish red"])
def test_colours_that_the_overlay_cannot_make(change):
    _, _, picture = painted(0)
    picture = picture.copy()
    picture[90, 60] = {"green": (50, 90, 50), "too red": (250, 10, 10), "bluish red": (200, 73, 80)}[change]
    with pytest.raises(BadInput, match="is not grey with a red overlay"):
        recover_flair(picture, 0, "a.png")


def test_a_subject_from_its_picture(tmp_path):
    flair = soop_subject(tmp_path, 7)
    (files,) = find(tmp_path).cases
    case = load(files)
    mask = read_mask(files.mask)
    assert (case.patient, case.case) == ("soop-7", "sub-7")
    assert case.images.shape == (1, 1, 189, 157) and case.spacing == (1, 1, 1)
    assert case.z.tolist() == [18] and case.plane.tolist() == [68]
    assert np.array_equal(case.stroke[0], mask.planes()[68] > 0)
    assert np.abs(case.images[0, 0] - flair).max() <= 1
    assert (
        np.argwhere(case.stroke[0])[:, 1].mean() > 94
    )  # file index 57 of 157 runs to the left: patient's right
    assert np.array_equal(resample_mask(case.stroke, (1, 1)), resample_mask(mask.planes()[68:69] > 0, (1, 1)))
    assert not (case.stroke & ~case.foreground).any()


def test_black_lesion_stays_whole(tmp_path):
    """FLAIR saturates to 0 in an old cavity: the mask there counts as brain."""
    lesion = ball(SHAPE, (60, 90, 68), (18, 14, 10))
    soop_subject(tmp_path, 1, lesion)
    (files,) = find(tmp_path).cases
    assert load(files).stroke.sum() == lesion[:, :, 68].sum()


def test_disagreement_and_huge_masks_are_dropped(tmp_path):
    lesion = ball(SHAPE, (60, 90, 68), (18, 14, 10))
    soop_subject(tmp_path, 1, lesion, red=np.zeros((189, 157)))
    soop_subject(tmp_path, 2, ball(SHAPE, (78, 94, 68), (60, 60, 40)))
    soop_subject(tmp_path, 3, np.zeros(SHAPE))
    first, second, third = find(tmp_path).cases
    with pytest.raises(Dropped, match="disagree"):
        load(first)
    with pytest.raises(Dropped, match="400 mL"):
        load(second)
    assert not load(third).stroke.any()


def test_whole_volumes(tmp_path):
    lesion = ball(SHAPE, (50, 90, 68), (18, 14, 10))
    brain = ball(SHAPE, (78, 94, 68), (68, 85, 60))
    flair = np.random.default_rng(0).uniform(200, 900, SHAPE).astype(np.float32) * brain
    nifti(tmp_path / "NIfTI" / "bwsrsub-5_lesion.nii.gz", lesion.astype(np.uint8), SOOP_AFFINE)
    nifti(tmp_path / "NIfTI" / "bwsrsub-6_lesion.nii.gz", lesion.astype(np.uint8), SOOP_AFFINE)
    nifti(tmp_path / "wsub-5_FLAIR.nii.gz", flair, SOOP_AFFINE)
    found = find(tmp_path)
    assert found.notes == {"masks without one of the volumes": 1}
    case = load(found.cases[0])
    assert case.stroke.sum() == lesion.sum()
    assert 100 < len(case.plane) < 136  # planes that hardly show brain are left out
    assert np.allclose(case.z, case.plane - 50.0)
    row = int(np.flatnonzero(case.plane == 68)[0])
    assert np.array_equal(case.images[row, 0], flair[:, :, 68].T[::-1, ::-1])
    nifti(tmp_path / "wsub-5_FLAIR.nii.gz", np.where(brain, flair, np.nan), SOOP_AFFINE)
    with_nan = load(found.cases[0])
    assert np.array_equal(with_nan.images, case.images)
    assert (case.notes, with_nan.notes) == (frozenset(), {NAN_OUTSIDE})


def test_missing_mask_double_subject_and_wrong_grid(tmp_path):
    soop_subject(tmp_path, 1)
    soop_subject(tmp_path, 2)
    (tmp_path / "NIfTI" / "bwsrsub-1_lesion.nii.gz").unlink()
    (tmp_path / "copy").mkdir()
    picture = tmp_path / "PNG" / "rsub-2_lesion.nii.png"
    (tmp_path / "copy" / picture.name).write_bytes(picture.read_bytes())
    found = find(tmp_path)
    assert found.cases == []
    assert sorted(error.what.split()[0] for error in found.bad) == ["has", "is"]
    (tmp_path / "copy" / picture.name).unlink()
    nifti(tmp_path / "NIfTI" / "bwsrsub-2_lesion.nii.gz", np.zeros((10, 10, 10), np.uint8))
    with pytest.raises(BadInput, match="not on SOOP's grid"):
        load(find(tmp_path).cases[0])


@pytest.mark.parametrize("damage", ["cut", "flip", "text", "size", "grey"])
def test_pictures_that_lie(tmp_path, damage):
    from PIL import Image

    soop_subject(tmp_path, 1)
    path = tmp_path / "PNG" / "rsub-1_lesion.nii.png"
    raw = bytearray(path.read_bytes())
    if damage in ("size", "grey"):
        Image.new(*(("RGB", (30, 30)) if damage == "size" else ("L", (692, 189)))).save(path)
    else:
        raw[len(raw) // 2] ^= 4
        path.write_bytes({"cut": raw[: len(raw) // 3], "flip": raw, "text": b"not found"}[damage])
    with pytest.raises(BadInput, match=r"is (RGB|L) |cannot be read as PNG"):
        read_picture(path)


def test_dice_counts_two_empty_masks_as_equal():
    empty, full = np.zeros(4, bool), np.ones(4, bool)
    assert (dice(empty, empty), dice(full, full), dice(empty, full)) == (1, 1, 0)


if "STROKEGAN_REAL" in os.environ:

    def test_low_bits_of_the_real_pictures_do_not_tell_the_label():
        planes, lesions = [], []
        for files in SOURCE.find(Path(os.environ["STROKEGAN_REAL"], "soop")).cases:
            plane, _ = recover_flair(read_picture(files.images["flair"]), int(files.patient[5:]))
            planes.append(plane)
            lesions.append(read_mask(files.mask).planes()[68] > 0)
        assert_no_leak(planes, lesions)
