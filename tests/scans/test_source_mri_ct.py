"""ISLES 2018, ISLES 2022 and BRATS 2015: every quirk of their layouts, and the right patients."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.processing import resample_from_to
from trees import ball, brats2015_case, isles2018_case, isles2022_case, nifti

from strokegan_lib.errors import BadInput
from strokegan_lib.scans import brats2015, isles2018, isles2022
from strokegan_lib.scans.cases import CaseFiles
from strokegan_lib.scans.formats import Volume
from strokegan_lib.scans.nifti import SCALED, UNPLACED
from strokegan_lib.scans.prepare import resample_case
from strokegan_lib.scans.volumes import read_mask, read_volume

# ---------------------------------------------------------------- ISLES 2018


def test_isles2018_second_slabs_give_63_patients():
    patients = {isles2018.patient_of(n) for n in range(1, isles2018.CASES + 1)}
    assert len(patients) == 63
    assert isles2018.patient_of(3) == isles2018.patient_of(4) == "isles2018-p03"
    assert isles2018.patient_of(5) != isles2018.patient_of(4)


def test_isles2018_tree_with_every_quirk(tmp_path):
    isles2018_case(tmp_path, 1)
    isles2018_case(tmp_path, 2, prefix="MR")  # names of an early release
    isles2018_case(tmp_path, 10, planes=8, extra=("MR_DWI",))
    isles2018_case(tmp_path, 1, split="TESTING")
    isles2018_case(tmp_path, 2, split="TESTING")
    found = isles2018.find(tmp_path)
    assert [c.patient for c in found.cases] == ["isles2018-p01", "isles2018-p01", "isles2018-p10"]
    assert [c.case for c in found.cases] == ["case_1", "case_2", "case_10"]
    assert found.notes == {"test cases without a label": 2} and not found.bad
    for files, planes in zip(found.cases, (2, 2, 8), strict=True):
        case = isles2018.load(files)
        assert case.images.shape == (planes, 5, 48, 48) and case.spacing == (4, 4, 5)
        assert np.array_equal(case.z, 5 * np.arange(planes)) and case.notes == {SCALED}
        assert [w.channel for w in case.windows] == ["ct", "cbf", "cbv", "mtt", "tmax"]
        assert [w.high for w in case.windows] == [100, 1000, 100, 20, 20]
        truth = read_mask(files.mask).planes() > 0
        assert np.array_equal(case.stroke, truth) and case.lost_ml == 0
        tmax = case.images[:, 4]
        assert tmax[case.stroke].mean() > tmax[case.foreground & ~case.stroke].mean() + 5
        inside = ball((48, 48), (23.5, 23.5), (18, 19))
        assert (case.foreground[0] ^ inside).sum() < 0.12 * inside.sum()  # the brain without its bone


def test_isles2018_millilitres_are_those_of_pixdim(tmp_path):
    for number in (1, 3, 10):
        isles2018_case(tmp_path, number, planes=number + 1)
    for files in isles2018.find(tmp_path).cases:
        prepared = resample_case(isles2018.load(files))
        true = nib.load(files.mask).get_fdata().sum() * 4 * 4 * 5 / 1000
        assert prepared.ml == pytest.approx((true, true), rel=0.02)


def test_isles2018_foreground_of_a_ct_without_skull(tmp_path):
    ct = read_volume(next(isles2018_case(tmp_path, 1).glob("*.CT.*/*.nii")))
    bare = np.where((ct.planes() > 0) & (ct.planes() < 100), ct.planes(), 0)
    inside = ball((48, 48), (23.5, 23.5), (18, 19))
    from strokegan_lib.data.foreground import brain_ct

    assert (brain_ct(bare, (5, 4, 4))[0] ^ inside).sum() < 0.12 * inside.sum()


def test_isles2018_faults_of_single_cases(tmp_path):
    isles2018_case(tmp_path, 1)
    for path in isles2018_case(tmp_path, 3).glob("*.OT.*/*"):
        path.unlink()
    isles2018_case(tmp_path, 95)
    isles2018_case(tmp_path / "copy", 1)
    isles2018_case(tmp_path, 5).rename(tmp_path / "TRAINING" / "five")
    found = isles2018.find(tmp_path)
    assert [c.case for c in found.cases] == ["case_1"]
    said = " ".join(error.what for error in found.bad)
    for words in ("has no mask (case_3", "not one of the 94", "is a second case_1", "in no folder case_N"):
        assert words in said


def test_isles2018_only_test_cases(tmp_path):
    isles2018_case(tmp_path, 1, split="TESTING")
    with pytest.raises(BadInput, match="only test cases"):
        isles2018.find(tmp_path)


# ---------------------------------------------------------------- ISLES 2022


@pytest.mark.parametrize("zenodo", [False, True])
def test_isles2022_both_layouts(tmp_path, zenodo):
    paths = isles2022_case(tmp_path, 9, zenodo=zenodo)
    isles2022_case(tmp_path, 10, zenodo=zenodo, stroke=False)
    found = isles2022.find(tmp_path)
    assert [c.patient for c in found.cases] == ["isles2022-0009", "isles2022-0010"]
    case, healthy = map(isles2022.load, found.cases)
    assert case.images.shape[1:] == (3, 20, 24) and np.allclose(case.spacing, (2, 2, 3))
    assert case.stroke.sum() == read_mask(paths["msk"]).data.sum() > 0
    assert not healthy.stroke.any()
    dwi = case.images[:, 0]
    assert dwi[case.stroke].mean() > 1.5 * dwi[case.foreground & ~case.stroke].mean()


def test_isles2022_flair_follows_the_affines(tmp_path):
    """A linear ramp in space comes out the same on any grid; nibabel's resampling agrees."""

    def ramp(shape, affine):
        grid = np.indices(shape).reshape(3, -1)
        x, y, z = (affine @ np.vstack([grid, np.ones(grid.shape[1])]))[:3]
        return (3 * x - 2 * y + z + 500).reshape(shape).astype(np.float32)

    tilt = np.array([[1.0, 0, 0, -20], [0, 0.98, -0.2, -15], [0, 0.2, 0.98, -10], [0, 0, 0, 1]])
    fine = Volume(ramp((44, 40, 30), tilt), tilt, Path("fine.nii"))
    coarse_affine = np.diag([3.0, 3, 4, 1])
    coarse_affine[:3, 3] = -12, -6, -4
    coarse = Volume(np.zeros((8, 6, 3), np.float32), coarse_affine, Path("coarse.nii"))
    out = isles2022.resample_onto(fine, coarse)
    assert np.allclose(out[1:-1, 1:-1, 1:-1], ramp((8, 6, 3), coarse_affine)[1:-1, 1:-1, 1:-1], atol=0.3)
    same = Volume(coarse.data, np.diag([1.0, 1, 1, 1]) @ tilt, Path("same.nii"))
    rival = resample_from_to(
        nib.Nifti1Image(fine.data, tilt), (coarse.data.shape, same.affine), order=1
    ).get_fdata()
    assert np.allclose(isles2022.resample_onto(fine, same), rival, atol=1e-3)


