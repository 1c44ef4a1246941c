"""Less to learn from: training patients are taken away, validation and test patients never.

Which patients stay is decided by a hash of their names, as the split is, but by another
hash: the patients that stay are no particular corner of the split.
"""

from __future__ import annotations

import hashlib
import os

import numpy as np

from strokegan_lib.balance.derived import about_derived, copy_slices, origin
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import SliceSetWriter
from strokegan_lib.errors import BadInput


def thin_patients(
    slices: SliceSet, out: str | os.PathLike, fraction: float, *, name: str, made_by: str,
    fold: int | None = None,
) -> SliceSet:  # fmt: skip
    """Keep a fraction of the training patients, with and without stroke. Used in notebook 08.

    The validation part stays whole. It only chooses the threshold, for every arm of a
    comparison alike; a tenth of it would choose by a handful of lesions.

    Args:
        slices: the set to thin; it is only read.
        out: the SliceSet to make.
        fraction: of the training patients, 0..1, rounded to whole patients.
        name, made_by: for the card.
        fold: as in ``SliceSet.of_split``.

    Raises:
        BadInput: no patient with stroke or none without would stay, or *out* is unusable.
    """
    names, strokes, sizes = training_patients(slices, fold)
    n = round(fraction * len(names))
    if not strokes[:n].any() or (strokes[:n] == sizes[:n]).all():
        what = f"keeps {n} training patients, too few to show both kinds of slices"
        raise BadInput(slices.folder, what, "choose a larger fraction, or a data set with more patients")
    rule = f"{fraction:.0%} of the training patients kept, with and without stroke as they come"
    return keep_patients(slices, out, names[:n], rule, name=name, made_by=made_by, fold=fold)


def training_patients(slices: SliceSet, fold: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training patients in the order in which they stay, slices with stroke and slices of each, (P,) each."""
    rows = slices.of_split("train", fold)
    names, which = np.unique(slices.table["patient"][rows], return_inverse=True)
    strokes = np.bincount(which, slices.table["has_stroke"][rows], len(names))
    order = np.argsort([hashlib.sha256(f"thin {name}".encode()).hexdigest() for name in names])
    return names[order], strokes[order], np.bincount(which, minlength=len(names))[order]


def keep_patients(
    slices: SliceSet, out: str | os.PathLike, stay: np.ndarray, rule: str, *, name: str, made_by: str,
    fold: int | None,
) -> SliceSet:  # fmt: skip
    """Write a set without the training patients that are not named in *stay*; *rule* says why, for the card."""
    patient, has_stroke = slices.table["patient"], slices.table["has_stroke"]
    before = slices.of_split("train", fold)
    after = before[np.isin(patient[before], stay)]
    lost = np.setdiff1d(before, after)
    with SliceSetWriter(out, about_derived(slices, name, made_by)) as writer:
        copy_slices(writer, slices, np.setdiff1d(np.arange(len(slices)), lost))
        writer.card["made_from"] = origin(slices)
        writer.card["thinned"] = {
            "rule": rule + "; by a hash of the patient's name; validation and test patients all stay",
            "training_patients": [len(np.unique(patient[rows])) for rows in (before, after)],
            "training_slices": [len(before), len(after)],
            "training_slices_with_stroke": [int(has_stroke[rows].sum()) for rows in (before, after)],
        }
    return SliceSet.open(out, verify=False)
