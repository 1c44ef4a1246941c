"""The first cell of a notebook, run for real in an environment like Colab's."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import colab
import nbformat
from kernels import kernel
from repository import ROOT, files

from strokegan_lib.classroom.badges import Home
from strokegan_lib.data.slices import SliceSet

NO_PIP = """
def forbidden(*_):
    raise AssertionError("pip was called")
pip = get_ipython().find_line_magic("pip")
get_ipython().register_magic_function(forbidden, "line", "pip")
"""
PIP_AGAIN = """
get_ipython().register_magic_function(pip, "line", "pip")
"""
MISSING = "import importlib.util; print(importlib.util.find_spec('strokegan_lib'))"
VERSIONS = """
import importlib.metadata, json
print(json.dumps({d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}))
"""
INSTALLED = """
import nilearn, strokegan_lib
kit = importlib.metadata.distribution("strokegan_lib")
print(json.dumps({
    "file": strokegan_lib.__file__,
    "origin": json.loads(kit.read_text("direct_url.json")),
    "data": [str(f) for f in kit.files if f.suffix not in (".py", ".pyc") and f.parts[0] == "strokegan_lib"],
}))
"""


def code(name: str) -> list[str]:
    notebook = nbformat.read(next((ROOT / "notebooks").glob(name)), as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_the_first_cell_is_the_same_in_every_notebook():
    files = sorted((ROOT / "notebooks").rglob("*.ipynb"))
    assert len({code(str(file.relative_to(ROOT / "notebooks")))[0] for file in files}) == 1


@colab.needs_git
def test_colab_installs_the_kit_and_the_next_cells_work(tmp_path: Path, phantom: SliceSet):
    home = Home.read(ROOT)
    python = colab.make(tmp_path / "colab")
    git = colab.publish(files(), tmp_path / "remote", home.url, home.ref)
    first, *others = code("00_*.ipynb")
    lesson = tmp_path / "content"  # not within the repository: nothing may be found by chance
    lesson.mkdir()
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    with kernel(colab.environment(**git), command, lesson) as session:
        assert session.works(NO_PIP, first, MISSING) == "None\n"  # not on Colab: the cell does nothing
        session.works("import google.colab", PIP_AGAIN)
        before = json.loads(session.works(VERSIONS))
        assert "no restart" in session.works(first)
        after = json.loads(session.works(VERSIONS))
        found = json.loads(session.works(INSTALLED))
        assert Path(found["file"]).is_relative_to(tmp_path / "colab" / "venv")
        assert found["origin"]["url"] == home.url and "dir_info" not in found["origin"]
        tracked = subprocess.run(
            ["git", "-C", tmp_path / "remote", "ls-files", "strokegan_lib"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        assert set(found["data"]) == {name for name in tracked if not name.endswith(".py")}
        changed = {name for name in after if after[name] != before.get(name)}
        assert changed == {"strokegan_lib", "nilearn"}  # nothing that Colab holds was touched
        assert session.works(NO_PIP, first) == ""  # a second time it does nothing
        session.works(
            "from strokegan_lib.phantom.anatomy import tissues; tissues()"
        )  # nilearn, with Colab's pandas
        said = session.works(*others)
        assert re.search(r"^PyTorch +\d", said, re.M) and said.count("Right.") >= 3
