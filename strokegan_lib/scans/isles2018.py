"""ISLES 2018: CT and CT perfusion maps of acute stroke, in slabs of a few planes.

A second slab of a patient directly follows the first, and no file says so: a split must know it.
"""

import re
from functools import partial
from pathlib import Path

import numpy as np

from strokegan_lib.data import foreground
from strokegan_lib.data.windows import Window
from strokegan_lib.errors import BadInput
from strokegan_lib.scans.cases import Case, CaseFiles, Source, build_case
from strokegan_lib.scans.formats import SKIP
from strokegan_lib.scans.layout import Name, case_folder, find
from strokegan_lib.scans.volumes import check_same_grid, read_mask, read_volume

CASES = 94  # training cases
SECOND_SLABS = {  # training cases that are the second slab of the case before
    *(2, 4, 6, 8, 19, 22, 24, 27, 29, 33, 35, 37, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 63, 65, 67),
    *(69, 71, 73, 76, 79),
}
FILE = re.compile(  # an early release named the maps MR_...
    r"\w+\.brain.*\.(?:(?:ct|mr)_)?(cbf|cbv|mtt|tmax|ct|ot)\.(?:.+\.)?nii(?:\.gz)?$", re.IGNORECASE
)
TOPS = {"ct": 100.0, "cbf": 1000.0, "cbv": 100.0, "mtt": 20.0, "tmax": 20.0}  # of display, used in practice


def patient_of(number: int) -> str:
    """The patient of a training case: the number of the patient's first slab."""
    return f"isles2018-p{number - (number in SECOND_SLABS):02d}"


def recognise(path: Path) -> Name | None:
    """The folder names the case; test cases, which have no label, are of no interest."""
    match = FILE.match(path.name)
    if not match:
        return None
    folder = case_folder(path, r"case_\d+")
    if folder.parent.name.lower() in ("test", "testing"):
        return None
    number = int(folder.name.rpartition("_")[2])
    if not 1 <= number <= CASES:
        what = f"is not one of the {CASES} training cases, so its patient is unknown"
        raise BadInput(folder, what, f"remove it, {SKIP}")
    return Name(patient_of(number), f"case_{number}", match[1].lower())


def load(files: CaseFiles, modalities: tuple[str, ...] = tuple(TOPS)) -> Case:
    """Read a slab; the foreground is the brain on its CT, whatever the modalities."""
    ct, mask = read_volume(files.image("ct")), read_mask(files.mask)
    volumes = [ct if modality == "ct" else read_volume(files.image(modality)) for modality in modalities]
    for volume in (mask, *volumes):
        check_same_grid(ct, volume)
    images = np.stack([volume.planes() for volume in volumes], axis=1)  # (P, C, H, W)
    brain = foreground.brain_ct(ct.planes(), ct.spacing[::-1])  # (P, H, W)
    windows = [Window(m, 0.0, TOPS[m], "fixed: the top of display used in practice") for m in modalities]
    return build_case(files, [ct, mask, *volumes], images, mask.planes() > 0, brain, windows)


SOURCE = Source(
    name="isles2018",
    title="ISLES 2018 (ischemic stroke lesion segmentation, CT perfusion)",
    channels=tuple(TOPS),
    licence="for registered users of the SICAS Medical Image Repository, under the terms of the challenge; do not pass on",
    citation="Hakim A, Christensen S, Winzeck S, et al. Predicting infarct core from computed tomography perfusion in "
    "acute ischemia with machine learning: lessons from the ISLES challenge. Stroke 2021; 52:2328-2337.",
    how_to_get="Register at the SICAS Medical Image Repository (www.smir.ch), ask for ISLES 2018, unpack TRAINING and "
    "give --source the folder that holds it.",
    limits=(
        "Slabs of 2 to 22 planes, not whole heads.",
        "The 94 training cases come from 63 patients; second slabs are grouped with the first.",
        "Lesions were drawn on diffusion MR taken within hours of the CT, not on the CT.",
    ),
    foreground_rule=foreground.BRAIN_CT,
    find=partial(find, recognise=recognise, mask="ot"),
    load=load,
)
