"""A SliceSet made from another one: some of its slices, or all and more."""

from __future__ import annotations

from dataclasses import fields
from itertools import groupby

import numpy as np

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter

OF_SCAN = ("patient", "case", "row_spacing", "column_spacing", "thickness", "source", "synthetic")


def about_derived(slices: SliceSet, name: str, made_by: str, *limits: str) -> About:
    """The head of the card: that of *slices* under a new name, with further limits."""
    kept = {field.name: slices.card[field.name] for field in fields(About) if field.name in slices.card}
    return About(**kept | {"name": name, "made_by": made_by, "limits": (*kept["limits"], *limits)})


def origin(slices: SliceSet) -> dict:
    """Which set another was made from, for its card."""
    return {"name": slices.card["name"], "sha256": slices.card["sha256"]}


def copy_slices(writer: SliceSetWriter, slices: SliceSet, rows: np.ndarray) -> None:
    """Append slices as they are, in the order of *rows*, (n,) int."""
    table = slices.table

    def scan(row: int) -> tuple:
        return tuple(table[name][row].item() for name in OF_SCAN)

    for (patient, case, *spacing, source, synthetic), group in groupby(np.asarray(rows).tolist(), scan):
        chosen = np.array(list(group))
        writer.add(
            slices.images[chosen], slices.stroke[chosen] == 1, slices.foreground[chosen] == 1,
            patient=patient, case=case, plane=table["plane"][chosen], z=table["z"][chosen],
            spacing=tuple(spacing), source=source, synthetic=bool(synthetic),
        )  # fmt: skip
