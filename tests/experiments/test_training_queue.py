"""The queue: one run a core, finished ones kept, a failure stops it with one line, the time left is told."""

from __future__ import annotations

import sys
import time

import pytest

from experiments import training_queue
from experiments.training_queue import Run, hours, progress, trained
from strokegan_lib.errors import BadInput

MAKE = (
    "import pathlib, sys, time; f = pathlib.Path(sys.argv[1]); (f / 'begun').write_text(str(time.time())); "
)
DONE = (
    MAKE + "time.sleep(.3); (f / 'weights.safetensors').touch(); (f / 'ended').write_text(str(time.time()))"
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(training_queue, "LOOK", 0.02)


def run_of(tmp_path, name: str, code: str = DONE) -> Run:
    folder = tmp_path / name
    return Run(name, (sys.executable, "-c", code, str(folder)), folder, 10)


def when(run: Run, what: str) -> float:
    return float((run.folder / what).read_text())


@pytest.mark.parametrize("cores", [1, 2])
def test_as_many_at_a_time_as_there_are_cores(tmp_path, cores, capsys):
    runs = [run_of(tmp_path, name) for name in "abc"]
    ended = list(trained(runs, cores))
    assert {run.name for run in ended} == {*"abc"} and all(run.done for run in runs)
    overlap = when(runs[1], "begun") < when(runs[0], "ended")
    assert overlap == (cores == 2)
    assert when(runs[2], "begun") > min(when(run, "ended") for run in runs[:2])
    assert "a: -c" in capsys.readouterr().out


def test_what_is_trained_is_not_trained_again(tmp_path):
    done, open_ = run_of(tmp_path, "done", "raise SystemExit(1)"), run_of(tmp_path, "open")
    done.folder.mkdir()
    (done.folder / "weights.safetensors").touch()
    assert [run.name for run in trained([open_, done], 1)] == ["done", "open"]


def test_a_run_without_weights_stops_the_queue_and_names_its_log(tmp_path):
    bad = run_of(tmp_path, "bad", "raise SystemExit('no room')")
    slow = run_of(tmp_path, "slow", MAKE + "time.sleep(60)")
    waiting = run_of(tmp_path, "waiting")
    begun = time.monotonic()
    with pytest.raises(BadInput) as error:
        list(trained([slow, bad, waiting], 2))
    assert "log.txt" in str(error.value) and "exit code 1" in str(error.value)
    assert "no room" in (bad.folder / "log.txt").read_text()
    assert time.monotonic() - begun < 30, "the slow one was ended"
    assert not waiting.folder.exists()


def record(folder, seconds: list[float]):
    folder.mkdir(exist_ok=True)
    lines = [f"{step},{s}" for step, s in enumerate(seconds)]
    (folder / "metrics.csv").write_text("\n".join(["step,seconds", *lines]) + "\n")
    return folder / "metrics.csv"


def test_progress_leaves_pauses_out(tmp_path):
    file = record(tmp_path, [0.0, 2.0, 4.0, 1.0, 3.0])  # resumed after the third step
    assert progress(file) == (5, 2.0)
    assert hours(file) == pytest.approx(6 / 3600)
    assert progress(tmp_path / "none.csv") == (0, None) and hours(tmp_path / "none.csv") == 0
    assert progress(record(tmp_path, [0.0])) == (1, None)


def test_a_row_that_was_being_written_is_left_out(tmp_path):
    file = record(tmp_path, [0.0, 2.0])
    file.write_text(file.read_text() + "2")
    assert progress(file) == (2, 2.0)


def test_the_time_left_is_told(tmp_path):
    run = Run("a", ("python",), tmp_path, 65)
    assert run.left() == "a 0 of 65 steps"
    record(tmp_path, [0.0, 60.0, 120.0, 180.0, 240.0])
    assert run.left() == "a 5 of 65 steps, 60 min left"
