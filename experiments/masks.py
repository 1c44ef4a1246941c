"""How like drawn masks are made ones?

Two ways to get a stroke for a slice that has none: make it from noise, or move the stroke of another patient. Both know
the training patients alone and are compared with the patients that are left; so are the training patients' own
masks, for nothing made from them can be expected to come nearer.
"""

from __future__ import annotations

from itertools import islice

import numpy as np

from experiments.mask_measures import MaskSample, mask_scores
from experiments.runner import Place, Result
from strokegan_lib.balance.transplant import SMALLEST, Transplanter
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.files import sha256
from strokegan_lib.models.family.dual import MaskGenerator
from strokegan_lib.training.weights import load_weights, shipped

COUNT = 400  # masks made, about as many as SOOP has to learn from
COLUMNS = ("mean", "low", "high", "n", "patients", "as_many", "halves")
WHAT = (
    "Made, transplanted and training masks against those of held-out (validation and test) patients; log_area to "
    "brain_compactness are distances (0 is best), see evaluation/masks.py; halves: between halves of the held-out patients, or "
    "of these alone; as_many: of as many masks as a half; 95 % intervals: jackknife over groups of patients for distances, else "
    "bootstrap over patients, a made mask being its own"
)


def masks(place: Place) -> Result:
    """A line for each measure and way."""
    file = shipped("masks-soop")
    train, held_out = masks_of(place.data, "train"), masks_of(place.data, "validation", "test")
    with one_thread_each():
        ways = {
            "made": made(load_weights(file, "mask generator")[0]),
            "transplanted": transplanted(place.data),
            "training": train,
        }
        lines = [
            {"measure": measure, "masks": way, **{name: score[name] for name in COLUMNS}}
            for way, sample in ways.items()
            for measure, score in mask_scores(sample, held_out, train).items()
            if (measure, way) != ("nearest_dice", "training")  # each of them is its own nearest
        ]
    counts = {name: len(of) for name, of in {**ways, "held out": held_out}.items()}
    return Result(WHAT, {"": lines}, {"weights_sha256": sha256(file), "counts": counts})


def masks_of(slices: SliceSet, *parts: str) -> MaskSample:
    """The masks of some splits' slices with a stroke."""
    rows = np.sort(np.concatenate([slices.of_split(part) for part in parts]))
    rows = rows[slices.stroke[rows].sum((1, 2), dtype=np.int64) >= SMALLEST]
    return MaskSample(slices.stroke[rows], slices.foreground[rows], slices.table["patient"][rows])


def made(generator: MaskGenerator) -> MaskSample:
    """Masks from noise, each a patient of its own."""
    stroke, foreground = generator.sample(COUNT, 0)
    return MaskSample(stroke, foreground, np.array([f"made {number}" for number in range(COUNT)]))


def transplanted(slices: SliceSet) -> MaskSample:
    """Masks of training patients moved to training slices without stroke; a mask's patient is its donor."""
    train = slices.of_split("train")
    free = train[slices.table["has_stroke"][train] == 0]
    transplanter, rng = Transplanter(slices, train), np.random.default_rng(0)
    tried = ((row, transplanter.place(int(row), rng)) for row in rng.choice(free, 2 * COUNT))
    rows, placements = zip(*islice(((row, placed) for row, placed in tried if placed), COUNT), strict=True)
    strokes = np.stack([placed.stroke for placed in placements])
    donors = slices.table["patient"][[placed.donor for placed in placements]]
    return MaskSample(strokes, slices.foreground[list(rows)], donors)
