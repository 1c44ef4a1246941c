"""SOOP: FLAIR of acute stroke, as slices recovered from quality-assurance pictures or as whole volumes."""

import hashlib
import re
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from strokegan_lib.data import foreground
from strokegan_lib.data.windows import Window
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.scans.cases import OUTSIDE, Case, CaseFiles, Dropped, Source, build_case, mr_window
from strokegan_lib.scans.download import download
from strokegan_lib.scans.formats import AGAIN
from strokegan_lib.scans.layout import Name, find
from strokegan_lib.scans.soop_picture import read_picture, recover_flair
from strokegan_lib.scans.volumes import check_same_grid, read_mask, read_volume

GRID = (157, 189, 136)  # voxels of 1 mm, MNI space
AFFINE = np.array([[1.0, 0, 0, -78], [0, 1, 0, -112], [0, 0, 1, -50], [0, 0, 0, 1]])  # once turned to RAS
PLANE = 68  # the voxel plane that every picture shows, MNI z = +18 mm
FILES = {  # kinds of files, told apart by what stands before 'sub'
    "pictures": r"rsub-(\d+)_lesion\.nii\.png",
    "mask": r"bwsrsub-(\d+)_lesion\.nii(\.gz)?",
    "volumes": r"wsub-(\d+)_flair\.nii(\.gz)?",
}
AGREE = 0.95  # Dice of picture and mask below which a case is dropped
LARGEST = 400.0  # mL; larger masks look wrong
COMMIT = "ae553f82c24721dec4cd3bcffdd6c952257e8dba"
SEEN = int(  # bit n is set if the files of subject n have been seen in that commit
    "2c27515aa307198a46c07516c92a2ecc6fa5e407276c13d3ff41cdef5780f89defc8e23b4eb1bef867ebabf8c99f74e0891c"
    "05d03df45f71fcac1fb9c37fdb1648c2f7ae9ee7c91749f67923f12c14a5dbf96637386b2cbdb3a37da694bfcc895e6fbcea"
    "aa4efe05bbf59637336f3977bcf53cd675358eb8f330109630071ec4a017d73a2b003f5fa25a1c5cde2e8b8cb3182f528a1b"
    "58ceab616257155795de24676636315bc6bfd7243edd0e94b515d3104f7de6aa15e5fdfec6f00426cb1d72dcba09f7e7f7f5"
    "f8e9be7962a9a8b22f5cd3aeec65f92ca0e",
    16,
)
DIGEST = "b882cfefbcc33cddc88f9f2c0eb79aa40328fb8dfa20eb3cf18598e054636de7"  # sha256 of those files' sha256
WINDOW = Window("flair", 0.0, 254.0, "the 8 bits of the public pictures, lowest bit cleared")


def recognise(path: Path) -> Name | None:
    """Patient and kind of file, from the name."""
    for kind, pattern in FILES.items():
        if match := re.fullmatch(pattern, path.name, re.IGNORECASE):
            return Name(f"soop-{int(match[1])}", f"sub-{int(match[1])}", kind)
    return None


def load(files: CaseFiles, modalities: tuple[str, ...] = ("flair",), route: str = "auto") -> Case:
    """Read a subject by the route 'pictures' or 'volumes'; 'auto' takes the picture where there is one."""
    if route == "auto":
        route = "pictures" if "pictures" in files.images else "volumes"
    if route not in files.images:
        raise Dropped(f"mask without one of the {route}")
    mask = read_mask(files.mask)
    if mask.data.shape != GRID or np.abs(mask.affine - AFFINE).max() > 1e-3:
        raise BadInput(files.mask, "is not on SOOP's grid of 157x189x136 voxels of 1 mm", AGAIN)
    if mask.data.sum() / 1000 > LARGEST:
        raise Dropped(f"mask of more than {LARGEST:.0f} mL")
    path = files.images[route]
    if route == "pictures":
        seed = int(files.patient.rpartition("-")[2])
        flair, red = recover_flair(read_picture(path), seed)  # (189, 157)
        volumes, plane = [mask], np.array([PLANE])
        stroke, images = mask.planes()[plane] > 0, flair[None, None]  # (1, 189, 157), (1, 1, 189, 157)
        if 2 * (red & stroke[0]).sum() < AGREE * (red.sum() + stroke.sum()):
            raise Dropped(f"mask and picture disagree (Dice below {AGREE})")
    else:
        volumes, plane = [read_volume(path), mask], np.arange(GRID[2])
        check_same_grid(*volumes)
        stroke, images = mask.planes() > 0, volumes[0].planes()[:, None]  # (136, 1, 189, 157)
    brain = foreground.stripped(images.swapaxes(0, 1))  # (P, 189, 157)
    window = WINDOW if route == "pictures" else mr_window("flair", images[:, 0], brain, path)
    # an accepted mask belongs to the brain, even where FLAIR is black; build_case refuses the others
    if (stroke & ~brain).sum() <= OUTSIDE * stroke.sum():
        brain |= stroke
    return build_case(files, volumes, images, stroke, brain, [window], plane)


def check_commit(folder: Path, seen: int = SEEN, digest: str = DIGEST) -> None:
    """Compare the files of a downloaded folder with those seen, of 937 of the 1,449 subjects.

    An archive that is packed anew for every download has no stable sum of its own; its contents have.
    """
    found = hashlib.sha256()
    with suppress(OSError):  # a file that is missing
        for n in range(seen.bit_length()):
            for name in (f"PNG/rsub-{n}_lesion.nii.png", f"NIfTI/bwsrsub-{n}_lesion.nii.gz"):
                if seen >> n & 1:
                    found.update(bytes.fromhex(sha256(folder / name)))
    if found.hexdigest() != digest:
        raise BadInput(folder, "does not hold the files of the pinned commit", "download it again")


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
    find=partial(find, recognise=recognise, mask="mask"),
    load=load,
    download=partial(
        download,
        "https://codeload.github.com",
        f"neurolabusc/StrokeOutcomeOptimizationProjectDemo/zip/{COMMIT}",
        check=check_commit,
    ),
    option=("route", ("auto", "pictures", "volumes"), "take pictures or whole volumes"),
)
