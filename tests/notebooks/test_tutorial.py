"""The runner behind `make tutorial`: the real series, and small notebooks that go wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from strokegan_lib import command_line as door
from strokegan_lib.classroom import tutorial as runner
from strokegan_lib.classroom.masters import METADATA
from strokegan_lib.classroom.report import WIDGET, page
from strokegan_lib.data.slices import SliceSet

ROOT = Path(__file__).parents[2]


def tutorial(*options: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "strokegan_lib.classroom.tutorial", *map(str, options)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ})


def small_notebook(folder: Path, name: str, *sources: str) -> None:
    folder.mkdir(exist_ok=True)
    notebook = nbformat.v4.new_notebook(metadata=METADATA)
    notebook.cells = [nbformat.v4.new_markdown_cell(f"# {name}")]
    notebook.cells.append(nbformat.v4.new_code_cell('PROFILE = DATA = ""', metadata={"tags": ["parameters"]}))
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(notebook, folder / name)


def test_the_series_runs_and_is_reported(tmp_path: Path, phantom: SliceSet):
    out = tmp_path / "report"
    run = tutorial("--out", out)
    assert run.returncode == 0, run.stdout + run.stderr
    names = [file.stem for file in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))]

    results = json.loads((out / "results.json").read_text())
    assert list(results["notebooks"]) == names
    assert all(entry["status"] == "ok" and entry["seconds"] > 0 for entry in results["notebooks"].values())
    assert results["data_sha256"] == phantom.card["sha256"]
    assert results["notebooks"]["00_start_here"]["results"]["slices"] == len(phantom)
    assert all(re.search(rf"{name} +[0-9.]+  ok", run.stdout) for name in names)

    html = (out / "report.html").read_text()
    assert all(f'href="#{name}"' in html and f'id="{name}"' in html for name in names)
    assert not re.search(r'(src|srcset)="http|<script|<link|@import|url\(', html)  # offline
    assert "<math" in html and "$$" not in html
    assert "No description has been provided" not in html  # nbconvert's words for an image without alt text


def test_a_prepared_set_reaches_the_notebooks(tmp_path: Path, phantom: SliceSet):
    small_notebook(
        tmp_path / "n",
        "00_data.ipynb",
        "from strokegan_lib.classroom.records import record\nrecord(p=PROFILE, d=DATA)",
    )
    run = tutorial(
        "--notebooks",
        tmp_path / "n",
        "--out",
        tmp_path / "out",
        "--data",
        phantom.folder,
        "--profile",
        "class",
    )
    assert run.returncode == 0, run.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["notebooks"]["00_data"]["results"] == {"p": "class", "d": str(phantom.folder)}


def test_a_table_is_printed_and_a_picture_kept(tmp_path: Path, phantom: SliceSet):
    small_notebook(
        tmp_path / "n",
        "00_table.ipynb",
        "from strokegan_lib.classroom.records import record\nrecord(table_1=['method  Dice', 'masked  .749'])",
        "import matplotlib.pyplot as plt\nfrom strokegan_lib.classroom.figures import show\n"
        "show(plt.figure(figsize=(1, 1)), 'an empty figure', keep='figure_1')",
    )
    out = tmp_path / "out"
    run = tutorial("--notebooks", tmp_path / "n", "--out", out, "--data", phantom.folder)
    assert run.returncode == 0, run.stderr
    assert "method  Dice\nmasked  .749\n" in run.stdout
    assert (out / "figure_1.png").read_bytes().startswith(b"\x89PNG")
    assert f"Picture: {out / 'figure_1.png'}" in run.stdout


def test_a_failing_notebook_is_named_with_its_error(tmp_path: Path):
    small_notebook(tmp_path / "n", "00_good.ipynb", "print(1)")
    small_notebook(tmp_path / "n", "01_bad.ipynb", 'raise RuntimeError("the critic left")')
    run = tutorial("--notebooks", tmp_path / "n", "--out", tmp_path / "out")
    assert run.returncode == 1
    assert "01_bad failed" in run.stderr and "RuntimeError: the critic left" in run.stderr
    assert "00_good failed" not in run.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [entry["status"] for entry in results["notebooks"].values()] == ["ok", "failed"]
    assert "the critic left" in (tmp_path / "out" / "report.html").read_text()


def test_an_earlier_report_is_replaced_and_nothing_else_is_left(tmp_path: Path):
    small_notebook(tmp_path / "n", "00_first.ipynb")
    out = tmp_path / "out"
    assert tutorial("--notebooks", tmp_path / "n", "--out", out).returncode == 0
    (tmp_path / "n" / "00_first.ipynb").rename(tmp_path / "n" / "00_second.ipynb")
    assert tutorial("--notebooks", tmp_path / "n", "--out", out).returncode == 0
    assert sorted(file.name for file in out.iterdir()) == ["00_second.ipynb", "report.html", "results.json"]
    assert {file.name for file in tmp_path.iterdir()} == {"n", "out", ".out.lock"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "no/such/folder"], "is not a SliceSet"),
        (["--profile", "huge"], "choose one of quick, class, full"),
        (["--notebooks", "tests"], "holds no numbered notebook"),
        (["--workers", "0"], "--workers"),
        (["--workers", "two"], "--workers"),
        (["--out", "notebooks"], "choose another --out"),
        (["--out", "Makefile/x"], "cannot be written"),
    ],
)
def test_bad_use_ends_before_anything_runs(
    options: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(
        sys, "argv", ["tutorial", "--out", str(tmp_path / "out"), *options]
    )  # the last --out counts
    monkeypatch.setattr(runner, "execute", lambda *_: pytest.fail("a notebook ran"))
    try:
        code = door.run(runner.main, "tutorial")
    except SystemExit as end:  # the parser's own way to end
        code = end.code
    complaint = capsys.readouterr().err
    assert code == 2 and words in complaint and complaint.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_report_keeps_pictures_of_widgets_and_drops_what_needs_a_network():
    output = nbformat.v4.new_output(
        "display_data",
        {WIDGET: {"model_id": "x"}, "image/png": "AAAA", "text/plain": "a lesion"},
        metadata={"image/png": {"alt": 'a "lesion" & its edge'}},
    )
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_markdown_cell(
            "# Title\n\n[![Open in Colab](https://x.org/a.svg)](https://x.org)\n\n$a<b$"
        ),
        nbformat.v4.new_code_cell("1 < 2", outputs=[output]),
    ]
    html = page("T", "h & h", {"00_t": notebook}, {"00_t": {"status": "ok", "seconds": 1.25}})
    assert "data:image/png;base64,AAAA" in html and "model_id" not in html and "https://x.org" not in html
    assert re.search(r"""alt=['"]a (&quot;|")lesion(&quot;|") &amp; its edge['"]""", html)
    assert "<math" in html and "h &amp; h" in html and '<a href="#00_t">Title</a>' in html
