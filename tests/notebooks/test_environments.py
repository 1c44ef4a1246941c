"""What notebooks and library need is there wherever they run: with pip, in a clone or an archive, on Binder, on Colab."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import colab
import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from repository import ROOT, files

PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
NAMES_ON_CONDA = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib"}
WHEN_READ = {"SimpleITK"}  # an extra: imported when a MetaImage file is read
OLDER_ON_COLAB = {"ipywidgets"}  # test_colab shows that the widgets work with it


def imports(source: str) -> set[str]:
    """Dotted names that a source imports, anywhere in it; lines of magics are passed over."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(re.sub(r"^(\s*)%.*$", r"\1pass", source, flags=re.M))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def in_cells() -> set[str]:
    found: set[str] = set()
    for file in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        cells = nbformat.read(file, as_version=4).cells
        found |= {name for cell in cells if cell.cell_type == "code" for name in imports(cell.source)}
    return found


def files_of(name: str) -> list[Path]:
    """The files of the library behind a dotted name: its packages, and the module itself."""
    parts = name.split(".")
    found = []
    for length in range(1, len(parts) + 1):
        path = ROOT.joinpath(*parts[:length])
        found += [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()]
    return found


def packages(names: set[str]) -> set[str]:
    """Names for pip of what is imported outside the standard library, through the library's own modules."""
    known, waiting, outside, seen = metadata.packages_distributions(), list(names), set(), set()
    while waiting:
        name = waiting.pop()
        top = name.split(".")[0]
        if top == "strokegan_lib":
            new = {file for file in files_of(name) if file not in seen}
            seen |= new
            waiting += [found for file in new for found in imports(file.read_text(encoding="utf-8"))]
        elif top in known and top not in WHEN_READ:
            outside.add(colab.canonical(known[top][0]))
    return outside


def requirements(*tables: str) -> dict[str, Requirement]:
    """What pyproject.toml asks for under these names ('dependencies', 'lab', ...)."""
    lists = [re.search(rf"^{table} = \[(.*?)\]$", PROJECT, re.M | re.S)[1] for table in tables]
    found = [Requirement(line) for text in lists for line in re.findall(r'"([^"]+)"', text)]
    return {colab.canonical(requirement.name): requirement for requirement in found}


def on_binder() -> dict[str, Requirement]:
    text = (ROOT / "binder" / "environment.yml").read_text(encoding="utf-8")
    found = [Requirement(line) for line in re.findall(r"^  - ([\w-]+(?:>=[\d.]+)?)$", text, re.M)]
    return {colab.canonical(NAMES_ON_CONDA.get(one.name, one.name)): one for one in found}


def test_the_pins_fit_together_on_every_python_and_system():
    """One resolution for all of them. It reads metadata alone, from the index that pip asks."""
    oldest = re.search(r'^requires-python = ">=([\d.]+)"', PROJECT, re.M)[1]
    pip = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    index = re.search(r"^\S+\.index-url='(.+)'$", pip.stdout, re.M)
    command = f"-m uv pip compile --quiet --universal --python-version {oldest} --python".split()
    command += [sys.executable, "--constraint", "constraints.txt", "--all-extras", "pyproject.toml"]
    environment = {**os.environ, **({"UV_DEFAULT_INDEX": index[1]} if index else {})}
    run = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


@colab.needs_git
def test_a_clone_with_other_line_ends_and_an_archive_hold_the_same_bytes(tmp_path: Path):
    largest_first = sorted(files(), key=lambda file: -file.stat().st_size)
    ours = {file.suffix or file.name: file for file in largest_first}.values()  # the smallest of each kind
    colab.publish(ours, tmp_path / "remote", "", "main")
    clone = ["git", "clone", "--quiet", "-c", "core.autocrlf=true", tmp_path / "remote", tmp_path / "clone"]
    archive = ["git", "-C", tmp_path / "clone", "archive", "--output", tmp_path / "kit.zip", "HEAD"]
    for command in (clone, archive):
        subprocess.run(command, check=True)
    shutil.unpack_archive(tmp_path / "kit.zip", tmp_path / "archive")
    for copy in (tmp_path / "clone", tmp_path / "archive"):
        for ignored in (".venv/lib", "build", "data", "notebooks/__pycache__", "a.egg-info"):
            (copy / ignored).mkdir(parents=True)
            (copy / ignored / "a.py").touch()
        found = {file.relative_to(copy): file.read_bytes() for file in files(copy)}
        assert found == {file.relative_to(ROOT): file.read_bytes() for file in ours}


def test_pip_installs_all_that_is_imported():
    library = {
        name for file in (ROOT / "strokegan_lib").rglob("*.py") for name in imports(file.read_text("utf-8"))
    }
    there = colab.with_requirements(set(requirements("dependencies", "lab", "formats", "site")))
    assert packages(library | in_cells()) <= there


def test_a_plain_installation_is_enough_for_training():
    doors = {f"strokegan_lib.{name}" for name in ("train", "evaluate", "synthesise", "compare", "balancing")}
    assert packages(doors) <= colab.with_requirements(set(requirements("dependencies")))


def test_binder_has_all_that_notebooks_import():
    assert packages(in_cells()) <= colab.with_requirements(set(on_binder()))
    assert {"anywidget", "jupyterlab"} <= set(on_binder())


def test_colab_has_all_that_notebooks_import():
    notebook = nbformat.read(ROOT / "notebooks" / "00_start_here.ipynb", as_version=4)
    first = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    installed = re.search(r"%pip install -q --no-deps (.*)", first)[1].split()
    assert packages(in_cells()) <= {*colab.preinstalled(), *installed}
    assert not set(installed) & set(colab.preinstalled()), "Colab has it"


@pytest.mark.parametrize("name", sorted(requirements("dependencies", "lab")))
def test_versions_agree(name: str):
    asked = requirements("dependencies", "lab")[name].specifier
    if name in on_binder():
        assert on_binder()[name].specifier == asked, "binder/environment.yml"
    if name in colab.preinstalled():
        there = Version(colab.preinstalled()[name])
        assert (there in asked) != (name in OLDER_ON_COLAB), f"{there} on Colab"
