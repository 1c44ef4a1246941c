"""The record: rows as they come, cut where a run resumes, whatever state the file was left in."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from strokegan_lib.errors import BadInput
from strokegan_lib.training.log import Log


def rows(first: int, count: int, **more: float) -> list[dict[str, float]]:
    return [{"step": step, "loss": 1 / (3 + step), **more} for step in range(first, first + count)]


def read(folder: Path) -> list[dict[str, float]]:
    with open(folder / "metrics.csv", newline="", encoding="utf-8") as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]


def test_rows_come_back_to_the_last_bit(tmp_path):
    log = Log(tmp_path)
    log.add(rows(0, 10))
    log.add([])
    log.add(rows(10, 3))
    log.close()
    assert read(tmp_path) == log.rows == rows(0, 13)


def test_without_a_folder_rows_stay_in_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = Log(None)
    log.add(rows(0, 4))
    log.close()
    assert log.rows == rows(0, 4) and not list(tmp_path.iterdir())


def test_a_new_column_leaves_gaps_before_it(tmp_path):
    log = Log(tmp_path)
    log.add(rows(0, 2))
    log.add(rows(2, 1, dice=0.5))
    log.add(rows(3, 2))  # and gaps after it
    assert read(tmp_path) == rows(0, 2) + rows(2, 1, dice=0.5) + rows(3, 2)
    with open(tmp_path / "metrics.csv", encoding="utf-8") as file:
        assert file.readline() == "step,loss,dice\n"


@pytest.mark.parametrize("made", [0, 1, 4, 6])
def test_a_resumed_run_drops_the_rows_of_steps_that_it_makes_again(tmp_path, made):
    before = Log(tmp_path)
    before.add(rows(0, 3))
    before.add(rows(3, 3, dice=0.5))
    before.close()
    log = Log(tmp_path, made)
    kept = (rows(0, 3) + rows(3, 3, dice=0.5))[:made]
    assert log.rows == kept == read(tmp_path)
    log.add(rows(made, 2))
    assert read(tmp_path) == kept + rows(made, 2)


def test_a_run_from_the_start_drops_an_older_record(tmp_path):
    Log(tmp_path).add(rows(0, 5))
    assert Log(tmp_path).rows == [] == read(tmp_path)


LEFT = {  # what a power cut or a spreadsheet may leave
    "a row cut short": "step,loss\n0,0.5\n1,0.25\n",
    "a row cut within its step": "step,loss\n0,0.5\n1,0.25\n2,0.125\n1",
    "zeros": "step,loss\n0,0.5\n1,0.25\n\0\0\0\0",
    "semicolons": "step;loss\n0;0,5\n1;0,25\n",
    "nothing": "",
    "no text": b"\xff\xfe\x00\x01",
}


@pytest.mark.parametrize("left", LEFT)
def test_a_damaged_record_never_stops_a_run(tmp_path, left):
    content = LEFT[left]
    file = tmp_path / "metrics.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    log = Log(tmp_path, 3)
    log.add(rows(3, 1))
    steps = [row["step"] for row in log.rows]
    assert steps == sorted(set(steps)) and read(tmp_path) == log.rows  # no step twice
    assert [row for row in log.rows if row["step"] < 2] in (
        [],
        [{"step": 0, "loss": 0.5}, {"step": 1, "loss": 0.25}],
    )


def test_a_resume_that_drops_nothing_writes_nothing(tmp_path):
    """What is not opened for writing cannot be lost to a full disk."""
    log = Log(tmp_path, board=False)
    log.add(rows(0, 3, validation=0.25))
    before = (tmp_path / "metrics.csv").stat()
    again = Log(tmp_path, steps_made=3, board=False)
    after = (tmp_path / "metrics.csv").stat()
    assert again.rows == log.rows and (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert Log(tmp_path, steps_made=2, board=False).rows == log.rows[:2] == Log(tmp_path, 9, board=False).rows


def test_a_disk_that_does_not_take_it_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        Log(tmp_path / "file" / "run")
