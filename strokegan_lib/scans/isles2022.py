"""ISLES 2022: diffusion MR (DWI, ADC) and FLAIR of acute and subacute stroke, 250 patients."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from strokegan_lib.data import foreground
from strokegan_lib.scans.cases import Case, CaseFiles, Source, build_case, mr_window
from strokegan_lib.scans.download import download
from strokegan_lib.scans.layout import Name, find
from strokegan_lib.scans.volumes import Volume, check_same_grid, read_mask, read_volume

CHANNELS = ("dwi", "adc", "flair")
FILE = re.compile(  # BIDS allows more pairs such as run-1 or acq-b1000 in between
    r"sub-strokecase(\d+)_ses-(\w+?)_(?:[\w-]+_)?(dwi|adc|flair|msk)\.nii(?:\.gz)?$", re.IGNORECASE
)


def recognise(path: Path) -> Name | None:
    """The folders differ between the two layouts, the names of files do not."""
    match = FILE.match(path.name)
    if not match:
        return None
    patient, session, kind = match.groups()
    return Name(f"isles2022-{patient}", f"sub-strokecase{patient}_ses-{session}", kind.lower())


def load(files: CaseFiles, modalities: tuple[str, ...] = CHANNELS) -> Case:
    """Read a case on the grid of its DWI, on which the lesions were drawn."""
    dwi, mask = read_volume(files.image("dwi")), read_mask(files.mask)
    volumes = [dwi if modality == "dwi" else read_volume(files.image(modality)) for modality in modalities]
    if "flair" in modalities:
        i = modalities.index("flair")
        volumes[i] = resample_onto(volumes[i], dwi)
    for volume in (mask, *volumes):
        check_same_grid(dwi, volume)
    images = np.stack([volume.planes() for volume in volumes], axis=1)  # (P, C, H, W)
    head = foreground.head(dwi.planes(), dwi.spacing[::-1])  # (P, H, W)
    windows = [mr_window(m, images[:, i], head, files.image(m)) for i, m in enumerate(modalities)]
    return build_case(files, [dwi, mask, *volumes], images, mask.planes() > 0, head, windows)


def resample_onto(volume: Volume, grid: Volume) -> Volume:
    """Bring a volume onto another's voxels by the two affines; 0 outside its field of view."""
    from scipy.ndimage import affine_transform, gaussian_filter

    onto = np.linalg.inv(volume.affine) @ grid.affine  # voxels of grid -> voxels of volume
    step = np.linalg.norm(onto[:3, :3], axis=1)  # old voxels that a new one spans, per old axis
    # larger voxels need a smoother image, or fine detail would come out as false pattern
    smooth = gaussian_filter(volume.data, np.where(step > 1, step / 2.355, 0))  # half as high at half a voxel
    # 0 lies beyond the outermost voxels, not at them: rounding may put the same place a hair outside
    how = {"order": 1, "mode": "grid-constant", "cval": 0.0}
    data = affine_transform(smooth, onto[:3, :3], onto[:3, 3], grid.data.shape, **how)
    return replace(volume, data=data, affine=grid.affine)


SOURCE = Source(
    name="isles2022",
    title="ISLES 2022 (ischemic stroke lesion segmentation, multi-centre MR)",
    channels=CHANNELS,
    licence="data CC BY-SA 4.0: name the authors, share what you derive under the same terms",
    citation="Hernandez Petzsche MR, de la Rosa E, Hanning U, et al. ISLES 2022: a multi-center magnetic resonance "
    "imaging stroke lesion segmentation dataset. Scientific Data 2022; 9:762.",
    how_to_get="No registration: run with --download (1.7 GB), or fetch ISLES-2022.zip from Zenodo record 7153326, "
    "unpack it and give --source its folder.",
    limits=(
        "Planes follow the DWI's own axes, which are tilted against the room in many cases.",
        "FLAIR is resampled onto the DWI by the affines alone: a patient who moved in between is not corrected.",
        "Grids differ between cases, from 2 mm cubes to planes of 5 mm and more.",
    ),
    foreground_rule=foreground.HEAD + "; on the DWI",
    find=partial(find, recognise=recognise, mask="msk"),
    load=load,
    download=partial(
        download,
        "https://zenodo.org",
        "records/7153326/files/ISLES-2022.zip?download=1",
        known_hash="md5:302ee280373cdd5c190ab763d72a7a50",
    ),
)
