"""BRATS 2015: brain tumours on four MR sequences, the paper's proposal beside ISLES 2018."""

import re
from functools import partial
from pathlib import Path

import numpy as np

from strokegan_lib.data import foreground
from strokegan_lib.scans.cases import Case, CaseFiles, Source, build_case, mr_window
from strokegan_lib.scans.layout import Name, case_folder, find
from strokegan_lib.scans.volumes import check_same_grid, read_mask, read_volume

CHANNELS = ("flair", "t1", "t1c", "t2")
LABELS = (0, 1, 2, 3, 4)  # other, necrosis, oedema, non-enhancing, enhancing
FILE = re.compile(r"\w+\.brain.*\.(?:mr_)?(flair|t1c|t1|t2|ot)\.(?:.+\.)?(?:mha|nii|nii\.gz)$", re.IGNORECASE)
REGIONS = {"whole": (1, 2, 3, 4), "core": (1, 3, 4), "enhancing": (4,)}  # of the tumour, and their labels


def recognise(path: Path) -> Name | None:
    """The patient is named by the folder alone.

    Low and high grade number their patients apart, yet some numbers occur in both; such
    cases count as one patient, which can waste a case in a split but never leak one.
    """
    match = FILE.match(path.name)
    if not match:
        return None
    folder = case_folder(path, r"brats_(2013|tcia)_pat\d+_\d+")
    _, part, patient, _ = folder.name.lower().split("_")
    grade = next((f"{p.name.upper()}-" for p in folder.parents if p.name.upper() in ("HGG", "LGG")), "")
    return Name(f"brats2015-{part}-{patient[3:]}", grade + folder.name.lower(), match[1].lower())


def load(files: CaseFiles, modalities: tuple[str, ...] = CHANNELS, region: str = "whole") -> Case:
    """Read a case; *region* is one of REGIONS."""
    mask = read_mask(files.mask, LABELS)
    volumes = [read_volume(files.image(modality)) for modality in modalities]
    for volume in volumes:
        check_same_grid(volume, mask)
    images = np.stack([volume.planes() for volume in volumes], axis=1)  # (P, C, H, W)
    brain = foreground.stripped(images.swapaxes(0, 1))  # (P, H, W)
    windows = [mr_window(m, images[:, i], brain, files.image(m)) for i, m in enumerate(modalities)]
    tumour = np.isin(mask.planes(), REGIONS[region])
    return build_case(files, [mask, *volumes], images, tumour, brain, windows)


SOURCE = Source(
    name="brats2015",
    title="BRATS 2015 (brain tumour segmentation)",
    channels=CHANNELS,
    licence="for registered users, under the terms of the challenge (images derived from BRATS 2012-2013 and TCIA); "
    "do not pass on",
    citation="Menze BH, Jakab A, Bauer S, et al. The multimodal brain tumor image segmentation benchmark (BRATS). "
    "IEEE Transactions on Medical Imaging 2015; 34:1993-2024.",
    how_to_get="Register at the SICAS Medical Image Repository (www.smir.ch), ask for BRATS 2015, unpack "
    "BRATS2015_Training and give --source its folder.",
    limits=(
        "Tumours, not strokes: the column has_stroke says tumour here.",
        "Resampled to 1 mm and skull-stripped by the challenge; heights are those of its grid.",
        "In the tcia part most labels were made by algorithms and then approved by readers.",
    ),
    foreground_rule=foreground.STRIPPED,
    find=partial(find, recognise=recognise, mask="ot"),
    load=load,
    option=("region", tuple(REGIONS), "part of the tumour to mark"),
)
