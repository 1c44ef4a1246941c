"""An environment like Google Colab's, made afresh: its package versions where they matter, and no kit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from repository import ROOT

LIST = Path(__file__).with_name("colab.txt")
# older than ours, and known to make a difference; all small but for pandas, of which 3.13 has no such version
AS_ON_COLAB = (
    "backcall",
    "decorator",
    "ipykernel",
    "ipython",
    "ipython-genutils",
    "ipywidgets",
    "packaging",
    "pickleshare",
    "requests",
    "traitlets",
    *(["pandas", "pytz", "tzdata"] if sys.version_info < (3, 13) else []),
)


needs_git = pytest.mark.skipif(
    shutil.which("git") is None, reason="git is not installed, and this test makes a repository of the kit"
)


def preinstalled() -> dict[str, str]:
    """Versions on Colab by the canonical name of the package."""
    lines = re.findall(r"^([\w.-]+)==(\S+)$", LIST.read_text(encoding="utf-8"), re.M)
    return {canonical(name): version for name, version in lines}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def with_requirements(names: set[str]) -> set[str]:
    """These packages and all that they need, as far as they are installed here."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # Colab's older packages need some that ours do not
            continue
        found.add(name)
        wanted = [Requirement(line) for line in needed]
        waiting |= {
            canonical(r.name) for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})
        } - found
    return found


def make(folder: Path) -> Path:
    """A fresh virtual environment that holds what Colab holds.

    The large packages are lent by the environment that runs the tests: a folder of links to
    them, outside the new environment, so that nothing there can change them.

    Returns:
        Its Python.
    """
    lent = folder / "lent"
    lent.mkdir(parents=True)
    for name in with_requirements({*preinstalled(), "pip"}) - {*AS_ON_COLAB, "nilearn", "strokegan-lib"}:
        distribution = metadata.distribution(name)
        for top in {
            file.parts[0] for file in distribution.files if file.parts[0] not in ("..", "__pycache__")
        }:
            if not (lent / top).exists():
                (lent / top).symlink_to(Path(distribution.locate_file(top)).resolve())
    stand_in = lent / "google" / "colab"
    stand_in.mkdir(parents=True)
    (stand_in / "__init__.py").write_text('"""Stands for the module that Colab\'s kernel loads."""\n')
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment()
    ).stdout.strip()
    Path(site, "lent.pth").write_text(f"{lent}\n")
    versions = preinstalled()
    command = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    command += [f"{name}=={versions[name]}" for name in AS_ON_COLAB]
    subprocess.run(command, check=True, env=environment())
    return python


def environment(**more: str) -> dict[str, str]:
    """Our environment variables without those that would lead Python elsewhere."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    return {**kept, "PYTHONNOUSERSITE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **more}


def publish(chosen: Iterable[Path], folder: Path, url: str, ref: str) -> dict[str, str]:
    """Put files of the working tree into a git repository of its own that answers for *url*.

    Returns:
        Environment variables with which git, asked for *url*, goes there.
    """
    for file in chosen:
        copy = folder / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    git = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch", ref, folder], check=True)
    subprocess.run([*git, "add", "--all", "--force"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--no-gpg-sign", "-m", "the working tree"], check=True)
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{folder.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": url,
    }
