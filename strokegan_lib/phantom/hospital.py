"""Phantom patients as another hospital would hand them over: files in the layout of ISLES 2022, and CT.

Nobody real is in them. They show how files are read, and nothing about any data set. Taught in notebook 09.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from strokegan_lib.data.resample import area_average, resample_mask
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.phantom.patient import PIXEL, Patient, make_patient
from strokegan_lib.phantom.scanner import WINDOW
from strokegan_lib.scans import isles2022

SEED = 7  # of a phantom of which no shipped network has seen a patient
NUMBERS = (0, 3, 4, 7, 12, 1)  # its patients that become cases 1 to 6; the last has no stroke
ACROSS = 128 * PIXEL  # mm: side of the phantom's picture
GRIDS = ((80, 4.5), (96, 6.0))  # of DWI: pixels a side, distance of planes in mm
DARKER = 9.0  # HU by which a stroke lies below its tissue on CT
SOURCE = replace(
    isles2022.SOURCE,
    name="built",
    title="BUILT: phantom patients in the layout of ISLES 2022. No real patient, no result.",
    licence="CC BY 4.0, as the text of the kit; MNI152 maps: ICBM licence, see nilearn",
    citation="this kit",
    limits=("Built from a phantom: it shows how the code works and nothing about any data set.",),
)


def write_files(folder: Path) -> None:
    """Write the cases, untidy as real ones: two grids, FLAIR on its own one and from the side, two cases unusable.

    Case 7 has no mask, and the download of case 8's FLAIR broke off.
    """
    for case, number in enumerate(NUMBERS, 1):
        _write_case(folder, case, number, *GRIDS[case % 2])
    for case, like in ((7, 2), (8, 1)):
        for path in sorted(folder.rglob(f"*case{like:04d}_*.nii.gz")):
            if case == 7 and "msk" in path.name:
                continue
            copy = Path(str(path).replace(f"case{like:04d}", f"case{case:04d}"))
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes()[: 20_000 if case == 8 and "flair" in path.name else None])


def _write_case(folder: Path, case: int, number: int, size: int, step: float) -> None:
    z, own_z = np.arange(-40.0, 66.0, step), np.arange(-44.0, 72.0, 5.0)  # mm, of DWI and of FLAIR
    dwi = make_patient(number, seed=SEED, contrast="dwi", z=z, layers=True)
    flair = make_patient(number, seed=SEED, z=own_z)
    fluid, lesion = dwi.layers["fluid"], dwi.layers["lesion"]
    # 1e-3 mm2/s: water moves freely in fluid, hardly in a fresh stroke
    adc = 0.75 + 2.3 * fluid - 0.4 * lesion * (1 - fluid)
    adc += 0.04 * np.random.default_rng(number).standard_normal(adc.shape)
    pixel, middle = (PIXEL, PIXEL), dwi.head.middle()
    coarse = {
        "dwi": area_average(1000 * dwi.images, pixel, size),
        "adc": area_average(adc * dwi.foreground, pixel, size).astype(np.float32),
        "msk": resample_mask(dwi.stroke, pixel, size).astype(np.uint16),
    }
    name = f"sub-strokecase{case:04d}"
    for kind, planes in coarse.items():
        part = folder / ("derivatives" if kind == "msk" else "rawdata") / name / "ses-0001"
        _write(part / f"{name}_ses-0001_{kind}.nii.gz", planes, z, middle, "LAS")
    planes = (1000 * flair.images).astype(np.float32)
    part = folder / "rawdata" / name / "ses-0001"
    _write(part / f"{name}_ses-0001_flair.nii.gz", planes, own_z, middle, "PIL")


def _write(path: Path, planes: np.ndarray, z: np.ndarray, middle: float, axes: str) -> None:
    """Write planes (P, n, n), front row first, their picture's centre at y = *middle*, with axes that run as *axes*."""
    import nibabel as nib

    n, pixel = planes.shape[1], ACROSS / planes.shape[1]
    affine = np.diag([pixel, pixel, z[1] - z[0], 1.0])
    affine[:3, 3] = -(n - 1) / 2 * pixel, middle - (n - 1) / 2 * pixel, z[0]  # mm of voxel (0, 0, 0)
    image = nib.Nifti1Image(planes[:, ::-1].transpose(2, 1, 0), affine)  # (X, Y, Z): right, front, top
    codes = nib.orientations.axcodes2ornt
    turn = nib.orientations.ornt_transform(codes("RAS"), codes(axes))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.as_reoriented(turn).to_filename(path)


def at_home(slices: SliceSet) -> np.ndarray:
    """FLAIR of the same planes as the phantom's data sets have it, (N, 128, 128) uint8; *slices* are of these files."""
    made = []
    for patient, number in zip(slices.patients, NUMBERS, strict=True):
        own = make_patient(number, seed=SEED, z=slices.table["z"][slices.of_patient(patient)])
        made.append(WINDOW.to_bytes(own.images, own.foreground))
    return np.concatenate(made)


def ct_plane(patient: Patient, plane: int) -> tuple[np.ndarray, np.ndarray]:
    """A plane as CT with skull and skin, (168, 168) in HU, and the stroke, (168, 168) bool.

    The patient was made with ``layers=True``.
    """
    from scipy.ndimage import distance_transform_edt

    part = {name: np.pad(values[plane], 20) for name, values in patient.layers.items()}
    brain, stroke = (np.pad(mask[plane], 20) for mask in (patient.foreground, patient.stroke))
    away = distance_transform_edt(~brain) * PIXEL  # mm from the brain
    around = np.select([away < 3, away < 9, away < 14], [8.0, 1100, 45], -1000)  # fluid, bone, skin, air
    tissue = 6 * part["fluid"] + 28 * part["white"] + 37 * part["grey"]
    tissue = tissue - DARKER * part["lesion"] * (1 - part["fluid"])
    return np.where(brain, tissue, around) + np.random.default_rng(1).normal(0, 3, brain.shape), stroke
