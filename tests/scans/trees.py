"""Small data sets in the layouts and formats of the public ones, for tests."""

from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image

from strokegan_lib.scans import brats2015, isles2018, isles2022, soop

SOURCES = {module.SOURCE.name: module.SOURCE for module in (soop, isles2018, isles2022, brats2015)}
SOOP_SHAPE = (157, 189, 136)
SOOP_AFFINE = np.array([[-1.0, 0, 0, 78], [0, 1, 0, -112], [0, 0, 1, -50], [0, 0, 0, 1]])


def tree(name: str, root: Path, cases: int = 2) -> None:
    """Write some cases of two patients or more."""
    for n in range(1, cases + 1):
        if name == "brats2015":
            brats2015_case(root, f"brats_tcia_pat{n}_1", suffix=".nii")
        else:
            {"soop": soop_subject, "isles2018": isles2018_case, "isles2022": isles2022_case}[name](root, n)


def nifti(path: Path, data: np.ndarray, affine: np.ndarray | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.Nifti1Image(data, np.diag([2.0, 2, 3, 1]) if affine is None else affine).to_filename(path)
    return path


def ball(shape: tuple[int, ...], centre: tuple[float, ...], radius: tuple[float, ...]) -> np.ndarray:
    grid = np.indices(shape).astype(float)
    return sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radius, strict=True)) <= 1


