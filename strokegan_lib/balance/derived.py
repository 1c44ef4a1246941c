"""A SliceSet made from another one: all of its slices and more, or fewer training patients.

Validation and test patients always stay. Which training patients stay is decided by a hash of their
names, as the split is, but by another hash: they are no particular corner of the split.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

import numpy as np

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.errors import BadInput

SPACING = ("row_spacing", "column_spacing", "thickness")


@contextmanager
def derived_set(
    slices: SliceSet, out: str | os.PathLike, rows: np.ndarray, *, name: str, made_by: str, limits: tuple = ()
) -> Iterator[SliceSetWriter]:
    """Write the slices *rows*, (n,) int, of a set as they are; more can be added to the writer.

    Its card is that of *slices* but for *name* and *made_by*, with further *limits*.
    """
    kept = {field.name: slices.card[field.name] for field in fields(About) if field.name in slices.card}
    about = About(**kept | {"name": name, "made_by": made_by, "limits": (*kept["limits"], *limits)})

    with SliceSetWriter(out, about) as writer:
        for row in rows:
            add_like(writer, slices, row)
        writer.card["made_from"] = {"name": slices.card["name"], "sha256": slices.card["sha256"]}
        yield writer


def add_like(writer: SliceSetWriter, slices: SliceSet, row: int, **changed) -> None:
    """Append the slice *row*, but for what is *changed* among the arguments of ``writer.add``."""
    given = {name: getattr(slices, name)[[row]] for name in ("images", "stroke", "foreground")}
    given |= {name: slices.table[name][[row]] for name in ("plane", "z")}
    given |= {name: slices.table[name][row] for name in ("patient", "case", "source", "synthetic")}
    given |= {"spacing": [slices.table[name][row] for name in SPACING], **changed}
    writer.add(**given | {name: given[name] == 1 for name in ("stroke", "foreground")})


def thin_patients(
    slices: SliceSet, out: str | os.PathLike, fraction: float, *, name: str, made_by: str,
    fold: int | None = None,
) -> SliceSet:  # fmt: skip
    """Keep a fraction, 0..1, of the training patients, with and without stroke. Used in notebook 08.

    The validation part stays whole. It only chooses the threshold, for every arm of a
    comparison alike; a tenth of it would choose by a handful of lesions.
    BadInput where no patient with stroke or none without would stay, or *out* is unusable.
    """
    names, strokes, sizes = training_patients(slices, fold)
    n = round(fraction * len(names))
    if not strokes[:n].any() or (strokes[:n] == sizes[:n]).all():
        what = f"keeps {n} training patients, too few to show both kinds of slices"
        raise BadInput(slices.folder, what, "choose a larger fraction, or a data set with more patients")
    rule = f"{fraction:.0%} of the training patients kept, with and without stroke as they come"
    return keep_patients(slices, out, names[:n], rule, fold, name=name, made_by=made_by)


def training_patients(slices: SliceSet, fold: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training patients in the order in which they stay, slices with stroke and slices of each, (P,) each."""
    rows = slices.of_split("train", fold)
    names, which = np.unique(slices.table["patient"][rows], return_inverse=True)
    strokes = np.bincount(which, slices.table["has_stroke"][rows], len(names))
    order = np.argsort([hashlib.sha256(f"thin {name}".encode()).hexdigest() for name in names])
    return names[order], strokes[order], np.bincount(which, minlength=len(names))[order]


def keep_patients(
    slices: SliceSet, out: str | os.PathLike, stay: np.ndarray, rule: str, fold: int | None, **named: str
) -> SliceSet:
    """Write a set without the training patients that are not in *stay*; *rule* says why; *named* as derived_set."""
    patient, has_stroke = slices.table["patient"], slices.table["has_stroke"]
    before = slices.of_split("train", fold)
    after = before[np.isin(patient[before], stay)]
    rows = np.setdiff1d(np.arange(len(slices)), np.setdiff1d(before, after))
    with derived_set(slices, out, rows, **named) as writer:
        writer.card["thinned"] = {
            "rule": rule + "; by a hash of the patient's name; validation and test patients all stay",
            "training_patients": [len(np.unique(patient[rows])) for rows in (before, after)],
            "training_slices": [len(before), len(after)],
            "training_slices_with_stroke": [int(has_stroke[rows].sum()) for rows in (before, after)],
        }
    return SliceSet.open(out, verify=False)
