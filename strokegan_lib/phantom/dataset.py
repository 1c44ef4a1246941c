"""The default data set: many phantom patients as one SliceSet, with the paper's numbers.

440 patients x 30 planes = 13,200 slices, of which about 18.38 % show a stroke.
"""

from __future__ import annotations

import os
import sys
from functools import partial

import numpy as np
from tqdm import tqdm

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import in_order, one_thread_each
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.errors import BadInput
from strokegan_lib.phantom.anatomy import tissues
from strokegan_lib.phantom.card import compare_with_soop, facts_of
from strokegan_lib.phantom.phantom import (
    BOTTOM,
    CONTRASTS,
    PIXEL,
    TOP,
    WINDOW,
    make_patient,
    plane_heights,
)
from strokegan_lib.phantom.territories import territories

PHANTOM_VERSION = 2  # raise it when the same seed gives other pictures
Slices = tuple[np.ndarray, np.ndarray, np.ndarray]
PAPER = {"patients": 440, "slices_per_patient": 30}

LIMITS = (
    "Synthetic: grown on one average anatomy (MNI152), so every brain is a distortion of the same one.",
    "Lesions follow published statistics of volume and territory, not the physics of a stroke.",
    "The reader's outline is exact here; a real one is not.",
    "For teaching and testing only, never for clinical use.",
)


def make_phantom_set(
    out: str | os.PathLike,
    *,
    patients: int = PAPER["patients"],
    slices_per_patient: int = PAPER["slices_per_patient"],
    contrast: str = "flair",
    seed: int = 0,
    workers: int = 1,
    progress: bool = True,
) -> SliceSet:
    """Make phantom patients and write them as a SliceSet.

    Args:
        out: the folder to make.
        patients: how many; patient k is the same whatever their number.
        slices_per_patient: planes, equally spaced from brain stem to vertex.
        contrast: 'flair' or 'dwi'.
        seed: seed of the set.
        workers: threads; the files are the same for any number.
        progress: show a progress bar on stdout.

    Raises:
        BadInput: an option out of range, or *out* exists or cannot be written.
    """
    _check(patients, slices_per_patient, contrast, seed, workers)
    options = (
        f"--patients {patients} --slices-per-patient {slices_per_patient} --contrast {contrast} --seed {seed}"
    )
    about = About(
        name=f"phantom-{contrast}",
        source="phantom grown on the MNI152 tissue maps of nilearn",
        licence="CC BY 4.0; MNI152 maps: ICBM licence, see nilearn",
        citation="Anatomy: Fonov et al., NeuroImage 54 (2011) 313; lesion statistics: Absher et al., Scientific Data 11 (2024) 839",
        channels=(contrast,),
        made_by=f"python data_scripts/make_phantom.py {options}",
        windows=({**WINDOW.as_dict(), "channel": contrast},),
        limits=LIMITS,
    )
    spacing = (PIXEL, PIXEL, (TOP - BOTTOM) / slices_per_patient)
    facts = []
    one = partial(_make_one, planes=slices_per_patient, contrast=contrast, seed=seed)
    with SliceSetWriter(out, about) as writer, one_thread_each():
        tissues(), territories()  # made once here, not once by every thread at the same time
        made = in_order(one, list(range(patients)), workers)
        bar = tqdm(made, "phantom patients", patients, file=sys.stdout, disable=None if progress else True)
        for fact, (images, stroke, foreground) in bar:
            writer.add(
                images,
                stroke,
                foreground,
                patient=fact["patient"],
                case=f"{fact['patient']}-{contrast}",
                plane=np.arange(slices_per_patient),
                z=plane_heights(slices_per_patient),
                spacing=spacing,
                source=about.name,
            )
            facts.append(fact)
        writer.card["phantom_version"] = PHANTOM_VERSION
        writer.card["seed"] = seed
        writer.card["compared_with_soop"] = compare_with_soop(facts)
        writer.card["phantom_patients"] = facts
    return SliceSet.open(out, verify=False)


def _check(patients: int, planes: int, contrast: str, seed: int, workers: int) -> None:
    for name, value, least, most in (
        ("--patients", patients, 1, 100_000),
        ("--slices-per-patient", planes, 1, 126),
        ("--seed", seed, 0, 2**32 - 1),
        ("--workers", workers, 1, 256),
    ):
        if not least <= value <= most:
            raise BadInput(name, f"is {value}", f"give a whole number from {least} to {most}")
    if contrast not in CONTRASTS:
        raise BadInput("--contrast", f"is {contrast!r}", f"choose from {', '.join(CONTRASTS)}")


def _make_one(number: int, planes: int, contrast: str, seed: int) -> tuple[dict, Slices]:
    patient = make_patient(number, seed=seed, contrast=contrast, z=plane_heights(planes))
    images = WINDOW.to_bytes(patient.images, patient.foreground)[:, None]  # (P, 1, 128, 128)
    return facts_of(patient), (images, patient.stroke, patient.foreground)