def brain(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """A textured ellipsoid (X, Y, Z) in 0 background."""
    x, y, z = shape
    inside = ball(shape, ((x - 1) / 2, (y - 1) / 2, (z - 1) / 2), (0.4 * x, 0.42 * y, 0.8 * z))
    texture = np.random.default_rng(seed).normal(300, 40, shape)
    return (np.clip(texture, 100, None) * inside).astype(np.float32)


def overlaid(flair: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Paint red over grey (H, W) as SOOP's pictures do, (H, W, 3); opacity is 0, .25 (where two bits are lost) or .5."""
    grey = flair.astype(np.int64)
    levels = [opacity == 0.5, opacity == 0.25]
    green = np.select(levels, [grey // 2, grey // 4 * 3], grey)
    half = np.where(np.random.default_rng(1).random(grey.shape) < 0.68, 127, 128)
    return np.stack([green + np.select(levels, [half, 64], 0), green, green], axis=-1).astype(np.uint8)


def soop_subject(root: Path, number: int, lesion=None, red=None, black: bool = False) -> np.ndarray:
    """Write picture and mask of a subject; return its true FLAIR plane (189, 157), 0 in the lesion if *black*.

    The lesion is (157, 189, 136) in the file's order (left, anterior, superior); *red* (189, 157) is what the
    picture shows of it.
    """
    if lesion is None:
        lesion = ball(SOOP_SHAPE, (50 + number % 40, 90, 68), (18, 14, 10))
    plane = lesion[:, :, 68].T[::-1, ::-1]  # (189, 157) as the picture shows it
    noise = np.random.default_rng(number).normal(110, 30, (189, 157))
    flair = np.clip(noise + 70 * plane, 5, 255).astype(np.uint8) * ball((189, 157), (94, 78), (85, 68))
    flair[plane.astype(bool) & black] = 0
    mosaic = np.zeros((189, 692, 3), np.uint8)
    mosaic[:, :157] = overlaid(flair, 0.5 * (plane if red is None else red))
    (root / "PNG").mkdir(parents=True, exist_ok=True)
    Image.fromarray(mosaic).save(root / "PNG" / f"rsub-{number}_lesion.nii.png")
    nifti(root / "NIfTI" / f"bwsrsub-{number}_lesion.nii.gz", lesion.astype(np.uint8), SOOP_AFFINE)
    return flair


def isles2022_case(root: Path, number: int, *, zenodo: bool = False, stroke: bool = True) -> dict[str, Path]:
    """Write a case of 24 x 20 x 6 voxels, FLAIR on a finer grid of its own; return its files."""
    shape, name = (24, 20, 6), f"sub-strokecase{number:04d}"
    data = brain(shape, number)
    lesion = ball(shape, (9, 10, 3), (3, 3, 1.5)) & stroke
    affine = np.array([[-2.0, 0, 0, 23], [0, 2, 0, -19], [0, 0, 3, 5], [0, 0, 0, 1]])
    fine = np.array([[-1.0, 0, 0, 23.5], [0, 1, 0, -19.5], [0, 0, 2, 5], [0, 0, 0, 1]])
    session, stem = f"{name}/ses-0001", f"{name}_ses-0001"
    top, dwi, flair = ("", "dwi/", f"anat/{stem}_FLAIR") if zenodo else ("rawdata/", "", f"{stem}_flair")
    images = root / f"{top}{session}"
    mask = root / "derivatives" / session / f"{stem}_msk.nii.gz"
    return {
        "dwi": nifti(images / f"{dwi}{stem}_dwi.nii.gz", (data * (1 + lesion)).astype(np.float64), affine),
        "adc": nifti(images / f"{dwi}{stem}_adc.nii.gz", data / 300 - 0.01, affine),
        "flair": nifti(images / f"{flair}.nii.gz", brain((48, 40, 9), number), fine),
        "msk": nifti(mask, lesion.astype(np.uint16), affine),
    }


def isles2018_case(root: Path, number: int, split="TRAINING", prefix="CT", planes=2, extra=()) -> None:
    """Write a slab of 48 x 48 pixels with bone around the brain.

    Headers are those of the real files: the identity as sform, with code 2; 4 x 4 x 5 mm in pixdim
    alone; a qform with code 2 in one half of the cases, none in the other.
    """
    shape, rng = (48, 48, planes), np.random.default_rng(number)
    head = ball(shape, (23.5, 23.5, 0), (21, 22, 1e9))
    inside = ball(shape, (23.5, 23.5, 0), (18, 19, 1e9))
    ct = np.where(inside, rng.normal(35, 4, shape), np.where(head, 900, -1000)).astype(np.int32)
    lesion = ball(shape, (16, 24, 0), (4, 5, 1e9)) & inside
    maps = {
        "CT": ct,
        f"{prefix}_4DPWI": rng.normal(40, 4, (*shape, 1, 3)).astype(np.float32),
        f"{prefix}_CBF": (rng.normal(500, 60, shape) * inside).astype(np.uint16),
        f"{prefix}_CBV": (rng.normal(40, 5, shape) * inside).astype(np.uint16),
        f"{prefix}_MTT": (rng.normal(6, 1, shape) * inside)[..., None].astype(np.float64),
        f"{prefix}_Tmax": (rng.normal(3, 1, shape) * inside + 8 * lesion).astype(np.float64),
        **{name: (rng.normal(200, 9, shape) * inside).astype(np.float32) for name in extra},
        **({"OT": lesion.astype(np.uint8)} if split == "TRAINING" else {}),
    }
    for i, (name, data) in enumerate(maps.items()):
        stem = f"SMIR.Brain.XX.O.{name}.{345000 + 10 * number + i}"
        image = nib.Nifti1Image(data, np.diag([4.0, 4, 5, 1]))
        image.set_qform(image.affine, 2 * (number % 2))
        image.set_sform(np.eye(4), 2)
        folder = root / split / f"case_{number}" / stem
        folder.mkdir(parents=True, exist_ok=True)
        image.to_filename(folder / f"{stem}.nii")


def brats2015_case(
    root: Path, name: str, grade="HGG", suffix=".mha", nested=True, label="VSD.Brain_3more", image="VSD.Brain"
) -> None:
    """Write a case of 24 x 26 x 8 voxels with all five labels."""
    import SimpleITK

    shape = (24, 26, 8)
    tumour = ball(shape, (9, 12, 4), (4, 4, 2.5)).astype(np.int16) * 2
    tumour[ball(shape, (9, 12, 4), (2, 2, 1.5))] = 4
    tumour[9, 12, 4], tumour[8, 12, 4] = 1, 3
    for i, modality in enumerate(("MR_Flair", "MR_T1", "MR_T1c", "MR_T2", "OT")):
        data = tumour if modality == "OT" else brain(shape, i).astype(np.int16)
        stem = f"{label if modality == 'OT' else image}.XX.O.{modality}.{54500 + i}"
        folder = root / "BRATS2015_Training" / grade / name / (stem if nested else "")
        folder.mkdir(parents=True, exist_ok=True)
        if suffix == ".mha":  # packed, axes to the patient's left, back and top
            turned = SimpleITK.GetImageFromArray(data.transpose())
            SimpleITK.WriteImage(turned, str(folder / f"{stem}.mha"), useCompression=True)
        else:
            nifti(folder / f"{stem}{suffix}", data, np.eye(4))
