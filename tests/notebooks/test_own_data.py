"""On readers' own data, slices of two channels, every code cell of three notebooks runs twice, as readers play.

02 builds its own networks, 05 and 09 need those that come with the kit, which read one channel.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cells import code_cells
from kernels import SHORT, TOO_SHORT, kernel
from student import lessons

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter


@pytest.fixture(scope="module")
def two_channels(tmp_path_factory: pytest.TempPathFactory, phantom: SliceSet) -> SliceSet:
    """Every fifth slice of the phantom; the second channel is the first with bright and dark exchanged."""
    out = tmp_path_factory.mktemp("data") / "two"
    about = About("two", "phantom", "none", "nobody", ("flair", "turned"), "pytest", limits=("small",))
    with SliceSetWriter(out, about) as writer:
        for patient in phantom.patients:
            rows = phantom.of_patient(patient)[::5]
            table = {name: column[rows] for name, column in phantom.table.items()}
            images, foreground = phantom.images[rows], phantom.foreground[rows]
            turned = ((263 - images.astype(int)) * foreground[:, None]).astype(np.uint8)
            writer.add(
                np.concatenate([images, turned], axis=1), phantom.stroke[rows] == 1, foreground == 1,
                patient=patient, case=patient, plane=table["plane"], z=table["z"], source="phantom",
                spacing=tuple(table[name][0] for name in ("row_spacing", "column_spacing", "thickness")),
            )  # fmt: skip
    return SliceSet.open(out)


@pytest.mark.parametrize(("number", "one_channel"), [(2, False), (5, True), (9, True)])
def test_cells_run_twice(number: int, one_channel: bool, two_channels: SliceSet, tmp_path: Path):
    with kernel({"STROKEGAN_DATA": str(two_channels.folder), "STROKEGAN_RUNS": str(tmp_path)}) as session:
        printed = session.run(SHORT)
        for cell in code_cells(lessons()[number]):
            for _ in ("first", "second"):
                text, error = session.try_cell(cell.source)
                assert not error or TOO_SHORT in error, (cell.id, error)
                printed += text
    assert ("the kit read one" in printed) == one_channel
