"""Scores of trained networks, slice by slice, kept beside the tables: a table can be made again without hours of training.

Each network has a CSV, a line for each slice, and a card, which is written last: it says that all is there.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import torch

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.calibration import BINS
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.slicewise import SliceScores
from strokegan_lib.evaluation.tables import write_csv, write_json
from strokegan_lib.training.tasks import settings_of

OUTCOMES = ("tp", "fp", "fn")
DISTANCES = ("hd95", "surface_distance")  # mm


def cache_scores(file: Path, scores: SliceScores, rows: np.ndarray, about: dict[str, Any]) -> None:
    """Write scores of the *rows*, (n,) int, of a data set, all but calibration, and what is to be known of their network."""
    file.with_suffix(".json").unlink(missing_ok=True)  # of other scores
    columns = {"row": rows}
    for of in ("counts", "lesions"):
        columns |= {f"{of}_{name}": getattr(getattr(scores, of), name).numpy() for name in OUTCOMES}
    columns |= {name: getattr(scores, name) for name in DISTANCES}
    lines = zip(*(column.tolist() for column in columns.values()), strict=True)
    write_csv(file.with_suffix(".csv"), [dict(zip(columns, line, strict=True)) for line in lines])
    write_json(file.with_suffix(".json"), about)


def cached_card(file: Path, about: dict[str, Any]) -> dict[str, Any] | None:
    """The card that was kept; None where there is none of a network of which *about* is true."""
    if not file.with_suffix(".json").is_file():
        return None
    card = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    # a setting that came or went since leaves the network the one it was
    card["settings"] = settings_of(card["settings"]).record()
    return None if any(card.get(name) != value for name, value in about.items()) else card


def cached_scores(
    file: Path, slices: SliceSet, about: dict[str, Any]
) -> tuple[SliceScores, dict[str, Any]] | None:
    """Scores that were kept, with an empty calibration, and their card; None as ``cached_card``."""
    if not (card := cached_card(file, about)):
        return None
    table = pandas.read_csv(file.with_suffix(".csv"))
    rows = table["row"].to_numpy()
    counts, lesions = (
        Counts(*(torch.tensor(table[f"{of}_{name}"].tolist()) for name in OUTCOMES))
        for of in ("counts", "lesions")
    )
    of = {name: column[rows] for name, column in slices.table.items()}
    return SliceScores(
        counts,
        lesions,
        pixels=np.full(len(rows), slices.stroke[0].size),
        **{name: table[name].to_numpy() for name in DISTANCES},
        pixel_ml=of["row_spacing"] * of["column_spacing"] * of["thickness"] / 1000,
        calibration=np.zeros((len(rows), BINS, 3)),
    ), card
