"""A template: how a data set of one's own is read. Copy ``FILE``, ``recognise``, ``load`` and ``SOURCE``, and change them."""

import re
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from strokegan_lib.data import foreground
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.scans.cases import Case, CaseFiles, Source, build_case, mr_window
from strokegan_lib.scans.command import main
from strokegan_lib.scans.layout import Name, find
from strokegan_lib.scans.volumes import check_same_grid, read_mask, read_volume

FILE = re.compile(r"patient(\d+)_(flair|lesion)\.nii\.gz$")


def recognise(path: Path) -> Name | None:
    """Patient, case and kind of file, from the name; None for a file of no interest."""
    match = FILE.match(path.name)
    return Name(f"mine-{match[1]}", f"patient{match[1]}", match[2]) if match else None


def load(files: CaseFiles, modalities: tuple[str, ...]) -> Case:
    """Image and mask in display orientation, what of them is head, and the window from raw units to bytes."""
    flair, mask = read_volume(files.image("flair")), read_mask(files.mask)
    check_same_grid(flair, mask)
    planes = flair.planes()  # (P, H, W)
    head = foreground.head(planes, flair.spacing[::-1])  # (P, H, W)
    window = mr_window("flair", planes, head, flair.path)
    return build_case(files, [mask, flair], planes[:, None], mask.planes() > 0, head, [window])


SOURCE = Source(
    name="mine",
    title="My patients",
    channels=("flair",),
    licence="who may use it, and for what",
    citation="what to cite",
    how_to_get="where it lies",
    limits=("What it cannot show, a sentence each.",),
    foreground_rule=foreground.HEAD,
    find=partial(find, recognise=recognise, mask="lesion"),
    load=load,
)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two patients: a ball of 60 mm with a bright lesion of 8 x 8 x 3 voxels."""
    folder = tmp_path / "scans"
    folder.mkdir()
    x, y, _ = np.mgrid[-40:40, -40:40, -3:3]
    head = np.hypot(x, y) < 30
    lesion = np.zeros(head.shape)
    lesion[44:52, 30:38, 2:5] = 1
    grain = np.random.default_rng(0).normal(0, 5, head.shape)
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    for patient in ("001", "002"):
        image = head * (100 + 80 * lesion + grain)
        for kind, data in (("flair", image), ("lesion", lesion)):
            file = nib.Nifti1Image(data.astype(np.float32), affine)
            file.to_filename(folder / f"patient{patient}_{kind}.nii.gz")
    return folder


def test_a_data_set_of_ones_own_becomes_slices(scans: Path, tmp_path: Path):
    assert main(SOURCE, ["--source", str(scans), "--out", str(tmp_path / "set")]) == 0
    slices = SliceSet.open(tmp_path / "set")
    assert slices.patients == ["mine-001", "mine-002"] and slices.card["licence"] == SOURCE.licence
    truth = 8 * 8 * 3 * 4 / 1000  # mL
    assert slices.lesion_ml()["mine-001"] == pytest.approx(truth, rel=0.1)
