"""Run times: from the report of the series to the table, its card and the masters."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest

from strokegan_lib import command_line as door
from strokegan_lib.classroom.saved import table_of
from strokegan_lib.classroom.times import STEP, keep, parser, rounded

REPORT = {
    "kit": "0.1.0",
    "profile": "quick",
    "data": "phantom-flair",
    "torch": "2.13.0",
    "seconds": 20.0,
    "notebooks": {
        "00_one": {"status": "ok", "seconds": 12.4, "results": {}},
        "01_two": {"status": "ok", "seconds": 23.1, "results": {}},
    },
}


def report(folder: Path, content: dict | str) -> Path:
    folder.mkdir(exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "results.json").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def series(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in REPORT["notebooks"]:
        cell = nbformat.v4.new_markdown_cell("# One\n\nThe cells run in about 90 seconds on one CPU core.")
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / f"{name}.ipynb")
    return tmp_path


def times(series: Path) -> int:
    """The exit code of the command."""
    folders = {"--tutorial": "tutorial", "--notebooks": "notebooks", "--results": "results"}
    words = [word for option, name in folders.items() for word in (option, str(series / name))]
    return door.run(lambda: keep(parser().parse_args(words)), "times")


def stated(series: Path) -> list[str]:
    files = sorted((series / "notebooks").glob("*.ipynb"))
    return [nbformat.read(file, as_version=4).cells[0].source.splitlines()[-1] for file in files]


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.3, 5), (7.4, 5), (7.6, 10), (12.4, 10), (12.6, 15), (44.0, 45)]
)
def test_times_are_rounded_to_the_step(seconds: float, told: int):
    assert rounded(seconds) == told and told % STEP == 0


def test_table_card_and_masters_agree(series: Path):
    report(series / "tutorial", REPORT)
    assert times(series) == 0
    lines, card = table_of("notebook_times", series / "results")
    assert lines == [
        {"notebook": "00_one", "profile": "quick", "seconds": 12.4},
        {"notebook": "01_two", "profile": "quick", "seconds": 23.1},
    ]
    assert card["command"].startswith("python ") and card["date"] and card["hardware"]
    assert card["measured"]["quick"]["processor"] and card["measured"]["quick"]["cores"] == os.cpu_count()
    assert "estimate" in card["estimated"]["class"]
    assert [line.split()[5] for line in stated(series)] == ["10", "25"]


def test_another_profile_joins_and_leaves_the_masters_alone(series: Path):
    report(series / "tutorial", REPORT)
    times(series)
    before = stated(series)
    slower = {name: entry | {"seconds": 100.0} for name, entry in REPORT["notebooks"].items()}
    report(series / "tutorial", REPORT | {"profile": "class", "notebooks": slower})
    assert times(series) == 0
    lines, card = table_of("notebook_times", series / "results")
    assert [line["profile"] for line in lines] == ["quick"] * 2 + ["class"] * 2
    assert "class" in card["measured"] and "class" not in card["estimated"]
    assert stated(series) == before


def test_a_second_measurement_replaces_the_first(series: Path):
    report(series / "tutorial", REPORT)
    times(series)
    faster = {name: entry | {"seconds": 4.0} for name, entry in REPORT["notebooks"].items()}
    report(series / "tutorial", REPORT | {"notebooks": faster})
    assert times(series) == 0
    lines, _ = table_of("notebook_times", series / "results")
    assert [line["seconds"] for line in lines] == [4.0, 4.0]


FAILED = REPORT["notebooks"] | {"01_two": {"status": "failed", "seconds": 1.0, "results": {}}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "run make tutorial first"),
        ("{", "is no report of the series"),
        ({"profile": "quick"}, "is no report of the series"),
        (REPORT | {"profile": "lazy"}, "is no report of the series"),
        (REPORT | {"notebooks": FAILED}, "tells that 01_two failed"),
        (REPORT | {"notebooks": {"00_one": FAILED["00_one"]}}, "knows no 01_two"),
    ],
)
def test_a_report_that_is_none_is_refused(
    series: Path, content: dict | str | None, message: str, capsys: pytest.CaptureFixture[str]
):
    if content is not None:
        report(series / "tutorial", content)
    assert times(series) == 2
    told = capsys.readouterr().err
    assert message in told and len(told.splitlines()) == 1
    assert not (series / "results").exists() and stated(series)[0].split()[5] == "90"


def test_a_master_without_a_time_is_named(series: Path, capsys: pytest.CaptureFixture[str]):
    report(series / "tutorial", REPORT)
    file = series / "notebooks" / "01_two.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Two")]), file)
    assert times(series) == 2
    told = capsys.readouterr().err
    assert "01_two.ipynb" in told and "0 times" in told
    assert (
        not (series / "results").exists()
        and "90" in nbformat.read(series / "notebooks/00_one.ipynb", 4).cells[0].source
    )
