"""The first cell of a notebook, run for real in an environment like Google Colab's."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from kernels import code_cells, kernel
from repository import ROOT, files
from student import lessons
from test_environments import COLAB

from strokegan_lib.data.slices import SliceSet

OLDER = "ipywidgets ipython ipykernel traitlets decorator backcall pickleshare ipython-genutils"
AS_ON_COLAB = re.findall(rf"^(?:{OLDER.replace(' ', '|')})==.+$", COLAB, re.M)  # known to make a difference
VERSIONS = """
import importlib.metadata, json, sysconfig
found = importlib.metadata.distributions(path=[sysconfig.get_path("purelib")])
print(json.dumps({d.metadata["Name"]: d.version for d in found}))
"""


def outside(**more: str) -> dict[str, str]:
    """Our environment variables without those that would lead Python elsewhere."""
    kept = {name: v for name, v in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return {**kept, "PYTHONNOUSERSITE": "1", **more}


def like_colab(folder: Path) -> Path:
    """The Python of a fresh environment: Colab's old packages, the rest lent by ours, no kit, no nilearn."""
    lent = folder / "lent"
    (lent / "google" / "colab").mkdir(parents=True)  # importable as it is
    for path in Path(numpy.__file__).parents[1].iterdir():
        if not re.match(r"nilearn|strokegan|__editable__|google$", path.name):
            (lent / path.name).symlink_to(path)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "lent.pth").write_text(f"{lent}\n")
    command = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--ignore-installed"]
    subprocess.run([*command, *AS_ON_COLAB], check=True, env=outside())
    return python


def publish(folder: Path, url: str, ref: str) -> dict[str, str]:
    """Put the working tree into a git repository; variables with which git, asked for *url*, goes there."""
    for file in files():
        copy = folder / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    git = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch", ref, folder], check=True)
    subprocess.run([*git, "add", "--all", "--force"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--no-gpg-sign", "-m", "the working tree"], check=True)
    key = f"url.{folder.as_uri()}.insteadOf"
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": url}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_colab_installs_the_kit_and_the_next_cells_work(tmp_path: Path, phantom: SliceSet):
    first, *others = [cell.source for cell in code_cells(lessons()[0])]
    assert {code_cells(file)[0].source for file in lessons()} == {first}
    url, ref = re.search(r"--no-deps nilearn git\+(\S+)@(\w+)", first).groups()
    python, git = like_colab(tmp_path), publish(tmp_path / "remote", url, ref)
    lesson = tmp_path / "content"  # not within the repository: nothing may be found by chance
    lesson.mkdir()
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    with kernel(outside(**git), command, lesson) as session:
        before = json.loads(session.run(VERSIONS))
        assert session.run(first) == "" and json.loads(session.run(VERSIONS)) == before  # not on Colab
        assert "no restart" in session.run("import google.colab", first)
        after = json.loads(session.run(VERSIONS))
        assert {name for name in after if after[name] != before.get(name)} == {"strokegan_lib", "nilearn"}
        assert session.run(first) == ""  # a second time it does nothing
        said = session.run("from strokegan_lib.phantom.anatomy import tissues; tissues()", *others)
        assert re.search(r"^PyTorch +\d", said, re.M) and said.count("Right.") >= 3
