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

PAPER_SHARE = 0.1838  # of the paper's 13,200 slices show a stroke


def thin_lesions(
    slices: SliceSet,
    out: str | os.PathLike,
    share: float = PAPER_SHARE,
    *,
    name: str,
    made_by: str,
    fold: int | None = None,
) -> SliceSet:
    """Take patients with stroke out of the training part until *share* of its slices show stroke.

    Args:
        slices: the set to thin; it is only read.
        out: the SliceSet to make.
        share: wanted share of slices with stroke, 0..1; the nearest that whole patients allow.
        name, made_by: for the card.
        fold: as in ``SliceSet.of_split``.

    Raises:
        BadInput: the training part shows less stroke than that already, or *out* is unusable.
    """
    rows, names, strokes, sizes = _training(slices, fold)
    with_stroke = strokes > 0
    before = strokes.sum() / sizes.sum()
    if not 0 < share < before:
        raise BadInput(
            slices.folder, f"shows stroke in {before:.2%} of its training slices, so {share:.2%} is out of reach",
            "choose a share between 0 and that",
        )  # fmt: skip
    order = np.flatnonzero(with_stroke)[np.argsort([_rank(names[i]) for i in np.flatnonzero(with_stroke)])]
    reached = np.cumsum(strokes[order]) / (sizes[~with_stroke].sum() + np.cumsum(sizes[order]))
    stay = order[: 1 + int(np.abs(reached - share).argmin())]
    kept = {names[i] for i in np.concatenate([np.flatnonzero(~with_stroke), stay])}
    rule = f"patients with stroke taken out until {share:.2%} of the training slices show stroke"
    return _write(slices, out, rows, kept, name, made_by, rule)


def thin_patients(
    slices: SliceSet,
    out: str | os.PathLike,
    fraction: float,
    *,
    name: str,
    made_by: str,
    fold: int | None = None,
) -> SliceSet:
    """Keep a fraction of the training patients, whatever they show.

    The validation part stays whole. It only chooses the threshold, for every arm of a
    comparison alike; a tenth of it would choose by a handful of lesions.

    Args:
        slices, out, name, made_by, fold: as in :func:`thin_lesions`.
        fraction: of the training patients, 0..1, rounded to whole patients.

    Raises:
        BadInput: no patient with stroke or none without would stay, or *out* is unusable.
    """
    rows, names, strokes, sizes = _training(slices, fold)
    order = np.argsort([_rank(name) for name in names])[: round(fraction * len(names))]
    if not strokes[order].any() or (strokes[order] == sizes[order]).all():
        raise BadInput(
            slices.folder, f"keeps {len(order)} training patients, too few to show both kinds of slices",
            "choose a larger fraction, or a data set with more patients",
        )  # fmt: skip
    rule = f"{fraction:.0%} of the training patients kept, with and without stroke as they come"
    return _write(slices, out, rows, {names[i] for i in order}, name, made_by, rule)


def _training(slices: SliceSet, fold: int | None) -> tuple[np.ndarray, list[str], np.ndarray, np.ndarray]:
    """Training rows (n,), their patients (P,), slices with stroke (P,) and slices (P,) of each."""
    rows = slices.of_split("train", fold)
    names, which = np.unique(slices.table["patient"][rows], return_inverse=True)
    strokes = np.bincount(which, slices.table["has_stroke"][rows], len(names))
    return rows, names.tolist(), strokes, np.bincount(which, minlength=len(names))


def _rank(patient: str) -> str:
    return hashlib.sha256(f"thin {patient}".encode()).hexdigest()


def _write(
    slices: SliceSet,
    out: str | os.PathLike,
    training: np.ndarray,
    kept: set[str],
    name: str,
    made_by: str,
    rule: str,
) -> SliceSet:
    patient = slices.table["patient"]
    stays = np.ones(len(slices), bool)
    stays[training] = [p in kept for p in patient[training].tolist()]
    after = training[stays[training]]
    with SliceSetWriter(out, about_derived(slices, name, made_by)) as writer:
        copy_slices(writer, slices, np.flatnonzero(stays))
        writer.card["made_from"] = origin(slices)
        writer.card["thinned"] = {
            "rule": rule + "; by a hash of the patient's name; validation and test patients all stay",
            "training_patients": [len(set(patient[rows].tolist())) for rows in (training, after)],
            "training_slices": [len(training), len(after)],
            "training_slices_with_stroke": [
                int(slices.table["has_stroke"][r].sum()) for r in (training, after)
            ],
        }
    return SliceSet.open(out, verify=False)
