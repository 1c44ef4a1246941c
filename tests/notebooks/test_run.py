"""The runner behind `make tutorial`, on small notebooks; `make badges` and the site."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import nbformat
import pytest
import run
from repository import ROOT

from strokegan_lib import command_line
from strokegan_lib.data.slices import SliceSet

RECORDS = """
import ipywidgets, matplotlib.pyplot as plt
from strokegan_lib.classroom import record, show
record(p=PROFILE, d=DATA, table_1=['method  Dice', 'masked  .749'])
show(plt.figure(figsize=(1, 1)), 'an empty figure', keep='figure_1')
ipywidgets.IntSlider()
"""


def small_notebook(file: Path, source: str) -> Path:
    parameters = nbformat.v4.new_code_cell('PROFILE = DATA = ""', metadata={"tags": ["parameters"]})
    cells = [parameters, nbformat.v4.new_code_cell(source, id="the-cell")]
    nbformat.write(nbformat.v4.new_notebook(metadata=run.METADATA, cells=cells), file)
    return file


@pytest.fixture
def tutorial(monkeypatch: pytest.MonkeyPatch):
    """Run the runner with command-line options; its exit code."""

    def started(*options: str | Path) -> int:
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, "argv", ["run.py", *map(str, options)])
        try:
            return command_line.run(run.main, run.PROG)
        except SystemExit as end:
            return end.code

    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # the runner sets it: it is put back after the test
    return started


def test_notebooks_pages_records_pictures_and_the_one_that_fails(
    tmp_path: Path, phantom: SliceSet, tutorial, capfd: pytest.CaptureFixture
):
    good = small_notebook(tmp_path / "00_good.ipynb", RECORDS)
    bad = small_notebook(tmp_path / "01_bad.ipynb", 'raise RuntimeError("the critic left")')
    out, relative = tmp_path / "out", partial(os.path.relpath, start=ROOT)
    assert (
        tutorial("--out", out, "--data", phantom.folder, "--profile", "class", *map(relative, (good, bad)))
        == 2
    )
    printed, complaint = capfd.readouterr()
    assert "method  Dice\nmasked  .749\n" in printed
    # a kernel that is stopped may add a traceback of its own, rarely
    (line,) = [line for line in complaint.splitlines() if line.startswith(run.PROG)]
    assert "01_bad.ipynb, cell the-cell: RuntimeError: the critic left" in line
    results = json.loads((out / "results.json").read_text())
    assert results["data_sha256"] == phantom.card["sha256"]
    assert [entry["status"] for entry in results["notebooks"].values()] == ["ok", "failed"]
    recorded = results["notebooks"]["00_good"]["results"]
    assert (recorded["p"], recorded["d"]) == ("class", str(phantom.folder))
    names = "00_good.html 00_good.ipynb 01_bad.html 01_bad.ipynb figure_1.png index.html results.json"
    assert sorted(file.name for file in out.iterdir()) == names.split()
    page = (out / "00_good.html").read_text()
    assert 'alt="an empty figure"' in page
    assert re.search(r'class="jp-RenderedImage[^>]*>\s*<img', page), "not wider than its column"

    assert tutorial("--in-place", "--out", out, good) == 0
    assert not (out / "01_bad.html").exists()  # an earlier run is replaced
    notebook = nbformat.read(good, as_version=4)
    assert notebook.metadata == run.METADATA and notebook.cells[1].metadata == {}
    assert [list(output.data) for output in notebook.cells[1].outputs][2] == ["text/plain"]  # of the widget
    assert notebook.cells[1].execution_count == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "no/such/folder"], "is not a SliceSet"),
        (["notebooks/99.ipynb"], "is no notebook to run"),
        (["--out", "tests"], "choose another --out"),
    ],
)
def test_bad_use_ends_before_anything_runs(options, words, tmp_path: Path, tutorial, monkeypatch, capfd):
    monkeypatch.setattr(run, "execute", lambda *_: pytest.fail("a notebook ran"))
    assert tutorial("--out", tmp_path / "out", *options) == 2
    complaint = capfd.readouterr().err
    assert words in complaint and complaint.count("\n") == 1
    assert not list(tmp_path.glob("out*"))


def test_badges_lead_to_the_fork_and_back(tmp_path: Path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    for name in ("README.md", "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
    before = {file: file.read_bytes() for file in [tmp_path / "README.md", *tmp_path.rglob("*.ipynb")]}

    def badges(*options: str) -> int:
        return subprocess.run(["make", "badges", *options], cwd=tmp_path, capture_output=True).returncode

    assert badges() == badges("REPO=ada") == badges("REPO=ada/k it") == 2
    assert badges("REPO=ada/kit") == 0
    for text in (file.read_bytes() for file in before):
        assert b"OWNER" not in text and b"/ada/kit" in text
    assert badges("REPO=OWNER/strokegan") == 0
    assert {file: file.read_bytes() for file in before} == before


def test_the_site_has_no_broken_link(tmp_path: Path):
    command = [*["-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs", "."], tmp_path / "site"]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site/notebooks/00_start_here.html").is_file()
