"""SOOP: 2-D FLAIR slices of acute stroke, recovered from quality-assurance pictures.

Each picture shows, at the left, one axial slice of the normalised, skull-stripped FLAIR
with the lesion in translucent red. The red can be taken off again, at the price of the
lowest bit; whoever keeps that bit gives the label away (see :func:`recover_flair`).
Whole volumes, which the project keeps elsewhere, are read too.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from strokegan_lib.data import foreground
from strokegan_lib.data.windows import Window, percentile_window
from strokegan_lib.errors import BadInput
from strokegan_lib.scans import soop_known
from strokegan_lib.scans.cases import OUTSIDE, Case, CaseFiles, Dropped, Found, Source, build_case, heights
from strokegan_lib.scans.download import Remote, get
from strokegan_lib.scans.formats import AGAIN, Volume
from strokegan_lib.scans.layout import collect, without_mask
from strokegan_lib.scans.volumes import check_same_grid, read_mask, read_volume

GRID = (157, 189, 136)  # voxels of 1 mm, MNI space
AFFINE = np.array([[1.0, 0, 0, -78], [0, 1, 0, -112], [0, 0, 1, -50], [0, 0, 0, 1]])  # once turned to RAS
PLANE = 68  # the voxel plane that every picture shows, MNI z = +18 mm
PICTURE = (692, 189)  # width and height of a mosaic
RED = (127, 128)  # R - G under a lesion: half of 255
ROUTES = ("auto", "pictures", "volumes")
AGREE = 0.95  # Dice of picture and mask below which a case is dropped
LARGEST = 400.0  # mL; larger masks look wrong
WINDOW = Window("flair", 0.0, 254.0, "the 8 bits of the public pictures, lowest bit cleared")
ARCHIVE = Remote(
    "https://codeload.github.com",
    "neurolabusc/StrokeOutcomeOptimizationProjectDemo/zip/ae553f82c24721dec4cd3bcffdd6c952257e8dba",
    cap=400 * 2**20,  # about 165 MB
    unpacked_cap=800 * 2**20,
    members=10_000,
    check=soop_known.check,
)


def find(folder: Path, route: str = "auto") -> Found:
    """List the subjects below a folder.

    Args:
        route: 'pictures', 'volumes', or 'auto' for pictures where there are any.

    Raises:
        BadInput: see :func:`~strokegan_lib.scans.layout.collect`, or no image of the route.
    """
    subjects, double = collect(folder, "SOOP")
    if route == "auto":
        route = "pictures" if any("picture" in kinds for kinds in subjects.values()) else "volumes"
    image = {"pictures": "picture", "volumes": "volume"}[route]
    cases, bad, alone = [], list(double.values()), 0
    for number, kinds in sorted(subjects.items()):
        if image not in kinds:
            alone += 1
        elif "mask" not in kinds:
            bad.append(without_mask(kinds[image], f"sub-{number}"))
        else:
            cases.append(CaseFiles(f"soop-{number}", f"sub-{number}", {"flair": kinds[image]}, kinds["mask"]))
    if not cases and not bad:
        raise BadInput(
            folder, f"holds masks but no {route} of SOOP", "give the folder that holds both PNG and NIfTI"
        )
    return Found(cases, bad, {f"masks without one of the {route}": alone} if alone else {})


def load(files: CaseFiles, modalities: tuple[str, ...] = ("flair",)) -> Case:
    """Read a subject by the route that its image asks for.

    Raises:
        BadInput: a file is unusable.
        Dropped: the mask is larger than 400 mL, or disagrees with the picture.
    """
    mask = read_mask(files.mask)
    if mask.data.shape != GRID or np.abs(mask.affine - AFFINE).max() > 1e-3:
        raise BadInput(files.mask, "is not on SOOP's grid of 157x189x136 voxels of 1 mm", AGAIN)
    if mask.data.sum() / 1000 > LARGEST:
        raise Dropped(f"mask of more than {LARGEST:.0f} mL")
    path = files.image("flair")
    return (
        _from_picture(files, path, mask) if path.suffix.lower() == ".png" else _from_volume(files, path, mask)
    )


def _from_picture(files: CaseFiles, path: Path, mask: Volume) -> Case:
    seed = int(files.patient.rpartition("-")[2])
    flair, red = recover_flair(read_picture(path), seed, path)  # (189, 157) each
    stroke = mask.planes()[PLANE] > 0  # (189, 157)
    if dice(red, stroke) < AGREE:
        raise Dropped(f"mask and picture disagree (Dice below {AGREE})")
    brain = foreground.stripped(flair[None, None])  # (1, 189, 157)
    return build_case(
        files,
        [mask],
        flair[None, None].astype(np.float32),  # (1, 1, 189, 157)
        stroke[None],
        # the accepted mask belongs to the brain, even where FLAIR is black; a mask that
        # leaves the brain by more than a tenth is refused before
        _joined(brain, stroke[None]),
        heights(mask)[PLANE : PLANE + 1],
        (1.0, 1.0, 1.0),
        (WINDOW,),
        np.array([PLANE]),
    )


def _joined(brain: np.ndarray, stroke: np.ndarray) -> np.ndarray:
    """The brain with the mask, where at most a tenth of the mask lies outside it."""
    return brain | stroke if (stroke & ~brain).sum() <= OUTSIDE * stroke.sum() else brain


def _from_volume(files: CaseFiles, path: Path, mask: Volume) -> Case:
    volume = read_volume(path)
    check_same_grid(volume, mask)
    images = volume.planes()[:, None]  # (136, 1, 189, 157)
    brain = foreground.stripped(images.swapaxes(0, 1))  # (136, 189, 157)
    stroke = mask.planes() > 0
    try:
        window = percentile_window("flair", images[:, 0], brain)
    except ValueError as error:
        raise BadInput(path, f"cannot be windowed ({error})", AGAIN) from error
    return build_case(
        files, [volume, mask], images, stroke, _joined(brain, stroke), heights(volume), (1.0,) * 3, (window,)
    )


def read_picture(path: Path) -> np.ndarray:
    """Read the axial part of a mosaic, (189, 157, 3) uint8.

    Raises:
        BadInput: the file is no such picture, or damaged.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG",)) as picture:
            if picture.size != PICTURE or picture.mode != "RGB":
                size = "x".join(map(str, picture.size))
                raise BadInput(path, f"is {picture.mode} {size}, not RGB 692x189", "give SOOP's own pictures")
            picture.verify()  # checks the sums of all chunks, which decoding does not
        with Image.open(path, formats=("PNG",)) as picture:
            return np.asarray(picture)[:, : GRID[0]]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadInput(path, f"cannot be read as PNG ({error})", AGAIN) from error