def test_isles2022_names_with_more_of_bids(tmp_path):
    paths = isles2022_case(tmp_path, 9)
    for kind, entities in (("dwi", "run-1"), ("adc", "acq-b1000_run-01"), ("msk", "space-dwi")):
        path = paths[kind]
        path.rename(path.with_name(path.name.replace(kind, f"{entities}_{kind}")))
    (files,) = isles2022.find(tmp_path).cases
    assert sorted(files.images) == ["adc", "dwi", "flair"] and files.case == "sub-strokecase0009_ses-0001"
    first = files.images["dwi"]
    first.with_name(first.name.replace("run-1", "run-2")).write_bytes(first.read_bytes())
    (error,) = isles2022.find(tmp_path).bad
    assert "run-2_dwi" in str(error) and "run-1_dwi" in str(error)


def test_isles2022_case_without_flair_needs_another_modality(tmp_path):
    isles2022_case(tmp_path, 1)["flair"].unlink()
    (files,) = isles2022.find(tmp_path).cases
    with pytest.raises(BadInput, match="without its flair image"):
        isles2022.load(files)
    assert isles2022.load(files, ("adc", "dwi")).images.shape[1] == 2


# ---------------------------------------------------------------- BRATS 2015


def test_brats2015_tree_with_every_quirk(tmp_path):
    brats2015_case(tmp_path, "brats_2013_pat0001_1")
    brats2015_case(tmp_path, "brats_2013_pat0001_1", grade="LGG")
    brats2015_case(tmp_path, "brats_tcia_pat123_0001", suffix=".nii", nested=False, label="VSD.Brain")
    brats2015_case(tmp_path, "brats_tcia_pat123_0002", suffix=".nii.gz", label="VSD.Brain_1more")
    brats2015_case(tmp_path, "brats_tcia_pat0001_0003")
    found = brats2015.find(tmp_path)
    assert not found.bad and len(found.cases) == 5
    assert sorted({c.patient for c in found.cases}) == [
        "brats2015-2013-0001",
        "brats2015-tcia-0001",
        "brats2015-tcia-123",
    ]
    assert len({c.case for c in found.cases}) == 5
    for files in found.cases:
        case = brats2015.load(files)
        labels = read_mask(files.mask, brats2015.LABELS).planes()
        assert set(np.unique(labels)) == {0, 1, 2, 3, 4}
        assert case.stroke.sum() == (labels > 0).sum()
        assert brats2015.load(files, region="core").stroke.sum() == np.isin(labels, (1, 3, 4)).sum()
        assert brats2015.load(files, region="enhancing").stroke.sum() == (labels == 4).sum()
        assert case.images.shape[1] == 4
        assert brats2015.load(files, ("t1c",)).images.shape[1] == 1


