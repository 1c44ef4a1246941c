"""SOOP: FLAIR of acute stroke, as slices recovered from quality-assurance pictures or as whole volumes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from strokegan_lib.data import foreground
from strokegan_lib.data.windows import Window
from strokegan_lib.errors import BadInput
from strokegan_lib.scans import layout, soop_known
from strokegan_lib.scans.cases import OUTSIDE, Case, CaseFiles, Dropped, Found, Source, build_case, mr_window
from strokegan_lib.scans.download import download
from strokegan_lib.scans.formats import AGAIN
from strokegan_lib.scans.layout import Name
from strokegan_lib.scans.soop_picture import read_picture, recover_flair
from strokegan_lib.scans.volumes import check_same_grid, read_mask, read_volume

GRID = (157, 189, 136)  # voxels of 1 mm, MNI space
AFFINE = np.array([[1.0, 0, 0, -78], [0, 1, 0, -112], [0, 0, 1, -50], [0, 0, 0, 1]])  # once turned to RAS
PLANE = 68  # the voxel plane that every picture shows, MNI z = +18 mm
FILE = re.compile(
    r"(?=r.*lesion\.nii\.png$|bwsr.*lesion\.nii(\.gz)?$|w.*flair\.nii(\.gz)?$)"
    r"(?P<kind>r|bwsr|w)sub-(?P<number>\d+)_[^_]+$",
    re.IGNORECASE,
)
KINDS = {"r": "pictures", "bwsr": "mask", "w": "volumes"}
ROUTES = ("auto", "pictures", "volumes")
AGREE = 0.95  # Dice of picture and mask below which a case is dropped
LARGEST = 400.0  # mL; larger masks look wrong
WINDOW = Window("flair", 0.0, 254.0, "the 8 bits of the public pictures, lowest bit cleared")


def recognise(path: Path) -> Name | None:
    """Pictures, masks and volumes are told apart by the prefix of 'sub'."""
    match = FILE.match(path.name)
    if not match:
        return None
    number = int(match["number"])
    return Name(f"soop-{number}", f"sub-{number}", KINDS[match["kind"].lower()])


def find(folder: Path, route: str = "auto") -> Found:
    """List the subjects below a folder.

    Args:
        route: 'pictures', 'volumes', or 'auto' for pictures where there are any.

    Raises:
        BadInput: see :func:`~strokegan_lib.scans.layout.find`.
    """
    found = layout.find(folder, recognise, mask="mask")
    if route == "auto":
        route = "pictures" if any("pictures" in case.images for case in found.cases) else "volumes"
    cases = [replace(c, images={"flair": c.images[route]}) for c in found.cases if route in c.images]
    alone = len(found.cases) - len(cases)
    return Found(cases, found.bad, Counter({f"masks without one of the {route}": alone} if alone else {}))


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
    if path.suffix.lower() == ".png":
        flair, red = recover_flair(
            read_picture(path), int(files.patient.rpartition("-")[2]), path
        )  # (189, 157)
        stroke = mask.planes()[[PLANE]] > 0  # (1, 189, 157)
        if dice(red, stroke[0]) < AGREE:
            raise Dropped(f"mask and picture disagree (Dice below {AGREE})")
        volumes, images, plane = [mask], flair[None, None], np.array([PLANE])  # (1, 1, 189, 157)
    else:
        volumes, plane = [read_volume(path), mask], np.arange(GRID[2])
        check_same_grid(*volumes)
        stroke, images = mask.planes() > 0, volumes[0].planes()[:, None]  # (136, 1, 189, 157)
    brain = foreground.stripped(images.swapaxes(0, 1))  # (P, 189, 157)
    window = WINDOW if len(volumes) == 1 else mr_window("flair", images[:, 0], brain, path)
    # an accepted mask belongs to the brain, even where FLAIR is black; build_case refuses the others
    if (stroke & ~brain).sum() <= OUTSIDE * stroke.sum():
        brain |= stroke
    return build_case(files, volumes, images, stroke, brain, [window], plane)


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
    download=partial(
        download,
        "https://codeload.github.com",
        "neurolabusc/StrokeOutcomeOptimizationProjectDemo/zip/ae553f82c24721dec4cd3bcffdd6c952257e8dba",
        check=soop_known.check,
    ),
    option=("find", "route", ROUTES, "take pictures or whole volumes"),
)