def recover_flair(
    picture: np.ndarray, seed: int, path: Path | str = "picture"
) -> tuple[np.ndarray, np.ndarray]:
    """Take the red overlay off.

    An overlay of opacity a = (R - G) / 255 leaves G = (1 - a) FLAIR. Under a lesion a is a
    half, and FLAIR = 2 G is always even: its lowest bit would be the label. So that bit is
    cleared everywhere. At a few blended pixels of the lesion's edge FLAIR is known to a
    multiple of 4 only: there bit 1 is drawn by lot, as it falls in tissue.

    Args:
        picture: (H, W, 3) uint8.
        seed: of the lots, one number for each picture.

    Returns:
        flair (H, W) uint8, even; red (H, W) bool, where the overlay is opaque by a half.

    Raises:
        BadInput: colours that such an overlay cannot make.
    """
    red, green, blue = np.moveaxis(picture.astype(np.int64), -1, 0)  # (H, W) each
    tint = red - green
    if (green != blue).any() or tint.min() < 0 or tint.max() > max(RED):
        raise BadInput(path, "is not grey with a red overlay of one half", "give SOOP's own pictures")
    opaque = np.isin(tint, RED)
    blended = (tint > 0) & ~opaque
    flair = np.where(opaque, 2 * green, np.rint(green * 255 / (255 - tint)).astype(np.int64))
    lots = np.random.default_rng(seed).integers(0, 2, flair.shape) * 2
    flair = np.where(blended, flair // 4 * 4 + lots, flair // 2 * 2)
    return np.clip(flair, 0, 254).astype(np.uint8), opaque


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice overlap of two masks, 1 where both are empty."""
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else 1.0


SOURCE = Source(
    name="soop",
    title="SOOP (Stroke Outcome Optimization Project), demo pictures and volumes",
    channels=("flair",),
    licence="demo repository BSD-2-Clause; the scans (OpenNeuro ds004889) CC0",
    citation="Absher J, Goncher S, Newman-Norlund R, et al. The stroke outcome optimization project: acute ischemic "
    "strokes from a comprehensive stroke center. Scientific Data 2024; 11:839.",
    how_to_get="No registration: run with --download (about 165 MB), or fetch the repository "
    "neurolabusc/StrokeOutcomeOptimizationProjectDemo on GitHub and give --source its folder, with PNG and NIfTI in it. "
    "Whole FLAIR volumes wsub-<id>_FLAIR.nii.gz: OSF project yqktj; put them beside the masks.",
    limits=(
        "The pictures show one slice of each subject, at MNI z = +18 mm.",
        "Brains are spatially normalised and skull-stripped; volumes are MNI millilitres, not native ones.",
        "Pictures have 8 bits, are windowed and saturate; the lowest bit is cleared so that it cannot tell the label.",
        "Lesions were drawn on diffusion (TRACE) images: some cannot be seen on FLAIR, so Dice has a ceiling.",
        "White-matter hyperintensities look like lesions and are not labelled.",
    ),
    foreground_rule=foreground.STRIPPED + "; the accepted mask belongs to it",
    find=find,
    load=load,
    download=partial(get, ARCHIVE),
)
