"""Badges and the Colab installation line: rewritten for a fork, everywhere and only there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from strokegan_lib.classroom.colab import Home, rewrite
from strokegan_lib.errors import BadInput

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fork(tmp_path: Path) -> Path:
    """A copy of what carries badges, with another home in pyproject.toml."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns(".*"))
    shutil.copy(ROOT / "README.md", tmp_path)
    project = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(
        project.split("[tool.strokegan]")[0] + '[tool.strokegan]\nowner = "ada"\nrepo = "kit"\nref = "v2"\n'
    )
    return tmp_path


def test_a_fork_gets_its_own_badges(fork: Path):
    old = Home.read(ROOT)
    changed = {file.name for file in rewrite(fork)}
    notebooks = sorted((fork / "notebooks").glob("*.ipynb"))
    assert changed == {"README.md", *(file.name for file in notebooks)}
    for file in notebooks:
        text = file.read_text(encoding="utf-8")
        assert f"/github/ada/kit/blob/v2/notebooks/{file.name}" in text
        assert f"/gh/ada/kit/v2?labpath=notebooks%2F{file.name}" in text
        assert "git+https://github.com/ada/kit@v2" in text
        assert f"{old.owner}/{old.repo}" not in text
    readme = (fork / "README.md").read_text(encoding="utf-8")
    assert f"{old.owner}/{old.repo}" not in readme and "ada/kit" in readme
    assert rewrite(fork) == []  # a second time there is nothing to do


def test_only_badges_change(fork: Path):
    for original in sorted((ROOT / "notebooks").glob("*.ipynb")):
        old, new = Home.read(ROOT), Home.read(fork)
        rewrite(fork)
        text = (fork / "notebooks" / original.name).read_text(encoding="utf-8")
        back = text.replace(
            f"{new.owner}/{new.repo}/blob/{new.ref}", f"{old.owner}/{old.repo}/blob/{old.ref}"
        )
        back = back.replace(f"gh/{new.owner}/{new.repo}/{new.ref}", f"gh/{old.owner}/{old.repo}/{old.ref}")
        back = back.replace(new.install, old.install)
        assert back == original.read_text(encoding="utf-8")


@pytest.mark.parametrize("contents", ["", '[tool.strokegan]\nowner = "ada"\n'])
def test_a_home_that_is_not_named_is_bad_input(tmp_path: Path, contents: str):
    (tmp_path / "pyproject.toml").write_text(contents)
    with pytest.raises(BadInput, match="owner, repo and ref"):
        Home.read(tmp_path)


def test_the_command_ends_with_one_line_where_there_is_no_kit(tmp_path: Path):
    command = [sys.executable, "-m", "strokegan_lib.classroom.colab"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 2 and run.stderr.count("\n") == 1 and "pyproject.toml" in run.stderr
