"""The default data set: phantom patients as one SliceSet; 18.4 % of 13,200 slices show a stroke, as in the paper."""

import os
import sys
from dataclasses import asdict, replace
from functools import partial

import numpy as np
from tqdm import tqdm

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import in_order, one_thread_each
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.phantom.anatomy import tissues
from strokegan_lib.phantom.epidemiology import compare_with_soop
from strokegan_lib.phantom.patient import BOTTOM, PIXEL, TOP, make_patient, plane_heights
from strokegan_lib.phantom.scanner import WINDOW
from strokegan_lib.phantom.territories import territories

PHANTOM_VERSION = 2  # raise it when the same seed gives other pictures
PATIENTS, PLANES = 440, 30  # the paper's 13,200 slices

LIMITS = (
    "Synthetic: grown on one average anatomy (MNI152), so every brain is a distortion of the same one.",
    "Lesions follow published statistics of volume and territory, not the physics of a stroke.",
    "The reader's outline is exact here; a real one is not.",
    "For teaching and testing only, never for clinical use.",
)


def make_phantom_set(
    out: str | os.PathLike,
    *,
    patients: int = PATIENTS,
    slices_per_patient: int = PLANES,
    contrast: str = "flair",
    seed: int = 0,
    workers: int = 1,
    progress: bool = True,
) -> SliceSet:
    """Make phantom patients and write them as a SliceSet; BadInput where *out* exists or cannot be written.

    Args:
        patients: how many; patient k is the same whatever their number.
        slices_per_patient: planes, equally spaced from brain stem to vertex.
        contrast: 'flair' or 'dwi'.
        workers: threads; the files are the same for any number.
    """
    planes = slices_per_patient
    options = f"--patients {patients} --slices-per-patient {planes} --contrast {contrast} --seed {seed}"
    about = About(
        name=f"phantom-{contrast}",
        source="phantom grown on the MNI152 tissue maps of nilearn",
        licence="CC BY 4.0; MNI152 maps: ICBM licence, see nilearn",
        citation="Anatomy: Fonov et al., NeuroImage 54 (2011) 313; lesion statistics: Absher et al., Scientific Data 11 (2024) 839",
        channels=(contrast,),
        made_by=f"python data_scripts/make_phantom.py {options}",
        windows=(asdict(replace(WINDOW, channel=contrast)),),
        limits=LIMITS,
    )
    z, facts = plane_heights(planes), []
    make = partial(make_patient, seed=seed, contrast=contrast, z=z)
    with SliceSetWriter(out, about) as writer, one_thread_each():
        tissues(), territories()  # made once here, not once by every thread at the same time
        made = in_order(make, range(patients), workers)
        bar = tqdm(made, "phantom patients", patients, file=sys.stdout, disable=None if progress else True)
        for patient in bar:
            images = WINDOW.to_bytes(patient.images, patient.foreground)[:, None]  # (P, 1, 128, 128)
            writer.add(
                images, patient.stroke, patient.foreground,
                patient=patient.name, case=f"{patient.name}-{contrast}", plane=np.arange(planes), z=z,
                spacing=(PIXEL, PIXEL, (TOP - BOTTOM) / planes), source=about.name,
            )  # fmt: skip
            facts.append(patient.facts())
        writer.card = {
            "phantom_version": PHANTOM_VERSION,
            "seed": seed,
            "compared_with_soop": compare_with_soop(facts),
            "phantom_patients": facts,
        }
    return SliceSet.open(out, verify=False)
