"""Every code cell of every notebook, each run twice, on slices of two channels: on readers' own data, as readers play.

Training is cut to four steps: what is learnt is the other tests' business. Two classes, for xdist gives
a class to one worker.
"""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import numpy as np
import pytest
from kernels import ROOT, kernel

from strokegan_lib.classroom.tutorial import masters
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter

MASTERS = masters(ROOT / "notebooks")
SHORT = """
import dataclasses
from strokegan_lib import profiles
quick = profiles.PROFILES["quick"]
profiles.PROFILES["quick"] = dataclasses.replace(quick, name="short", steps=4)
"""
TOO_SHORT = "nothing was learnt"  # what a cell's last line may say after four steps
ONE_CHANNEL = {"05", "06", "08", "09", "10"}  # they need networks that come with the kit on the reader's data


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
            spacing = tuple(table[name][0] for name in ("row_spacing", "column_spacing", "thickness"))
            writer.add(
                np.concatenate([images, (263 - images.astype(int)) * foreground[:, None]], axis=1).astype(np.uint8),
                phantom.stroke[rows] == 1, foreground == 1, patient=patient, case=patient,
                plane=table["plane"], z=table["z"], spacing=spacing, source="phantom",
            )  # fmt: skip
    return SliceSet.open(out)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("file", metafunc.cls.files, ids=lambda file: file.stem[:2])


class Cells:
    files: list[Path]

    def test_run_twice(self, file: Path, two_channels: SliceSet, tmp_path: Path):
        own = {"STROKEGAN_DATA": str(two_channels.folder), "STROKEGAN_RUNS": str(tmp_path)}
        failed, told = {}, ""
        with kernel({**os.environ, **own, "OMP_NUM_THREADS": "1"}) as session:
            session.works(SHORT)
            for cell in nbformat.read(file, as_version=4).cells:
                for time in ("first", "second") if cell.cell_type == "code" else ():
                    said = session.run(cell.source)
                    told += said.text
                    if said.error and TOO_SHORT not in said.traceback[-1]:
                        failed[cell.id, time] = said.traceback[-1]
        assert failed == {}
        assert ("the kit read one" in told) == (file.stem[:2] in ONE_CHANNEL)


class TestEven(Cells):
    files = MASTERS[::2]


class TestOdd(Cells):
    files = MASTERS[1::2]
