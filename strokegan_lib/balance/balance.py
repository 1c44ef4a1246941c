"""A data set in which a chosen share of the training slices shows stroke, by slices made for it.

Each made slice starts from a training slice, its *background*, and the stroke of another
one, its *donor*; whoever makes the picture (a network that paints, or CarveMix, which
pastes) is handed in. A made slice carries the background's patient, so it lies in the
training part as well, and ``provenance.csv`` beside the arrays says what it was made from.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from strokegan_lib.balance.carvemix import carve_and_mix, draw_margin, signed_distance
from strokegan_lib.balance.derived import about_derived, copy_slices, origin
from strokegan_lib.balance.transplant import NEAR, SMALLEST, STAYS, Transplanter
from strokegan_lib.data.sampling import ShuffledIndices
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import in_order, one_thread_each
from strokegan_lib.data.writer import SliceSetWriter
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256

PROVENANCE = "provenance.csv"
COLUMNS = ("index", "background", "background_patient", "donor", "donor_patient", "detail")
BACKGROUNDS = 20  # tried for one slice, each with several donors, before giving up
AT_ONCE = 16  # slices painted at once; fixed, so that the bytes depend on no machine


@dataclass(frozen=True)
class Plan:
    """One slice to be made.

    Attributes:
        background, donor: rows of the data set; donor -1 for a slice without stroke.
        stroke: (H, W) bool, the mask that it will have.
        image: (C, H, W) uint8 where the picture is at hand already, None where it is to be painted.
        detail: whatever else decided it, in words.
    """

    background: int
    donor: int
    stroke: np.ndarray
    image: np.ndarray | None = None
    detail: str = ""


class Maker(ABC):
    """A way to make slices with stroke."""

    name: str

    @abstractmethod
    def plan(self, slices: SliceSet, background: int, rng: np.random.Generator) -> Plan | None:
        """A stroke for that background; None where none fits."""

    @abstractmethod
    def paint(self, slices: SliceSet, plans: list[Plan]) -> np.ndarray:
        """The pictures, (n, C, H, W) uint8: 8..255 in the backgrounds' foreground, 0 elsewhere."""


class CarveMix(Maker):
    """Paste the donor's lesion, with the tissue around it, at its own place (see carvemix.py).

    Args:
        transplanter: knows the donors; its deformations are not used.
    """

    name = "carvemix"

    def __init__(self, transplanter: Transplanter) -> None:
        self.donors = transplanter

    def plan(self, slices: SliceSet, background: int, rng: np.random.Generator) -> Plan | None:
        away = np.abs(self.donors.z - slices.table["z"][background])
        donor = int(rng.choice(self.donors.donors[away <= max(NEAR, away.min())]))
        distance = signed_distance(slices.stroke[donor])
        margin = draw_margin(distance, rng)
        carved = int(((slices.stroke[donor] == 1) & (distance <= margin)).sum())
        image, stroke = carve_and_mix(
            slices.images[background], slices.stroke[background], slices.foreground[background],
            slices.images[donor], slices.stroke[donor], slices.foreground[donor], margin,
        )  # fmt: skip
        if int(stroke.sum()) < max(SMALLEST, STAYS * carved):
            return None
        return Plan(background, donor, stroke, image, f"margin {margin:.2f} px")

    def paint(self, slices: SliceSet, plans: list[Plan]) -> np.ndarray:
        return np.stack([plan.image for plan in plans])


def missing_strokes(with_stroke: int, total: int, ratio: float) -> int:
    """Slices with stroke to add to *total*, so that their share becomes *ratio* (0..1); not below 0."""
    return max(0, round((ratio * total - with_stroke) / (1 - ratio)))


