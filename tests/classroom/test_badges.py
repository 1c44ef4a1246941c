"""Badges, installation lines and links of the kit: rewritten for a fork, everywhere and only there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT, files

from strokegan_lib.classroom import badges as badges_module
from strokegan_lib.classroom.badges import Home, rewrite
from strokegan_lib.errors import BadInput

OLD = Home.read(ROOT)


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A copy of the repository, and in it the links that its documents may hold."""
    for file in files():
        if file.suffix not in (".safetensors", ".png"):
            copy = tmp_path / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
    (tmp_path / "docs").mkdir(exist_ok=True)
    (tmp_path / "docs/links.md").write_text(
        f"[Dice]({OLD.url}/blob/{OLD.ref}/docs/glossary.md#dice), `git clone {OLD.url}.git`,\n"
        f"[issues]({OLD.url}/issues), `pip install {OLD.install}`,\n"
        "[another kit](https://github.com/someone/else/blob/main/docs/glossary.md#dice)\n"
        f"[alike]({OLD.url}-old/blob/main/README.md)\n"
    )
    return tmp_path


def badges(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "strokegan_lib.classroom.badges", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_a_fork_finds_no_trace_of_the_old_home(kit: Path):
    run = badges(kit, "--repo", "ada/kit", "--ref", "v2")
    assert run.returncode == 0 and "rewrote pyproject.toml" in run.stdout, run.stderr
    assert Home.read(kit) == Home("ada", "kit", "v2")
    for name, text in contents(kit).items():
        if name != "docs/links.md":
            assert f"{OLD.owner}/{OLD.repo}".encode() not in text, name
    for file in (kit / "notebooks").rglob("*.ipynb"):
        text, below = file.read_text(encoding="utf-8"), file.relative_to(kit / "notebooks").as_posix()
        assert f"/github/ada/kit/blob/v2/notebooks/{below})" in text
        assert f"/gh/ada/kit/v2?labpath=notebooks%2F{below.replace('/', '%2F')})" in text
        assert "git+https://github.com/ada/kit@v2" in text
    readme = (kit / "README.md").read_text(encoding="utf-8")
    assert Home("ada", "kit", "v2").badges("student/00_start_here.ipynb") in readme
    links = (kit / "docs/links.md").read_text(encoding="utf-8")
    assert links == (
        "[Dice](https://github.com/ada/kit/blob/v2/docs/glossary.md#dice), `git clone https://github.com/ada/kit.git`,\n"
        "[issues](https://github.com/ada/kit/issues), `pip install git+https://github.com/ada/kit@v2`,\n"
        "[another kit](https://github.com/someone/else/blob/main/docs/glossary.md#dice)\n"
        f"[alike]({OLD.url}-old/blob/main/README.md)\n"
    )
    assert rewrite(kit) == []  # a second time there is nothing to do


def test_there_and_back_changes_nothing(kit: Path):
    before = contents(kit)
    assert badges(kit, "--repo", "ada/kit", "--ref", "v2").returncode == 0
    assert contents(kit) != before
    assert badges(kit, "--repo", f"{OLD.owner}/{OLD.repo}", "--ref", OLD.ref).returncode == 0
    assert contents(kit) == before


def test_without_options_pyproject_decides(kit: Path):
    project = kit / "pyproject.toml"
    text = project.read_text().replace(f'owner = "{OLD.owner}"', 'owner = "grace"')
    project.write_text(text)
    assert badges(kit).returncode == 0
    assert project.read_text() == text
    assert f"grace/{OLD.repo}" in (kit / "README.md").read_text(encoding="utf-8")
    assert badges(kit).stdout == "every badge is right\n"


def test_the_branch_of_a_fork_is_main_unless_told(kit: Path):
    badges(kit, "--repo", "ada/kit", "--ref", "v2")
    badges(kit, "--ref", "v3")
    assert Home.read(kit) == Home("ada", "kit", "v3")
    badges(kit, "--repo", "grace/kit")
    assert Home.read(kit) == Home("grace", "kit", "main")


@pytest.mark.parametrize(
    "options",
    [
        ["--repo", "strokegan"],
        ["--repo", "ada/kit/more"],
        ["--repo", "https://github.com/ada/kit"],
        ["--repo", "ada/k it"],
        ["--repo", 'ada/"kit"'],
        ["--repo", "ada/.."],
        ["--repo", ""],
        ["--ref", "a/b"],
        ["--ref", "-v"],
    ],
    ids=" ".join,
)
def test_a_bad_name_changes_nothing(tmp_path: Path, options: list[str]):
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    before = contents(tmp_path)
    run = badges(tmp_path, *options)
    assert run.returncode == 2 and run.stderr.count("\n") == 1 and options[0] in run.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize("contents", ["", '[tool.strokegan]\nowner = "ada"\n'])
def test_a_home_that_is_not_named_is_bad_input(tmp_path: Path, contents: str):
    (tmp_path / "pyproject.toml").write_text(contents)
    with pytest.raises(BadInput, match="owner, repo and ref"):
        Home.read(tmp_path)


def test_the_command_ends_with_one_line_where_there_is_no_kit(tmp_path: Path):
    run = badges(tmp_path, "--repo", "ada/kit")
    assert run.returncode == 2 and run.stderr.count("\n") == 1 and "pyproject.toml" in run.stderr


def test_what_stopped_halfway_is_finished_the_next_time(kit: Path, monkeypatch: pytest.MonkeyPatch):
    last = kit / "strokegan_lib" / "zz.md"  # behind the notebooks, by its name
    last.write_text(f"[kit]({OLD.url})")
    Home("ada", "kit", "main").write(kit)
    write = badges_module.write_whole

    def write_until_full(file: Path, text: str) -> None:
        if file == last:
            raise BadInput(file, "cannot be written", "free some space")
        write(file, text)

    with monkeypatch.context() as patch:
        patch.setattr(badges_module, "write_whole", write_until_full)
        with pytest.raises(BadInput, match=r"zz\.md"):
            rewrite(kit)
    assert last in rewrite(kit) and last.read_text() == "[kit](https://github.com/ada/kit)"
