"""The record: rows as they come, cut where a run resumes, whatever state the file was left in."""

import csv

import pytest

from strokegan_lib.errors import BadInput
from strokegan_lib.training.log import Log, read_rows


def rows(first: int, count: int, **more: float) -> list[dict[str, float]]:
    return [{"step": step, "loss": 1 / (3 + step), **more} for step in range(first, first + count)]


def test_rows_come_back_to_the_last_bit_and_a_new_column_leaves_gaps(tmp_path):
    log, parts = Log(tmp_path), [rows(0, 9), [], rows(9, 1, dice=0.5), rows(10, 2)]
    for part in parts:
        log.add(part)
    assert log.rows == read_rows(tmp_path / "metrics.csv") == [row for part in parts for row in part]
    with open(tmp_path / "metrics.csv", newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["step", "loss", "dice"]
    assert [row["dice"] for row in table] == [""] * 9 + ["0.5", "", ""]


@pytest.mark.parametrize("made", [0, 1, 4, 6])
def test_a_resumed_run_drops_the_rows_of_steps_that_it_makes_again(tmp_path, made):
    Log(tmp_path).add(before := rows(0, 3) + rows(3, 3, dice=0.5))
    log = Log(tmp_path, made)
    assert log.rows == before[:made]
    log.add(rows(made, 2))
    assert read_rows(tmp_path / "metrics.csv") == before[:made] + rows(made, 2)


@pytest.mark.parametrize(
    "left",  # by a power cut or a spreadsheet
    [
        b"step,loss\n0,0.5\n1,0.25\n2,0.125\n1",
        b"step,loss\n0,0.5\n1,0.25\n\0\0\0\0",
        b"step;loss\n0;0,5\n1;0,25\n",
        b"\xff\xfe\x00\x01",
    ],
)
def test_a_damaged_record_never_stops_a_run(tmp_path, left):
    (tmp_path / "metrics.csv").write_bytes(left)
    log = Log(tmp_path, 3)
    log.add(rows(3, 1))
    steps = [row["step"] for row in log.rows]
    assert steps == sorted(set(steps)) and read_rows(tmp_path / "metrics.csv") == log.rows  # no step twice
    first = [row for row in log.rows if row["step"] < 2]
    assert first in ([], [{"step": 0, "loss": 0.5}, {"step": 1, "loss": 0.25}])


def test_a_disk_that_does_not_take_it_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        Log(tmp_path / "file" / "run")
