"""The data sets: every quirk of their layouts, the right patients, and the planes as other readers give them."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from trees import (
    SOOP_AFFINE,
    SOOP_SHAPE,
    ball,
    brats2015_case,
    isles2018_case,
    isles2022_case,
    nifti,
    soop_subject,
)

from strokegan_lib.errors import BadInput
from strokegan_lib.scans import brats2015, isles2018, isles2022, soop
from strokegan_lib.scans.cases import Dropped
from strokegan_lib.scans.formats import SCALED
from strokegan_lib.scans.layout import Name, find
from strokegan_lib.scans.volumes import NAN_OUTSIDE, Volume, read_mask


def found(source, folder: Path) -> list:
    cases, bad = source.SOURCE.find(folder)
    assert not bad
    return cases


def test_cases_come_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 2, 33):
        (tmp_path / f"case_{number}.nii").touch()
    cases, bad = find(tmp_path, lambda path: Name("p", path.stem, "mask"), "mask")
    assert [case.case for case in cases] == ["case_2", "case_10", "case_33"] and not bad


def test_isles2018_tree_with_every_quirk(tmp_path):
    assert len({isles2018.patient_of(n) for n in range(1, isles2018.CASES + 1)}) == 63
    isles2018_case(tmp_path, 1)
    isles2018_case(tmp_path, 2, prefix="MR")  # names of an early release
    isles2018_case(tmp_path, 10, planes=8, extra=("MR_DWI",))
    isles2018_case(tmp_path, 1, split="TESTING")  # has no label
    cases = found(isles2018, tmp_path)
    assert [c.case for c in cases] == ["case_1", "case_2", "case_10"]  # a second slab of the first patient
    assert [c.patient for c in cases] == ["isles2018-p01", "isles2018-p01", "isles2018-p10"]
    for files, planes in zip(cases, (2, 2, 8), strict=True):
        case = isles2018.load(files)
        assert case.images.shape == (planes, 5, 48, 48) and case.spacing == (4, 4, 5)
        assert np.array_equal(case.z, 5 * np.arange(planes)) and case.notes == {SCALED}
        assert [(w.channel, w.high) for w in case.windows] == list(isles2018.TOPS.items())
        truth = nib.load(files.mask).get_fdata()
        assert case.lesion_ml == pytest.approx(truth.sum() * 4 * 4 * 5 / 1000) and case.lost_ml == 0
        tmax = case.images[:, 4]
        assert tmax[case.stroke].mean() > tmax[case.foreground & ~case.stroke].mean() + 5
        inside = ball((48, 48), (23.5, 23.5), (18, 19))
        assert (case.foreground[0] ^ inside).sum() < 0.12 * inside.sum()  # the brain without its bone


@pytest.mark.parametrize("zenodo", [False, True])
def test_isles2022_both_layouts(tmp_path, zenodo):
    paths = isles2022_case(tmp_path, 9, zenodo=zenodo)
    isles2022_case(tmp_path, 10, zenodo=zenodo, stroke=False)
    for kind, entities in (("dwi", "run-1"), ("adc", "acq-b1000_run-01")):  # more of BIDS
        paths[kind].rename(paths[kind].with_name(paths[kind].name.replace(kind, f"{entities}_{kind}")))
    first, second = found(isles2022, tmp_path)
    assert (first.patient, second.patient) == ("isles2022-0009", "isles2022-0010")
    case, healthy = map(isles2022.load, (first, second))
    assert case.images.shape[1:] == (3, 20, 24) and np.allclose(case.spacing, (2, 2, 3))
    assert case.stroke.sum() == read_mask(paths["msk"]).data.sum() > 0 and not healthy.stroke.any()
    dwi = case.images[:, 0]
    assert dwi[case.stroke].mean() > 1.5 * dwi[case.foreground & ~case.stroke].mean()
    paths["flair"].unlink()
    (files, _) = found(isles2022, tmp_path)
    assert isles2022.load(files, ("adc", "dwi")).images.shape[1] == 2
    with pytest.raises(BadInput, match="without its flair image"):
        isles2022.load(files)


def test_isles2022_flair_follows_the_affines():
    """A linear ramp in space comes out the same on any grid."""

    def ramp(shape, affine):
        grid = np.indices(shape).reshape(3, -1)
        x, y, z = (affine @ np.vstack([grid, np.ones(grid.shape[1])]))[:3]
        return Volume((3 * x - 2 * y + z + 500).reshape(shape).astype(np.float32), affine, Path("a.nii"))

    tilt = np.array([[1.0, 0, 0, -20], [0, 0.98, -0.2, -15], [0, 0.2, 0.98, -10], [0, 0, 0, 1]])
    onto = np.diag([3.0, 3, 4, 1])
    onto[:3, 3] = -12, -6, -4
    fine, coarse = ramp((44, 40, 30), tilt), ramp((8, 6, 3), onto)
    inner = np.s_[1:-1, 1:-1, 1:-1]
    assert np.allclose(isles2022.resample_onto(fine, coarse).data[inner], coarse.data[inner], atol=0.3)
    rough = Volume(np.random.default_rng(0).random((44, 40, 30)), tilt, Path("b.nii"))
    same = isles2022.resample_onto(rough, Volume(coarse.data, tilt, Path("c.nii")))  # and smooths nothing
    assert np.allclose(same.data, rough.data[:8, :6, :3])  # its border voxels too


def test_brats2015_tree_with_every_quirk(tmp_path):
    brats2015_case(tmp_path, "brats_2013_pat0001_1")
    brats2015_case(tmp_path, "brats_2013_pat0001_1", grade="LGG")
    brats2015_case(tmp_path, "brats_tcia_pat123_0001", suffix=".nii", nested=False, label="VSD.Brain")
    brats2015_case(tmp_path, "brats_tcia_pat123_0002", suffix=".nii.gz", label="VSD.Brain_1more")
    smir = {"label": "SMIR.Brain", "image": "SMIR.Brain"}  # as files fetched one by one are named
    brats2015_case(tmp_path, "brats_tcia_pat0001_0003", **smir)
    cases = found(brats2015, tmp_path)
    patients = ["brats2015-2013-0001"] * 2 + ["brats2015-tcia-0001"] + ["brats2015-tcia-123"] * 2
    assert [c.patient for c in cases] == patients and len({c.case for c in cases}) == 5
    for files in cases:
        labels = read_mask(files.mask, brats2015.LABELS).planes()
        assert set(np.unique(labels)) == {0, 1, 2, 3, 4}
        for region, members in brats2015.REGIONS.items():
            case = brats2015.load(files, ("t1c", "flair"), region=region)
            assert case.stroke.sum() == np.isin(labels, members).sum() and case.images.shape[1] == 2


LESION = ball(SOOP_SHAPE, (60, 90, 68), (18, 14, 10))


def test_soop_subject_from_its_picture(tmp_path):
    flair = soop_subject(tmp_path, 7, LESION)
    (files,) = found(soop, tmp_path)
    case, planes = soop.load(files), read_mask(files.mask).planes()
    assert (case.patient, case.case, case.spacing) == ("soop-7", "sub-7", (1, 1, 1))
    assert case.images.shape == (1, 1, 189, 157) and case.z.tolist() == [18] and case.plane.tolist() == [68]
    assert np.array_equal(case.stroke[0], planes[68] > 0) and not (case.stroke & ~case.foreground).any()
    assert np.abs(case.images[0, 0] - flair).max() <= 1
    # index 60 of 157 of a file that runs to the left is the patient's right
    assert np.argwhere(case.stroke[0])[:, 1].mean() > 94


def test_soop_black_lesion_is_brain_and_a_mask_that_disagrees_or_is_huge_is_dropped(tmp_path):
    hole = soop_subject(tmp_path, 1, LESION, black=True)
    soop_subject(tmp_path, 2, LESION, red=np.zeros((189, 157)))
    soop_subject(tmp_path, 3, ball(SOOP_SHAPE, (78, 94, 68), (60, 60, 40)))
    soop_subject(tmp_path, 4, np.zeros(SOOP_SHAPE))
    black, disagrees, huge, healthy = found(soop, tmp_path)
    case = soop.load(black)
    assert case.stroke.sum() == LESION[:, :, 68].sum() and not hole[case.stroke[0]].any()
    for files, why in ((disagrees, "disagree"), (huge, "400 mL")):
        with pytest.raises(Dropped, match=why):
            soop.load(files)
    assert not soop.load(healthy).stroke.any()


def test_soop_whole_volumes(tmp_path):
    brain = ball(SOOP_SHAPE, (78, 94, 68), (68, 85, 60))
    flair = np.random.default_rng(0).uniform(200, 900, SOOP_SHAPE).astype(np.float32) * brain
    for number in (5, 6):
        nifti(tmp_path / f"NIfTI/bwsrsub-{number}_lesion.nii.gz", LESION.astype(np.uint8), SOOP_AFFINE)
    nifti(tmp_path / "wsub-5_FLAIR.nii", np.where(brain, flair, np.nan), SOOP_AFFINE)
    files, alone = found(soop, tmp_path)
    for case, route, kind in ((alone, "auto", "volumes"), (files, "pictures", "pictures")):
        with pytest.raises(Dropped, match=f"without one of the {kind}"):
            soop.load(case, route=route)
    case = soop.load(files)
    assert case.stroke.sum() == LESION.sum() and case.notes == {NAN_OUTSIDE}
    assert 100 < len(case.plane) < 136  # planes that hardly show brain are left out
    assert np.allclose(case.z, case.plane - 50.0)
    row = int(np.flatnonzero(case.plane == 68)[0])
    assert np.array_equal(case.images[row, 0], flair[:, :, 68].T[::-1, ::-1])