def balance(
    slices: SliceSet,
    out: str | os.PathLike,
    ratio: float,
    maker: Maker,
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
        out: the SliceSet to make: all slices of *slices*, then those that were made.
        ratio: share of the training slices that show stroke, 0..1 exclusive.
        maker: makes the pictures.
        made_by: the command, for the card.
        seed: the same seed makes the same bytes, for any number of *workers*.
        workers: threads that look for places.
        only_synthetic: leave the real training slices out, and make as many in their place;
            those without stroke are painted from an empty mask.
        fold: as in ``SliceSet.of_split``.
        card: further entries of the card.

    Raises:
        BadInput: the training part shows as much stroke already, no slice of a kind that is
            needed, no place for a stroke, or *out* is unusable.
    """
    train = slices.of_split("train", fold)
    has_stroke = slices.table["has_stroke"][train] == 1
    free = train[~has_stroke]
    backgrounds = train if only_synthetic else free  # a real lesion beneath a painted one would stay unmarked
    strokes, empties = missing_strokes(int(has_stroke.sum()), len(train), ratio), 0
    if only_synthetic:
        strokes = round(ratio * len(train))
        empties = len(train) - strokes
    if not strokes:
        raise BadInput(
            slices.folder, f"shows stroke in {has_stroke.mean():.2%} of its training slices already",
            "give a higher --ratio",
        )  # fmt: skip
    if not len(backgrounds):
        raise BadInput(
            slices.folder, "holds no training slice without stroke", "choose a data set with more patients"
        )
    deck = ShuffledIndices(backgrounds, (seed, 0))

    def plan(number: int) -> Plan:
        background = int(deck_of[number])
        if number >= strokes:
            return Plan(background, -1, np.zeros(slices.stroke.shape[1:], bool))
        rng = np.random.default_rng((seed, 1, number))
        for _ in range(BACKGROUNDS):
            if found := maker.plan(slices, background, rng):
                return found
            background = int(rng.choice(backgrounds))
        raise BadInput(
            slices.folder, "offers no place for a stroke", "choose a data set with more patients, or other --pixels"
        )  # fmt: skip

    deck_of = deck.take(0, strokes + empties)  # every background once before any twice
    real = np.setdiff1d(np.arange(len(slices)), train) if only_synthetic else np.arange(len(slices))
    limit = "Holds slices made by a network or by pasting (column synthetic): scans of nobody."
    with (
        SliceSetWriter(out, about_derived(slices, slices.card["name"], made_by, limit)) as writer,
        one_thread_each(),
    ):
        copy_slices(writer, slices, real)
        plans = in_order(plan, list(range(len(deck_of))), workers)
        bar = tqdm(plans, maker.name, len(deck_of), file=sys.stdout, disable=None if progress else True)
        lines = []
        for some in _chunks(bar):
            images = maker.paint(slices, some)
            for made, image in zip(some, images, strict=True):
                lines.append(_add(writer, slices, made, image))
        writer.card["made_from"] = origin(slices)
        writer.card["balanced"] = {
            "by": maker.name, "ratio_asked_for": ratio, "seed": seed, "only_synthetic": only_synthetic,
            "training_slices": [len(train), len(deck_of) + (0 if only_synthetic else len(train))],
            "training_slices_with_stroke": [
                int(has_stroke.sum()), strokes + (0 if only_synthetic else int(has_stroke.sum()))
            ],
            "synthetic": len(deck_of),
            "provenance_sha256": _write_provenance(writer.partial / PROVENANCE, lines),
            **(card or {}),
        }  # fmt: skip
    return SliceSet.open(out, verify=False)


def provenance(slices: SliceSet) -> list[dict[str, str]]:
    """What each made slice of a balanced set was made from: a row each, columns as in COLUMNS.

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
    plans = iter(plans)
    while some := list(islice(plans, AT_ONCE)):
        yield some


def _add(writer: SliceSetWriter, slices: SliceSet, made: Plan, image: np.ndarray) -> tuple:
    """Append one made slice, and return its line of provenance."""
    t, row = slices.table, made.background
    writer.add(
        image[None],
        made.stroke[None],
        slices.foreground[row][None] == 1,
        patient=str(t["patient"][row]),
        case=str(t["case"][row]),
        plane=t["plane"][[row]],
        z=t["z"][[row]],
        spacing=tuple(float(t[name][row]) for name in ("row_spacing", "column_spacing", "thickness")),
        source=str(t["source"][row]),
        synthetic=True,
    )
    donor = "" if made.donor < 0 else str(t["patient"][made.donor])
    return (len(writer.rows) - 1, row, str(t["patient"][row]), made.donor, donor, made.detail)


def _write_provenance(path: Path, lines: list[tuple]) -> str:
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(lines)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return sha256(path)
