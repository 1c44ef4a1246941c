"""Every notebook runs once, and its cells say what its committed outputs say.

nbval does it for those that the Makefile lists (STRICT); here papermill, as the runner calls it, for the others.
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import nbformat
import pytest
import run
from kernels import ROOT
from nbformat import NotebookNode
from student import lessons, tags

from strokegan_lib.data.slices import SliceSet

STRICT = re.findall(r"notebooks/(\d\d_\w+)\.ipynb", (ROOT / "Makefile").read_text().split("STRICT :=")[1])
OTHERS = [file for file in lessons() if file.stem not in STRICT]
RULES = configparser.ConfigParser()
RULES.read(ROOT / "tests/notebooks/sanitise.cfg")


def text(cell: NotebookNode) -> str:
    """What a cell printed and showed, as text, without what may differ between two runs."""
    shown = "".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)
    for rule in RULES.values():
        if "regex" in rule:
            shown = re.sub(rule["regex"], rule["replace"], shown)
    return shown


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.cls:
        metafunc.parametrize("file", metafunc.cls.files, ids=lambda file: file.stem[:2])


class Series:
    files: list[Path]

    def test_runs_as_committed(
        self, file: Path, phantom: SliceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        for name in run.THREADS:
            monkeypatch.setenv(name, "1")
        assert run.execute(file, tmp_path / file.name, {})["status"] == "ok"
        before, after = (nbformat.read(f, as_version=4).cells for f in (file, tmp_path / file.name))
        for old, new in zip(before, after, strict=True):
            for output in new.get("outputs", ()):
                assert output.output_type != "error" and output.get("name") != "stderr", (new.id, output)
            if new.cell_type == "code" and "nbval-ignore-output" not in tags(new):
                assert text(new) == text(old), new.id


class TestEven(Series):  # two classes, for xdist gives a class to one worker
    files = OTHERS[::2]


class TestOdd(Series):
    files = OTHERS[1::2]


def test_nbval_takes_the_rest():
    assert len(STRICT) >= 3 and len(STRICT) + len(OTHERS) == len(lessons()) == 12
