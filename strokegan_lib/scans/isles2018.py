"""ISLES 2018: CT and CT perfusion maps of acute stroke, in slabs of a few planes.

A second slab of the same patient directly follows the first in the numbering. Nothing in
the files says so; a split that does not know it has one patient on both sides.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from strokegan_lib.data import foreground
from strokegan_lib.data.windows import Window
from strokegan_lib.errors import BadInput
from strokegan_lib.scans.cases import SKIP, Case, CaseFiles, Found, Source, build_case
from strokegan_lib.scans.layout import collect
from strokegan_lib.scans.volumes import check_same_grid, read_mask, read_volume

CASES = 94  # training cases
# training cases that are the second slab of the case before
SECOND_SLABS = {
    *(2, 4, 6, 8, 19, 22, 24, 27, 29, 33, 35, 37, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 63, 65, 67),
    *(69, 71, 73, 76, 79),
}
# tops of display used in practice
TOPS = {"ct": 100.0, "cbf": 1000.0, "cbv": 100.0, "mtt": 20.0, "tmax": 20.0}


def patient_of(number: int) -> str:
    """The patient of a training case: the number of the patient's first slab."""
    return f"isles2018-p{number - (number in SECOND_SLABS):02d}"


def find(folder: Path) -> Found:
    """List the training cases below a folder; test cases, which have no label, are counted.

    Raises:
        BadInput: see :func:`~strokegan_lib.scans.layout.collect`, or only test cases.
    """
    cases, bad = collect(folder, "ISLES 2018")
    found = Found(bad=bad)
    test = sum(is_test for is_test, *_ in cases)
    if test:
        found.notes["test cases without a label"] = test
    seen = set()
    for (is_test, number, case_folder), files in cases.items():
        if is_test:
            continue
        if not 1 <= number <= CASES:
            what = f"is not one of the {CASES} training cases, so its patient is unknown"
            found.bad.append(BadInput(case_folder, what, f"remove it, {SKIP}"))
        elif number in seen:
            found.bad.append(BadInput(case_folder, f"is a second case_{number}", f"remove the copy, {SKIP}"))
        else:
            found.add(patient_of(number), f"case_{number}", files, mask="ot")
            seen.add(number)
    if not found.cases and not found.bad:
        raise BadInput(
            folder, "holds only test cases, which have no label", "give the folder that holds TRAINING"
        )
    return found


def load(files: CaseFiles, modalities: tuple[str, ...] = tuple(TOPS)) -> Case:
    """Read a slab. The foreground is the brain on its CT, whatever the modalities.

    Raises:
        BadInput: a file is missing or unusable.
    """
    ct = read_volume(files.image("ct"))
    mask = read_mask(files.mask)
    volumes = [ct if modality == "ct" else read_volume(files.image(modality)) for modality in modalities]
    for volume in (mask, *volumes):
        check_same_grid(ct, volume)
    x, y, z = ct.spacing
    return build_case(
        files,
        [ct, mask, *volumes],
        np.stack([volume.planes() for volume in volumes], axis=1),  # (P, C, H, W)
        mask.planes() > 0,
        foreground.brain_ct(ct.planes(), (z, y, x)),
        [Window(m, 0.0, TOPS[m], "fixed: the top of display used in practice") for m in modalities],
    )


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
    find=find,
    load=load,
)
