"""A data set in which a chosen share of the training slices shows stroke, by synthetic slices.

Each starts from a training slice, its *background*, whose patient it carries, and the stroke of another
one, its *donor*; an augmenter makes the picture: a generator, or CarveMix. ``provenance.csv`` beside
the arrays says what it was made from. Taught in notebook 08.
"""

import csv
import os
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import islice

import numpy as np
from tqdm import tqdm

from strokegan_lib.balance.derived import add_like, derived_set
from strokegan_lib.data.sampling import ShuffledIndices
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import in_order, one_thread_each
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256

PROVENANCE = "provenance.csv"
COLUMNS = ("index", "background", "background_patient", "donor", "donor_patient", "detail")
BACKGROUNDS = 20  # tried for one slice, each with several donors, before giving up
AT_ONCE = 16  # pictures made at once; fixed, so that the bytes depend on no machine
LIMIT = "Holds slices made by a network or by pasting (column synthetic): scans of nobody."


@dataclass(frozen=True)
class Plan:
    """One slice to be made."""

    background: int  # row of the data set
    donor: int  # row whose stroke it gets; -1 for a stroke of no donor
    stroke: np.ndarray  # (H, W) bool, the mask that it will have
    image: np.ndarray | None = None  # (C, H, W) uint8 where the plan holds the picture already
    detail: str = ""  # what else decided it, in words


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

    BadInput where it shows as much already, offers no place for a stroke, or *out* is unusable.

    Args:
        out: the SliceSet to make: all slices of *slices*, then the synthetic ones.
        ratio: share of the training slices that show stroke, 0..1 exclusive.
        seed: the same seed makes the same bytes, for any number of *workers*, threads that look for places.
        only_synthetic: leave the real training slices out, and make as many in their place;
            those without stroke are made from an empty mask.
        fold: as in ``SliceSet.of_split``.
        made_by, card: the command, and further entries of the card.
    """
    train = slices.of_split("train", fold)
    has_stroke = slices.table["has_stroke"][train] == 1
    total, real = len(train), int(has_stroke.sum())
    kept, backgrounds = np.arange(len(slices)), train[~has_stroke]
    if only_synthetic:
        strokes, count = round(ratio * total), total
        kept, backgrounds = np.setdiff1d(kept, train), train
        after = (total, strokes)
    else:  # a real lesion beneath a synthetic one would stay unmarked
        strokes = count = missing_strokes(real, total, ratio)
        after = (total + strokes, real + strokes)
    if not strokes:
        what = f"shows stroke in {has_stroke.mean():.2%} of its training slices already"
        raise BadInput(slices.folder, what, "give a higher --ratio")
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
        remedy = "choose a data set with more patients, or other --pixels"
        raise BadInput(slices.folder, "offers no place for a stroke", remedy)

    patients, name = slices.table["patient"], slices.card["name"]
    with (
        derived_set(slices, out, kept, name=name, made_by=made_by, limits=(LIMIT,)) as writer,
        one_thread_each(),
        open(writer.partial / PROVENANCE, "w", newline="", encoding="utf-8") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        plans = in_order(plan, range(count), workers)
        bar = iter(tqdm(plans, augmenter.name, count, file=sys.stdout, disable=None if progress else True))
        while some := list(islice(bar, AT_ONCE)):
            for made, image in zip(some, augmenter.make(slices, some), strict=True):
                row, donor = made.background, made.donor
                lender = patients[donor] if donor >= 0 else ""
                table.writerow((len(writer.rows), row, patients[row], donor, lender, made.detail))
                add_like(writer, slices, row, images=image[None], stroke=made.stroke[None], synthetic=True)
        file.flush()
        writer.card["balanced"] = {
            "by": augmenter.name,
            "ratio_asked_for": ratio,
            "seed": seed,
            "only_synthetic": only_synthetic,
            "training_slices": [total, after[0]],
            "training_slices_with_stroke": [real, after[1]],
            "synthetic": count,
            "provenance_sha256": sha256(writer.partial / PROVENANCE),
            **(card or {}),
        }
    return SliceSet.open(out, verify=False)


def provenance(slices: SliceSet) -> list[dict[str, str]]:
    """What each synthetic slice of a balanced set was made from, by COLUMNS; rows are of the set that it came from.

    BadInput where the file is missing, or has changed since it was made.
    """
    path = slices.folder / PROVENANCE
    expected = slices.card.get("balanced", {}).get("provenance_sha256")
    if not path.is_file() or sha256(path) != expected:
        raise BadInput(path, "is missing or has changed since it was made", "make the data set again")
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
