"""What notebooks and library need is there wherever they run: with pip, on Binder, on Colab; the same bytes everywhere."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from cells import code_cells, statements
from kernels import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from repository import files
from student import lessons

PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
BINDER = (ROOT / "binder/environment.yml").read_text(encoding="utf-8")
COLAB = (ROOT / "tests/notebooks/colab.txt").read_text(encoding="utf-8")
KNOWN = metadata.packages_distributions()  # module -> its names for pip
ON_CONDA = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib"}
OLDER_ON_COLAB = {"ipywidgets"}  # test_colab shows that the widgets work with it
WHEN_ASKED = {"pooch"}  # imported when a data set is downloaded


def requirements(lines: list[str]) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(ON_CONDA.get(one.name, one.name)): one for one in found}


def asked(*tables: str) -> dict[str, Requirement]:
    """What pyproject.toml asks for under these names ('dependencies', 'lab', ...)."""
    text = "".join(re.search(rf"^{table} = \[(.*?)\]$", PROJECT, re.M | re.S)[1] for table in tables)
    return requirements(re.findall(r'"([^"]+)"', text))


def imported(source: list[ast.stmt], seen: set[Path]) -> set[str]:
    """Names for pip of what code imports, through the library's own modules too."""
    found = set()
    for node in (node for statement in source for node in ast.walk(statement)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for parts in (name.split(".") for name in names):
            if parts[0] in KNOWN and parts[0] != "strokegan_lib":
                found.add(canonicalize_name(KNOWN[parts[0]][0]))
            for n in range(1, len(parts) + 1) if parts[0] == "strokegan_lib" else ():
                path = ROOT.joinpath(*parts[:n])
                for file in {path.with_suffix(".py"), path / "__init__.py"} - seen:
                    if file.is_file():
                        seen.add(file)
                        found |= imported(statements(file.read_text(encoding="utf-8")), seen)
    return found - WHEN_ASKED


def with_their_own(names: set[str]) -> set[str]:
    """These packages and all that they need, as far as they are installed here."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        try:
            needed = [Requirement(line) for line in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            continue
        waiting |= {
            canonicalize_name(r.name) for r in needed if not r.marker or r.marker.evaluate({"extra": ""})
        }
        waiting -= found
    return found


def test_every_place_has_what_notebooks_and_library_import():
    library = [s for f in (ROOT / "strokegan_lib").rglob("*.py") for s in statements(f.read_text("utf-8"))]
    cells = imported([s for f in lessons() for c in code_cells(f) for s in statements(c.source)], set())
    assert imported(library, set()) | cells <= with_their_own(set(asked("dependencies", "lab")))
    commands = ast.parse("import strokegan_lib.train, strokegan_lib.evaluate, strokegan_lib.synthesise").body
    assert imported(commands, set()) <= with_their_own(set(asked("dependencies")))
    binder = requirements(re.findall(r"^  - ([\w-]+(?:>=[\d.]+)?)$", BINDER, re.M))
    assert cells <= with_their_own(set(binder)) and {"anywidget", "jupyterlab"} <= set(binder)
    colab = requirements(re.findall(r"^[\w.-]+==\S+$", COLAB, re.M))
    installed = set(re.search(r"--no-deps (.*) git", code_cells(lessons()[0])[0].source)[1].split())
    assert cells <= {*colab, *installed} and not installed & set(colab)
    for name, requirement in asked("dependencies", "lab").items():
        assert name not in binder or binder[name].specifier == requirement.specifier, name
        if name in colab:
            (there,) = colab[name].specifier
            assert (there.version in requirement.specifier) != (name in OLDER_ON_COLAB), name


def test_the_pins_fit_together_on_every_python_and_system():
    """One resolution for all of them. It reads metadata alone, from the index that pip asks."""
    oldest = re.search(r'^requires-python = ">=([\d.]+)"', PROJECT, re.M)[1]
    pip = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    index = re.search(r"^\S+\.index-url='(.+)'$", pip.stdout, re.M)
    command = f"-m uv pip compile --quiet --universal --python-version {oldest} --python".split()
    command += [sys.executable, "--constraint", "constraints.txt", "--all-extras", "pyproject.toml"]
    environment = {**os.environ, **({"UV_DEFAULT_INDEX": index[1]} if index else {})}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_clone_with_other_line_ends_holds_the_same_bytes(tmp_path: Path):
    largest_first = sorted(files(), key=lambda file: -file.stat().st_size)
    ours = {file.suffix or file.name: file for file in largest_first}.values()  # the smallest of each kind
    for file in ours:
        (tmp_path / "a" / file.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, tmp_path / "a" / file.relative_to(ROOT))
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.autocrlf=true"]
    for command in ("init", "add --all --force", "commit --no-gpg-sign -m all", "clone . ../b"):
        subprocess.run([*git, *command.split()], cwd=tmp_path / "a", check=True, capture_output=True)
    for file in ours:
        assert (tmp_path / "b" / file.relative_to(ROOT)).read_bytes() == file.read_bytes(), file
