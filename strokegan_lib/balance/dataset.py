"""A data set in which a chosen share of the training slices shows stroke, by synthetic slices.

Each synthetic slice starts from a training slice, its *background*, and the stroke of another
one, its *donor*; an augmenter makes the picture: a generator, or CarveMix. A synthetic slice
carries the background's patient, so it lies in the training part as well, and
``provenance.csv`` beside the arrays says what it was made from. Taught in notebook 08.
"""

from __future__ import annotations

import csv
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from tqdm import tqdm

from strokegan_lib.balance.derived import about_derived, copy_slices, origin
from strokegan_lib.data.sampling import ShuffledIndices
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import in_order, one_thread_each
from strokegan_lib.data.writer import SliceSetWriter
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256

PROVENANCE = "provenance.csv"
COLUMNS = ("index", "background", "background_patient", "donor", "donor_patient", "detail")
BACKGROUNDS = 20  # tried for one slice, each with several donors, before giving up
AT_ONCE = 16  # pictures made at once; fixed, so that the bytes depend on no machine
LIMIT = "Holds slices made by a network or by pasting (column synthetic): scans of nobody."


@dataclass(frozen=True)
class Plan:
    """One slice to be made.

    Attributes:
        background, donor: rows of the data set; donor -1 for a slice of no donor.
        stroke: (H, W) bool, the mask that it will have.
        image: (C, H, W) uint8 where the plan holds the picture already, else None.
        detail: what else decided it, in words.
    """

    background: int
    donor: int
    stroke: np.ndarray
    image: np.ndarray | None = None
    detail: str = ""


class Augmenter(ABC):
    """A way to make slices with stroke."""

    name: str

    @abstractmethod
    def plan(self, slices: SliceSet, background: int, rng: np.random.Generator) -> Plan | None:
        """A stroke for that background; None where none fits."""

    @abstractmethod
    def make(self, slices: SliceSet, plans: list[Plan]) -> np.ndarray:
        """The pictures, (n, C, H, W) uint8: 8..255 in the backgrounds' foreground, 0 elsewhere."""


def missing_strokes(with_stroke: int, total: int, ratio: float) -> int:
    """Slices with stroke to add to *total*, so that their share becomes *ratio* (0..1); not below 0."""
    return max(0, round((ratio * total - with_stroke) / (1 - ratio)))


def balance(
    slices: SliceSet,
    out: str | os.PathLike,
    ratio: float,
    augmenter: Augmenter,
    *,
    made_by: str,
    seed: int = 0,
    workers: int = 1,
    only_synthetic: bool = False,
    fold: int | None = None,
    card: dict | None = None,
    progress: bool = True,
) -> SliceSet:
    """Add slices with stroke to the training part until *ratio* of it shows stroke.

    Args:
        slices: the data set; it is only read.
        out: the SliceSet to make: all slices of *slices*, then the synthetic ones.
        ratio: share of the training slices that show stroke, 0..1 exclusive.
        augmenter: makes the pictures.
        made_by: the command, for the card.
        seed: the same seed makes the same bytes, for any number of *workers*.
        workers: threads that look for places.
        only_synthetic: leave the real training slices out, and make as many in their place;
            those without stroke are made from an empty mask.
        fold: as in ``SliceSet.of_split``.
        card: further entries of the card.

    Raises:
        BadInput: the training part shows as much stroke already, no slice of a kind that is
            needed, no place for a stroke, or *out* is unusable.
    """
    train = slices.of_split("train", fold)
    has_stroke = slices.table["has_stroke"][train] == 1
    ill, total = int(has_stroke.sum()), len(train)
    if only_synthetic:
        backgrounds, strokes = train, round(ratio * total)
        empties, kept = total - strokes, np.setdiff1d(np.arange(len(slices)), train)
        before = (0, 0)
    else:  # a real lesion beneath a synthetic one would stay unmarked
        backgrounds, strokes = train[~has_stroke], missing_strokes(ill, total, ratio)
        empties, kept = 0, np.arange(len(slices))
        before = (total, ill)
    more = "choose a data set with more patients"
    if not strokes:
        what = f"shows stroke in {has_stroke.mean():.2%} of its training slices already"
        raise BadInput(slices.folder, what, "give a higher --ratio")
    if not len(backgrounds):
        raise BadInput(slices.folder, "holds no training slice without stroke", more)
    count = strokes + empties
    order = ShuffledIndices(backgrounds, (seed, 0)).take(0, count)  # each background once before any twice

    def plan(number: int) -> Plan:
        background = int(order[number])
        if number >= strokes:
            return Plan(background, -1, np.zeros(slices.stroke.shape[1:], bool))
        rng = np.random.default_rng((seed, 1, number))
        for _ in range(BACKGROUNDS):
            if found := augmenter.plan(slices, background, rng):
                return found
            background = int(rng.choice(backgrounds))
        raise BadInput(slices.folder, "offers no place for a stroke", f"{more}, or other --pixels")

    about = about_derived(slices, slices.card["name"], made_by, LIMIT)
    with SliceSetWriter(out, about) as writer, one_thread_each():
        copy_slices(writer, slices, kept)
        plans = in_order(plan, range(count), workers)
        bar = tqdm(plans, augmenter.name, count, file=sys.stdout, disable=None if progress else True)
        with open(writer.partial / PROVENANCE, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            for some in _chunks(iter(bar)):
                images = augmenter.make(slices, some)
                table.writerows(_add(writer, slices, *one) for one in zip(some, images, strict=True))
        writer.card["made_from"] = origin(slices)
        writer.card["balanced"] = {
            "by": augmenter.name,
            "ratio_asked_for": ratio,
            "seed": seed,
            "only_synthetic": only_synthetic,
            "training_slices": [total, before[0] + count],
            "training_slices_with_stroke": [ill, before[1] + strokes],
            "synthetic": count,
            "provenance_sha256": sha256(writer.partial / PROVENANCE),
            **(card or {}),
        }
    return SliceSet.open(out, verify=False)


def provenance(slices: SliceSet) -> list[dict[str, str]]:
    """What each synthetic slice of a balanced set was made from: a row each, columns as in COLUMNS.

    ``background`` and ``donor`` are rows of the set that it was made from, named in the card.

    Raises:
        BadInput: the file is missing, or has changed since it was made.
    """
    path = slices.folder / PROVENANCE
    expected = slices.card.get("balanced", {}).get("provenance_sha256")
    if not path.is_file() or sha256(path) != expected:
        raise BadInput(path, "is missing or has changed since it was made", "make the data set again")
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _chunks(plans: Iterator[Plan]) -> Iterator[list[Plan]]:
    while some := list(islice(plans, AT_ONCE)):
        yield some


def _add(writer: SliceSetWriter, slices: SliceSet, made: Plan, image: np.ndarray) -> tuple:
    """Append one synthetic slice, and return its line of provenance."""
    row = made.background
    scan = {name: column[row].item() for name, column in slices.table.items()}
    writer.add(
        image[None],
        made.stroke[None],
        slices.foreground[row][None] == 1,
        patient=scan["patient"],
        case=scan["case"],
        plane=[scan["plane"]],
        z=[scan["z"]],
        spacing=(scan["row_spacing"], scan["column_spacing"], scan["thickness"]),
        source=scan["source"],
        synthetic=True,
    )
    donor = "" if made.donor < 0 else str(slices.table["patient"][made.donor])
    return (len(writer.rows) - 1, row, scan["patient"], made.donor, donor, made.detail)
