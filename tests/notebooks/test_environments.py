"""What library and notebooks import is there with pip, on Binder and on Colab."""

import os
import re
import subprocess
import sys
from importlib import metadata

from kernels import code_cells
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from repository import ROOT
from student import lessons

PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
BINDER = (ROOT / "binder/environment.yml").read_text(encoding="utf-8")
COLAB = (ROOT / "tests/notebooks/colab.txt").read_text(encoding="utf-8")
# another name on conda, or brought by another package
AS = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib",
      "ipython": "ipywidgets", "traitlets": "ipywidgets", "requests": "pooch"}  # fmt: skip
OLDER_ON_COLAB = {"ipywidgets"}  # test_colab shows that the widgets work with it
WHEN_ASKED = {"pooch"}  # imported when a data set is downloaded


def requirements(pattern: str, text: str) -> dict[str, Requirement]:
    found = map(Requirement, re.findall(pattern, text, re.M))
    return {canonicalize_name(AS.get(one.name, one.name)): one for one in found}


def asked(table: str) -> dict[str, Requirement]:
    """What pyproject.toml asks for under a name ('dependencies', 'lab', ...)."""
    return requirements(r'"([^"]+)"', re.search(rf"^{table} = \[(.*?)\]$", PROJECT, re.M | re.S)[1])


def imported(sources: list[str]) -> set[str]:
    """Names for pip of what code imports, one module a line."""
    modules = {name for source in sources for name in re.findall(r"^ *(?:from|import) (\w+)", source, re.M)}
    known = metadata.packages_distributions()
    names = {known[name][0].lower() for name in modules & known.keys()}
    return {AS.get(name, name) for name in names} - {"strokegan_lib"}


def test_every_place_has_what_library_and_notebooks_import():
    cells = [cell.source for file in lessons() for cell in code_cells(file)]
    needed = imported([*cells, *(f.read_text("utf-8") for f in (ROOT / "strokegan_lib").rglob("*.py"))])
    assert len(needed) > 10 and needed <= asked("dependencies").keys()
    needed -= WHEN_ASKED
    binder = requirements(r"^  - ([\w-]+(?:>=[\d.]+)?)$", BINDER)
    assert needed | {"jupyterlab"} <= binder.keys()
    colab = requirements(r"^[\w.-]+==\S+$", COLAB)
    installed = set(re.search(r"--no-deps (.*) git", cells[0])[1].split())
    assert needed <= colab.keys() | installed and not installed & colab.keys()
    for name, requirement in (asked("dependencies") | asked("lab")).items():
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
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
