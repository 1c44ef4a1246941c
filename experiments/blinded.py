"""A blinded reading: true and synthetic slices in random order on one sheet, the answers in a file beside it.

A reader who does not know which is which judges each; half right is chance. The sheet shows people's slices.
"""

from __future__ import annotations

import numpy as np

from experiments.pictures import numbered
from experiments.runner import Place, Result
from strokegan_lib.evaluation.synthetic import paint, with_stroke
from strokegan_lib.training.weights import GENERATORS, load_weights, shipped

EACH = 24  # slices of either kind
CHANCE, STYLES = 7, 5  # seeds: of the slices and their order, and of what the generator leaves to chance


def blinded(place: Place, name: str = "styled-soop") -> Result:
    """sheet.png in the runs' folder; the table is the answers, to be compared with what the reader said."""
    slices, rng = place.data, np.random.default_rng(CHANCE)
    rows = rng.permutation(with_stroke(slices, "test"))[: 2 * EACH]
    true, asked = rows[:EACH], rows[EACH:]  # the masks are those of patients who are not shown
    generator, _ = load_weights(shipped(name), GENERATORS)
    synthetic = paint(generator, slices.stroke[asked], slices.foreground[asked], seed=STYLES)[:, 0]
    synthetic &= 0xFE  # prepared slices have no lowest bit, which would tell
    order = rng.permutation(len(rows))
    shown = np.concatenate([slices.images[true][:, 0], synthetic])[order]  # (48, 128, 128)
    numbered(shown).save(place.runs / "sheet.png")
    answers = [
        {"number": k + 1, "answer": "true" if which < EACH else "synthetic"} for k, which in enumerate(order)
    ]
    return Result(f"Answers to the sheet of true slices and those of {name}", {"": answers})
