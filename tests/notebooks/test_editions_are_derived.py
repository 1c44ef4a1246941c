"""The committed editions are what their masters give: else `make editions` was forgotten."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from strokegan_lib.classroom.badges import rewrite
from strokegan_lib.classroom.editions import MAKERS, derive, differences
from strokegan_lib.classroom.exercises import tags
from strokegan_lib.classroom.tutorial import masters

ROOT = Path(__file__).parents[2]
MASTERS = masters(ROOT / "notebooks")


def cells(file: Path) -> list[nbformat.NotebookNode]:
    return nbformat.read(file, as_version=4).cells


def test_every_edition_is_what_its_master_gives():
    assert differences(ROOT / "notebooks") == {}, "run make editions"


@pytest.mark.parametrize("file", MASTERS, ids=lambda file: file.stem)
def test_the_code_is_the_masters(file: Path):
    """With the solutions in it the student edition is the master, which runs."""
    code = {cell.id: cell for cell in cells(file) if cell.cell_type == "code"}
    solutions = {name for name, cell in code.items() if "solution" in tags(cell)}
    given = {
        name: {cell.id: cell.source for cell in cells(file.parent / name / file.name) if cell.id in code}
        for name in MAKERS
    }
    everything = {name: cell.source for name, cell in code.items()}
    assert list(given["instructor"].items()) == list(everything.items())
    assert list(given["student"].items()) == [
        (name, source) for name, source in everything.items() if name not in solutions
    ]
    assert solutions


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("file", MASTERS, ids=lambda file: file.stem)
class TestEdition:
    def test_is_valid_and_has_no_outputs(self, file: Path, name: str):
        edition = nbformat.read(file.parent / name / file.name, as_version=4)
        nbformat.validate(edition)
        assert edition.metadata.kernelspec.name == "python3"  # without it JupyterLab asks
        code = [cell for cell in edition.cells if cell.cell_type == "code"]
        assert not any(cell.outputs or cell.execution_count for cell in code)
        assert [cell for cell in code if "parameters" in tags(cell)]
        assert f"{name.title()} edition" in edition.cells[0].source
        assert (name == "instructor") == any("solution" in tags(cell) for cell in edition.cells)
        assert (name == "instructor") == any("instructor" in tags(cell) for cell in edition.cells)

    def test_every_relative_link_leads_somewhere(self, file: Path, name: str):
        folder = file.parent / name
        for cell in cells(folder / file.name):
            if cell.cell_type != "markdown":
                continue
            text = re.sub(r"`[^`]*`|\$[^$]*\$", "", cell.source)
            for target in re.findall(r'\]\(([^)\s]+)|(?:src|href)="([^"]+)', text):
                link = "".join(target).split("#")[0]
                if link and not re.match(r"[\w+.-]+:", link):
                    assert (folder / link).exists(), f"cell {cell.id}: {link}"

    def test_every_picture_is_there_and_told_in_words(self, file: Path, name: str):
        for cell in cells(file.parent / name / file.name):
            for alt, picture in re.findall(r"!\[(.*?)(?<!\\)\]\(attachment:([^)]+)\)", cell.source, re.S):
                assert len(alt) > 20 and "image/png" in cell.attachments[picture]


def test_nbval_runs_masters_alone():
    """Editions have no outputs to compare with."""
    command = [sys.executable, "-m", "pytest", "--nbval", "--collect-only", "-q", "notebooks"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    collected = {line.split("::")[0] for line in run.stdout.splitlines() if "::" in line}
    assert collected == {file.relative_to(ROOT).as_posix() for file in MASTERS}, run.stderr


def test_in_a_fork_they_stay_what_their_masters_give(tmp_path: Path):
    """`make badges` changes masters and editions alike."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    for file in (MASTERS[0].relative_to(ROOT), Path("README.md")):
        shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / "pyproject.toml").write_text(project, encoding="utf-8")
    derive(tmp_path / "notebooks")
    (tmp_path / "pyproject.toml").write_text(
        re.sub('owner = ".+"', 'owner = "ada"', project), encoding="utf-8"
    )
    assert len(rewrite(tmp_path)) >= 1 + len(MAKERS)
    assert differences(tmp_path / "notebooks") == {}
