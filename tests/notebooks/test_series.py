"""Every notebook runs once: it shows what it was committed with, and its exercises know their answers.

nbval does the first for the notebooks that the Makefile lists (STRICT). They run here on a reader's own data, slices
of two channels, every cell twice, with trainings of four steps. 02 builds its own networks; 05 and 09 load those that
come with the kit, which read one channel.
"""

import configparser
import re
import sys
from pathlib import Path
from textwrap import indent

import pytest
from brains import TWO_CHANNELS, add
from kernels import Kernel, code_cells, kernel, printed
from nbformat import NotebookNode
from repository import ROOT
from student import function_of, lessons, tags

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import SliceSetWriter

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

STRICT = re.findall(r"notebooks/(\d\d)_\w+\.ipynb", (ROOT / "Makefile").read_text().split("STRICT :=")[1])
OWN_DATA = {"02": False, "05": True, "09": True}  # notebook: does it fall back on the first channel?
OTHERS = [file for file in lessons() if file.name[:2] not in STRICT]
RULES = configparser.ConfigParser()
RULES.read(ROOT / "tests/notebooks/sanitise.cfg")
# trainings of four steps, and a small phantom where they fall back on it
SMALL = """
import dataclasses
from strokegan_lib import profiles
profiles.PROFILES["quick"] = dataclasses.replace(
    profiles.PROFILES["quick"], name="small", steps=4, patients=16, slices_per_patient=10)
"""
TOO_SHORT = "nothing was learnt"  # what a cell's last line may say after four steps


def text(cell: NotebookNode) -> str:
    """What a cell printed and showed, as text, without what may differ between two runs."""
    shown = "".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)
    for rule in RULES.values():
        if "regex" in rule:
            shown = re.sub(rule["regex"], rule["replace"], shown)
    return shown


def play(session: Kernel, file: Path, times: int = 1, allowed: str | None = None) -> list[NotebookNode]:
    """Run the code cells of a notebook in their order, and answer its exercises; the cells with their outputs.

    A check must say that the solution is right, and the right words to the stub and to common mistakes.
    """
    mistakes = tomllib.loads((ROOT / f"tests/notebooks/mistakes/{file.name[:2]}.toml").read_text("utf-8"))
    cells = code_cells(file)
    for cell in cells:
        for _ in range(times):
            session.run_cell(cell, allowed)
        if "exercise" in tags(cell):
            stub, function = cell, function_of(cell)
        elif "check" in tags(cell):
            assert printed(cell).endswith("Right.\n") and len(mistakes[function]) >= 2
            session.run(f"solution = {function}")
            assert session.run(stub.source, cell.source) == "To do: your code returns None so far.\n"
            for words, body in mistakes.pop(function).items():
                wrong = stub.source.replace("    return None  # your code here", indent(body, "    "))
                verdict = session.run(wrong, cell.source)
                assert verdict.startswith("Not yet: it ") and verdict.count("\n") == 1
                assert words in verdict.split(" You have ")[0]
            session.run(f"{function} = solution")
    assert not mistakes
    return cells


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("file", metafunc.cls.files, ids=lambda file: file.name[:2])


class TestEven:  # two classes, for pytest-xdist gives a class to one worker
    files = OTHERS[::2]

    def test_runs_as_committed(self, file: Path, phantom: SliceSet, tmp_path: Path):
        with kernel({"STROKEGAN_RUNS": str(tmp_path)}) as session:
            cells = play(session, file)
        for new, old in zip(cells, code_cells(file), strict=True):
            for output in new.outputs:
                assert output.output_type != "error" and output.get("name") != "stderr", (new.id, output)
            assert "nbval-ignore-output" in tags(new) or text(new) == text(old), new.id


class TestOdd(TestEven):
    files = OTHERS[1::2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, phantom: SliceSet) -> Path:
    """Every fifth slice of the phantom, its only channel twice."""
    out = tmp_path_factory.mktemp("data") / "two"
    with SliceSetWriter(out, TWO_CHANNELS) as writer:
        for patient in phantom.patients:
            rows = phantom.of_patient(patient)[::5]
            images = phantom.images[rows].repeat(2, axis=1)  # (n, 2, 128, 128)
            add(writer, (images, phantom.stroke[rows] == 1, phantom.foreground[rows] == 1), patient)
    return out


class TestOwnData:
    files = tuple(file for file in lessons() if file not in OTHERS)

    def test_cells_run_twice(self, file: Path, data: Path, tmp_path: Path):
        with kernel({"STROKEGAN_DATA": str(data), "STROKEGAN_RUNS": str(tmp_path)}) as session:
            session.run(SMALL)
            cells = play(session, file, times=2, allowed=TOO_SHORT)
        assert ("the kit read one" in "".join(map(printed, cells))) == OWN_DATA[file.name[:2]]