def test_brats2015_files_fetched_one_by_one(tmp_path):
    """The archive names them SMIR.Brain, and says the patient nowhere but in the folder."""
    smir = {"label": "SMIR.Brain", "image": "SMIR.Brain"}
    folder = brats2015_case(tmp_path, "brats_2013_pat0001_1", **smir)
    brats2015_case(tmp_path, "brats_tcia_pat499_0001", **smir, suffix=".nii.gz", nested=False)
    found = brats2015.find(tmp_path)
    assert not found.bad and [len(c.images) for c in found.cases] == [4, 4]
    folder.rename(tmp_path / "mine")
    assert "in no folder brats_" in brats2015.find(tmp_path).bad[0].what


def test_brats2015_mha_and_nii_of_one_volume_lie_the_same_way(tmp_path):
    import SimpleITK

    brats2015_case(tmp_path, "brats_tcia_pat1_1")
    (mha,) = brats2015.find(tmp_path).cases
    images = {}
    for name, path in (*mha.images.items(), ("ot", mha.mask)):
        images[name] = path.with_suffix(".nii.gz")
        SimpleITK.WriteImage(SimpleITK.ReadImage(str(path)), str(images[name]))
    nii = CaseFiles(mha.patient, mha.case, images, images.pop("ot"))
    a, b = brats2015.load(mha), brats2015.load(nii)
    assert np.array_equal(a.images, b.images) and np.array_equal(a.stroke, b.stroke)
    assert np.allclose(a.z, b.z)


def test_brats2015_case_without_side_and_height_is_noted(tmp_path):
    for path in brats2015_case(tmp_path, "brats_tcia_pat1_1", suffix=".nii").rglob("*.nii"):
        raw = path.read_bytes()
        path.write_bytes(raw[:252] + bytes(4) + raw[256:])  # qform_code and sform_code
    assert brats2015.load(brats2015.find(tmp_path).cases[0]).notes == {UNPLACED}


def test_brats2015_label_beyond_four(tmp_path):
    folder = brats2015_case(tmp_path, "brats_tcia_pat1_1", suffix=".nii")
    path = next(folder.glob("*OT*/*"))
    data = nib.load(path).get_fdata()
    data[0, 0, 0] = 5
    nifti(path, data.astype(np.int16), np.eye(4))
    with pytest.raises(BadInput, match=r"unexpected labels \(5;"):
        brats2015.load(brats2015.find(tmp_path).cases[0])


if "STROKEGAN_REAL" in os.environ:

    def test_real_isles2022_case_keeps_its_lesion_volume():
        cases = isles2022.find(Path(os.environ["STROKEGAN_REAL"], "isles2022")).cases
        (files,) = [files for files in cases if "flair" in files.images]
        mask = read_mask(files.mask)
        truth = float(mask.data.sum() * np.prod(mask.spacing)) / 1000
        prepared = resample_case(isles2022.load(files))
        assert prepared.ml[0] == pytest.approx(truth, rel=1e-6)
        assert prepared.ml[1] == pytest.approx(truth, rel=0.05)
        print(f"{truth:.3f} mL in the mask, {prepared.ml[1]:.3f} mL in the slices")
